//! Rotations about x (right), y (down) and z (forward), `R = Rz Ry Rx`, and their derivatives.

/// A vector.
pub(crate) type Vec3 = [f64; 3];
/// A matrix, rows first.
pub(crate) type Mat3 = [[f64; 3]; 3];

pub(crate) fn dot(a: Vec3, b: Vec3) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// `m v`.
pub(crate) fn apply(m: &Mat3, v: Vec3) -> Vec3 {
    [dot(m[0], v), dot(m[1], v), dot(m[2], v)]
}

/// `m^T v`.
pub(crate) fn apply_transposed(m: &Mat3, v: Vec3) -> Vec3 {
    std::array::from_fn(|j| (0..3).map(|i| m[i][j] * v[i]).sum())
}

fn product(a: &Mat3, b: &Mat3) -> Mat3 {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..3).map(|k| a[i][k] * b[k][j]).sum()))
}

/// Rotation about one axis (0, 1, 2), and its derivative with respect to the angle.
fn about(axis: usize, angle: f64) -> (Mat3, Mat3) {
    let (s, c) = angle.sin_cos();
    match axis {
        0 => ([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]], [[0.0; 3], [0.0, -s, -c], [0.0, c, -s]]),
        1 => ([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]], [[-s, 0.0, c], [0.0; 3], [-c, 0.0, -s]]),
        _ => ([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]], [[-s, -c, 0.0], [c, -s, 0.0], [0.0; 3]]),
    }
}

/// `Rz Ry Rx`.
pub(crate) fn rotation(angles: Vec3) -> Mat3 {
    let [(x, _), (y, _), (z, _)] = std::array::from_fn(|axis| about(axis, angles[axis]));
    product(&z, &product(&y, &x))
}

/// Gradient of the angles from that of the matrix.
pub(crate) fn rotation_gradient(angles: Vec3, d: &Mat3) -> Vec3 {
    let [(x, dx), (y, dy), (z, dz)] = std::array::from_fn(|axis| about(axis, angles[axis]));
    let along = |m: Mat3| (0..3).map(|i| dot(m[i], d[i])).sum();
    [along(product(&z, &product(&y, &dx))), along(product(&z, &product(&dy, &x))), along(product(&dz, &product(&y, &x)))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_the_reference_rotation() {
        let want = [[0.93629342, -0.27509585, 0.21835066], [0.28962949, 0.95642513, -0.03695701], [-0.19866933, 0.09784340, 0.97517037]];
        let got = rotation([0.1, 0.2, 0.3]);
        for (g, w) in got.iter().flatten().zip(want.iter().flatten()) {
            assert!((g - w).abs() < 1.2e-7, "{g} {w}"); // the reference number is single precision
        }
    }

    #[test]
    fn gradient_matches_differences() {
        let (angles, d) = ([0.3, -0.7, 1.1], [[0.2, -1.0, 0.4], [0.9, 0.3, -0.5], [-0.6, 0.8, 0.1]]);
        let value = |a: Vec3| (0..3).map(|i| dot(rotation(a)[i], d[i])).sum::<f64>();
        for axis in 0..3 {
            let (mut up, mut down) = (angles, angles);
            up[axis] += 1e-6;
            down[axis] -= 1e-6;
            let difference = (value(up) - value(down)) / 2e-6;
            assert!((difference - rotation_gradient(angles, &d)[axis]).abs() < 1e-8);
        }
    }
}
