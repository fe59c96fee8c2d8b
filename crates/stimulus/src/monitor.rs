//! The monitor: where its pixels lie in front of the eye, and how long a visual angle is on it.
//!
//! Positions are in monitor widths from its left and upper edge, x to the right and y down; pixels are square, so the monitor is H / W widths high.

use crate::error::{Error, within};
use libm::{atan2, hypot, tan};
use serde::{Deserialize, Serialize};

/// What sizes, speeds and spatial frequencies of a specification are measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Degrees of visual angle from the middle of the monitor: lengths grow with the tangent. Speeds and frequencies are those at the middle.
    Tangent,
    /// Degrees of visual angle of 1 / 3.8 cm each (paper, Methods: 3.8 degrees per cm at the middle of the monitor).
    Centre,
    /// Monitor widths, monitor widths per second, cycles per monitor width.
    Width,
}

/// Degrees per cm of [`Unit::Centre`].
const DEGREES_PER_CM: f64 = 3.8;
/// Largest radius that the tangent is taken of, degrees.
pub(crate) const LARGEST: f64 = 80.0;

/// A flat monitor before the eye, at right angles to the line of sight to its middle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Monitor {
    /// Width, cm.
    pub width: f64,
    /// Distance of its middle from the eye, cm.
    pub distance: f64,
    /// What sizes, speeds and spatial frequencies are measured in.
    pub unit: Unit,
}

impl Default for Monitor {
    /// That of the paper: 55.2 cm wide, 15 cm away.
    fn default() -> Self {
        Self { width: 55.2, distance: 15.0, unit: Unit::Tangent }
    }
}

impl Monitor {
    pub(crate) fn check(&self, of: &'static str) -> Result<(), Error> {
        within(of, "monitor.width", self.width, [0.1, 1e5], "centimetres, 0.1 or more")?;
        within(of, "monitor.distance", self.distance, [0.1, 1e5], "centimetres, 0.1 or more")
    }

    /// Monitor widths from the middle of the monitor to `size` units beside it.
    pub fn length(&self, size: f64) -> f64 {
        match self.unit {
            Unit::Tangent => self.distance * tan(size.to_radians()) / self.width,
            _ => size * self.scale(),
        }
    }

    /// Monitor widths of one unit at the middle of the monitor: what speeds are multiplied and spatial frequencies divided by.
    pub fn scale(&self) -> f64 {
        match self.unit {
            Unit::Tangent => self.distance * 1f64.to_radians() / self.width,
            Unit::Centre => 1.0 / (DEGREES_PER_CM * self.width),
            Unit::Width => 1.0,
        }
    }
}

/// Where the pixels of a frame are seen: on the flat monitor, or, with spherical correction, on a sphere around the eye.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// Middle of each pixel [H * W], x to the right and y down: monitor widths from the upper left corner, or degrees of azimuth and (downward)
    /// altitude from the middle of the monitor (as Marshel et al. 2011 correct for flat monitors).
    pub points: Vec<[f64; 2]>,
    monitor: Monitor,
    height: f64,
    spherical: bool,
}

impl Field {
    pub(crate) fn new([height, width]: [usize; 2], monitor: &Monitor, spherical: bool) -> Self {
        let mut field = Self { points: Vec::new(), monitor: monitor.clone(), height: height as f64 / width as f64, spherical };
        let at = |row, column| [(column as f64 + 0.5) / width as f64, (row as f64 + 0.5) / width as f64];
        field.points = (0..height).flat_map(|row| (0..width).map(move |column| at(row, column))).map(|p| field.seen(p)).collect();
        field
    }

    /// A position in monitor widths in the units of `points`.
    pub(crate) fn seen(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        if !self.spherical {
            return [x, y];
        }
        let (right, down, away) = ((x - 0.5) * self.monitor.width, (y - 0.5 * self.height) * self.monitor.width, self.monitor.distance);
        [atan2(right, away).to_degrees(), atan2(down, hypot(right, away)).to_degrees()]
    }

    /// A radius in the units of `points`.
    pub(crate) fn length(&self, size: f64) -> f64 {
        if self.spherical { size } else { self.monitor.length(size) }
    }

    /// A spatial frequency in cycles per unit of `points`.
    pub(crate) fn frequency(&self, cycles: f64) -> f64 {
        if self.spherical { cycles } else { cycles / self.monitor.scale() }
    }
}

/// Refuses spherical correction of what is not measured in degrees.
pub(crate) fn check_spherical(of: &'static str, spherical: bool, monitor: &Monitor) -> Result<(), Error> {
    if spherical && monitor.unit == Unit::Width {
        let expected = "false where lengths are in monitor widths (monitor.unit = \"width\")";
        return Err(Error::Setting { of, field: "spherical", expected, got: "true".into() });
    }
    Ok(())
}

/// Refuses a radius that is not one on this monitor.
pub(crate) fn check_length(of: &'static str, field: &'static str, size: f64) -> Result<(), Error> {
    within(of, field, size, [1e-6, LARGEST], "a length above 0, and at most 80 (degrees)")
}

/// Refuses a position that is not a number near the monitor.
pub(crate) fn check_position(of: &'static str, field: &'static str, [x, y]: [f64; 2]) -> Result<(), Error> {
    [x, y].into_iter().try_for_each(|v| within(of, field, v, [-10.0, 10.0], "monitor widths from the left and upper edge, -10 to 10"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_have_the_lengths_of_the_paper() {
        let tangent = Monitor::default();
        let centre = Monitor { unit: Unit::Centre, ..Monitor::default() };
        // degrees and monitor widths: dots of 2.6 and 8 degrees, Gabors of 16.4 degrees
        for (degrees, widths) in [(2.6, 0.0124), (8.0, 0.0382), (16.4, 0.079)] {
            for monitor in [&tangent, &centre] {
                assert!((monitor.length(degrees) / widths - 1.0).abs() < 0.02, "{degrees} degrees: {}", monitor.length(degrees));
            }
        }
        assert!((1.0 / (tangent.scale() * tangent.width) - 3.82).abs() < 0.01, "degrees per cm");
    }

    #[test]
    fn the_monitor_of_the_paper_spans_123_degrees() {
        let field = Field::new([143, 255], &Monitor::default(), true);
        let [left, right] = [[0.0, 0.5 * field.height], [1.0, 0.5 * field.height]].map(|p| field.seen(p)[0]);
        assert!((right - left - 122.954).abs() < 0.01, "{left} to {right}");
        let middle = field.points[71 * 255 + 127];
        assert!(middle[0].abs() < 1e-12 && middle[1].abs() < 1e-12, "{middle:?}");
        // 31.05 cm at 15 cm
        assert!((2.0 * field.seen([0.5, field.height])[1] - 91.8).abs() < 0.2);
    }
}
