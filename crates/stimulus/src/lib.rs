//! What can be shown: (specification, seed) to video.
