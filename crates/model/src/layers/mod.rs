//! Building blocks that several modules share.

pub(crate) mod conv;
pub(crate) mod lstm;
pub(crate) mod mlp;
