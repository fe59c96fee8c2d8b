//! Which parts of a network several animals share: what a cohort trains together, and what a transfer takes over frozen.

use crate::error::Error;
use crate::network::Network;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Modules by name, written `core` or `core+modulation.lstm`. A name stands for all parameters whose name begins with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Modules(Vec<String>);

/// What can be shared; the readout cannot, it belongs to the neurons of one animal.
const SHAREABLE: [&str; 6] = ["core", "core.feedforward", "core.recurrent", "modulation", "modulation.lstm", "perspective"];

impl Default for Modules {
    /// The core (paper Methods, "Foundation core").
    fn default() -> Self {
        Self(vec!["core".into()])
    }
}

impl FromStr for Modules {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let names: Vec<String> = text.split('+').map(|name| name.trim().to_owned()).collect();
        match names.iter().find(|name| !SHAREABLE.contains(&name.as_str())) {
            Some(name) => Err(wrong(format!("some of {}, joined by +", SHAREABLE.join(", ")), name)),
            None => Ok(Self(names)),
        }
    }
}

impl TryFrom<String> for Modules {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Modules> for String {
    fn from(modules: Modules) -> Self {
        modules.0.join("+")
    }
}

impl fmt::Display for Modules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("+"))
    }
}

impl Modules {
    /// Whether a parameter belongs to them.
    pub fn contain(&self, parameter: &str) -> bool {
        self.0.iter().any(|module| parameter.strip_prefix(module.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
    }

    /// Whether dropout at a place happens inside them; the input and the hidden state are dropped inside the modulation's LSTM.
    pub(crate) fn drop_at(&self, place: &str) -> bool {
        self.contain(place) || (place.starts_with("modulation.") && self.contain("modulation.lstm"))
    }
}

impl Network {
    /// Takes over the parameters of `modules` from another network; both then hold them once in memory, until one changes them.
    ///
    /// # Errors
    /// A module that this network has not, a parameter that the other one lacks, or one of another shape.
    pub fn take(&mut self, modules: &Modules, from: &Self) -> Result<(), Error> {
        for module in &modules.0 {
            let one = Modules(vec![module.clone()]);
            if !self.params().iter().any(|param| one.contain(&param.name)) {
                return Err(wrong("modules this network has".into(), module));
            }
        }
        for param in self.params_mut().iter_mut().filter(|param| modules.contain(&param.name)) {
            let theirs = from.params().get(&param.name);
            match theirs {
                Some(theirs) if theirs.shape == param.shape => param.value = theirs.value.clone(),
                _ => {
                    let got = theirs.map_or("none of that name".into(), |theirs| format!("{:?}", theirs.shape));
                    return Err(Error::Parameter { name: param.name.clone(), expected: format!("shape {:?} to share", param.shape), got });
                }
            }
        }
        Ok(())
    }

    /// Freezes modules: from now on their parameters have no gradients. Their dropout is switched off by [`crate::Draws::sparing`].
    pub fn freeze(&mut self, modules: &Modules) {
        self.params_mut().iter_mut().filter(|param| modules.contain(&param.name)).for_each(|param| param.frozen = true);
    }
}

fn wrong(expected: String, got: &str) -> Error {
    Error::Config { field: "share".into(), expected, got: if got.is_empty() { "nothing".into() } else { got.into() } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_for_all_that_begins_with_it() {
        let both: Modules = "core+modulation.lstm".parse().expect("known modules");
        assert!(both.contain("core.recurrent.out.weights.0") && both.contain("modulation.lstm.proj_i.weights.1"));
        assert!(!both.contain("modulation.mlp.linears.0.weights.0") && !both.contain("coreless.x") && !both.contain("readout.biases.0"));
        assert!(both.drop_at("modulation.h") && !Modules::default().drop_at("modulation.h") && Modules::default().drop_at("core.recurrent.x"));
        assert_eq!(both.to_string(), "core+modulation.lstm");
        for wrong in ["", "readout", "core+", "cor"] {
            assert!(wrong.parse::<Modules>().is_err(), "{wrong}");
        }
    }
}
