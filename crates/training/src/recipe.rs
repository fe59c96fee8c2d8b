//! Recipe: which parameters a run trains, and which of them its recordings share.

use serde::{Deserialize, Serialize};
use striate_model::Modules;

/// How a network comes to fit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Recipe {
    /// All four modules end to end on one recording.
    #[default]
    Individual,
    /// A cohort trains some modules together, everything else apart.
    Foundation {
        /// Modules that all members share.
        share: Modules,
    },
    /// Some modules come frozen from elsewhere, everything else is trained on one recording.
    Transfer {
        /// Modules that are not trained.
        frozen: Modules,
    },
}

impl Recipe {
    /// Modules that all members share and train together.
    pub fn shared(&self) -> Option<&Modules> {
        match self {
            Self::Foundation { share } => Some(share),
            _ => None,
        }
    }

    /// Modules that are not trained.
    pub fn frozen(&self) -> Option<&Modules> {
        match self {
            Self::Transfer { frozen } => Some(frozen),
            _ => None,
        }
    }
}
