//! Pages: well-formed, self-contained, and true to what they are made from.
use striate_analysis::Table;
use striate_report::{
    Axis, BarStyle, Chart, Colours, Data, Evaluation, FinishedEpoch, Group, Page, Places, Run, Sample, Scale, Section, Series, evaluation, run,
};

use crate::charts::of_every_kind;

/// Keeps a page and its figures for the eye where STRIATE_FIGURES names a folder.
fn keep(page: &Page, html: &str) {
    if let Some(folder) = std::env::var_os("STRIATE_FIGURES") {
        let name: String = page.title.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
        let folder = std::path::Path::new(&folder).join(name);
        page.write_figures(&folder).unwrap();
        std::fs::write(folder.join("page.html"), html).unwrap();
    }
}

/// The page without style and script, whose text follows other rules, as a tree.
fn checked(page: &Page) -> String {
    let html = page.html();
    keep(page, &html);
    let mut plain = html.replacen("<!DOCTYPE html>", "", 1);
    for name in ["style", "script"] {
        let (from, to) = (plain.find(&format!("<{name}>")).unwrap() + name.len() + 2, plain.rfind(&format!("</{name}>")).unwrap());
        for loading in ["http:", "https:", "url(", "@import", "fetch(", "src", "import("] {
            assert!(!plain[from..to].contains(loading), "{loading}");
        }
        plain.replace_range(from..to, "");
    }
    let document = roxmltree::Document::parse(&plain).unwrap_or_else(|e| panic!("not well-formed: {e}"));
    let ids: Vec<&str> = document.descendants().filter_map(|n| n.attribute("id")).collect();
    for node in document.descendants().filter(|n| n.is_element()) {
        assert!(["src", "srcset", "style", "action"].iter().all(|name| node.attribute(*name).is_none()), "{node:?}");
        assert!(!["img", "link", "iframe", "object", "embed", "base"].contains(&node.tag_name().name()), "{node:?}");
        assert!(node.attributes().all(|a| !a.name().starts_with("on")), "{node:?}");
        if let Some(href) = node.attribute("href") {
            let inside = href.strip_prefix('#').is_some_and(|id| ids.contains(&id));
            assert!(inside || href.starts_with("data:text/csv;"), "{href}");
        }
    }
    let scripts = document.descendants().filter(|n| n.has_tag_name("script")).count();
    assert_eq!(scripts, 1, "only our own script");
    html
}

fn a_run(epochs: usize) -> Run {
    let epoch = |e: usize| FinishedEpoch {
        epoch: e,
        learning_rate: 0.1,
        training: 1.0 / e as f64 + 0.123_456,
        validation: e.is_multiple_of(2).then_some(if e == 4 { 0.3131 } else { 1.5 }),
    };
    Run {
        name: "mouse".into(),
        version: "9.8.7".into(),
        recordings: vec![("/data/<script>alert(1)</script>.zarr".into(), "28c148de".into())],
        recipe: "all modules, on one recording".into(),
        seed: 4711,
        preset: "[model]\nunits = 80\n".into(),
        planned: 6,
        burnin: 10,
        epochs: (1..=epochs).map(epoch).collect(),
        ..Run::default()
    }
}

#[test]
fn the_page_of_a_run_says_what_was_run_and_how_it_went() {
    let html = checked(&run(&a_run(5)).unwrap());
    for said in ["9.8.7", "4711", "28c148de", "not recorded", "units = 80", "5 of 6 finished", "not finished"] {
        assert!(html.contains(said), "{said}");
    }
    assert!(html.contains("Objective 0.3235 in epoch 5; lowest on validation clips 0.3131 after epoch 4"), "{html}");
    assert!(html.contains("5,0.1,0.323456,NaN%0A"), "the download has every digit");
    assert!(!html.contains("<script>alert"));
}

#[test]
fn a_run_without_epochs_and_one_of_nan_have_a_page() {
    let html = checked(&run(&a_run(0)).unwrap());
    assert!(html.contains("No epoch is finished yet") && html.contains("no finite values") && html.contains("This table is empty"));
    let mut nan = a_run(1);
    nan.epochs[0].training = f64::NAN;
    assert!(checked(&run(&nan).unwrap()).contains("no finite values"));
}

fn an_evaluation(domain: &str, norm: f64) -> Evaluation {
    let units = Table::new()
        .with("unit", (0..30).map(|i| format!("u{i}")).collect::<Vec<_>>())
        .and_then(|t| t.with("domain", vec![domain.to_owned(); 30]))
        .and_then(|t| t.with("cc_abs", (0..30).map(|i| f64::from(i) / 40.0).collect::<Vec<_>>()))
        .and_then(|t| t.with("cc_max", vec![0.9; 30]))
        .and_then(|t| t.with("cc_norm", vec![norm; 30]))
        .and_then(|t| t.with("single_trial", vec![0.2; 30]))
        .unwrap();
    Evaluation { name: "ev".into(), facts: vec![("recording".into(), "a & b".into())], units, domains: vec![(domain.to_owned(), 60, 10)] }
}

