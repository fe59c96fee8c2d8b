//! The published folder: one file of the core all scans share, one file per scan of everything else, tables of scans and units.
//!
//! `params_core.pt`, `params_<session>_<scan>.pt`, `scans.csv` (session, scan_idx, units) and `units.csv` (session, scan_idx,
//! unit_id, readout_id). A network is the union of the core's and a scan's tensors.

use super::state_dict::StateDict;
use super::{Error, file, pt};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::path::Path;

/// Prefix of the keys in the file all scans share.
const SHARED: &str = "core.";
const CORE_FILE: &str = "params_core.pt";
const SCANS_FILE: &str = "scans.csv";
const UNITS_FILE: &str = "units.csv";
/// The tensor with one row for each unit.
const POSITIONS: &str = "readout.position.mu";

/// A scan in the table of scans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scan {
    /// Recording session.
    pub session: u32,
    /// Scan within the session.
    pub scan_idx: u32,
    /// Number of units.
    pub units: usize,
}

/// A unit in the table of units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitId {
    /// Recording session.
    pub session: u32,
    /// Scan within the session.
    pub scan_idx: u32,
    /// Number of the unit in its scan.
    pub unit_id: u64,
    /// Its place among the network's responses.
    pub readout_id: usize,
}

/// All scans of a folder.
pub fn list_scans(folder: &Path) -> Result<Vec<Scan>, Error> {
    let path = folder.join(SCANS_FILE);
    scans_from_bytes(&file::read(&path)?).map_err(|error| error.within(&path))
}

/// All scans of a table of scans.
pub fn scans_from_bytes(table: &[u8]) -> Result<Vec<Scan>, Error> {
    let scan = |[session, scan_idx, units]: [Number; 3]| Ok(Scan { session: session.to()?, scan_idx: scan_idx.to()?, units: units.to()? });
    let scans: Vec<Scan> = rows(table, ["session", "scan_idx", "units"], scan)?;
    let mut seen = HashSet::new();
    match scans.iter().find(|s| !seen.insert((s.session, s.scan_idx))) {
        Some(s) => Err(Error::Mismatch { what: format!("scan {}_{}", s.session, s.scan_idx), expected: "one row".into(), got: "two".into() }),
        None => Ok(scans),
    }
}

/// Session and scan from text such as `4_7` or `4-7`.
pub fn parse_scan(text: &str) -> Result<(u32, u32), Error> {
    let parts = text.split_once(['_', '-']).and_then(|(session, scan)| Some((session.trim().parse().ok()?, scan.trim().parse().ok()?)));
    let wrong = || Error::Mismatch { what: "scan".into(), expected: "session and scan, for example 4_7".into(), got: format!("{text:?}") };
    parts.ok_or_else(wrong)
}

/// Session and scan asked for, such as `4_7`; those of the only scan in the folder if none is asked for.
pub fn choose(folder: &Path, asked: Option<&str>) -> Result<(u32, u32), Error> {
    let (scans, asked) = (list_scans(folder)?, asked.map(parse_scan).transpose()?);
    find(&scans, asked).map(|scan| (scan.session, scan.scan_idx)).map_err(|error| error.within(folder))
}

fn find(scans: &[Scan], asked: Option<(u32, u32)>) -> Result<Scan, Error> {
    let found = match asked {
        Some(asked) => scans.iter().find(|s| (s.session, s.scan_idx) == asked),
        None if scans.len() == 1 => scans.first(),
        None => None,
    };
    found.copied().ok_or_else(|| {
        let asked = asked.map_or_else(|| "choose a scan".into(), |(session, scan)| format!("scan {session}_{scan} is not there"));
        let there: Vec<String> = scans.iter().map(|s| format!("{}_{}", s.session, s.scan_idx)).collect();
        Error::Scan { asked, there: if there.is_empty() { "none".into() } else { there.join(", ") } }
    })
}

/// Reads the network of a scan: its tensors and the core's, and its units in the order of the responses.
pub fn read_scan(folder: &Path, session: u32, scan_idx: u32) -> Result<(StateDict, Vec<UnitId>), Error> {
    let scan = find(&list_scans(folder)?, Some((session, scan_idx))).map_err(|error| error.within(folder))?;
    let core = pt::read(&folder.join(CORE_FILE))?;
    let own_path = folder.join(scan_file(session, scan_idx));
    let own = pt::read(&own_path)?;
    let units_path = folder.join(UNITS_FILE);
    let units = file::read(&units_path)?;
    assemble(core, own, &units, scan).map_err(|error| match error {
        error @ Error::Table { .. } => error.within(&units_path),
        error => error.within(&own_path),
    })
}

/// As [`read_scan`], from the bytes of the core's file, the scan's file and the table of units.
pub fn scan_from_bytes(core: &[u8], own: &[u8], units: &[u8], scan: Scan) -> Result<(StateDict, Vec<UnitId>), Error> {
    assemble(pt::from_bytes(core)?, pt::from_bytes(own)?, units, scan)
}

fn assemble(core: StateDict, own: StateDict, units: &[u8], scan: Scan) -> Result<(StateDict, Vec<UnitId>), Error> {
    let mut units = units_from_bytes(units)?;
    units.retain(|u| (u.session, u.scan_idx) == (scan.session, scan.scan_idx));
    units.sort_by_key(|u| u.readout_id);
    if units.len() != scan.units {
        let what = format!("rows of scan {}_{} in {UNITS_FILE}", scan.session, scan.scan_idx);
        return Err(Error::Mismatch { what, expected: format!("{} as {SCANS_FILE} says", scan.units), got: units.len().to_string() });
    }
    let state = core.union(own)?;
    check_units(&state, &units)?;
    Ok((state, units))
}

