//! The page of a study: its tables and figures, from the scores of its cells.

use super::folder::StudyFolder;
use super::learning;
use crate::figures::densities;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use striate::analysis::Table;
use striate::insilico::study::{Cell, Kind, Score, areas, lesion, reliability, scaling, score};
use striate::recording::Recording;
use striate::report::{Axis, BarStyle, Chart, Data, Group, Page, Sample, Section, Series, tabular};

/// How accuracy is computed, for every study.
const ACCURACY: &str = "Accuracy is the median over units of cc_norm = cc_abs / cc_max: cc_abs is the Pearson correlation of mean prediction and mean response over the samples of a test domain, cc_max the most that the repeats' noise allows (Schoppe et al. 2016). Units without a finite value are left out and counted. In a domain that was not repeated no unit has a cc_norm; accuracy is then the median of cc_abs.";

/// Label of its axis.
const ACCURACY_AXIS: &str = "accuracy (median over units)";

/// Writes results.csv, report.json and report.html of the cells that are done.
pub fn write(study: &StudyFolder, cells: &[Cell], leaks: &[String]) -> Result<()> {
    let scores = scores(study, cells)?;
    let results = score::table(&scores)?;
    tabular::write_csv(&study.path.join("results.csv"), &results)?;
    let page = heading(study, cells, leaks)?;
    let page = match study.design.kind {
        Kind::DataScaling => scaling_sections(page, &scores, "individual", "foundation")?,
        Kind::Recurrent => scaling_sections(page, &scores, "CvT-LSTM", "Conv-LSTM")?,
        Kind::Lesion => lesion_sections(page, &scores)?,
        Kind::Areas => area_sections(page, study, &scores)?,
        Kind::Reliability => reliability_sections(page, study, cells, &scores)?,
    };
    let page = page.section(learning::section(study, cells)?);
    let page = page.section(Section::new("All models").table("results", results).computed(ACCURACY));
    let page = page.section(
        Section::new("Preset")
            .text("Every value the models were made with; what differs between models is in the text above.")
            .listing(striate::training::preset::to_toml(&study.design.preset)?),
    );
    page.save(&study.path)?;
    page.write_html(&study.path.join("report.html"))?;
    Ok(())
}

/// Scores of all cells that are done.
fn scores(study: &StudyFolder, cells: &[Cell]) -> Result<Vec<Score>> {
    let mut scores = Vec::new();
    for cell in cells.iter().filter(|cell| study.done(cell)) {
        let Some(subject) = cell.subject().map(|s| &study.design.test[s]) else { continue };
        let file = study.evaluation(&cell.name).join("units.csv");
        let units = tabular::read_csv(&file).with_context(|| format!("{}", file.display()))?;
        scores.extend(Score::of(cell, &subject.name, subject.minutes * cell.fraction, &units).with_context(|| format!("{}", file.display()))?);
    }
    Ok(scores)
}

fn heading(study: &StudyFolder, cells: &[Cell], leaks: &[String]) -> Result<Page> {
    let design = &study.design;
    let (title, done) = (format!("Study: {}", design.kind), cells.iter().filter(|cell| study.done(cell)).count());
    let names = |list: &[striate::insilico::study::Subject]| list.iter().map(|s| s.name.clone()).collect::<Vec<_>>().join(", ");
    let mut page = Page::new(title)
        .fact("models", format!("{done} of {} done", cells.len()))
        .fact("striate", env!("CARGO_PKG_VERSION"))
        .fact("machine", crate::provenance::machine())
        .fact("seeds", format!("{:?}", design.seeds))
        .fact("tested on", names(&design.test));
    if !design.cohort.is_empty() {
        page = page.fact("cohort", names(&design.cohort)).fact("shared", &design.share);
    }
    for subject in design.cohort.iter().chain(&design.test) {
        let what =
            format!("{}, {} units, {:.1} min of training video, SHA-256 {}", subject.path.display(), subject.units, subject.minutes, subject.sha256);
        page = page.fact(&subject.name, what);
    }
    if !leaks.is_empty() {
        page = page.fact("held-out video that is training video", leaks.join("; "));
    }
    let simulated = design.test.iter().map(|s| Ok(Recording::open(&s.path)?.meta().simulated)).collect::<Result<Vec<bool>>>()?;
    if simulated.contains(&true) {
        page.summary = "Recordings of a simulated visual cortex, not measurements of any animal.".into();
    }
    Ok(page)
}

