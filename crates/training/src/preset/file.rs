//! Preset files: our TOML or YAML, and the YAML of the reference implementation.

use super::fnn::{self, FnnPaths};
use crate::error::Error;
use serde_yaml_ng::Value as Yaml;
use std::path::Path;
use toml::{Table, Value};

/// What a file says.
pub(super) struct Content {
    /// Settings, by section.
    pub(super) settings: Table,
    /// Folders and files, where the file is a configuration of the reference implementation.
    pub(super) fnn: Option<FnnPaths>,
}

/// Whether a name is that of a file, by its ending.
pub(super) fn is_preset_file(path: &Path) -> bool {
    extension(path).is_some_and(|e| ["toml", "yaml", "yml"].contains(&e.as_str()))
}

/// Reads a preset file.
pub(super) fn read(path: &Path) -> Result<Content, Error> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|e| Error::PresetFile { path: name.clone(), problem: e.to_string() })?;
    if extension(path).as_deref() == Some("toml") {
        return Ok(Content { settings: parse_toml(&name, &text)?, fnn: None });
    }
    let bad = |e: serde_yaml_ng::Error| Error::PresetFile { path: name.clone(), problem: e.to_string() };
    let mut yaml: Yaml = serde_yaml_ng::from_str(&text).map_err(bad)?;
    yaml.apply_merge().map_err(bad)?;
    let fnn = fnn::take_paths(&mut yaml).map_err(|problem| Error::PresetFile { path: name.clone(), problem })?;
    match yaml {
        Yaml::Null => Ok(Content { settings: Table::new(), fnn }),
        Yaml::Mapping(_) => match toml_value(&name, "", yaml)? {
            Value::Table(settings) => Ok(Content { settings, fnn }),
            other => Err(Error::PresetFile { path: name, problem: format!("expected sections of settings, got {other}") }),
        },
        _ => Err(Error::PresetFile { path: name, problem: "expected sections of settings such as `optimizer:`".into() }),
    }
}

/// Parses a preset in TOML.
pub(super) fn parse_toml(name: &str, text: &str) -> Result<Table, Error> {
    toml::from_str(text).map_err(|e| {
        let line = e.span().map_or(1, |span| 1 + text.bytes().take(span.start).filter(|b| *b == b'\n').count());
        Error::PresetFile { path: name.into(), problem: format!("line {line}: {}", e.message()) }
    })
}

/// YAML to TOML's types, which the settings are checked in.
fn toml_value(name: &str, key: &str, yaml: Yaml) -> Result<Value, Error> {
    let wrong = |expected: &str, got: String| Error::PresetValue { origin: name.into(), key: key.into(), expected: expected.into(), got };
    match yaml {
        Yaml::Null => Err(wrong("a value; leave the key out for its default", "empty".into())),
        Yaml::Bool(b) => Ok(Value::Boolean(b)),
        Yaml::Number(n) => match (n.as_i64(), n.as_f64()) {
            (Some(i), _) => Ok(Value::Integer(i)),
            (None, Some(f)) if !n.is_u64() => Ok(Value::Float(f)),
            _ => Err(wrong("a whole number below 2^63", n.to_string())),
        },
        Yaml::String(s) => Ok(Value::String(s)),
        Yaml::Sequence(items) => Ok(Value::Array(items.into_iter().map(|item| toml_value(name, key, item)).collect::<Result<_, _>>()?)),
        Yaml::Mapping(entries) => {
            let mut table = Table::new();
            for (k, v) in entries {
                let Yaml::String(k) = k else {
                    return Err(Error::PresetFile { path: name.into(), problem: format!("a key under {key:?} is not a word") });
                };
                let inner = if key.is_empty() { k.clone() } else { format!("{key}.{k}") };
                table.insert(k, toml_value(name, &inner, v)?);
            }
            Ok(Value::Table(table))
        }
        Yaml::Tagged(tagged) => Err(wrong("a plain value", tagged.tag.to_string())),
    }
}

fn extension(path: &Path) -> Option<String> {
    path.extension().map(|e| e.to_string_lossy().to_lowercase())
}
