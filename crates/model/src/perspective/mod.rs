//! Perspective: ray-traces the monitor onto the retina, given where the eye looks (paper Methods, "Perspective").
//!
//! Eye position -> MLP -> three angles -> rotation of the retina's rays -> where they meet the monitor -> bilinear sample
//! of the monitor's luminance -> the retina's power law. Geometry is computed in f64: a rounded ray could fall on the
//! neighbouring pixel. Shared by all streams.

mod gradient;
pub(crate) mod monitor;
pub mod pixel;
pub(crate) mod retina;
pub(crate) mod rotation;

use crate::config::{NetworkConfig, PerspectiveConfig, PerspectiveKind};
use crate::draws::Draws;
use crate::layers::conv::{Conv, Prepared};
use crate::layers::mlp::{Mlp, MlpTrace};
use crate::params::{Param, Params};
use crate::workspace::Workspace;
use monitor::Plane;
use pixel::{Luminance, Pixels, SigmoidPower};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use rotation::{Vec3, rotation};
use striate_kernels::grid_sample;
use striate_kernels::pad::{Border, Frame};

/// Rays of the retina that are followed as one piece of work.
const RAYS: usize = 256;

/// What the eye sees beside the monitor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Periphery {
    /// Nothing: luminance 0.
    #[default]
    Dark,
    /// The monitor's edge goes on.
    Extend,
}

/// Perspective as declared.
#[derive(Clone, Debug)]
pub(crate) struct Perspective {
    config: PerspectiveConfig,
    channels: usize,
    eye_features: usize,
    eye: Mlp,
    dropped: usize,
}

/// Perspective ready to run: eye network, retina's rays, one monitor pose per batch element.
#[derive(Clone, Debug)]
pub(crate) struct PreparedPerspective {
    eye: Vec<Prepared>,
    rays: Vec<Vec3>,
    planes: Vec<Plane>,
    retina_pixel: SigmoidPower,
}

/// What the backward pass needs.
pub(crate) struct PerspectiveTrace {
    frame: Frame,
    border: Border,
    eye: MlpTrace,
    angles: Vec<f32>,
    sampled: Vec<f32>,
}

impl PerspectiveTrace {
    /// Gives back what a pass that keeps nothing is made of.
    pub(crate) fn give_back(self, space: &mut Workspace) {
        space.give(self.angles);
    }
}

impl Perspective {
    pub(crate) fn new(config: &NetworkConfig) -> Self {
        let p = &config.perspective;
        let eye = match p.kind {
            PerspectiveKind::MlpMonitorRetina => {
                Mlp::published("perspective.mlp", config.eye_features, p.mlp_features, p.mlp_layers, Some(3), p.mlp_nonlinear.activation())
            }
            PerspectiveKind::MonitorRetina => {
                let widths: Vec<usize> = std::iter::once(config.eye_features).chain(p.features.iter().copied()).collect();
                let mut layers: Vec<Conv> =
                    widths.windows(2).enumerate().map(|(i, w)| Conv::linear(format!("perspective.layers.{i}"), w[0], w[1])).collect();
                layers.push(Conv::linear("perspective.out", widths[widths.len() - 1], 3).gain(0.0));
                Mlp::new(layers, p.nonlinear.activation(), true)
            }
            PerspectiveKind::None => Mlp::new(Vec::new(), p.nonlinear.activation(), true),
        };
        let dropped = p.features.last().copied().unwrap_or(config.eye_features);
        Self { config: p.clone(), channels: config.channels, eye_features: config.eye_features, eye, dropped }
    }

    /// Whether there are an eye that moves and a monitor at a place, or only a picture (a lesion).
    fn has_geometry(&self) -> bool {
        self.config.kind != PerspectiveKind::None
    }

    /// The retinal image.
    pub(crate) fn retina(&self) -> Frame {
        Frame { height: self.config.height, width: self.config.width, channels: self.channels }
    }

