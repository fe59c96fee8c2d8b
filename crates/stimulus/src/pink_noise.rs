//! Directional pink noise, "Monet2": Gaussian noise, low in space and time, that now and then takes on an orientation and moves at right angles to
//! it (paper, Methods; after the public description of the laboratory's stimulus. Its random numbers are ours).

use crate::error::{Error, frames, within};
use crate::event::{Event, Shown};
use crate::film::Film;
use crate::resample::Resample;
use libm::{atan2, cos, exp, sincos, sqrt};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use rustfft::{Fft, FftPlannerScalar, num_complex::Complex};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::f64::consts::{FRAC_PI_2, PI, TAU};
use std::sync::Arc;

/// Pixels of the drawn pattern for each sample of noise, both ways.
const UP: usize = 3;
/// Standard deviation of intensity, in units of the filtered noise.
const GAIN: f64 = 2.5;

/// Shape of the low-pass filter in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kernel {
    /// A whole Hamming window.
    Hamming,
    /// The second half of one: the newest frame weighs most.
    HalfHamming,
}

/// Settings of directional pink noise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PinkNoise {
    /// H, pixels; what is drawn at the pattern's own size is resampled to it.
    pub height: usize,
    /// W, pixels.
    pub width: usize,
    /// Frames per second, Hz.
    pub rate: f64,
    /// T.
    pub frames: usize,
    /// How long one round of all directions lasts, s; rounds follow one another.
    pub seconds: f64,
    /// Samples of noise across the pattern.
    pub pattern_width: usize,
    /// Width of the pattern by its height.
    pub aspect: f64,
    /// Low-pass filter in time.
    pub kernel: Kernel,
    /// Bandwidth of it, Hz.
    pub bandwidth: f64,
    /// Sharpness of orientation while moving; 1 or less is none.
    pub coherence: f64,
    /// Share of each segment that moves.
    pub fraction: f64,
    /// How much of the orientation filter is used, 0 to 1.
    pub mix: f64,
    /// Directions a round, evenly around the circle.
    pub directions: usize,
    /// Speed. `speed * pattern_width` is pixels of the pattern per second, of which there are three to a sample: a third of this many pattern widths
    /// per second (as the laboratory's code has it).
    pub speed: f64,
}

impl Default for PinkNoise {
    /// Sixteen directions in 30 s.
    fn default() -> Self {
        Self {
            height: 144,
            width: 256,
            rate: 30.0,
            frames: 900,
            seconds: 30.0,
            pattern_width: 72,
            aspect: 1.7,
            kernel: Kernel::HalfHamming,
            bandwidth: 4.0,
            coherence: 1.5,
            fraction: 0.4,
            mix: 1.0,
            directions: 16,
            speed: 0.25,
        }
    }
}

impl PinkNoise {
    /// Whether a video can be made with these settings.
    ///
    /// # Errors
    /// The setting that is out of range.
    pub fn check(&self) -> Result<(), Error> {
        const OF: &str = "pink noise";
        frames(OF, [self.frames, self.height, self.width], self.rate)?;
        within(OF, "pattern_width", self.pattern_width as f64, [4.0, 1000.0], "4 to 1000 samples")?;
        within(OF, "aspect", self.aspect, [0.25, 10.0], "0.25 to 10")?;
        let rows = (self.pattern_width as f64 / self.aspect).round();
        within(OF, "pattern_width", rows, [2.0, 1000.0], "a width that makes 2 to 1000 rows of this aspect")?;
        within(OF, "bandwidth", self.bandwidth, [0.01 * self.rate, self.rate], "at least a hundredth of the rate and at most the rate")?;
        within(OF, "coherence", self.coherence, [0.0, 1e3], "0 to 1000")?;
        within(OF, "fraction", self.fraction, [0.0, 1.0], "0 to 1")?;
        within(OF, "mix", self.mix, [0.0, 1.0], "0 to 1")?;
        within(OF, "directions", self.directions as f64, [1.0, 1000.0], "1 to 1000")?;
        within(OF, "seconds", self.seconds, [self.directions as f64 / self.rate, 1e7], "at least a frame for each direction")?;
        within(OF, "speed", self.speed, [-1e3, 1e3], "a finite number")
    }

