//! One direction: each crate may depend only on the crates below it.

use std::path::Path;

use anyhow::Result;

/// Crates and what they may depend on, as drawn in ARCHITECTURE.md. Tests may use any crate.
const ALLOWED: [(&str, &[&str]); 11] = [
    ("kernels", &[]),
    ("stimulus", &[]),
    ("analysis", &[]),
    ("recording", &["stimulus"]),
    ("simulation", &["stimulus", "recording"]),
    ("model", &["kernels"]),
    ("training", &["model", "recording"]),
    ("insilico", &["training", "model", "recording", "stimulus", "analysis"]),
    ("import", &["recording"]),
    ("report", &["analysis"]),
    ("striate", &["kernels", "stimulus", "analysis", "recording", "simulation", "model", "training", "insilico", "import", "report"]),
];

/// Dependencies that run against the direction, and crates whose place is not settled.
pub fn check(root: &Path) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    for manifest in crate::files_in(&root.join("crates"), "toml")?.iter().filter(|path| path.ends_with("Cargo.toml")) {
        let folder = manifest.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
        wrong.extend(wrong_in(&folder, &crate::read(manifest)?));
    }
    wrong.extend(wrong_in("xtask", &crate::read(&root.join("xtask/Cargo.toml"))?));
    Ok(wrong)
}

fn wrong_in(folder: &str, manifest: &str) -> Vec<String> {
    let allowed = match ALLOWED.iter().find(|(name, _)| *name == folder) {
        Some((_, allowed)) => allowed,
        None if folder == "xtask" => &[][..],
        None => return vec![format!("crates/{folder}: a crate without a place; name what it may depend on in xtask/src/layers.rs")],
    };
    let unallowed = dependencies(manifest).into_iter().filter(|name| !allowed.contains(&name.as_str()));
    unallowed.map(|name| format!("{folder} depends on {name}, which is not below it")).collect()
}

/// Our crates among a manifest's dependencies, without those of tests.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut section = String::new();
    for line in manifest.lines().map(str::trim) {
        // [dependencies], [target.'cfg(..)'.build-dependencies], or [dependencies.striate-model]
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end_matches(']').to_owned();
            if let Some((kind, name)) = section.rsplit_once('.')
                && is_dependencies(kind)
            {
                found.extend(ours(name));
            }
        } else if is_dependencies(&section) {
            let key = line.split(['=', '.', ' ']).next().unwrap_or_default();
            // A renamed crate: core = { package = "striate-model" }
            let renamed = line.split_once("package").and_then(|(_, rest)| rest.split('"').nth(1));
            found.extend(ours(renamed.unwrap_or(key)));
        }
    }
    found
}

fn is_dependencies(section: &str) -> bool {
    let kind = section.rsplit('.').next().unwrap_or_default();
    kind == "dependencies" || kind == "build-dependencies"
}

/// The folder of one of our crates; the face is called as the project is.
fn ours(name: &str) -> Option<String> {
    let name = name.trim_matches('"');
    if name == "striate" { Some(name.to_owned()) } else { name.strip_prefix("striate-").map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_found_however_they_are_written() {
        let manifest = "[package]\nname = \"striate-x\"\n[dependencies]\nstriate-model.workspace = true\nstriate-kernels = { path = \"..\" }\nfaer = \"1\"\n\
            twin = { package = \"striate-training\" }\n[dependencies.striate-report]\npath = \"..\"\n[target.'cfg(unix)'.dependencies]\nstriate-import = \"1\"\n\
            [build-dependencies]\nstriate-stimulus = \"1\"\n[dev-dependencies]\nstriate-insilico = \"1\"\n";
        assert_eq!(dependencies(manifest), ["model", "kernels", "training", "report", "import", "stimulus"]);
    }

    #[test]
    fn what_runs_against_the_direction_is_named() {
        let manifest = "[dependencies]\nstriate-model.workspace = true\nstriate-recording.workspace = true\n";
        assert!(wrong_in("training", manifest).is_empty());
        assert_eq!(
            wrong_in("model", manifest),
            ["model depends on model, which is not below it", "model depends on recording, which is not below it"]
        );
        assert_eq!(wrong_in("xtask", manifest).len(), 2);
        assert!(wrong_in("novel", "")[0].contains("without a place"));
    }

    #[test]
    fn the_allowed_order_has_no_cycle() {
        for (place, (name, below)) in ALLOWED.iter().enumerate() {
            for dependency in *below {
                let at = ALLOWED.iter().position(|(other, _)| other == dependency);
                assert!(at.is_some_and(|at| at < place), "{name} -> {dependency}");
            }
        }
    }
}
