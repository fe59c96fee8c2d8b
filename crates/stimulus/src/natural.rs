//! Natural-like video: moving, turning and zooming 1/f textures, objects that move and occlude, and cuts between scenes.
//!
//! A stand-in for natural movies where none can be had: generated, so free to share, and endless.

use crate::texture::Texture;
use crate::video::{Video, pixel};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
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
    /// Most objects in a scene.
    pub objects: usize,
    /// Standard deviation of pixel intensity, as a share of half the range.
    pub contrast: f32,
}

impl Default for Natural {
    fn default() -> Self {
        Self { height: 36, width: 64, rate: 30.0, frames: 300, scene: 3.0, objects: 4, contrast: 0.45 }
    }
}

const SIZE: usize = 128; // samples of a texture; larger than a frame is wide

/// Something textured that moves: the background, or an object in front of it.
struct Layer {
    texture: Texture,
    /// Semi-axes in frame widths; infinite for the background.
    axes: [f32; 2],
    tone: f32,
    place: [f32; 2],
    velocity: [f32; 2],
    angle: f32,
    turn: f32,
    zoom: f32,
    growth: f32,
}

impl Layer {
    fn new(background: bool, rng: &mut ChaCha8Rng) -> Self {
        let mut normal = || rng.sample::<f32, _>(StandardNormal);
        // frame widths per second; objects move faster than the scene behind them
        let speed = if background { 0.12 } else { 0.3 };
        let velocity = [speed * normal(), speed * normal()];
        let (turn, growth, tone) = (0.3 * normal(), 0.1 * normal(), if background { 0.0 } else { 0.8 * normal() });
        let axes = if background { [f32::INFINITY; 2] } else { [rng.random_range(0.06..0.22), rng.random_range(0.06..0.22)] };
        let place = [rng.random_range(-0.5..0.5), rng.random_range(-0.3..0.3)];
        let angle = rng.random_range(0.0..std::f32::consts::TAU);
        let slope = rng.random_range(0.9..1.2);
        Self { texture: Texture::new(SIZE, slope, rng), axes, tone, place, velocity, angle, turn, zoom: rng.random_range(0.7..1.4), growth }
    }

    fn advance(&mut self, dt: f32, rng: &mut ChaCha8Rng) {
        for k in 0..2 {
            self.velocity[k] += 0.5 * dt.sqrt() * 0.2 * rng.sample::<f32, _>(StandardNormal);
            self.velocity[k] *= 1.0 - 0.2 * dt;
            self.place[k] += self.velocity[k] * dt;
        }
        self.angle += self.turn * dt;
        self.zoom = (self.zoom * (1.0 + self.growth * dt)).clamp(0.4, 2.5);
        if self.axes[0].is_finite() {
            self.place[0] = wrap(self.place[0], 0.75);
            self.place[1] = wrap(self.place[1], 0.55);
        }
    }

    /// Opacity and value at a point of the frame, in frame widths from its middle.
    fn look(&self, x: f32, y: f32, samples: f32) -> (f32, f32) {
        let (dx, dy) = (x - self.place[0], y - self.place[1]);
        let (s, c) = self.angle.sin_cos();
        let (u, v) = (c * dx + s * dy, c * dy - s * dx);
        let opacity = if self.axes[0].is_finite() {
            let r = ((u / self.axes[0]).powi(2) + (v / self.axes[1]).powi(2)).sqrt();
            ((1.0 - r) * 8.0 + 0.5).clamp(0.0, 1.0)
        } else {
            1.0
        };
        if opacity == 0.0 {
            return (0.0, 0.0);
        }
        (opacity, self.tone + self.texture.at(u * samples / self.zoom, v * samples / self.zoom))
    }
}

/// Objects that leave on one side come back on the other.
fn wrap(x: f32, half: f32) -> f32 {
    (x + half).rem_euclid(2.0 * half) - half
}

