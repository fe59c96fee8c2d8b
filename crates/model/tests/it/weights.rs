//! Weights in and out: files by PyTorch and by this crate, damaged ones, hostile ones, and the published folder.

mod hostile;
mod published;
mod reference;

use proptest::prelude::*;
use std::collections::BTreeMap;
use std::process::Command;
use striate_model::weights::{Error, StateDict, Tensor, pt, safetensors_file};

/// Written by torch.save: a module's state dictionary (with its `_metadata`) and views of tensors.
const VIEWS: &[u8] = include_bytes!("../fixtures/views.pt");
/// The same in the format before zip archives.
const LEGACY: &[u8] = include_bytes!("../fixtures/legacy.pt");

/// What the fixtures hold.
fn views() -> StateDict {
    let base = |row: usize, column: usize| (row * 6 + column) as f32 / 8.0;
    let grid = |rows: std::ops::Range<usize>, columns: std::ops::Range<usize>| {
        Tensor::f32([rows.len(), columns.len()], rows.flat_map(|r| columns.clone().map(move |c| base(r, c))).collect())
    };
    let transposed = Tensor::f32([6, 4], (0..24).map(|i| base(i % 4, i / 4)).collect());
    let tensors = [
        ("mask", Tensor::bool([2, 2], vec![false, true, true, false])),
        ("power", Tensor::f32([], vec![1.7])),
        ("layer.weight", Tensor::f32([2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])),
        ("layer.bias", Tensor::f32([2], vec![-0.5, 0.25])),
        ("transposed", transposed),
        ("offset", grid(1..3, 2..5)),
        ("shared", grid(0..4, 0..6)),
        ("broadcast", Tensor::f32([2, 3], vec![7.0; 6])),
        ("empty", Tensor::f32([0, 3], Vec::new())),
    ];
    tensors.into_iter().map(|(key, tensor)| (key.to_owned(), tensor)).collect()
}

#[test]
fn a_torch_file_of_views_is_read() {
    let read = pt::from_bytes(VIEWS).expect("a sound file");
    assert_eq!(read, views());
    assert_eq!(read.keys().next(), Some("mask"), "the file's order is kept");
}

#[test]
fn a_legacy_file_is_told_to_be_saved_again() {
    let error = pt::from_bytes(LEGACY).expect_err("the old format");
    assert!(matches!(error, Error::Legacy) && error.to_string().contains("torch.save"), "{error}");
}

#[test]
fn every_format_returns_what_was_written() {
    let metadata: BTreeMap<String, String> = (0..9).map(|i| (format!("key {i}"), format!("\"{i}\" \u{e9}\n"))).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let (a, b) = (folder.path().join("a.pt"), folder.path().join("b.safetensors"));
    pt::write(&a, &views()).expect("written");
    safetensors_file::write(&b, &views(), &metadata).expect("written");
    assert_eq!(pt::read(&a).expect("read"), views());
    assert_eq!(safetensors_file::read(&b).expect("read"), (views(), metadata.clone()));
    assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 2, "no temporary file is left");
    let again = safetensors_file::to_bytes(&views(), &metadata).expect("written");
    assert_eq!(std::fs::read(&b).expect("read"), again, "the same content gives the same bytes");
    assert_eq!(pt::to_bytes(&views(), "a").expect("written"), std::fs::read(&a).expect("read"));
    let empty = safetensors_file::to_bytes(&StateDict::new(), &metadata).expect("written");
    assert_eq!(safetensors_file::from_bytes(&empty).expect("read"), (StateDict::new(), metadata));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_dictionary_survives_both_formats(
        list in prop::collection::vec(("[a-z0-9._]{1,40}", prop::collection::vec(0usize..5, 0..5), any::<bool>()), 0..12),
    ) {
        let tensor = |(i, (key, shape, is_bool)): (usize, (String, Vec<usize>, bool))| {
            let size: usize = shape.iter().product();
            let f = (0..size).map(|j| (i * 31 + j) as f32 * 0.37 - 5.0).collect();
            let b = (0..size).map(|j| (i + j) % 3 == 0).collect();
            (key, if is_bool { Tensor::bool(shape, b) } else { Tensor::f32(shape, f) })
        };
        let dict: StateDict = list.into_iter().enumerate().map(tensor).collect();
        prop_assert_eq!(&pt::from_bytes(&pt::to_bytes(&dict, "any").unwrap()).unwrap(), &dict);
        prop_assert_eq!(&safetensors_file::from_bytes(&safetensors_file::to_bytes(&dict, &BTreeMap::new()).unwrap()).unwrap().0, &dict);
    }
}

