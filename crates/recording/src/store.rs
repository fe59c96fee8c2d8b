//! Arrays on disk: rows appended a chunk at a time, ranges of rows read back.

use crate::error::Error;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use zarrs::array::chunk_cache::{ChunkCache, ChunkCacheDecodedLruSizeLimit};
use zarrs::array::codec::bytes_to_bytes::gzip::GzipCodec;
use zarrs::array::{Array, ArrayBuilder, CodecOptions, ElementOwned};
use zarrs::array::{FillValue, data_type};
use zarrs::filesystem::FilesystemStore;
use zarrs::storage::ReadableStorageTraits;

/// Frames of a video chunk: a random window of 70 frames touches three or four.
pub(crate) const VIDEO_CHUNK: usize = 32;
/// Samples of a chunk of series.
pub(crate) const SERIES_CHUNK: usize = 64;

/// Element types that arrays hold.
pub(crate) trait Element: ElementOwned + Copy + 'static {
    /// Value of rows that do not exist.
    const FILL: Self;
    fn builder(shape: Vec<u64>, chunk: Vec<u64>) -> ArrayBuilder;
}

impl Element for u8 {
    const FILL: Self = 0;
    fn builder(shape: Vec<u64>, chunk: Vec<u64>) -> ArrayBuilder {
        ArrayBuilder::new(shape, chunk, data_type::uint8(), FillValue::from(0u8))
    }
}

impl Element for f32 {
    const FILL: Self = f32::NAN;
    fn builder(shape: Vec<u64>, chunk: Vec<u64>) -> ArrayBuilder {
        ArrayBuilder::new(shape, chunk, data_type::float32(), zarrs::array::ZARR_NAN_F32)
    }
}

impl Element for f64 {
    const FILL: Self = f64::NAN;
    fn builder(shape: Vec<u64>, chunk: Vec<u64>) -> ArrayBuilder {
        ArrayBuilder::new(shape, chunk, data_type::float64(), zarrs::array::ZARR_NAN_F64)
    }
}

/// An array under construction, first axis open-ended.
pub(crate) struct Rows<T> {
    array: Array<FilesystemStore>,
    name: &'static str,
    chunk: usize,
    row: Vec<u64>,
    rows: usize,
    buffer: Vec<T>,
}

impl<T: Element> Rows<T>
where
    Vec<T>: zarrs::array::IntoArrayBytes<'static>,
{
    /// An empty array [0, row...].
    pub(crate) fn create(
        store: &Arc<FilesystemStore>,
        path: &Path,
        name: &'static str,
        chunk: usize,
        row: &[usize],
        axes: &[&str],
    ) -> Result<Self, Error> {
        let row: Vec<u64> = row.iter().map(|n| *n as u64).collect();
        let with = |first: u64| std::iter::once(first).chain(row.iter().copied()).collect::<Vec<u64>>();
        let codec = GzipCodec::new(1).map_err(Error::zarr(path, name))?;
        let array = T::builder(with(0), with(chunk as u64))
            .bytes_to_bytes_codecs(vec![Arc::new(codec)])
            .dimension_names(Some(axes.iter().copied()))
            .build(store.clone(), &format!("/{name}"))
            .map_err(Error::zarr(path, name))?;
        Ok(Self { array, name, chunk, row, rows: 0, buffer: Vec::new() })
    }

    fn row_len(&self) -> usize {
        self.row.iter().product::<u64>() as usize
    }

    /// Appends whole rows.
    pub(crate) fn append(&mut self, values: impl Iterator<Item = T>, path: &Path) -> Result<(), Error> {
        self.buffer.extend(values);
        let full = self.chunk * self.row_len();
        while self.buffer.len() >= full {
            let rest = self.buffer.split_off(full);
            let chunk = std::mem::replace(&mut self.buffer, rest);
            self.store(chunk, self.chunk, path)?;
        }
        Ok(())
    }

    fn store(&mut self, mut chunk: Vec<T>, rows: usize, path: &Path) -> Result<(), Error> {
        chunk.resize(self.chunk * self.row_len(), T::FILL);
        let index = (self.rows / self.chunk) as u64;
        self.rows += rows;
        let shape = std::iter::once(self.rows as u64).chain(self.row.iter().copied()).collect();
        self.array.set_shape(shape).map_err(Error::zarr(path, self.name))?;
        let indices: Vec<u64> = std::iter::once(index).chain(self.row.iter().map(|_| 0)).collect();
        // also a chunk of nothing but the fill value: one that is not there is one that got lost
        let options = CodecOptions::default().with_store_empty_chunks(true);
        self.array.store_chunk_opt(&indices, chunk, &options).map_err(Error::zarr(path, self.name))
    }

    /// Rows so far.
    pub(crate) fn len(&self) -> usize {
        self.rows + self.buffer.len() / self.row_len()
    }

    /// Writes what is left and the array's metadata.
    pub(crate) fn finish(mut self, path: &Path) -> Result<(), Error> {
        let rest = std::mem::take(&mut self.buffer);
        if !rest.is_empty() {
            let rows = rest.len() / self.row_len();
            self.store(rest, rows, path)?;
        }
        self.array.store_metadata().map_err(Error::zarr(path, self.name))
    }
}