    /// Directional pink noise from a seed.
    ///
    /// # Errors
    /// Those of [`PinkNoise::check`].
    pub fn film(&self, seed: u64) -> Result<Film, Error> {
        self.check()?;
        let events = self.events(&mut ChaCha8Rng::seed_from_u64(seed));
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(1); // noise does not depend on how many events there are
        let mut pattern = Pattern::new(self, events.clone(), rng);
        let mut resample = Resample::new(pattern.cropped, [self.height, self.width]);
        let draw = move |t: usize, frame: &mut [u8]| resample.apply(&pattern.next(t), frame);
        Ok(Film::new([self.frames, self.height, self.width], self.rate, events, draw))
    }

    /// Segments of equal length, in whose middle the noise moves. A frame moves where onset < t <= offset.
    fn events(&self, rng: &mut ChaCha8Rng) -> Vec<Event> {
        let segment = self.seconds / self.directions as f64;
        let mut events = Vec::new();
        let mut order: Vec<usize> = (0..self.directions).collect();
        // first frame later than a time
        let after = |time: f64| ((time * self.rate).floor() as usize + 1).min(self.frames);
        for round in 0.. {
            order.shuffle(rng);
            for (place, direction) in order.iter().enumerate() {
                let onset = (round as f64 * self.directions as f64 + place as f64 + 0.5 - 0.5 * self.fraction) * segment;
                let offset = onset + self.fraction * segment;
                let (onset_frame, offset_frame) = (after(onset), after(offset));
                if onset_frame >= self.frames {
                    return events;
                }
                let shown = Shown::Motion { direction: *direction as f64 * 360.0 / self.directions as f64 };
                if onset_frame < offset_frame {
                    events.push(Event { onset_frame, offset_frame, onset, offset: offset.min(self.frames as f64 / self.rate), shown });
                }
            }
        }
        events
    }

    /// Weights of the filter in time, the newest frame's first.
    fn kernel(&self) -> Vec<f64> {
        let half = |scale: f64| (scale * self.rate / self.bandwidth).round().max(1.0) as usize;
        let hamming = |m: usize| (0..=2 * m).map(move |j| 0.54 - 0.46 * cos(PI * j as f64 / m as f64));
        let kernel: Vec<f64> = match self.kernel {
            Kernel::Hamming => hamming(half(1.0)).collect(),
            Kernel::HalfHamming => hamming(half(2.0)).skip(half(2.0)).collect(),
        };
        let sum: f64 = kernel.iter().sum::<f64>() * sqrt(self.bandwidth / 4.0);
        kernel.iter().map(|k| k / sum).collect()
    }
}

/// The pattern at its own size, frame after frame.
struct Pattern {
    spec: PinkNoise,
    events: Vec<Event>,
    next: usize,
    rng: ChaCha8Rng,
    kernel: Vec<f64>,
    /// Frames of noise as far back as the kernel reaches, newest first.
    noise: VecDeque<Vec<f64>>,
    size: [usize; 2],
    cropped: [usize; 2],
    /// Angular frequencies of rows and columns, radians per pixel.
    frequency: [Vec<f64>; 2],
    blur: Vec<f64>,
    /// How far everything has moved, pixels.
    shift: [f64; 2],
    plane: Plane,
}

