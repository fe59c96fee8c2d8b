//! Group-wise concatenation of channels: for each group, the group's channels of each part in turn.

use rayon::prelude::*;

/// Pixels handled as one piece of work.
const PIECE: usize = 1024;

/// Concatenates parts given as (frames [pixels, C_i], C_i) group by group.
pub(crate) fn concatenate(parts: &[(&[f32], usize)], groups: usize) -> Vec<f32> {
    let total: usize = parts.iter().map(|(_, c)| c).sum();
    let pixels = parts[0].0.len() / parts[0].1;
    let mut out = vec![0.0; pixels * total];
    out.par_chunks_mut(PIECE * total).enumerate().for_each(|(piece, out)| {
        let mut offset = 0;
        for (x, channels) in parts {
            let width = channels / groups;
            for (x, out) in x[piece * PIECE * channels..].chunks_exact(*channels).zip(out.chunks_exact_mut(total)) {
                for g in 0..groups {
                    out[g * total / groups + offset..][..width].copy_from_slice(&x[g * width..][..width]);
                }
            }
            offset += width;
        }
    });
    out
}

/// The inverse: parts of the given channels, each [pixels, C_i].
pub(crate) fn split(x: &[f32], channels: &[usize], groups: usize) -> Vec<Vec<f32>> {
    let total: usize = channels.iter().sum();
    let mut offset = 0;
    channels
        .iter()
        .map(|c| {
            let width = c / groups;
            let mut part = vec![0.0; x.len() / total * c];
            part.par_chunks_mut(PIECE * c).zip(x.par_chunks(PIECE * total)).for_each(|(part, x)| {
                for (x, part) in x.chunks_exact(total).zip(part.chunks_exact_mut(*c)) {
                    for g in 0..groups {
                        part[g * width..][..width].copy_from_slice(&x[g * total / groups + offset..][..width]);
                    }
                }
            });
            offset += width;
            part
        })
        .collect()
}

/// `to += from`.
pub(crate) fn add(to: &mut [f32], from: &[f32]) {
    const FLOATS: usize = 1 << 14;
    to.par_chunks_mut(FLOATS).zip(from.par_chunks(FLOATS)).for_each(|(to, from)| to.iter_mut().zip(from).for_each(|(t, f)| *t += f));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_stay_together() {
        let (a, b) = ([1.0, 2.0, 3.0, 4.0], [5.0, 6.0]);
        let both = concatenate(&[(&a, 4), (&b, 2)], 2);
        assert_eq!(both, [1.0, 2.0, 5.0, 3.0, 4.0, 6.0]);
        assert_eq!(split(&both, &[4, 2], 2), vec![a.to_vec(), b.to_vec()]);
    }
}
