//! The published folder: one file of the core all scans share, one file per scan of everything else, tables of scans and units.
//!
//! `params_core.pt`, `params_<session>_<scan>.pt`, `scans.csv` (session, scan_idx, units) and `units.csv` (session, scan_idx,
//! unit_id, readout_id). A network is the union of the core's and a scan's tensors.

use super::state_dict::StateDict;
use super::{Error, file, pt};
use std::collections::HashSet;
use std::fs;
use std::path::Path;

/// Prefix of the keys in the file all scans share.
const SHARED: &str = "core.";
const CORE_FILE: &str = "params_core.pt";
const SCANS_FILE: &str = "scans.csv";
const UNITS_FILE: &str = "units.csv";

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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

/// The network of a scan: all its tensors, and its units in the order of the responses.
#[derive(Clone, Debug, PartialEq)]
pub struct ScanWeights {
    /// Recording session.
    pub session: u32,
    /// Scan within the session.
    pub scan_idx: u32,
    /// Core and own tensors together.
    pub state: StateDict,
    /// Units in order of `readout_id`.
    pub units: Vec<UnitId>,
}

/// Whether a folder is laid out like the published one.
pub fn is_published(folder: &Path) -> bool {
    folder.join(CORE_FILE).is_file()
}

/// All scans of a folder.
pub fn list_scans(folder: &Path) -> Result<Vec<Scan>, Error> {
    let path = folder.join(SCANS_FILE);
    scans_from_bytes(&file::read(&path)?).map_err(|error| error.at(&path))
}

/// All scans of a table of scans.
pub fn scans_from_bytes(table: &[u8]) -> Result<Vec<Scan>, Error> {
    let scan = |[session, scan_idx, units]: [Number; 3]| Ok(Scan { session: session.to()?, scan_idx: scan_idx.to()?, units: units.to()? });
    let scans = rows(table, ["session", "scan_idx", "units"], scan)?;
    no_repeats("scan", scans.iter().map(|s| (s.session, s.scan_idx)))?;
    Ok(scans)
}

/// The scan asked for; the only one if none is asked for.
pub fn choose(scans: &[Scan], asked: Option<(u32, u32)>) -> Result<Scan, Error> {
    let found = match asked {
        Some(asked) => scans.iter().find(|s| (s.session, s.scan_idx) == asked),
        None if scans.len() == 1 => scans.first(),
        None => None,
    };
    found.copied().ok_or_else(|| {
        let asked = asked.map_or_else(|| "choose a scan".into(), |(session, scan)| format!("scan {session}-{scan} is not in this folder"));
        let there: Vec<String> = scans.iter().map(|s| format!("{}-{}", s.session, s.scan_idx)).collect();
        Error::Scan { asked, there: if there.is_empty() { "none".into() } else { there.join(", ") } }
    })
}

/// Reads the network of a scan: its tensors and the core's, and its units in the order of the responses.
pub fn read_scan(folder: &Path, session: u32, scan_idx: u32) -> Result<(StateDict, Vec<UnitId>), Error> {
    let scan = choose(&list_scans(folder)?, Some((session, scan_idx)))?;
    let core = pt::read(&folder.join(CORE_FILE))?;
    let own_path = folder.join(scan_file(session, scan_idx));
    let own = pt::read(&own_path)?;
    let units_path = folder.join(UNITS_FILE);
    let units = file::read(&units_path)?;
    assemble(core, own, &units, scan).map_err(|error| match error {
        error @ Error::Table { .. } => error.at(&units_path),
        error => error.at(&own_path),
    })
}

/// As [`read_scan`], from the bytes of the core's file, the scan's file and the table of units.
pub fn scan_from_bytes(core: &[u8], own: &[u8], units: &[u8], scan: Scan) -> Result<(StateDict, Vec<UnitId>), Error> {
    assemble(pt::from_bytes(core)?, pt::from_bytes(own)?, units, scan)
}

fn assemble(core: StateDict, own: StateDict, units: &[u8], scan: Scan) -> Result<(StateDict, Vec<UnitId>), Error> {
    let units = units_of(units, scan)?;
    let state = core.union(own)?;
    let whole = ScanWeights { session: scan.session, scan_idx: scan.scan_idx, state, units };
    check_units(&whole)?;
    Ok((whole.state, whole.units))
}

/// Units of one scan in order of `readout_id`.
fn units_of(table: &[u8], scan: Scan) -> Result<Vec<UnitId>, Error> {
    let unit = |[session, scan_idx, unit_id, readout_id]: [Number; 4]| {
        Ok(UnitId { session: session.to()?, scan_idx: scan_idx.to()?, unit_id: unit_id.to()?, readout_id: readout_id.to()? })
    };
    let mut units = rows(table, ["session", "scan_idx", "unit_id", "readout_id"], unit)?;
    units.retain(|u| (u.session, u.scan_idx) == (scan.session, scan.scan_idx));
    units.sort_by_key(|u| u.readout_id);
    if units.len() != scan.units {
        let what = format!("{UNITS_FILE}, rows of scan {}-{}", scan.session, scan.scan_idx);
        return Err(Error::Mismatch { what, expected: format!("{} as {SCANS_FILE} says", scan.units), got: units.len().to_string() });
    }
    Ok(units)
}

