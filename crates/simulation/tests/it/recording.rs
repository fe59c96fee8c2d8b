//! A simulated recording is one like any other, says what it is, and its truth can be had.

use crate::small;
use ndarray::{Array2, Axis, Zip};
use std::time::Instant;
use striate_recording::{Recording, Tier};
use striate_simulation::{Cortex, Domain, SimulateConfig, simulate, true_rates};

fn make(config: &SimulateConfig, threads: usize) -> (tempfile::TempDir, Recording) {
    let folder = tempfile::tempdir().unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let recording = pool.install(|| simulate(config, &folder.path().join("animal.zarr"), &mut |_, _| {})).unwrap();
    (folder, recording)
}

fn correlation<'a>(a: impl IntoIterator<Item = &'a f64>, b: impl IntoIterator<Item = &'a f64>) -> f64 {
    let (a, b): (Vec<f64>, Vec<f64>) = (a.into_iter().copied().collect(), b.into_iter().copied().collect());
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let (ma, mb) = (mean(&a), mean(&b));
    let dot = |x: &[f64], mx: f64, y: &[f64], my: f64| x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum::<f64>();
    dot(&a, ma, &b, mb) / (dot(&a, ma, &a, ma) * dot(&b, mb, &b, mb)).sqrt()
}

fn median(mut x: Vec<f64>) -> f64 {
    x.retain(|v| !v.is_nan());
    x.sort_by(f64::total_cmp);
    x[x.len() / 2]
}

/// Responses [repeats][T of all clips, U] of a test domain.
fn repeated(recording: &Recording, domain: &str) -> Vec<Array2<f64>> {
    let groups = recording.repeats(domain);
    let repeats = groups[0].len();
    let series = |trial: usize| recording.window(trial, 0, recording.trials()[trial].frames).unwrap().responses.mapv(f64::from);
    (0..repeats)
        .map(|r| {
            let clips: Vec<Array2<f64>> = groups.iter().map(|g| series(g[r])).collect();
            ndarray::concatenate(Axis(0), &clips.iter().map(|c| c.view()).collect::<Vec<_>>()).unwrap()
        })
        .collect()
}

/// Signal share of single-trial variance, and highest possible correlation with the mean over repeats, of a unit (Sahani and
/// Linden 2003, Schoppe et al. 2016).
fn signal(repeats: &[Array2<f64>], unit: usize) -> (f64, f64) {
    let variance = |x: &[f64]| {
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (x.len() - 1) as f64
    };
    let n = repeats.len() as f64;
    let single = repeats.iter().map(|r| variance(&r.column(unit).to_vec())).sum::<f64>() / n;
    let mean = repeats.iter().fold(Array2::zeros(repeats[0].dim()), |sum, r| sum + r) / n;
    let of_mean = variance(&mean.column(unit).to_vec());
    let power = (n * of_mean - single) / (n - 1.0);
    (power / single, if power > 0.0 { (power / of_mean).sqrt() } else { f64::NAN })
}

#[test]
fn same_seed_same_bits_on_one_thread_and_two() {
    let config = SimulateConfig { test_domains: vec![Domain::Natural, Domain::Noise, Domain::Gratings], ..small() };
    let ((_a, one), (_b, two)) = (make(&config, 1), make(&config, 2));
    assert_eq!(one.trials(), two.trials());
    assert_eq!(one.units().columns, two.units().columns);
    for trial in 0..one.trials().len() {
        let [a, b] = [&one, &two].map(|r| r.window(trial, 0, 90).unwrap());
        assert_eq!((a.video, a.eye, a.behavior), (b.video, b.eye, b.behavior), "trial {trial}");
        assert_eq!(a.responses.map(|v| v.to_bits()), b.responses.map(|v| v.to_bits()), "trial {trial}");
    }
    let (_c, other) = make(&SimulateConfig { seed: 6, ..config }, 2);
    assert_ne!(one.window(0, 0, 90).unwrap().video, other.window(0, 0, 90).unwrap().video);
}

#[test]
fn holds_what_was_asked_for_and_says_that_it_is_simulated() {
    let config = small();
    let (_folder, recording) = make(&config, 2);
    let meta = recording.meta();
    assert!(meta.simulated && meta.source.contains("simulated"), "{meta:?}");
    assert_eq!(SimulateConfig::of(&recording).unwrap(), config);
    let count = |tier| recording.trials_of(tier).len();
    // 0.4 minutes of 3 s clips; 2 natural clips and 1 of noise, 4 times each
    assert_eq!([count(Tier::Train), count(Tier::Validation), count(Tier::Test)], [8, 1, 12]);
    assert_eq!(recording.test_domains(), ["natural", "noise"]);
    assert_eq!(recording.repeats("natural").iter().map(Vec::len).collect::<Vec<_>>(), [4, 4]);
    assert_eq!(recording.units().column("area").unwrap()[..5], ["V1", "LM", "AL", "RL", "V1"].map(serde_json::Value::from));
    for name in ["x", "y"] {
        assert!(recording.units().column(name).unwrap().iter().all(|v| v.as_f64().unwrap().abs() <= 1.0), "{name}");
    }
}

