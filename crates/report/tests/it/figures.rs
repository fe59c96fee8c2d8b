//! Figures say what they should and survive what they should.
use striate_report::{Curve, Panel, cc_norm_histogram, learning_curves, write_svg};

/// A bell of values around `centre`, with some that are not valid.
fn units(centre: f64, n: usize) -> Vec<f64> {
    let spread = |i: usize| ((i * 7919) % 1000) as f64 / 1000.0 + ((i * 104_729) % 1000) as f64 / 1000.0 + ((i * 31) % 100) as f64 / 100.0 - 1.5;
    let mut values: Vec<f64> = (0..n).map(|i| centre + 0.22 * spread(i)).collect();
    values.extend([f64::NAN, f64::INFINITY, 7.0]);
    values
}

fn texts(svg: &str) -> Vec<&str> {
    svg.split("<text").skip(1).map(|t| t.split('>').nth(1).unwrap().split('<').next().unwrap().trim()).collect()
}

/// Keeps a figure for the eye where STRIATE_FIGURES names a folder.
fn keep(name: &str, svg: &str) {
    if let Some(folder) = std::env::var_os("STRIATE_FIGURES") {
        write_svg(&std::path::Path::new(&folder).join(name), svg).unwrap();
    }
}

#[test]
fn a_panel_per_domain_with_its_median() {
    let domains = ["natural movies", "drifting Gabors", "flashing dots", "directional pink noise"];
    let values: Vec<Vec<f64>> = [0.72, 0.55, 0.35, 0.6].iter().map(|&c| units(c, 800)).collect();
    let panels: Vec<Panel> = domains.iter().zip(&values).map(|(domain, values)| Panel { domain, values }).collect();
    let svg = cc_norm_histogram(&panels).unwrap();
    keep("histogram.svg", &svg);
    let texts = texts(&svg);
    for domain in domains {
        assert!(texts.contains(&domain), "{domain} is not in {texts:?}");
    }
    let medians: Vec<_> = texts.iter().filter_map(|t| t.strip_prefix("median ")).map(|m| m.parse::<f64>().unwrap()).collect();
    assert_eq!(medians.len(), 4);
    assert!((medians[0] - 0.72).abs() < 0.03 && (medians[2] - 0.35).abs() < 0.03, "{medians:?}");
    assert!(texts.contains(&"801 of 803 units valid, 1 above the axis"), "{texts:?}");
    assert!(svg.contains("sans-serif") && svg.contains("fill=\"#FFFFFF\""));
}

#[test]
fn units_without_a_value_are_said_to_be_so() {
    let svg = cc_norm_histogram(&[Panel { domain: "<movies & \"dots\">", values: &[f64::NAN; 4] }, Panel { domain: "none", values: &[] }]).unwrap();
    keep("histogram_empty.svg", &svg);
    assert_eq!(texts(&svg).iter().filter(|t| **t == "no valid units").count(), 2);
    assert!(svg.contains("&lt;movies &amp; &quot;dots&quot;&gt;"), "names are escaped");
    assert!(texts(&cc_norm_histogram(&[]).unwrap()).contains(&"no test domain"));
}

#[test]
fn one_unit_and_equal_units_are_drawn() {
    for values in [vec![0.5], vec![0.05; 3], vec![-4.0, 0.2], vec![1.0; 50], vec![-40.0; 3]] {
        let svg = cc_norm_histogram(&[Panel { domain: "d", values: &values }]).unwrap();
        keep(&format!("histogram_{}_{:e}.svg", values.len(), values[0]), &svg);
        assert!(texts(&svg).iter().any(|t| t.starts_with("median ")), "{values:?}");
    }
}

#[test]
fn learning_curves_name_their_lines_and_break_at_nan() {
    let train: Vec<_> = (1..=80).map(|e| (f64::from(e), 0.4 + 0.5 * (-f64::from(e) / 15.0).exp())).collect();
    let mut validation: Vec<_> =
        (1..=80).step_by(4).map(|e| (f64::from(e), 0.45 + 0.45 * (-f64::from(e) / 15.0).exp() + 0.0003 * f64::from(e))).collect();
    validation[3].1 = f64::NAN;
    let curves = [Curve { name: "training", points: &train }, Curve { name: "validation", points: &validation }];
    let svg = learning_curves("Individual model of scan 4-7", "Poisson loss (nats per unit and frame)", &curves).unwrap();
    keep("curves.svg", &svg);
    let texts = texts(&svg);
    assert!(texts.contains(&"training") && texts.contains(&"validation") && texts.contains(&"epoch"));
    assert!(texts.iter().any(|t| t.starts_with("lowest training 0.4024 at epoch 80")), "{texts:?}");
    let stretches = svg.matches("fill=\"none\" opacity=\"1\" stroke=\"#D55E00\"").count();
    // The third is the legend's.
    assert_eq!(stretches, 3, "the validation line is in two stretches");
}

#[test]
fn curves_without_or_with_one_point_are_drawn() {
    let none = learning_curves("t", "loss", &[Curve { name: "training", points: &[(1.0, f64::NAN)] }]).unwrap();
    assert!(texts(&none).contains(&"no finite objective yet"));
    assert!(learning_curves("t", "loss", &[]).is_ok());
    for points in [
        &[(1.0, 3.25)][..],
        &[(0.0, 0.0)],
        &[(1.0, -1e9), (2.0, 1e9)],
        &[(1.0, 5.0), (2.0, 5.0)],
        &[(1.0, 1.0), (2.0, f64::MAX), (3.0, -f64::MAX)],
        &[(1.0, 1e-300), (2.0, -1e-300)],
    ] {
        let svg = learning_curves("t", "loss", &[Curve { name: "training", points }]).unwrap();
        keep(&format!("curves_{:e}.svg", points[0].1), &svg);
        assert!(svg.contains("<circle"), "{points:?}");
    }
}
