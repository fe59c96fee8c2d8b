//! Tuning: the reference's numbers, curves and fields drawn from known parameters, and data that define no tuning.
mod events;
mod golden;
mod recovery;
mod refusal;