/// All units of a table of units.
pub fn units_from_bytes(table: &[u8]) -> Result<Vec<UnitId>, Error> {
    rows(table, ["session", "scan_idx", "unit_id", "readout_id"], |[session, scan_idx, unit_id, readout_id]| {
        Ok(UnitId { session: session.to()?, scan_idx: scan_idx.to()?, unit_id: unit_id.to()?, readout_id: readout_id.to()? })
    })
}

/// Refuses units that are not one for each of the network's responses, in their order.
fn check_units(state: &StateDict, units: &[UnitId]) -> Result<(), Error> {
    let mismatch = |what: &str, expected: String, got: String| Err(Error::Mismatch { what: what.into(), expected, got });
    match state.get(POSITIONS).and_then(|mu| mu.shape.first()) {
        None => return mismatch("weights", format!("the tensor {POSITIONS}"), "none".into()),
        Some(rows) if *rows != units.len() => return mismatch(POSITIONS, format!("{} rows, one for each unit", units.len()), rows.to_string()),
        Some(_) => {}
    }
    match units.iter().enumerate().find(|(place, unit)| unit.readout_id != *place) {
        Some((place, unit)) => {
            mismatch("readout_id", format!("each number below {} once", units.len()), format!("{} instead of {place}", unit.readout_id))
        }
        None => Ok(()),
    }
}

/// Writes the network of a scan to a new published folder, or adds it to one with the same core.
///
/// Units without a number of their own (`units` empty) are numbered by their place. All files appear, or none.
pub fn write(folder: &Path, session: u32, scan_idx: u32, state: &StateDict, units: &[UnitId]) -> Result<(), Error> {
    let count = state.get(POSITIONS).and_then(|mu| mu.shape.first()).copied().unwrap_or(0);
    let numbered = |place| UnitId { session, scan_idx, unit_id: place as u64, readout_id: place };
    let own_units: Vec<UnitId> =
        if units.is_empty() { (0..count).map(numbered).collect() } else { units.iter().map(|u| UnitId { session, scan_idx, ..*u }).collect() };
    check_units(state, &own_units)?;
    let (core, own) = state.clone().split(SHARED);
    let (mut scans, mut all_units) = (Vec::new(), Vec::new());
    let core_path = folder.join(CORE_FILE);
    let is_new = !core_path.exists();
    if !is_new {
        scans = list_scans(folder)?;
        let units_path = folder.join(UNITS_FILE);
        all_units = units_from_bytes(&file::read(&units_path)?).map_err(|error| error.within(&units_path))?;
        let mismatch = |what: &str, expected: &str, got| Error::Mismatch { what: what.into(), expected: expected.into(), got }.within(folder);
        if scans.iter().any(|s| (s.session, s.scan_idx) == (session, scan_idx)) {
            return Err(mismatch("scan", "one that is not there yet", format!("{session}_{scan_idx}")));
        }
        if pt::read(&core_path)? != core {
            return Err(mismatch("core", "the one in this folder; networks with another need a folder of their own", "another".into()));
        }
    }
    scans.push(Scan { session, scan_idx, units: own_units.len() });
    all_units.extend(own_units);
    let own_file = scan_file(session, scan_idx);
    let mut files = vec![(folder.join(&own_file), pt::to_bytes(&own, own_file.trim_end_matches(".pt"))?)];
    if is_new {
        files.push((core_path, pt::to_bytes(&core, CORE_FILE.trim_end_matches(".pt"))?));
    }
    files.push((folder.join(UNITS_FILE), units_table(&all_units)));
    files.push((folder.join(SCANS_FILE), scans_table(&scans))); // last: what is listed is there
    file::write_all(folder, &files)
}

fn scans_table(scans: &[Scan]) -> Vec<u8> {
    let rows = scans.iter().map(|s| format!("{},{},{}\n", s.session, s.scan_idx, s.units));
    std::iter::once("session,scan_idx,units\n".to_owned()).chain(rows).collect::<String>().into_bytes()
}

fn units_table(units: &[UnitId]) -> Vec<u8> {
    let rows = units.iter().map(|u| format!("{},{},{},{}\n", u.session, u.scan_idx, u.unit_id, u.readout_id));
    std::iter::once("session,scan_idx,unit_id,readout_id\n".to_owned()).chain(rows).collect::<String>().into_bytes()
}

fn scan_file(session: u32, scan_idx: u32) -> String {
    format!("params_{session}_{scan_idx}.pt")
}

/// A whole number in a table, and where it stands.
struct Number<'a> {
    line: u64,
    column: &'static str,
    text: &'a str,
}

impl Number<'_> {
    fn to<T: std::str::FromStr>(&self) -> Result<T, Error> {
        let expected = || format!("a whole number in column {}", self.column);
        self.text.trim().parse().map_err(|_| Error::Table { line: self.line, expected: expected(), got: format!("{:?}", self.text) })
    }
}

/// Rows of a table with a header, from the columns named; others are ignored.
fn rows<const N: usize, T>(table: &[u8], columns: [&'static str; N], row: impl Fn([Number; N]) -> Result<T, Error>) -> Result<Vec<T>, Error> {
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