fn domains(scores: &[Score]) -> Vec<String> {
    score::distinct(scores.iter().map(|s| s.domain.clone()))
}

fn scaling_sections(mut page: Page, scores: &[Score], first: &str, second: &str) -> Result<Page> {
    let both = [first, second].iter().all(|arm| scores.iter().any(|s| s.arm == *arm));
    if both {
        let needed = scaling::data_needed(scores, first, second)?;
        let how =
            format!("Mean accuracy over recordings and seeds, between amounts of data on straight lines. Empty where {second} never gets there.");
        page = page.section(Section::new(format!("How much data {second} needs")).table("data needed", needed).computed(how));
        let table = scaling::comparison(scores, first, second)?;
        let how = "Means over recordings and seeds. t and p: paired two-sided t-test over recordings, seeds averaged first.";
        page = page.section(Section::new(format!("{second} against {first}")).table("comparison", table).computed(how));
    }
    for domain in domains(scores) {
        let curves = scaling::curves(scores, &domain);
        let series = curves.iter().map(|c| Series::spread(&c.arm, c.minutes.clone(), &c.runs)).collect();
        let (x, y) = (Axis::new("training data", "minutes"), Axis::new(ACCURACY_AXIS, ""));
        let chart = Chart::new(format!("Accuracy on {domain}"), x.clone(), y.clone(), Data::Lines { series });
        let chart = chart.with_note("Line: mean over recordings and seeds. Band: from the least to the greatest.");
        let each = curves
            .iter()
            .flat_map(|c| c.runs.iter().zip(&c.names).map(|(run, name)| Series::new(format!("{}, {name}", c.arm), c.minutes.clone(), run.clone())));
        let each = Chart::new(format!("Each recording and seed on {domain}"), x, y, Data::Lines { series: each.collect() });
        page = page.section(Section::new(format!("Test domain {domain}")).chart(chart).chart(each).computed(ACCURACY));
    }
    Ok(page)
}

fn lesion_sections(page: Page, scores: &[Score]) -> Result<Page> {
    let pairs = lesion::pairs(scores);
    let (effects, table) = (lesion::effects(&pairs)?, lesion::table(&pairs)?);
    let mut page = page;
    for domain in domains(scores) {
        let here: Vec<usize> = effects.text("domain")?.iter().enumerate().filter(|(_, d)| **d == domain).map(|(i, _)| i).collect();
        let of = |column: &str| -> Result<Vec<f64>> {
            let values = effects.floats(column)?;
            Ok(here.iter().map(|i| 100.0 * values[*i]).collect())
        };
        let names = here.iter().map(|i| effects.text("lesion").map(|names| names[*i].clone())).collect::<Result<_, _>>()?;
        let group = Group { name: "mean".into(), values: of("relative loss")?, low: of("least")?, high: of("greatest")? };
        let bars = Data::Bars { names, groups: vec![group], style: BarStyle::Dots };
        let chart = Chart::new(format!("What each part is worth on {domain}"), Axis::new("relative loss of accuracy", "%"), Axis::default(), bars)
            .with_note("Dot: mean over recordings and seeds. Line: from the least to the greatest.");
        let mut section = Section::new(format!("Test domain {domain}")).chart(chart);
        for arm in score::distinct(pairs.iter().map(|p| p.arm.clone())) {
            let of_arm: Vec<_> = pairs.iter().filter(|p| p.arm == arm && p.domain == domain).collect();
            let points = |p: &&lesion::Pair| Series::new(format!("{} s{}", p.subject, p.seed), p.full.clone(), p.lesioned.clone());
            let (x, y) = (Axis::new("accuracy of a unit, full network", ""), Axis::new(format!("the same, {arm}"), ""));
            section = section.chart(Chart::new(&arm, x, y, Data::Scatter { series: of_arm.iter().map(points).collect(), diagonal: true }));
            let difference = |p: &&lesion::Pair| Sample {
                name: format!("{} s{}", p.subject, p.seed),
                values: p.full.iter().zip(&p.lesioned).map(|(a, b)| a - b).collect(),
            };
            let samples: Vec<Sample> = of_arm.iter().map(difference).collect();
            let far = samples.iter().flat_map(|s| &s.values).filter(|v| v.is_finite()).fold(0.0f64, |far, v| far.max(v.abs()));
            section = section.chart(densities(format!("{arm}: difference of each unit"), Axis::new("full - lesioned", ""), samples, [-far, far]));
        }
        page = page.section(section.computed(ACCURACY));
    }
    let how = "Relative loss: (full - lesioned) / full, of medians over the units that have a value in both. t and p: paired two-sided t-test over units; of the effects, over the units of all recordings, seeds averaged first. Densities: Gaussian kernels, Scott's bandwidth.";
    Ok(page.section(Section::new("Every pair of models").table("effects", effects).table("pairs", table).computed(how)))
}

