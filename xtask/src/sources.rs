//! Source files: unsafe code in the kernels alone, files that can be read in one sitting, and names that say something.

use std::path::Path;

use anyhow::Result;

use crate::concepts::has_word;

/// The only crate that may hold unsafe code.
const UNSAFE_IN: &str = "crates/kernels/";

/// Lines of the longest source file, tests included.
const LONGEST: usize = 600;

/// Names that do not say what is inside.
const EMPTY_NAMES: [&str; 7] = ["util", "utils", "common", "helper", "helpers", "misc", "base"];

/// Source files and manifests that break these rules.
pub fn check(root: &Path) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    for folder in ["crates", "xtask"] {
        for path in crate::files_in(&root.join(folder), "rs")? {
            wrong.extend(wrong_in(&crate::shown(&path, root), &crate::read(&path)?));
        }
        for path in crate::files_in(&root.join(folder), "toml")?.iter().filter(|path| path.ends_with("Cargo.toml")) {
            wrong.extend(wrong_manifest(&crate::shown(path, root), &crate::read(path)?));
        }
    }
    let workspace = crate::read(&root.join("Cargo.toml"))?;
    if !["deny", "forbid"].iter().any(|level| workspace.contains(&format!("unsafe_code = \"{level}\""))) {
        wrong.push("Cargo.toml: [workspace.lints.rust] must deny unsafe_code".into());
    }
    Ok(wrong)
}

fn wrong_in(path: &str, source: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let lines = source.lines().count();
    if lines > LONGEST {
        wrong.push(format!("{path}: {lines} lines, more than {LONGEST}; a file is one concept"));
    }
    let stem = path.trim_end_matches(".rs").trim_end_matches("/mod").rsplit('/').next().unwrap_or_default();
    if EMPTY_NAMES.contains(&stem) {
        wrong.push(format!("{path}: {stem} says nothing; name the file after what it holds"));
    }
    if !path.starts_with(UNSAFE_IN) {
        let code = code(source);
        let lines = code.lines().enumerate().filter(|(_, line)| has_word(line, "unsafe") || has_word(line, "allow(unsafe_code)"));
        wrong.extend(lines.map(|(i, _)| format!("{path}:{}: unsafe code belongs into {UNSAFE_IN}", i + 1)));
    }
    wrong
}

/// Crates take over the workspace's lints, which deny unsafe code; the kernels set their own.
fn wrong_manifest(path: &str, manifest: &str) -> Option<String> {
    let inherits = manifest.lines().map(str::trim).skip_while(|line| *line != "[lints]").nth(1) == Some("workspace = true");
    (!inherits && !path.starts_with(UNSAFE_IN)).then(|| format!("{path}: [lints] must say workspace = true"))
}

/// Source without its comments to the end of a line and without what stands in quotes, in the same lines.
fn code(source: &str) -> String {
    let mut code = String::new();
    let mut quoted = false;
    let mut characters = source.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\n' => code.push(c),
            '\\' if quoted => code.extend(characters.next().filter(|c| *c == '\n')),
            // The quotation mark as a character: '"'
            '\'' if !quoted && characters.peek() == Some(&'"') => drop(characters.next()),
            '"' => quoted = !quoted,
            '/' if !quoted && characters.peek() == Some(&'/') => while characters.next_if(|c| *c != '\n').is_some() {},
            _ if !quoted => code.push(c),
            _ => {}
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_code_is_found_outside_the_kernels() {
        let block = "fn f() {\n    unsafe { g() }\n}\n";
        assert_eq!(wrong_in("crates/model/src/core.rs", block), ["crates/model/src/core.rs:2: unsafe code belongs into crates/kernels/"]);
        assert!(wrong_in("crates/kernels/src/simd.rs", block).is_empty());
        let harmless =
            "// an \"unsafe\nlet a = \"two\nunsafe lines\";\n#![deny(unsafe_code)]\nlet a = \"unsafe \\\" unsafe\"; let unsafe_free = '\"';\n";
        assert!(wrong_in("crates/model/src/core.rs", harmless).is_empty());
        assert_eq!(code("a \"b \\\n c\" d // e\nf"), "a \n d \nf");
        assert_eq!(wrong_in("crates/model/src/core.rs", "#![allow(unsafe_code)]").len(), 1);
    }

    #[test]
    fn long_files_and_empty_names_are_found() {
        assert_eq!(wrong_in("a/b.rs", &"x\n".repeat(LONGEST)).len(), 0);
        assert_eq!(wrong_in("a/b.rs", &"x\n".repeat(LONGEST + 1)).len(), 1);
        assert_eq!(wrong_in("a/utils.rs", "").len(), 1);
        assert_eq!(wrong_in("a/common/mod.rs", "").len(), 1);
        assert_eq!(wrong_in("a/commonplace.rs", "").len(), 0);
    }

    #[test]
    fn lints_must_be_inherited() {
        assert_eq!(wrong_manifest("crates/a/Cargo.toml", "[package]\n\n[lints]\nworkspace = true\n"), None);
        assert!(wrong_manifest("crates/a/Cargo.toml", "[package]\n[lints]\n\n[dependencies]\nworkspace = true\n").is_some());
        assert_eq!(wrong_manifest("crates/kernels/Cargo.toml", ""), None);
    }
}
