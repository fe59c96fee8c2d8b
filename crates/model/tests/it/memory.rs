//! How much memory a frame asks for once a run is under way.

use crate::golden::Golden;
use striate_kernels::memory::counting::{Asked, asked_during};
use striate_model::{Draws, Streams};

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs a thread of its own")]
fn every_frame_asks_for_the_same_and_for_little() {
    let case = Golden::open("published-layout");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    let asked: Vec<Asked> = pool.install(|| {
        let mut run = case.network.begin(case.batch(), Streams::All, Draws::none()).expect("begin");
        (0..case.frames()).map(|t| asked_during(|| run.step(&case.clip(t..t + 1)).expect("step")).1).collect()
    });
    println!("{asked:?}");
    // the first frame makes the threads' scratch
    assert!(asked[1..].iter().all(|frame| *frame == asked[1]), "{asked:?}");
    // maps and what lies between them, of four streams: what it is now, and no more
    assert!((1..=1200).contains(&asked[1].blocks) && asked[1].bytes <= 45_000_000, "{:?}", asked[1]);
}
