//! Tuning from the command line.

use crate::{failure, output, text};
use striate::simulation::{Domain, SimulateConfig, simulate};

#[test]
fn measured_and_predicted_tuning_are_made_and_compared() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    let config = SimulateConfig {
        units: 6,
        clip_seconds: 30.0, // one round of all directions
        train_minutes: 0.5,
        validation_clips: 1,
        test_domains: vec![Domain::Natural, Domain::PinkNoise, Domain::Dots],
        test_clips: 1,
        tuning_clips: 1,
        repeats: 2,
        ..SimulateConfig::default()
    };
    simulate(&config, &at("a.zarr"), &mut |_, _| {}).expect("simulate");
    let (animal, run) = (at("a.zarr"), at("run"));
    let settings = ["loader.training_size=2", "loader.validation_size=1", "scheduler.cycle_size=1", "scheduler.warmup_epochs=0"];
    output(&[&["train", text(&animal), "--preset", "tiny", "-o", text(&run)], &settings[..]].concat());
    for (domain, table) in [("pink-noise", "direction.csv"), ("dots", "spatial.csv")] {
        let [vivo, silico, compared] = ["vivo", "silico", "compared"].map(|name| at(&format!("{domain}-{name}")));
        let said = output(&["tune", text(&animal), "--domain", domain, "-o", text(&vivo)]);
        assert!(said.contains("6 units"), "{said}");
        output(&["tune", text(&animal), "--domain", domain, "--model", text(&run), "-o", text(&silico)]);
        let said = output(&["tune", "compare", text(&vivo), text(&silico), "-o", text(&compared)]);
        assert!(said.contains("difference"), "{said}");
        for folder in [&vivo, &silico, &compared] {
            let rows = std::fs::read_to_string(folder.join(table)).expect("table");
            assert_eq!(rows.lines().count(), 7, "a line per unit: {rows}");
            assert!(folder.join("report.html").is_file());
        }
        // a tuning compared with itself differs nowhere
        let same = at(&format!("{domain}-same"));
        output(&["tune", "compare", text(&vivo), text(&vivo), "-o", text(&same)]);
        let rows = std::fs::read_to_string(same.join(table)).expect("table");
        for row in rows.lines().skip(1) {
            let numbers = row.split(',').skip(1).filter_map(|v| v.parse::<f64>().ok());
            assert!(numbers.filter(|v| v.is_finite()).all(|v| v.abs() < 1e-5), "{row}");
        }
    }
    let gratings = at("gratings");
    let directions = "direction=[0, 45, 90, 135, 180, 225, 270, 315]";
    output(&["tune", text(&run), directions, "--stimulus", "gratings", "--seconds", "40", "-o", text(&gratings)]);
    assert!(gratings.join("direction-curves.csv").is_file());

    let gradient = at("gradient");
    let said = output(&["tune", text(&run), "--stimulus", "natural", "--seconds", "1.7", "--gradient", "--units", "4,1", "-o", text(&gradient)]);
    assert!(said.contains("over 2 clips of natural"), "{said}");
    let rows = std::fs::read_to_string(gradient.join("spatial.csv")).expect("table");
    assert!(rows.lines().skip(1).map(|row| row.split(',').next().unwrap_or_default()).eq(["4", "1"]), "{rows}");
    let page = std::fs::read_to_string(gradient.join("report.html")).expect("page");
    assert!(gradient.join("filters.npy").is_file() && page.contains("mean gradient") && !page.contains("dark dots"));
    output(&["tune", "compare", text(&gradient), text(&gradient), "-o", text(&at("gradient-same"))]);

    let out = at("x");
    let refused = |arguments: &[&str]| failure(&[&["tune"], arguments, &["-o", text(&out)]].concat());
    assert!(refused(&[text(&animal), "--domain", "natural"]).contains("events"));
    assert!(refused(&[text(&animal), "--domain", "cats"]).contains("there are natural, pink-noise, dots"));
    assert!(refused(&[text(&run), "--stimulus", "cats"]).contains("no stimulus cats"));
    assert!(refused(&[text(&run), "--stimulus", "natural", "--rate", "60"]).contains("trained at 30 Hz"));
    let other = at("b.zarr");
    simulate(&SimulateConfig { animal: "another".into(), ..config }, &other, &mut |_, _| {}).expect("simulate");
    let foreign = [text(&other), "--domain", "dots", "--model", text(&run)];
    assert!(refused(&foreign).contains("animal"));
    output(&[&["tune"], &foreign[..], &["--other-recording", "-o", text(&at("foreign"))]].concat());
    assert!(refused(&[text(&animal)]).contains("--stimulus"));
    assert!(refused(&[text(&run), "--stimulus", "natural", "--gradient", "--units", "1,cat"]).contains("no unit cat"));
    assert!(refused(&[text(&run), "--stimulus", "natural", "--gradient", "--seconds", "0.5"]).contains("24 frames"));
    let (directions, fields) = (at("pink-noise-vivo"), at("dots-vivo"));
    assert!(refused(&["compare", text(&directions), text(&fields)]).contains("in common"));
    assert!(refused(&["compare", text(&directions), text(&run)]).contains("tuning.json"));
    assert!(!out.exists());
}