impl Pattern {
    fn new(spec: &PinkNoise, events: Vec<Event>, mut rng: ChaCha8Rng) -> Self {
        let samples = [(spec.pattern_width as f64 / spec.aspect).round() as usize + 3, spec.pattern_width + 3];
        let size @ [rows, columns] = samples.map(|n| n * UP);
        let kernel = spec.kernel();
        let draw = |rng: &mut ChaCha8Rng| (0..samples[0] * samples[1]).map(|_| rng.sample(StandardNormal)).collect();
        let noise = (1..kernel.len()).map(|_| draw(&mut rng)).collect();
        let frequency = size.map(|n| (0..n).map(|k| TAU / n as f64 * if k < n.div_ceil(2) { k as f64 } else { k as f64 - n as f64 }).collect());
        let blur = size.map(|n| (0..n).map(|k| gaussian(k, n)).collect::<Vec<f64>>());
        let blur = (0..rows * columns).map(|i| blur[0][i / columns] * blur[1][i % columns]).collect();
        let cropped = size.map(|n| (n - 9) / 2 * 2);
        Self { spec: spec.clone(), events, next: 0, rng, kernel, noise, size, cropped, frequency, blur, shift: [0.0; 2], plane: Plane::new(size) }
    }

    fn next(&mut self, t: usize) -> Vec<u8> {
        let fresh: Vec<f64> = (0..self.size[0] * self.size[1] / (UP * UP)).map(|_| self.rng.sample(StandardNormal)).collect();
        self.noise.push_front(fresh);
        self.noise.truncate(self.kernel.len());
        let columns = self.size[1];
        let mut pixels = vec![Complex::new(0.0, 0.0); columns * self.size[0]];
        let samples = columns / UP;
        for (k, noise) in self.kernel.iter().zip(&self.noise) {
            for (i, value) in noise.iter().enumerate() {
                let (row, column) = (i / samples * UP + UP - 1, i % samples * UP + UP - 1);
                pixels[row * columns + column].re += k * value * (UP * UP) as f64;
            }
        }
        self.plane.forward(&mut pixels);
        let direction = self.direction(t);
        self.filter(&mut pixels, direction);
        self.plane.inverse(&mut pixels);
        let scale = GAIN / pixels.len() as f64;
        let pixel = |value: f64| ((value * scale + 0.5) * 255.0).round().clamp(0.0, 255.0) as u8;
        let [height, width] = self.cropped;
        (0..height).flat_map(|row| pixels[row * columns..][..width].iter().map(|v| pixel(v.re))).collect()
    }

    /// Direction of motion in frame t, radians, 0 right and pi/2 up.
    fn direction(&mut self, t: usize) -> Option<f64> {
        while self.events.get(self.next).is_some_and(|e| e.offset_frame <= t) {
            self.next += 1;
        }
        let event = self.events.get(self.next).filter(|e| e.onset_frame <= t)?;
        if let Shown::Motion { direction } = event.shown { Some(direction.to_radians()) } else { None }
    }

    /// Blurs, moves, and while there is a direction orients the spectrum; then moves on.
    fn filter(&mut self, spectrum: &mut [Complex<f64>], direction: Option<f64>) {
        let columns = self.size[1];
        let phasor = |shift: f64, f: &f64| sincos(-shift * f);
        let across: Vec<_> = self.frequency[1].iter().map(|f| phasor(self.shift[0], f)).map(|(s, c)| Complex::new(c, s)).collect();
        let down: Vec<_> = self.frequency[0].iter().map(|f| phasor(self.shift[1], f)).map(|(s, c)| Complex::new(c, s)).collect();
        for (i, value) in spectrum.iter_mut().enumerate() {
            let (row, column) = (i / columns, i % columns);
            let oriented = direction.map_or(1.0, |d| self.oriented(d, self.frequency[1][column], self.frequency[0][row]));
            *value *= across[column] * down[row] * (self.blur[i] * oriented);
        }
        if let Some(direction) = direction {
            let step = self.spec.pattern_width as f64 * self.spec.speed / self.spec.rate;
            let (s, c) = sincos(direction);
            self.shift = [self.shift[0] + step * c, self.shift[1] - step * s]; // rows run down
        }
    }

    /// How much of a spatial frequency passes while the noise moves: stripes at right angles to the direction.
    fn oriented(&self, direction: f64, fx: f64, fy: f64) -> f64 {
        let (kappa, mix) = (self.spec.coherence, if self.spec.coherence > 1.0 { self.spec.mix } else { 0.0 });
        // the laboratory counts clockwise from up: a = (90 - direction) + 90 degrees
        let angle = (atan2(fx, fy) + PI - direction).rem_euclid(PI) - FRAC_PI_2;
        let u = kappa * angle;
        let hann = if u.abs() < PI { 0.5 + 0.5 * cos(u) } else { 0.0 };
        1.0 - mix + mix * sqrt(kappa) * hann
    }
}

