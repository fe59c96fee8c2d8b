//! Barcodes, positions and states agree with what the network does when it runs.

use crate::small::{clip, network, video};
use striate_model::config::FeatureKind;
use striate_model::network::Taps;
use striate_model::{Clip, Draws, Error, Network, Periphery, Pixels, Streams};

fn run(network: &Network, clip: &Clip, streams: Streams) -> Taps {
    network.begin(1, streams, Draws::none()).expect("a run").step_with_taps(clip).expect("a response").1
}

#[test]
fn barcodes_are_the_slope_of_the_readout() {
    for kind in [FeatureKind::Vanilla, FeatureKind::Norm] {
        let mut network = network(|config| config.readout.feature = kind);
        // every unit at the centre of one pixel of the map, so that it reads that pixel alone
        let [height, width, channels] = network.core_map();
        let at = |pixel: usize, n: usize| ((2 * pixel + 1) as f32 / n as f32 - 1.0).atanh();
        let (column, row) = (width / 2, height / 3);
        let position = network.params_mut().iter_mut().find(|p| p.name == "readout.position.mu").expect("positions");
        position.value.chunks_exact_mut(2).for_each(|mu| mu.copy_from_slice(&[at(column, width), at(row, height)]));
        let (pixels, eye, behavior) = video(&network, 2, 1);
        let barcodes = network.barcodes();
        let (units, streams) = (network.config().units, network.config().streams);
        assert_eq!(barcodes.len(), units * streams * channels);
        let taps = run(&network, &clip(&network, &pixels, &eye, &behavior), Streams::All);
        for stream in 0..streams {
            let biases = &network.params().get(&format!("readout.biases.{stream}")).expect("biases").value;
            for frame in 0..2 {
                let features = &taps.recurrent[stream][((frame * height + row) * width + column) * channels..][..channels];
                for unit in 0..units {
                    let weights = &barcodes[(unit * streams + stream) * channels..][..channels];
                    let expected = weights.iter().zip(features).map(|(w, f)| w * f).sum::<f32>() + biases[unit];
                    let got = taps.readout[stream][frame * units + unit];
                    assert!((got - expected).abs() < 1e-4, "{kind:?}, stream {stream}, unit {unit}: {got} is not {expected}");
                }
            }
        }
    }
}

#[test]
fn a_light_where_a_unit_looks_falls_on_its_place_on_the_retina() {
    let mut network = network(|_| ());
    let (height, width) = (network.config().perspective.height, network.config().perspective.width);
    // units on retinal pixels, as far as the monitor is seen
    let places = [[12, 8], [9, 6], [15, 10], [11, 5], [14, 8]];
    let position = network.params_mut().iter_mut().find(|p| p.name == "readout.position.mu").expect("positions");
    let at = |pixel: usize, n: usize| ((2 * pixel + 1) as f32 / n as f32 - 1.0).atanh();
    position.value.chunks_exact_mut(2).zip(places).for_each(|(mu, [x, y])| mu.copy_from_slice(&[at(x, width), at(y, height)]));
    let size = [90, 160];
    let found = network.monitor_positions(size);
    for ([x, y], [column, row]) in found.into_iter().zip(places) {
        let centre = [(x + 1.0) / 2.0 * 159.0, (y + 1.0) / 2.0 * 89.0];
        let light: Vec<f32> = (0..size[0] * size[1])
            .map(|i| (-((i % 160) as f64 - centre[0]).powi(2) / 18.0 - ((i / 160) as f64 - centre[1]).powi(2) / 18.0).exp() as f32)
            .collect();
        let shown = Clip { video: Pixels::F32(&light), size, eye: &[], behavior: &[], periphery: Periphery::Dark };
        let retina = run(&network, &shown, Streams::One(0)).perspective;
        let brightest = (0..retina.len()).max_by(|&a, &b| retina[a].total_cmp(&retina[b])).expect("pixels");
        assert_eq!([brightest % width, brightest / width], [column, row], "a light at {centre:?}");
    }
}

#[test]
fn the_centre_of_gaze_is_the_centre_of_a_centred_monitor_and_the_far_periphery_is_beside_it() {
    let mut network = Network::new(network(|_| ()).config().clone(), 0).expect("a sound configuration");
    let mut set = |name: &str, value: Vec<f32>| network.params_mut().iter_mut().find(|p| p.name == name).expect("there").value = value.into();
    set("perspective.monitor.center", vec![0.0, 0.0, 0.5]);
    set("perspective.monitor.angle", vec![0.0; 3]);
    set("readout.position.mu", vec![0.0, 0.0, 5.0, 0.0, -5.0, 0.0, 0.2, 0.0, 0.0, 0.2]);
    let found = network.monitor_positions([144, 256]);
    let near = |got: f64, want: f64| assert!((got - want).abs() < 1e-4, "{found:?}");
    near(found[0][0], 0.0);
    near(found[0][1], 0.0);
    assert!(found[1][0].is_nan() && found[2][0].is_nan(), "75 degrees to the side: {found:?}");
    assert!(found[3][0] > 0.1 && found[4][1] > 0.1, "right is right and down is down: {found:?}");
    near(found[3][1], 0.0);
    near(found[4][0], 0.0);
}

#[test]
fn modulation_states_are_those_of_a_run() {
    let network = network(|_| ());
    let (pixels, eye, behavior) = video(&network, 4, 1);
    let taps = run(&network, &clip(&network, &pixels, &eye, &behavior), Streams::All);
    let states = network.modulation_states(&behavior).expect("states");
    let features = taps.modulation[0].len() / 4;
    for (t, state) in states.chunks_exact(2 * features).enumerate() {
        let expected = [&taps.modulation[0][t * features..][..features], &taps.modulation[1][t * features..][..features]].concat();
        assert_eq!(state, expected, "frame {t}");
    }
    assert!(states.iter().any(|v| *v != 0.0));
    assert!(matches!(network.modulation_states(&behavior[1..]), Err(Error::Shape { .. })));
    assert!(matches!(network.modulation_states(&vec![f32::NAN; behavior.len()]), Err(Error::NotFinite { .. })));
    assert!(network.modulation_states(&[]).expect("no frame").is_empty());
}
