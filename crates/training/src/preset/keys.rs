//! Settings by dotted key: which keys there are, of which type, and how one is changed.

use crate::config::Preset;
use crate::error::Error;
use serde::Deserialize;
use toml::{Table, Value};

/// A preset under construction.
pub(super) struct Settings {
    table: Table,
    keys: Vec<Key>,
}

/// One setting.
struct Key {
    /// Dotted path.
    path: String,
    kind: Kind,
}

/// Type of a setting.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Flag,
    Whole,
    Number,
    Word,
    Wholes,
}

impl Settings {
    /// Settings that start from `base`.
    pub(super) fn of(base: &Preset) -> Result<Self, Error> {
        Ok(Self { table: table(base)?, keys: keys()? })
    }

    /// Changes settings to those of a file or named preset; `origin` says which.
    pub(super) fn set_all(&mut self, origin: &str, changes: Table) -> Result<(), Error> {
        self.set_section(origin, "", changes)
    }

    /// Changes one setting as `key=value` says. The key may be any ending that only one setting has.
    pub(super) fn override_with(&mut self, text: &str) -> Result<(), Error> {
        let (key, value) = text.split_once('=').ok_or_else(|| Error::PresetOverride { text: text.into() })?;
        let (key, value) = (canonical(key.trim()), value.trim());
        if self.is_section(&key) {
            return match written(value) {
                Value::Table(section) => self.set_section(ORIGIN, &key, section),
                other => Err(wrong(ORIGIN, &key, "settings in braces, or a dot and the setting's name", &other)),
            };
        }
        let place = self.resolve(&key)?;
        let value = match (self.keys[place].kind, written(value)) {
            (Kind::Number, Value::String(s)) => s.parse().map_or(Value::String(s), Value::Float), // ".5", "5."
            (_, value) => value,
        };
        self.set(ORIGIN, place, value)
    }

    /// The preset so far; ranges are not checked.
    pub(super) fn preset(self) -> Result<Preset, Error> {
        Preset::deserialize(self.table).map_err(|e| Error::PresetFile { path: "preset".into(), problem: e.message().into() })
    }

    fn set_section(&mut self, origin: &str, section: &str, changes: Table) -> Result<(), Error> {
        for (name, value) in changes {
            let path = canonical(&if section.is_empty() { name } else { format!("{section}.{name}") });
            match value {
                Value::Table(inner) if self.is_section(&path) => self.set_section(origin, &path, inner)?,
                value => match self.keys.iter().position(|k| k.path == path) {
                    Some(place) => self.set(origin, place, value)?,
                    None if self.is_section(&path) => return Err(wrong(origin, &path, "a section of settings", &value)),
                    None => return Err(self.unknown(origin, &path)),
                },
            }
        }
        Ok(())
    }

    /// Sets one value and lets serde judge it at once, so that an error names its key.
    fn set(&mut self, origin: &str, place: usize, value: Value) -> Result<(), Error> {
        let Key { path, kind } = &self.keys[place];
        if !kind.holds(&value) {
            return Err(wrong(origin, path, kind.name(), &value));
        }
        insert(&mut self.table, path, value.clone());
        match Preset::deserialize(self.table.clone()) {
            Ok(_) => Ok(()),
            Err(e) => Err(wrong(origin, path, e.message().split_once("expected ").map_or(kind.name(), |(_, expected)| expected), &value)),
        }
    }

    fn is_section(&self, path: &str) -> bool {
        self.keys.iter().any(|k| k.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
    }

    /// The one setting whose path is `key` or ends in it.
    fn resolve(&self, key: &str) -> Result<usize, Error> {
        if let Some(place) = self.keys.iter().position(|k| k.path == key) {
            return Ok(place);
        }
        let ends = |path: &str| path.strip_suffix(key).is_some_and(|rest| rest.ends_with('.'));
        let found: Vec<usize> = (0..self.keys.len()).filter(|i| !key.is_empty() && ends(&self.keys[*i].path)).collect();
        match found[..] {
            [place] => Ok(place),
            [] => Err(self.unknown(ORIGIN, key)),
            _ => {
                let candidates = found.iter().map(|i| self.keys[*i].path.as_str()).collect::<Vec<_>>().join(", ");
                Err(Error::PresetAmbiguous { key: key.into(), candidates })
            }
        }
    }

    fn unknown(&self, origin: &str, key: &str) -> Error {
        let mut scored: Vec<(f64, &str)> = self.keys.iter().map(|k| (likeness(key, &k.path), k.path.as_str())).collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        let nearest = scored.iter().take(3).map(|(_, path)| *path).collect::<Vec<_>>().join(", ");
        Error::PresetKey { origin: origin.into(), key: key.into(), nearest }
    }
}

/// Where an override comes from, for messages.
const ORIGIN: &str = "override";

impl Kind {
    fn of(value: &Value) -> Self {
        match value {
            Value::Boolean(_) => Self::Flag,
            Value::Integer(_) => Self::Whole,
            Value::Float(_) => Self::Number,
            Value::Array(_) => Self::Wholes,
            Value::String(_) | Value::Datetime(_) | Value::Table(_) => Self::Word,
        }
    }

