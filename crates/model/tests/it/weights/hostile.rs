//! Damaged and hostile files end in an error that names the trouble, and in nothing else.

use super::VIEWS;
use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use striate_model::weights::{Error, pt, safetensors_file};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A zip archive of the entries given.
fn archive(entries: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(method)).expect("started");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("finished").into_inner()
}

/// A .pt file with a pickle and one storage of 16 bytes.
fn pt_file(pickle: &[u8]) -> Vec<u8> {
    archive(&[("a/data.pkl", pickle), ("a/byteorder", b"little"), ("a/data/0", &[0; 16])], CompressionMethod::Stored)
}

fn refusal(pickle: &[u8]) -> Error {
    pt::from_bytes(&pt_file(pickle)).expect_err("refused")
}

fn int(value: i32) -> Vec<u8> {
    [b"J".as_slice(), &value.to_le_bytes()].concat()
}

fn ints(values: &[i32]) -> Vec<u8> {
    [b"(".to_vec(), values.iter().flat_map(|v| int(*v)).collect(), b"t".to_vec()].concat()
}

fn text(value: &str) -> Vec<u8> {
    [b"X".as_slice(), &(value.len() as u32).to_le_bytes(), value.as_bytes()].concat()
}

/// Instructions that make a float tensor of storage 0, which is said to have `len` values.
fn tensor(len: i32, offset: i32, shape: &[i32], strides: &[i32]) -> Vec<u8> {
    let storage = [
        b"ctorch._utils\n_rebuild_tensor_v2\n((".to_vec(),
        text("storage"),
        b"ctorch\nFloatStorage\n".to_vec(),
        text("0"),
        text("cuda:0"),
        int(len),
        b"tQ".to_vec(),
    ]
    .concat();
    [storage, int(offset), ints(shape), ints(strides), b"\x89ccollections\nOrderedDict\n)RtR".to_vec()].concat()
}

/// The pickle of a dictionary.
fn dictionary(items: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let items = items.iter().flat_map(|(key, value)| [text(key), value.clone()].concat());
    [b"\x80\x02}(".to_vec(), items.collect(), b"u.".to_vec()].concat()
}

#[test]
fn a_hand_made_file_is_read() {
    let read = pt::from_bytes(&pt_file(&dictionary(&[("x", tensor(4, 1, &[3], &[1]))]))).expect("sound");
    assert_eq!(read.get("x").map(|t| t.shape.clone()), Some(vec![3]));
}

#[test]
fn truncation_is_an_error_everywhere() {
    for end in (0..VIEWS.len()).step_by(97).chain(VIEWS.len() - 30..VIEWS.len()) {
        assert!(pt::from_bytes(&VIEWS[..end]).is_err(), "{end} bytes");
    }
    let whole = safetensors_file::to_bytes(&super::views(), &BTreeMap::new()).expect("written");
    for end in 0..whole.len() {
        let error = safetensors_file::from_bytes(&whole[..end]).expect_err("truncated");
        assert!(matches!(error, Error::Safetensors { .. }), "{end} bytes: {error}");
    }
}

#[test]
fn a_changed_byte_of_values_is_noticed() {
    let values = VIEWS.windows(4).rposition(|w| w == 6.0f32.to_le_bytes()).expect("a value");
    let mut bytes = VIEWS.to_vec();
    bytes[values] ^= 1;
    let error = pt::from_bytes(&bytes).expect_err("another checksum");
    assert!(matches!(&error, Error::Archive { entry, .. } if entry.starts_with("data/")), "{error}");
}

#[test]
fn any_changed_byte_ends_in_a_value_or_an_error() {
    for place in 0..VIEWS.len() {
        for mask in [0xff, 0x01, 0x80] {
            let mut bytes = VIEWS.to_vec();
            bytes[place] ^= mask;
            let _ = pt::from_bytes(&bytes); // must return
        }
    }
}

#[test]
fn any_changed_instruction_ends_in_a_value_or_an_error() {
    let whole = dictionary(&[("x", tensor(4, 0, &[2, 2], &[2, 1])), ("y", tensor(4, 0, &[], &[]))]);
    for place in 0..whole.len() {
        for code in 0..=255 {
            let mut pickle = whole.clone();
            pickle[place] = code;
            let _ = pt::from_bytes(&pt_file(&pickle)); // must return
        }
    }
    for end in 0..whole.len() {
        assert!(matches!(refusal(&whole[..end]), Error::Pickle { .. }), "{end} bytes");
    }
}

