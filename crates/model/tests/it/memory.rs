//! How much memory a frame asks for once a run is under way.

use crate::golden::Golden;
use striate_kernels::memory::counting::{Asked, asked_during};
use striate_model::config::RecurrentKind;
use striate_model::{Draws, Network, Streams};

/// What each frame of the published layout asks for, all streams, on one thread, with a cell of choice.
fn asked(kind: RecurrentKind) -> Vec<Asked> {
    let case = Golden::open("published-layout");
    let mut config = case.network.config().clone();
    config.recurrent.kind = kind;
    let network = Network::new(config, 0).expect("a sound configuration");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    pool.install(|| {
        let mut run = network.begin(case.batch(), Streams::All, Draws::none()).expect("begin");
        let mut responses = Vec::new();
        (0..case.frames()).map(|t| asked_during(|| run.step_into(&case.clip(t..t + 1), &mut responses).expect("step")).1).collect()
    })
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs a thread of its own")]
fn a_frame_asks_for_nothing() {
    for kind in [RecurrentKind::ConvLstm, RecurrentKind::CvtLstm, RecurrentKind::CvtGru] {
        let asked = asked(kind);
        println!("{kind:?} {asked:?}");
        // the first makes the buffers
        assert!(asked.len() > 4 && asked[1..].iter().all(|frame| frame.blocks == 0), "{kind:?} {asked:?}");
    }
}
