//! The simulated cortex as its users meet it.

mod filters;
mod poison;
mod recording;
mod tuning;

use striate_simulation::SimulateConfig;

/// A small animal and a short session.
fn small() -> SimulateConfig {
    SimulateConfig {
        units: 12,
        clip_seconds: 3.0,
        train_minutes: 0.4,
        validation_clips: 1,
        test_clips: 2,
        other_clips: 1,
        repeats: 4,
        seed: 5,
        ..SimulateConfig::default()
    }
}
