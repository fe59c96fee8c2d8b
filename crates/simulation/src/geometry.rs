//! Monitor geometry: where on a flat monitor a direction of the visual field falls when the eye turns.

/// Distance of the eye from the monitor in monitor widths: 15 cm from a monitor 55.2 cm wide, as in the paper's rig.
const DISTANCE: f64 = 15.0 / 55.2;

/// Place on the monitor, in monitor widths from its middle (right, down), of a direction (azimuth right, elevation down;
/// radians) relative to the eye's axis, when gaze points to `gaze`.
pub fn project(direction: [f64; 2], gaze: [f64; 2]) -> [f64; 2] {
    let azimuth = (direction[0] + gaze[0]).clamp(-1.4, 1.4);
    let elevation = (direction[1] + gaze[1]).clamp(-1.4, 1.4);
    [DISTANCE * azimuth.tan(), DISTANCE * elevation.tan() / azimuth.cos()]
}

/// Direction that falls on a place of the monitor with gaze straight ahead: the inverse of [`project`] at gaze 0.
pub fn direction([x, y]: [f64; 2]) -> [f64; 2] {
    let azimuth = (x / DISTANCE).atan();
    [azimuth, (y * azimuth.cos() / DISTANCE).atan()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_and_places_invert() {
        for place in [[0.0, 0.0], [0.3, -0.2], [-0.45, 0.25]] {
            let back = project(direction(place), [0.0, 0.0]);
            assert!((back[0] - place[0]).abs() < 1e-12 && (back[1] - place[1]).abs() < 1e-12);
        }
    }

    #[test]
    fn looking_right_moves_receptive_fields_right() {
        let at = project(direction([0.1, 0.0]), [0.05, 0.0]);
        assert!(at[0] > 0.1 && at[1].abs() < 1e-12);
    }
}