/// An array that is read.
pub(crate) struct Stored {
    array: Array<FilesystemStore>,
    /// Chunks as they were last decoded: windows drawn at random come back to them, and short clips share them.
    cache: ChunkCacheDecodedLruSizeLimit,
    /// Name.
    pub(crate) name: &'static str,
    /// Shape.
    pub(crate) shape: Vec<usize>,
}

/// Bytes of decoded chunks that are remembered: a few minutes of video, or all of a set of pictures.
const REMEMBERED: u64 = 1 << 28;

/// Most bytes of a chunk, and of one frame or sample.
const LARGEST: u64 = 1 << 31;

impl Stored {
    pub(crate) fn open(store: &Arc<FilesystemStore>, path: &Path, name: &'static str, axes: usize, kind: &str) -> Result<Self, Error> {
        let array = Array::open(store.clone(), &format!("/{name}")).map_err(|e| {
            let text = e.to_string();
            let remedy = if text.contains("codec") { "; store it with the codec gzip or zstd, or none" } else { "" };
            Error::zarr(path, name)(text + remedy)
        })?;
        let shape: Vec<usize> = array.shape().iter().map(|n| *n as usize).collect();
        let found = array.data_type().name_v3().map_or_else(|| "an unknown type".to_owned(), |name| name.into_owned());
        if shape.len() != axes || found != kind {
            return Err(Error::damaged(path, format!("array {name}"), format!("{axes} axes of {kind}"), format!("shape {shape:?} of {found}")));
        }
        let readable: Arc<dyn ReadableStorageTraits> = store.clone();
        let cache = ChunkCacheDecodedLruSizeLimit::new(Arc::new(array.with_storage(readable)), REMEMBERED);
        let stored = Self { array, cache, name, shape };
        stored.check_sizes(path)?;
        Ok(stored)
    }

    /// Refuses sizes that would ask for memory no file stands behind.
    fn check_sizes(&self, path: &Path) -> Result<(), Error> {
        let width = self.array.fill_value().size() as u64;
        let bytes = |shape: &[u64]| shape.iter().try_fold(width, |n, d| n.checked_mul(*d));
        let (shape, wrong) = (self.array.shape(), |what: &str, got: &[u64]| {
            let expected = format!("at most {LARGEST} bytes, and a whole that can be counted");
            Err(Error::damaged(path, format!("array {}", self.name), format!("{what} of {expected}"), format!("shape {got:?}")))
        });
        if bytes(shape).is_none_or(|n| n > i64::MAX as u64) || bytes(&shape[1..]).is_none_or(|n| n > LARGEST) {
            return wrong("rows", shape);
        }
        if shape.contains(&0) {
            return Ok(()); // no chunk
        }
        let chunk = self.array.chunk_shape(&vec![0; shape.len()]).map_err(Error::zarr(path, self.name))?;
        let chunk: Vec<u64> = chunk.iter().map(|n| n.get()).collect();
        if bytes(&chunk).is_none_or(|n| n > LARGEST) {
            return wrong("chunks", &chunk);
        }
        Ok(())
    }

    /// Rows of the array, flattened.
    pub(crate) fn read<T: Element>(&self, rows: Range<usize>, path: &Path) -> Result<Vec<T>, Error> {
        let size = self.shape[1..].iter().product::<usize>().saturating_mul(rows.len());
        // asked for and given back, so that too much is an error instead of the end of the program
        Vec::<T>::new().try_reserve_exact(size).map_err(|_| {
            let why = format!("{size} values at once are more than there is memory for");
            Error::zarr(path, self.name)(why)
        })?;
        let first = rows.start as u64..rows.end as u64;
        let ranges: Vec<Range<u64>> = std::iter::once(first.clone()).chain(self.shape[1..].iter().map(|n| 0..*n as u64)).collect();
        self.cache.retrieve_array_subset::<Vec<T>>(&ranges, &CodecOptions::default()).map_err(|e| {
            let why = format!("rows {first:?} cannot be read: {e}; a chunk is damaged, copy the recording again");
            Error::zarr(path, self.name)(why)
        })
    }

    /// How many chunks are not stored, and how many there are. They read as the fill value.
    pub(crate) fn chunks_not_stored(&self, path: &Path) -> (u64, u64) {
        let all = self.array.chunk_grid_shape().iter().fold(1u64, |n, d| n.saturating_mul(*d));
        (all.saturating_sub(chunks(&path.join(self.name))), all)
    }

    /// What chunks that are not stored read as.
    pub(crate) fn fill(&self) -> String {
        let bytes = self.array.fill_value().as_ne_bytes();
        if let Ok(b) = <[u8; 4]>::try_from(bytes) {
            f32::from_ne_bytes(b).to_string()
        } else if let Ok(b) = <[u8; 8]>::try_from(bytes) {
            f64::from_ne_bytes(b).to_string()
        } else {
            bytes.first().map_or_else(String::new, u8::to_string)
        }
    }
}

/// Files of chunks within a folder: their names are made of numbers.
fn chunks(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let count = |entry: std::fs::DirEntry| {
        let is_chunk = entry.file_name().to_string_lossy().chars().all(|c| c.is_ascii_digit() || ".c".contains(c));
        if entry.path().is_dir() { chunks(&entry.path()) } else { u64::from(is_chunk) }
    };
    entries.flatten().map(count).sum()
}
