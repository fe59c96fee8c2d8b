//! Links in the documents: each relative one leads to a file that is there.

use std::path::{Path, PathBuf};

use anyhow::Result;

/// Links of the documents in the root folder and in docs/ that lead nowhere.
pub fn check(root: &Path) -> Result<Vec<String>> {
    let mut documents = crate::files_in(&root.join("docs"), "md")?;
    for entry in std::fs::read_dir(root)? {
        let path = entry?.path();
        if path.is_file() && path.extension().is_some_and(|ending| ending == "md") {
            documents.push(path);
        }
    }
    documents.sort();
    let mut wrong = Vec::new();
    for document in documents {
        let folder = document.parent().map(PathBuf::from).unwrap_or_default();
        let dead = links(&crate::read(&document)?).into_iter().filter(|(_, target)| !leads_somewhere(&folder, target));
        let name = crate::shown(&document, root);
        wrong.extend(dead.map(|(line, target)| format!("{name}:{line}: there is no {target}")));
    }
    Ok(wrong)
}

/// Relative links of a document with their lines; what stands in code is no link.
fn links(document: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (number, line) in document.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            found.extend(targets(line).into_iter().filter(|target| is_relative(target)).map(|target| (number + 1, target)));
        }
    }
    found
}

/// Targets of [text](target), ![image](target "title") and of definitions, [name]: target.
fn targets(line: &str) -> Vec<String> {
    let text: String = line.split('`').step_by(2).collect::<Vec<_>>().join("code");
    let inline = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let defined = text.trim_start().strip_prefix('[').and_then(|rest| rest.split_once("]:")).map(|(_, target)| target);
    let bare = |target: &str| target.split_whitespace().next().map(|t| t.trim_matches(['<', '>']).to_owned());
    inline.chain(defined).filter_map(bare).collect()
}

fn is_relative(target: &str) -> bool {
    !target.contains("://") && !target.starts_with("mailto:") && !target.starts_with('#')
}

fn leads_somewhere(folder: &Path, target: &str) -> bool {
    folder.join(target.split('#').next().unwrap_or_default()).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_links_are_found_with_their_lines() {
        let document = "See [a](docs/a.md#part) and [b](https://b.org), ![c](c.svg \"C\").\n`[code](x.md)` [`f`](f.rs)\n```\n[d](d.md)\n```\n[e]: <e.md>\n[top](#top)\n";
        let expected = [(1, "docs/a.md#part"), (1, "c.svg"), (2, "f.rs"), (6, "e.md")];
        assert_eq!(links(document), expected.map(|(line, target)| (line, target.to_owned())));
    }

    #[test]
    fn a_link_leads_to_what_is_there() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(leads_somewhere(folder, "src/main.rs#L1") && leads_somewhere(folder, "../Cargo.toml"));
        assert!(!leads_somewhere(folder, "src/gone.rs"));
    }
}
