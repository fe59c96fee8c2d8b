//! A scene: a background, objects in front of it, and the camera that looks at them.

use crate::texture::Texture;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use std::f32::consts::TAU;

/// Everything in front of the camera between two cuts. Lengths are in frame widths, x right, y down.
pub(crate) struct Scene {
    camera: Camera,
    /// The background first, then what is in front of it, nearest last.
    layers: Vec<Layer>,
}

/// Pans, turns and zooms smoothly, and sometimes jumps to look elsewhere.
struct Camera {
    place: [f32; 2],
    velocity: [f32; 2],
    roll: f32,
    spin: f32,
    /// Logarithm of frame widths of the world in a frame width.
    zoom: f32,
    growth: f32,
}

/// Something textured: the background, or an object.
struct Layer {
    /// None: the background, everywhere.
    outline: Option<Outline>,
    texture: Texture,
    /// Mean luminance beside the background's, in its standard deviations.
    tone: f32,
    /// How much of the camera's pan it shows: nearer layers more.
    depth: f32,
    place: [f32; 2],
    velocity: [f32; 2],
    angle: f32,
    turn: f32,
}

enum Outline {
    /// One over the semi-axes.
    Ellipse([f32; 2]),
    /// Normals of the edges, each over the edge's distance from the middle.
    Polygon(Vec<[f32; 2]>),
}

impl Outline {
    fn new(rng: &mut ChaCha8Rng) -> Self {
        if rng.random::<bool>() {
            return Self::Ellipse([1.0 / rng.random_range(0.06..0.22), 1.0 / rng.random_range(0.06..0.22)]);
        }
        let edges = rng.random_range(3..=6);
        let normal = |edge: usize| {
            // never half a turn between two edges, so that the polygon closes
            let (s, c) = ((edge as f32 + rng.random_range(-0.12..0.12)) * TAU / edges as f32).sin_cos();
            let distance = rng.random_range(0.06..0.18);
            [c / distance, s / distance]
        };
        Self::Polygon((0..edges).map(normal).collect())
    }

    /// Distance from the middle as a share of the outline's in that direction: below 1 inside.
    fn reach(&self, u: f32, v: f32) -> f32 {
        match self {
            Self::Ellipse([a, b]) => ((u * a).powi(2) + (v * b).powi(2)).sqrt(),
            Self::Polygon(edges) => edges.iter().fold(0.0, |reach, [a, b]| reach.max(u * a + v * b)),
        }
    }
}

impl Layer {
    fn new(background: bool, size: usize, rng: &mut ChaCha8Rng) -> Self {
        let mut normal = |sd: f32| sd * rng.sample::<f32, _>(StandardNormal);
        let velocity = if background { [0.0; 2] } else { [normal(0.2), normal(0.2)] };
        let (turn, tone) = if background { (0.0, 0.0) } else { (normal(0.5), normal(0.8)) };
        Self {
            outline: (!background).then(|| Outline::new(rng)),
            // objects are smaller than half a frame
            texture: Texture::new(if background { size } else { size / 2 }, rng.random_range(0.9..1.15), rng),
            tone,
            depth: if background { 1.0 } else { rng.random_range(1.0..1.6) },
            place: [rng.random_range(-0.6..0.6), rng.random_range(-0.4..0.4)],
            velocity,
            angle: rng.random_range(0.0..TAU),
            turn,
        }
    }

    fn advance(&mut self, dt: f32, rng: &mut ChaCha8Rng) {
        if self.outline.is_some() {
            wander(&mut self.velocity, 0.2, 2.0, dt, rng);
            (0..2).for_each(|k| self.place[k] += self.velocity[k] * dt);
            self.angle += self.turn * dt;
        }
    }
}

impl Camera {
    fn new(rng: &mut ChaCha8Rng) -> Self {
        let mut normal = |sd: f32| sd * rng.sample::<f32, _>(StandardNormal);
        let (velocity, roll, spin, growth) = ([normal(0.25), normal(0.15)], normal(0.3), normal(0.2), normal(0.15));
        Self { place: [0.0; 2], velocity, roll, spin, zoom: rng.random_range(-0.7..0.1), growth }
    }

    fn advance(&mut self, dt: f32, jump: bool, rng: &mut ChaCha8Rng) {
        wander(&mut self.velocity, 0.22, 1.5, dt, rng);
        (0..2).for_each(|k| self.place[k] += self.velocity[k] * dt);
        if jump {
            self.place[0] += 0.25 * rng.sample::<f32, _>(StandardNormal);
            self.place[1] += 0.12 * rng.sample::<f32, _>(StandardNormal);
        }
        self.roll += self.spin * dt;
        self.zoom += self.growth * dt;
        // turns round before single samples of the textures are seen, or more of them than there are pixels
        if self.zoom < -0.9 {
            self.growth = self.growth.abs();
        } else if self.zoom > 0.15 {
            self.growth = -self.growth.abs();
        }
    }
}

