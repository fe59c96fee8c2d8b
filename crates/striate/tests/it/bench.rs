//! Benchmarks run and count what they say; how fast is not tested.

use crate::{failure, output, striate};

#[test]
fn every_benchmark_counts_the_arithmetic_it_times() {
    for (what, figures) in [("respond", 3), ("train", 1), ("kernels", 0)] {
        let arguments = ["bench", what, "loader.sample_size=12", "loader.batch_size=2", "--preset", "tiny", "--units", "7", "--size", "36x64"];
        let out = output(&[&arguments[..], &["--seconds", "0", "--threads", "1", "--json"]].concat());
        let measured: serde_json::Value = serde_json::from_str(&out).expect("json");
        let rows = measured["figures"].as_array().expect("figures");
        assert!(figures == 0 || rows.len() == figures, "{out}");
        assert_eq!(measured["threads"], 1);
        assert_eq!(measured["microseconds_per_unit"].is_f64(), what == "respond", "{out}");
        for row in rows {
            let [fastest, median, slowest] = ["fastest_ms", "median_ms", "slowest_ms"].map(|k| row[k].as_f64().expect("a time"));
            assert!(0.0 < fastest && fastest <= median && median <= slowest, "{row}");
            // GFLOP/s and share of the peak come from the same multiply-adds and the same median
            let (gflops, share) = (row["gflops"].as_f64().expect("a rate"), row["share_of_peak"].as_f64().expect("a share"));
            let peak = measured["peak_gflops"].as_f64().expect("a peak");
            assert!(gflops > 0.0 && (gflops / peak - share).abs() < 1e-6 * share, "{row}");
        }
    }
    assert!(failure(&["bench", "respond", "--preset", "tiny", "--batch", "0"]).contains("--batch must be at least 1"));
    assert!(failure(&["bench", "train", "--size", "36by64"]).contains("HEIGHTxWIDTH"));
}

#[test]
fn products_in_bf16_are_made_and_their_error_told_or_refused() {
    let arguments = ["bench", "respond", "--preset", "tiny", "--units", "7", "--size", "36x64", "--seconds", "0", "--precision", "bf16"];
    let out = striate(&arguments).arg("--json").output().expect("the binary runs");
    if out.status.success() {
        let measured: serde_json::Value = serde_json::from_slice(&out.stdout).expect("json");
        assert!((1e-6..0.05).contains(&measured["error"].as_f64().expect("an error")), "{measured}");
    }
    let refused = striate(&arguments).env("STRIATE_CPU", "portable").output().expect("the binary runs");
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && told.contains("AVX-512 BF16") && told.contains("use f32"), "{told}");
    assert!(failure(&["bench", "train", "--preset", "tiny", "--precision", "bf16"]).contains("training is in f32"));
    assert!(failure(&["respond", "twin", "--video", "v.npy", "-o", "r.npy", "--precision", "fp8"]).contains("f32, bf16"));
}
