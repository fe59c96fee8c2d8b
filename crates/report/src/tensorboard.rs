//! Training curves for TensorBoard: event files of scalars.
//!
//! An event file is a sequence of records (length, its checksum, data, its checksum), each record one protobuf `Event`. It
//! is a log: it grows while a run lasts, and TensorBoard reads it meanwhile. A run cut short leaves at most one partial
//! record, which [`EventWriter::append`] removes.

use crate::error::Error;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A TensorBoard event file open for writing.
#[derive(Debug)]
pub struct EventWriter {
    file: BufWriter<File>,
    path: PathBuf,
}

impl EventWriter {
    /// Starts `events.out.tfevents.<seconds>.striate` in `folder`; `wall_time` is in seconds since 1970.
    ///
    /// # Errors
    /// The folder cannot be made, or the file is there already or cannot be written.
    pub fn create(folder: &Path, wall_time: f64) -> Result<Self, Error> {
        std::fs::create_dir_all(folder).map_err(Error::io("write", folder))?;
        let path = folder.join(format!("events.out.tfevents.{:010}.striate", wall_time.max(0.0) as u64));
        let file = File::create_new(&path).map_err(Error::io("write", &path))?;
        let mut writer = Self { file: BufWriter::new(file), path };
        writer.record(&event(wall_time, 0, &bytes_field(3, b"brain.Event:2")))?;
        writer.flush()?;
        Ok(writer)
    }

    /// Goes on with the event file of an interrupted run whose next step is `step`.
    ///
    /// A partial record at the end is removed. TensorBoard is told to forget values of `step` and later, which are about
    /// to come again.
    ///
    /// # Errors
    /// The file cannot be read or written, or is not an event file.
    pub fn append(path: &Path, step: i64, wall_time: f64) -> Result<Self, Error> {
        let whole = whole_records(&std::fs::read(path).map_err(Error::io("read", path))?);
        if whole == 0 {
            return Err(Error::content(path, "not a TensorBoard event file; remove it and start a new one"));
        }
        let mut file = OpenOptions::new().write(true).open(path).map_err(Error::io("write", path))?;
        file.set_len(whole as u64).and_then(|()| file.seek(SeekFrom::End(0))).map_err(Error::io("write", path))?;
        let mut writer = Self { file: BufWriter::new(file), path: path.into() };
        const SESSION_STARTS: [u8; 2] = [0x08, 1]; // SessionLog { status: START }
        writer.record(&event(wall_time, step, &bytes_field(7, &SESSION_STARTS)))?;
        writer.flush()?;
        Ok(writer)
    }

    /// Writes one value of the curve `tag` (`training/objective`) at `step`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn scalar(&mut self, tag: &str, step: i64, value: f32, wall_time: f64) -> Result<(), Error> {
        let mut summary_value = bytes_field(1, tag.as_bytes());
        summary_value.push(0x15); // field 2, 32 bits
        summary_value.extend(value.to_le_bytes());
        let summary = bytes_field(1, &summary_value);
        self.record(&event(wall_time, step, &bytes_field(5, &summary)))
    }

    /// Hands everything written so far to the operating system, so that TensorBoard sees it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.file.flush().map_err(Error::io("write", &self.path))
    }

    /// The event file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn record(&mut self, data: &[u8]) -> Result<(), Error> {
        let length = (data.len() as u64).to_le_bytes();
        let parts = [&length[..], &masked_checksum(&length), data, &masked_checksum(data)];
        self.file.write_all(&parts.concat()).map_err(Error::io("write", &self.path))
    }
}

/// Protobuf `Event`: wall time, step (field 2, left out at 0) and what happened.
fn event(wall_time: f64, step: i64, what: &[u8]) -> Vec<u8> {
    let mut event = vec![0x09]; // field 1, 64 bits
    event.extend(wall_time.to_le_bytes());
    if step != 0 {
        event.push(0x10);
        varint(&mut event, step as u64);
    }
    event.extend(what);
    event
}

/// A length-delimited protobuf field.
fn bytes_field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    varint(&mut field, content.len() as u64);
    field.extend(content);
    field
}

fn varint(out: &mut Vec<u8>, mut v: u64) {
    while v >= 0x80 {
        out.push(v as u8 | 0x80);
        v >>= 7;
    }
    out.push(v as u8);
}

