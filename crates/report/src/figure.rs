//! Charts as files: SVG to edit, PDF for print, PNG for slides. Colours on white.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::chart::Chart;
use crate::draw;
use crate::error::Error;
use crate::scene::Scene;
use crate::svg::{Place, svg};
use crate::whole_file::write_whole;
use crate::{pdf, png};

/// A figure of one chart or several panels, ready to be written.
#[derive(Debug, Clone)]
pub struct Figure {
    scene: Scene,
    title: String,
}

/// Panels side by side; more begin another row.
const IN_ROW: usize = 3;

impl Figure {
    /// A figure of one chart.
    pub fn new(chart: &Chart) -> Self {
        Self { scene: draw::draw(chart, true), title: chart.title.clone() }
    }

    /// Charts side by side, three in a row; four stand two by two. `title` is read out in place of the figure.
    pub fn panels(title: &str, charts: &[Chart]) -> Self {
        let in_row = if charts.len() == 4 { 2 } else { charts.len().clamp(1, IN_ROW) };
        let mut scene = Scene::new(draw::WIDTH * in_row as f64, 0.0);
        for row in charts.chunks(in_row) {
            let panels: Vec<Scene> = row.iter().map(|chart| draw::draw(chart, true)).collect();
            let tallest = panels.iter().map(|p| p.height).fold(0.0, f64::max);
            // Plots stand on one line, whatever the length of what is above them.
            for (i, panel) in panels.into_iter().enumerate() {
                let corner = [draw::WIDTH * i as f64, scene.height + tallest - panel.height];
                scene.place(panel, corner);
            }
            scene.height += tallest;
        }
        scene.height = scene.height.max(1.0);
        Self { scene, title: title.to_owned() }
    }

    /// The figure as an SVG document. Pointed at, its marks say their values.
    pub fn svg(&self) -> String {
        svg(&self.scene, Place::File, &self.title)
    }

    /// Writes the figure as the file's ending says: .svg, .pdf (lettering as outlines) or .png (300 dots per inch at 11 cm of width).
    ///
    /// # Errors
    /// [`Error::Figure`] for another ending or a figure too large for its format, [`Error::Io`] if it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        let refused = |what: String| Error::Figure { path: path.to_owned(), what };
        let bytes = match ending.as_str() {
            "svg" => self.svg().into_bytes(),
            "pdf" => pdf::pdf(&self.scene),
            "png" => {
                let [w, h] = [self.scene.width, self.scene.height];
                png::png(&self.scene).ok_or_else(|| refused(format!("a figure of {w:.0} by {h:.0} pixels is too large for PNG; write .svg")))?
            }
            _ => return Err(refused("a figure's file name must end in .svg, .pdf or .png".into())),
        };
        write_whole(path, |file| file.write_all(&bytes).map_err(Error::io("write", path)))
    }

    /// Writes the figure as SVG, PDF and PNG under one name; returns the files.
    ///
    /// # Errors
    /// As [`Figure::write`].
    pub fn write_all(&self, folder: &Path, name: &str) -> Result<Vec<PathBuf>, Error> {
        let files = ["svg", "pdf", "png"].map(|ending| folder.join(format!("{name}.{ending}")));
        files.iter().try_for_each(|file| self.write(file))?;
        Ok(files.to_vec())
    }
}
