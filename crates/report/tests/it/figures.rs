//! Figures as files, and the histograms of accuracy.
use striate_report::{Axis, Chart, Data, Figure, Series, cc_norm_charts};

use crate::charts::of_every_kind;

/// A bell of values around `centre`, with some that are not valid.
fn units(centre: f64, n: usize) -> Vec<f64> {
    let spread = |i: usize| ((i * 7919) % 1000) as f64 / 1000.0 + ((i * 104_729) % 1000) as f64 / 1000.0 + ((i * 31) % 100) as f64 / 100.0 - 1.5;
    let mut values: Vec<f64> = (0..n).map(|i| centre + 0.22 * spread(i)).collect();
    values.extend([f64::NAN, f64::INFINITY, 7.0]);
    values
}

/// The figure of CC_norm on these domains.
fn histograms(domains: &[(&str, &[f64])]) -> String {
    Figure::panels("cc_norm", &cc_norm_charts(domains)).svg()
}

fn texts(svg: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(svg).expect("well-formed");
    document.descendants().filter(|n| n.has_tag_name("text")).map(|n| n.text().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_panel_per_domain_with_its_median() {
    let names = ["natural movies", "drifting Gabors", "flashing dots", "directional pink noise"];
    let values: Vec<Vec<f64>> = [0.72, 0.55, 0.35, 0.6].iter().map(|&c| units(c, 800)).collect();
    let domains: Vec<(&str, &[f64])> = names.into_iter().zip(values.iter().map(Vec::as_slice)).collect();
    let texts = texts(&histograms(&domains));
    for name in names {
        assert!(texts.iter().any(|t| t == name), "{name} is not in {texts:?}");
    }
    let medians: Vec<f64> = texts.iter().filter_map(|t| t.strip_prefix("median ")).map(|m| m.parse().unwrap()).collect();
    assert_eq!(medians.len(), 4);
    assert!((medians[0] - 0.72).abs() < 0.03 && (medians[2] - 0.35).abs() < 0.03, "{medians:?}");
    assert!(texts.iter().any(|t| t == "801 of 803 valid; 1 above the axis."), "{texts:?}");
}

#[test]
fn units_without_a_value_are_said_to_be_so() {
    let svg = histograms(&[("<movies & \"dots\">", &[f64::NAN; 4]), ("none", &[])]);
    assert_eq!(texts(&svg).iter().filter(|t| *t == "no valid values").count(), 2);
    assert!(texts(&svg).iter().any(|t| t == "<movies & \"dots\">"), "names are escaped and come back");
    assert!(roxmltree::Document::parse(&histograms(&[])).is_ok());
}

#[test]
fn one_unit_and_equal_units_have_a_median() {
    for values in [vec![0.5], vec![0.05; 3], vec![-4.0, 0.2], vec![1.0; 50], vec![-40.0; 3]] {
        assert!(texts(&histograms(&[("d", &values)])).iter().any(|t| t.starts_with("median ")), "{values:?}");
    }
}

#[test]
fn files_are_what_their_names_say() {
    let folder = tempfile::tempdir().unwrap();
    for (i, chart) in of_every_kind(&[1.0, 90.0, 200.0, f64::NAN], &[2.0, 3.0, 4.0, 1.0]).iter().enumerate() {
        let files = Figure::new(chart).write_all(folder.path(), &format!("f{i}")).unwrap();
        let bytes: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
        assert!(roxmltree::Document::parse(std::str::from_utf8(&bytes[0]).unwrap()).is_ok());
        assert!(bytes[1].starts_with(b"%PDF-") && bytes[1].len() > 2000, "{} bytes", bytes[1].len());
        let picture = tiny_skia::Pixmap::decode_png(&bytes[2]).unwrap();
        assert_eq!(picture.width(), 1320, "three dots to the pixel");
        let dark = picture.pixels().iter().filter(|p| p.red() < 100 && p.green() < 100 && p.blue() < 100).count();
        assert!(dark > 500, "lettering is drawn: {dark}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 30, "nothing is left behind");
    let chart = Chart::new("t", Axis::default(), Axis::default(), Data::Lines { series: vec![Series::default()] });
    let error = Figure::new(&chart).write(&folder.path().join("f.gif")).unwrap_err().to_string();
    assert!(error.contains(".svg, .pdf or .png"), "{error}");
}

#[test]
fn curves_that_share_a_colour_are_told_apart_by_dashes() {
    let curves = |count: usize| {
        let series = (0..count).map(|n| Series::new(format!("s{n}"), vec![0.0, 1.0], vec![n as f64, 1.0])).collect();
        Figure::new(&Chart::new("t", Axis::default(), Axis::default(), Data::Lines { series })).svg()
    };
    assert_eq!(curves(6).matches("stroke-dasharray").count(), 0);
    assert_eq!(curves(8).matches("stroke-dasharray").count(), 2 * 2, "two curves, and two places in the legend");
}
