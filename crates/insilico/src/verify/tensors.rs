//! Reference tensors: a safetensors file of any numeric type, as f64.

use crate::error::Error;
use safetensors::tensor::{Dtype, SafeTensors};
use std::collections::BTreeMap;
use std::path::Path;

/// Shape and values by name.
pub(super) type Tensors = BTreeMap<String, (Vec<usize>, Vec<f64>)>;

/// Reads a whole file.
pub(super) fn read(path: &Path) -> Result<Tensors, Error> {
    let wrong = |why: String| Error::Case { path: path.to_owned(), why };
    let bytes = std::fs::read(path).map_err(|e| wrong(e.to_string()))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|e| wrong(format!("not a whole safetensors file: {e}")))?;
    file.iter()
        .map(|(name, view)| {
            let x = view.data();
            let values = match view.dtype() {
                Dtype::F64 => x.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
                Dtype::F32 => x.as_chunks().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect(),
                Dtype::I64 => x.as_chunks().0.iter().map(|b| i64::from_le_bytes(*b) as f64).collect(),
                Dtype::I32 => x.as_chunks().0.iter().map(|b| f64::from(i32::from_le_bytes(*b))).collect(),
                Dtype::U8 | Dtype::BOOL => x.iter().map(|b| f64::from(*b)).collect(),
                other => return Err(wrong(format!("{name} is of type {other:?}, expected F32, F64, I32, I64, U8 or BOOL"))),
            };
            Ok((name.to_owned(), (view.shape().to_vec(), values)))
        })
        .collect()
}
