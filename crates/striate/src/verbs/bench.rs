//! `striate bench`: how fast this machine is, and what share of its peak is reached.

use crate::output::{say, say_json, table};
use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::process::ExitCode;
use std::time::Duration;
use striate::insilico::bench::{self, Times};
use striate::model::{Modules, work::Layer};
use striate::model::{Network, NetworkConfig, Precision};
use striate::training::Preset;
use striate_kernels::conv::{self, ConvShape, Extent};
use striate_kernels::{peak, simd};

/// Measure responding, training and single kernels on this machine, beside the machine's own peak.
///
/// Weights and video are random: speed does not depend on them. Run it with nothing else running.
#[derive(Args)]
#[command(after_help = "Example:\n  striate bench respond --preset published --units 8000 --seconds 20")]
pub struct Bench {
    /// What to measure.
    #[arg(value_enum, default_value_t = What::Respond)]
    what: What,
    /// Settings: paper, published, small, tiny, or a file.
    #[arg(long, default_value = "published")]
    preset: String,
    /// Settings to change, key=value.
    overrides: Vec<String>,
    /// Neurons.
    #[arg(long, default_value_t = 8000)]
    units: usize,
    /// Videos shown side by side (respond).
    #[arg(long, default_value_t = 1)]
    batch: usize,
    /// What products in the core are made of, f32 or bf16 (respond, and the forward passes of kernels).
    #[arg(long, value_parser = crate::verbs::precision(), default_value = "f32")]
    precision: Precision,
    /// Size of the video.
    #[arg(long, value_name = "HxW", default_value = "144x256", value_parser = crate::verbs::import::size)]
    size: [usize; 2],
    /// Modules that are frozen, as in a transfer (train).
    #[arg(long, value_name = "MODULES")]
    frozen: Option<Modules>,
    /// Least time to measure each figure for, seconds.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Print everything as JSON.
    #[arg(long)]
    json: bool,
}

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// One frame at a time, all streams.
    Respond,
    /// A training step of the preset's clips, one stream.
    Train,
    /// Each convolution of the core.
    Kernels,
}

/// One measured figure.
#[derive(Serialize)]
struct Figure {
    what: String,
    repeats: usize,
    fastest_ms: f64,
    median_ms: f64,
    slowest_ms: f64,
    gflops: f64,
    share_of_peak: f64,
}

impl Figure {
    /// `per` figures share the time of one repeat.
    fn new(what: impl Into<String>, times: &Times, per: usize, peak: f64) -> Self {
        let [fastest_ms, median_ms, slowest_ms] = times.spread().map(|s| 1e3 * s / per as f64);
        let (gflops, share_of_peak) = (2e-9 * times.rate(), times.rate() / peak);
        Self { what: what.into(), repeats: times.repeats(), fastest_ms, median_ms, slowest_ms, gflops, share_of_peak }
    }
}

/// All that one call measures.
#[derive(Serialize)]
struct Measured {
    tier: String,
    threads: usize,
    peak_gflops: f64,
    /// Of bf16 products with f32 sums, where the processor's vectors have them.
    peak_bf16_gflops: Option<f64>,
    peak_memory_gb: Option<f64>,
    figures: Vec<Figure>,
    /// What one more neuron costs a frame (respond, with two neurons or more).
    microseconds_per_unit: Option<f64>,
    /// Of the core's maps against those in f32, relative root mean square (respond, in another precision).
    error: Option<f64>,
}

impl Bench {
    /// Runs the verb.
    pub fn run(self) -> Result<ExitCode> {
        if self.batch == 0 || !(0.0..=3600.0).contains(&self.seconds) {
            bail!("--batch must be at least 1 and --seconds between 0 and 3600; got {} and {}", self.batch, self.seconds);
        }
        if self.what == What::Train && self.precision != Precision::F32 {
            bail!("--precision {}: training is in f32; leave it out", self.precision.name());
        }
        let precision = self.precision.here()?;
        let preset = Preset::load(&self.preset, &self.overrides)?;
        let config = NetworkConfig { units: self.units, ..preset.model.clone() };
        let mut network = Network::new(config, 0)?;
        let (budget, peak) = (Duration::from_secs_f64(self.seconds), peak::multiply_adds_per_second());
        let (mut microseconds_per_unit, mut error) = (None, None);
        let figures = match self.what {
            What::Respond => {
                let steady = bench::respond(&network, self.size, self.batch, precision, budget)?;
                microseconds_per_unit = self.microseconds_per_unit(&network, &steady, budget)?;
                let first = bench::first_response(&network, self.size, precision)?;
                let what = format!("one frame of {} video{}", self.batch, if self.batch == 1 { "" } else { "s" });
                vec![
                    Figure::new(what, &steady, 1, peak),
                    Figure::new("the same, per video", &steady, self.batch, peak),
                    Figure::new("first response, weights in memory", &first, 1, peak),
                ]
            }
            What::Train => {
                let times = bench::train(&mut network, &preset, self.frozen.as_ref(), self.size, 3, budget)?;
                let around = self.frozen.as_ref().map_or_else(String::new, |frozen| format!(" around a frozen {frozen}"));
                let what = format!("step of {} clips of {} frames{around}", preset.loader.batch_size, preset.loader.sample_size);
                vec![Figure::new(what, &times, 1, peak)]
            }
            What::Kernels => kernels(&network.layers(), precision, budget, peak)?,
        };
        let tier = format!("{:?}", simd::tier()).to_lowercase();
        let threads = rayon::current_num_threads();
        let peak_bf16_gflops = peak::bf16_multiply_adds_per_second().map(|rate| 2e-9 * rate);
        let peak_memory_gb = peak_memory(); // before the network runs in f32 too
        if self.what == What::Respond && precision != Precision::F32 {
            error = Some(bench::error(&network, self.size, precision)?);
        }
        self.print(&Measured { tier, threads, peak_gflops: 2e-9 * peak, peak_bf16_gflops, peak_memory_gb, figures, microseconds_per_unit, error })?;
        Ok(ExitCode::SUCCESS)
    }

