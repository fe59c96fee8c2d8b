//! Units: from readout to response, and how a response is scored (paper Methods, "Unit").

use crate::config::UnitKind;

/// Response of a readout.
pub(crate) fn rate(kind: UnitKind, r: f32) -> f32 {
    match kind {
        UnitKind::Poisson => r.exp(),
        UnitKind::EluMse => {
            if r > 0.0 {
                r + 1.0
            } else {
                r.exp()
            }
        }
    }
}

/// Loss of a readout against a measured response; the Poisson loss drops the constant log y!, so y need not be whole.
pub(crate) fn loss(kind: UnitKind, r: f32, y: f32) -> f32 {
    match kind {
        UnitKind::Poisson => r.exp() - r * y,
        UnitKind::EluMse => (rate(kind, r) - y).powi(2),
    }
}

/// d loss / d readout.
pub(crate) fn loss_gradient(kind: UnitKind, r: f32, y: f32) -> f32 {
    match kind {
        UnitKind::Poisson => r.exp() - y,
        UnitKind::EluMse => 2.0 * (rate(kind, r) - y) * rate_gradient(kind, r),
    }
}

/// d response / d readout.
pub(crate) fn rate_gradient(kind: UnitKind, r: f32) -> f32 {
    match kind {
        UnitKind::Poisson => r.exp(),
        UnitKind::EluMse => r.min(0.0).exp(),
    }
}