#[test]
fn special_values_keep_their_bits() {
    let bits = [0x7fc0_0001, 0x8000_0000, 0x0000_0001, 0x7f80_0000, 0xff80_0000];
    let dict: StateDict = [("x".to_owned(), Tensor::f32([5], bits.map(f32::from_bits).to_vec()))].into_iter().collect();
    let read = pt::from_bytes(&pt::to_bytes(&dict, "x").expect("written")).expect("read");
    let got: Vec<u32> = read.get("x").and_then(Tensor::as_f32).expect("there").iter().map(|v| v.to_bits()).collect();
    assert_eq!(got, bits);
}

#[test]
fn a_shape_that_does_not_fit_is_not_written() {
    let dict: StateDict = [("x".to_owned(), Tensor::f32([2, 3], vec![0.0; 5]))].into_iter().collect();
    for error in [pt::to_bytes(&dict, "x").expect_err("refused"), safetensors_file::to_bytes(&dict, &BTreeMap::new()).expect_err("refused")] {
        assert!(matches!(&error, Error::Tensor { key, .. } if key == "x"), "{error}");
    }
}

#[test]
fn errors_name_the_file_and_writing_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("missing.pt");
    assert!(pt::read(&missing).expect_err("absent").to_string().contains("missing.pt"));
    let taken = folder.path().join("taken.pt");
    std::fs::create_dir(&taken).expect("made"); // a folder cannot be replaced by a file
    pt::write(&taken, &views()).expect_err("refused");
    assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 1);
}

#[test]
fn torch_reads_what_is_written() {
    let Some(python) = std::env::var_os("STRIATE_PYTHON") else {
        println!("skipped: set STRIATE_PYTHON to a Python with torch");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let many: Vec<(String, Tensor)> = (0..2500).map(|i| (format!("many.{i}"), Tensor::f32([1, 2], vec![i as f32, 0.5]))).collect();
    let all: StateDict = views().iter().map(|(key, tensor)| (key.to_owned(), tensor.clone())).chain(many).collect();
    let (ours, theirs) = (folder.path().join("ours.pt"), folder.path().join("theirs.pt"));
    pt::write(&ours, &all).expect("written");
    let script = "import sys, torch, collections
d = torch.load(sys.argv[1], weights_only=True)
assert type(d) is collections.OrderedDict and len(d) == 2509, type(d)
assert list(d)[:2] == ['mask', 'power'] and d['mask'].dtype == torch.bool and d['power'].shape == ()
assert torch.equal(d['transposed'], (torch.arange(24.).reshape(4, 6) / 8).t()) and d['empty'].shape == (0, 3)
assert torch.equal(d['many.2499'], torch.tensor([[2499., .5]]))
m = torch.load(sys.argv[1], weights_only=True, mmap=True)
assert torch.equal(m['shared'], d['shared'])
torch.save(d, sys.argv[2])";
    let run = Command::new(python).args(["-c", script]).args([&ours, &theirs]).output().expect("Python runs");
    if String::from_utf8_lossy(&run.stderr).contains("No module named 'torch'") {
        println!("skipped: the Python of STRIATE_PYTHON has no torch");
        return;
    }
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(pt::read(&theirs).expect("read"), all);
}
