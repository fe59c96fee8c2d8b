//! `striate report`: pages of runs, evaluations and whatever left a report.json.

use crate::runs::{animal, train};
use crate::{failure, output, text};
use striate::report::{Axis, Chart, Data, Page, Sample, Section};

#[test]
fn a_run_and_its_evaluation_have_pages() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    animal(&at("a.zarr"));
    train(&at("a.zarr"), &at("run"), &["optimizer.seed=4711"]);
    output(&["evaluate", text(&at("run")), text(&at("a.zarr")), "-o", text(&at("ev"))]);

    let said = output(&["report", text(&at("run")), "-o", text(&at("run.html")), "--figures", text(&at("figures"))]);
    assert!(said.contains("run.html") && said.contains("6 figure files"), "{said}");
    let page = std::fs::read_to_string(at("run.html")).expect("page");
    let inputs = std::fs::read_to_string(at("run").join("inputs.toml")).expect("inputs");
    let hash = inputs.lines().find_map(|l| l.strip_prefix("sha256 = ")).expect("hash").trim_matches('"');
    assert!(page.contains(hash) && page.contains("4711") && page.contains(env!("CARGO_PKG_VERSION")) && page.contains(std::env::consts::ARCH));
    let last = std::fs::read_to_string(at("run").join("epochs.jsonl")).expect("epochs");
    let last: serde_json::Value = serde_json::from_str(last.lines().last().expect("an epoch")).expect("json");
    assert!(page.contains(&format!("{:?}", last["training_objective"].as_f64().expect("number"))), "the last epoch's objective, every digit");
    assert!(at("figures").join("learning-1.pdf").is_file() && at("figures").join("learning-2.png").is_file());

    output(&["report", text(&at("ev")), "-o", text(&at("ev.html"))]);
    let page = std::fs::read_to_string(at("ev.html")).expect("page");
    assert!(page.contains("best.safetensors") && page.contains(hash), "what was evaluated on what");
    let row = std::fs::read_to_string(at("ev").join("units.csv")).expect("units").lines().nth(1).expect("a unit").to_owned();
    assert!(page.contains(&row), "{row} is in the download");
    // a page is made anew, also of an evaluation that does not say what it was made from
    std::fs::remove_file(at("ev").join("evaluation.toml")).expect("remove");
    output(&["report", text(&at("ev")), "-o", text(&at("ev.html"))]);
    assert!(std::fs::read_to_string(at("ev.html")).expect("page").contains("not recorded"));

    // a run whose first epoch is under way
    for file in ["epochs.jsonl", "best.safetensors", "weights.safetensors"] {
        std::fs::remove_file(at("run").join(file)).expect("remove");
    }
    output(&["report", text(&at("run")), "-o", text(&at("run.html"))]);
    assert!(std::fs::read_to_string(at("run.html")).expect("page").contains("No epoch is finished yet"));
}

#[test]
fn a_report_of_any_making_is_rendered() {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("study.html");
    let sample = Sample { name: "units".into(), values: vec![0.25, f64::NAN, 0.75] };
    let chart = Chart::new("<b>", Axis::new("index", ""), Axis::new("units", ""), Data::Histogram { samples: vec![sample], bins: None });
    Page::new("A study").section(Section::new("Result").chart(chart)).save(folder.path()).expect("saved");
    output(&["report", text(folder.path()), "-o", text(&out)]);
    let page = std::fs::read_to_string(&out).expect("page");
    assert!(page.contains("A study") && page.contains("&lt;b&gt;") && page.contains("2 of 3 valid"));
}

#[test]
fn what_is_no_source_is_told() {
    let folder = tempfile::tempdir().expect("folder");
    let (there, out) = (folder.path(), folder.path().join("r.html"));
    let error = failure(&["report", text(there), "-o", text(&out)]);
    assert!(["report.json", "preset.toml", "summary.json"].iter().all(|file| error.contains(file)), "{error}");
    assert!(failure(&["report", text(&there.join("none")), "-o", text(&out)]).contains("no such folder"));
    assert!(failure(&["report", text(there), "-o", text(&there.join("units.csv"))]).contains(".html"));
    std::fs::write(there.join("report.json"), "{").expect("write");
    assert!(failure(&["report", text(there), "-o", text(&out)]).contains("report.json"));
    assert!(!out.exists());
}
