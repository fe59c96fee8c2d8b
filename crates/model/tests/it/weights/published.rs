//! The published folder: written, read back, and refused where files contradict each other.

use striate_model::weights::published::{choose, list_scans, parse_scan, read_scan, write};
use striate_model::weights::{Error, StateDict, Tensor, UnitId};

fn weights(units: usize) -> StateDict {
    let tensors = [
        ("core.out.weights.0", Tensor::f32([2, 2], vec![1.0, 2.0, 3.0, 4.0])),
        ("readout.position.mu", Tensor::f32([units, 2], vec![0.5; 2 * units])),
        ("perspective.monitor.center", Tensor::f32([3], vec![0.0, 0.0, 0.5])),
    ];
    tensors.into_iter().map(|(key, tensor)| (key.to_owned(), tensor)).collect()
}

#[test]
fn scans_are_written_one_by_one_and_read_back() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("model");
    let units: Vec<UnitId> = (0..3).map(|i| UnitId { session: 9, scan_idx: 9, unit_id: 10 * i + 1, readout_id: i as usize }).collect();
    write(&folder, 4, 7, &weights(3), &units).expect("written");
    assert_eq!(choose(&folder, None).expect("the only scan"), (4, 7));
    write(&folder, 5, 6, &weights(2), &[]).expect("added");

    let (state, read) = read_scan(&folder, 4, 7).expect("read");
    assert_eq!(state, weights(3));
    let named: Vec<UnitId> = units.iter().map(|u| UnitId { session: 4, scan_idx: 7, ..*u }).collect();
    assert_eq!(read, named, "units take the name of the scan they are written as");
    let (state, read) = read_scan(&folder, 5, 6).expect("read");
    assert_eq!((state, read.len(), read[1].unit_id), (weights(2), 2, 1));

    let error = choose(&folder, None).expect_err("two scans");
    assert!(error.to_string().contains("4_7, 5_6"), "{error}");
    let error = choose(&folder, Some("4_8")).expect_err("not there");
    assert!(error.to_string().contains("scan 4_8 is not there; ") && error.to_string().contains("4_7, 5_6"), "{error}");
    assert!(read_scan(&folder, 6, 6).expect_err("not there").to_string().contains("4_7, 5_6"));
    assert_eq!(choose(&folder, Some("5-6")).expect("there"), (5, 6));
    assert_eq!(std::fs::read_dir(&folder).expect("listed").count(), 5, "no temporary file is left");
}

#[test]
fn a_folder_keeps_one_core_and_each_scan_once() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("model");
    write(&folder, 4, 7, &weights(3), &[]).expect("written");
    assert!(write(&folder, 4, 7, &weights(3), &[]).expect_err("twice").to_string().contains("4_7"));
    let mut other = weights(2);
    other.insert("core.out.weights.0", Tensor::f32([2, 2], vec![0.0; 4]));
    assert!(write(&folder, 5, 6, &other, &[]).expect_err("another core").to_string().contains("core"));
    assert_eq!(list_scans(&folder).expect("listed").len(), 1, "nothing was added");
    assert_eq!(std::fs::read_dir(&folder).expect("listed").count(), 4);
    let unit = UnitId { session: 1, scan_idx: 1, unit_id: 1, readout_id: 0 };
    write(&root.path().join("b"), 1, 1, &weights(3), &[unit]).expect_err("one unit for three rows");
    write(&root.path().join("b"), 1, 1, &weights(2), &[unit, unit]).expect_err("the same place twice");
    assert!(!root.path().join("b").exists());
}

#[test]
fn an_added_scan_leaves_all_other_rows_and_columns() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("model");
    write(&folder, 4, 7, &weights(2), &[]).expect("written");
    let scans = "animal,session,scan_idx,units\r\nm1,4,7,2\r\n";
    let units = "session,scan_idx,unit_id,readout_id,area\n4,7,0,0,V1\n4,7,1,1,\"LM, \"\n8,8,3,0,RL\n5,6,0,0,AL\n5,6,1,1,AL";
    std::fs::write(folder.join("scans.csv"), scans).expect("written");
    std::fs::write(folder.join("units.csv"), units).expect("written");
    write(&folder, 5, 6, &weights(2), &[]).expect("its units are listed already");
    write(&folder, 5, 7, &weights(1), &[]).expect("added");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("read");
    assert_eq!(read("scans.csv"), format!("{scans},5,6,2\r\n,5,7,1\r\n"));
    assert_eq!(read("units.csv"), format!("{units}\n5,7,0,0,\n"));
    write(&folder, 8, 8, &weights(2), &[]).expect_err("other units are listed for it");
}

#[test]
fn tables_that_contradict_are_refused() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("model");
    write(&folder, 4, 7, &weights(2), &[]).expect("written");
    let with = |file: &str, content: &str| {
        let before = std::fs::read(folder.join(file)).expect("read");
        std::fs::write(folder.join(file), content).expect("written");
        let error = read_scan(&folder, 4, 7).expect_err(content).to_string();
        std::fs::write(folder.join(file), before).expect("written");
        error
    };
    assert!(with("scans.csv", "session,scan_idx\n4,7\n").contains("column units"));
    assert!(with("scans.csv", "session,scan_idx,units\n4,seven,2\n").contains("line 2"));
    assert!(with("scans.csv", "session,scan_idx,units\n4,7,3\n").contains("expected 3"));
    assert!(with("scans.csv", "session,scan_idx,units\n4,7,2\n4,7,2\n").contains("4_7"));
    assert!(with("scans.csv", "").contains("scans.csv"));
    assert!(with("units.csv", "session,scan_idx,unit_id,readout_id\n4,7,1,0\n4,7,2\n").contains("line 3"));
    assert!(with("units.csv", "session,scan_idx,unit_id,readout_id\n4,7,1,0\n4,7,2,0\n").contains("readout_id"));
    assert!(with("units.csv", "session,scan_idx,unit_id,readout_id\n4,7,1,0\n5,7,2,1\n").contains("expected 2"));
    let shuffled = "data,readout_id,unit_id,scan_idx,session\nx,1,8,7,4\nx,0,9,7,4\nx,0,1,6,4\n";
    std::fs::write(folder.join("units.csv"), shuffled).expect("written");
    let (_, units) = read_scan(&folder, 4, 7).expect("columns and rows in any order");
    assert_eq!(units.iter().map(|u| u.unit_id).collect::<Vec<_>>(), [9, 8]);
    std::fs::remove_file(folder.join("params_4_7.pt")).expect("removed");
    assert!(read_scan(&folder, 4, 7).expect_err("no file").to_string().contains("params_4_7.pt"));
}

#[test]
fn scans_are_named_by_two_numbers() {
    assert_eq!(parse_scan("4_7").expect("a scan"), (4, 7));
    assert_eq!(parse_scan("13-2").expect("a scan"), (13, 2));
    for text in ["", "4", "4_", "a_b", "4_7_1", "-4_7"] {
        assert!(matches!(parse_scan(text), Err(Error::Mismatch { .. })), "{text}");
    }
}
