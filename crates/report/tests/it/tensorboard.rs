//! Event files read back by TensorBoard itself (needs a Python with the `tensorboard` package in STRIATE_PYTHON).

use std::process::Command;
use striate_report::tensorboard::EventWriter;

const READ: &str = "
import sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1])
events.Reload()
for tag in sorted(events.Tags()['scalars']):
    for e in events.Scalars(tag):
        print(tag, e.step, e.value, e.wall_time)
";

#[test]
fn tensorboard_reads_what_was_written_and_resumed() {
    let Some(python) = std::env::var_os("STRIATE_PYTHON") else {
        return println!("skipped: set STRIATE_PYTHON to a Python with the tensorboard package");
    };
    let probe = Command::new(&python).args(["-c", "import tensorboard"]).output().expect("STRIATE_PYTHON starts");
    if !probe.status.success() {
        return println!("skipped: STRIATE_PYTHON has no tensorboard package");
    }
    let folder = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::create(folder.path(), 1.7e9).unwrap();
    for step in 0..3 {
        writer.scalar("training/objective", step, 0.5 - step as f32 / 4.0, 1.7e9 + step as f64).unwrap();
    }
    writer.scalar("Größe", 1 << 40, 1e-20, 1.7e9).unwrap();
    let path = writer.path().to_owned();
    drop(writer);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.truncate(bytes.len() - 3);
    std::fs::write(&path, bytes).unwrap();
    let mut writer = EventWriter::append(&path, 2, 1.7e9 + 9.0).unwrap();
    writer.scalar("training/objective", 2, 7.0, 1.7e9 + 10.0).unwrap();
    writer.scalar("Größe", 1 << 40, 2.0, 1.7e9 + 11.0).unwrap();
    writer.flush().unwrap();

    let read = Command::new(python).env("PYTHONIOENCODING", "utf-8").args(["-c", READ]).arg(folder.path()).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let want = "Größe 1099511627776 2.0 1700000011.0
training/objective 0 0.5 1700000000.0
training/objective 1 0.25 1700000001.0
training/objective 2 7.0 1700000010.0
";
    assert_eq!(String::from_utf8(read.stdout).unwrap().replace("\r\n", "\n"), want);
}
