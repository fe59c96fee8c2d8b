//! Ranges of the settings, checked before a run starts.

use super::keys;
use crate::config::Preset;
use crate::error::Error;
use toml::{Table, Value};

/// No count of a run is near this; larger ones are a slip of the keyboard.
const MOST: usize = 1 << 24;
/// Most bytes of video that a step sees.
const STEP: usize = 1 << 36;

impl Preset {
    /// Refuses settings that no run can have, naming the key. Sizes that a recording decides may still be unset.
    ///
    /// # Errors
    /// The first setting out of range.
    pub fn check(&self) -> Result<(), Error> {
        if self.optimizer.seed > i64::MAX as u64 {
            return Err(wrong("optimizer.seed", "a whole number below 2^63", self.optimizer.seed));
        }
        all_finite(&keys::table(self)?, "")?;
        self.check_loader()?;
        self.check_optimizer()?;
        self.check_scheduler()?;
        self.model.check().map_err(|e| match e {
            striate_model::Error::Config { field, expected, got } => wrong(&format!("model.{field}"), &expected, got),
            other => other.into(),
        })
    }

    fn check_loader(&self) -> Result<(), Error> {
        let loader = &self.loader;
        counts(&[
            ("loader.sample_size", loader.sample_size),
            ("loader.batch_size", loader.batch_size),
            ("loader.training_size", loader.training_size),
        ])?;
        if loader.validation_size > MOST {
            return Err(wrong("loader.validation_size", &format!("a whole number up to {MOST}"), loader.validation_size));
        }
        let video = self.model.video.map_or(1, |[h, w]| h.saturating_mul(w)).saturating_mul(self.model.channels.max(1));
        let step = video.saturating_mul(loader.batch_size).saturating_mul(loader.sample_size);
        if step > STEP {
            let got = format!("{} and {}", loader.batch_size, loader.sample_size);
            return Err(wrong("loader.batch_size and loader.sample_size", &format!("at most {STEP} bytes of video in a step, here {step}"), got));
        }
        if !(loader.train_fraction > 0.0 && loader.train_fraction <= 1.0) {
            return Err(wrong("loader.train_fraction", "a share above 0, at most 1", loader.train_fraction));
        }
        let burnin = self.objective.burnin_frames;
        if loader.sample_size <= burnin {
            return Err(wrong("loader.sample_size", &format!("more than the {burnin} frames of objective.burnin_frames"), loader.sample_size));
        }
        Ok(())
    }

    fn check_optimizer(&self) -> Result<(), Error> {
        let o = &self.optimizer;
        for (key, v) in [("optimizer.lr", o.lr), ("optimizer.decay", o.decay)] {
            if v < 0.0 {
                return Err(wrong(key, "a number of 0 or more", v));
            }
        }
        if !(0.0..1.0).contains(&o.momentum) {
            return Err(wrong("optimizer.momentum", "a number in [0, 1)", o.momentum));
        }
        for (key, v) in [("optimizer.clip", o.clip), ("optimizer.eps", o.eps)] {
            if v <= 0.0 {
                return Err(wrong(key, "a number above 0", v));
            }
        }
        Ok(())
    }

    fn check_scheduler(&self) -> Result<(), Error> {
        let s = &self.scheduler;
        counts(&[("scheduler.cycle_size", s.cycle_size), ("scheduler.cycles", s.cycles)])?;
        if s.patience > MOST {
            return Err(wrong("scheduler.patience", &format!("a whole number up to {MOST}"), s.patience));
        }
        if s.patience > 0 && self.loader.validation_size == 0 {
            return Err(wrong("scheduler.patience", "0 where loader.validation_size is 0: there is nothing to wait for", s.patience));
        }
        if s.warmup_cycles > 0 && s.warmup_epochs >= s.cycle_size {
            return Err(wrong(
                "scheduler.warmup_epochs",
                &format!("fewer than the {} epochs of scheduler.cycle_size", s.cycle_size),
                s.warmup_epochs,
            ));
        }
        Ok(())
    }
}

fn counts(of: &[(&str, usize)]) -> Result<(), Error> {
    match of.iter().find(|(_, v)| *v == 0 || *v > MOST) {
        Some((key, v)) => Err(wrong(key, &format!("a whole number from 1 to {MOST}"), v)),
        None => Ok(()),
    }
}

/// Only `optimizer.clip` may be infinite: no clipping.
fn all_finite(table: &Table, section: &str) -> Result<(), Error> {
    for (name, value) in table {
        let key = if section.is_empty() { name.clone() } else { format!("{section}.{name}") };
        match value {
            Value::Table(inner) => all_finite(inner, &key)?,
            Value::Float(v) if !v.is_finite() && (key != "optimizer.clip" || v.is_nan()) => return Err(wrong(&key, "a finite number", v)),
            _ => {}
        }
    }
    Ok(())
}

fn wrong(key: &str, expected: &str, got: impl ToString) -> Error {
    Error::PresetValue { origin: "preset".into(), key: key.into(), expected: expected.into(), got: got.to_string() }
}
