//! `striate respond`: show a twin any video.

use crate::output::{not_an_input, note, npy_bytes, say, write};
use crate::run_folder::weights_of;
use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use ndarray::{Array3, Axis, Ix2, Ix3};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use striate::import::{npy, video::read_video};
use striate::insilico::Error;
use striate::insilico::respond::{GREY, RespondOptions, fit_video, respond};
use striate::model::open::{self, Opened};
use striate::model::{Periphery, Precision, Streams};
use striate::recording::same_rate;

/// Responses of a twin to any video, frame by frame.
///
/// The video is a .npy of u8 [T,H,W], [T,H,W,C] (C 1 or 3) or [T,N,H,W], a folder or list of PNG or JPEG frames, a GIF, or anything ffmpeg
/// reads. Eye position [T,P] or [T,N,P] and behaviour [T,M] or [T,N,M] are standardised .npy of f32; left out, they are zero, the mean state. The
/// output is f32 [T,U], or [T,N,U] where the inputs have N.
#[derive(Args)]
#[command(after_help = "Example:\n  striate respond runs/mouse --video clip.npy -o responses.npy")]
pub struct Respond {
    /// Run folder or model file.
    model: PathBuf,
    /// Video.
    #[arg(long, required = true, num_args = 1..)]
    video: Vec<PathBuf>,
    /// Eye position.
    #[arg(long)]
    eye: Option<PathBuf>,
    /// Behaviour.
    #[arg(long)]
    behavior: Option<PathBuf>,
    /// What lies beside the monitor: darkness, or its edge extended.
    #[arg(long, value_enum, default_value = "dark")]
    periphery: Beside,
    /// One stream instead of the average of all.
    #[arg(long, value_name = "K")]
    stream: Option<usize>,
    /// Show frames as they are, whatever size the twin was trained on.
    #[arg(long)]
    native: bool,
    /// What products in the core are made of: f32, or bf16: faster, with responses a few thousandths off.
    #[arg(long, value_parser = crate::verbs::precision(), default_value = "f32")]
    precision: Precision,
    /// File to write; one that is there is replaced.
    #[arg(short, long)]
    output: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Beside {
    Dark,
    Extend,
}

impl Respond {
    /// Runs the verb.
    pub fn run(self) -> Result<ExitCode> {
        let weights = weights_of(&self.model)?;
        not_an_input(&self.output, self.video.iter().chain(&self.eye).chain(&self.behavior).chain([&weights]))?;
        let Opened { network, trained_on, .. } = open::load(&weights, None, None)?;
        let video = read_video(&self.video, network.config().channels)?;
        if video.turned_grey {
            note(GREY);
        }
        if let (Some(film), Some(trained_on)) = (video.rate, &trained_on)
            && !same_rate(film, trained_on.rate)
        {
            note(format!(
                "the film has {film:.2} frames per second, the network was trained at {:.2}: each frame is shown as one of its own",
                trained_on.rate
            ));
        }
        let batch = video.frames.dim().1;
        let (frames, done) = fit_video(&network, video.frames, self.native)?;
        done.into_iter().for_each(note);
        let eye = self.eye.as_deref().map(series).transpose()?;
        let behavior = self.behavior.as_deref().map(series).transpose()?;
        let batched = batch > 1 || [&eye, &behavior].into_iter().flatten().any(|(_, batched)| *batched);
        let options = RespondOptions {
            periphery: match self.periphery {
                Beside::Dark => Periphery::Dark,
                Beside::Extend => Periphery::Extend,
            },
            streams: self.stream.map_or(Streams::All, Streams::One),
            precision: self.precision,
        };
        let view = |x: &'_ Option<(Array3<f32>, bool)>| x.as_ref().map(|(x, _)| x.clone());
        let (eye, behavior) = (view(&eye), view(&behavior));
        let responses = respond(&network, frames.view(), eye.as_ref().map(|e| e.view()), behavior.as_ref().map(|b| b.view()), options);
        let responses = responses.map_err(|e| self.named(e))?;
        let (t, n, u) = responses.dim();
        let shape: Vec<u64> = if batched { vec![t as u64, n as u64, u as u64] } else { vec![t as u64, u as u64] };
        write(&self.output, &npy_bytes(&shape, responses.as_slice().unwrap_or_default())?)?;
        say(format!("{}: f32 {shape:?}", self.output.display()));
        Ok(ExitCode::SUCCESS)
    }
}

impl Respond {
    /// An error about an input, with the file the input is from.
    fn named(&self, error: Error) -> anyhow::Error {
        let file = match &error {
            Error::Length { what: "eye position", .. } => self.eye.as_ref(),
            Error::Length { what: "behaviour", .. } => self.behavior.as_ref(),
            Error::Length { what: "video", .. } => self.video.first(),
            _ => None,
        };
        let file = file.map(|file| file.display().to_string());
        match file {
            Some(file) => anyhow::Error::new(error).context(file),
            None => error.into(),
        }
    }
}

/// [T, P] or [T, N, P], and whether there was an N.
fn series(path: &Path) -> Result<(Array3<f32>, bool)> {
    let x = npy::read_f32(path)?;
    if let Some(at) = x.iter().position(|v| !v.is_finite()) {
        bail!("{}: value {at} is not finite; replace missing samples by 0, the mean", path.display());
    }
    let shape = x.shape().to_vec();
    match shape.len() {
        2 => Ok((x.into_dimensionality::<Ix2>()?.insert_axis(Axis(1)), false)),
        3 => Ok((x.into_dimensionality::<Ix3>()?, true)),
        _ => bail!("{}: has shape {shape:?}, expected [T, P] or [T, N, P]", path.display()),
    }
}
