//! The page of an evaluation: how well held-out responses are predicted, unit by unit and domain by domain.

use striate_analysis::{Column, Table, median_valid};

use crate::chart::{Axis, BarStyle, Chart, Data, Group, Sample, Series};
use crate::error::Error;
use crate::page::{Page, Section};

/// An evaluation, as its folder tells it.
#[derive(Debug, Clone, Default)]
pub struct Evaluation {
    /// The evaluation's name, such as its folder's.
    pub name: String,
    /// What was evaluated on what: names and values.
    pub facts: Vec<(String, String)>,
    /// One row per unit and domain: unit, domain, cc_abs, cc_max, cc_norm, single_trial.
    pub units: Table,
    /// Domains in order, each with its trials and the most repeats of a video.
    pub domains: Vec<(String, usize, usize)>,
}

/// The correlations of an evaluation, as its table calls them.
const MEASURES: [&str; 4] = ["cc_norm", "cc_abs", "cc_max", "single_trial"];

/// Correlations are drawn from 0 to 1 and as much further as values need, in tenths, but not beyond this: a noise ceiling near zero makes
/// single units arbitrarily large. What lies outside is counted in the caption.
const WIDEST: [f64; 2] = [-0.5, 1.5];
/// Width of a bin.
const BIN: f64 = 0.05;

/// Histograms of CC_norm over units, one for each domain (name, values `[U]`), all on the same axis.
pub fn cc_norm_charts(domains: &[(&str, &[f64])]) -> Vec<Chart> {
    histograms("cc_norm", "correlation / noise ceiling", domains)
}

/// Ends of an axis of correlations.
fn ends<'a>(values: impl Iterator<Item = &'a f64>) -> (f64, f64) {
    let shown = values.copied().filter(|v| (WIDEST[0]..=WIDEST[1]).contains(v));
    let (low, high) = shown.fold((0.0f64, 1.0f64), |(low, high), v| (low.min(v), high.max(v)));
    ((low * 10.0).floor() / 10.0, (high * 10.0).ceil() / 10.0)
}

fn histograms(measure: &str, unit: &str, domains: &[(&str, &[f64])]) -> Vec<Chart> {
    let (low, high) = ends(domains.iter().flat_map(|d| d.1));
    let bins = ((high - low) / BIN).round() as usize;
    let chart = |&(domain, values): &(&str, &[f64])| {
        let samples = vec![Sample { name: domain.to_owned(), values: values.to_vec() }];
        let x = Axis::new(measure, unit).from_to(low, high);
        Chart::new(domain, x, Axis::new("units", format!("per {BIN}")), Data::Histogram { samples, bins: Some(bins) })
    };
    domains.iter().map(chart).collect()
}

/// Makes the page of an evaluation.
///
/// # Errors
/// [`Error::Table`] if the table lacks one of its columns.
pub fn evaluation(evaluation: &Evaluation) -> Result<Page, Error> {
    let domains = evaluation.split()?;
    let mut page = Page::new(format!("Evaluation {}", evaluation.name));
    page.facts = evaluation.facts.clone();
    page.summary = summary(&domains);
    page = page.section(accuracy(evaluation, &domains)?);
    page = page.section(distribution(&domains));
    if let Some(section) = ceiling(&domains) {
        page = page.section(section);
    }
    Ok(page.section(Section::new("Units").text("Every unit on every domain.").table("units", evaluation.units.clone())))
}

/// The values of one domain, by measure `[U]`.
struct Domain {
    name: String,
    trials: usize,
    repeats: usize,
    values: [Vec<f64>; 4],
}

impl Evaluation {
    fn split(&self) -> Result<Vec<Domain>, Error> {
        // A column of whole numbers or words where measures belong is one that a table without rows, or all of whose values are whole, has.
        let column = |name: &str| -> Result<Vec<f64>, Error> {
            Ok(match self.units.column(name)? {
                Column::Float(v) => v.clone(),
                Column::Integer(v) => v.iter().map(|v| *v as f64).collect(),
                _ => vec![f64::NAN; self.units.rows()],
            })
        };
        let measures = MEASURES.iter().map(|name| column(name)).collect::<Result<Vec<_>, _>>()?;
        let names: Vec<String> = match self.units.column("domain")? {
            Column::Text(v) => v.clone(),
            Column::Integer(v) => v.iter().map(i64::to_string).collect(),
            Column::Float(v) => v.iter().map(f64::to_string).collect(),
            Column::Bool(v) => v.iter().map(bool::to_string).collect(),
        };
        let domain = |(name, trials, repeats): &(String, usize, usize)| {
            let rows: Vec<usize> = (0..names.len()).filter(|&row| names[row] == *name).collect();
            let values = [0, 1, 2, 3].map(|m| rows.iter().map(|&row| measures[m][row]).collect());
            Domain { name: name.clone(), trials: *trials, repeats: *repeats, values }
        };
        Ok(self.domains.iter().map(domain).collect())
    }
}

/// The result in words.
fn summary(domains: &[Domain]) -> String {
    let said = domains.iter().map(|d| {
        let [norm, abs] = [0, 1].map(|m| median_valid(&d.values[m]));
        match norm.1 {
            0 => format!("{}: median cc_abs {:.3} over {} units, without a noise ceiling", d.name, abs.0, abs.1),
            units => format!("{}: median cc_norm {:.3} over {units} units", d.name, norm.0),
        }
    });
    let said: Vec<String> = said.collect();
    if said.is_empty() { "No test domain.".into() } else { said.join("; ") + "." }
}

