//! Presets: the settings of a run by name, from a file, and changed by `key=value`.
//!
//! A file gives the settings that differ from the paper's; a YAML configuration of the reference implementation gives those
//! that differ from the published network's. Overrides come last. Every key is checked by name, type and range, in that
//! order, so a misspelt key never trains a network.

mod check;
mod file;
mod fnn;
mod keys;

use crate::config::Preset;
use crate::error::Error;
use file::Content;
use keys::Settings;
use std::path::Path;
use striate_model::NetworkConfig;

pub use fnn::FnnPaths;

/// Presets that come with the program: name and file.
const NAMED: [(&str, &str); 4] = [
    ("paper", include_str!("../../../presets/paper.toml")),
    ("published", include_str!("../../../presets/published.toml")),
    ("small", include_str!("../../../presets/small.toml")),
    ("tiny", include_str!("../../../presets/tiny.toml")),
];

impl Preset {
    /// Names of the presets that come with the program.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMED.iter().map(|(name, _)| *name)
    }

    /// The preset `paper`, `published`, `small` or `tiny`.
    ///
    /// # Errors
    /// Another name.
    pub fn named(name: &str) -> Result<Self, Error> {
        let (_, text) = NAMED.iter().find(|(n, _)| *n == name).ok_or_else(|| Error::PresetName { name: name.into() })?;
        let mut settings = Settings::of(&Self::default())?;
        settings.set_all(name, file::parse_toml(name, text)?)?;
        settings.preset()
    }

    /// The preset of a name or of a file (`.toml`, `.yaml`, `.yml`), with `key=value` overrides, checked.
    ///
    /// A key may be shortened to any ending that only one setting has: `optimizer.lr=0.05` or `lr=0.05`. Values are
    /// written as in TOML; a word needs no quotes (`recurrent.type=cvt_lstm`).
    ///
    /// # Errors
    /// An unknown name, a file that cannot be read, an unknown or ambiguous key, a value of the wrong type or out of range.
    pub fn load(name_or_path: &str, overrides: &[String]) -> Result<Self, Error> {
        Ok(Self::load_with_paths(name_or_path, overrides)?.0)
    }

    /// As [`Preset::load`], but for the network, which is the one given with the overrides applied.
    ///
    /// # Errors
    /// Those of [`Preset::load`].
    pub fn load_around(model: &NetworkConfig, name_or_path: &str, overrides: &[String]) -> Result<Self, Error> {
        Self { model: model.clone(), ..Self::load(name_or_path, &[])? }.with(overrides)
    }

    /// This preset with `key=value` overrides, checked.
    ///
    /// # Errors
    /// Those of [`Preset::load`] about keys and values.
    pub fn with(&self, overrides: &[String]) -> Result<Self, Error> {
        let mut settings = Settings::of(self)?;
        for text in overrides {
            settings.override_with(text)?;
        }
        let preset = settings.preset()?;
        preset.check()?;
        Ok(preset)
    }

    /// As [`Preset::load`], and the folders that a YAML configuration of the reference implementation names.
    ///
    /// # Errors
    /// Those of [`Preset::load`].
    pub fn load_with_paths(name_or_path: &str, overrides: &[String]) -> Result<(Self, Option<FnnPaths>), Error> {
        let (mut settings, paths) = if file::is_preset_file(Path::new(name_or_path)) {
            let Content { settings: changes, fnn } = file::read(Path::new(name_or_path))?;
            let base = if fnn.is_some() { Self::named("published")? } else { Self::default() };
            let mut settings = Settings::of(&base)?;
            settings.set_all(name_or_path, changes)?;
            (settings, fnn)
        } else {
            (Settings::of(&Self::named(name_or_path)?)?, None)
        };
        for text in overrides {
            settings.override_with(text)?;
        }
        let preset = settings.preset()?;
        preset.check()?;
        Ok((preset, paths))
    }
}

/// The preset as TOML, every setting written out; [`Preset::load`] reads a checked one back unchanged.
///
/// # Errors
/// Settings TOML cannot hold; [`Preset::check`] refuses them too.
pub fn to_toml(preset: &Preset) -> Result<String, Error> {
    toml::to_string(preset).map_err(|e| Error::PresetFile { path: "preset".into(), problem: e.to_string() })
}
