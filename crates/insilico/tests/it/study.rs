//! Tables of studies, where the answer is known.

use striate_insilico::study::score::Score;
use striate_insilico::study::{areas, lesion, scaling};

fn score(arm: &str, subject: &str, fraction: f64, values: &[f64]) -> Score {
    Score {
        arm: arm.into(),
        subject: subject.into(),
        fraction,
        minutes: 10.0 * fraction,
        seed: 0,
        domain: "natural".into(),
        measure: "cc_norm",
        values: values.to_vec(),
    }
}

#[test]
fn a_foundation_reaches_an_individual_between_two_amounts_of_data() {
    let mut scores = Vec::new();
    for subject in ["a", "b"] {
        for (fraction, individual, foundation) in [(0.2, 0.1, 0.3), (0.6, 0.3, 0.5), (1.0, 0.4, 0.6)] {
            scores.push(score("individual", subject, fraction, &[individual, f64::NAN]));
            scores.push(score("foundation", subject, fraction, &[foundation]));
        }
    }
    let needed = scaling::data_needed(&scores, "individual", "foundation").expect("table");
    // .4 lies half way between .3 at 2 and .5 at 6 minutes
    let minutes = needed.floats("minutes foundation needs for that").expect("column")[0];
    assert!((minutes - 4.0).abs() < 1e-9, "{minutes}");
    let table = scaling::comparison(&scores, "individual", "foundation").expect("table");
    assert!(table.floats("difference").expect("column").iter().all(|d| (d - 0.2).abs() < 1e-9));
    assert_eq!(table.integers("runs").expect("column"), [2, 2, 2]);
    let worse = scaling::data_needed(&scores, "foundation", "individual").expect("table");
    assert!(worse.floats("minutes individual needs for that").expect("column")[0].is_nan(), "it never gets there");
}

#[test]
fn a_lesion_is_held_against_the_full_network_of_the_same_recording() {
    let scores = [
        score("full", "a", 1.0, &[0.5, 0.6, 0.7, f64::NAN]),
        score("2-D convolutions", "a", 1.0, &[0.4, 0.5, 0.65, 0.9]),
        score("2-D convolutions", "without its full one", 1.0, &[0.1]),
    ];
    let pairs = lesion::pairs(&scores);
    assert_eq!(pairs.len(), 1);
    let table = lesion::table(&pairs).expect("table");
    assert_eq!(table.integers("units").expect("column"), [3]);
    let loss = table.floats("relative loss").expect("column")[0];
    assert!((loss - (0.6 - 0.5) / 0.6).abs() < 1e-12, "{loss}");
    // differences .1, .1, .05: mean 1/12, standard deviation .0288675
    let t = table.floats("t").expect("column")[0];
    assert!((t - 5.0).abs() < 1e-6, "{t}");
    let effects = lesion::effects(&pairs).expect("table");
    assert_eq!(effects.integers("runs").expect("column"), [1]);
    assert!((effects.floats("t").expect("column")[0] - t).abs() < 1e-9, "one seed: the same test");
    // a second seed whose losses are .2, .1, .15: means .15, .1, .1, standard deviation .0288675
    let again = |s: Score| Score { seed: 1, ..s };
    let more = [again(score("full", "a", 1.0, &[0.5, 0.6, 0.7, 0.4])), again(score("2-D convolutions", "a", 1.0, &[0.3, 0.5, 0.55, f64::NAN]))];
    let effects = lesion::effects(&lesion::pairs(&[scores.to_vec(), more.to_vec()].concat())).expect("table");
    let (t, units) = (effects.floats("t").expect("column")[0], effects.integers("units").expect("column")[0]);
    assert!((t - 7.0).abs() < 1e-6 && units == 3, "{t} of {units}");
}

#[test]
fn areas_that_are_alike_but_for_one_are_told_apart() {
    let labels = vec![Some("V1".to_owned()), Some("LM".into()), Some("AL".into()), None];
    let noise = [0.004, -0.003, 0.001];
    let scores: Vec<Score> = (0..3)
        .map(|n| score("individual", &format!("m{n}"), 1.0, &[0.5 + noise[n], 0.5 - noise[(n + 1) % 3], 0.7 + 0.05 * n as f64 * 0.1, 0.9]))
        .collect();
    let table = areas::table(&scores, &|_| labels.clone()).expect("table");
    assert_eq!(table.rows(), 9, "the unit without an area is left out");
    let (names, model) = areas::mixed_model(&table, "natural").expect("model").expect("three recordings of three areas");
    assert_eq!(names, ["V1", "LM", "AL"]);
    assert!((model.coefficients[2] - 0.2).abs() < 0.02 && model.p < 0.01, "{model:?}");
    assert!(areas::mixed_model(&table, "elsewhere").expect("no rows").is_none());
}
