//! Anatomy: what a neuron's function tells of where and what it is (paper Figure 5, "Functional barcodes").
//!
//! A neuron's functional barcode is its readout weights in the network. Its brain area or cell type is decoded from the barcode by
//! multinomial logistic regression in nested cross-validation ([`decode`]) and told as a confusion matrix ([`Confusion`]); whether
//! that is more than cortical depth is asked by a likelihood-ratio test ([`depth_test`]). Whether a neuron keeps its barcode from
//! one scan to another is asked by angular distances ([`barcode_stability`]), retinotopy by readout positions ([`retinotopy`]), and
//! [`embed`] lays barcodes, or states of the modulation network, out in a plane.

mod angular;
mod confusion;
mod decode;
mod embed;
mod folds;
mod fuzzy;
mod labels;
mod lbfgs;
mod likelihood_ratio;
mod logistic;
mod neighbours;
mod retinotopy;

pub use angular::{Observations, angular_distance, barcode_stability};
pub use confusion::Confusion;
pub use decode::{DecodeConfig, Decoded, decode};
pub use embed::{EmbedConfig, embed};
pub use folds::{grouped_folds, leave_one_group_out, stratified_folds};
pub use labels::Labels;
pub use likelihood_ratio::{LikelihoodRatio, depth_test};
pub use logistic::{Logistic, LogisticConfig, logistic_regression};
pub use neighbours::{Neighbours, nearest_neighbours, neighbours_kept, trustworthiness};
pub use retinotopy::retinotopy;
