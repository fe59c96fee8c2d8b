//! A page: one file that says what was run, what came out and how each number is computed. Nothing in it is loaded from elsewhere.
//!
//! Any analysis can make one:
//!
//! ```
//! use striate_report::{Axis, Chart, Data, Page, Section, Series};
//!
//! let curve = Series::new("twin", vec![1.0, 2.0, 4.0], vec![0.4, 0.5, 0.55]);
//! let chart = Chart::new(
//!     "Accuracy grows with data",
//!     Axis::new("training data", "minutes"),
//!     Axis::new("median cc_norm", ""),
//!     Data::Lines { series: vec![curve] },
//! );
//! let page = Page::new("Scaling study")
//!     .fact("seed", 7)
//!     .section(Section::new("Data").chart(chart).computed("cc_norm = cc_abs / cc_max, median over units (Schoppe et al. 2016)"));
//! assert!(page.html().contains("Scaling study"));
//! ```
//!
//! A page serialises. A folder with a page as `report.json` ([`Page::save`]) is a source of `striate report`, whatever made it: that
//! is the whole contract between an analysis and its report. JSON has no NaN: it is `null`; a table is a list of
//! `[name, {"float": [0.5, null]}]`, with `integer`, `float`, `text` or `bool`.

mod html;

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use striate_analysis::Table;

use crate::chart::Chart;
use crate::error::Error;
use crate::escape::slug;
use crate::figure::Figure;
use crate::whole_file::write_whole;

/// The name of the file that makes a folder a source of reports.
pub const REPORT: &str = "report.json";

/// A page of sections.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Page {
    /// Title.
    pub title: String,
    /// The result in a sentence or two; may be empty.
    pub summary: String,
    /// What was run, as name and value: version, seed, data and their hashes, machine.
    pub facts: Vec<(String, String)>,
    /// Sections, in order.
    pub sections: Vec<Section>,
}

/// A heading and what stands under it, in this order: text, charts, tables, listing, how it is computed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {
    /// Heading.
    pub heading: String,
    /// What is to be seen; an empty line parts paragraphs.
    pub text: String,
    /// Charts.
    pub charts: Vec<Chart>,
    /// Tables.
    pub tables: Vec<Exhibit>,
    /// Text shown letter by letter, such as a configuration; may be empty.
    pub listing: String,
    /// How each number is computed: formula and source; an empty line parts paragraphs.
    pub computed: String,
}

/// A table with a name, to be looked at and downloaded as CSV.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Exhibit {
    /// What it holds; the download's file name is made from it.
    pub caption: String,
    /// The table.
    #[serde(with = "crate::json::table")]
    pub table: Table,
}

impl Page {
    /// An empty page.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// The page with one more fact.
    pub fn fact(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.facts.push((name.into(), value.to_string()));
        self
    }

    /// The page with one more section.
    pub fn section(mut self, section: Section) -> Self {
        self.sections.push(section);
        self
    }

    /// The page as one HTML document that loads nothing.
    pub fn html(&self) -> String {
        html::page(self)
    }

    /// Writes the HTML document.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written.
    pub fn write_html(&self, path: &Path) -> Result<(), Error> {
        write_whole(path, |file| file.write_all(self.html().as_bytes()).map_err(Error::io("write", path)))
    }

    /// Writes the page as `report.json` into a folder, for `striate report` to render.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written.
    pub fn save(&self, folder: &Path) -> Result<(), Error> {
        let path = folder.join(REPORT);
        write_whole(&path, |file| serde_json::to_writer_pretty(file, self).map_err(|e| Error::content(&path, e)))
    }

    /// Reads the page that [`Page::save`] wrote into a folder.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::Content`] if it is not a page.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(REPORT);
        let text = std::fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        serde_json::from_str(&text).map_err(|e| Error::content(&path, e))
    }

    /// Writes each chart as SVG, PDF and PNG into a folder, named by section and number; returns the files.
    ///
    /// # Errors
    /// As [`Figure::write`].
    pub fn write_figures(&self, folder: &Path) -> Result<Vec<PathBuf>, Error> {
        std::fs::create_dir_all(folder).map_err(Error::io("write", folder))?;
        let charts = self
            .sections
            .iter()
            .zip(self.anchors())
            .flat_map(|(section, name)| section.charts.iter().enumerate().map(move |(i, chart)| (chart, format!("{name}-{}", i + 1))));
        charts.map(|(chart, name)| Figure::new(chart).write_all(folder, &name)).collect::<Result<Vec<_>, _>>().map(|files| files.concat())
    }

    /// A name for each section, for addresses and files; no two alike.
    fn anchors(&self) -> Vec<String> {
        let mut anchors: Vec<String> = Vec::new();
        for section in &self.sections {
            let name = slug(&section.heading);
            let numbered = (2..).map(|i| format!("{name}-{i}"));
            let free = std::iter::once(name.clone()).chain(numbered).find(|n| !anchors.contains(n));
            anchors.push(free.unwrap_or(name));
        }
        anchors
    }
}

impl Section {
    /// An empty section.
    pub fn new(heading: impl Into<String>) -> Self {
        Self { heading: heading.into(), ..Self::default() }
    }

    /// The section with this text.
    pub fn text(self, text: impl Into<String>) -> Self {
        Self { text: text.into(), ..self }
    }

    /// The section with one more chart.
    pub fn chart(mut self, chart: Chart) -> Self {
        self.charts.push(chart);
        self
    }

    /// The section with one more table.
    pub fn table(mut self, caption: impl Into<String>, table: Table) -> Self {
        self.tables.push(Exhibit { caption: caption.into(), table });
        self
    }

    /// The section with text to be shown letter by letter.
    pub fn listing(self, listing: impl Into<String>) -> Self {
        Self { listing: listing.into(), ..self }
    }

    /// The section with how its numbers are computed.
    pub fn computed(self, computed: impl Into<String>) -> Self {
        Self { computed: computed.into(), ..self }
    }
}
