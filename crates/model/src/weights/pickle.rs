//! Tensors as a pickle describes them, and the writer of a PyTorch file's pickle.

use super::Error;
use super::opcode as op;

/// The most bytes in a string; keys have a hundred.
pub(super) const MAX_STRING: usize = 4096;

/// Type of a storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    F32,
    Bool,
}

impl Kind {
    /// Bytes of a value.
    pub(super) fn size(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::Bool => 1,
        }
    }

    fn storage(self) -> &'static str {
        match self {
            Self::F32 => "FloatStorage",
            Self::Bool => "BoolStorage",
        }
    }
}

/// A run of values, kept outside the pickle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Storage {
    pub(super) kind: Kind,
    /// Name of the archive's entry under `data/`.
    pub(super) key: String,
    /// Number of values.
    pub(super) len: usize,
}

/// A tensor as a view of a storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct View {
    pub(super) storage: Storage,
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<usize>,
}

/// Writes the pickle of an ordered dictionary of tensors.
pub(super) fn write<'a>(tensors: impl IntoIterator<Item = (&'a str, &'a View)>) -> Result<Vec<u8>, Error> {
    const BATCH: usize = 1000; // items set at once, as Python writes them: bounds the reader's stack
    let mut out = vec![op::PROTO, 2];
    empty_ordered_dict(&mut out);
    let tensors: Vec<_> = tensors.into_iter().collect();
    for batch in tensors.chunks(BATCH) {
        out.push(op::MARK);
        for (key, view) in batch {
            write_text(&mut out, key)?;
            write_tensor(&mut out, view)?;
        }
        out.push(op::SETITEMS);
    }
    out.push(op::STOP);
    Ok(out)
}

fn write_tensor(out: &mut Vec<u8>, view: &View) -> Result<(), Error> {
    write_global(out, "torch._utils", "_rebuild_tensor_v2");
    out.extend([op::MARK, op::MARK]);
    write_text(out, "storage")?;
    write_global(out, "torch", view.storage.kind.storage());
    write_text(out, &view.storage.key)?;
    write_text(out, "cpu")?;
    write_int(out, view.storage.len)?;
    out.extend([op::TUPLE, op::BINPERSID]);
    write_int(out, view.offset)?;
    for sizes in [&view.shape, &view.strides] {
        out.push(op::MARK);
        sizes.iter().try_for_each(|size| write_int(out, *size))?;
        out.push(op::TUPLE);
    }
    out.push(op::NEWFALSE);
    empty_ordered_dict(out);
    out.extend([op::TUPLE, op::REDUCE]);
    Ok(())
}

fn empty_ordered_dict(out: &mut Vec<u8>) {
    write_global(out, "collections", "OrderedDict");
    out.extend([op::EMPTY_TUPLE, op::REDUCE]);
}

fn write_global(out: &mut Vec<u8>, module: &str, name: &str) {
    out.push(op::GLOBAL);
    out.extend(format!("{module}\n{name}\n").bytes());
}

fn write_text(out: &mut Vec<u8>, text: &str) -> Result<(), Error> {
    if text.len() > MAX_STRING {
        return Err(Error::Limit { what: "the length of a key", limit: MAX_STRING, got: text.len() });
    }
    out.push(op::BINUNICODE);
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(text.bytes());
    Ok(())
}

fn write_int(out: &mut Vec<u8>, value: usize) -> Result<(), Error> {
    if let Ok(small) = u8::try_from(value) {
        out.extend([op::BININT1, small]);
        return Ok(());
    }
    let value = i32::try_from(value).map_err(|_| Error::Limit { what: "a size in a PyTorch file", limit: i32::MAX as usize, got: value })?;
    out.push(op::BININT);
    out.extend(value.to_le_bytes());
    Ok(())
}
