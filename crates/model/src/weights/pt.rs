//! PyTorch files (.pt, .pth): a zip archive of a pickle that describes tensors and one entry of raw values per storage.

use super::pickle::{self, Kind, Storage, View};
use super::state_dict::{StateDict, Tensor, TensorData};
use super::{Error, file, unpickle};
use std::collections::HashMap;
use std::io::{Cursor, Read, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// How many times the file's own values its views may add up to: views share storages, and broadcast ones repeat values.
const MAX_REPEATS: usize = 16;
/// Values that views may hold in any case.
const FREE_VALUES: usize = 1 << 20;

/// Reads a state dictionary from a .pt file.
pub fn read(path: &Path) -> Result<StateDict, Error> {
    from_bytes(&file::read(path)?).map_err(|error| error.within(path))
}

/// Reads a state dictionary from the bytes of a .pt file.
pub fn from_bytes(bytes: &[u8]) -> Result<StateDict, Error> {
    check_format(bytes)?;
    let mut archive = Archive::open(bytes)?;
    let views = unpickle::read(&archive.entry("data.pkl")?)?;
    let values = views.iter().try_fold(0usize, |sum, (key, view)| Ok::<_, Error>(sum.saturating_add(size(key, view)?)))?;
    let limit = (bytes.len() / 4).saturating_mul(MAX_REPEATS).saturating_add(FREE_VALUES);
    if values > limit {
        return Err(Error::Limit { what: "the number of values in all tensors", limit, got: values });
    }
    let mut storages = HashMap::new();
    let mut dict = StateDict::new();
    for (key, view) in views {
        let name = &view.storage.key;
        if !storages.contains_key(name) {
            storages.insert(name.clone(), archive.entry(&format!("data/{name}"))?);
        }
        let tensor = gather(&key, &view, &storages[name])?;
        dict.add(key, tensor)?;
    }
    Ok(dict)
}

fn check_format(bytes: &[u8]) -> Result<(), Error> {
    const OLD_MAGIC: [u8; 5] = [0x80, 2, 0x8a, 0x0a, 0x6c]; // the number the format before zip starts with
    let is_tar = bytes.get(257..262) == Some(b"ustar");
    if bytes.starts_with(b"PK") {
        Ok(())
    } else if bytes.starts_with(&OLD_MAGIC) || is_tar {
        Err(Error::Legacy)
    } else {
        let start: Vec<String> = bytes.iter().take(8).map(|b| format!("{b:02x}")).collect();
        let got = if bytes.is_empty() { "it is empty".into() } else { format!("it starts with bytes {}", start.join(" ")) };
        Err(Error::Unknown { got })
    }
}

/// The archive: entries stored as they are, below one folder of any name.
struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    folder: String,
}

impl<'a> Archive<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, Error> {
        let whole = |why: String| Error::Archive { entry: "(all)".into(), why };
        let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(|e| whole(format!("{e}; copy the file again from its source")))?;
        if zip.has_duplicate_names() {
            return Err(whole("two entries have the same name".into()));
        }
        let mut total = 0u64;
        for i in 0..zip.len() {
            let entry = zip.by_index(i).map_err(|e| whole(e.to_string()))?;
            let name = entry.name().map_err(|e| whole(e.to_string()))?.into_owned();
            if entry.compression() != CompressionMethod::Stored {
                return Err(Error::Archive { entry: name, why: "is compressed, expected stored as it is".into() });
            }
            total = total.saturating_add(entry.size());
        }
        if total > bytes.len() as u64 {
            return Err(whole(format!("its entries claim {total} bytes, the file has {}", bytes.len())));
        }
        let folders: Vec<String> = zip.file_names().filter_map(|n| Some(n.ok()?.strip_suffix("/data.pkl")?.to_owned())).collect();
        let [folder] = <[String; 1]>::try_from(folders).map_err(|found| whole(format!("expected one data.pkl, got {}", found.len())))?;
        let mut archive = Self { zip, folder };
        archive.check_byte_order()?;
        Ok(archive)
    }

    fn check_byte_order(&mut self) -> Result<(), Error> {
        if self.zip.index_for_name(&format!("{}/byteorder", self.folder)).is_none() {
            return Ok(()); // written before the entry existed, when all files were little-endian
        }
        match self.entry("byteorder")?.trim_ascii() {
            b"little" => Ok(()),
            other => Err(Error::Archive { entry: "byteorder".into(), why: format!("is {}, expected little", other.escape_ascii()) }),
        }
    }

    /// The bytes of an entry, checked against its checksum.
    fn entry(&mut self, name: &str) -> Result<Vec<u8>, Error> {
        let wrong = |why: String| Error::Archive { entry: name.to_owned(), why };
        let mut entry = self.zip.by_name(&format!("{}/{name}", self.folder)).map_err(|e| wrong(e.to_string()))?;
        let mut bytes = Vec::with_capacity(entry.size() as usize); // the sum of all sizes is below the file's
        entry.read_to_end(&mut bytes).map_err(|e| wrong(e.to_string()))?;
        Ok(bytes)
    }
}

