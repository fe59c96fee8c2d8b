//! Table: named columns of equal length. Every result of an analysis is one.

use crate::error::Error;

/// The values of one column.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Counts, indices and identifiers.
    Integer(Vec<i64>),
    /// Measured values; NaN is missing.
    Float(Vec<f64>),
    /// Names and labels.
    Text(Vec<String>),
    /// Yes or no.
    Bool(Vec<bool>),
}

impl Column {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Column::Integer(v) => v.len(),
            Column::Float(v) => v.len(),
            Column::Text(v) => v.len(),
            Column::Bool(v) => v.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What it holds, in words.
    pub fn kind(&self) -> &'static str {
        match self {
            Column::Integer(_) => "integers",
            Column::Float(_) => "floats",
            Column::Text(_) => "text",
            Column::Bool(_) => "booleans",
        }
    }
}

impl From<Vec<i64>> for Column {
    fn from(values: Vec<i64>) -> Self {
        Column::Integer(values)
    }
}

impl From<Vec<f64>> for Column {
    fn from(values: Vec<f64>) -> Self {
        Column::Float(values)
    }
}

impl From<Vec<String>> for Column {
    fn from(values: Vec<String>) -> Self {
        Column::Text(values)
    }
}

impl From<Vec<bool>> for Column {
    fn from(values: Vec<bool>) -> Self {
        Column::Bool(values)
    }
}

/// Named columns of equal length, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    columns: Vec<(String, Column)>,
}

impl Table {
    /// A table without columns.
    pub fn new() -> Self {
        Self::default()
    }

    /// Columns whose names differ and whose lengths agree by construction.
    pub(crate) fn from_equal<const N: usize>(columns: [(&str, Column); N]) -> Self {
        debug_assert!(columns.iter().all(|(_, c)| c.len() == columns[0].1.len()));
        Self { columns: columns.into_iter().map(|(name, column)| (name.to_owned(), column)).collect() }
    }

    /// This table with one more column.
    ///
    /// # Errors
    /// [`Error::ColumnLength`] if it is not as long as those before it, [`Error::ColumnTwice`] if its name is taken.
    pub fn with(mut self, name: impl Into<String>, column: impl Into<Column>) -> Result<Self, Error> {
        self.push(name, column)?;
        Ok(self)
    }

    /// Adds a column; errors as [`Table::with`].
    pub fn push(&mut self, name: impl Into<String>, column: impl Into<Column>) -> Result<(), Error> {
        let (name, column) = (name.into(), column.into());
        if self.columns.iter().any(|(n, _)| *n == name) {
            return Err(Error::ColumnTwice { column: name });
        }
        if !self.columns.is_empty() && column.len() != self.rows() {
            return Err(Error::ColumnLength { column: name, expected: self.rows(), got: column.len() });
        }
        self.columns.push((name, column));
        Ok(())
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }

