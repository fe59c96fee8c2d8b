//! Every verb explains itself.

use crate::{output, striate};

#[test]
fn every_verb_has_help_with_an_example() {
    let verbs: [&[&str]; 21] = [
        &["demo"],
        &["simulate"],
        &["stimulus"],
        &["import", "fnn-training"],
        &["import", "fnn-evaluation"],
        &["import", "stills"],
        &["inspect"],
        &["train"],
        &["evaluate"],
        &["study"],
        &["tune"],
        &["tune", "compare"],
        &["report"],
        &["respond"],
        &["anatomy"],
        &["model"],
        &["model", "import"],
        &["model", "show"],
        &["model", "export"],
        &["verify"],
        &["--version"],
    ];
    for verb in &verbs[..20] {
        let help = output(&[*verb, &["--help"]].concat());
        assert!(help.contains("Example"), "{verb:?}: {help}");
        assert!(help.contains("striate"), "{verb:?}: {help}");
    }
    let all = output(&["--help"]);
    for verb in &verbs[..20] {
        assert!(all.contains(verb[0]), "{verb:?} is not listed");
    }
}

#[test]
fn no_verb_prints_help_and_fails() {
    let out = striate(&[]).output().expect("the binary runs");
    assert!(!out.status.success());
    assert!(String::from_utf8_lossy(&out.stderr).contains("Usage"));
}
