//! Folds: which samples are held out together in cross-validation.

use super::labels::Labels;
use crate::error::Error;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Fold of each sample `[n]`, 0 to `folds` - 1: samples are shuffled, then dealt class by class, so that both the folds and every
/// class's share of them differ by one sample at most.
pub fn stratified_folds(labels: &Labels, folds: usize, seed: u64) -> Vec<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut fold = vec![0; labels.len()];
    let mut dealt = 0;
    for mut members in labels.members() {
        members.shuffle(&mut rng);
        for sample in members {
            fold[sample] = dealt % folds;
            dealt += 1;
        }
    }
    fold
}

/// Fold of each sample `[n]`: every group, such as one animal, is a fold of its own.
///
/// # Errors
/// [`Error::Shape`] if there is not one group per sample, [`Error::OneGroup`] if a class, or all there is, lies in one group: held
/// out, nothing would be left to learn it from.
pub fn leave_one_group_out(labels: &Labels, groups: &Labels) -> Result<Vec<usize>, Error> {
    if groups.len() != labels.len() {
        let what = "groups".to_owned();
        return Err(Error::Shape { what, expected: format!("{}, one for each sample", labels.len()), got: groups.len().to_string() });
    }
    for (class, members) in labels.classes.iter().zip(labels.members()) {
        if let Some((&first, rest)) = members.split_first()
            && rest.iter().all(|&sample| groups.of[sample] == groups.of[first])
        {
            return Err(Error::OneGroup { class: class.clone(), group: groups.name(first).to_owned() });
        }
    }
    Ok(groups.of.clone())
}

/// Fold of each sample `[n]` with no group in two folds: groups are shuffled, then each goes to the fold with the fewest samples.
/// There are at most as many folds as groups.
pub fn grouped_folds(groups: &Labels, folds: usize, seed: u64) -> Vec<usize> {
    let mut members = groups.members();
    members.retain(|samples| !samples.is_empty());
    members.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let mut sizes = vec![0; folds.min(members.len())];
    let mut fold = vec![0; groups.len()];
    for samples in members {
        let smallest = (0..sizes.len()).min_by_key(|&f| sizes[f]).unwrap_or(0);
        sizes[smallest] += samples.len();
        samples.into_iter().for_each(|sample| fold[sample] = smallest);
    }
    fold
}