/// Area of each unit of a recording, where its unit table says.
fn unit_areas(study: &StudyFolder) -> Result<BTreeMap<String, Vec<Option<String>>>> {
    let mut all = BTreeMap::new();
    for subject in &study.design.test {
        let recording = Recording::open(&subject.path)?;
        let of = recording.units().column("area").with_context(|| format!("{}: its units have no column `area`", subject.path.display()))?;
        all.insert(subject.name.clone(), of.iter().map(|area| area.as_str().map(str::to_owned)).collect());
    }
    Ok(all)
}

fn area_sections(mut page: Page, study: &StudyFolder, scores: &[Score]) -> Result<Page> {
    let of_units = unit_areas(study)?;
    let table = areas::table(scores, &|subject| of_units.get(subject).cloned().unwrap_or_default())?;
    for domain in domains(scores) {
        let (names, groups) = area_groups(&table, &domain)?;
        let bars = Data::Bars { names, groups, style: BarStyle::Dots };
        let chart = Chart::new(format!("Accuracy by visual area on {domain}"), Axis::new(ACCURACY_AXIS, ""), Axis::default(), bars);
        let mut section = Section::new(format!("Test domain {domain}")).chart(chart);
        section = section.text(match areas::mixed_model(&table, &domain)? {
            Some((names, model)) => {
                let levels = names.iter().skip(1).zip(model.coefficients.iter().zip(&model.standard_errors).skip(1));
                let levels: Vec<String> = levels.map(|(name, (b, se))| format!("{name} {b:+.3} (standard error {se:.3})")).collect();
                let (chi, df, p) = (model.wald, model.df, model.p);
                format!("Wald test that all areas are predicted alike: chi-square {chi:.2}, {df} degrees of freedom, p = {p:.3}. Differences from {}: {}.", names[0], levels.join(", "))
            }
            None => "Too few recordings or areas for a mixed model: at least two of each are needed.".into(),
        });
        let how = "Linear mixed model: accuracy of a recording's area = intercept + effect of the area + random intercept of the recording, seeds averaged, restricted maximum likelihood; Wald chi-square of the area effects (Figure 2c).";
        page = page.section(section.computed(how));
    }
    Ok(page.section(Section::new("Areas").table("accuracy by area", table).computed(ACCURACY)))
}

