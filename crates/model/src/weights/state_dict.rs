//! State dictionary: the reference implementation's names of all tensors of a network, parameters and buffers.

use super::Error;
use std::collections::HashMap;

/// Values of a tensor. The reference implementation has no other types.
#[derive(Clone, Debug, PartialEq)]
pub enum TensorData {
    /// Single-precision numbers.
    F32(Vec<f32>),
    /// Truth values.
    Bool(Vec<bool>),
}

impl TensorData {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(x) => x.len(),
            Self::Bool(x) => x.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The type in words.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::F32(_) => "float32",
            Self::Bool(_) => "bool",
        }
    }
}

/// A tensor: shape and values, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Shape; empty for a scalar.
    pub shape: Vec<usize>,
    /// Values, row-major.
    pub data: TensorData,
}

impl Tensor {
    /// A float32 tensor.
    pub fn f32(shape: impl Into<Vec<usize>>, data: Vec<f32>) -> Self {
        Self { shape: shape.into(), data: TensorData::F32(data) }
    }

    /// A bool tensor.
    pub fn bool(shape: impl Into<Vec<usize>>, data: Vec<bool>) -> Self {
        Self { shape: shape.into(), data: TensorData::Bool(data) }
    }

    /// The values of a float32 tensor.
    pub fn as_f32(&self) -> Option<&[f32]> {
        match &self.data {
            TensorData::F32(x) => Some(x),
            TensorData::Bool(_) => None,
        }
    }

    /// Refuses a shape that does not hold exactly the values there are.
    pub(super) fn check(&self, key: &str) -> Result<(), Error> {
        let size = self.shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
        if size == Some(self.data.len()) {
            return Ok(());
        }
        let expected = format!("as many values as shape {:?} has places", self.shape);
        Err(Error::Tensor { key: key.to_owned(), expected, got: format!("{} values", self.data.len()) })
    }
}

/// Tensors by name, in the order they were given. Two are equal when they hold the same tensors, in any order.
#[derive(Clone, Debug, Default)]
pub struct StateDict {
    list: Vec<(String, Tensor)>,
    index: HashMap<String, usize>,
}

impl StateDict {
    /// No tensors.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a tensor; returns the one the key had before.
    pub fn insert(&mut self, key: impl Into<String>, tensor: Tensor) -> Option<Tensor> {
        let key = key.into();
        if let Some(place) = self.index.get(&key) {
            return Some(std::mem::replace(&mut self.list[*place].1, tensor));
        }
        self.index.insert(key.clone(), self.list.len());
        self.list.push((key, tensor));
        None
    }

    /// Adds a tensor whose key must be new.
    pub(super) fn add(&mut self, key: String, tensor: Tensor) -> Result<(), Error> {
        if self.contains(&key) {
            return Err(Error::Duplicate { key });
        }
        self.insert(key, tensor);
        Ok(())
    }

    /// A tensor by key.
    pub fn get(&self, key: &str) -> Option<&Tensor> {
        self.index.get(key).map(|place| &self.list[*place].1)
    }

    /// Whether there is such a key.
    pub fn contains(&self, key: &str) -> bool {
        self.index.contains_key(key)
    }

    /// All keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|(key, _)| key.as_str())
    }

    /// All tensors with their keys, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.list.iter().map(|(key, tensor)| (key.as_str(), tensor))
    }

    /// Number of tensors.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Splits in two: tensors whose key starts with `prefix`, and the others.
    pub fn split(self, prefix: &str) -> (Self, Self) {
        let (inside, others): (Vec<_>, Vec<_>) = self.list.into_iter().partition(|(key, _)| key.starts_with(prefix));
        (inside.into_iter().collect(), others.into_iter().collect())
    }

    /// Both dictionaries' tensors; no key may be in both.
    pub fn union(mut self, other: Self) -> Result<Self, Error> {
        for (key, tensor) in other.list {
            self.add(key, tensor)?;
        }
        Ok(self)
    }
}

impl PartialEq for StateDict {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(key, tensor)| other.get(key) == Some(tensor))
    }
}

impl FromIterator<(String, Tensor)> for StateDict {
    fn from_iter<I: IntoIterator<Item = (String, Tensor)>>(tensors: I) -> Self {
        let mut dict = Self::new();
        for (key, tensor) in tensors {
            dict.insert(key, tensor);
        }
        dict
    }
}