/// Value at a share of the way through the finite values, between neighbours by distance; NaN if there is none.
fn quantile(values: &[f64], share: f64) -> f64 {
    let mut finite: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    finite.sort_by(f64::total_cmp);
    let Some(last) = finite.len().checked_sub(1) else { return f64::NAN };
    let place = share * last as f64;
    let (below, above) = (finite[place.floor() as usize], finite[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

fn accuracy(evaluation: &Evaluation, domains: &[Domain]) -> Result<Section, Error> {
    let names: Vec<String> = domains.iter().map(|d| d.name.clone()).collect();
    let group = |(m, name): (usize, &&str)| {
        let over = |of: &dyn Fn(&[f64]) -> f64| domains.iter().map(|d| of(&d.values[m])).collect::<Vec<f64>>();
        let (low, high) = (over(&|v| quantile(v, 0.25)), over(&|v| quantile(v, 0.75)));
        Group { name: (*name).to_owned(), values: over(&|v| median_valid(v).0), low, high }
    };
    // A measure that no unit has is in the table only.
    let has = |g: &Group| g.values.iter().any(|v| v.is_finite());
    let groups: Vec<Group> = MEASURES.iter().enumerate().map(group).filter(has).collect();
    let chart = Chart::new(
        "Accuracy by domain",
        Axis::new("correlation", ""),
        Axis::new("test domain", ""),
        Data::Bars { names, groups, style: BarStyle::Dots },
    )
    .with_note("Medians over units; lines from the first to the third quartile");
    let rows: Vec<(&Domain, usize)> = domains.iter().flat_map(|d| (0..MEASURES.len()).map(move |m| (d, m))).collect();
    let floats = |of: &dyn Fn(&[f64]) -> f64| Column::Float(rows.iter().map(|(d, m)| of(&d.values[*m])).collect());
    let integers = |of: &dyn Fn(&Domain, &[f64]) -> usize| Column::Integer(rows.iter().map(|(d, m)| of(d, &d.values[*m]) as i64).collect());
    let table = Table::new()
        .with("domain", rows.iter().map(|(d, _)| d.name.clone()).collect::<Vec<_>>())?
        .with("measure", rows.iter().map(|(_, m)| MEASURES[*m].to_owned()).collect::<Vec<_>>())?
        .with("median", floats(&|v| median_valid(v).0))?
        .with("first quartile", floats(&|v| quantile(v, 0.25)))?
        .with("third quartile", floats(&|v| quantile(v, 0.75)))?
        .with("valid units", integers(&|_, v| median_valid(v).1))?
        .with("units", integers(&|_, v| v.len()))?
        .with("trials", integers(&|d, _| d.trials))?
        .with("repeats", integers(&|d, _| d.repeats))?;
    Ok(Section::new("Accuracy").chart(chart).table(format!("{} medians", evaluation.name), table).computed(COMPUTED))
}

/// How the correlations are computed; `striate_analysis::cc` is the code.
const COMPUTED: &str = "\
cc_abs: Pearson correlation of the mean prediction and the mean response, both over the repeats of a video, the videos of a domain one after \
the other, without the burn-in frames at the start of each trial.\n\n\
cc_max: the highest cc_abs that any prediction could reach, given the noise of the repeats: the square root of SP / Var(mean response), with \
signal power SP = (n Var(mean response) - mean over repeats of Var(response)) / (n - 1) for n repeats; where numbers of repeats t differ between \
frames, n = sqrt(sum (t - 1) / sum ((t - 1) / t²)) (Schoppe et al. 2016; Wang et al. 2025, Methods). It can exceed 1 by noise, and is not defined \
where SP is not positive or nothing is repeated.\n\n\
cc_norm = cc_abs / cc_max: the predictive accuracy; 1 is all that noise lets anyone predict. The accuracy on a domain is the median over the units \
for which it is defined.\n\n\
single_trial: Pearson correlation of prediction and response over all frames of all trials, without averaging.\n\n\
Quartiles and medians are over the units with a finite value, between neighbours by distance.";

fn distribution(domains: &[Domain]) -> Section {
    let values = |m: usize| domains.iter().map(move |d| (d.name.as_str(), d.values[m].as_slice())).collect::<Vec<_>>();
    let section = Section::new("Distribution over units");
    let section =
        section.computed("Each bar counts the units whose value lies in a bin 0.05 wide; the dashed line is the median of the finite values.");
    // Without repeats there is no ceiling, and cc_abs is what can be shown.
    if domains.iter().all(|d| median_valid(&d.values[0]).1 == 0) {
        let section = section.text("No unit has a cc_norm: nothing was repeated, or no signal rises above the noise. This is cc_abs.");
        return histograms("cc_abs", "correlation", &values(1)).into_iter().fold(section, Section::chart);
    }
    cc_norm_charts(&values(0)).into_iter().fold(section, Section::chart)
}

/// Correlation against its ceiling, for the domains that have one; none if none has.
fn ceiling(domains: &[Domain]) -> Option<Section> {
    let domains: Vec<&Domain> = domains.iter().filter(|d| median_valid(&d.values[2]).1 > 0).collect();
    let (low, high) = ends(domains.iter().flat_map(|d| d.values[1].iter().chain(&d.values[2])));
    let axis = |measure: &str, unit: &str| Axis::new(measure, unit).from_to(low, high);
    let charts = domains.iter().map(|d| {
        let series = vec![Series::new("", d.values[2].clone(), d.values[1].clone())];
        Chart::new(&d.name, axis("cc_max", "noise ceiling"), axis("cc_abs", "correlation"), Data::Scatter { series, diagonal: true })
    });
    let text =
        "One dot for each unit. On the dashed line a unit is predicted as well as its noise allows; the farther below, the more is left to explain.";
    let section = charts.fold(Section::new("Correlation and its ceiling").text(text), Section::chart);
    (!domains.is_empty()).then_some(section)
}
