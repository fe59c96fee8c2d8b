//! Tables as CSV, Parquet and JSON files, for R, pandas, polars and spreadsheets.
//!
//! A missing float is `NaN` in CSV, a NaN double in Parquet and `null` in JSON, which has no NaN.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use striate_analysis::{Column, Table};

use crate::error::Error;
use crate::whole_file::write_whole;

/// How a table is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a line of names.
    Csv,
    /// Apache Parquet, snappy-compressed.
    Parquet,
    /// A list of one object per row.
    Json,
}

impl Format {
    /// The format a file name's ending (.csv, .parquet, .json) asks for.
    ///
    /// # Errors
    /// [`Error::Extension`] for any other.
    pub fn of(path: &Path) -> Result<Self, Error> {
        let ending = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
        match ending.as_deref() {
            Some("csv") => Ok(Self::Csv),
            Some("parquet") => Ok(Self::Parquet),
            Some("json") => Ok(Self::Json),
            _ => Err(Error::Extension { path: path.to_owned() }),
        }
    }
}

/// Writes a table in the format its file name ends in.
///
/// # Errors
/// [`Error::Extension`], or as [`write_csv`].
pub fn write_table(path: &Path, table: &Table) -> Result<(), Error> {
    match Format::of(path)? {
        Format::Csv => write_csv(path, table),
        Format::Parquet => write_parquet(path, table),
        Format::Json => write_json(path, table),
    }
}

/// Writes a table as CSV. Floats keep every digit that tells them apart.
///
/// # Errors
/// [`Error::Io`] if the file cannot be written, [`Error::Content`] if the table has no column.
pub fn write_csv(path: &Path, table: &Table) -> Result<(), Error> {
    write_whole(path, |file| {
        has_columns(path, table)?;
        fill_csv(file, table).map_err(|e| Error::content(path, e))
    })
}

/// A table as the bytes of a CSV file; those of an empty file without columns.
pub(crate) fn csv_bytes(table: &Table) -> Result<Vec<u8>, csv::Error> {
    let mut bytes = Vec::new();
    if table.columns().len() > 0 {
        fill_csv(&mut bytes, table)?;
    }
    Ok(bytes)
}

fn fill_csv(to: impl Write, table: &Table) -> Result<(), csv::Error> {
    let mut csv = csv::Writer::from_writer(to);
    csv.write_record(table.columns().map(|(name, _)| name))?;
    for row in 0..table.rows() {
        csv.write_record(table.columns().map(|(_, column)| cell(column, row)))?;
    }
    Ok(csv.flush()?)
}

fn cell(column: &Column, row: usize) -> String {
    match column {
        Column::Integer(v) => v[row].to_string(),
        // Debug, unlike Display, writes 1.0 and 1e300: it stays a float and stays short.
        Column::Float(v) => format!("{:?}", v[row]),
        Column::Text(v) => v[row].clone(),
        Column::Bool(v) => v[row].to_string(),
    }
}

/// Reads a CSV file with a line of names. A column of integers, of floats, or of `true` and `false` becomes one; any other is text.
///
/// # Errors
/// [`Error::Io`] if it cannot be opened, [`Error::Content`] naming the line if it is not CSV, [`Error::Table`] for names used twice.
pub fn read_csv(path: &Path) -> Result<Table, Error> {
    let file = std::fs::File::open(path).map_err(Error::io("read", path))?;
    let mut csv = csv::Reader::from_reader(file);
    let names = csv.headers().map_err(|e| Error::content(path, e))?.clone();
    let mut cells: Vec<Vec<String>> = vec![Vec::new(); names.len()];
    for record in csv.records() {
        let record = record.map_err(|e| Error::content(path, e))?;
        cells.iter_mut().zip(&record).for_each(|(column, cell)| column.push(cell.to_owned()));
    }
    let mut table = Table::new();
    for (name, column) in names.iter().zip(cells) {
        table.push(name, typed(column))?;
    }
    Ok(table)
}