    /// Slope between the network and one of half its neurons, at each one's fastest frame: nothing else differs between them.
    fn microseconds_per_unit(&self, network: &Network, whole: &Times, budget: Duration) -> Result<Option<f64>> {
        let half = self.units / 2;
        if half == 0 {
            return Ok(None);
        }
        let fewer = Network::new(NetworkConfig { units: half, ..network.config().clone() }, 0)?;
        let fewer = bench::respond(&fewer, self.size, self.batch, self.precision, budget)?;
        let seconds = whole.spread()[0] - fewer.spread()[0];
        Ok(Some(1e6 * seconds / ((self.units - half) * self.batch) as f64))
    }

    fn print(&self, measured: &Measured) -> Result<()> {
        if self.json {
            return say_json(measured);
        }
        let Measured { tier, threads, peak_gflops, peak_bf16_gflops, peak_memory_gb, figures, microseconds_per_unit, error } = measured;
        let plural = if *threads == 1 { "" } else { "s" };
        let bf16 = peak_bf16_gflops.map_or_else(String::new, |peak| format!(" and {peak:.0} of bf16"));
        say(format!(
            "tier {tier}, {threads} thread{plural}, products in {}, peak {peak_gflops:.0} GFLOP/s of f32{bf16}; preset {}, {} units",
            self.precision.name(),
            self.preset,
            self.units
        ));
        let rows = figures.iter().map(|f| {
            let ms = [f.median_ms, f.fastest_ms, f.slowest_ms].map(|t| format!("{t:.2}"));
            let share = [format!("{:.0}", f.gflops), format!("{:.0} %", 100.0 * f.share_of_peak), f.repeats.to_string()];
            std::iter::once(f.what.clone()).chain(ms).chain(share).collect()
        });
        say(table(&["", "median ms", "fastest", "slowest", "GFLOP/s", "of peak", "repeats"], rows.collect(), 1));
        if let Some(cost) = microseconds_per_unit {
            say(format!("one more unit costs {cost:.3} us a frame ({} units against {})", self.units, self.units / 2));
        }
        if let Some(error) = error {
            say(format!("the core's maps in {} are {:.2} % of their size from those in f32", self.precision.name(), 100.0 * error));
        }
        if let Some(gb) = peak_memory_gb {
            say(format!("peak memory {gb:.2} GB"));
        }
        Ok(())
    }
}

/// Frames that a kernel is timed on.
const FRAMES: usize = 8;

/// Forward pass, input gradient and weight gradient of every convolution.
fn kernels(layers: &[Layer], precision: Precision, budget: Duration, peak: f64) -> Result<Vec<Figure>> {
    let each = budget / (3 * layers.len().max(1)) as u32;
    let mut figures = Vec::new();
    for layer in layers {
        let s = &layer.shape;
        let [height, width] = layer.size.map(|n| (n - 1) * s.stride + s.k); // padded
        let e = Extent { frames: FRAMES, batch: 1, height, width };
        let x = values(s.input_frames(&e) * height * width * s.channels_in());
        let (weights, dy) = (values(s.weights()), values(FRAMES * layer.size[0] * layer.size[1] * s.channels_out()));
        let work = FRAMES * layer.multiply_adds();
        let mut measure = |what: &str, run: &mut dyn FnMut()| -> Result<()> {
            let times = Times::measure(3, each, work, || {
                run();
                Ok(())
            })?;
            figures.push(Figure::new(format!("{} {what}", layer.name), &times, FRAMES, peak));
            Ok(())
        };
        let (packed, mut out) = (conv::pack_in(precision, s, &weights), vec![0.0; dy.len()]);
        measure("forward", &mut || conv::forward(s, &e, &x, &packed, None, &mut out, false))?;
        measure("weight gradient", &mut || drop(std::hint::black_box(conv::weight_gradient(s, &e, &x, &dy))))?;
        if s.stride == 1 {
            let (e, packed) = (transposed(s, layer.size), conv::pack_transposed(s, &weights));
            let dy = values(s.input_frames(&e) * e.height * e.width * s.channels_out());
            let mut dx = vec![0.0; FRAMES * layer.size[0] * layer.size[1] * s.channels_in()];
            measure("input gradient", &mut || conv::input_gradient(s, &e, &dy, &packed, &mut dx, false))?;
        }
    }
    Ok(figures)
}

/// Frames of the padded output gradient.
fn transposed(s: &ConvShape, [height, width]: [usize; 2]) -> Extent {
    Extent { frames: FRAMES, batch: 1, height: height + s.k - 1, width: width + s.k - 1 }
}

fn values(n: usize) -> Vec<f32> {
    (0..n).map(|i| (i % 17) as f32 / 17.0 - 0.5).collect()
}

/// Most memory the process has held, GB, where the system tells.
pub fn peak_memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? * 1024e-9)
}
