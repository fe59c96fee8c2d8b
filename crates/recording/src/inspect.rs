//! Inspect: what is in a recording, and what looks wrong with it.

use crate::description::Tier;
use crate::duplicates::duplicates;
use crate::error::Error;
use crate::recording::Recording;
use ndarray::Array2;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// Trials of one tier and domain.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    /// Tier.
    pub tier: Tier,
    /// Domain.
    pub domain: String,
    /// Trials.
    pub trials: usize,
    /// Different pieces of video.
    pub videos: usize,
    /// Minutes.
    pub minutes: f64,
    /// Fewest and most repeats of a piece of video.
    pub repeats: (usize, usize),
}

/// Mean and standard deviation of an input over all trials.
#[derive(Clone, Debug, Serialize)]
pub struct Input {
    /// Name.
    pub name: String,
    /// Mean of measured samples.
    pub mean: f64,
    /// Standard deviation of measured samples.
    pub sd: f64,
    /// Samples that are missing.
    pub missing_samples: u64,
    /// Share of samples that are missing.
    pub missing: f64,
    /// Infinite samples, which no training or evaluation takes.
    pub infinite: u64,
}

/// Responses as a whole.
#[derive(Clone, Debug, Serialize)]
pub struct Responses {
    /// Mean over measured samples of all units.
    pub mean: f64,
    /// Samples, of all units, that were not measured.
    pub missing_samples: u64,
    /// Share of samples that were not measured.
    pub missing: f64,
    /// Infinite samples, which no training or evaluation takes.
    pub infinite: u64,
    /// Units that were never measured.
    pub never: usize,
    /// Units that are constant.
    pub constant: usize,
}

/// What is in a recording.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    /// Animal, session, scan.
    pub animal: String,
    /// Session, where known.
    pub session: Option<String>,
    /// Scan, where known.
    pub scan: Option<String>,
    /// Where the data came from.
    pub source: String,
    /// Whether a simulation made them.
    pub simulated: bool,
    /// Hz.
    pub rate: f64,
    /// H, W, C.
    pub frame: [usize; 3],
    /// U.
    pub units: usize,
    /// Columns of the unit table.
    pub unit_columns: Vec<String>,
    /// Trials by tier and domain.
    pub groups: Vec<Group>,
    /// Eye and behaviour inputs.
    pub inputs: Vec<Input>,
    /// Responses.
    pub responses: Responses,
    /// What looks wrong.
    pub warnings: Vec<String>,
}

/// Running sums of a column.
#[derive(Clone, Copy, Default)]
struct Sums {
    n: f64,
    sum: f64,
    square: f64,
    missing: f64,
    infinite: f64,
    low: f64,
    high: f64,
}

impl Sums {
    fn add(&mut self, v: f32) {
        if v.is_nan() {
            self.missing += 1.0;
            return;
        }
        if v.is_infinite() {
            self.infinite += 1.0;
            return;
        }
        let v = f64::from(v);
        (self.low, self.high) = if self.n == 0.0 { (v, v) } else { (self.low.min(v), self.high.max(v)) };
        self.n += 1.0;
        self.sum += v;
        self.square += v * v;
    }

    fn mean(&self) -> f64 {
        self.sum / self.n
    }

    /// Share of samples that are missing.
    fn share_missing(&self) -> f64 {
        self.missing / (self.n + self.missing + self.infinite)
    }

    fn sd(&self) -> f64 {
        (self.square / self.n - self.mean().powi(2)).max(0.0).sqrt()
    }
}

