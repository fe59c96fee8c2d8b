//! Charts as data: what is to be seen, without a pixel. [`crate::draw`] places it, [`crate::figure`] makes files of it.
//!
//! Values are never refused: what is NaN, infinite or beyond 1e150 is left out of the drawing and counted in the chart's caption.
//! All types serialise; NaN is `null`.

use serde::{Deserialize, Serialize};

use crate::json::floats;

/// One figure: a title, two axes and what stands between them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chart {
    /// What is shown, in a few words.
    pub title: String,
    /// What the reader must know to read it, such as what a band spans; may be empty.
    #[serde(default)]
    pub note: String,
    /// Horizontal axis; of a polar chart the angle, in degrees.
    pub x: Axis,
    /// Vertical axis; of a polar chart the radius.
    pub y: Axis,
    /// What is drawn.
    pub data: Data,
}

/// What an axis measures.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Axis {
    /// The quantity, such as "Poisson loss".
    pub label: String,
    /// Its unit, such as "spikes/s"; empty if it has none.
    pub unit: String,
    /// How values become distances.
    pub scale: Scale,
    /// First and last value; what the data need if not given. Values outside are left out and counted.
    pub ends: Option<[f64; 2]>,
}

/// How values become distances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Equal steps.
    #[default]
    Linear,
    /// Equal steps, labelled at whole numbers only: epochs, counts.
    Whole,
    /// Equal ratios; values that are not positive are left out.
    Log,
}

/// What is drawn between the axes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Data {
    /// Curves, each with a band if it has one.
    Lines {
        /// The curves.
        series: Vec<Series>,
    },
    /// Points; many are shown as counts in cells.
    Scatter {
        /// Points of one kind each.
        series: Vec<Series>,
        /// Whether the line of equal x and y is drawn.
        #[serde(default)]
        diagonal: bool,
    },
    /// How often values of x occur, with their median. The vertical axis counts.
    Histogram {
        /// Samples, drawn over one another.
        samples: Vec<Sample>,
        /// Number of bins; chosen from the number of values if not given.
        #[serde(default)]
        bins: Option<usize>,
    },
    /// One value for each name, on horizontal bars or as dots. The horizontal axis measures.
    Bars {
        /// Names, from top to bottom.
        names: Vec<String>,
        /// One value for each name and group.
        groups: Vec<Group>,
        /// Bars from zero, or dots.
        #[serde(default)]
        style: BarStyle,
    },
    /// A matrix or a map, as colours.
    Heatmap {
        /// Row-major values [rows, columns], the first row on top.
        #[serde(deserialize_with = "floats")]
        values: Vec<f64>,
        /// What rows and columns stand for.
        rows: Places,
        /// As `rows`.
        columns: Places,
        /// Colours, and what they mean.
        colours: Colours,
    },
    /// Curves around a point: tuning for direction. x in degrees, counter-clockwise from the right.
    Polar {
        /// The curves, closed.
        series: Vec<Series>,
    },
}

/// A named sequence of points. `x` and `y` are equally long; `low` and `high` are as long or empty.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Series {
    /// What it shows; the legend's words.
    pub name: String,
    /// Horizontal positions.
    #[serde(deserialize_with = "floats")]
    pub x: Vec<f64>,
    /// Values; NaN breaks a line.
    #[serde(deserialize_with = "floats")]
    pub y: Vec<f64>,
    /// Lower edge of the band.
    #[serde(deserialize_with = "floats")]
    pub low: Vec<f64>,
    /// Upper edge of the band.
    #[serde(deserialize_with = "floats")]
    pub high: Vec<f64>,
}

/// A named sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// What it shows; the legend's words.
    pub name: String,
    /// Values in any order.
    #[serde(deserialize_with = "floats")]
    pub values: Vec<f64>,
}

/// One value for each name of a bar chart. `low` and `high` are as long as `values` or empty.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Group {
    /// What it shows; the legend's words.
    pub name: String,
    /// Value at each name.
    #[serde(deserialize_with = "floats")]
    pub values: Vec<f64>,
    /// Lower end of the error bar.
    #[serde(deserialize_with = "floats")]
    pub low: Vec<f64>,
    /// Upper end of the error bar.
    #[serde(deserialize_with = "floats")]
    pub high: Vec<f64>,
}

/// How values of a bar chart are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BarStyle {
    /// Bars from zero: amounts.
    #[default]
    Bars,
    /// Dots: values whose zero says nothing.
    Dots,
    /// Dots of one name joined by a line: the same thing measured twice.
    Paired,
}

/// What the rows or columns of a heatmap stand for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Places {
    /// A name for each.
    Names(Vec<String>),
    /// `count` cells of equal size from the first to the last value of the axis.
    Range {
        /// Number of cells.
        count: usize,
        /// Edge of the first and of the last cell.
        ends: [f64; 2],
    },
}

/// Colours of a heatmap.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Colours {
    /// What the values are, with their unit.
    pub label: String,
    /// Values of the first and last colour; those of the data if not given.
    pub ends: Option<[f64; 2]>,
    /// Whether the colours part at zero, and so show signs.
    pub diverging: bool,
}

impl Axis {
    /// An axis for a quantity in a unit, which may be empty.
    pub fn new(label: impl Into<String>, unit: impl Into<String>) -> Self {
        Self { label: label.into(), unit: unit.into(), ..Self::default() }
    }

    /// The same with another scale.
    pub fn scaled(self, scale: Scale) -> Self {
        Self { scale, ..self }
    }

    /// The same from `first` to `last`.
    pub fn from_to(self, first: f64, last: f64) -> Self {
        Self { ends: Some([first, last]), ..self }
    }

    /// The axis in words: quantity and unit.
    pub fn words(&self) -> String {
        if self.unit.is_empty() { self.label.clone() } else { format!("{} ({})", self.label, self.unit) }
    }
}

impl Series {
    /// Points without a band.
    pub fn new(name: impl Into<String>, x: Vec<f64>, y: Vec<f64>) -> Self {
        Self { name: name.into(), x, y, ..Self::default() }
    }

    /// The same with a band, such as a confidence interval.
    pub fn with_band(self, low: Vec<f64>, high: Vec<f64>) -> Self {
        Self { low, high, ..self }
    }

    /// Mean of several runs, such as seeds, at each x, with a band from the least to the greatest. NaN is left out.
    pub fn spread(name: impl Into<String>, x: Vec<f64>, runs: &[Vec<f64>]) -> Self {
        let at = |i: usize| runs.iter().filter_map(move |run| run.get(i).copied()).filter(|v| v.is_finite());
        let over = |of: &dyn Fn(Vec<f64>) -> f64| (0..x.len()).map(|i| of(at(i).collect())).collect::<Vec<f64>>();
        let y = over(&|v| v.iter().sum::<f64>() / v.len() as f64);
        let low = over(&|v| v.into_iter().fold(f64::NAN, f64::min));
        let high = over(&|v| v.into_iter().fold(f64::NAN, f64::max));
        Self { name: name.into(), x, y, low, high }
    }
}

impl Chart {
    /// A chart without a note.
    pub fn new(title: impl Into<String>, x: Axis, y: Axis, data: Data) -> Self {
        Self { title: title.into(), note: String::new(), x, y, data }
    }

    /// The same with a note.
    pub fn with_note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }
}
