//! NumPy arrays from .npy files.

use crate::error::Error;
use ndarray::{ArrayD, IxDyn, ShapeBuilder};
use std::path::Path;

/// Reads numbers (float, integer or bool, little-endian) as f32, in row-major order; any shape, also a single value.
///
/// # Errors
/// A file that is missing, empty, cut short, of another kind, or of another type.
pub fn read_f32(path: &Path) -> Result<ArrayD<f32>, Error> {
    let (wrong, file) = (refusal(path), bytes(path)?);
    let (header, data) = Header::parse(&file).map_err(&wrong)?;
    let values: Vec<f32> = match header.dtype.as_str() {
        "<f4" => data.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
        "<f8" => data.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect(),
        "<i8" => data.as_chunks().0.iter().map(|b| i64::from_le_bytes(*b) as f32).collect(),
        "<i4" => data.as_chunks().0.iter().map(|b| i32::from_le_bytes(*b) as f32).collect(),
        "<i2" => data.as_chunks().0.iter().map(|b| f32::from(i16::from_le_bytes(*b))).collect(),
        "<u2" => data.as_chunks().0.iter().map(|b| f32::from(u16::from_le_bytes(*b))).collect(),
        "|i1" => data.iter().map(|b| f32::from(*b as i8)).collect(),
        "|u1" | "|b1" => data.iter().map(|b| f32::from(*b)).collect(),
        other => return Err(wrong(format!("holds {other}, expected little-endian float32 or float64, int8 to int64, uint8, uint16 or bool"))),
    };
    header.array(values, data.len()).map_err(wrong)
}

/// Reads uint8, in row-major order.
///
/// # Errors
/// As [`read_f32`].
pub fn read_u8(path: &Path) -> Result<ArrayD<u8>, Error> {
    let (wrong, file) = (refusal(path), bytes(path)?);
    let (header, data) = Header::parse(&file).map_err(&wrong)?;
    if header.dtype != "|u1" {
        return Err(wrong(format!("holds {}, expected uint8 (|u1)", header.dtype)));
    }
    header.array(data.to_vec(), data.len()).map_err(wrong)
}

fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::Io { path: path.to_owned(), source })
}

fn refusal(path: &Path) -> impl Fn(String) -> Error {
    let path = path.to_owned();
    move |problem| Error::Array { path: path.clone(), problem }
}

/// What is said of an archive of arrays.
pub(crate) const NPZ: &str = "this is a .npz archive of arrays; save the one that is meant as a .npy, numpy.save(\"name.npy\", archive[\"name\"])";

/// What a .npy file says of its array. Parsed here because the sizes of a damaged file must not be multiplied unchecked.
pub(crate) struct Header {
    pub(crate) dtype: String,
    fortran_order: bool,
    pub(crate) shape: Vec<usize>,
}

impl Header {
    /// The header and the data after it, or what is wrong.
    pub(crate) fn parse(file: &[u8]) -> Result<(Self, &[u8]), String> {
        match Self::split(file) {
            Some(found) => Ok(found),
            None if file.is_empty() => Err("the file is empty".into()),
            None if file.starts_with(b"PK") => Err(NPZ.into()),
            None => Err("not a NumPy .npy file, or one cut short in its header".into()),
        }
    }

    fn split(file: &[u8]) -> Option<(Self, &[u8])> {
        let rest = file.strip_prefix(b"\x93NUMPY")?;
        let (version, rest) = rest.split_first_chunk::<2>()?;
        let (length, rest) = match version[0] {
            1 => rest.split_first_chunk::<2>().map(|(l, rest)| (usize::from(u16::from_le_bytes(*l)), rest))?,
            2 | 3 => rest.split_first_chunk::<4>().map(|(l, rest)| (u32::from_le_bytes(*l) as usize, rest))?,
            _ => return None,
        };
        let (text, data) = rest.split_at_checked(length)?;
        let text = std::str::from_utf8(text).ok()?;
        let after = |key: &str| text.split_once(key).and_then(|(_, rest)| rest.trim_start().strip_prefix(':')).map(str::trim_start);
        let dtype = match after("'descr'")?.strip_prefix('\'') {
            Some(rest) => rest.split_once('\'')?.0.into(),
            None => "records".into(),
        };
        let (axes, _) = after("'shape'")?.strip_prefix('(')?.split_once(')')?;
        let shape = axes.split(',').map(str::trim).filter(|a| !a.is_empty()).map(|a| a.parse().ok()).collect::<Option<_>>()?;
        Some((Self { dtype, fortran_order: after("'fortran_order'")?.starts_with("True"), shape }, data))
    }

    /// Bytes of one value.
    fn width(&self) -> Option<usize> {
        self.dtype.get(2..)?.parse().ok()
    }

    /// Values that took `bytes` bytes in all, in the header's shape and row-major order.
    pub(crate) fn array<T: Clone>(&self, values: Vec<T>, bytes: usize) -> Result<ArrayD<T>, String> {
        let size = self.shape.iter().try_fold(self.width().unwrap_or(0), |size, axis| size.checked_mul(*axis));
        if size != Some(bytes) {
            let size = size.map_or("too many".into(), |s| s.to_string());
            return Err(format!("its shape {:?} asks for {size} bytes, there are {bytes}; the file was cut short or is damaged", self.shape));
        }
        let shape = IxDyn(&self.shape);
        if self.fortran_order {
            let array = ArrayD::from_shape_vec(shape.f(), values).map_err(|e| e.to_string())?;
            return Ok(array.as_standard_layout().into_owned());
        }
        ArrayD::from_shape_vec(shape, values).map_err(|e| e.to_string())
    }
}
