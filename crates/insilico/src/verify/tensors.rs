//! Reference tensors: a safetensors file of any numeric type, as f64.

use crate::error::Error;
use safetensors::tensor::{Dtype, SafeTensors};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Shape and values by name. Remembers which were asked for: a reference that no check reads must not pass for one that holds.
pub(super) struct Tensors {
    all: BTreeMap<String, (Vec<usize>, Vec<f64>)>,
    read: RefCell<BTreeSet<String>>,
}

impl Tensors {
    /// A tensor, which counts as read.
    pub(super) fn get(&self, name: &str) -> Option<&(Vec<usize>, Vec<f64>)> {
        let found = self.all.get(name);
        if found.is_some() {
            self.read.borrow_mut().insert(name.to_owned());
        }
        found
    }

    /// Whether a tensor is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.all.contains_key(name)
    }

    /// All names, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.all.keys().map(String::as_str)
    }

    /// Tensors under a prefix, without it; they do not count as read.
    pub(super) fn under<'a>(&'a self, prefix: &str) -> BTreeMap<&'a str, &'a [f64]> {
        self.all.iter().filter_map(|(name, (_, x))| Some((name.strip_prefix(prefix)?, x.as_slice()))).collect()
    }

    /// Names of tensors that nobody asked for.
    pub(super) fn unread(&self) -> Vec<String> {
        self.all.keys().filter(|name| !self.read.borrow().contains(*name)).cloned().collect()
    }
}

/// Reads a whole file.
pub(super) fn read(path: &Path) -> Result<Tensors, Error> {
    let wrong = |why: String| Error::Case { path: path.to_owned(), why };
    let bytes = std::fs::read(path).map_err(|e| wrong(e.to_string()))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|e| wrong(format!("not a whole safetensors file: {e}")))?;
    let all = file
        .iter()
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
        .collect::<Result<_, _>>()?;
    Ok(Tensors { all, read: RefCell::default() })
}
