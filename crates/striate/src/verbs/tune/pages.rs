//! Pages of a tuning and of a comparison, as the paper draws them (Figure 4, Extended Data Fig. 6).

use super::folder::Kept;
use crate::figures::densities;
use crate::output::{number, say, table as columns, whole_folder};
use anyhow::{Result, bail};
use ndarray::{Array3, ArrayView2};
use std::path::Path;
use striate::analysis::tuning::{above_thresholds, compare_direction, compare_spatial};
use striate::analysis::{Column, Table};
use striate::report::{Axis, Chart, Colours, Data, Page, Places, Sample, Section, Series, tabular};

/// Units whose curves or maps a page shows: those most selective.
const SHOWN: usize = 8;
/// Curves in one chart, as many as there are colours.
const CURVES: usize = 6;
/// Thresholds of OSI and DSI, and of SSI (the paper's and some below).
const INDEX: [f64; 4] = [0.0, 0.1, 0.3, 0.5];
const SSI: [f64; 4] = [0.0, 6.5, 7.0, 8.0];

/// The page of one tuning.
pub fn tuning(kept: &Kept) -> Result<Page> {
    let mut page = Page::new("Tuning").fact("responses", &kept.what).fact("units", kept.ids.len());
    if !kept.events.is_empty() {
        page = page.fact("events", kept.events.len());
    }
    if let Some((curves, tuned)) = &kept.tuning.direction {
        let mut section = Section::new("Direction")
            .chart(histogram("orientation selectivity (OSI)", tuned.iter().map(|t| t.osi()).collect()))
            .chart(histogram("direction selectivity (DSI)", tuned.iter().map(|t| t.dsi()).collect()));
        for unit in most(&tuned.iter().map(|t| t.dsi().max(t.osi())).collect::<Vec<_>>()) {
            let series = vec![Series::new(kept.ids[unit].clone(), curves.levels.clone(), curves.mean.row(unit).to_vec())];
            let title = format!("unit {}", kept.ids[unit]);
            section = section.chart(polar(&title, series.clone())).chart(cartesian(&title, series));
        }
        page = page.section(section.computed(
            "Mean response to each direction over events. OSI = |sum r e^(2i theta)| / sum r, DSI = |sum r e^(i theta)| / sum r, without subtraction of a baseline. Preferred direction from a fitted sum of two von Mises functions; preferred orientation is at right angles to it. 0 is motion to the right, 90 up.",
        ));
    }
    if let Some((maps, tuned)) = &kept.tuning.spatial {
        let ssi: Vec<f64> = tuned.iter().map(|t| t.ssi()).collect();
        page = page.section(receptive_fields(kept, maps, ssi));
    }
    for (name, curves, _) in &kept.tuning.others {
        let of = |unit: usize| Series::new(kept.ids[unit].clone(), curves.levels.clone(), curves.mean.row(unit).to_vec());
        let peak = |unit: usize| curves.mean.row(unit).iter().copied().fold(f64::NAN, f64::max);
        let series = most(&(0..kept.ids.len()).map(peak).collect::<Vec<_>>()).into_iter().take(CURVES).map(of).collect();
        let (name, unit) = (name.replace('_', " "), unit_of(name));
        let chart = Chart::new(&name, Axis::new(&name, unit), Axis::new("mean response", ""), Data::Lines { series });
        page = page.section(
            Section::new(&name)
                .chart(chart)
                .computed("Mean response to each level over events; the units of the highest peaks. Fits are in the table."),
        );
    }
    for (name, table) in kept.tuning.tables(&kept.ids)? {
        page = page.section(Section::new(format!("All units: {}", name.replace('_', " "))).table(name, table));
    }
    Ok(page)
}

/// Unit of what a stimulus varies.
fn unit_of(parameter: &str) -> &'static str {
    match parameter {
        "size" => "degrees",
        "spatial_frequency" => "cycles per degree",
        "temporal_frequency" => "Hz",
        _ => "",
    }
}

