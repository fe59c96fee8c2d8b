//! The table of the paper's terms in ARCHITECTURE.md: each row names a file and an identifier that the file holds.

use std::path::Path;

use anyhow::Result;

/// A row of the table: | the paper says | look in | identifier |.
#[derive(Debug, PartialEq)]
struct Row {
    line: usize,
    term: String,
    files: Vec<String>,
    identifiers: Vec<String>,
}

/// Rows that name no file, a file that is not there, or an identifier that is in none of the row's files.
pub fn check(root: &Path) -> Result<Vec<String>> {
    let rows = rows(&crate::read(&root.join("ARCHITECTURE.md"))?);
    if rows.is_empty() {
        return Ok(vec!["ARCHITECTURE.md: no table with the columns `look in` and `identifier`".into()]);
    }
    Ok(rows.iter().flat_map(|row| wrong(row, |file| std::fs::read_to_string(root.join(file)).ok())).collect())
}

/// The rows of every table whose second and third columns are headed "look in" and "identifier".
fn rows(document: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut inside = false;
    for (number, line) in document.lines().enumerate() {
        let Some(cells) = cells(line) else {
            inside = false;
            continue;
        };
        let headed = cells.len() == 3 && cells[1].eq_ignore_ascii_case("look in") && cells[2].eq_ignore_ascii_case("identifier");
        let rule = cells.iter().all(|cell| cell.chars().all(|c| matches!(c, '-' | ':')));
        if headed {
            inside = true;
        } else if inside && !rule {
            let quoted = |i: usize| cells.get(i).map(|cell| quoted(cell)).unwrap_or_default();
            rows.push(Row { line: number + 1, term: cells[0].clone(), files: quoted(1), identifiers: quoted(2) });
        }
    }
    rows
}

/// The cells of a line of a table.
fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line.trim().strip_prefix('|')?;
    let inner = inner.strip_suffix('|').unwrap_or(inner);
    Some(inner.split('|').map(|cell| cell.trim().to_owned()).collect())
}

/// What stands in backticks.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn wrong(row: &Row, text_of: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let place = format!("ARCHITECTURE.md:{}: {}", row.line, row.term);
    if row.files.is_empty() || row.identifiers.is_empty() {
        return vec![format!("{place}: a file and an identifier in backticks are needed")];
    }
    let texts: Vec<Option<String>> = row.files.iter().map(|file| text_of(file)).collect();
    let missing = row.files.iter().zip(&texts).filter(|(_, text)| text.is_none()).map(|(file, _)| format!("{place}: there is no file {file}"));
    let holds = |identifier: &str| texts.iter().flatten().any(|text| has_word(text, identifier));
    let absent = row.identifiers.iter().filter(|identifier| !holds(identifier));
    missing.chain(absent.map(|identifier| format!("{place}: {identifier} is not in {}", row.files.join(", ")))).collect()
}

/// Whether `word` occurs in `text`, not as part of a longer identifier.
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| !text[..at].ends_with(part) && !text[at + word.len()..].starts_with(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "# Map\n| a | b |\n|---|---|\n| x | `y` |\n\n| The paper says | look in | identifier |\n|:--|---|---|\n| core | `src/core.rs` | `Core` |\n| noise | `src/gone.rs` | `cc` |\n| clip | src/core.rs | `Core` |\n\n| not a row | `z` | `z` |\n";

    #[test]
    fn only_the_table_of_terms_is_read() {
        let rows = rows(DOCUMENT);
        assert_eq!(rows.len(), 3);
        let core = Row { line: 8, term: "core".into(), files: vec!["src/core.rs".into()], identifiers: vec!["Core".into()] };
        assert_eq!(rows[0], core);
    }

    #[test]
    fn rows_that_do_not_hold_are_named() {
        let files = |text: &'static str| move |file: &str| (file == "src/core.rs").then(|| text.to_owned());
        let rows = rows(DOCUMENT);
        assert!(wrong(&rows[0], files("pub struct Core;")).is_empty());
        let e = wrong(&rows[0], files("pub struct CoreConfig;"));
        assert_eq!(e, ["ARCHITECTURE.md:8: core: Core is not in src/core.rs"]);
        assert!(wrong(&rows[1], files(""))[0].contains("there is no file src/gone.rs"));
        assert!(wrong(&rows[2], files("Core"))[0].contains("in backticks"));
    }
}
