//! The restricted reader of a PyTorch file's pickle.
//!
//! It knows 24 instructions and 4 names, which is what dictionaries of tensors are made of; it refuses all else by
//! name and never executes anything. Values live in one list and refer to each other by place, so that a pickle that
//! refers to itself or repeats itself costs no more memory than its own length.

use super::Error;
use super::opcode as op;
use super::pickle::{Kind, MAX_STRING, Storage, View};
use std::collections::HashMap;

/// The most bytes a pickle may have; the published ones have 40 thousand.
const MAX_BYTES: usize = 64 << 20;
/// The most values remembered for later use.
const MAX_MEMO: usize = 1 << 20;
/// The most values on the stack.
const MAX_STACK: usize = 1 << 16;
/// The most values altogether.
const MAX_VALUES: usize = 1 << 20;
/// The most tensors; the published dictionaries have 338.
const MAX_TENSORS: usize = 1 << 15;
/// The most axes of a tensor.
const MAX_AXES: usize = 64;

/// The names that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Global {
    OrderedDict,
    RebuildTensor,
    Storage(Kind),
}

type Place = usize;

#[derive(Clone, Debug)]
enum Value {
    False,
    Int(i64),
    Text(String),
    Tuple(Vec<Place>),
    Dict(Vec<(Place, Place)>),
    Global(Global),
    Storage(Storage),
    Tensor(View),
}

impl Value {
    fn kind(&self) -> String {
        match self {
            Self::False => "a truth value".into(),
            Self::Int(i) => format!("the number {i}"),
            Self::Text(_) => "a string".into(),
            Self::Tuple(t) => format!("a tuple of {}", t.len()),
            Self::Dict(_) => "a dictionary".into(),
            Self::Global(_) => "a class or function".into(),
            Self::Storage(_) => "a storage".into(),
            Self::Tensor(_) => "a tensor".into(),
        }
    }
}

/// Reads the dictionary of tensors in a pickle.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<(String, View)>, Error> {
    limit("the length of data.pkl", MAX_BYTES, bytes.len())?;
    let mut machine = Machine { bytes, next: 0, at: 0, values: Vec::new(), stack: Vec::new(), marks: Vec::new(), memo: HashMap::new(), tensors: 0 };
    let root = machine.run()?;
    machine.tensors(root)
}

fn limit(what: &'static str, limit: usize, got: usize) -> Result<(), Error> {
    if got > limit { Err(Error::Limit { what, limit, got }) } else { Ok(()) }
}

struct Machine<'a> {
    bytes: &'a [u8],
    next: usize,
    /// Offset of the instruction under way.
    at: usize,
    values: Vec<Value>,
    stack: Vec<Place>,
    marks: Vec<usize>,
    memo: HashMap<u32, Place>,
    tensors: usize,
}

