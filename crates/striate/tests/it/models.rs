//! Weights in and out, and reference numbers.

use crate::{golden, output, striate, text, write_npy};

#[test]
fn verify_tells_good_from_bad_by_its_exit_code() {
    let case = golden("conv-ungrouped");
    assert!(output(&["verify", text(&case)]).contains("200 of 200 tensors hold"));
    let strict = striate(&["verify", text(&case), "--scale", "1e-6"]).output().expect("the binary runs");
    assert_eq!(strict.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&strict.stdout).contains("EXCEEDS"));
    let report: serde_json::Value = serde_json::from_str(&output(&["verify", text(&golden("analysis")), "--json"])).expect("json");
    assert_eq!(report[0]["unchecked"], serde_json::json!([]));
}

#[test]
fn a_published_folder_goes_in_and_comes_out_the_same() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    let published = golden("published-layout");
    let config = published.join("case.json");
    output(&["model", "import", text(&published), "--scan", "4_7", "--config", text(&config), "-o", text(&at("m.safetensors"))]);
    let shown = output(&["model", "show", text(&at("m.safetensors"))]);
    assert!(shown.contains("60 units") && shown.contains("core.recurrent.scales.3") && shown.contains("cvt_lstm"), "{shown}");

    output(&["model", "export", text(&at("m.safetensors")), "-o", text(&at("m.pt"))]);
    output(&["model", "export", text(&at("m.safetensors")), "-o", text(&at("folder"))]);
    output(&["model", "import", text(&at("m.pt")), "--config", text(&config), "-o", text(&at("back.safetensors"))]);
    output(&["model", "import", text(&at("folder")), "--config", text(&config), "-o", text(&at("again.safetensors"))]);
    let parameters = |name: &str| serde_json::from_str::<serde_json::Value>(&output(&["model", "show", "--json", text(&at(name))])).expect("json");
    assert_eq!(parameters("m.safetensors"), parameters("back.safetensors"));
    assert_eq!(std::fs::read(at("m.safetensors")).expect("read"), std::fs::read(at("again.safetensors")).expect("read"));
    let units = std::fs::read_to_string(at("folder").join("units.csv")).expect("units.csv");
    assert_eq!(units, std::fs::read_to_string(published.join("units.csv")).expect("units.csv"));
}

#[test]
fn a_network_responds_to_a_video() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    let case = golden("mlp-small");
    output(&[
        "model",
        "import",
        text(&case.join("state_dict.safetensors")),
        "--config",
        text(&case.join("case.json")),
        "-o",
        text(&at("m.safetensors")),
    ]);
    let pixels: Vec<u8> = (0..7 * 36 * 64).map(|i| (i * 31 % 256) as u8).collect();
    write_npy(&at("v.npy"), "|u1", "(7, 36, 64)", &pixels);
    let eye: Vec<u8> = (0..14).flat_map(|i| (i as f32 / 10.0).to_le_bytes()).collect();
    write_npy(&at("e.npy"), "<f4", "(7, 2)", &eye);
    let model = at("m.safetensors");
    output(&["respond", text(&model), "--video", text(&at("v.npy")), "--eye", text(&at("e.npy")), "-o", text(&at("r.npy"))]);
    output(&[
        "respond",
        text(&model),
        "--video",
        text(&at("v.npy")),
        "--eye",
        text(&at("e.npy")),
        "--stream",
        "1",
        "--periphery",
        "extend",
        "-o",
        text(&at("s.npy")),
    ]);
    let (all, one) = (std::fs::read(at("r.npy")).expect("read"), std::fs::read(at("s.npy")).expect("read"));
    assert_eq!(all.len() % 64, 7 * 12 * 4 % 64, "f32 [7, 12] after a header");
    assert!(String::from_utf8_lossy(&all[..128]).replace(char::is_whitespace, "").contains("(7,12"));
    assert_ne!(all, one);
}
