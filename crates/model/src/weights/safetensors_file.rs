//! Safetensors files: raw tensors behind a JSON header, with text metadata. The project's own format for weights.

use super::state_dict::{StateDict, Tensor, TensorData};
use super::{Error, file};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Text kept beside the tensors.
pub type Metadata = BTreeMap<String, String>;

/// Reads a state dictionary and its metadata.
pub fn read(path: &Path) -> Result<(StateDict, Metadata), Error> {
    from_bytes(&file::read(path)?).map_err(|error| error.within(path))
}

/// Reads a state dictionary and its metadata from the bytes of a file. Other floats become float32.
pub fn from_bytes(bytes: &[u8]) -> Result<(StateDict, Metadata), Error> {
    let (tensors, metadata) = parse(bytes)?;
    let mut dict = StateDict::new();
    for (key, view) in tensors {
        let data = match view.dtype() {
            Dtype::BOOL => TensorData::Bool(truths(&key, view.data())?),
            Dtype::F32 | Dtype::F64 | Dtype::F16 | Dtype::BF16 => TensorData::F32(floats(&view)),
            other => {
                let expected = "float32, float64, float16, bfloat16 or bool".into();
                return Err(Error::Tensor { key, expected, got: format!("type {other:?}") });
            }
        };
        dict.add(key, Tensor { shape: view.shape().to_vec(), data })?;
    }
    Ok((dict, metadata))
}

/// Tensors of a file in order of name, and its metadata.
fn parse(bytes: &[u8]) -> Result<(Vec<(String, TensorView<'_>)>, Metadata), Error> {
    let damaged = |e: safetensors::SafeTensorError| Error::Safetensors { why: e.to_string() };
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let metadata = header.metadata().clone().unwrap_or_default().into_iter().collect();
    let mut tensors = SafeTensors::deserialize(bytes).map_err(damaged)?.tensors();
    tensors.sort_by(|a, b| a.0.cmp(&b.0));
    Ok((tensors, metadata))
}

fn truths(key: &str, bytes: &[u8]) -> Result<Vec<bool>, Error> {
    let truth = |byte: &u8| match byte {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(Error::Tensor { key: key.to_owned(), expected: "0 or 1 for a bool".into(), got: other.to_string() }),
    };
    bytes.iter().map(truth).collect()
}

/// Little-endian floats of any width.
fn floats(view: &TensorView) -> Vec<f32> {
    fn decode<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
        bytes.as_chunks::<N>().0.iter().map(|b| number(*b)).collect()
    }
    match view.dtype() {
        Dtype::F64 => decode(view.data(), |b| f64::from_le_bytes(b) as f32),
        Dtype::F16 => decode(view.data(), |b| half(u16::from_le_bytes(b))),
        Dtype::BF16 => decode(view.data(), |b| f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16)),
        _ => decode(view.data(), f32::from_le_bytes),
    }
}

/// IEEE half precision.
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff) / 1024.0);
    match exponent {
        0 => sign * fraction * 2f32.powi(-14),
        31 if fraction == 0.0 => sign * f32::INFINITY,
        31 => f32::NAN,
        _ => sign * (1.0 + fraction) * 2f32.powi(exponent - 15),
    }
}

/// Writes a state dictionary with metadata. The same content gives the same bytes.
pub fn write(path: &Path, dict: &StateDict, metadata: &Metadata) -> Result<(), Error> {
    file::write(path, &to_bytes(dict, metadata).map_err(|error| error.within(path))?)
}

/// The bytes of a safetensors file.
pub fn to_bytes(dict: &StateDict, metadata: &Metadata) -> Result<Vec<u8>, Error> {
    let raw: Vec<(&str, Dtype, &[usize], Vec<u8>)> = dict
        .iter()
        .map(|(key, tensor)| {
            tensor.check(key)?;
            let (dtype, bytes) = match &tensor.data {
                TensorData::F32(x) => (Dtype::F32, x.iter().flat_map(|v| v.to_le_bytes()).collect()),
                TensorData::Bool(x) => (Dtype::BOOL, x.iter().map(|v| u8::from(*v)).collect()),
            };
            Ok((key, dtype, tensor.shape.as_slice(), bytes))
        })
        .collect::<Result<_, Error>>()?;
    let failed = |e: safetensors::SafeTensorError| Error::Safetensors { why: e.to_string() };
    let view = |(key, dtype, shape, bytes)| Ok((key, TensorView::new(dtype, <[usize]>::to_vec(shape), bytes)?));
    let views = raw.iter().map(|(key, dtype, shape, bytes)| view((*key, *dtype, *shape, bytes.as_slice())));
    let views = views.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    with_metadata(serialize(views, None).map_err(failed)?, metadata)
}

/// Puts metadata in front of a header, in order of key: the library would write it in an order that changes from run to run.
fn with_metadata(bytes: Vec<u8>, metadata: &Metadata) -> Result<Vec<u8>, Error> {
    let length = bytes.first_chunk().map_or(0, |b| u64::from_le_bytes(*b) as usize);
    let (header, tensors) = bytes[8..].split_at(length);
    if metadata.is_empty() {
        return Ok(bytes);
    }
    let text = serde_json::to_string(metadata).map_err(|e| Error::Safetensors { why: e.to_string() })?;
    let rest = &header.trim_ascii()[1..];
    let comma: &[u8] = if rest == b"}" { b"" } else { b"," };
    let mut header = [b"{\"__metadata__\":", text.as_bytes(), comma, rest].concat();
    header.resize(header.len().next_multiple_of(8), b' '); // tensors stay aligned
    Ok([&(header.len() as u64).to_le_bytes(), header.as_slice(), tensors].concat())
}

#[cfg(test)]
mod tests {
    use super::half;

    #[test]
    fn half_precision_is_ieee() {
        let known = [(0x3c00, 1.0), (0xc000, -2.0), (0x3555, 0.333_251_95), (0x0001, 5.960_464_5e-8), (0x7bff, 65504.0), (0x8000, -0.0)];
        known.into_iter().for_each(|(bits, value)| assert_eq!(half(bits), value, "{bits:x}"));
        assert_eq!(half(0x7c00), f32::INFINITY);
        assert!(half(0x7e00).is_nan());
    }
}