impl Machine<'_> {
    fn run(&mut self) -> Result<Place, Error> {
        let [code, protocol] = self.array()?;
        if code != op::PROTO || protocol != 2 {
            return Err(self.wrong("a pickle of protocol 2", format!("bytes 0x{code:02x} 0x{protocol:02x}")));
        }
        loop {
            self.at = self.next;
            let [code] = self.array()?;
            match code {
                op::STOP => return self.stop(),
                op::MARK => self.mark()?,
                op::GLOBAL => self.global()?,
                op::REDUCE => self.reduce()?,
                op::BUILD => self.build()?,
                op::BINPERSID => self.persistent()?,
                op::EMPTY_DICT => self.push(Value::Dict(Vec::new()))?,
                op::SETITEM => {
                    let (value, key) = (self.pop()?, self.pop()?);
                    self.set_items(&[key, value])?;
                }
                op::SETITEMS => {
                    let items = self.pop_mark()?;
                    self.set_items(&items)?;
                }
                op::EMPTY_TUPLE => self.push(Value::Tuple(Vec::new()))?,
                op::TUPLE => {
                    let items = self.pop_mark()?;
                    self.push(Value::Tuple(items))?;
                }
                op::TUPLE1 => self.tuple(1)?,
                op::TUPLE2 => self.tuple(2)?,
                op::TUPLE3 => self.tuple(3)?,
                op::BINUNICODE => self.text()?,
                op::BININT => {
                    let value = i32::from_le_bytes(self.array()?);
                    self.push(Value::Int(value.into()))?;
                }
                op::BININT1 => {
                    let [value] = self.array()?;
                    self.push(Value::Int(value.into()))?;
                }
                op::BININT2 => {
                    let value = u16::from_le_bytes(self.array()?);
                    self.push(Value::Int(value.into()))?;
                }
                op::NEWFALSE => self.push(Value::False)?,
                op::BINPUT => {
                    let [slot] = self.array()?;
                    self.remember(slot.into())?;
                }
                op::LONG_BINPUT => {
                    let slot = u32::from_le_bytes(self.array()?);
                    self.remember(slot)?;
                }
                op::BINGET => {
                    let [slot] = self.array()?;
                    self.recall(slot.into())?;
                }
                op::LONG_BINGET => {
                    let slot = u32::from_le_bytes(self.array()?);
                    self.recall(slot)?;
                }
                other => return Err(Error::Opcode { at: self.at, opcode: op::refused(other) }),
            }
        }
    }

    fn wrong(&self, expected: &str, got: impl Into<String>) -> Error {
        Error::Pickle { at: self.at, expected: expected.into(), got: got.into() }
    }

    fn take(&mut self, count: usize) -> Result<&[u8], Error> {
        let range = self.next..self.next.saturating_add(count);
        match self.bytes.get(range.clone()) {
            Some(bytes) => {
                self.next = range.end;
                Ok(bytes)
            }
            None => Err(self.wrong("a whole pickle that ends with STOP", "the end of the file")),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn push(&mut self, value: Value) -> Result<(), Error> {
        limit("the number of values in data.pkl", MAX_VALUES, self.values.len() + 1)?;
        self.values.push(value);
        self.push_place(self.values.len() - 1)
    }

    fn push_place(&mut self, place: Place) -> Result<(), Error> {
        limit("the pickle's stack", MAX_STACK, self.stack.len() + 1)?;
        self.stack.push(place);
        Ok(())
    }

    fn pop(&mut self) -> Result<Place, Error> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.pop() {
            Some(place) if self.stack.len() >= floor => Ok(place),
            _ => Err(self.wrong("a value on the stack", "none")),
        }
    }

    /// The topmost value, left where it is.
    fn top(&mut self) -> Result<Place, Error> {
        let place = self.pop()?;
        self.stack.push(place);
        Ok(place)
    }

    fn mark(&mut self) -> Result<(), Error> {
        limit("the number of open marks in data.pkl", MAX_STACK, self.marks.len() + 1)?;
        self.marks.push(self.stack.len());
        Ok(())
    }

    fn pop_mark(&mut self) -> Result<Vec<Place>, Error> {
        match self.marks.pop() {
            Some(mark) => Ok(self.stack.split_off(mark)),
            None => Err(self.wrong("a mark on the stack", "none")),
        }
    }

    fn tuple(&mut self, count: usize) -> Result<(), Error> {
        let mut items = (0..count).map(|_| self.pop()).collect::<Result<Vec<_>, _>>()?;
        items.reverse();
        self.push(Value::Tuple(items))
    }

    fn text(&mut self) -> Result<(), Error> {
        let length = u32::from_le_bytes(self.array()?) as usize;
        limit("the length of a string in data.pkl", MAX_STRING, length)?;
        match std::str::from_utf8(self.take(length)?).map(str::to_owned) {
            Ok(text) => self.push(Value::Text(text)),
            Err(_) => Err(self.wrong("a string in UTF-8", "other bytes")),
        }
    }

    fn line(&mut self) -> Result<String, Error> {
        let rest = &self.bytes[self.next..];
        match rest.iter().take(MAX_STRING).position(|b| *b == b'\n') {
            Some(end) => {
                self.next += end + 1;
                Ok(String::from_utf8_lossy(&rest[..end]).escape_debug().to_string())
            }
            None => Err(self.wrong("a name that ends with a line break", "none")),
        }
    }

    fn global(&mut self) -> Result<(), Error> {
        let (module, name) = (self.line()?, self.line()?);
        let known = match (module.as_str(), name.as_str()) {
            ("collections", "OrderedDict") => Global::OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2") => Global::RebuildTensor,
            ("torch", "FloatStorage") => Global::Storage(Kind::F32),
            ("torch", "BoolStorage") => Global::Storage(Kind::Bool),
            _ => return Err(Error::Global { at: self.at, name: format!("{module}.{name}") }),
        };
        self.push(Value::Global(known))
    }

    fn remember(&mut self, slot: u32) -> Result<(), Error> {
        let place = self.top()?;
        self.memo.insert(slot, place);
        limit("the pickle's memo", MAX_MEMO, self.memo.len())
    }

    fn recall(&mut self, slot: u32) -> Result<(), Error> {
        match self.memo.get(&slot) {
            Some(place) => self.push_place(*place),
            None => Err(self.wrong("a value remembered before", format!("memo slot {slot}, which is empty"))),
        }
    }

    fn set_items(&mut self, items: &[Place]) -> Result<(), Error> {
        if !items.len().is_multiple_of(2) {
            return Err(self.wrong("keys and values in pairs", format!("{} items", items.len())));
        }
        let dict = self.top()?;
        match &mut self.values[dict] {
            Value::Dict(dict) => dict.extend(items.chunks_exact(2).map(|pair| (pair[0], pair[1]))),
            other => return Err(Error::Pickle { at: self.at, expected: "a dictionary".into(), got: other.kind() }),
        }
        Ok(())
    }

    /// Storage from its description `("storage", type, key, device, number of values)`; the device does not matter here.
    fn persistent(&mut self) -> Result<(), Error> {
        let place = self.pop()?;
        let items: Vec<&Value> = match &self.values[place] {
            Value::Tuple(items) => items.iter().map(|item| &self.values[*item]).collect(),
            other => return Err(self.wrong("the description of a storage", other.kind())),
        };
        let storage = match items[..] {
            [Value::Text(tag), Value::Global(Global::Storage(kind)), Value::Text(key), Value::Text(_), Value::Int(len)] if tag == "storage" => {
                let len = usize::try_from(*len).map_err(|_| self.wrong("a storage's number of values", len.to_string()))?;
                Storage { kind: *kind, key: key.clone(), len }
            }
            _ => return Err(self.wrong("the description of a storage", "something else")),
        };
        self.push(Value::Storage(storage))
    }

    fn reduce(&mut self) -> Result<(), Error> {
        let (arguments, callable) = (self.pop()?, self.pop()?);
        let arguments = match &self.values[arguments] {
            Value::Tuple(items) => items,
            other => return Err(self.wrong("a tuple of arguments", other.kind())),
        };
        let made = match &self.values[callable] {
            Value::Global(Global::OrderedDict) if arguments.is_empty() => Value::Dict(Vec::new()),
            Value::Global(Global::OrderedDict) => return Err(self.wrong("an empty OrderedDict", "one with arguments")),
            Value::Global(Global::RebuildTensor) => Value::Tensor(self.view(arguments)?),
            other => return Err(self.wrong("OrderedDict or _rebuild_tensor_v2 to be called", other.kind())),
        };
        self.tensors += usize::from(matches!(made, Value::Tensor(_)));
        limit("the number of tensors", MAX_TENSORS, self.tensors)?;
        self.push(made)
    }

    /// Tensor from `(storage, offset, shape, strides, requires gradient, hooks)`.
    fn view(&self, arguments: &[Place]) -> Result<View, Error> {
        let items: Vec<&Value> = arguments.iter().map(|item| &self.values[*item]).collect();
        match items[..] {
            [Value::Storage(storage), offset, shape, strides, Value::False, Value::Dict(hooks)] if hooks.is_empty() => {
                let view = View { storage: storage.clone(), offset: self.size(offset)?, shape: self.sizes(shape)?, strides: self.sizes(strides)? };
                if view.shape.len() != view.strides.len() {
                    return Err(self.wrong("one stride for each axis", format!("{} strides for {} axes", view.strides.len(), view.shape.len())));
                }
                Ok(view)
            }
            _ => Err(self.wrong("storage, offset, shape, strides, False and no hooks of a tensor", "something else")),
        }
    }

    fn size(&self, value: &Value) -> Result<usize, Error> {
        match value {
            Value::Int(i) => usize::try_from(*i).map_err(|_| self.wrong("a size of 0 or more", i.to_string())),
            other => Err(self.wrong("a size", other.kind())),
        }
    }

    fn sizes(&self, value: &Value) -> Result<Vec<usize>, Error> {
        match value {
            Value::Tuple(items) => {
                limit("the number of a tensor's axes", MAX_AXES, items.len())?;
                items.iter().map(|item| self.size(&self.values[*item])).collect()
            }
            other => Err(self.wrong("a tuple of sizes", other.kind())),
        }
    }

    /// Attributes of a dictionary: only `_metadata`, the versions of modules, which nothing here needs.
    fn build(&mut self) -> Result<(), Error> {
        let (state, target) = (self.pop()?, self.top()?);
        let is_metadata = |value: &Value| matches!(value, Value::Text(text) if text == "_metadata");
        match (&self.values[target], &self.values[state]) {
            (Value::Dict(_), Value::Dict(items)) if items.iter().all(|(key, _)| is_metadata(&self.values[*key])) => Ok(()),
            (target, _) => Err(self.wrong("the attribute _metadata of a dictionary", format!("other attributes of {}", target.kind()))),
        }
    }

    fn stop(&mut self) -> Result<Place, Error> {
        let root = self.pop()?;
        match (self.stack.len(), self.marks.len(), self.bytes.len() - self.next) {
            (0, 0, 0) => Ok(root),
            (0, 0, rest) => Err(self.wrong("the end of the file", format!("{rest} bytes more"))),
            (left, ..) => Err(self.wrong("one value", format!("{} values", left + 1))),
        }
    }

    fn tensors(mut self, root: Place) -> Result<Vec<(String, View)>, Error> {
        let items = match &mut self.values[root] {
            Value::Dict(items) => std::mem::take(items),
            other => return Err(Error::Pickle { at: self.at, expected: "a dictionary of tensors".into(), got: other.kind() }),
        };
        let entry = |(key, value): (Place, Place)| match (&self.values[key], &self.values[value]) {
            (Value::Text(key), Value::Tensor(view)) => Ok((key.clone(), view.clone())),
            (Value::Text(key), other) => {
                let expected = "a tensor (save the state dictionary itself, not what holds it)".to_owned();
                Err(Error::Tensor { key: key.clone(), expected, got: other.kind() })
            }
            (other, _) => Err(self.wrong("a string as key", other.kind())),
        };
        items.into_iter().map(entry).collect()
    }
}
