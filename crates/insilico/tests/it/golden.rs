//! The authors' numbers: outputs, taps, losses, every gradient, optimizer steps, analyses.

use std::path::PathBuf;
use striate_insilico::verify::verify;

fn folder(case: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(case)
}

fn holds(case: &str, at_least: usize) {
    let report = verify(&folder(case), 1.0).expect("a whole case");
    let failed: Vec<String> =
        report.checks.iter().filter(|c| !c.holds()).map(|c| format!("{}: {:.1e} > {:.1e}", c.name, c.error, c.tolerance)).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(report.checks.len() >= at_least, "{case}: only {} tensors checked", report.checks.len());
}

#[test]
fn conv_small() {
    holds("conv-small", 283);
}

#[test]
fn conv_ungrouped() {
    holds("conv-ungrouped", 200);
}

#[test]
fn cvt_small() {
    holds("cvt-small", 298);
}

#[test]
fn rvt_small() {
    holds("rvt-small", 202);
}

#[test]
fn mlp_small() {
    holds("mlp-small", 287);
}

#[test]
fn published_layout() {
    holds("published-layout", 3);
}

#[test]
fn analyses() {
    holds("analysis", 16);
    let report = verify(&folder("analysis"), 1.0).expect("a whole case");
    assert!(report.unchecked.is_empty(), "{:?}", report.unchecked);
}

#[test]
fn a_wrong_weight_is_found() {
    let copy = tempfile::tempdir().expect("folder");
    let from = folder("conv-ungrouped");
    for name in ["case.json", "tensors.safetensors", "state_dict.safetensors"] {
        std::fs::copy(from.join(name), copy.path().join(name)).expect("copy");
    }
    let file = copy.path().join("state_dict.safetensors");
    let mut bytes = std::fs::read(&file).expect("read");
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")) as usize;
    // the exponent of some weight in the middle of the file
    let at = header + (bytes.len() - header) / 8 * 4 + 3;
    bytes[at] ^= 1;
    std::fs::write(&file, bytes).expect("write");
    let report = verify(copy.path(), 1.0).expect("still a case");
    assert!(!report.holds());
}

#[test]
fn a_reference_that_no_check_reads_is_listed() {
    let copy = tempfile::tempdir().expect("folder");
    let from = folder("conv-ungrouped");
    for name in ["case.json", "state_dict.safetensors"] {
        std::fs::copy(from.join(name), copy.path().join(name)).expect("copy");
    }
    let bytes = std::fs::read(from.join("tensors.safetensors")).expect("read");
    // a key of the same length, so that the header stays whole
    let (old, new) = (b"\"tap.readout\"", b"\"tap.raedout\"");
    let place = bytes.windows(old.len()).position(|w| w == old).expect("the tap");
    let renamed = [&bytes[..place], new, &bytes[place + old.len()..]].concat();
    std::fs::write(copy.path().join("tensors.safetensors"), renamed).expect("write");
    let report = verify(copy.path(), 1.0).expect("still a case");
    assert!(report.unchecked.contains(&"tap.raedout".to_owned()), "{:?}", report.unchecked);
    assert!(!verify(&from, 1.0).expect("a case").unchecked.iter().any(|name| name.starts_with("tap.")));
}

#[test]
fn folders_that_are_no_case_are_refused() {
    let empty = tempfile::tempdir().expect("folder");
    assert!(verify(empty.path(), 1.0).is_err());
    std::fs::write(empty.path().join("case.json"), "{").expect("write");
    assert!(verify(empty.path(), 1.0).is_err());
}