#[test]
fn training_series_are_standardised() {
    let (_folder, recording) = make(&small(), 2);
    let windows: Vec<_> = recording.trials_of(Tier::Train).into_iter().map(|t| recording.window(t, 0, 90).unwrap()).collect();
    let columns = |of: fn(&striate_recording::Window) -> &Array2<f32>| {
        ndarray::concatenate(Axis(0), &windows.iter().map(|w| of(w).view()).collect::<Vec<_>>()).unwrap().mapv(f64::from)
    };
    for mean in columns(|w| &w.responses).mean_axis(Axis(0)).unwrap() {
        assert!((mean - 1.0).abs() < 1e-4, "mean response {mean}");
    }
    for series in [columns(|w| &w.eye), columns(|w| &w.behavior)] {
        for (mean, sd) in series.mean_axis(Axis(0)).unwrap().iter().zip(series.std_axis(Axis(0), 0.0)) {
            assert!(mean.abs() < 1e-4 && (sd - 1.0).abs() < 1e-4, "{mean} +- {sd}");
        }
    }
    assert!(windows.iter().all(|w| w.responses.iter().all(|v| v.is_finite() && *v >= 0.0)));
}

#[test]
fn repeats_are_alike_and_follow_the_truth() {
    let config = SimulateConfig { test_clips: 3, clip_seconds: 8.0, repeats: 6, ..small() };
    let (_folder, recording) = make(&config, 2);
    let repeats = repeated(&recording, "natural");
    let alike = |u: usize| correlation(repeats[0].column(u), repeats[1].column(u));
    let median_alike = median((0..12).map(alike).collect());
    assert!(median_alike > 0.1, "median correlation of two repeats {median_alike}");
    // responses to other video are not alike
    let elsewhere = |u: usize| {
        let (a, b) = (repeats[0].column(u), repeats[1].column(u));
        correlation(a.iter().take(240), b.iter().skip(240).take(240))
    };
    let median_elsewhere = median((0..12).map(elsewhere).collect());
    assert!(median_elsewhere < median_alike / 2.0, "{median_elsewhere} against {median_alike}");

    let cortex = Cortex::new(&SimulateConfig::of(&recording).unwrap()).unwrap();
    let groups = recording.repeats("natural");
    let trials = groups.iter().flatten();
    let (mut measured, mut truth) = (Array2::zeros((240 * 3, 12)), Array2::zeros((240 * 3, 12)));
    for (i, trial) in trials.enumerate() {
        let rows = i / 6 * 240..i / 6 * 240 + 240;
        let response = recording.window(*trial, 0, 240).unwrap().responses.mapv(f64::from);
        let rates = true_rates(&cortex, &recording, *trial).unwrap();
        Zip::from(measured.slice_mut(ndarray::s![rows.clone(), ..])).and(&response).for_each(|m, v| *m += v);
        Zip::from(truth.slice_mut(ndarray::s![rows, ..])).and(&rates).for_each(|m, v| *m += v);
    }
    let follows = median((0..12).map(|u| correlation(measured.column(u), truth.column(u))).collect());
    assert!(follows > 0.6, "median correlation of mean response and mean truth {follows}");
}

/// Prints what a default animal costs and how reliable its responses are.
#[test]
#[ignore = "half a minute: time and reliability of the default animal"]
fn the_default_animal() {
    let began = Instant::now();
    let folder = std::env::var_os("STRIATE_KEEP").map(std::path::PathBuf::from);
    let config = SimulateConfig::default();
    let (_folder, recording) = match folder {
        Some(path) => (tempfile::tempdir().unwrap(), simulate(&config, &path, &mut |_, _| {}).unwrap()),
        None => make(&config, 2),
    };
    println!("{:.1} s for {} units, {} trials", began.elapsed().as_secs_f64(), recording.unit_count(), recording.trials().len());
    for domain in recording.test_domains() {
        let repeats = repeated(&recording, &domain);
        let all: Vec<(f64, f64)> = (0..recording.unit_count()).map(|u| signal(&repeats, u)).collect();
        let (fraction, cc_max) = (median(all.iter().map(|s| s.0).collect()), median(all.iter().map(|s| s.1).collect()));
        let mut sorted: Vec<f64> = all.iter().map(|s| s.1).collect();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (sorted[sorted.len() / 10], sorted[sorted.len() * 9 / 10]);
        println!("{domain}: median signal share of a trial {fraction:.2}, median cc_max {cc_max:.2} (10 to 90 %: {low:.2} to {high:.2})");
        let cortex = Cortex::new(&config).unwrap();
        let rates = |trial: usize| true_rates(&cortex, &recording, trial).unwrap();
        let (mut best, groups) = (Vec::new(), recording.repeats(&domain));
        let of_clips = |r: usize| groups.iter().map(|g| rates(g[r])).collect::<Vec<_>>();
        for r in 0..repeats.len() {
            let clips = of_clips(r);
            best.push(ndarray::concatenate(Axis(0), &clips.iter().map(|c| c.view()).collect::<Vec<_>>()).unwrap());
        }
        let mean = |x: &[Array2<f64>]| x.iter().fold(Array2::zeros(x[0].dim()), |sum, r| sum + r);
        let (truth, measured) = (mean(&best), mean(&repeats));
        // a little later: imaging and interpolation smear
        for late in [0, 1, 2] {
            let n = truth.nrows();
            let of = |u: usize| correlation(truth.column(u).iter().take(n - late), measured.column(u).iter().skip(late)) / all[u].1;
            println!("  the truth itself, {late} frames late: median cc_norm {:.2}", median((0..all.len()).map(of).collect()));
        }
        if domain == "natural" {
            assert!((0.65..0.95).contains(&cc_max), "median cc_max {cc_max}");
        }
    }
}
