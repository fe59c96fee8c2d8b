//! NumPy arrays of every type and order, and every way they can be damaged.

use crate::npy_file::{f64s, npy};
use ndarray::ArrayD;
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use striate_import::npy::{read_f32, read_u8};

fn numbers(path: &Path, descr: &str, data: &[u8]) -> Vec<f32> {
    let width: usize = descr[2..].parse().unwrap();
    let shape = format!("({},)", data.len() / width);
    read_f32(&npy(path, descr, &shape, "False", data)).unwrap_or_else(|e| panic!("{e}")).into_raw_vec_and_offset().0
}

/// The messages of both readers, which always name the file.
fn refused(path: &Path) -> String {
    for message in [read_f32(path).map(|_| ()), read_u8(path).map(|_| ())].map(|r| r.expect_err("should be refused").to_string()) {
        assert!(message.contains("a.npy"), "{message}");
    }
    read_f32(path).unwrap_err().to_string()
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    (folder, path)
}

#[test]
fn numbers_of_every_type_keep_their_values() {
    let (_folder, path) = folder();
    let p = &path;
    assert_eq!(numbers(p, "<f4", &[1.5f32, -2.0].map(f32::to_le_bytes).concat()), [1.5, -2.0]);
    assert_eq!(numbers(p, "<f8", &[1.5f64, -1e-3].map(f64::to_le_bytes).concat()), [1.5, -1e-3]);
    assert_eq!(numbers(p, "<i8", &[300i64, -7].map(i64::to_le_bytes).concat()), [300.0, -7.0]);
    assert_eq!(numbers(p, "<i4", &[70000i32, -7].map(i32::to_le_bytes).concat()), [70000.0, -7.0]);
    assert_eq!(numbers(p, "<i2", &[300i16, -7].map(i16::to_le_bytes).concat()), [300.0, -7.0]);
    assert_eq!(numbers(p, "<u2", &[65535u16, 7].map(u16::to_le_bytes).concat()), [65535.0, 7.0]);
    assert_eq!(numbers(p, "|u1", &[255, 0]), [255.0, 0.0]);
    assert_eq!(numbers(p, "|i1", &[255, 1]), [-1.0, 1.0]);
    assert_eq!(numbers(p, "|b1", &[1, 0]), [1.0, 0.0]);
    assert!(numbers(p, "<f4", &f32::NAN.to_le_bytes())[0].is_nan());
    let one = read_f32(&npy(p, "<i8", "()", "False", &300i64.to_le_bytes())).unwrap();
    assert_eq!((one.ndim(), one.first()), (0, Some(&300.0)));
    let fortran = read_u8(&npy(p, "|u1", "(2, 3)", "True", &[0, 1, 2, 3, 4, 5])).unwrap();
    assert_eq!(fortran, ArrayD::from_shape_vec(vec![2, 3], vec![0, 2, 4, 1, 3, 5]).unwrap(), "first axis runs fastest");
    assert_eq!(fortran.as_slice(), Some(&[0, 2, 4, 1, 3, 5][..]), "row-major as it comes");
    // version 2 has a longer length
    let mut file = std::fs::read(f64s(p, &[1], &[4.0])).unwrap();
    file[6] = 2;
    file.splice(10..10, [0, 0]);
    std::fs::write(p, file).unwrap();
    assert_eq!(read_f32(p).unwrap().as_slice(), Some(&[4.0][..]));
}

#[test]
fn damaged_arrays_are_refused() {
    let (_folder, path) = folder();
    let cases = [
        ("<f4", "(2, 2)", 15, "asks for 16 bytes, there are 15"),
        ("<f4", "(2, 2)", 20, "asks for 16 bytes, there are 20"),
        ("<f4", "(4294967296, 4294967296, 4294967296)", 4, "too many bytes"),
        ("<f4", "(99999999999999999999,)", 4, "not a NumPy"),
        ("<f4", "(-1,)", 4, "not a NumPy"),
        (">f4", "(1,)", 4, "holds >f4, expected"),
        ("<c8", "(1,)", 8, "holds <c8, expected"),
        ("|O", "(1,)", 8, "holds |O, expected"),
        ("<U9", "(1,)", 36, "holds <U9, expected"),
    ];
    for (descr, shape, bytes, part) in cases {
        let message = refused(&npy(&path, descr, shape, "False", &vec![0; bytes]));
        assert!(message.contains(part), "{descr} {shape}: {message}");
    }
    assert!(read_u8(&f64s(&path, &[1], &[1.0])).unwrap_err().to_string().contains("holds <f8, expected uint8"));
    let whole = std::fs::read(&path).unwrap();
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        refused(&path);
    }
    std::fs::write(&path, b"").unwrap();
    assert!(refused(&path).contains("the file is empty"));
    std::fs::remove_file(&path).unwrap();
    refused(&path);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_array_survives_its_file(rows in 0usize..5, columns in 0usize..5, seed in any::<u32>()) {
        let (_folder, path) = folder();
        let values: Vec<f64> = (0..rows * columns).map(|i| f64::from(seed.rotate_left(i as u32) as i32 >> 9)).collect();
        let read = read_f32(&f64s(&path, &[rows, columns], &values)).unwrap();
        prop_assert_eq!(read.shape(), &[rows, columns]);
        prop_assert!(read.iter().zip(&values).all(|(a, b)| f64::from(*a) == *b));
    }

    #[test]
    fn no_header_breaks_the_reader(at in 0usize..128, byte in any::<u8>()) {
        let (_folder, path) = folder();
        let mut file = std::fs::read(f64s(&path, &[2, 3], &[1.0; 6])).unwrap();
        file[at] = byte;
        std::fs::write(&path, file).unwrap();
        // read or refused, but at most as many values as there are bytes
        prop_assert!(read_f32(&path).map_or(0, |x| x.len()) <= 48);
    }
}
