//! The page of an anatomy: confusion matrix, embedding, retinotopic maps, as the paper draws them (Figure 5).

use super::Found;
use anyhow::Result;
use std::path::Path;
use striate::analysis::Table;
use striate::analysis::anatomy::Labels;
use striate::report::{Axis, BarStyle, Chart, Colours, Data, Group, Page, Places, Section, Series};

/// Cells of a map along the longer side of cortex.
const CELLS: usize = 24;

/// Writes report.json and report.html; `positions` has the columns x, y and, where somata are known, soma_x, soma_y.
pub fn write(folder: &Path, found: &Found, classes: &Labels, positions: Option<&Table>) -> Result<()> {
    let s = &found.summary;
    let mut page = Page::new(format!("Anatomy: {}", s.column))
        .fact("features of", &s.from)
        .fact("samples", s.samples)
        .fact("features", s.features)
        .fact("striate", env!("CARGO_PKG_VERSION"))
        .fact("machine", crate::provenance::machine());
    page = page.section(decoding(found)).section(embedding(found, classes));
    if let Some(table) = positions {
        page = maps(table)?.into_iter().fold(page, Page::section);
    }
    page.save(folder)?;
    Ok(page.write_html(&folder.join("report.html"))?)
}

fn decoding(found: &Found) -> Section {
    let (s, classes) = (&found.summary, found.confusion.classes());
    let matrix = Data::Heatmap {
        values: found.confusion.normalised().concat(),
        rows: Places::Names(classes.to_vec()),
        columns: Places::Names(classes.to_vec()),
        colours: Colours { label: "share of the true class".into(), ends: Some([0.0, 1.0]), diverging: false },
    };
    let group = |name: &str, value: f64| Group { name: name.into(), values: vec![value], ..Group::default() };
    let groups = vec![group("decoded", s.balanced_accuracy), group("labels shuffled", s.shuffled_balanced_accuracy), group("chance", s.chance)];
    let bars = Data::Bars { names: vec![s.column.clone()], groups, style: BarStyle::Bars };
    Section::new("Decoding")
        .chart(Chart::new("Confusion", Axis::new("predicted", ""), Axis::new("true", ""), matrix))
        .chart(Chart::new("Balanced accuracy", Axis::new("balanced accuracy", "").from_to(0.0, 1.0), Axis::default(), bars))
        .table("confusion", found.confusion.table())
        .computed("Multinomial logistic regression with L2 penalty in nested cross-validation: every sample is predicted by a model that never saw it, whose penalty was chosen without it. Rows of the matrix sum to 1; balanced accuracy is the mean of its diagonal.")
}

fn embedding(found: &Found, classes: &Labels) -> Section {
    let of = |class: usize| {
        let members: Vec<usize> = (0..classes.len()).filter(|i| classes.of[*i] == class).collect();
        let axis = |axis: usize| members.iter().map(|i| f64::from(found.embedding[[*i, axis]])).collect();
        Series::new(classes.classes[class].clone(), axis(0), axis(1))
    };
    let data = Data::Scatter { series: (0..classes.classes.len()).map(of).collect(), diagonal: false };
    let (kept, n) = (100.0 * found.summary.neighbours_kept, classes.len());
    let chart = Chart::new("Features in a plane", Axis::new("first axis", "any unit"), Axis::new("second axis", "any unit"), data);
    Section::new("Embedding")
        .chart(chart.with_note(format!("{n} samples; the plane keeps {kept:.0} % of each one's 15 nearest neighbours.")))
        .computed("UMAP of the features, seeded. Distances between far groups say nothing.")
}

/// Mean position on the monitor over the cells of a grid on cortex.
fn maps(table: &Table) -> Result<Option<Section>> {
    let (Ok(sx), Ok(sy)) = (table.floats("soma_x"), table.floats("soma_y")) else { return Ok(None) };
    let whole = |i: &usize| sx[*i].is_finite() && sy[*i].is_finite();
    let known: Vec<usize> = (0..sx.len()).filter(whole).collect();
    let ends = |of: &[f64]| known.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], i| [low.min(of[*i]), high.max(of[*i])]);
    let ([x0, x1], [y0, y1]) = (ends(sx), ends(sy));
    if !(x1 > x0 && y1 > y0) {
        return Ok(None); // somata on a line, or none
    }
    let cell = (x1 - x0).max(y1 - y0) / CELLS as f64;
    let count = |low: f64, high: f64| (((high - low) / cell).ceil() as usize).max(1);
    let (columns, rows) = (count(x0, x1), count(y0, y1));
    let mut section = Section::new("Retinotopy");
    for (name, words) in [("x", "horizontal position on the monitor"), ("y", "vertical position on the monitor")] {
        let values = table.floats(name)?;
        let (mut sums, mut counts) = (vec![0.0; rows * columns], vec![0usize; rows * columns]);
        for i in known.iter().filter(|i| values[**i].is_finite()) {
            let at = |v: f64, low: f64, count: usize| (((v - low) / cell) as usize).min(count - 1);
            let place = at(sy[*i], y0, rows) * columns + at(sx[*i], x0, columns);
            sums[place] += values[*i];
            counts[place] += 1;
        }
        let data = Data::Heatmap {
            values: sums.iter().zip(&counts).map(|(s, n)| s / *n as f64).collect(),
            rows: Places::Range { count: rows, ends: [y0, y0 + rows as f64 * cell] },
            columns: Places::Range { count: columns, ends: [x0, x0 + columns as f64 * cell] },
            colours: Colours { label: "half monitors from the centre".into(), ends: Some([-1.0, 1.0]), diverging: true },
        };
        section = section.chart(Chart::new(words, Axis::new("medial to lateral", "um"), Axis::new("posterior to anterior", "um"), data));
    }
    Ok(Some(section.computed(
        "Readout position of each unit on the monitor, with the eye at its mean position, at the place of its soma; mean over the units of a cell.",
    )))
}
