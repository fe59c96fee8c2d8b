//! Retina: which ray each pixel of the retinal image looks along (azimuthal equidistant, "Angular").

use super::rotation::Vec3;

/// Horizontal and vertical pixel positions of the isotropic grid, x in (-1, 1); y shares x's unit.
///
/// The vertical scale H (W - 1) / W^2 is the reference implementation's, 0.3 % off exact pixel centres at 128 x 192; weights
/// were learned with it.
pub(crate) fn isotropic_grid(height: usize, width: usize) -> (Vec<f64>, Vec<f64>) {
    let (h, w) = (height as f64, width as f64);
    let line =
        |n: usize, scale: f64| (0..n).map(|i| if n == 1 { 0.0 } else { (-1.0 + 2.0 * i as f64 / (n - 1) as f64) * scale * (w - 1.0) / w }).collect();
    (line(width, 1.0), line(height, h / w))
}

/// Unit rays [H * W], z forward, x right, y down; `degrees` is the half field of view along the width.
pub(crate) fn rays(height: usize, width: usize, degrees: f64) -> Vec<Vec3> {
    let (xs, ys) = isotropic_grid(height, width);
    let mut rays = Vec::with_capacity(height * width);
    for &y in &ys {
        for &x in &xs {
            let rho = (x.hypot(y) * degrees.to_radians()).min(std::f64::consts::FRAC_PI_2);
            let theta = y.atan2(x);
            rays.push([rho.sin() * theta.cos(), rho.sin() * theta.sin(), rho.cos()]);
        }
    }
    rays
}

/// Where a unit ray falls on the retinal image, in the isotropic grid's unit: the inverse of [`rays`].
pub(crate) fn project(ray: Vec3, degrees: f64) -> [f64; 2] {
    let rho = ray[2].clamp(-1.0, 1.0).acos() / degrees.to_radians();
    let theta = ray[1].atan2(ray[0]);
    [rho * theta.cos(), rho * theta.sin()]
}

/// Pixel position on an image of `height x width` for a point of the isotropic grid, when `out_height x out_width` points
/// are sampled. That the scale depends on the number of points sampled is the reference implementation's quirk.
pub(crate) fn to_pixels([u, v]: [f64; 2], size: [usize; 2], out: [usize; 2]) -> [f64; 2] {
    let [sx, sy] = pixel_scale(size, out);
    let centre = |n: usize| (n as f64 - 1.0) / 2.0;
    [u * sx + centre(size[1]), v * sy + centre(size[0])]
}

/// Pixel position on an image of `height x width` of point `i` among `out_height x out_width` whose bilinear samples are that image stretched.
pub(crate) fn stretched(i: usize, out: [usize; 2], size: [usize; 2]) -> [f32; 2] {
    let at = |i: usize, axis: usize| ((i as f64 + 0.5) * size[axis] as f64 / out[axis] as f64 - 0.5).clamp(0.0, size[axis] as f64 - 1.0) as f32;
    [at(i % out[1], 1), at(i / out[1], 0)]
}

/// d pixel / d point of [`to_pixels`], x then y.
pub(crate) fn pixel_scale(size: [usize; 2], out: [usize; 2]) -> [f64; 2] {
    let [h, w] = size.map(|n| n as f64);
    let [oh, ow] = out.map(|n| n as f64);
    let spread = if w > 1.0 { w / (w - 1.0) } else { 1.0 };
    [spread * (ow - 1.0) / ow * w / 2.0, w / h * spread * (oh - 1.0) / oh * h / 2.0]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: &[f64], want: &[f64], tolerance: f64) {
        got.iter().zip(want).for_each(|(g, w)| assert!((g - w).abs() < tolerance, "{got:?} {want:?}"));
    }

    #[test]
    fn grid_and_rays_are_the_reference_ones() {
        let (x, y) = isotropic_grid(4, 6);
        close(&x[..3], &[-0.8333333, -0.5, -0.1666667], 1e-7);
        close(&y, &[-0.5555556, -0.1851852, 0.1851852, 0.5555556], 1e-7);
        let rays = rays(4, 6, 75.0);
        close(&rays[0], &[-0.8041319, -0.5360879, 0.2568687], 1e-7);
        close(&rays[6 + 3], &[0.2143194, -0.2381326, 0.9472909], 1e-7);
    }

    #[test]
    fn projection_inverts_rays() {
        let (xs, ys) = isotropic_grid(8, 12);
        for (i, ray) in rays(8, 12, 75.0).into_iter().enumerate() {
            close(&project(ray, 75.0), &[xs[i % 12], ys[i / 12]], 1e-12);
        }
    }
}
