//! Wrong input: an error that says what, a failing exit code, nothing half-written.

use crate::{failure, golden, output, striate, text, write_npy};
use striate_kernels::simd::Tier;

#[test]
fn recordings_and_models_that_are_not_there() {
    let folder = tempfile::tempdir().expect("folder");
    let nothing = folder.path().join("nothing");
    let out = folder.path().join("out");
    assert!(failure(&["inspect", text(&nothing)]).contains("nothing"));
    assert!(failure(&["train", text(&nothing), "-o", text(&out)]).contains("nothing"));
    assert!(failure(&["model", "show", text(&nothing)]).contains("nothing"));
    assert!(failure(&["evaluate", text(&nothing), text(&nothing), "-o", text(&out)]).contains("nothing"));
    assert!(failure(&["train", "--resume", text(&nothing)]).contains("run folder"));
    assert!(failure(&["verify", text(folder.path())]).contains("case.json"));
    assert!(!out.exists(), "an output was begun");
}

#[test]
fn unknown_settings_name_the_nearest_known_one() {
    let folder = tempfile::tempdir().expect("folder");
    let error = failure(&["train", text(folder.path()), "--preset", "tiny", "optimizer.momentun=0.5", "-o", text(&folder.path().join("o"))]);
    assert!(error.contains("momentum"), "{error}");
    let error = failure(&["train", text(folder.path()), "--preset", "tinny", "-o", text(&folder.path().join("o"))]);
    assert!(error.contains("tiny"), "{error}");
}

#[test]
fn truncated_and_foreign_weights() {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("m.safetensors");
    for (name, from) in [("w.pt", "cvt-small/state_dict.pt"), ("w.safetensors", "cvt-small/state_dict.safetensors")] {
        let bytes = std::fs::read(golden(from)).expect("read");
        let file = folder.path().join(name);
        for keep in [0, 5, 1000, bytes.len() / 2, bytes.len() - 3] {
            std::fs::write(&file, &bytes[..keep]).expect("write");
            assert!(failure(&["model", "import", text(&file), "-o", text(&out)]).contains(name));
        }
    }
    assert!(!out.exists());
    let wrong = golden("conv-small").join("case.json");
    let error = failure(&["model", "import", text(&golden("cvt-small").join("state_dict.pt")), "--config", text(&wrong), "-o", text(&out)]);
    assert!(error.contains("core.recurrent"), "{error}");
}

#[test]
fn videos_that_do_not_fit() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    let case = golden("mlp-small");
    let model = at("m.safetensors");
    output(&["model", "import", text(&case.join("state_dict.safetensors")), "-o", text(&model)]);
    let respond = |video: &str, more: &[&str]| {
        let (video, out) = (at(video), at("r.npy"));
        failure(&[&["respond", text(&model), "--video", text(&video), "-o", text(&out)], more].concat())
    };
    write_npy(&at("float.npy"), "<f4", "(2, 4, 4)", &[0; 128]);
    assert!(respond("float.npy", &[]).contains("uint8"));
    write_npy(&at("short.npy"), "|u1", "(9, 36, 64)", &[0; 100]);
    assert!(respond("short.npy", &[]).contains("cut short"));
    std::fs::write(at("empty.npy"), "").expect("write");
    assert!(respond("empty.npy", &[]).contains("empty.npy"));
    write_npy(&at("good.npy"), "|u1", "(2, 36, 64)", &[9; 2 * 36 * 64]);
    assert!(respond("good.npy", &["--stream", "7"]).contains("stream 7"));
    write_npy(&at("eye.npy"), "<f4", "(3, 2)", &[0; 24]);
    assert!(respond("good.npy", &["--eye", text(&at("eye.npy"))]).contains("eye position"));
    write_npy(&at("nan.npy"), "<f4", "(2, 2)", &f32::NAN.to_le_bytes().repeat(4));
    assert!(respond("good.npy", &["--eye", text(&at("nan.npy"))]).contains("not finite"));
    assert!(!at("r.npy").exists(), "an output was begun");
}

#[test]
fn outputs_that_cannot_be_written() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "x").expect("write");
    let model = golden("cvt-small").join("state_dict.pt");
    let error = failure(&["model", "import", text(&model), "-o", text(&file.join("m.safetensors"))]);
    assert!(error.contains("m.safetensors"), "{error}");
    assert!(failure(&["simulate", "--units", "1", "--minutes", "0.1", "-o", text(&file)]).contains("exists already"));
    #[cfg(target_os = "linux")]
    {
        // a disk without room
        let error = failure(&["model", "import", text(&model), "-o", "/dev/full/m.safetensors"]);
        assert!(error.contains("/dev/full"), "{error}");
    }
}