fn typed(cells: Vec<String>) -> Column {
    fn all<T: std::str::FromStr>(cells: &[String]) -> Option<Vec<T>> {
        cells.iter().map(|c| c.parse().ok()).collect()
    }
    if cells.is_empty() {
        return Column::Text(cells);
    }
    let integers = all(&cells).map(Column::Integer);
    let typed = integers.or_else(|| all(&cells).map(Column::Float)).or_else(|| all(&cells).map(Column::Bool));
    typed.unwrap_or(Column::Text(cells))
}

/// Writes a table as Parquet: one row group, every column required, text as UTF-8.
///
/// # Errors
/// As [`write_csv`].
pub fn write_parquet(path: &Path, table: &Table) -> Result<(), Error> {
    write_whole(path, |file| {
        has_columns(path, table)?;
        fill_parquet(file, table).map_err(|e| Error::content(path, e))
    })
}

fn fill_parquet(file: impl Write + Send, table: &Table) -> Result<(), ParquetError> {
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = SerializedFileWriter::new(file, schema(table)?, Arc::new(properties))?;
    if table.rows() > 0 {
        let mut group = writer.next_row_group()?;
        for (_, values) in table.columns() {
            let Some(mut column) = group.next_column()? else {
                return Err(ParquetError::General("fewer columns in the schema than in the table".into()));
            };
            match values {
                Column::Integer(v) => column.typed::<Int64Type>().write_batch(v, None, None)?,
                Column::Float(v) => column.typed::<DoubleType>().write_batch(v, None, None)?,
                Column::Bool(v) => column.typed::<BoolType>().write_batch(v, None, None)?,
                Column::Text(v) => {
                    let bytes: Vec<ByteArray> = v.iter().map(|text| ByteArray::from(text.as_str())).collect();
                    column.typed::<ByteArrayType>().write_batch(&bytes, None, None)?
                }
            };
            column.close()?;
        }
        group.close()?;
    }
    writer.close().map(|_| ())
}

fn schema(table: &Table) -> Result<TypePtr, ParquetError> {
    let field = |(name, column): (&str, &Column)| {
        let (physical, logical) = match column {
            Column::Integer(_) => (Physical::INT64, None),
            Column::Float(_) => (Physical::DOUBLE, None),
            Column::Bool(_) => (Physical::BOOLEAN, None),
            Column::Text(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let field = Type::primitive_type_builder(name, physical).with_repetition(Repetition::REQUIRED).with_logical_type(logical);
        field.build().map(Arc::new)
    };
    let fields = table.columns().map(field).collect::<Result<_, _>>()?;
    Type::group_type_builder("table").with_fields(fields).build().map(Arc::new)
}

/// Writes a table as JSON: a list with one object per row. NaN and infinities become `null`.
///
/// # Errors
/// As [`write_csv`].
pub fn write_json(path: &Path, table: &Table) -> Result<(), Error> {
    write_whole(path, |file| {
        has_columns(path, table)?;
        serde_json::to_writer(&mut *file, &Rows(table)).map_err(|e| Error::content(path, e))?;
        file.write_all(b"\n").map_err(Error::io("write", path))
    })
}

/// The rows of a table as a sequence of maps.
struct Rows<'a>(&'a Table);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.0.rows()))?;
        for row in 0..self.0.rows() {
            rows.serialize_element(&Row(self.0, row))?;
        }
        rows.end()
    }
}

struct Row<'a>(&'a Table, usize);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.columns().len()))?;
        for (name, column) in self.0.columns() {
            match column {
                Column::Integer(v) => map.serialize_entry(name, &v[self.1])?,
                Column::Float(v) => map.serialize_entry(name, &v[self.1])?,
                Column::Text(v) => map.serialize_entry(name, &v[self.1])?,
                Column::Bool(v) => map.serialize_entry(name, &v[self.1])?,
            }
        }
        map.end()
    }
}

fn has_columns(path: &Path, table: &Table) -> Result<(), Error> {
    if table.columns().len() > 0 { Ok(()) } else { Err(Error::content(path, "the table to write here has no column")) }
}