/// Refuses units that are not one for each of the network's responses.
fn check_units(scan: &ScanWeights) -> Result<(), Error> {
    let there = scan.state.get("readout.position.mu").and_then(|mu| mu.shape.first()).copied();
    let mismatch = |what: &str, expected: String, got: String| Error::Mismatch { what: what.into(), expected, got };
    if there != Some(scan.units.len()) {
        let got = there.map_or_else(|| "no readout.position.mu".into(), |n| format!("{n} rows of readout.position.mu"));
        return Err(mismatch("units of the network", format!("{} as the table of units says", scan.units.len()), got));
    }
    if let Some((place, unit)) = scan.units.iter().enumerate().find(|(place, unit)| unit.readout_id != *place) {
        return Err(mismatch("readout_id", format!("each number below {} once", scan.units.len()), format!("{} for {place}", unit.readout_id)));
    }
    if let Some(unit) = scan.units.iter().find(|u| (u.session, u.scan_idx) != (scan.session, scan.scan_idx)) {
        return Err(mismatch("scan of a unit", format!("{}-{}", scan.session, scan.scan_idx), format!("{}-{}", unit.session, unit.scan_idx)));
    }
    Ok(())
}

/// Writes scans that share a core as a new folder. The folder appears whole or not at all.
pub fn write(folder: &Path, scans: &[ScanWeights]) -> Result<(), Error> {
    let files = to_files(scans)?;
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) || folder.is_file() {
        let (what, expected) = (folder.display().to_string(), "a new or empty folder".into());
        return Err(Error::Mismatch { what, expected, got: "one that holds files".into() });
    }
    let number = (0..u32::MAX).find(|n| !file::beside(folder, *n).exists()).unwrap_or_default();
    let temporary = file::beside(folder, number);
    let failed = |error| Error::io("write", folder, error);
    let done = fs::create_dir_all(&temporary)
        .map_err(failed)
        .and_then(|()| files.iter().try_for_each(|(name, bytes)| file::write(&temporary.join(name), bytes)))
        .and_then(|()| if folder.is_dir() { fs::remove_dir(folder).map_err(failed) } else { Ok(()) })
        .and_then(|()| fs::rename(&temporary, folder).map_err(failed));
    if done.is_err() {
        let _ = fs::remove_dir_all(&temporary); // the first error matters more
    }
    done
}

/// The files of a published folder: names and bytes.
pub fn to_files(scans: &[ScanWeights]) -> Result<Vec<(String, Vec<u8>)>, Error> {
    no_repeats("scan", scans.iter().map(|s| (s.session, s.scan_idx)))?;
    let mut core: Option<StateDict> = None;
    let (mut scan_rows, mut unit_rows) = (String::from("session,scan_idx,units\n"), String::from("session,scan_idx,unit_id,readout_id\n"));
    let mut files = Vec::new();
    for scan in scans {
        check_units(scan)?;
        let (shared, own) = scan.state.clone().split(SHARED);
        match &core {
            Some(core) if *core != shared => {
                let (what, expected) = (format!("core of scan {}-{}", scan.session, scan.scan_idx), "the first scan's core, value by value".into());
                return Err(Error::Mismatch { what, expected, got: "another".into() });
            }
            _ => core = Some(shared),
        }
        let name = scan_file(scan.session, scan.scan_idx);
        files.push((name.clone(), pt::to_bytes(&own, name.trim_end_matches(".pt"))?));
        scan_rows += &format!("{},{},{}\n", scan.session, scan.scan_idx, scan.units.len());
        scan.units.iter().for_each(|u| unit_rows += &format!("{},{},{},{}\n", u.session, u.scan_idx, u.unit_id, u.readout_id));
    }
    let core = core.ok_or_else(|| Error::Mismatch { what: "scans to write".into(), expected: "at least one".into(), got: "none".into() })?;
    files.push((CORE_FILE.into(), pt::to_bytes(&core, CORE_FILE.trim_end_matches(".pt"))?));
    files.push((SCANS_FILE.into(), scan_rows.into_bytes()));
    files.push((UNITS_FILE.into(), unit_rows.into_bytes()));
    Ok(files)
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
    let broken = |e: csv::Error| Error::Table { line: e.position().map_or(1, csv::Position::line), expected: "a comma-separated table".into(), got: e.to_string() };
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

fn no_repeats(what: &str, scans: impl Iterator<Item = (u32, u32)>) -> Result<(), Error> {
    let mut seen = HashSet::new();
    for (session, scan_idx) in scans {
        if !seen.insert((session, scan_idx)) {
            return Err(Error::Mismatch { what: format!("{what} {session}-{scan_idx}"), expected: "once".into(), got: "twice".into() });
        }
    }
    Ok(())
}