#[test]
fn code_is_refused_by_name() {
    let error = refusal(b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.");
    assert!(matches!(&error, Error::Global { at: 2, name } if name == "os.system"), "{error}");
    for (pickle, name) in [
        (b"\x80\x02cbuiltins\neval\n.".as_slice(), "builtins.eval"),
        (b"\x80\x02ctorch._utils\n_rebuild_parameter\n.", "torch._utils._rebuild_parameter"),
        (b"\x80\x02ctorch\nLongStorage\n.", "torch.LongStorage"),
        (b"\x80\x02ctorch\x1b[2J\nLong\n.", "torch\\u{1b}[2J.Long"),
    ] {
        let error = refusal(pickle);
        assert!(matches!(&error, Error::Global { name: got, .. } if got == name), "{error}");
    }
    for (pickle, opcode) in
        [(b"\x80\x02(ios\nsystem\n.".as_slice(), "INST (0x69)"), (b"\x80\x02N.", "NONE (0x4e)"), (b"\x80\x02\xff.", "0xff, which does not exist,")]
    {
        let error = refusal(pickle);
        assert!(matches!(&error, Error::Opcode { opcode: got, .. } if got == opcode), "{error}");
    }
}

#[test]
fn pickles_without_sense_are_refused() {
    let cases: [(&[u8], &str); 16] = [
        (b"", "whole pickle"),
        (b"\x80\x04}.", "protocol 2"),
        (b"\x80\x02.", "a value on the stack"),
        (b"\x80\x02}}.", "one value"),
        (b"\x80\x02}.}", "end of the file"),
        (b"\x80\x02K\x01.", "dictionary of tensors"),
        (b"\x80\x02}K\x01K\x02s.", "string as key"),
        (b"\x80\x02)K\x01K\x02s.", "expected a dictionary"),
        (b"\x80\x02}(K\x01u.", "pairs"),
        (b"\x80\x02}u.", "mark"),
        (b"\x80\x02}(R.", "a value on the stack"),
        (b"\x80\x02h\x07.", "slot 7"),
        (b"\x80\x02})R.", "to be called"),
        (b"\x80\x02ccollections\nOrderedDict\nK\x01\x85R.", "empty OrderedDict"),
        (b"\x80\x02)Q.", "storage"),
        (b"\x80\x02}}X\x05\x00\x00\x00state)sb.", "_metadata"),
    ];
    for (pickle, says) in cases {
        let error = refusal(pickle);
        assert!(error.to_string().contains(says), "{pickle:?}: {error}");
    }
    let nested = dictionary(&[("model", b"}".to_vec())]);
    let error = refusal(&nested);
    assert!(matches!(&error, Error::Tensor { key, got, .. } if key == "model" && got == "a dictionary"), "{error}");
    let twice = dictionary(&[("x", tensor(4, 0, &[4], &[1])), ("x", tensor(4, 0, &[4], &[1]))]);
    assert!(matches!(refusal(&twice), Error::Duplicate { key } if key == "x"));
    let itself = b"\x80\x02}q\x00X\x01\x00\x00\x00xh\x00s.";
    assert!(matches!(refusal(itself), Error::Tensor { .. }));
}

#[test]
fn tensors_outside_their_storage_are_refused() {
    let cases: [(i32, i32, &[i32], &[i32]); 8] = [
        (4, 0, &[5], &[1]),
        (4, 1, &[4], &[1]),
        (4, 0, &[2, 2], &[3, 1]),
        (4, 4, &[], &[]),
        (4, 5, &[0], &[1]),
        (4, i32::MAX, &[2], &[i32::MAX]),
        (4, 0, &[i32::MAX; 3], &[0; 3]),
        (5, 0, &[5], &[1]), // the storage has 16 bytes
    ];
    for (len, offset, shape, strides) in cases {
        let error = refusal(&dictionary(&[("x", tensor(len, offset, shape, strides))]));
        assert!(matches!(&error, Error::Tensor { key, .. } if key == "x"), "{shape:?}: {error}");
    }
    for (shape, strides) in [(&[-1][..], &[1][..]), (&[1], &[-1]), (&[1, 1], &[1])] {
        let error = refusal(&dictionary(&[("x", tensor(4, 0, shape, strides))]));
        assert!(matches!(error, Error::Pickle { .. }), "{shape:?}: {error}");
    }
}

#[test]
fn memory_is_not_spent_on_claims() {
    let wide = tensor(4, 0, &[i32::MAX], &[0]); // eight gigabytes from four values
    assert!(matches!(refusal(&dictionary(&[("x", wide)])), Error::Limit { .. }));
    let long = b"\x80\x02X\xff\xff\xff\x7f".as_slice();
    assert!(matches!(refusal(long), Error::Limit { what: "the length of a string in data.pkl", .. }));
    let deep = [b"\x80\x02".to_vec(), vec![b')'; 1 << 17]].concat();
    assert!(matches!(refusal(&deep), Error::Limit { what: "the pickle's stack", .. }));
    let marks = [b"\x80\x02".to_vec(), vec![b'('; 1 << 17]].concat();
    assert!(matches!(refusal(&marks), Error::Limit { .. }));
    let mut memo = b"\x80\x02)".to_vec();
    (0..(1u32 << 20) + 1).for_each(|slot| memo.extend([b"r".as_slice(), &slot.to_le_bytes()].concat()));
    assert!(matches!(refusal(&memo), Error::Limit { what: "the pickle's memo", .. }));
    let nest = [b"\x80\x02)".to_vec(), vec![0x85; 1 << 19], b".".to_vec()].concat(); // tuples half a million deep
    assert!(matches!(refusal(&nest), Error::Pickle { .. }));
    let header = [u64::MAX.to_le_bytes().as_slice(), b"{}"].concat();
    assert!(matches!(safetensors_file::from_bytes(&header), Err(Error::Safetensors { .. })));
}

#[test]
fn unusual_archives_are_refused() {
    let pickle = dictionary(&[("x", tensor(4, 0, &[4], &[1]))]);
    let says = |bytes: &[u8], what: &str| {
        let error = pt::from_bytes(bytes).expect_err("refused");
        assert!(error.to_string().contains(what), "{error}");
    };
    says(b"", "empty");
    says(b"hello, weights", "68 65 6c 6c");
    says(&archive(&[], CompressionMethod::Stored), "one data.pkl, got 0");
    says(&archive(&[("a/data.pkl", &pickle)], CompressionMethod::Stored), "data/0");
    says(&archive(&[("a/data.pkl", &pickle), ("b/data.pkl", &pickle)], CompressionMethod::Stored), "got 2");
    says(&archive(&[("a/data.pkl", &pickle), ("a/data/0", &[0; 16])], CompressionMethod::Deflated), "compressed");
    says(&archive(&[("a/data.pkl", &pickle), ("a/byteorder", b"big"), ("a/data/0", &[0; 16])], CompressionMethod::Stored), "big");
    let names = [("a/data.pkl", pickle.as_slice()), ("a/data/0", &[0; 16]), ("a/data/1", &[0; 16])];
    let mut twice = archive(&names, CompressionMethod::Stored);
    let places: Vec<usize> = (0..twice.len() - 8).filter(|i| &twice[*i..*i + 8] == b"a/data/1").collect();
    places.into_iter().for_each(|place| twice[place + 7] = b'0');
    says(&twice, "same name");
}

#[test]
fn bools_are_0_or_1() {
    let pickle = [
        b"\x80\x02}(".to_vec(),
        text("mask"),
        b"ctorch._utils\n_rebuild_tensor_v2\n((".to_vec(),
        text("storage"),
        b"ctorch\nBoolStorage\n".to_vec(),
        [text("0"), text("cpu"), int(2), b"tQK\x00K\x02\x85K\x01\x85\x89}tRu.".to_vec()].concat(),
    ]
    .concat();
    let file = |storage: &[u8]| archive(&[("a/data.pkl", &pickle), ("a/data/0", storage)], CompressionMethod::Stored);
    assert!(pt::from_bytes(&file(&[0, 1])).is_ok());
    assert!(matches!(pt::from_bytes(&file(&[0, 2])), Err(Error::Tensor { key, .. }) if key == "mask"));
}

#[test]
fn safetensors_of_other_types_are_converted_or_refused() {
    let file = |dtype: &str, bytes: &[u8]| {
        let header = format!("{{\"x\":{{\"dtype\":\"{dtype}\",\"shape\":[1],\"data_offsets\":[0,{}]}}}}", bytes.len());
        safetensors_file::from_bytes(&[&(header.len() as u64).to_le_bytes(), header.as_bytes(), bytes].concat())
    };
    for (dtype, bytes) in
        [("F64", 1.5f64.to_le_bytes().to_vec()), ("F32", 1.5f32.to_le_bytes().to_vec()), ("F16", vec![0, 0x3e]), ("BF16", vec![0xc0, 0x3f])]
    {
        let (dict, _) = file(dtype, &bytes).expect(dtype);
        assert_eq!(dict.get("x").and_then(|t| t.as_f32()), Some([1.5].as_slice()), "{dtype}");
    }
    assert!(matches!(file("I64", &[0; 8]), Err(Error::Tensor { key, got, .. }) if key == "x" && got.contains("I64")));
    assert!(matches!(file("BOOL", &[7]), Err(Error::Tensor { .. })));
}
