//! Natural-like video: a camera pans over, turns, zooms into and jumps about scenes of 1/f textures, in front of which textured
//! objects move and hide one another.
//!
//! A stand-in for natural movies where none can be had (our choice): generated, so free to share, and endless.

use crate::error::{Error, frames, within};
use crate::event::Event;
use crate::film::Film;
use crate::scene::Scene;
use crate::video::{Video, pixel};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Settings of natural-like video.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Natural {
    /// H, pixels.
    pub height: usize,
    /// W, pixels.
    pub width: usize,
    /// Frames per second, Hz.
    pub rate: f64,
    /// T.
    pub frames: usize,
    /// Mean duration of a scene, s.
    pub scene: f64,
    /// Jumps of the camera within a scene, like saccades; Hz.
    pub jumps: f64,
    /// Most objects in a scene.
    pub objects: usize,
    /// Standard deviation of pixel intensity, as a share of half the range.
    pub contrast: f32,
}

impl Default for Natural {
    fn default() -> Self {
        Self { height: 36, width: 64, rate: 30.0, frames: 300, scene: 4.0, jumps: 0.3, objects: 4, contrast: 0.42 }
    }
}

impl Natural {
    /// Whether a video can be made with these settings.
    ///
    /// # Errors
    /// The setting that is out of range.
    pub fn check(&self) -> Result<(), Error> {
        const OF: &str = "natural video";
        frames(OF, [self.frames, self.height, self.width], self.rate)?;
        within(OF, "scene", self.scene, [0.0, f64::INFINITY], "seconds, 0 or more")?;
        within(OF, "jumps", self.jumps, [0.0, f64::MAX], "a number per second, 0 or more")?;
        within(OF, "objects", self.objects as f64, [0.0, 1000.0], "0 to 1000")?;
        within(OF, "contrast", self.contrast.into(), [0.0, 10.0], "0 (grey) to 1 or so")
    }
}

/// Mean intensity of scenes, from mid-grey as a share of half the range: natural scenes have more dark than bright.
const TONE: f32 = -0.08;

/// Natural-like grey video from a seed. Settings that [`Natural::check`] refuses give frames without meaning.
pub fn natural(spec: &Natural, seed: u64) -> Video {
    drawn(spec, seed).video()
}

impl Natural {
    /// Natural-like video from a seed, frame by frame.
    ///
    /// # Errors
    /// Those of [`Natural::check`].
    pub fn film(&self, seed: u64) -> Result<Film, Error> {
        self.check()?;
        Ok(drawn(self, seed))
    }
}

fn drawn(spec: &Natural, seed: u64) -> Film {
    let spec = spec.clone();
    let (shape, rate) = ([spec.frames, spec.height, spec.width], spec.rate);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let dt = 1.0 / rate;
    let cut = dt / spec.scene.max(dt);
    let mut scene = Scene::new(spec.objects, spec.width, &mut rng);
    let mut image = vec![0.0; spec.height * spec.width];
    let draw = move |_, frame: &mut [u8]| {
        if rng.random::<f64>() < cut {
            scene = Scene::new(spec.objects, spec.width, &mut rng);
        }
        let jump = rng.random::<f64>() < spec.jumps * dt;
        scene.advance(dt as f32, jump, &mut rng);
        scene.draw(&mut image, spec.width);
        frame.iter_mut().zip(&image).for_each(|(p, v)| *p = pixel(spec.contrast * v + TONE));
    };
    Film::new(shape, rate, Event::continuous(shape[0], rate), draw)
}
