//! NumPy arrays from .npy files.

use crate::error::Error;
use ndarray::{ArrayD, IxDyn, ShapeBuilder};
use std::path::Path;

/// Reads numbers of any usual type as f32, in row-major order.
pub fn read_f32(path: &Path) -> Result<ArrayD<f32>, Error> {
    let file = std::fs::read(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    let wrong = |problem: String| Error::Array { path: path.to_owned(), problem };
    let (header, data) = Header::parse(&file).ok_or_else(|| wrong("not a NumPy .npy file, or one cut short in its header".into()))?;
    let values: Vec<f32> = match header.dtype.as_str() {
        "<f4" => data.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
        "<f8" => data.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect(),
        "<i8" => data.as_chunks().0.iter().map(|b| i64::from_le_bytes(*b) as f32).collect(),
        "<i4" => data.as_chunks().0.iter().map(|b| i32::from_le_bytes(*b) as f32).collect(),
        "|u1" | "|b1" => data.iter().map(|b| f32::from(*b)).collect(),
        "|i1" => data.iter().map(|b| f32::from(*b as i8)).collect(),
        other => return Err(wrong(format!("holds {other}, expected float32, float64, int32, int64, uint8 or bool, little-endian"))),
    };
    header.array(values, data.len()).map_err(wrong)
}

/// Reads uint8.
pub fn read_u8(path: &Path) -> Result<ArrayD<u8>, Error> {
    let file = std::fs::read(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    let wrong = |problem: String| Error::Array { path: path.to_owned(), problem };
    let (header, data) = Header::parse(&file).ok_or_else(|| wrong("not a NumPy .npy file, or one cut short in its header".into()))?;
    if header.dtype != "|u1" {
        return Err(wrong(format!("holds {}, expected uint8 (|u1)", header.dtype)));
    }
    header.array(data.to_vec(), data.len()).map_err(wrong)
}

/// What a .npy file says of its array. Parsed here because the sizes of a damaged file must not be multiplied unchecked.
pub(crate) struct Header {
    pub(crate) dtype: String,
    pub(crate) fortran_order: bool,
    pub(crate) shape: Vec<usize>,
}

impl Header {
    /// The header and the data after it.
    pub(crate) fn parse(file: &[u8]) -> Option<(Self, &[u8])> {
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

    /// Values of `bytes` bytes in all, in the header's shape.
    fn array<T: Clone>(&self, values: Vec<T>, bytes: usize) -> Result<ArrayD<T>, String> {
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
