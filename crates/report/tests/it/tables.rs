//! Tables come back from their files as they were, and no file is left half-written.
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;
use proptest::prelude::*;
use std::fs::File;
use std::process::Command;
use striate_analysis::{Column, Table};
use striate_report::{Error, read_csv, read_table, write_csv, write_json, write_parquet, write_table};

fn example() -> Table {
    Table::new()
        .with("unit", vec![1i64, -2, i64::MAX])
        .and_then(|t| t.with("cc_norm", vec![0.1 + 0.2, f64::NAN, 1e300]))
        .and_then(|t| t.with("area, layer", ["V1 \"a\"", "LM\nL4", "µ"].map(String::from).to_vec()))
        .and_then(|t| t.with("valid", vec![true, false, true]))
        .unwrap()
}

/// Equality with NaN equal to NaN.
fn same(a: &Table, b: &Table) -> bool {
    format!("{a:?}") == format!("{b:?}")
}

#[test]
fn csv_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("units.csv");
    write_table(&path, &example()).unwrap();
    assert!(same(&read_csv(&path).unwrap(), &example()));
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("unit,cc_norm,\"area, layer\",valid\n1,0.30000000000000004,\"V1 \"\"a\"\"\",true\n-2,NaN,"), "{text}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "a temporary file is left");
}

#[test]
fn what_is_no_table_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("t.parquet"), b"PAR1 but nothing else").unwrap();
    assert!(matches!(read_table(&at("t.parquet")), Err(Error::Content { .. })));
    assert!(matches!(read_table(&at("none.parquet")), Err(Error::Io { .. })));
    assert!(matches!(read_table(&at("t.json")), Err(Error::Content { .. })));
    assert!(matches!(read_table(&at("t.txt")), Err(Error::Extension { .. })));
}

#[test]
fn parquet_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("units.parquet");
    write_table(&path, &example()).unwrap();
    let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
    let columns = reader.metadata().file_metadata().schema_descr().columns();
    assert_eq!(columns.iter().map(|c| c.name()).collect::<Vec<_>>(), ["unit", "cc_norm", "area, layer", "valid"]);
    let codec = reader.metadata().row_group(0).column(0).compression();
    assert_eq!(codec, parquet::basic::Compression::SNAPPY);
    assert!(same(&read_table(&path).unwrap(), &example()));
    let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 3);
    assert_eq!((rows[2].get_long(0).unwrap(), rows[0].get_double(1).unwrap()), (i64::MAX, 0.1 + 0.2));
    assert!(rows[1].get_double(1).unwrap().is_nan());
    assert_eq!((rows[1].get_string(2).unwrap().as_str(), rows[1].get_bool(3).unwrap()), ("LM\nL4", false));
}

#[test]
fn parquet_is_read_by_pyarrow() {
    let Some(python) = std::env::var_os("STRIATE_PYTHON") else {
        println!("skipped: STRIATE_PYTHON names no interpreter");
        return;
    };
    if !Command::new(&python).args(["-c", "import pyarrow.parquet"]).output().is_ok_and(|o| o.status.success()) {
        println!("skipped: the interpreter of STRIATE_PYTHON has no pyarrow");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("units.parquet");
    write_parquet(&path, &example()).unwrap();
    let script = "import sys, pyarrow.parquet as p; t = p.read_table(sys.argv[1]); print(t.schema.types, t.to_pydict())";
    let output = Command::new(&python).arg("-c").arg(script).arg(&path).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{err}");
    assert!(out.contains("DataType(int64), DataType(double), DataType(string), DataType(bool)"), "{out}");
    assert!(out.contains("'unit': [1, -2, 9223372036854775807]") && out.contains("[0.30000000000000004, nan, 1e+300]"), "{out}");
}

#[test]
fn json_is_a_list_of_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("units.json");
    write_table(&path, &example()).unwrap();
    let rows: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 3);
    assert_eq!(rows[0]["cc_norm"].as_f64(), Some(0.1 + 0.2));
    assert!(rows[1]["cc_norm"].is_null() && rows[1]["valid"] == false);
}

#[test]
fn tables_without_rows_or_columns() {
    let folder = tempfile::tempdir().unwrap();
    let empty = Table::new().with("unit", Vec::<i64>::new()).unwrap();
    for name in ["e.csv", "e.parquet", "e.json"] {
        let path = folder.path().join(name);
        write_table(&path, &empty).unwrap();
        assert!(matches!(write_table(&path, &Table::new()), Err(Error::Content { .. })), "{name}");
    }
    assert_eq!(std::fs::read_to_string(folder.path().join("e.csv")).unwrap(), "unit\n", "the earlier file stands");
    let reader = SerializedFileReader::new(File::open(folder.path().join("e.parquet")).unwrap()).unwrap();
    assert_eq!((reader.metadata().file_metadata().num_rows(), reader.get_row_iter(None).unwrap().count()), (0, 0));
    assert_eq!(std::fs::read_to_string(folder.path().join("e.json")).unwrap(), "[]\n");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "a temporary file is left");
}

#[test]
fn what_cannot_be_written_or_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no").join("units.csv");
    let message = write_csv(&missing, &example()).unwrap_err().to_string();
    assert!(message.starts_with("cannot write") && message.contains("units.csv"), "{message}");
    assert!(matches!(write_table(&folder.path().join("units.xlsx"), &example()), Err(Error::Extension { .. })));
    assert!(matches!(write_json(folder.path().parent().unwrap().join("..").as_path(), &example()), Err(Error::Content { .. })));
    assert!(matches!(read_csv(&missing), Err(Error::Io { doing: "read", .. })));
    let poison: [&[u8]; 3] = [b"a,b\n1,2\n3\n", b"a,b\n\xff\xfe,2\n", b"a,a\n1,2\n"];
    for bytes in poison {
        let path = folder.path().join("poison.csv");
        std::fs::write(&path, bytes).unwrap();
        assert!(read_csv(&path).is_err(), "{:?}", String::from_utf8_lossy(bytes));
    }
    // A folder stands where the file should go: the rename fails, and the temporary file goes too.
    let taken = folder.path().join("taken.csv");
    std::fs::create_dir(&taken).unwrap();
    assert!(matches!(write_csv(&taken, &example()), Err(Error::Io { .. })));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().filter(|e| e.as_ref().unwrap().path().extension().unwrap() == "tmp").count(), 0);
}

proptest! {
    #[test]
    fn any_floats_survive_csv_to_the_bit(values in prop::collection::vec(any::<f64>(), 1..20)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        write_csv(&path, &Table::new().with("v", values.clone()).unwrap()).unwrap();
        let back = read_csv(&path).unwrap();
        let Column::Float(back) = back.column("v").unwrap() else { panic!("not floats") };
        for (a, b) in values.iter().zip(back) {
            prop_assert!(a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()));
        }
    }
}