/// Maps of the units with the smallest receptive fields; of gradients, the filters too.
fn receptive_fields(kept: &Kept, maps: &Array3<f64>, ssi: Vec<f64>) -> Section {
    let shown = most(&ssi);
    let mut section = Section::new("Receptive fields").chart(histogram("spatial selectivity (SSI)", ssi));
    for unit in shown {
        let id = &kept.ids[unit];
        let label = if kept.filters.is_some() { "mean squared gradient" } else { "mean response" };
        section = section.chart(map(&format!("unit {id}"), label, maps.index_axis(ndarray::Axis(0), unit), false));
        let Some(filters) = &kept.filters else { continue };
        let lags = filters.index_axis(ndarray::Axis(0), unit);
        let power = |lag: &ArrayView2<f32>| lag.iter().map(|g| f64::from(g * g)).sum::<f64>();
        let strongest = (0..lags.len_of(ndarray::Axis(0)))
            .max_by(|a, b| power(&lags.index_axis(ndarray::Axis(0), *a)).total_cmp(&power(&lags.index_axis(ndarray::Axis(0), *b))));
        let Some(lag) = strongest else { continue };
        let title = format!("unit {id}, {} frames before the response", lags.len_of(ndarray::Axis(0)) - 1 - lag);
        section = section.chart(map(&title, "mean gradient", lags.index_axis(ndarray::Axis(0), lag).mapv(f64::from).view(), true));
    }
    section.computed(if kept.filters.is_some() {
        "Gradient of the response to the last frame of a clip with respect to what the monitor shows (0 to 1). Map: its mean square over clips, frames and colours, which also shows where a unit looks that does not care about sign. Filter: its mean, at the frame where that is strongest. SSI = -ln det Cov of the map as a density, coordinates in monitor widths. Receptive field: two-dimensional Gaussian fitted by least squares."
    } else {
        "Stimulus-triggered average over dark dots: at every pixel the mean response weighted by how far the dot darkens it. SSI = -ln det Cov of the map as a density, coordinates in monitor widths. Receptive field: two-dimensional Gaussian fitted by least squares."
    })
}

/// A map [h, w] over the monitor.
fn map(title: &str, label: &str, values: ArrayView2<f64>, diverging: bool) -> Chart {
    let (h, w) = values.dim();
    let places = |count: usize, last: f64| Places::Range { count, ends: [0.0, last] };
    let colours = Colours { label: label.into(), diverging, ..Colours::default() };
    let (rows, columns) = (places(h, h as f64 / w as f64), places(w, 1.0));
    let data = Data::Heatmap { values: values.iter().copied().collect(), rows, columns, colours };
    let axis = |label: &str| Axis::new(label, "monitor widths");
    Chart::new(title, axis("x, from the left edge"), axis("y, from the upper edge"), data)
}

fn histogram(title: &str, values: Vec<f64>) -> Chart {
    let samples = vec![Sample { name: "units".into(), values }];
    Chart::new(title, Axis::new(title, ""), Axis::new("units", ""), Data::Histogram { samples, bins: None })
}

/// Compares two tunings of the same units, writes tables and a page, and prints what the paper reports.
pub fn compare(a: &Kept, b: &Kept, output: &Path) -> Result<()> {
    if a.ids != b.ids {
        let at = a.ids.iter().zip(&b.ids).position(|(a, b)| a != b).unwrap_or(a.ids.len().min(b.ids.len()));
        bail!("the two are not of the same units: {} and {} of them, differing from place {at} on", a.ids.len(), b.ids.len());
    }
    let mut page = Page::new("Comparison of tuning").fact("first", &a.what).fact("second", &b.what).fact("units", a.ids.len());
    let mut tables: Vec<(&str, Table)> = Vec::new();
    let mut told = Vec::new();
    if let (Some((first, one)), Some((second, two))) = (&a.tuning.direction, &b.tuning.direction) {
        let differences = named(&compare_direction(one, two)?, &a.ids)?;
        let (osi, dsi): (Vec<f64>, Vec<f64>) = two.iter().map(|t| (t.osi(), t.dsi())).unzip();
        let indices =
            [("OSI", one.iter().map(|t| t.osi()).collect::<Vec<_>>(), osi.clone()), ("DSI", one.iter().map(|t| t.dsi()).collect(), dsi.clone())];
        let mut section = Section::new("Direction");
        for (name, first, second) in indices {
            section = section.chart(scatter(name, first, second));
        }
        for (column, index, by) in [("orientation_difference_deg", &osi, "OSI"), ("direction_difference_deg", &dsi, "DSI")] {
            let name = column.trim_end_matches("_deg").replace('_', " ");
            let (values, most) = (differences.floats(column)?, if by == "OSI" { 90.0 } else { 180.0 });
            section = section.chart(above(&name, "degrees", values, index, &INDEX, by, most));
            let table = above_thresholds(index, values, &INDEX)?;
            told.extend(rows(&name, by, "degrees", &table)?);
            section = section.table(format!("median {name} above thresholds of {by}"), table);
        }
        for unit in most(&osi.iter().zip(&dsi).map(|(o, d)| o.max(*d)).collect::<Vec<_>>()) {
            let scaled = |curves: &striate::analysis::tuning::Curves| {
                let row = curves.mean.row(unit);
                let peak = row.iter().copied().fold(f64::NAN, f64::max);
                row.iter().map(|v| v / peak).collect::<Vec<f64>>()
            };
            let series =
                vec![Series::new("first", first.levels.clone(), scaled(first)), Series::new("second", second.levels.clone(), scaled(second))];
            let title = format!("unit {}, each by its peak", a.ids[unit]);
            section = section.chart(polar(&title, series.clone())).chart(cartesian(&title, series));
        }
        page = page.section(section.computed("Differences of preferred direction: arccos(cos(a - b)), 0 to 180 degrees; of preferred orientation: half the arccos(cos(2a - 2b)), 0 to 90. Thresholds are on the second one's index, which of a model has no noise. Densities: Gaussian kernels, Scott's bandwidth."));
        tables.push(("direction", differences));
    }
    if let (Some((_, one)), Some((_, two))) = (&a.tuning.spatial, &b.tuning.spatial) {
        let differences = named(&compare_spatial(one, two)?, &a.ids)?;
        let ssi: Vec<f64> = two.iter().map(|t| t.ssi()).collect();
        let values = differences.floats("location_difference_w")?;
        let table = above_thresholds(&ssi, values, &SSI)?;
        told.extend(rows("location difference", "SSI", "monitor widths", &table)?);
        let section = Section::new("Receptive fields")
            .chart(scatter("SSI", one.iter().map(|t| t.ssi()).collect(), ssi.clone()))
            .chart(above("location difference", "monitor widths", values, &ssi, &SSI, "SSI", 0.5))
            .table("median location difference above thresholds of SSI", table);
        page = page.section(section.computed("Distance of the centres of the fitted Gaussians, in monitor widths."));
        tables.push(("spatial", differences));
    }
    if tables.is_empty() {
        bail!("the two have no kind of tuning in common: directions need four of them in both, receptive fields dark dots in both");
    }
    for (name, table) in &tables {
        page = page.section(Section::new(format!("All units: {name}")).table(*name, table.clone()));
    }
    whole_folder(output, |folder| {
        for (name, table) in &tables {
            tabular::write_csv(&folder.join(format!("{name}.csv")), table)?;
        }
        page.save(folder)?;
        Ok(page.write_html(&folder.join("report.html"))?)
    })?;
    say(columns(&["difference", "of units with", "units", "median", ""], told, 2));
    say(format!("tables and page are in {}", output.display()));
    Ok(())
}