/// Smooth random change of a velocity, of standard deviation `spread` and memory of `seconds`.
fn wander(velocity: &mut [f32; 2], spread: f32, seconds: f32, dt: f32, rng: &mut ChaCha8Rng) {
    let keep = (-dt / seconds).exp();
    let fresh = spread * (1.0 - keep * keep).sqrt();
    velocity.iter_mut().for_each(|v| *v = keep * *v + fresh * rng.sample::<f32, _>(StandardNormal));
}

impl Scene {
    /// A scene of up to `objects` objects for frames `width` pixels wide.
    pub(crate) fn new(objects: usize, width: usize, rng: &mut ChaCha8Rng) -> Self {
        // twice as large as the frame, so that the repetition is rarely seen
        let size = (2 * width).next_power_of_two().clamp(64, 512);
        let count = rng.random_range(0..=objects);
        let camera = Camera::new(rng);
        Self { camera, layers: (0..=count).map(|i| Layer::new(i == 0, size, rng)).collect() }
    }

    /// Moves everything on by `dt` s; with `jump` the camera looks elsewhere at once.
    pub(crate) fn advance(&mut self, dt: f32, jump: bool, rng: &mut ChaCha8Rng) {
        self.camera.advance(dt, jump, rng);
        self.layers.iter_mut().for_each(|layer| layer.advance(dt, rng));
    }

    /// Draws luminance, about mean 0 and standard deviation 1, into an image [H, W], nearest layer last.
    pub(crate) fn draw(&self, image: &mut [f32], width: usize) {
        let (w, h) = (width as f32, (image.len() / width.max(1)) as f32);
        for layer in &self.layers {
            // from the frame's coordinates to the layer's: turned by roll and its own angle, scaled, moved
            let offset = layer.offset(&self.camera);
            let zoom = self.camera.zoom.exp();
            let (rs, rc) = (self.camera.roll - layer.angle).sin_cos();
            let (os, oc) = layer.angle.sin_cos();
            let start = [-oc * offset[0] - os * offset[1], os * offset[0] - oc * offset[1]];
            for (row, line) in image.chunks_exact_mut(width.max(1)).enumerate() {
                let y = zoom * (row as f32 + 0.5 - h / 2.0) / w;
                for (column, value) in line.iter_mut().enumerate() {
                    let x = zoom * (column as f32 + 0.5 - w / 2.0) / w;
                    layer.paint(value, start[0] + rc * x - rs * y, start[1] + rs * x + rc * y, w);
                }
            }
        }
    }
}

impl Layer {
    /// Its middle as the camera sees it. Objects that leave on one side come back on the other.
    fn offset(&self, camera: &Camera) -> [f32; 2] {
        let at = |k: usize| self.place[k] - self.depth * camera.place[k];
        if self.outline.is_none() {
            return [at(0), at(1)];
        }
        let wrap = |x: f32, half: f32| (x + half).rem_euclid(2.0 * half) - half;
        [wrap(at(0), 0.9), wrap(at(1), 0.7)]
    }

    /// Covers `value` at (u, v) from its middle with as much of itself as is there.
    fn paint(&self, value: &mut f32, u: f32, v: f32, samples: f32) {
        let opacity = match &self.outline {
            None => 1.0,
            // edges are as soft as a pixel or so
            Some(outline) => ((1.0 - outline.reach(u, v)) * 8.0 + 0.5).clamp(0.0, 1.0),
        };
        if opacity > 0.0 {
            *value += opacity * (self.tone + self.texture.at(u * samples, v * samples) - *value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn polygons_are_closed() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for _ in 0..200 {
            let outline = Outline::new(&mut rng);
            assert!(outline.reach(0.0, 0.0) < 1.0);
            for k in 0..64 {
                let (s, c) = (k as f32 * TAU / 64.0).sin_cos();
                assert!(outline.reach(2.0 * c, 2.0 * s) > 1.0, "an object larger than two frames");
            }
        }
    }

    #[test]
    fn nearer_objects_hide_what_is_behind() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut scene = Scene::new(0, 64, &mut rng);
        let mut bare = vec![0.0; 36 * 64];
        scene.draw(&mut bare, 64);
        let mut object = Layer::new(false, 128, &mut rng);
        (object.tone, object.place, object.outline) = (50.0, [0.0; 2], Some(Outline::Ellipse([8.0, 8.0])));
        scene.layers.push(object);
        let mut image = vec![0.0; 36 * 64];
        scene.draw(&mut image, 64);
        assert!(image[18 * 64 + 32] > 40.0, "the object");
        assert_eq!(image[0], bare[0], "the background beside it");
    }
}