    /// Names and columns, in order.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = (&str, &Column)> {
        self.columns.iter().map(|(name, column)| (name.as_str(), column))
    }

    /// The column called `name`.
    ///
    /// # Errors
    /// [`Error::ColumnMissing`] if there is none.
    pub fn column(&self, name: &str) -> Result<&Column, Error> {
        let found = self.columns.iter().find(|(n, _)| n == name).map(|(_, column)| column);
        found.ok_or_else(|| {
            let has = self.columns.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>().join(", ");
            Error::ColumnMissing { column: name.to_owned(), has }
        })
    }

    /// The floats of column `name`; errors if it is missing or holds something else.
    pub fn floats(&self, name: &str) -> Result<&[f64], Error> {
        match self.column(name)? {
            Column::Float(values) => Ok(values),
            other => Err(wrong_type(name, "floats", other)),
        }
    }

    /// The integers of column `name`; errors if it is missing or holds something else.
    pub fn integers(&self, name: &str) -> Result<&[i64], Error> {
        match self.column(name)? {
            Column::Integer(values) => Ok(values),
            other => Err(wrong_type(name, "integers", other)),
        }
    }

    /// The text of column `name`; errors if it is missing or holds something else.
    pub fn text(&self, name: &str) -> Result<&[String], Error> {
        match self.column(name)? {
            Column::Text(values) => Ok(values),
            other => Err(wrong_type(name, "text", other)),
        }
    }

    /// The booleans of column `name`; errors if it is missing or holds something else.
    pub fn bools(&self, name: &str) -> Result<&[bool], Error> {
        match self.column(name)? {
            Column::Bool(values) => Ok(values),
            other => Err(wrong_type(name, "booleans", other)),
        }
    }

    /// Appends the rows of `other`, which must have the same columns in the same order. A table without columns takes them over.
    ///
    /// # Errors
    /// [`Error::Shape`] if the number of columns differs, [`Error::ColumnMissing`] or [`Error::ColumnType`] if one does. The
    /// table is then as it was.
    pub fn append(&mut self, other: Table) -> Result<(), Error> {
        if self.columns.is_empty() {
            *self = other;
            return Ok(());
        }
        if self.columns.len() != other.columns.len() {
            let count = |t: &Table| format!("{} columns", t.columns.len());
            return Err(Error::Shape { what: "appended table".into(), expected: count(self), got: count(&other) });
        }
        for ((name, to), (other_name, from)) in self.columns.iter().zip(&other.columns) {
            if name != other_name {
                return Err(Error::ColumnMissing { column: name.clone(), has: format!("{other_name} in its place") });
            }
            if to.kind() != from.kind() {
                return Err(wrong_type(name, to.kind(), from));
            }
        }
        for ((_, to), (_, from)) in self.columns.iter_mut().zip(other.columns) {
            match (to, from) {
                (Column::Integer(a), Column::Integer(b)) => a.extend(b),
                (Column::Float(a), Column::Float(b)) => a.extend(b),
                (Column::Text(a), Column::Text(b)) => a.extend(b),
                (Column::Bool(a), Column::Bool(b)) => a.extend(b),
                _ => unreachable!("the kinds were compared above"),
            }
        }
        Ok(())
    }
}

fn wrong_type(name: &str, expected: &'static str, column: &Column) -> Error {
    Error::ColumnType { column: name.to_owned(), expected, got: column.kind() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_rows() -> Table {
        Table::new().with("unit", vec![1i64, 2]).unwrap().with("cc", vec![0.5, f64::NAN]).unwrap()
    }

    #[test]
    fn lengths_and_names_are_held() {
        let table = two_rows();
        let e = table.clone().with("area", vec!["V1".to_owned()]).unwrap_err();
        assert_eq!(e, Error::ColumnLength { column: "area".into(), expected: 2, got: 1 });
        assert_eq!(table.clone().with("cc", vec![true, false]).unwrap_err(), Error::ColumnTwice { column: "cc".into() });
        assert_eq!(table.integers("unit").unwrap(), [1, 2]);
        assert!(matches!(table.floats("unit"), Err(Error::ColumnType { got: "integers", .. })));
        let message = table.floats("cc_norm").unwrap_err().to_string();
        assert_eq!(message, "no column cc_norm; the table has unit, cc");
    }

    #[test]
    fn append_keeps_the_table_on_error() {
        let mut table = two_rows();
        let before = table.rows();
        let other = Table::new().with("unit", vec![3i64]).unwrap().with("cc", vec![1i64]).unwrap();
        assert!(table.append(other).is_err());
        assert!(table.append(Table::new().with("unit", vec![3i64]).unwrap()).is_err());
        assert_eq!((table.rows(), table.integers("unit").unwrap().len()), (before, before));
        table.append(two_rows()).unwrap();
        assert_eq!(table.integers("unit").unwrap(), [1, 2, 1, 2]);
        let mut empty = Table::new();
        empty.append(two_rows()).unwrap();
        assert_eq!(empty.rows(), 2);
    }
}