#[test]
fn inputs_are_not_replaced_by_outputs() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    let (model, frames) = (at("m.safetensors"), at("frames"));
    std::fs::copy(golden("mlp-small").join("state_dict.safetensors"), &model).expect("copy");
    let before = std::fs::read(&model).expect("read");
    write_npy(&at("v.npy"), "|u1", "(2, 36, 64)", &[9; 2 * 36 * 64]);
    std::fs::create_dir(&frames).expect("folder");
    std::fs::write(frames.join("1.png"), "a frame").expect("write");
    let respond = |video: &str, out: &str| failure(&["respond", text(&model), "--video", text(&at(video)), "-o", text(&at(out))]);
    assert!(respond("v.npy", "v.npy").contains("is an input"));
    assert!(respond("v.npy", "m.safetensors").contains("is an input"));
    assert!(respond("frames", "frames/1.png").contains("is an input"));
    assert!(failure(&["model", "import", text(&model), "-o", text(&model)]).contains("is an input"));
    assert_eq!(std::fs::read(&model).expect("read"), before);
}

#[test]
fn errors_name_the_file_and_say_each_thing_once() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    let model = golden("mlp-small").join("state_dict.safetensors");
    let error = failure(&["respond", text(&model), "--video", text(&at("nothing.npy")), "-o", text(&at("r.npy"))]);
    assert_eq!(error.matches("No such file").count(), 1, "{error}");
    write_npy(&at("v.npy"), "|u1", "(2, 36, 64)", &[9; 2 * 36 * 64]);
    write_npy(&at("b.npy"), "<f4", "(5, 2)", &[0; 40]);
    let (video, behavior, out) = (at("v.npy"), at("b.npy"), at("r.npy"));
    let error = failure(&["respond", text(&model), "--video", text(&video), "--behavior", text(&behavior), "-o", text(&out)]);
    assert!(error.contains("b.npy: behaviour"), "{error}");
    let error = failure(&["model", "import", text(&model), "-o", text(&at("m.pt"))]);
    assert!(error.contains(".safetensors"), "{error}");
    assert!(failure(&["model", "import", text(&model), "--scan", "4_7", "-o", text(&at("m.safetensors"))]).contains("not a published folder"));
    assert!(failure(&["--threads", "0", "model", "show", text(&model)]).contains("--threads"));
    assert!(failure(&["--threads", "100000", "model", "show", text(&model)]).contains("--threads"));
}

#[test]
fn some_hyper_parameters_complete_the_inferred_ones() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    let (model, out) = (golden("mlp-small").join("state_dict.safetensors"), at("m.safetensors"));
    let files = [("c.yaml", "model:\n  unit: elu_mse\n"), ("c.toml", "unit = \"elu_mse\"\n"), ("c.json", "{\"config\": {\"unit\": \"elu_mse\"}}")];
    for (name, content) in files {
        std::fs::write(at(name), content).expect("write");
        output(&["model", "import", text(&model), "--config", text(&at(name)), "-o", text(&out)]);
        let shown: serde_json::Value = serde_json::from_str(&output(&["model", "show", "--json", text(&out)])).expect("json");
        assert_eq!((&shown["config"]["unit"], &shown["config"]["units"]), (&"elu_mse".into(), &12.into()), "{name}");
    }
    std::fs::write(at("d.toml"), "[recurrent]\ngrops = 2\n").expect("write");
    let error = failure(&["model", "import", text(&model), "--config", text(&at("d.toml")), "-o", text(&out)]);
    assert!(error.contains("d.toml") && error.contains("nearest is groups"), "{error}");
}

#[test]
fn an_instruction_set_the_machine_lacks() {
    let lacking = Tier::ALL.into_iter().filter(|tier| !tier.runs_here()).map(Tier::name);
    for name in lacking.chain(["vliw"]) {
        let out = striate(&["verify", text(&golden("conv-small"))]).env("STRIATE_CPU", name).output().expect("the binary runs");
        let told = String::from_utf8_lossy(&out.stderr);
        assert!(!out.status.success() && told.contains(&format!("STRIATE_CPU={name}")) && told.contains("portable"), "{told}");
    }
}