    pub(crate) fn declare(&self, params: &mut Params, rng: &mut ChaCha8Rng) {
        let m = &self.config.monitor;
        let mut push = |name: &str, value: Vec<f32>| {
            params.push(Param {
                name: format!("perspective.{name}"),
                shape: vec![value.len()],
                value: value.into(),
                decay: false,
                scale: 1.0,
                norm_axes: None,
                frozen: false,
            });
        };
        if self.has_geometry() {
            push("monitor.center", vec![m.init_center_x, m.init_center_y, m.init_center_z]);
            push("monitor.angle", vec![m.init_angle_x, m.init_angle_y, m.init_angle_z]);
            push("monitor.center_std", vec![m.init_center_std; 3]);
            push("monitor.angle_std", vec![m.init_angle_std; 3]);
        }
        push("retina_pixel.logit", vec![0.0]);
        push("retina_pixel.scale", vec![self.config.retina_pixel.init_scale]);
        push("retina_pixel.offset", vec![self.config.retina_pixel.init_offset]);
        self.eye.declare(params, 0, rng);
    }

    pub(crate) fn prepare(&self, params: &Params, batch: usize, draws: &Draws) -> PreparedPerspective {
        let vector = |name: &str| -> Vec3 { std::array::from_fn(|i| f64::from(params.value(&format!("perspective.{name}"))[i])) };
        let scalar = |name: &str| params.value(&format!("perspective.retina_pixel.{name}"))[0];
        let displaced = |mean: Vec3, std: Vec3, draws: &[Vec3], n: usize| match draws.get(n) {
            Some(draw) => std::array::from_fn(|i| mean[i] + draw[i] * std[i]),
            None => mean,
        };
        let planes = (0..batch).map(|n| {
            if !self.has_geometry() {
                return Plane::new([0.0, 0.0, 1.0], [0.0; 3]); // looked at by nobody
            }
            Plane::new(
                displaced(vector("monitor.center"), vector("monitor.center_std"), &draws.monitor_center, n),
                displaced(vector("monitor.angle"), vector("monitor.angle_std"), &draws.monitor_angle, n),
            )
        });
        PreparedPerspective {
            eye: self.eye.prepare(params, 0),
            rays: retina::rays(self.config.height, self.config.width, f64::from(self.config.retina.degrees)),
            planes: planes.collect(),
            retina_pixel: SigmoidPower {
                logit: scalar("logit"),
                scale: scalar("scale"),
                offset: scalar("offset"),
                max_power: self.config.retina_pixel.max_power,
            },
        }
    }

