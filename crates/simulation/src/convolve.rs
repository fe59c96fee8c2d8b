//! Separable convolution of small images with complex kernels, edges replicated.

/// A complex kernel along one axis, centred.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) re: Vec<f32>,
    pub(crate) im: Vec<f32>,
}

/// Image [H, W] with `across` along rows, then `down` along columns: real and imaginary part.
pub(crate) fn separable(image: &[f32], height: usize, width: usize, across: &Line, down: &Line) -> [Vec<f32>; 2] {
    let radius = across.re.len() / 2;
    let mut padded = vec![0.0; width + 2 * radius];
    let [mut a, mut b] = [vec![0.0f32; height * width], vec![0.0f32; height * width]];
    for y in 0..height {
        let row = &image[y * width..][..width];
        padded[..radius].fill(row[0]);
        padded[radius..radius + width].copy_from_slice(row);
        padded[radius + width..].fill(row[width - 1]);
        for (k, (re, im)) in across.re.iter().zip(&across.im).enumerate() {
            let from = &padded[k..k + width];
            a[y * width..][..width].iter_mut().zip(from).for_each(|(o, v)| *o += re * v);
            b[y * width..][..width].iter_mut().zip(from).for_each(|(o, v)| *o += im * v);
        }
    }
    let radius = down.re.len() / 2;
    let [mut re_out, mut im_out] = [vec![0.0f32; height * width], vec![0.0f32; height * width]];
    for y in 0..height {
        for (k, (re, im)) in down.re.iter().zip(&down.im).enumerate() {
            let from = (y + k).saturating_sub(radius).min(height - 1) * width;
            for x in 0..width {
                let (p, q) = (a[from + x], b[from + x]);
                re_out[y * width + x] += re * p - im * q;
                im_out[y * width + x] += re * q + im * p;
            }
        }
    }
    [re_out, im_out]
}