    fn holds(self, value: &Value) -> bool {
        match self {
            Self::Flag => value.is_bool(),
            Self::Whole => value.is_integer(),
            Self::Number => value.is_float() || value.is_integer(),
            Self::Word => value.is_str(),
            Self::Wholes => value.as_array().is_some_and(|items| items.iter().all(Value::is_integer)),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Flag => "true or false",
            Self::Whole => "a whole number",
            Self::Number => "a number",
            Self::Word => "a word",
            Self::Wholes => "a list of whole numbers such as [8, 16]",
        }
    }
}

/// Every setting there is, those that may be absent included.
fn keys() -> Result<Vec<Key>, Error> {
    let mut every = Preset::default();
    every.model.recurrent.common_channels = Some(every.model.recurrent.common());
    every.model.video = Some([144, 256]);
    let mut keys = Vec::new();
    list(&table(&every)?, "", &mut keys);
    Ok(keys)
}

fn list(table: &Table, section: &str, keys: &mut Vec<Key>) {
    for (name, value) in table {
        let path = if section.is_empty() { name.clone() } else { format!("{section}.{name}") };
        match value {
            Value::Table(inner) => list(inner, &path, keys),
            value => keys.push(Key { path, kind: Kind::of(value) }),
        }
    }
}

pub(super) fn table(preset: &Preset) -> Result<Table, Error> {
    Table::try_from(preset).map_err(|e| Error::PresetFile { path: "preset".into(), problem: e.to_string() })
}

/// The reference implementation has two names for the first convolution's kernel and stride.
fn canonical(key: &str) -> String {
    match key.rsplit_once('.').map_or(("", key), |(section, last)| (&key[..=section.len()], last)) {
        (section, "input_spatial") => format!("{section}in_spatial"),
        (section, "input_stride") => format!("{section}in_stride"),
        _ => key.into(),
    }
}

/// A value as TOML writes it; anything else is a word.
fn written(text: &str) -> Value {
    match toml::from_str::<Table>(&format!("value = {text}")) {
        Ok(mut table) if table.len() == 1 => table.remove("value").unwrap_or_else(|| Value::String(text.into())),
        _ => Value::String(text.into()),
    }
}

fn insert(table: &mut Table, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            table.insert(path.into(), value);
        }
        Some((section, rest)) => {
            if let Value::Table(inner) = table.entry(section).or_insert_with(|| Value::Table(Table::new())) {
                insert(inner, rest, value);
            }
        }
    }
}

/// What other programs call a setting.
const ELSEWHERE: [(&str, &str); 6] = [
    ("learning_rate", "optimizer.lr"),
    ("epochs", "scheduler.cycle_size"),
    ("steps", "loader.training_size"),
    ("iterations", "loader.training_size"),
    ("window", "loader.sample_size"),
    ("frames", "loader.sample_size"),
];

/// How alike a mistyped key and a setting are, for suggestions only: spelling of the whole path or of its last name.
fn likeness(key: &str, path: &str) -> f64 {
    let last = |s: &str| s.rsplit('.').next().unwrap_or_default().to_owned();
    let (short, name) = (last(key), last(path));
    let within = !short.is_empty() && (name.contains(&short) || short.contains(&name));
    if ELSEWHERE.contains(&(short.as_str(), path)) {
        return f64::INFINITY;
    }
    let spelling = strsim::normalized_damerau_levenshtein;
    spelling(key, path).max(spelling(&short, &name)) + if within { 0.5 } else { 0.0 }
}

fn wrong(origin: &str, key: &str, expected: &str, got: &Value) -> Error {
    Error::PresetValue { origin: origin.into(), key: key.into(), expected: expected.into(), got: got.to_string() }
}
