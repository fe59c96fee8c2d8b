//! Every stimulus there is, by name.

use crate::bar::Bars;
use crate::checks::{SparseNoise, WhiteNoise};
use crate::dot::Dots;
use crate::error::Error;
use crate::film::Film;
use crate::gabor::Gabors;
use crate::grating::Gratings;
use crate::kinematogram::Kinematogram;
use crate::natural::Natural;
use crate::noise::Noise;
use crate::picture::{Picture, Pictures};
use crate::pink_noise::PinkNoise;
use crate::trippy::Trippy;
use crate::uniform::{Chirp, Steps};
use serde::{Deserialize, Serialize};

/// A stimulus and its settings; a table of settings says which in `stimulus`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "stimulus", rename_all = "kebab-case")]
#[allow(missing_docs)] // each is what its settings say
pub enum Stimulus {
    PinkNoise(PinkNoise),
    Trippy(Trippy),
    Gabors(Gabors),
    Dots(Dots),
    Kinematogram(Kinematogram),
    Pictures(Pictures),
    Gratings(Gratings),
    SparseNoise(SparseNoise),
    WhiteNoise(WhiteNoise),
    Chirp(Chirp),
    Steps(Steps),
    Bars(Bars),
    Natural(Natural),
    SmoothNoise(Noise),
}

impl Stimulus {
    /// Each with its default settings, in frames of 144 x 256.
    pub fn all() -> Vec<Self> {
        let (height, width) = (144, 256);
        vec![
            Self::PinkNoise(PinkNoise::default()),
            Self::Trippy(Trippy::default()),
            Self::Gabors(Gabors::default()),
            Self::Dots(Dots::default()),
            Self::Kinematogram(Kinematogram::default()),
            Self::Pictures(Pictures::default()),
            Self::Gratings(Gratings::default()),
            Self::SparseNoise(SparseNoise::default()),
            Self::WhiteNoise(WhiteNoise::default()),
            Self::Chirp(Chirp::default()),
            Self::Steps(Steps::default()),
            Self::Bars(Bars::default()),
            Self::Natural(Natural { height, width, ..Natural::default() }),
            Self::SmoothNoise(Noise { height, width, blur: 6.0, ..Noise::default() }),
        ]
    }

    /// Name, as in a table of settings.
    pub fn name(&self) -> &'static str {
        self.described().0
    }

    /// What it is, in a line.
    pub fn about(&self) -> &'static str {
        self.described().1
    }

    fn described(&self) -> (&'static str, &'static str) {
        match self {
            Self::PinkNoise(_) => ("pink-noise", "directional pink noise (Monet2): noise that moves now and then; direction tuning"),
            Self::Trippy(_) => ("trippy", "cosine of smooth random phase: stripes of all directions that wander"),
            Self::Gabors(_) => ("gabors", "drifting Gabors of random place, direction, phase and frequencies"),
            Self::Dots(_) => ("dots", "flashing Gaussian dots, white and black, on a grid; receptive fields"),
            Self::Kinematogram(_) => ("kinematogram", "random dots in translation, radial motion and rotation, of some coherence"),
            Self::Pictures(_) => ("pictures", "natural images, or any, with grey between"),
            Self::Gratings(_) => ("gratings", "drifting or still gratings: direction, frequency, contrast and size tuning, plaids, surrounds"),
            Self::SparseNoise(_) => ("sparse-noise", "a few white and black spots at a time"),
            Self::WhiteNoise(_) => ("white-noise", "checks, each at random"),
            Self::Chirp(_) => ("chirp", "uniform field: on, off, a sweep of frequency, a sweep of contrast"),
            Self::Steps(_) => ("steps", "uniform field: steps of luminance"),
            Self::Bars(_) => ("bars", "bars that sweep over the monitor"),
            Self::Natural(_) => ("natural", "generated natural-like video: a camera before moving, textured objects"),
            Self::SmoothNoise(_) => ("smooth-noise", "Gaussian noise, smooth in space and time"),
        }
    }

    /// Whether a video can be made with these settings.
    ///
    /// # Errors
    /// The setting that is out of range.
    pub fn check(&self) -> Result<(), Error> {
        match self {
            Self::PinkNoise(s) => s.check(),
            Self::Trippy(s) => s.check(),
            Self::Gabors(s) => s.check(),
            Self::Dots(s) => s.check(),
            Self::Kinematogram(s) => s.check(),
            Self::Pictures(s) => s.check(),
            Self::Gratings(s) => s.check(),
            Self::SparseNoise(s) => s.check(),
            Self::WhiteNoise(s) => s.check(),
            Self::Chirp(s) => s.check(),
            Self::Steps(s) => s.check(),
            Self::Bars(s) => s.check(),
            Self::Natural(s) => s.check(),
            Self::SmoothNoise(s) => s.check(),
        }
    }

    /// The stimulus, frame by frame. `pictures` are those that [`Stimulus::Pictures`] shows; the others show none.
    ///
    /// # Errors
    /// A setting that is out of range; pictures that are missing or of another size.
    pub fn film(&self, pictures: Vec<Picture>, seed: u64) -> Result<Film, Error> {
        match self {
            Self::PinkNoise(s) => s.film(seed),
            Self::Trippy(s) => s.film(seed),
            Self::Gabors(s) => s.film(seed),
            Self::Dots(s) => s.film(seed),
            Self::Kinematogram(s) => s.film(seed),
            Self::Pictures(s) => s.film(pictures, seed),
            Self::Gratings(s) => s.film(seed),
            Self::SparseNoise(s) => s.film(seed),
            Self::WhiteNoise(s) => s.film(seed),
            Self::Chirp(s) => s.film(),
            Self::Steps(s) => s.film(seed),
            Self::Bars(s) => s.film(seed),
            Self::Natural(s) => s.film(seed),
            Self::SmoothNoise(s) => s.film(seed),
        }
    }
}
