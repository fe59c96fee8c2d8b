//! Backward pass of perspective: to pixel transforms, the monitor's pose, the eye network and the video.

use super::monitor::{self, PlaneGradient};
use super::pixel::{self, Luminance, Pixels};
use super::rotation::{Mat3, Vec3, rotation, rotation_gradient};
use super::{Perspective, PerspectiveTrace, PreparedPerspective, angles_of, retina};
use crate::draws::Draws;
use crate::params::{Gradients, Params};
use rayon::prelude::*;
use striate_kernels::grid_sample;

impl Perspective {
    /// Adds parameter gradients; returns the gradient of the video's intensities where asked.
    pub(crate) fn backward(
        &self,
        prepared: &PreparedPerspective,
        params: &Params,
        trace: &PerspectiveTrace,
        draws: &Draws,
        mut d: Vec<f32>,
        pixels: Pixels,
        video_gradient: bool,
        gradients: &mut Gradients,
    ) -> Option<Vec<f32>> {
        let (retina, batch, rays) = (self.retina(), prepared.planes.len(), prepared.rays.len());
        let pixel = prepared.retina_pixel.backward(&trace.sampled, &mut d);
        for (name, d) in ["logit", "scale", "offset"].into_iter().zip(pixel) {
            gradients.add(params, &format!("perspective.retina_pixel.{name}"), &[d]);
        }
        let size = [trace.frame.height, trace.frame.width];
        let luminance = Luminance::new(&self.config.monitor_pixel);
        let scale = retina::pixel_scale(size, [retina.height, retina.width]);
        let mut dluminance = vec![0.0; if video_gradient { pixels.len() } else { 0 }];
        let dframe = if video_gradient { trace.frame.len() } else { 0 };
        let mut dframes: Vec<Option<&mut [f32]>> = dluminance.chunks_exact_mut(dframe.max(1)).map(Some).collect();
        dframes.resize_with(trace.angles.len() / 3, || None);
        let per_frame: Vec<(Vec3, PlaneGradient)> = dframes
            .into_par_iter()
            .enumerate()
            .map(|(f, dimage)| {
                let points = self.points(prepared, &trace.angles, f, size);
                let mut dpoints = vec![[0.0; 2]; rays];
                let luminance = luminance.frame(pixels.frame(f, trace.frame.len()));
                grid_sample::backward(trace.frame, trace.border, &luminance, &points, &d[f * retina.len()..][..retina.len()], &mut dpoints, dimage);
                self.geometry_gradient(prepared, angles_of(&trace.angles, f), f % batch, &dpoints, scale)
            })
            .collect();
        let dangles: Vec<f32> = per_frame.iter().flat_map(|(angles, _)| angles.map(|a| a as f32)).collect();
        if self.has_geometry() {
            self.pose_gradient(prepared, params, draws, &per_frame, gradients);
            self.eye.backward(&prepared.eye, params, 0, &trace.eye, dangles, self.dropout(draws, batch), gradients);
        }
        video_gradient.then(|| {
            pixel::luminance_gradient(&self.config.monitor_pixel, pixels, &mut dluminance);
            dluminance
        })
    }

    /// Gradients of one frame's eye angles and monitor plane from those of the sampled positions.
    fn geometry_gradient(
        &self,
        prepared: &PreparedPerspective,
        angles: Vec3,
        n: usize,
        dpoints: &[[f32; 2]],
        scale: [f64; 2],
    ) -> (Vec3, PlaneGradient) {
        let (turn, plane) = (rotation(angles), &prepared.planes[n]);
        let (mut dturn, mut dplane): (Mat3, _) = ([[0.0; 3]; 3], PlaneGradient::default());
        for (ray, d) in prepared.rays.iter().zip(dpoints) {
            if *d == [0.0; 2] {
                continue;
            }
            let at = [f64::from(d[0]) * scale[0], f64::from(d[1]) * scale[1]];
            let dray = plane.project_gradient(monitor::turned(&turn, *ray), at, &mut dplane);
            for i in 0..3 {
                for j in 0..3 {
                    dturn[i][j] += dray[i] * ray[j];
                }
            }
        }
        (rotation_gradient(angles, &dturn), dplane)
    }

    fn pose_gradient(
        &self,
        prepared: &PreparedPerspective,
        params: &Params,
        draws: &Draws,
        per_frame: &[(Vec3, PlaneGradient)],
        gradients: &mut Gradients,
    ) {
        let batch = prepared.planes.len();
        let [mut center, mut angle, mut center_std, mut angle_std] = [[0.0f64; 3]; 4];
        for (n, plane) in prepared.planes.iter().enumerate() {
            let sum = per_frame.iter().skip(n).step_by(batch).fold(PlaneGradient::default(), |sum, (_, d)| sum.plus(d));
            let (dc, da) = plane.pose_gradient(&sum);
            let (ec, ea) = (draws.monitor_center.get(n), draws.monitor_angle.get(n));
            for i in 0..3 {
                center[i] += dc[i];
                angle[i] += da[i];
                center_std[i] += dc[i] * ec.map_or(0.0, |e| e[i]);
                angle_std[i] += da[i] * ea.map_or(0.0, |e| e[i]);
            }
        }
        for (name, d) in [("center", center), ("angle", angle), ("center_std", center_std), ("angle_std", angle_std)] {
            if name.ends_with("std") && draws.monitor_center.is_empty() {
                continue; // no noise, no part in the objective
            }
            gradients.add(params, &format!("perspective.monitor.{name}"), &d.map(|v| v as f32));
        }
    }
}
