//! Of perspective: eye network, monitor, retina.

use super::Nonlinear;
use serde::{Deserialize, Serialize};

/// Which eye network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PerspectiveKind {
    /// Weight-normalised layers, dropout, zero-gain output (profile A).
    MonitorRetina,
    /// Plain zero-initialised first layer, then weight-normalised ones (profile R).
    MlpMonitorRetina,
    /// Lesion: neither eye nor geometry, the monitor's luminance is stretched over the retina (Extended Data Fig. 3a-e; how is our choice).
    None,
}

/// Perspective: monitor geometry, retina, eye network (paper Methods, "Perspective").
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PerspectiveConfig {
    /// `monitor_retina`, `mlp_monitor_retina` or, as a lesion, `none`.
    #[serde(rename = "type")]
    pub kind: PerspectiveKind,
    /// Rows of the retinal image.
    pub height: usize,
    /// Columns of the retinal image.
    pub width: usize,
    /// Initial monitor pose.
    pub monitor: MonitorConfig,
    /// Pixel value to luminance.
    pub monitor_pixel: StaticPowerConfig,
    /// Field of view.
    pub retina: RetinaConfig,
    /// Luminance to retinal drive.
    pub retina_pixel: SigmoidPowerConfig,
    /// Hidden widths of the eye network (`monitor_retina`).
    pub features: Vec<usize>,
    /// Nonlinearity of the eye network (`monitor_retina`).
    pub nonlinear: Nonlinear,
    /// Dropout of the last hidden layer (`monitor_retina`).
    pub dropout: f32,
    /// Hidden width of the eye network (`mlp_monitor_retina`).
    pub mlp_features: usize,
    /// Hidden layers of the eye network (`mlp_monitor_retina`).
    pub mlp_layers: usize,
    /// Nonlinearity of the eye network (`mlp_monitor_retina`).
    pub mlp_nonlinear: Nonlinear,
}

impl Default for PerspectiveConfig {
    fn default() -> Self {
        Self {
            kind: PerspectiveKind::MlpMonitorRetina,
            height: 128,
            width: 192,
            monitor: MonitorConfig::default(),
            monitor_pixel: StaticPowerConfig::default(),
            retina: RetinaConfig::default(),
            retina_pixel: SigmoidPowerConfig::default(),
            features: vec![16, 16],
            nonlinear: Nonlinear::Gelu,
            dropout: 0.0,
            mlp_features: 16,
            mlp_layers: 3,
            mlp_nonlinear: Nonlinear::Gelu,
        }
    }
}

/// Plane monitor: initial centre and rotation, lengths in half monitor widths, angles in radians.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)] // one line above says it for all eight
pub struct MonitorConfig {
    pub init_center_x: f32,
    pub init_center_y: f32,
    pub init_center_z: f32,
    pub init_center_std: f32,
    pub init_angle_x: f32,
    pub init_angle_y: f32,
    pub init_angle_z: f32,
    pub init_angle_std: f32,
}

impl Default for MonitorConfig {
    fn default() -> Self {
        Self {
            init_center_x: 0.0,
            init_center_y: 0.0,
            init_center_z: 0.5,
            init_center_std: 0.05,
            init_angle_x: 0.0,
            init_angle_y: 0.0,
            init_angle_z: 0.0,
            init_angle_std: 0.05,
        }
    }
}

/// Fixed power law of the monitor: `intensity^power * scale + offset`, intensity in [0, 1].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)]
pub struct StaticPowerConfig {
    pub power: f32,
    pub scale: f32,
    pub offset: f32,
}

impl Default for StaticPowerConfig {
    fn default() -> Self {
        Self { power: 1.7, scale: 1.0, offset: 0.0 }
    }
}

/// Azimuthal-equidistant ("Angular") retina.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetinaConfig {
    /// Half field of view along the width, degrees.
    pub degrees: f32,
}

impl Default for RetinaConfig {
    fn default() -> Self {
        Self { degrees: 75.0 }
    }
}

/// Learned power law of the retina: `(q + 1e-5)^(sigm(logit) max_power) * scale + offset`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)]
pub struct SigmoidPowerConfig {
    pub max_power: f32,
    pub init_scale: f32,
    pub init_offset: f32,
}

impl Default for SigmoidPowerConfig {
    fn default() -> Self {
        Self { max_power: 1.0, init_scale: 1.0, init_offset: 0.0 }
    }
}
