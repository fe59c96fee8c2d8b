//! Differences of preferred angles.

/// Angle between two directions of motion in degrees, in [0, 180]: arccos(cos(a - b)), without its loss of digits near 0.
pub fn direction_difference(a: f64, b: f64) -> f64 {
    let d = (a - b).rem_euclid(360.0);
    d.min(360.0 - d)
}

/// Angle between two orientations in degrees, in [0, 90]: arccos(cos(2 a - 2 b)) / 2. Whether an orientation is the preferred direction modulo
/// 180 or the angle orthogonal to it makes no difference here.
pub fn orientation_difference(a: f64, b: f64) -> f64 {
    direction_difference(2.0 * a, 2.0 * b) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_those_of_the_arc_cosine() {
        for (a, b) in [(10.0f64, 350.0f64), (0.0, 180.0), (-45.0, 300.0), (359.0, 1.0), (720.0, 5.0), (90.0, 90.0)] {
            let (x, y) = (a.to_radians(), b.to_radians());
            assert!((direction_difference(a, b) - (x - y).cos().acos().to_degrees()).abs() < 1e-5);
            assert!((orientation_difference(a, b) - (2.0 * x - 2.0 * y).cos().acos().to_degrees() / 2.0).abs() < 1e-5);
        }
        assert_eq!(direction_difference(359.0, 1.0), 2.0);
        assert_eq!(orientation_difference(5.0, 185.0), 0.0);
        assert!(direction_difference(f64::NAN, 1.0).is_nan() && orientation_difference(1.0, f64::INFINITY).is_nan());
    }
}