/// What the paper reports of a difference: medians above thresholds.
fn rows(name: &str, by: &str, unit: &str, table: &Table) -> Result<Vec<Vec<String>>> {
    let (thresholds, units, medians) = (table.floats("threshold")?, table.integers("units")?, table.floats("median_difference")?);
    let row = |i: usize| vec![name.to_owned(), format!("{by} > {}", thresholds[i]), units[i].to_string(), number(medians[i]), unit.to_owned()];
    Ok((0..thresholds.len()).map(row).collect())
}

/// A table with the units' ids instead of their places.
fn named(table: &Table, ids: &[String]) -> Result<Table> {
    let mut out = Table::new().with("id", Column::Text(ids.to_vec()))?;
    for (name, column) in table.columns().filter(|(name, _)| *name != "unit") {
        out.push(name, column.clone())?;
    }
    Ok(out)
}

fn polar(title: &str, series: Vec<Series>) -> Chart {
    Chart::new(title, Axis::new("direction", "degrees"), Axis::new("response", ""), Data::Polar { series })
}

fn cartesian(title: &str, series: Vec<Series>) -> Chart {
    let around = Axis::new("direction", "degrees").from_to(0.0, 360.0);
    Chart::new(title, around, Axis::new("response", ""), Data::Lines { series })
}

fn scatter(index: &str, first: Vec<f64>, second: Vec<f64>) -> Chart {
    let data = Data::Scatter { series: vec![Series::new("units", first, second)], diagonal: true };
    Chart::new(index, Axis::new(format!("{index}, first"), ""), Axis::new(format!("{index}, second"), ""), data)
}

/// A density of the differences above each threshold of an index.
fn above(name: &str, unit: &str, values: &[f64], index: &[f64], thresholds: &[f64], by: &str, last: f64) -> Chart {
    let of = |threshold: &f64| {
        let values = index.iter().zip(values).filter(|(i, _)| *i > threshold).map(|(_, v)| *v).collect();
        Sample { name: format!("{by} > {threshold}"), values }
    };
    densities(name, Axis::new(name, unit), thresholds.iter().map(of).collect(), [0.0, last])
}

/// Units of the highest values.
fn most(values: &[f64]) -> Vec<usize> {
    let mut units: Vec<usize> = (0..values.len()).filter(|u| values[*u].is_finite()).collect();
    units.sort_by(|a, b| values[*b].total_cmp(&values[*a]).then(a.cmp(b)));
    units.truncate(SHOWN);
    units
}
