//! The command as its users meet it.

mod anatomy;
mod bench;
mod cohort;
mod help;
mod killed;
mod models;
mod report;
mod runs;
mod stimulus;
mod study;
mod tune;
mod wrong;

use assert_cmd::Command;
use std::path::{Path, PathBuf};

/// The binary.
fn striate(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_striate"));
    command.args(arguments);
    command
}

/// Standard output of a call that must succeed.
fn output(arguments: &[&str]) -> String {
    let out = striate(arguments).output().expect("the binary runs");
    assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).expect("text")
}

/// Standard error of a call that must fail, without a panic.
fn failure(arguments: &[&str]) -> String {
    let out = striate(arguments).output().expect("the binary runs");
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(!out.status.success(), "{arguments:?} succeeded");
    assert!(!text.contains("panicked"), "{arguments:?}: {text}");
    text
}

/// A reference case.
fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(name)
}

/// A path as an argument.
fn text(path: &Path) -> &str {
    path.to_str().expect("a path of plain characters")
}

/// A .npy file of the given type and shape.
fn write_npy(path: &Path, kind: &str, shape: &str, data: &[u8]) {
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
    let padding = (64 - (10 + header.len() + 1) % 64) % 64;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(((header.len() + padding + 1) as u16).to_le_bytes());
    bytes.extend(header.bytes());
    bytes.extend(std::iter::repeat_n(b' ', padding));
    bytes.push(b'\n');
    bytes.extend(data);
    std::fs::write(path, bytes).expect("write");
}
