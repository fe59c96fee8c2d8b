//! Monitor: a plane with a learned centre and rotation, where rays from the eye end (paper Methods, "Perspective").

use super::rotation::{Mat3, Vec3, apply, dot, rotation, rotation_gradient};

/// Rays that run parallel to the plane or away from it end far outside the monitor.
const NEAREST: f64 = 1e-5;

/// A plane in space: centre, and axes right, down and normal. Lengths in half monitor widths.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plane {
    angles: Vec3,
    centre: Vec3,
    right: Vec3,
    down: Vec3,
    normal: Vec3,
}

/// Gradient of a plane.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PlaneGradient {
    centre: Vec3,
    right: Vec3,
    down: Vec3,
    normal: Vec3,
}

impl PlaneGradient {
    /// Sum of two gradients.
    pub(crate) fn plus(mut self, other: &Self) -> Self {
        for i in 0..3 {
            self.centre[i] += other.centre[i];
            self.right[i] += other.right[i];
            self.down[i] += other.down[i];
            self.normal[i] += other.normal[i];
        }
        self
    }
}

impl Plane {
    pub(crate) fn new(centre: Vec3, angles: Vec3) -> Self {
        let m = rotation(angles);
        let axis = |j: usize| [m[0][j], m[1][j], m[2][j]];
        Self { angles, centre, right: axis(0), down: axis(1), normal: axis(2) }
    }

    /// Where a ray meets the plane, (right, down) from the centre.
    pub(crate) fn project(&self, ray: Vec3) -> [f64; 2] {
        let reach = dot(self.normal, self.centre) / dot(self.normal, ray).max(NEAREST);
        let d: Vec3 = std::array::from_fn(|i| reach * ray[i] - self.centre[i]);
        [dot(d, self.right), dot(d, self.down)]
    }

    /// The point (right, down) of the plane in space.
    pub(crate) fn point(&self, [u, v]: [f64; 2]) -> Vec3 {
        std::array::from_fn(|i| self.centre[i] + u * self.right[i] + v * self.down[i])
    }

    /// Backward of [`Self::project`]: returns the ray's gradient and adds the plane's.
    pub(crate) fn project_gradient(&self, ray: Vec3, [du, dv]: [f64; 2], plane: &mut PlaneGradient) -> Vec3 {
        let cosine = dot(self.normal, ray);
        let (above, below) = (dot(self.normal, self.centre), cosine.max(NEAREST));
        let reach = above / below;
        let dd: Vec3 = std::array::from_fn(|i| du * self.right[i] + dv * self.down[i]);
        let dreach = dot(dd, ray);
        let dabove = dreach / below;
        let dbelow = if cosine > NEAREST { -dreach * reach / below } else { 0.0 };
        for i in 0..3 {
            let d = reach * ray[i] - self.centre[i];
            plane.right[i] += du * d;
            plane.down[i] += dv * d;
            plane.normal[i] += dabove * self.centre[i] + dbelow * ray[i];
            plane.centre[i] += dabove * self.normal[i] - dd[i];
        }
        std::array::from_fn(|i| reach * dd[i] + dbelow * self.normal[i])
    }

    /// Gradients of centre and angles from the plane's.
    pub(crate) fn pose_gradient(&self, d: &PlaneGradient) -> (Vec3, Vec3) {
        let axes: Mat3 = std::array::from_fn(|i| [d.right[i], d.down[i], d.normal[i]]);
        (d.centre, rotation_gradient(self.angles, &axes))
    }
}

/// The ray after the eye's rotation.
pub(crate) fn turned(eye: &Mat3, ray: Vec3) -> Vec3 {
    apply(eye, ray)
}

#[cfg(test)]
mod tests {
    use super::super::retina::rays;
    use super::*;

    #[test]
    fn meets_the_plane_where_the_reference_does() {
        let plane = Plane::new([0.1, -0.05, 0.6], [0.05, -0.1, 0.02]);
        let rays = rays(4, 6, 75.0);
        let [u, v] = plane.project(rays[9]);
        assert!((u - 0.0329985).abs() < 1e-7 && (v + 0.1012061).abs() < 1e-7, "{u} {v}");
        let [u, v] = plane.project(rays[0]);
        // the reference numbers are single precision
        assert!((u + 1.4338716).abs() < 2.4e-7 && (v + 0.7937699).abs() < 2.4e-7, "{u} {v}");
    }

    #[test]
    fn default_pose_sees_162_of_192_columns() {
        let plane = Plane::new([0.0, 0.0, 0.5], [0.0; 3]);
        let rays = rays(128, 192, 75.0);
        let inside = rays[64 * 192..65 * 192].iter().filter(|r| plane.project(**r)[0].abs() <= 1.0).count();
        assert_eq!(inside, 162);
    }
}