    fn dropout<'a>(&self, draws: &'a Draws, batch: usize) -> impl Fn(&mut [f32]) + 'a {
        let width = self.dropped;
        move |x| draws.drop("perspective", batch, width, width, x)
    }

    /// Retinal images [T * N, H, W, C] from video [T * N, height, width, C] and eye positions [T * N, P]; the trace is whole only where
    /// asked to `keep` it.
    pub(crate) fn forward(
        &self,
        prepared: &PreparedPerspective,
        pixels: Pixels,
        size: [usize; 2],
        eye: &[f32],
        periphery: Periphery,
        draws: &Draws,
        space: &mut Workspace,
        keep: bool,
    ) -> (Vec<f32>, PerspectiveTrace) {
        let (retina, batch) = (self.retina(), prepared.planes.len());
        let frame = Frame { height: size[0], width: size[1], channels: self.channels };
        let border = match periphery {
            Periphery::Dark => Border::Zero,
            Periphery::Extend => Border::Replicate,
        };
        let luminance = Luminance::new(&self.config.monitor_pixel);
        let (mut angles, eye) = self.eye.forward(&prepared.eye, eye, self.dropout(draws, batch), space, keep);
        if !self.has_geometry() {
            space.give(angles);
            angles = space.take(pixels.len() / frame.len() * 3);
            angles.fill(0.0);
        }
        let mut images = space.take(angles.len() / 3 * retina.len());
        let mut shown = space.take(frame.len());
        for (f, image) in images.chunks_exact_mut(retina.len()).enumerate() {
            luminance.frame_to(pixels.frame(f, frame.len()), &mut shown);
            let meets = self.meets(prepared, &angles, f, size);
            image.par_chunks_mut(RAYS * retina.channels).enumerate().for_each(|(piece, image)| {
                let points: [[f32; 2]; RAYS] = std::array::from_fn(|i| meets((piece * RAYS + i).min(prepared.rays.len() - 1)));
                grid_sample::forward(frame, border, &shown, &points[..image.len() / retina.channels], image);
            });
        }
        space.give(shown);
        let sampled = if keep { images.clone() } else { Vec::new() };
        prepared.retina_pixel.forward(&mut images);
        (images, PerspectiveTrace { frame, border, eye, angles, sampled })
    }

    /// Where each ray of the retina meets the monitor in a frame, in pixels.
    fn meets<'a>(&'a self, prepared: &'a PreparedPerspective, angles: &[f32], f: usize, size: [usize; 2]) -> impl Fn(usize) -> [f32; 2] + Sync + 'a {
        let (turn, plane) = (rotation(angles_of(angles, f)), &prepared.planes[f % prepared.planes.len()]);
        let to = [self.config.height, self.config.width];
        move |ray| {
            if !self.has_geometry() {
                return retina::stretched(ray, to, size);
            }
            retina::to_pixels(plane.project(monitor::turned(&turn, prepared.rays[ray])), size, to).map(|v| v as f32)
        }
    }

    /// The same of all rays.
    fn points(&self, prepared: &PreparedPerspective, angles: &[f32], f: usize, size: [usize; 2]) -> Vec<[f32; 2]> {
        (0..prepared.rays.len()).map(self.meets(prepared, angles, f, size)).collect()
    }

    /// Which column and row of a monitor of `size` pixels each pixel of the retinal image sees, [H, W, 2], with the eye at its mean
    /// position; NaN beside the monitor.
    pub(crate) fn seen_pixels(&self, prepared: &PreparedPerspective, size: [usize; 2]) -> Vec<f32> {
        // counted from 1: beside the monitor is 0, so that -1 is what lies there once 1 is taken off
        let counted: Vec<f32> = (1..=size[0]).flat_map(|row| (1..=size[1]).flat_map(move |column| [column as f32, row as f32])).collect();
        let (angles, _) = self.eye.forward(&prepared.eye, &vec![0.0; self.eye_features], |_| {}, &mut Workspace::passing(), false);
        let points = self.points(prepared, &angles, 0, size);
        let mut seen = vec![0.0; 2 * points.len()];
        grid_sample::forward(Frame { height: size[0], width: size[1], channels: 2 }, Border::Zero, &counted, &points, &mut seen);
        seen.iter_mut().for_each(|v| *v = if *v < 1.0 { f32::NAN } else { *v - 1.0 });
        seen
    }

    /// What the monitor would have to show, [height, width, C] intensities, for one retinal image [H, W, C] (paper Extended
    /// Data Fig. 1): every monitor pixel's ray is turned back onto the retina, and both pixel transforms are inverted.
    pub(crate) fn inverse(&self, prepared: &PreparedPerspective, image: &[f32], size: [usize; 2], eye: &[f32]) -> Vec<f32> {
        let (retina, degrees) = (self.retina(), f64::from(self.config.retina.degrees));
        debug_assert_eq!(eye.len(), self.eye_features);
        let (angles, _) = self.eye.forward(&prepared.eye, eye, |_| {}, &mut Workspace::passing(), false);
        let angles = if self.has_geometry() { angles } else { vec![0.0; 3] };
        let (turn, plane) = (rotation(angles_of(&angles, 0)), &prepared.planes[0]);
        let luminance: Vec<f32> = image.iter().map(|r| prepared.retina_pixel.inverse(*r)).collect();
        let (xs, ys) = retina::isotropic_grid(size[0], size[1]);
        let seen = || {
            ys.iter()
                .flat_map(|y| xs.iter().map(move |x| [*x, *y]))
                .map(|at| {
                    let p = plane.point(at);
                    let length = rotation::dot(p, p).sqrt();
                    let ray = rotation::apply_transposed(&turn, p.map(|v| v / length));
                    retina::to_pixels(retina::project(ray, degrees), [retina.height, retina.width], size).map(|v| v as f32)
                })
                .collect()
        };
        let points: Vec<[f32; 2]> = if self.has_geometry() {
            seen()
        } else {
            (0..size[0] * size[1]).map(|i| retina::stretched(i, size, [retina.height, retina.width])).collect()
        };
        let mut out = vec![0.0; points.len() * self.channels];
        grid_sample::forward(retina, Border::Zero, &luminance, &points, &mut out);
        out.iter_mut().for_each(|v| *v = pixel::intensity(&self.config.monitor_pixel, v.max(0.0)));
        out
    }
}

fn angles_of(angles: &[f32], frame: usize) -> Vec3 {
    std::array::from_fn(|i| f64::from(angles[frame * 3 + i]))
}