#[test]
fn the_page_of_an_evaluation_has_medians_and_downloads() {
    let html = checked(&evaluation(&an_evaluation("natural", 0.625)).unwrap());
    assert!(html.contains("natural: median cc_norm 0.625 over 30 units"), "{html}");
    assert!(html.contains("a &amp; b") && html.contains("12 of 30 rows") && html.contains("download=\"units.csv\""));
    assert!(html.contains("Schoppe") && html.contains("u29,natural,0.725,0.9,0.625,0.2%0A"), "all rows are in the download");
}

#[test]
fn without_a_ceiling_the_correlation_is_shown() {
    let html = checked(&evaluation(&an_evaluation("pictures", f64::NAN)).unwrap());
    assert!(html.contains("median cc_abs 0.362 over 30 units, without a noise ceiling") && html.contains("This is cc_abs"), "{html}");
}

#[test]
fn hostile_names_stay_text() {
    let name = "</title><script>alert('x')</script><img src=x onerror=\"y\">\u{0}\u{7}&amp;]]>";
    let html = checked(&evaluation(&an_evaluation(name, 0.5)).unwrap());
    assert!(html.contains("&lt;script&gt;") && !html.contains("<img"));
    let mut section = Section::new(name).text(name).listing(name).computed(name).table(name, Table::new().with(name, vec![name.to_owned()]).unwrap());
    section.charts = of_every_kind(&[1.0], &[1.0]).into_iter().map(|c| c.with_note(name)).collect();
    let page = Page { summary: name.into(), ..Page::new(name) }.fact(name, name).section(section.clone()).section(section);
    checked(&page);
}

#[test]
fn empty_tables_and_pages_are_pages() {
    checked(&Page::default());
    let empty = Table::new().with("none", Vec::<f64>::new()).unwrap();
    let page = Page::new("t").section(Section::new("").table("a", Table::new()).table("b", empty));
    assert_eq!(checked(&page).matches("This table is empty").count(), 2);
    assert!(evaluation(&Evaluation::default()).unwrap_err().to_string().contains("cc_norm"));
}

#[test]
fn a_folder_with_a_page_is_a_source() {
    let folder = tempfile::tempdir().unwrap();
    let mut section = Section::new("Kinds").table("values", Table::new().with("v", vec![1.5, 2.0]).unwrap().with("ok", vec![true, false]).unwrap());
    section.charts = of_every_kind(&[1.0, 2.0], &[0.5, 0.25]);
    let page = Page::new("Study").fact("seed", 1).section(section.clone()).section(section);
    page.save(folder.path()).unwrap();
    assert_eq!(Page::open(folder.path()).unwrap(), page);
    let files = page.write_figures(&folder.path().join("figures")).unwrap();
    assert_eq!(files.len(), 60);
    assert!(files[0].ends_with("kinds-1.svg") && files[30].ends_with("kinds-2-1.svg"), "{files:?}");
    std::fs::write(folder.path().join("report.json"), "{\"title\": \"t\", \"colour\": 1}").unwrap();
    let error = Page::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("report.json") && error.contains("colour"), "{error}");
}