/// Areas, and for each recording and seed its accuracy in each.
fn area_groups(table: &Table, domain: &str) -> Result<(Vec<String>, Vec<Group>)> {
    let (recordings, domains, seeds) = (table.text("recording")?, table.text("domain")?, table.integers("seed")?);
    let (areas, values) = (table.text("area")?, table.floats("accuracy")?);
    let here: Vec<usize> = (0..values.len()).filter(|i| domains[*i] == domain).collect();
    let names = score::distinct(here.iter().map(|i| areas[*i].clone()));
    let groups = score::distinct(here.iter().map(|i| (recordings[*i].clone(), seeds[*i])));
    let group = |(recording, seed): (String, i64)| {
        let value = |area: &String| here.iter().find(|i| recordings[**i] == recording && seeds[**i] == seed && areas[**i] == *area);
        let values = names.iter().map(|area| value(area).map_or(f64::NAN, |i| values[*i])).collect();
        Group { name: format!("{recording} s{seed}"), values, ..Group::default() }
    };
    Ok((names.clone(), groups.into_iter().map(group).collect()))
}

fn reliability_sections(mut page: Page, study: &StudyFolder, cells: &[Cell], scores: &[Score]) -> Result<Page> {
    let mut all: Option<Table> = None;
    for (s, subject) in study.design.test.iter().enumerate() {
        let recording = Recording::open(&subject.path)?;
        let done: Vec<&Cell> = cells.iter().filter(|cell| cell.subject() == Some(s) && study.done(cell)).collect();
        for (n, a) in done.iter().enumerate() {
            for b in &done[n + 1..] {
                let network = |cell: &Cell| -> Result<_> {
                    let weights = crate::run_folder::weights_of(&study.run(&cell.name))?;
                    Ok(striate::model::open::load(&weights, None, None)?.network)
                };
                let table = reliability::agreement(&network(a)?, &network(b)?, &recording, &subject.name, [a.seed, b.seed])?;
                match &mut all {
                    Some(all) => all.append(table)?,
                    none => *none = Some(table),
                }
            }
        }
    }
    if let Some(all) = all {
        for column in reliability::MEASURES {
            let (recordings, values) = (all.text("recording")?, all.floats(column.name)?);
            let sample = |name: String| {
                let values = values.iter().zip(recordings).filter(|(_, r)| **r == name).map(|(v, _)| *v).collect();
                Sample { name, values }
            };
            let samples = score::distinct(recordings.iter().cloned()).into_iter().map(sample).collect();
            let (x, y) = (Axis::new(column.name, column.unit), Axis::new("units", ""));
            let chart = Chart::new(column.title, x, y, Data::Histogram { samples, bins: None });
            page = page.section(Section::new(column.title).chart(chart).computed(column.computed));
        }
        page = page.section(Section::new("Every unit").table("agreement", all));
    }
    let spread = accuracy_by_seed(scores)?;
    Ok(page.section(Section::new("Accuracy by seed").table("accuracy by seed", spread).computed(ACCURACY)))
}

/// Least, mean and greatest accuracy over seeds, of each recording and domain.
fn accuracy_by_seed(scores: &[Score]) -> Result<Table> {
    let keys = score::distinct(scores.iter().map(|s| (s.subject.clone(), s.domain.clone())));
    let of = |(subject, domain): &(String, String)| -> Vec<f64> {
        scores.iter().filter(|s| s.subject == *subject && s.domain == *domain).map(|s| s.accuracy().0).filter(|v| v.is_finite()).collect()
    };
    let over = |fold: &dyn Fn(&[f64]) -> f64| keys.iter().map(|key| fold(&of(key))).collect::<Vec<f64>>();
    use striate::analysis::Column;
    Ok(Table::new()
        .with("recording", Column::Text(keys.iter().map(|k| k.0.clone()).collect()))?
        .with("domain", Column::Text(keys.iter().map(|k| k.1.clone()).collect()))?
        .with("least", Column::Float(over(&|v| v.iter().copied().fold(f64::NAN, f64::min))))?
        .with("mean", Column::Float(over(&|v| v.iter().sum::<f64>() / v.len() as f64)))?
        .with("greatest", Column::Float(over(&|v| v.iter().copied().fold(f64::NAN, f64::max))))?)
}
