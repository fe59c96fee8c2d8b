//! Tables of units and labels, from files and recordings, and their columns as text or numbers.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use striate::analysis::{Column, Table};
use striate::recording::UnitTable;

/// The unit table of a recording; a value that is missing is NaN or empty.
pub fn of_units(units: &UnitTable) -> Result<Table> {
    let mut table = Table::new();
    for (name, values) in &units.columns {
        let integers = || values.iter().map(Value::as_i64).collect::<Option<Vec<i64>>>().map(Column::Integer);
        let number = |value: &Value| if value.is_null() { Some(f64::NAN) } else { value.as_f64() };
        let floats = || values.iter().map(number).collect::<Option<Vec<f64>>>().map(Column::Float);
        table.push(name, integers().or_else(floats).unwrap_or_else(|| Column::Text(values.iter().map(plain).collect())))?;
    }
    Ok(table)
}

/// A value as it is written in a table, without quotes.
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Values as text; a missing number is empty.
pub fn texts(column: &Column) -> Vec<String> {
    match column {
        Column::Integer(v) => v.iter().map(ToString::to_string).collect(),
        Column::Float(v) => v.iter().map(|v| if v.is_nan() { String::new() } else { v.to_string() }).collect(),
        Column::Text(v) => v.clone(),
        Column::Bool(v) => v.iter().map(ToString::to_string).collect(),
    }
}

/// Values as numbers, NaN where the text is empty; `None` if they are not numbers.
pub fn floats(column: &Column) -> Option<Vec<f64>> {
    match column {
        Column::Integer(v) => Some(v.iter().map(|&v| v as f64).collect()),
        Column::Float(v) => Some(v.clone()),
        Column::Text(v) => v.iter().map(|text| if text.is_empty() { Some(f64::NAN) } else { text.parse().ok() }).collect(),
        Column::Bool(_) => None,
    }
}

/// The name of the column of identifiers: the one asked for, else the first there is of `id`, `unit_id` and `unit`.
pub fn id_column(table: &Table, asked: Option<&str>) -> Result<Option<String>> {
    if let Some(name) = asked {
        table.column(name)?;
        return Ok(Some(name.to_owned()));
    }
    Ok(["id", "unit_id", "unit"].into_iter().find(|name| table.column(name).is_ok()).map(str::to_owned))
}

/// Refuses identifiers that stand twice.
pub fn distinct(ids: &[String], of: &str) -> Result<()> {
    let mut sorted: Vec<&String> = ids.iter().collect();
    sorted.sort();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => bail!("{of}: unit {} is there twice; leave one of its rows out, or name another column with --id", pair[0]),
        None => Ok(()),
    }
}

/// The column called `name`, with what the table is in the error.
pub fn column<'a>(table: &'a Table, name: &str, of: &str) -> Result<&'a Column> {
    table.column(name).with_context(|| of.to_owned())
}
