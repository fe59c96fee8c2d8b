//! Completing a configuration: a table of some settings over one that is inferred or stored.

use crate::config::NetworkConfig;
use crate::error::Error;
use serde_json::{Map, Value};

impl NetworkConfig {
    /// This configuration with the fields that a table gives, nested as the configuration is.
    pub fn completed_by(&self, table: &Value) -> Result<Self, Error> {
        let wrong = |field: &str, expected: &str, got: String| Error::Config { field: field.into(), expected: expected.into(), got };
        let json = |config: &Self| serde_json::to_value(config).map_err(|e| wrong("(all)", "plain values", e.to_string()));
        let known = json(&every_field())?;
        let mut leaves = Vec::new();
        collect(table, &known, "", &mut leaves)?;
        let (mut config, mut whole) = (self.clone(), json(self)?);
        for (field, value) in leaves {
            put(&mut whole, &field, value.clone());
            // one at a time, so that an error names its field
            config = serde_json::from_value(whole.clone()).map_err(|e| wrong(&field, "a value of its kind", format!("{value} ({e})")))?;
        }
        Ok(config)
    }
}

/// A configuration in which no optional field is left out.
fn every_field() -> NetworkConfig {
    let mut config = NetworkConfig { video: Some([1, 1]), ..NetworkConfig::default() };
    config.recurrent.common_channels = Some(config.recurrent.common());
    config
}

/// Dotted fields and values of a table, every one of which must be known.
fn collect(table: &Value, known: &Value, within: &str, leaves: &mut Vec<(String, Value)>) -> Result<(), Error> {
    let Value::Object(fields) = table else {
        let field = if within.is_empty() { "(all)" } else { within };
        return Err(Error::Config { field: field.into(), expected: "a table of fields".into(), got: table.to_string() });
    };
    for (name, value) in fields {
        let name = current(name);
        let field = if within.is_empty() { name.to_owned() } else { format!("{within}.{name}") };
        match known.get(name) {
            Some(inner @ Value::Object(_)) => collect(value, inner, &field, leaves)?,
            Some(_) => leaves.push((field, value.clone())),
            None => return Err(unknown(name, &field, known)),
        }
    }
    Ok(())
}

/// The reference implementation has two names for the first convolution's kernel and stride.
fn current(name: &str) -> &str {
    match name {
        "input_spatial" => "in_spatial",
        "input_stride" => "in_stride",
        _ => name,
    }
}

fn unknown(name: &str, field: &str, known: &Value) -> Error {
    let names = known.as_object().into_iter().flat_map(Map::keys);
    let nearest = names.max_by(|a, b| {
        let like = |other: &str| strsim::normalized_damerau_levenshtein(name, other);
        like(a).total_cmp(&like(b))
    });
    let expected = format!("a known field; the nearest is {}", nearest.map_or("none", String::as_str));
    Error::Config { field: field.to_owned(), expected, got: "unknown".into() }
}

fn put(whole: &mut Value, field: &str, value: Value) {
    match field.split_once('.') {
        Some((section, rest)) => put(&mut whole[section], rest, value),
        None => whole[field] = value,
    }
}
