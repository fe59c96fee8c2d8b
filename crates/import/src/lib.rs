//! Foreign formats to recordings.
