//! Tables of whole numbers as comma-separated text, with a header.

use super::Error;

/// A whole number in a table, and where it stands.
pub(super) struct Number<'a> {
    line: u64,
    column: &'static str,
    text: &'a str,
}

impl Number<'_> {
    pub(super) fn to<T: std::str::FromStr>(&self) -> Result<T, Error> {
        let expected = || format!("a whole number in column {}", self.column);
        self.text.trim().parse().map_err(|_| Error::Table { line: self.line, expected: expected(), got: format!("{:?}", self.text) })
    }
}

/// Rows of a table with a header, from the columns named; others are ignored.
pub(super) fn rows<const N: usize, T>(
    table: &[u8],
    columns: [&'static str; N],
    row: impl Fn([Number; N]) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let broken = |e: csv::Error| Error::Table {
        line: e.position().map_or(1, csv::Position::line),
        expected: "a comma-separated table".into(),
        got: e.to_string(),
    };
    let mut reader = csv::Reader::from_reader(table);
    let header = reader.headers().map_err(broken)?.clone();
    let place = |column: &str| header.iter().position(|name| name.trim() == column);
    let mut places = [0; N];
    for (place_of, column) in places.iter_mut().zip(columns) {
        let missing = || Error::Table { line: 1, expected: format!("a column {column}"), got: header.iter().collect::<Vec<_>>().join(", ") };
        *place_of = place(column).ok_or_else(missing)?;
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let line = record.position().map_or(0, csv::Position::line);
        rows.push(row(std::array::from_fn(|i| Number { line, column: columns[i], text: &record[places[i]] }))?);
    }
    Ok(rows)
}

/// A table with rows added below; what is there stays as it is, and columns that are not named are left empty in the new rows.
pub(super) fn append<const N: usize>(table: &[u8], columns: [&'static str; N], new: &[[u64; N]]) -> Result<Vec<u8>, Error> {
    let failed = |e: csv::Error| Error::Table { line: 1, expected: "a comma-separated table".into(), got: e.to_string() };
    let header = csv::Reader::from_reader(table).headers().map_err(failed)?.clone();
    let crlf = table.windows(2).any(|w| w == b"\r\n");
    let mut out = table.to_vec();
    if !out.ends_with(b"\n") {
        out.extend(if crlf { b"\r\n".as_slice() } else { b"\n" });
    }
    for row in new {
        let cell = |name: &str| columns.iter().position(|c| *c == name.trim()).map_or_else(String::new, |place| row[place].to_string());
        let cells: Vec<String> = header.iter().map(cell).collect();
        out.extend(cells.join(",").bytes());
        out.extend(if crlf { b"\r\n".as_slice() } else { b"\n" });
    }
    Ok(out)
}
