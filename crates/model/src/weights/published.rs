//! The published folder: one file of the core all scans share, one file per scan of everything else, tables of scans and units.
//!
//! `params_core.pt`, `params_<session>_<scan>.pt`, `scans.csv` (session, scan_idx, units) and `units.csv` (session, scan_idx,
//! unit_id, readout_id). A network is the union of the core's and a scan's tensors.

use super::state_dict::StateDict;
use super::table::{self, Number, rows};
use super::{Error, file, pt};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::path::Path;

/// Prefix of the keys in the file all scans share.
const SHARED: &str = "core.";
const CORE_FILE: &str = "params_core.pt";
const SCANS_FILE: &str = "scans.csv";
const UNITS_FILE: &str = "units.csv";
/// Columns that are read and written; others are kept.
const SCANS: [&str; 3] = ["session", "scan_idx", "units"];
const UNITS: [&str; 4] = ["session", "scan_idx", "unit_id", "readout_id"];
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
    let scans: Vec<Scan> = rows(table, SCANS, scan)?;
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
    rows(table, UNITS, |[session, scan_idx, unit_id, readout_id]| {
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

/// Writes the network of a scan to a new published folder, or adds it to one with the same core, whose tables keep all they hold.
///
/// Units without a number of their own (`units` empty) are numbered by their place. All files appear, or none.
pub fn write(folder: &Path, session: u32, scan_idx: u32, state: &StateDict, units: &[UnitId]) -> Result<(), Error> {
    let count = state.get(POSITIONS).and_then(|mu| mu.shape.first()).copied().unwrap_or(0);
    let numbered = |place| UnitId { session, scan_idx, unit_id: place as u64, readout_id: place };
    let own_units: Vec<UnitId> =
        if units.is_empty() { (0..count).map(numbered).collect() } else { units.iter().map(|u| UnitId { session, scan_idx, ..*u }).collect() };
    check_units(state, &own_units)?;
    let (core, own) = state.clone().split(SHARED);
    let [core_path, scans_path, units_path] = [CORE_FILE, SCANS_FILE, UNITS_FILE].map(|name| folder.join(name));
    let is_new = !core_path.exists();
    let (scans, listed) = if is_new {
        (SCANS.join(",").into_bytes(), UNITS.join(",").into_bytes())
    } else {
        check_room(folder, session, scan_idx, &core)?;
        (file::read(&scans_path)?, file::read(&units_path)?)
    };
    let scan = [[session.into(), scan_idx.into(), own_units.len() as u64]];
    let scans = table::append(&scans, SCANS, &scan).map_err(|error| error.within(&scans_path))?;
    let listed = with_units(&listed, &own_units).map_err(|error| error.within(&units_path))?;
    let own_file = scan_file(session, scan_idx);
    let mut files = vec![(folder.join(&own_file), pt::to_bytes(&own, own_file.trim_end_matches(".pt"))?)];
    if is_new {
        files.push((core_path, pt::to_bytes(&core, CORE_FILE.trim_end_matches(".pt"))?));
    }
    files.push((units_path, listed));
    files.push((scans_path, scans)); // last: what is listed is there
    file::write_all(folder, &files)
}

/// Refuses to add a scan that is there already, or one of another core.
fn check_room(folder: &Path, session: u32, scan_idx: u32, core: &StateDict) -> Result<(), Error> {
    let mismatch = |what: &str, expected: &str, got| Err(Error::Mismatch { what: what.into(), expected: expected.into(), got }.within(folder));
    if list_scans(folder)?.iter().any(|s| (s.session, s.scan_idx) == (session, scan_idx)) {
        return mismatch("scan", "one that is not there yet", format!("{session}_{scan_idx}"));
    }
    if pt::read(&folder.join(CORE_FILE))? != *core {
        return mismatch("core", "the one in this folder; networks with another need a folder of their own", "another".into());
    }
    Ok(())
}

/// A table of units with those of one more scan, unless it lists them already.
fn with_units(listed: &[u8], own: &[UnitId]) -> Result<Vec<u8>, Error> {
    let scan = own.first().map(|u| (u.session, u.scan_idx));
    let there: Vec<UnitId> = units_from_bytes(listed)?.into_iter().filter(|u| Some((u.session, u.scan_idx)) == scan).collect();
    if there.is_empty() {
        let row = |u: &UnitId| [u.session.into(), u.scan_idx.into(), u.unit_id, u.readout_id as u64];
        return table::append(listed, UNITS, &own.iter().map(row).collect::<Vec<_>>());
    }
    if there.iter().collect::<HashSet<_>>() == own.iter().collect::<HashSet<_>>() {
        return Ok(listed.to_vec());
    }
    Err(Error::Mismatch { what: "units of the scan".into(), expected: "none yet, or the network's".into(), got: format!("{} others", there.len()) })
}

fn scan_file(session: u32, scan_idx: u32) -> String {
    format!("params_{session}_{scan_idx}.pt")
}
