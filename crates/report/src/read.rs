//! Tables from files, written here or elsewhere.

use std::fs::File;
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use striate_analysis::{Column, Table};

use crate::error::Error;
use crate::tabular::{Format, read_csv};

/// Reads a CSV or Parquet table, as its file name ends.
///
/// # Errors
/// [`Error::Extension`] for another ending, [`Error::Io`] if the file cannot be opened, [`Error::Content`] if it is damaged or holds
/// what is no number, text or boolean.
pub fn read_table(path: &Path) -> Result<Table, Error> {
    match Format::of(path)? {
        Format::Csv => read_csv(path),
        Format::Parquet => read_parquet(path),
        Format::Json => Err(Error::content(path, "tables are read from .csv and .parquet; write this one as one of them")),
    }
}

/// Reads a Parquet table; errors as [`read_table`]. A missing number becomes NaN, missing text empty.
pub fn read_parquet(path: &Path) -> Result<Table, Error> {
    let failed = |e: parquet::errors::ParquetError| Error::content(path, e);
    let reader = SerializedFileReader::new(File::open(path).map_err(Error::io("read", path))?).map_err(failed)?;
    let names: Vec<String> = reader.metadata().file_metadata().schema().get_fields().iter().map(|field| field.name().to_owned()).collect();
    let mut cells: Vec<Vec<Field>> = vec![Vec::new(); names.len()];
    for row in reader.get_row_iter(None).map_err(failed)? {
        let row = row.map_err(failed)?;
        cells.iter_mut().zip(row.get_column_iter()).for_each(|(column, (_, cell))| column.push(cell.clone()));
    }
    let mut table = Table::new();
    for (name, cells) in names.into_iter().zip(cells) {
        let Some(column) = typed(&cells) else {
            return Err(Error::content(path, format!("column {name} holds neither numbers nor text nor booleans")));
        };
        table.push(name, column)?;
    }
    Ok(table)
}

/// The column of all cells, if they are of one kind.
fn typed(cells: &[Field]) -> Option<Column> {
    fn all<T>(cells: &[Field], of: impl Fn(&Field) -> Option<T>) -> Option<Vec<T>> {
        cells.iter().map(of).collect()
    }
    let integers = all(cells, integer).map(Column::Integer);
    let floats = || all(cells, float).map(Column::Float);
    let bools = || all(cells, |cell| if let Field::Bool(v) = cell { Some(*v) } else { None }).map(Column::Bool);
    let text = |cell: &Field| match cell {
        Field::Str(v) => Some(v.clone()),
        Field::Null => Some(String::new()),
        _ => None,
    };
    let nothing = cells.iter().all(|cell| matches!(cell, Field::Null)); // no kind can be told
    if nothing {
        return Some(Column::Text(vec![String::new(); cells.len()]));
    }
    integers.or_else(floats).or_else(bools).or_else(|| all(cells, text).map(Column::Text))
}

fn integer(cell: &Field) -> Option<i64> {
    match *cell {
        Field::Byte(v) => Some(v.into()),
        Field::Short(v) => Some(v.into()),
        Field::Int(v) => Some(v.into()),
        Field::Long(v) => Some(v),
        Field::UByte(v) => Some(v.into()),
        Field::UShort(v) => Some(v.into()),
        Field::UInt(v) => Some(v.into()),
        Field::ULong(v) => v.try_into().ok(),
        _ => None,
    }
}

fn float(cell: &Field) -> Option<f64> {
    match *cell {
        Field::Float(v) => Some(v.into()),
        Field::Double(v) => Some(v),
        Field::Null => Some(f64::NAN),
        ref other => integer(other).map(|v| v as f64),
    }
}
