//! Bench: how long a network takes to respond and to train on this machine, on random video.

use crate::error::Error;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::time::{Duration, Instant};
use striate_model::objective::Targets;
use striate_model::{Clip, Draws, Modules, Network, Periphery, Pixels, Precision, Streams};
use striate_training::{Preset, optimizer::SgdClip};

/// Times of repeated runs.
#[derive(Clone, Debug)]
pub struct Times {
    /// One entry per repeat, sorted.
    sorted: Vec<Duration>,
    /// Multiply-adds of one repeat.
    pub multiply_adds: usize,
}

impl Times {
    fn new(mut times: Vec<Duration>, multiply_adds: usize) -> Self {
        times.sort();
        Self { sorted: times, multiply_adds }
    }

    /// Repeats the work: at least `least` times, and on until `budget` is spent.
    pub fn measure(least: usize, budget: Duration, multiply_adds: usize, mut work: impl FnMut() -> Result<(), Error>) -> Result<Self, Error> {
        let (began, mut times) = (Instant::now(), Vec::new());
        while times.len() < least.max(1) || began.elapsed() < budget {
            let start = Instant::now();
            work()?;
            times.push(start.elapsed());
        }
        Ok(Self::new(times, multiply_adds))
    }

    /// Number of repeats.
    pub fn repeats(&self) -> usize {
        self.sorted.len()
    }

    /// Fastest, median and slowest, seconds.
    pub fn spread(&self) -> [f64; 3] {
        [self.sorted[0], self.sorted[self.sorted.len() / 2], self.sorted[self.sorted.len() - 1]].map(|d| d.as_secs_f64())
    }

    /// Multiply-adds per second at the median.
    pub fn rate(&self) -> f64 {
        self.multiply_adds as f64 / self.spread()[1]
    }
}

/// Random video and traces of `frames` x `batch` at a size.
struct Random {
    video: Vec<u8>,
    eye: Vec<f32>,
    behavior: Vec<f32>,
    responses: Vec<f32>,
    size: [usize; 2],
}

impl Random {
    fn new(network: &Network, size: [usize; 2], count: usize) -> Self {
        let (config, mut rng) = (network.config(), ChaCha8Rng::seed_from_u64(0));
        let mut series = |width: usize| (0..count * width).map(|_| rng.random_range(-1.0..1.0f32)).collect::<Vec<_>>();
        let (eye, behavior) = (series(config.eye_features), series(config.behavior_features));
        let responses = series(config.units).iter().map(|r| r.abs()).collect();
        let video = (0..count * size[0] * size[1] * config.channels).map(|_| rng.random()).collect();
        Self { video, eye, behavior, responses, size }
    }

    /// One of `count` frames.
    fn frame(&self, frame: usize, count: usize) -> Clip<'_> {
        fn part<T>(x: &[T], frame: usize, count: usize) -> &[T] {
            &x[frame * x.len() / count..][..x.len() / count]
        }
        let [eye, behavior] = [&self.eye, &self.behavior].map(|x| part(x, frame, count));
        Clip { video: Pixels::U8(part(&self.video, frame, count)), eye, behavior, ..self.clip() }
    }

    fn clip(&self) -> Clip<'_> {
        Clip { video: Pixels::U8(&self.video), size: self.size, eye: &self.eye, behavior: &self.behavior, periphery: Periphery::Dark }
    }
}

/// Responding, all streams, one frame of `batch` videos at a time.
pub fn respond(network: &Network, size: [usize; 2], batch: usize, precision: Precision, budget: Duration) -> Result<Times, Error> {
    const WARM: usize = 3; // frames until caches and memory have settled
    let random = Random::new(network, size, batch);
    let (mut run, mut responses) = (network.begin(batch, Streams::All, Draws::none())?.in_precision(precision)?, Vec::new());
    for _ in 0..WARM {
        run.step_into(&random.clip(), &mut responses)?;
    }
    let work = network.work().total() * network.config().streams * batch;
    Times::measure(10, budget, work, || Ok(run.step_into(&random.clip(), &mut responses)?))
}

/// How far the core's maps in some precision are from those in f32, over two seconds of random video: root mean square, relative to their
/// size. Not responses: those of a network that has not been trained do not vary.
pub fn error(network: &Network, size: [usize; 2], precision: Precision) -> Result<f64, Error> {
    const FRAMES: usize = 60;
    let random = Random::new(network, size, FRAMES);
    let begin = |precision| network.begin(1, Streams::All, Draws::none())?.in_precision(precision);
    let (mut exact, mut other) = (begin(Precision::F32)?, begin(precision)?);
    let (mut off, mut whole) = (0.0, 0.0);
    for frame in 0..FRAMES {
        let clip = random.frame(frame, FRAMES);
        let (exact, other) = (exact.step_with_taps(&clip)?.1.recurrent, other.step_with_taps(&clip)?.1.recurrent);
        for (exact, other) in exact.iter().flatten().zip(other.iter().flatten()) {
            off += f64::from(exact - other).powi(2);
            whole += f64::from(*exact).powi(2);
        }
    }
    Ok((off / whole).sqrt())
}

/// From nothing prepared to the first response: weights normalised and packed, one frame of one video.
pub fn first_response(network: &Network, size: [usize; 2], precision: Precision) -> Result<Times, Error> {
    let random = Random::new(network, size, 1);
    Times::measure(3, Duration::ZERO, network.work().total() * network.config().streams, || {
        let mut run = network.begin(1, Streams::All, Draws::none())?.in_precision(precision)?;
        Ok(run.step(&random.clip()).map(drop)?)
    })
}

/// Training steps of the preset: objective, every gradient, optimizer; one stream, what is frozen left alone. The first step is not counted.
/// The multiply-adds are those of a network of which nothing is frozen: what a transfer saves shows as speed.
pub fn train(
    network: &mut Network,
    preset: &Preset,
    frozen: Option<&Modules>,
    size: [usize; 2],
    repeats: usize,
    budget: Duration,
) -> Result<Times, Error> {
    let (batch, frames) = (preset.loader.batch_size, preset.loader.sample_size);
    let random = Random::new(network, size, batch * frames);
    if let Some(frozen) = frozen {
        network.freeze(frozen);
    }
    let mut optimizer = SgdClip::new(preset.optimizer.clone(), network.params());
    let mut step = || -> Result<(), Error> {
        let draws = Draws::sample(network.config(), batch, 0);
        let draws = if let Some(frozen) = frozen { draws.sparing(frozen) } else { draws };
        let targets = Targets { responses: &random.responses, burnin: preset.objective.burnin_frames };
        let (_, gradients, _) = network.objective(&random.clip(), &targets, batch, 0, draws, false)?;
        optimizer.step(network.params_mut(), &gradients, preset.optimizer.lr);
        Ok(())
    };
    step()?;
    let work = 3 * batch * frames; // forward, gradient of the input, gradient of the weights
    let times = Times::measure(repeats, budget, 0, step)?;
    Ok(Times { multiply_adds: work * network.work().total(), ..times })
}
