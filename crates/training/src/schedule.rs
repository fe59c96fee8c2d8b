//! CosineLr: the learning rate of an epoch (paper Methods, "Training"; formula of the reference implementation).

use crate::config::SchedulerConfig;
use std::f64::consts::PI;

/// Learning rate of epoch `epoch` (from 0) of cycle `cycle` (from 0), constant within the epoch.
pub fn learning_rate(config: &SchedulerConfig, peak: f64, cycle: usize, epoch: usize) -> f64 {
    let (epoch, size) = (epoch as f64, config.cycle_size as f64);
    let warm = if cycle < config.warmup_cycles { config.warmup_epochs as f64 } else { 0.0 };
    if epoch < warm { peak * (epoch + 0.5) / warm } else { peak * (1.0 + (PI * (epoch - warm) / (size - warm)).cos()) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_reference_schedule() {
        let paper = SchedulerConfig::default();
        let cases =
            [(0, 0, 0.005), (0, 9, 0.095), (0, 10, 0.1), (0, 55, 0.05), (0, 99, 3.0458649e-5), (1, 0, 0.1), (1, 50, 0.05), (1, 99, 2.4671982e-5)];
        for (cycle, epoch, want) in cases {
            let got = learning_rate(&paper, 0.1, cycle, epoch);
            assert!((got - want).abs() < 1e-7 * want + 1e-12, "cycle {cycle} epoch {epoch}: {got}, want {want}");
        }
    }
}