/// Natural-like grey video from a seed.
pub fn natural(spec: &Natural, seed: u64) -> Video {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let dt = (1.0 / spec.rate) as f32;
    let cut = f64::from(dt) / spec.scene.max(f64::from(dt));
    let mut layers = scene(spec, &mut rng);
    let mut pixels = Vec::with_capacity(spec.frames * spec.height * spec.width);
    for _ in 0..spec.frames {
        if rng.random::<f64>() < cut {
            layers = scene(spec, &mut rng);
        }
        layers.iter_mut().for_each(|layer| layer.advance(dt, &mut rng));
        draw(spec, &layers, &mut pixels);
    }
    Video::new(pixels, [spec.frames, spec.height, spec.width, 1], spec.rate)
}

fn scene(spec: &Natural, rng: &mut ChaCha8Rng) -> Vec<Layer> {
    let objects = rng.random_range(0..=spec.objects);
    (0..=objects).map(|i| Layer::new(i == 0, rng)).collect()
}

fn draw(spec: &Natural, layers: &[Layer], pixels: &mut Vec<u8>) {
    let (w, h) = (spec.width as f32, spec.height as f32);
    for row in 0..spec.height {
        for column in 0..spec.width {
            let (x, y) = ((column as f32 + 0.5 - w / 2.0) / w, (row as f32 + 0.5 - h / 2.0) / w);
            let mut value = 0.0;
            for layer in layers {
                let (opacity, own) = layer.look(x, y, w);
                value += opacity * (own - value);
            }
            pixels.push(pixel(spec.contrast * value - 0.08));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn correlation(a: &[u8], b: &[u8]) -> f64 {
        let mean = |x: &[u8]| x.iter().map(|v| f64::from(*v)).sum::<f64>() / x.len() as f64;
        let (ma, mb) = (mean(a), mean(b));
        let dot = |x: &[u8], mx: f64, y: &[u8], my: f64| x.iter().zip(y).map(|(p, q)| (f64::from(*p) - mx) * (f64::from(*q) - my)).sum::<f64>();
        dot(a, ma, b, mb) / (dot(a, ma, a, ma) * dot(b, mb, b, mb)).sqrt()
    }

    #[test]
    fn a_seed_is_a_video() {
        let spec = Natural { frames: 20, ..Natural::default() };
        assert_eq!(natural(&spec, 3), natural(&spec, 3));
        assert_ne!(natural(&spec, 3), natural(&spec, 4));
    }

    #[test]
    fn luminance_and_contrast_are_those_of_scenes() {
        let all: Vec<f64> = (0..8).flat_map(|s| natural(&Natural { frames: 60, ..Natural::default() }, s).pixels().to_vec()).map(f64::from).collect();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        let sd = (all.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / all.len() as f64).sqrt();
        assert!((95.0..140.0).contains(&mean) && (35.0..75.0).contains(&sd), "mean {mean}, sd {sd}");
    }

    #[test]
    fn neighbouring_frames_are_alike_and_move() {
        let video = natural(&Natural { scene: 1e9, ..Natural::default() }, 5);
        let near: f64 = (0..250).map(|t| correlation(video.frame(t), video.frame(t + 1))).sum::<f64>() / 250.0;
        let far: f64 = (0..250).map(|t| correlation(video.frame(t), video.frame(t + 30))).sum::<f64>() / 250.0;
        assert!(near > 0.85 && near < 0.9999 && far < near - 0.2, "near {near}, far {far}");
    }

    #[test]
    fn power_falls_with_frequency_as_in_scenes() {
        // mean squared difference at distance d grows as for a 1/f^2 power spectrum: about log d, far from white noise's constant
        let spec = Natural { height: 64, width: 128, frames: 1, objects: 0, ..Natural::default() };
        let mut steps = [0.0; 3];
        for seed in 0..20 {
            let video = natural(&spec, seed);
            let frame = video.frame(0);
            for (k, d) in [1, 4, 16].into_iter().enumerate() {
                steps[k] += (0..64)
                    .flat_map(|y| (0..100).map(move |x| y * 128 + x))
                    .map(|i| (f64::from(frame[i]) - f64::from(frame[i + d])).powi(2))
                    .sum::<f64>();
            }
        }
        assert!(steps[1] / steps[0] > 1.8 && steps[2] / steps[1] > 1.15 && steps[2] / steps[0] < 40.0, "{steps:?}");
    }
}
