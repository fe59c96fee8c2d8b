//! Writes .npy files, right and wrong ones.

use std::path::{Path, PathBuf};

/// A file of version 1 with any header and data, whether or not they agree.
pub fn npy(path: &Path, descr: &str, shape: &str, fortran: &str, data: &[u8]) -> PathBuf {
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}");
    while (header.len() + 11) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(data);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, file).unwrap();
    path.into()
}

/// A shape as Python writes it.
fn tuple(shape: &[usize]) -> String {
    format!("({})", shape.iter().map(|n| format!("{n},")).collect::<String>())
}

/// float64.
pub fn f64s(path: &Path, shape: &[usize], values: &[f64]) -> PathBuf {
    npy(path, "<f8", &tuple(shape), "False", &values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>())
}

/// uint8.
pub fn u8s(path: &Path, shape: &[usize], values: &[u8]) -> PathBuf {
    npy(path, "|u1", &tuple(shape), "False", values)
}
