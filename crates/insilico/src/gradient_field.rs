//! Gradient receptive fields: how much every pixel of the last frames moves a unit's response.
//!
//! A dot has to be flashed everywhere; a twin can be asked. The gradient of a response with respect to the video is what the unit would have gained
//! from each pixel being a little brighter. Its mean over many clips is the unit's linear filter at work; a unit that does not care about sign
//! (a complex cell) has none, but the mean square still shows where and when it looks.

use crate::error::Error;
use crate::tune::MAP;
use ndarray::{Array2, Array3, Array4, s};
use striate_model::{Clip, Network, Periphery, Pixels};
use striate_stimulus::Film;

/// Frames of a clip before those whose gradients are kept: the network settles.
const SETTLE: usize = 12;
/// Frames whose gradients are kept, the last one that of the response (a third of a second at 30 Hz; our choice).
pub const LAGS: usize = 12;
/// Units whose gradients are made side by side.
const BATCH: usize = 8;

/// Gradients of some units' responses.
#[derive(Clone, Debug)]
pub struct GradientFields {
    /// Mean squared gradient over clips, lags and colours [U, h, w]: where a unit looks. As large as the maps of dots at most; the pixels of a
    /// larger video are averaged.
    pub energy: Array3<f64>,
    /// Mean gradient over clips and colours [U, L, height, width]; the last L is the frame of the response.
    pub filters: Array4<f32>,
    /// Clips they were taken over.
    pub clips: usize,
}

/// Gradients of the responses of `units` to the last frame of every clip that a stimulus can be cut into, with the eye and behaviour at their means.
///
/// # Errors
/// The stimulus is shorter than one clip, or does not fit the network.
pub fn gradient_fields(network: &Network, mut film: Film, units: &[usize], progress: &mut dyn FnMut(usize, usize)) -> Result<GradientFields, Error> {
    const CLIP: usize = SETTLE + LAGS;
    let [frames, height, width] = film.shape();
    let clips = frames / CLIP;
    if clips == 0 {
        return Err(Error::Length { what: "stimulus", expected: format!("{CLIP} frames or more for gradients"), got: frames.to_string() });
    }
    let (h, w) = (height.min(MAP[0]), width.min(MAP[1]));
    let channels = network.config().channels;
    let cell = |y: usize, x: usize| [y * h / height, x * w / width];
    let mut pixels = Array2::<f64>::zeros((h, w)); // of each cell of the map
    (0..height).for_each(|y| (0..width).for_each(|x| pixels[cell(y, x)] += 1.0));
    let mut energy = Array3::zeros((units.len(), h, w));
    let mut filters = Array4::zeros((units.len(), LAGS, height, width));
    for at in 0..clips {
        let clip: Vec<Vec<u8>> = film.by_ref().take(CLIP).collect();
        for (chunk, units) in units.chunks(BATCH).enumerate() {
            let gradient = last_response(network, &clip, [height, width], units)?;
            let shape = (CLIP, units.len(), height, width, channels);
            let gradient = ndarray::ArrayView5::from_shape(shape, &gradient).map_err(|e| Error::Length {
                what: "gradient",
                expected: format!("{shape:?}"),
                got: e.to_string(),
            })?;
            for (n, unit) in (chunk * BATCH..).zip(0..units.len()) {
                for ((lag, y, x, _), g) in gradient.slice(s![SETTLE.., unit, .., .., ..]).indexed_iter() {
                    let [row, column] = cell(y, x);
                    energy[[n, row, column]] += f64::from(g * g) / ((clips * LAGS * channels) as f64 * pixels[[row, column]]);
                    filters[[n, lag, y, x]] += g / (clips * channels) as f32;
                }
            }
        }
        progress(at + 1, clips);
    }
    Ok(GradientFields { energy, filters, clips })
}

/// Gradient [T, units, height, width, C] of each unit's response to the last frame; the clip is shown to as many batch elements.
fn last_response(network: &Network, clip: &[Vec<u8>], size: [usize; 2], units: &[usize]) -> Result<Vec<f32>, Error> {
    let (all, channels, batch) = (network.config().units, network.config().channels, units.len());
    let video: Vec<u8> = clip
        .iter()
        .flat_map(|frame| std::iter::repeat_n(frame, batch))
        .flat_map(|frame| frame.iter().flat_map(|v| std::iter::repeat_n(*v, channels)))
        .collect();
    let mut weights = vec![0.0; clip.len() * batch * all];
    let last = weights.len() - batch * all;
    units.iter().enumerate().for_each(|(n, unit)| weights[last + n * all + unit] = 1.0);
    let clip = Clip { video: Pixels::U8(&video), size, eye: &[], behavior: &[], periphery: Periphery::default() };
    Ok(network.sensitivity(&clip, &weights, batch)?.1)
}