/// CRC-32C, rotated and shifted as the record format asks, so that checksums of data holding checksums stay strong.
fn masked_checksum(data: &[u8]) -> [u8; 4] {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

/// Length of the leading part of a file that is whole, undamaged records.
fn whole_records(file: &[u8]) -> usize {
    let mut end = 0;
    while let Some(next) = record_end(&file[end..]) {
        end += next;
    }
    end
}

fn record_end(rest: &[u8]) -> Option<usize> {
    let (length, after) = rest.split_first_chunk::<8>()?;
    let (length_checksum, after) = after.split_first_chunk::<4>()?;
    let size = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (data, after) = (after.get(..size)?, after.get(size..)?);
    let whole = *length_checksum == masked_checksum(length) && after.first_chunk::<4>()? == &masked_checksum(data);
    whole.then_some(12 + size + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_bytes_of_the_format() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = EventWriter::create(folder.path(), 2.0).unwrap();
        writer.scalar("loss", 300, 1.5, 0.5).unwrap();
        writer.flush().unwrap();
        let bytes = std::fs::read(writer.path()).unwrap();
        assert!(writer.path().ends_with("events.out.tfevents.0000000002.striate"));
        // First record: 24 bytes of Event { wall_time: 2.0, file_version: "brain.Event:2" }.
        assert_eq!(bytes[..8], [24, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[8..12], [0xa3, 0x7f, 0x4b, 0x22], "checksum of a length of 24, as TensorFlow writes it");
        assert_eq!(bytes[12..36], *b"\x09\0\0\0\0\0\0\0\x40\x1a\x0dbrain.Event:2");
        // Second: Event { wall_time: 0.5, step: 300, summary { value { tag: "loss", simple_value: 1.5 } } }.
        let data = b"\x09\0\0\0\0\0\0\xe0\x3f\x10\xac\x02\x2a\x0d\x0a\x0b\x0a\x04loss\x15\0\0\xc0\x3f";
        assert_eq!(bytes[40..48], (data.len() as u64).to_le_bytes());
        assert_eq!(bytes[52..52 + data.len()], *data);
        assert_eq!(whole_records(&bytes), bytes.len());
    }

    #[test]
    fn checksums_are_masked_crc32c() {
        // CRC-32C of "123456789" is 0xe3069283.
        assert_eq!(u32::from_le_bytes(masked_checksum(b"123456789")), 0xe306_9283_u32.rotate_right(15).wrapping_add(0xa282_ead8));
    }

    #[test]
    fn appending_drops_a_partial_record_and_keeps_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = EventWriter::create(folder.path(), 1e9).unwrap();
        for step in 0..5 {
            writer.scalar("loss", step, step as f32, 1e9).unwrap();
        }
        let path = writer.path().to_owned();
        drop(writer);
        let whole = std::fs::read(&path).unwrap();
        for cut in [1, 4, 20, 30] {
            std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let mut writer = EventWriter::append(&path, 4, 1e9).unwrap();
            writer.scalar("loss", 4, 40.0, 1e9).unwrap();
            drop(writer);
            let bytes = std::fs::read(&path).unwrap();
            assert_eq!(whole_records(&bytes), bytes.len(), "cut by {cut}");
            assert!(bytes.ends_with(&masked_checksum(&event(1e9, 4, &bytes_field(5, b"\x0a\x0b\x0a\x04loss\x15\0\0\x20\x42")))));
        }
    }

    #[test]
    fn files_that_are_no_event_files_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events");
        for content in [&b""[..], b"not an event file at all", &[0xff; 64]] {
            std::fs::write(&path, content).unwrap();
            let error = EventWriter::append(&path, 0, 0.0).unwrap_err().to_string();
            assert!(error.contains("not a TensorBoard event file") && error.contains("events"), "{error}");
            assert_eq!(std::fs::read(&path).unwrap(), content);
        }
        EventWriter::create(folder.path(), 7.0).unwrap();
        let again = EventWriter::create(folder.path(), 7.0).unwrap_err();
        assert!(matches!(&again, Error::Io { source, .. } if source.kind() == std::io::ErrorKind::AlreadyExists), "{again}");
    }
}
