//! Group-wise concatenation of channels: for each group, the group's channels of each part in turn.

use rayon::prelude::*;
use striate_kernels::pad::Frame;

/// Pixels handled as one piece of work.
const PIECE: usize = 1024;

/// Concatenates parts given as (frames [pixels, C_i], C_i) group by group.
pub(crate) fn concatenate<'a>(parts: impl Iterator<Item = (&'a [f32], usize)> + Clone, groups: usize, out: &mut [f32]) {
    let total: usize = parts.clone().map(|(_, channels)| channels).sum();
    let mut before = 0;
    for (x, channels) in parts {
        spread(x, channels, groups, before, total, out);
        before += channels;
    }
}

/// Copies one part into its place among `total` channels, behind `before` channels of other parts.
pub(crate) fn spread(x: &[f32], channels: usize, groups: usize, before: usize, total: usize, out: &mut [f32]) {
    let pieces = out.par_chunks_mut(PIECE * total).zip(x.par_chunks(PIECE * channels));
    pieces.for_each(|(out, x)| place(x, channels, groups, before, total, out));
}

/// The same for parts that are frames, into the middle of zero-padded frames [F, H + 2p, W + 2p, sum of C_i].
pub(crate) fn concatenate_padded(map: Frame, p: usize, parts: [(&[f32], usize); 2], groups: usize, out: &mut [f32]) {
    let total = parts[0].1 + parts[1].1;
    let padded = Frame { channels: total, ..map.padded(p) };
    let (line, side) = (padded.width * total, p * total);
    out.par_chunks_mut(line).enumerate().with_min_len(8).for_each(|(row, out)| {
        let (frame, y) = (row / padded.height, row % padded.height);
        if y < p || y >= p + map.height {
            return out.fill(0.0);
        }
        out[..side].fill(0.0);
        out[line - side..].fill(0.0);
        for ((x, channels), before) in parts.into_iter().zip([0, parts[0].1]) {
            let x = &x[(frame * map.height + y - p) * map.width * channels..];
            place(x, channels, groups, before, total, &mut out[side..line - side]);
        }
    });
}

/// [`spread`] for as many pixels as `out` holds.
fn place(x: &[f32], channels: usize, groups: usize, before: usize, total: usize, out: &mut [f32]) {
    let (width, offset) = (channels / groups, before / groups);
    for (x, out) in x.chunks_exact(channels).zip(out.chunks_exact_mut(total)) {
        for g in 0..groups {
            out[g * total / groups + offset..][..width].copy_from_slice(&x[g * width..][..width]);
        }
    }
}

/// The inverse: parts of the given channels, each [pixels, C_i].
pub(crate) fn split(x: &[f32], channels: &[usize], groups: usize) -> Vec<Vec<f32>> {
    let total: usize = channels.iter().sum();
    let before = channels.iter().scan(0, |sum, c| Some(std::mem::replace(sum, *sum + c)));
    channels.iter().zip(before).map(|(c, before)| part(x, *c, groups, before, total)).collect()
}

/// One of them, behind `before` channels of other parts.
pub(crate) fn part(x: &[f32], channels: usize, groups: usize, before: usize, total: usize) -> Vec<f32> {
    let (width, offset) = (channels / groups, before / groups);
    let mut part = vec![0.0; x.len() / total * channels];
    part.par_chunks_mut(PIECE * channels).zip(x.par_chunks(PIECE * total)).for_each(|(part, x)| {
        for (x, part) in x.chunks_exact(total).zip(part.chunks_exact_mut(channels)) {
            for g in 0..groups {
                part[g * width..][..width].copy_from_slice(&x[g * total / groups + offset..][..width]);
            }
        }
    });
    part
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
        let mut both = [0.0; 6];
        concatenate([(a.as_slice(), 4), (b.as_slice(), 2)].into_iter(), 2, &mut both);
        assert_eq!(both, [1.0, 2.0, 5.0, 3.0, 4.0, 6.0]);
        let mut padded = [f32::NAN; 54];
        let map = Frame { height: 1, width: 1, channels: 6 };
        concatenate_padded(map, 1, [(&a, 4), (&b, 2)], 2, &mut padded);
        assert!(padded[24..30] == both && padded[..24].iter().chain(&padded[30..]).all(|v| *v == 0.0));
        assert_eq!(split(&both, &[4, 2], 2), vec![a.to_vec(), b.to_vec()]);
    }
}