/// Reads the whole recording once, trial by trial.
pub fn inspect(recording: &Recording) -> Result<Inspection, Error> {
    let meta = recording.meta();
    let mut inputs = vec![Sums::default(); meta.eye.len() + meta.behavior.len()];
    let mut units = vec![Sums::default(); recording.unit_count()];
    for trial in 0..recording.trials().len() {
        let [eye, behavior, responses] = recording.series(trial)?;
        add(&mut inputs[..meta.eye.len()], &eye);
        add(&mut inputs[meta.eye.len()..], &behavior);
        add(&mut units, &responses);
    }
    let groups = groups(recording);
    let names = meta.eye.iter().map(|n| format!("eye {n}")).chain(meta.behavior.iter().map(|n| format!("behaviour {n}")));
    let input = |(name, s): (String, &Sums)| Input {
        name,
        mean: s.mean(),
        sd: s.sd(),
        missing_samples: s.missing as u64,
        missing: s.share_missing(),
        infinite: s.infinite as u64,
    };
    let inputs: Vec<Input> = names.zip(&inputs).map(input).collect();
    let all = units.iter().fold(Sums::default(), |a, s| Sums {
        n: a.n + s.n,
        sum: a.sum + s.sum,
        missing: a.missing + s.missing,
        infinite: a.infinite + s.infinite,
        ..a
    });
    let responses = Responses {
        mean: all.mean(),
        missing_samples: all.missing as u64,
        missing: all.share_missing(),
        infinite: all.infinite as u64,
        never: units.iter().filter(|s| s.n == 0.0).count(),
        constant: units.iter().filter(|s| s.n > 0.0 && s.low == s.high).count(),
    };
    let mut warnings = Vec::new();
    look_for_chunks(recording, &mut warnings);
    look_at_trials(recording, &groups, &mut warnings);
    look_at_values(&inputs, &responses, &units, &mut warnings);
    look_for_leaks(recording, &mut warnings)?;
    Ok(Inspection {
        animal: meta.animal.clone(),
        session: meta.session.clone(),
        scan: meta.scan.clone(),
        source: meta.source.clone(),
        simulated: meta.simulated,
        rate: meta.rate,
        frame: recording.frame_shape(),
        units: recording.unit_count(),
        unit_columns: recording.units().columns.iter().map(|(name, _)| name.clone()).collect(),
        groups,
        inputs,
        responses,
        warnings,
    })
}

fn add(sums: &mut [Sums], x: &Array2<f32>) {
    for row in x.rows() {
        sums.iter_mut().zip(row).for_each(|(s, v)| s.add(*v));
    }
}

fn groups(recording: &Recording) -> Vec<Group> {
    /// How often each piece of video was shown.
    type Shown = BTreeMap<(usize, usize), usize>;
    let mut found: BTreeMap<(Tier, &str), (Shown, usize)> = BTreeMap::new();
    for trial in recording.trials() {
        let (shown, frames) = found.entry((trial.tier, &trial.domain)).or_default();
        *shown.entry((trial.video, trial.video_start)).or_default() += 1;
        *frames += trial.frames;
    }
    let group = |((tier, domain), (shown, frames)): ((Tier, &str), (BTreeMap<_, usize>, usize))| Group {
        tier,
        domain: domain.to_owned(),
        trials: shown.values().sum(),
        videos: shown.len(),
        minutes: frames as f64 / recording.meta().rate / 60.0,
        repeats: (shown.values().copied().min().unwrap_or(0), shown.values().copied().max().unwrap_or(0)),
    };
    found.into_iter().map(group).collect()
}

fn look_at_trials(recording: &Recording, groups: &[Group], warnings: &mut Vec<String>) {
    const WINDOW: usize = 70; // frames, the paper's clip
    for tier in [Tier::Train, Tier::Validation, Tier::Test] {
        if !groups.iter().any(|g| g.tier == tier) {
            warnings.push(format!("no trial of tier {tier:?}").to_lowercase());
        }
    }
    for group in groups.iter().filter(|g| g.tier == Tier::Test && g.repeats.0 < 2) {
        warnings.push(format!("test domain {}: some video was shown once only; cc_max and cc_norm need repeats", group.domain));
    }
    let short = recording.trials().iter().filter(|t| t.tier != Tier::Test && t.frames < WINDOW).count();
    if short > 0 {
        warnings.push(format!(
            "{short} training or validation trials are shorter than {WINDOW} frames; set loader.sample_size to no more than the shortest"
        ));
    }
}