/// Number of values of a view, after checking that each lies in its storage.
fn size(key: &str, view: &View) -> Result<usize, Error> {
    let wrong = |expected: &str| {
        let got = format!("shape {:?}, strides {:?} from {} in {} values", view.shape, view.strides, view.offset, view.storage.len);
        Error::Tensor { key: key.to_owned(), expected: expected.into(), got }
    };
    let size = view.shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d)).ok_or_else(|| wrong("a size that can be counted"))?;
    let last = view.shape.iter().zip(&view.strides).try_fold(view.offset, |at, (d, s)| at.checked_add(d.saturating_sub(1).checked_mul(*s)?));
    let inside = if size == 0 { view.offset <= view.storage.len } else { last.is_some_and(|last| last < view.storage.len) };
    if inside { Ok(size) } else { Err(wrong("a tensor inside its storage")) }
}

/// Values of a view in row-major order.
fn gather(key: &str, view: &View, storage: &[u8]) -> Result<Tensor, Error> {
    if view.storage.len.checked_mul(view.storage.kind.size()) != Some(storage.len()) {
        let expected = format!("a storage of {} values of {} bytes", view.storage.len, view.storage.kind.size());
        return Err(Error::Tensor { key: key.to_owned(), expected, got: format!("{} bytes", storage.len()) });
    }
    let places = places(view, size(key, view)?);
    let data = match view.storage.kind {
        Kind::F32 => {
            let (values, _) = storage.as_chunks::<4>();
            TensorData::F32(places.into_iter().map(|p| f32::from_le_bytes(values[p])).collect())
        }
        Kind::Bool => {
            let truth = |p: usize| match storage[p] {
                0 => Ok(false),
                1 => Ok(true),
                other => Err(Error::Tensor { key: key.to_owned(), expected: "0 or 1 for a bool".into(), got: other.to_string() }),
            };
            TensorData::Bool(places.into_iter().map(truth).collect::<Result<_, _>>()?)
        }
    };
    Ok(Tensor { shape: view.shape.clone(), data })
}

/// Places in the storage of a view's values, row-major.
fn places(view: &View, size: usize) -> Vec<usize> {
    let mut places = Vec::with_capacity(size);
    let mut index = vec![0; view.shape.len()];
    let mut place = view.offset;
    while places.len() < size {
        places.push(place);
        for axis in (0..index.len()).rev() {
            index[axis] += 1;
            place = place.wrapping_add(view.strides[axis]); // one past the axis may lie outside; it is taken back below
            if index[axis] < view.shape[axis] {
                break;
            }
            place = place.wrapping_sub(index[axis].wrapping_mul(view.strides[axis]));
            index[axis] = 0;
        }
    }
    places
}

/// Writes a state dictionary as a .pt file that `torch.load(path, weights_only=True)` reads.
pub fn write(path: &Path, dict: &StateDict) -> Result<(), Error> {
    let stem = path.file_stem().map_or_else(|| "archive".into(), |stem| stem.to_string_lossy().into_owned());
    file::write(path, &to_bytes(dict, &stem).map_err(|error| error.within(path))?)
}

/// The bytes of a .pt file; `stem` is the folder inside the archive, usually the file's name without extension.
pub fn to_bytes(dict: &StateDict, stem: &str) -> Result<Vec<u8>, Error> {
    let mut views = Vec::with_capacity(dict.len());
    for (number, (key, tensor)) in dict.iter().enumerate() {
        tensor.check(key)?;
        views.push((key, contiguous(tensor, number)));
    }
    let options =
        SimpleFileOptions::default().compression_method(CompressionMethod::Stored).last_modified_time(DateTime::default()).with_alignment(64);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut entry = |name: &str, bytes: &[u8]| {
        zip.start_file(format!("{stem}/{name}"), options)
            .and_then(|()| Ok(zip.write_all(bytes)?))
            .map_err(|e| Error::Archive { entry: name.to_owned(), why: e.to_string() })
    };
    entry("data.pkl", &pickle::write(views.iter().map(|(key, view)| (*key, view)))?)?;
    entry("byteorder", b"little")?;
    for ((_, tensor), (_, view)) in dict.iter().zip(&views) {
        entry(&format!("data/{}", view.storage.key), &raw(tensor))?;
    }
    entry("version", b"3\n")?;
    let finished = zip.finish().map_err(|e| Error::Archive { entry: "(all)".into(), why: e.to_string() })?;
    Ok(finished.into_inner())
}

/// The whole of a storage of its own, row-major.
fn contiguous(tensor: &Tensor, number: usize) -> View {
    let kind = match &tensor.data {
        TensorData::F32(_) => Kind::F32,
        TensorData::Bool(_) => Kind::Bool,
    };
    let mut strides = vec![1; tensor.shape.len()];
    for axis in (1..strides.len()).rev() {
        strides[axis - 1] = strides[axis] * tensor.shape[axis].max(1);
    }
    let storage = Storage { kind, key: number.to_string(), len: tensor.data.len() };
    View { storage, offset: 0, shape: tensor.shape.clone(), strides }
}

fn raw(tensor: &Tensor) -> Vec<u8> {
    match &tensor.data {
        TensorData::F32(x) => x.iter().flat_map(|v| v.to_le_bytes()).collect(),
        TensorData::Bool(x) => x.iter().map(|v| u8::from(*v)).collect(),
    }
}
