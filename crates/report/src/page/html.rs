//! Pages as HTML: one document with its style sheet, its script and its data.

use std::fmt::Write;

use striate_analysis::{Column, Table};

use super::{Exhibit, Page, Section};
use crate::chart::Chart;
use crate::draw::{caption, draw};
use crate::escape::{escape, percent, slug};
use crate::svg::{Place, svg};
use crate::tabular::csv_bytes;
use crate::ticks::significant;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Rows of a table that are shown; all are in its download.
const SHOWN: usize = 12;

/// What a page may do: use what is in it, load nothing, send nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

pub(super) fn page(page: &Page) -> String {
    let title = escape(&page.title);
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<h1>{title}</h1>\n<button id=\"theme\" type=\"button\" hidden=\"hidden\">dark</button>\n</header>\n<main>\n"
    );
    paragraphs(&mut out, &page.summary, "summary");
    facts(&mut out, &page.facts);
    let anchors = page.anchors();
    if page.sections.len() > 1 {
        out += "<nav aria-label=\"Contents\"><ul>\n";
        for (section, anchor) in page.sections.iter().zip(&anchors).filter(|(s, _)| !s.heading.trim().is_empty()) {
            let _ = writeln!(out, "<li><a href=\"#{anchor}\">{}</a></li>", escape(&section.heading));
        }
        out += "</ul></nav>\n";
    }
    page.sections.iter().zip(&anchors).for_each(|(s, anchor)| section(&mut out, s, anchor));
    let _ = write!(out, "</main>\n<div id=\"tip\" hidden=\"hidden\"></div>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n");
    out
}

/// Text in paragraphs, parted by empty lines.
fn paragraphs(out: &mut String, text: &str, class: &str) {
    for paragraph in text.split("\n\n").map(str::trim).filter(|p| !p.is_empty()) {
        let _ = writeln!(out, "<p class=\"{class}\">{}</p>", escape(paragraph));
    }
}

fn facts(out: &mut String, facts: &[(String, String)]) {
    if facts.is_empty() {
        return;
    }
    *out += "<dl class=\"facts\">\n";
    for (name, value) in facts {
        let _ = writeln!(out, "<div><dt>{}</dt><dd>{}</dd></div>", escape(name), escape(value));
    }
    *out += "</dl>\n";
}

fn section(out: &mut String, section: &Section, anchor: &str) {
    let _ = writeln!(out, "<section id=\"{anchor}\">\n<h2>{}</h2>", escape(&section.heading));
    paragraphs(out, &section.text, "text");
    if !section.charts.is_empty() {
        *out += "<div class=\"charts\">\n";
        section.charts.iter().for_each(|c| chart(out, c));
        *out += "</div>\n";
    }
    section.tables.iter().for_each(|t| exhibit(out, t));
    if !section.listing.is_empty() {
        let _ = writeln!(out, "<details class=\"listing\"><summary>show all</summary><pre>{}</pre></details>", escape(&section.listing));
    }
    if !section.computed.trim().is_empty() {
        *out += "<div class=\"computed\">\n<h3>How it is computed</h3>\n";
        paragraphs(out, &section.computed, "text");
        *out += "</div>\n";
    }
    *out += "</section>\n";
}

fn chart(out: &mut String, chart: &Chart) {
    let said = caption(chart);
    let image = svg(&draw(chart, false), Place::Page, format!("{}. {said}", chart.title).trim_end());
    let said = if said.is_empty() { String::new() } else { format!("<span>{}</span>", escape(&said)) };
    let _ = writeln!(out, "<figure>\n<figcaption><b>{}</b>{said}</figcaption>\n{image}\n</figure>", escape(&chart.title));
}

fn exhibit(out: &mut String, exhibit: &Exhibit) {
    let table = &exhibit.table;
    let _ = writeln!(out, "<div class=\"exhibit\"><p><b>{}</b>{}</p>", escape(&exhibit.caption), download(exhibit));
    if table.columns().len() == 0 || table.rows() == 0 {
        *out += "<p class=\"text\">This table is empty.</p></div>\n";
        return;
    }
    *out += "<div class=\"scroll\"><table>\n<thead><tr>";
    for (name, column) in table.columns() {
        let _ = write!(out, "<th{}>{}</th>", class(column), escape(name));
    }
    *out += "</tr></thead>\n<tbody>\n";
    // One row too many is shown rather than said to be missing.
    let shown = if table.rows() <= SHOWN + 1 { table.rows() } else { SHOWN };
    for row in 0..shown {
        *out += "<tr>";
        for (_, column) in table.columns() {
            let _ = write!(out, "<td{}>{}</td>", class(column), escape(&cell(column, row)));
        }
        *out += "</tr>\n";
    }
    *out += "</tbody>\n</table></div>\n";
    if shown < table.rows() {
        let _ = writeln!(out, "<p class=\"more\">{shown} of {} rows; all are in the download.</p>", table.rows());
    }
    *out += "</div>\n";
}

/// A link to the table as a CSV file that is part of the page.
fn download(exhibit: &Exhibit) -> String {
    let Ok(csv) = csv_bytes(&exhibit.table) else { return String::new() };
    let (data, name) = (percent(&csv), slug(&exhibit.caption));
    format!(" <a class=\"download\" download=\"{name}.csv\" href=\"data:text/csv;charset=utf-8,{}\">CSV, {}</a>", escape(&data), size(&exhibit.table))
}

fn size(table: &Table) -> String {
    let rows = table.rows();
    if rows == 1 { "1 row".into() } else { format!("{rows} rows") }
}

/// Numbers stand at the right.
fn class(column: &Column) -> &'static str {
    if matches!(column, Column::Integer(_) | Column::Float(_)) { " class=\"number\"" } else { "" }
}

fn cell(column: &Column, row: usize) -> String {
    match column {
        Column::Integer(v) => v[row].to_string(),
        Column::Float(v) => significant(v[row]),
        Column::Text(v) => v[row].clone(),
        Column::Bool(v) => if v[row] { "yes" } else { "no" }.into(),
    }
}