/// Charts as analyses make them.
fn gallery() -> Vec<Chart> {
    let steps = |n: usize| (0..n).map(|i| i as f64);
    let chart = |title: &str, x: Axis, y: Axis, data: Data| Chart::new(title, x, y, data);
    let noise = |i: usize| ((i * 7919) % 1000) as f64 / 1000.0 + ((i * 104_729) % 1000) as f64 / 1000.0 - 1.0;
    let runs: Vec<Vec<f64>> = (0..3).map(|seed| steps(5).map(|i| 0.7 - 0.5 / (i + 1.0 + f64::from(seed) * 0.2)).collect()).collect();
    let minutes = vec![4.0, 8.0, 16.0, 32.0, 64.0];
    let scaling = vec![
        Series::spread("foundation core, transferred", minutes.clone(), &runs),
        Series::spread("individual", minutes, &runs.iter().map(|r| r.iter().map(|v| v - 0.15).collect()).collect::<Vec<_>>()),
    ];
    let points = |n: usize| {
        let x: Vec<f64> = (0..n).map(|i| 0.5 + 0.3 * noise(i)).collect();
        Series::new("", x.clone(), x.iter().enumerate().map(|(i, v)| v * 0.9 + 0.1 * noise(i * 31 + 7)).collect())
    };
    let areas: Vec<String> = ["V1", "LM", "AL", "RL"].map(String::from).to_vec();
    let names = |kinds: &[&str]| kinds.iter().map(|k| (*k).to_owned()).collect::<Vec<_>>();
    let stimuli = names(&["natural movies", "drifting Gabors", "flashing Gaussian dots", "random dot kinematograms"]);
    let group = |name: &str, values: Vec<f64>| {
        let edge = |by: f64| values.iter().map(|v| v + by).collect();
        Group { name: name.into(), low: edge(-0.05), high: edge(0.06), values }
    };
    let groups = vec![group("twin", vec![0.72, 0.55, 0.41, 0.6]), group("linear-nonlinear", vec![0.42, 0.21, 0.3, 0.33])];
    let bars = |style| Data::Bars { names: stimuli.clone(), groups: groups.clone(), style };
    let confusion = Data::Heatmap {
        values: vec![0.81, 0.1, 0.05, 0.04, 0.2, 0.6, 0.15, 0.05, 0.1, 0.2, 0.55, 0.15, 0.12, 0.08, 0.2, 0.6],
        rows: Places::Names(areas.clone()),
        columns: Places::Names(areas),
        colours: Colours { label: "share of the row".into(), ends: Some([0.0, 1.0]), diverging: false },
    };
    let field = (0..36 * 64)
        .map(|i| ((i % 64) as f64 / 6.0 - 5.0, (i / 64) as f64 / 6.0 - 3.0))
        .map(|(x, y)| (-(x * x + y * y) / 2.0).exp() * (2.0 * x).cos());
    let map = Data::Heatmap {
        values: field.collect(),
        rows: Places::Range { count: 36, ends: [20.0, -20.0] },
        columns: Places::Range { count: 64, ends: [-35.0, 35.0] },
        colours: Colours { label: "response (spikes/s)".into(), ends: None, diverging: true },
    };
    let degrees: Vec<f64> = steps(16).map(|i| i * 22.5).collect();
    let tuned = |centre: f64| degrees.iter().map(|d| 1.0 + 4.0 * (3.0 * ((d - centre).to_radians().cos() - 1.0)).exp()).collect::<Vec<f64>>();
    let measured = tuned(40.0);
    let edge = |by: f64| measured.iter().map(|v| v * by).collect();
    let tuning = vec![
        Series::new("in vivo", degrees.clone(), measured.clone()).with_band(edge(0.85), edge(1.15)),
        Series::new("in silico", degrees.clone(), tuned(48.0)),
    ];
    let samples = vec![
        Sample { name: "twin".into(), values: (0..700).map(|i| 0.6 + 0.2 * noise(i)).collect() },
        Sample { name: "linear".into(), values: (0..700).map(|i| 0.35 + 0.25 * noise(i)).collect() },
    ];
    let cc = || Axis::new("cc_norm", "");
    vec![
        chart(
            "Accuracy and amount of data",
            Axis::new("training data", "minutes").scaled(Scale::Log),
            Axis::new("median cc_norm", ""),
            Data::Lines { series: scaling },
        )
        .with_note("Lines: means over 3 seeds; bands: their range"),
        chart(
            "In silico and in vivo",
            Axis::new("gOSI in vivo", ""),
            Axis::new("gOSI in silico", ""),
            Data::Scatter { series: vec![points(300)], diagonal: true },
        ),
        chart(
            "Many units",
            Axis::new("gOSI in vivo", ""),
            Axis::new("gOSI in silico", ""),
            Data::Scatter { series: vec![points(20_000)], diagonal: true },
        ),
        chart("Accuracy of two models", cc(), Axis::new("units", ""), Data::Histogram { samples, bins: None }),
        chart("By stimulus", cc(), Axis::default(), bars(BarStyle::Bars)).with_note("Medians; lines are 95 % intervals"),
        chart("By stimulus, dots", cc(), Axis::default(), bars(BarStyle::Dots)),
        chart("By stimulus, paired", cc(), Axis::default(), bars(BarStyle::Paired)),
        chart("Visual areas told apart", Axis::new("predicted area", ""), Axis::new("true area", ""), confusion),
        chart("Receptive field", Axis::new("azimuth", "°"), Axis::new("elevation", "°"), map),
        chart("Direction tuning", Axis::new("direction", "°"), Axis::new("response", "spikes/s"), Data::Polar { series: tuning }),
    ]
}

#[test]
fn a_page_of_every_kind_of_chart_is_small() {
    let mut section = Section::new("Every kind of chart").text("Made-up numbers.").computed("f(x) = x");
    section.charts = gallery();
    let html = checked(&Page::new("Gallery").fact("seed", 1).section(section).section(Section::new("Another").listing("a = 1")));
    assert!(html.len() < 1_200_000, "{}", html.len());
}