fn look_at_values(inputs: &[Input], responses: &Responses, units: &[Sums], warnings: &mut Vec<String>) {
    let infinite = inputs.iter().map(|i| (i.name.as_str(), i.infinite)).chain([("responses", responses.infinite)]);
    for (name, count) in infinite.filter(|(_, count)| *count > 0) {
        warnings.push(format!("{name}: {count} infinite values, which training and evaluation refuse; missing samples are NaN"));
    }
    for input in inputs {
        if input.sd.is_nan() {
            warnings.push(format!("{}: never measured", input.name));
        } else if input.sd > 0.0 && (input.mean.abs() > 0.5 || !(0.3..3.0).contains(&input.sd)) {
            warnings.push(format!(
                "{}: mean {:.2}, standard deviation {:.2}; expected near 0 and 1, is it standardised?",
                input.name, input.mean, input.sd
            ));
        }
    }
    if responses.never > 0 {
        warnings.push(format!("{} units were never measured", responses.never));
    }
    if responses.constant > 0 {
        warnings.push(format!("{} units are constant", responses.constant));
    }
    let negative = units.iter().filter(|s| s.n > 0.0 && s.low < 0.0).count();
    if negative > 0 {
        warnings.push(format!("{negative} units have negative responses, which a Poisson loss does not expect"));
    }
    if responses.mean.is_finite() && !(0.2..5.0).contains(&responses.mean) {
        warnings.push(format!("mean response {:.3}; expected near 1, are responses divided by their training mean?", responses.mean));
    }
}

/// Chunks that are not stored: left out by the writer because they hold nothing but the fill value, or lost.
fn look_for_chunks(recording: &Recording, warnings: &mut Vec<String>) {
    for (array, missing, all, fill) in recording.chunks_not_stored() {
        let reads = if array == "video" && fill == "0" { "black".to_owned() } else { fill };
        warnings.push(format!(
            "array {array}: {missing} of {all} chunks are not stored and read as {reads}; unless that is meant, copy the recording again"
        ));
    }
}

fn look_for_leaks(recording: &Recording, warnings: &mut Vec<String>) -> Result<(), Error> {
    let leaks = duplicates(&[recording])?;
    for (exact, how) in [(true, "are shown in more than one tier"), (false, "look like videos of an earlier tier")] {
        let of: Vec<_> = leaks.iter().filter(|leak| leak.exact == exact).collect();
        if let Some(first) = of.first() {
            warnings.push(format!("{} videos {how}, for example: {first}; scores on them are inflated", of.len()));
        }
    }
    Ok(())
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |name: &str, value: &Option<String>| value.as_ref().map_or_else(String::new, |v| format!(", {name} {v}"));
        let simulated = if self.simulated { " (simulated)" } else { "" };
        writeln!(f, "animal {}{}{}{simulated}", self.animal, part("session", &self.session), part("scan", &self.scan))?;
        writeln!(f, "source: {}", self.source)?;
        let [h, w, c] = self.frame;
        writeln!(f, "{} units ({}); video {h}x{w}, {c} channel(s), {} Hz", self.units, self.unit_columns.join(", "), self.rate)?;
        for g in &self.groups {
            let repeats = if g.repeats.0 == g.repeats.1 { g.repeats.0.to_string() } else { format!("{} to {}", g.repeats.0, g.repeats.1) };
            let tier = format!("{:?}", g.tier).to_lowercase();
            writeln!(
                f,
                "  {tier:<10} {:<12} {:>5} trials of {:>5} videos, shown {repeats} time(s), {:.1} min",
                g.domain, g.trials, g.videos, g.minutes
            )?;
        }
        for i in &self.inputs {
            writeln!(f, "  {:<24} mean {:>6.2}  sd {:>5.2}  missing {} ({:.1} %)", i.name, i.mean, i.sd, i.missing_samples, 100.0 * i.missing)?;
        }
        let r = &self.responses;
        writeln!(f, "  {:<24} mean {:>6.2}  unmeasured {} ({:.1} %)", "responses", r.mean, r.missing_samples, 100.0 * r.missing)?;
        match self.warnings.len() {
            0 => write!(f, "nothing looks wrong"),
            _ => write!(f, "looks wrong:\n  - {}", self.warnings.join("\n  - ")),
        }
    }
}