/// Spectrum of the blur between samples at index k of n.
fn gaussian(k: usize, n: usize) -> f64 {
    let f = TAU / n as f64 * k.min(n - k) as f64;
    exp(-0.5 * f * f * (UP * UP) as f64)
}

/// Two-dimensional Fourier transforms of one size. Without vector instructions: the same bits on every processor.
struct Plane {
    size: [usize; 2],
    forward: [Arc<dyn Fft<f64>>; 2],
    inverse: [Arc<dyn Fft<f64>>; 2],
    turned: Vec<Complex<f64>>,
}

impl Plane {
    fn new(size: [usize; 2]) -> Self {
        let mut planner = FftPlannerScalar::new();
        let forward = size.map(|n| planner.plan_fft_forward(n));
        let inverse = size.map(|n| planner.plan_fft_inverse(n));
        Self { size, forward, inverse, turned: vec![Complex::new(0.0, 0.0); size[0] * size[1]] }
    }

    fn forward(&mut self, x: &mut [Complex<f64>]) {
        let [down, across] = self.forward.clone();
        self.transform(x, &*down, &*across);
    }

    /// Not divided by the number of pixels.
    fn inverse(&mut self, x: &mut [Complex<f64>]) {
        let [down, across] = self.inverse.clone();
        self.transform(x, &*down, &*across);
    }

    fn transform(&mut self, x: &mut [Complex<f64>], down: &dyn Fft<f64>, across: &dyn Fft<f64>) {
        let [rows, columns] = self.size;
        across.process(x);
        for (i, value) in x.iter().enumerate() {
            self.turned[i % columns * rows + i / columns] = *value;
        }
        down.process(&mut self.turned);
        for (i, value) in x.iter_mut().enumerate() {
            *value = self.turned[i % columns * rows + i / columns];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_in_time_is_that_of_the_laboratory() {
        let half = PinkNoise::default().kernel();
        assert_eq!(half.len(), 16, "15 frames back at 30 Hz and 4 Hz");
        assert!((half.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(half.windows(2).all(|k| k[0] > k[1]), "the newest frame weighs most");
        assert!((half[15] / half[0] - 0.08).abs() < 1e-12);
        let whole = PinkNoise { kernel: Kernel::Hamming, bandwidth: 2.0, ..PinkNoise::default() }.kernel();
        assert_eq!(whole.len(), 31);
        assert!((whole.iter().sum::<f64>() - 2f64.sqrt()).abs() < 1e-12);
        assert!((whole[0] - whole[30]).abs() < 1e-12 && whole[15] > whole[14]);
    }

    #[test]
    fn patterns_have_the_laboratorys_sizes() {
        for (width, size) in [(72, [126, 216]), (80, [140, 240])] {
            let spec = PinkNoise { pattern_width: width, ..PinkNoise::default() };
            assert_eq!(Pattern::new(&spec, Vec::new(), ChaCha8Rng::seed_from_u64(0)).cropped, size);
        }
    }

    #[test]
    fn stripes_lie_across_the_direction_of_motion() {
        let pattern = Pattern::new(&PinkNoise::default(), Vec::new(), ChaCha8Rng::seed_from_u64(0));
        let sharp = 1.5f64.sqrt();
        for direction in [0.0, 45.0, 90.0, 200.0] {
            let (s, c) = f64::to_radians(direction).sin_cos();
            let along = pattern.oriented(direction.to_radians(), c, -s);
            let across = pattern.oriented(direction.to_radians(), s, c);
            assert!((along - sharp).abs() < 1e-9, "{direction}: {along}");
            assert!((across - sharp * (0.5 + 0.5 * (0.75 * PI).cos())).abs() < 1e-9, "{direction}: {across}");
        }
    }
}
