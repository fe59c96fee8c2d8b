//! Tuning where the answer is known.

use ndarray::{Array2, Array4, Axis};
use std::path::Path;
use striate_analysis::tuning::spatial_tuning;
use striate_insilico::gradient_field::{LAGS, gradient_fields};
use striate_insilico::tune::{in_silico, in_vivo, to_film, tuning};
use striate_model::{Network, NetworkConfig};
use striate_recording::{Meta, Missing, NewTrial, Recording, RecordingWriter, Tier, UnitTable};
use striate_stimulus::dot::Dots;
use striate_stimulus::event::Shown;
use striate_stimulus::grating::Gratings;
use striate_stimulus::noise::Noise;
use striate_stimulus::values::Values;
use striate_stimulus::{Event, Film};

const SIZE: [usize; 2] = [18, 32];

/// One trial of a film; `answer` gives each unit's response to an event, and nothing is answered between events.
fn recording(path: &Path, film: Film, units: usize, answer: impl Fn(&Event, usize) -> f32) -> Recording {
    let meta = Meta {
        animal: "toy".into(),
        session: None,
        scan: None,
        rate: film.rate(),
        eye: vec!["x".into(), "y".into()],
        behavior: vec!["pupil".into(), "treadmill".into()],
        source: "made for a test".into(),
        simulated: true,
        standardization: serde_json::Value::Null,
        missing: Missing::default(),
    };
    let (events, [t, h, w]) = (film.events().to_vec(), film.shape());
    let mut writer = RecordingWriter::create(path, meta, [h, w, 1], UnitTable::numbered(units)).expect("create");
    let mut responses = Array2::zeros((t, units));
    for event in &events {
        for frame in event.onset_frame..event.offset_frame {
            (0..units).for_each(|u| responses[[frame, u]] = answer(event, u));
        }
    }
    let pixels = Array4::from_shape_vec((t, h, w, 1), film.flatten().collect()).expect("frames");
    let video = writer.add_video("film", pixels.view()).expect("video");
    writer.set_events(video, events);
    let series = Array2::zeros((t, 2));
    let (responses, eye, behavior) = (responses.view(), series.view(), series.view());
    let trial = NewTrial { name: "t", video, video_start: 0, tier: Tier::Test, domain: "tuning", times: None, responses, eye, behavior };
    writer.add_trial(trial).expect("trial");
    writer.finish().expect("finish")
}

fn gratings() -> Gratings {
    let directions: Vec<f64> = (0..8).map(|k| 45.0 * f64::from(k)).collect();
    Gratings {
        height: SIZE[0],
        width: SIZE[1],
        frames: 32 * 12,
        seconds: 0.3,
        blank: 0.1,
        direction: Values::Each(directions),
        ..Gratings::default()
    }
}

/// Three units, not trained.
fn network() -> Network {
    network_with(|_| {})
}

fn network_with(change: impl FnOnce(&mut NetworkConfig)) -> Network {
    let mut config = NetworkConfig { units: 3, streams: 1, video: Some(SIZE), ..NetworkConfig::default() };
    (config.perspective.height, config.perspective.width) = (16, 24);
    (config.feedforward.block_channels, config.feedforward.block_groups) = (vec![4, 4, 4], vec![1, 1, 1]);
    (config.feedforward.out_channels, config.recurrent.in_channels, config.recurrent.hidden_channels) = (4, 8, 8);
    change(&mut config);
    Network::new(config, 1).expect("network")
}

#[test]
fn preferred_directions_are_found() {
    let folder = tempfile::tempdir().expect("folder");
    let preferred = [30.0f64, 200.0];
    let answer = |event: &Event, unit: usize| match event.shown {
        Shown::Grating { direction, .. } => (2.0 * ((direction - preferred[unit]).to_radians().cos() - 1.0)).exp() as f32 + 0.1,
        _ => 0.0,
    };
    let recording = recording(&folder.path().join("r.zarr"), gratings().film(1).expect("film"), 2, answer);
    assert!(recording.videos()[0].events.len() > 20, "events are kept");
    let seen = in_vivo(&recording, "tuning", 0.0).expect("measured");
    let (_, tuned) = tuning(&seen).expect("tuned").direction.expect("directions");
    for (tuned, preferred) in tuned.iter().zip(preferred) {
        let found = tuned.preferred_direction();
        assert!((found - preferred).abs() < 1.0, "{found}, expected {preferred}");
        assert!(tuned.dsi() > 0.4);
    }
    // a window that opens half an event late sees the blank too
    let late = in_vivo(&recording, "tuning", 0.2).expect("measured");
    assert!(late.responses.sum() < 0.9 * seen.responses.sum());
}

#[test]
fn receptive_fields_are_found() {
    let folder = tempfile::tempdir().expect("folder");
    let places = [[0.3, 0.2], [0.7, 0.4]];
    let answer = |event: &Event, unit: usize| match event.shown {
        Shown::Dot { x, y, polarity: -1, .. } => {
            let [cx, cy] = places[unit];
            (-((x - cx).powi(2) + (y - cy).powi(2)) / (2.0 * 0.08f64.powi(2))).exp() as f32
        }
        _ => 0.5, // white dots must not count
    };
    let dots = Dots { height: SIZE[0], width: SIZE[1], grid: [9, 16], frames: 2 * 9 * 16 * 3, seconds: 0.1, ..Dots::default() };
    let recording = recording(&folder.path().join("r.zarr"), dots.film(1).expect("film"), 2, answer);
    let seen = in_vivo(&recording, "tuning", 0.0).expect("measured");
    let (maps, tuned) = tuning(&seen).expect("tuned").spatial.expect("dots");
    assert_eq!(maps.dim(), (2, SIZE[0], SIZE[1]));
    for (tuned, [x, y]) in tuned.iter().zip(places) {
        let field = tuned.field().expect("a field");
        // pixel c stands for c / W in the map and for (c + 1/2) / W in the event
        let off = (field.mu[0] + 0.5 / 32.0 - x).hypot(field.mu[1] + 0.5 / 32.0 - y);
        assert!(off < 0.02, "{:?} is {off} from {x}, {y}", field.mu);
    }
}

#[test]
fn a_network_is_shown_the_same_events() {
    let folder = tempfile::tempdir().expect("folder");
    let recording = recording(&folder.path().join("r.zarr"), gratings().film(1).expect("film"), 3, |_, _| 1.0);
    let network = network();
    let (vivo, silico) = (in_vivo(&recording, "tuning", 0.0).expect("measured"), in_silico(&network, &recording, "tuning").expect("predicted"));
    assert_eq!(vivo.events, silico.events);
    assert_eq!(silico.responses.dim(), vivo.responses.dim());
    let late = |e: &Event| e.onset_frame >= 10;
    for (event, row) in silico.events.iter().zip(silico.responses.rows()) {
        assert!(!late(event) || row.iter().all(|v| v.is_finite()), "only what lies in the burn-in is missing");
    }
    // a film in pieces: every event once, none lost at a cut
    let film = Gratings { frames: 2000, ..gratings() }.film(3).expect("film");
    let events = film.events().to_vec();
    let seen = to_film(&network, film, &mut |_, _| {}).expect("shown");
    assert_eq!(seen.events.len(), events.len());
    assert!(seen.events.iter().zip(&events).all(|(a, b)| a.shown == b.shown));
    assert!(seen.responses.iter().all(|v| v.is_finite()));
}

#[test]
fn gradients_lie_where_a_unit_looks() {
    // a fine map of one block, so that units at different places see different things
    let mut network = network_with(|c| {
        let f = &mut c.feedforward;
        (f.in_spatial, f.in_stride) = (3, 1);
        (f.block_channels, f.block_groups, f.block_layers) = (vec![4], vec![1], vec![1]);
        (f.block_temporals, f.block_spatials, f.block_pools) = (vec![3], vec![3], vec![1]);
    });
    let places = [-0.5, -0.3, 0.4, 0.2, 0.0, 0.4]; // x and y of three units on the core's map
    // features that are there from the start: new networks answer to nothing
    network.params_mut().iter_mut().filter(|p| p.name.starts_with("readout.feature")).for_each(|p| p.value.fill(1.0));
    network.params_mut().get_mut("readout.position.mu").expect("positions").value.copy_from_slice(&places);
    let noise = || Noise { height: SIZE[0], width: SIZE[1], frames: 24 * 4 + 5, ..Noise::default() }.film(2).expect("film");
    let mut told = Vec::new();
    let fields = gradient_fields(&network, noise(), &[2, 0, 1], &mut |done, all| told.push((done, all))).expect("gradients");
    assert_eq!((fields.clips, told.last()), (4, Some(&(4, 4))));
    assert_eq!((fields.energy.dim(), fields.filters.dim()), ((3, 18, 32), (3, LAGS, 18, 32)));
    let looks = network.monitor_positions(SIZE);
    for (field, unit) in spatial_tuning(fields.energy.view()).iter().zip([2, 0, 1]) {
        let [x, y] = field.field().expect("a field").mu;
        // from pixels counted in widths to -1..1 between the centres of the first and the last
        let found = [2.0 * x * 32.0 / 31.0 - 1.0, 2.0 * y * 32.0 / 17.0 - 1.0];
        let off = (found[0] - looks[unit][0]).hypot(found[1] - looks[unit][1]);
        assert!(off < 0.2, "unit {unit}: {found:?}, looks at {:?}", looks[unit]);
    }
    // energy holds what the mean filter has, and more
    let power = fields.filters.mapv(|g| f64::from(g * g)).mean_axis(Axis(1)).expect("lags");
    assert!(power.iter().zip(&fields.energy).all(|(mean, square)| *mean <= square * (1.0 + 1e-5)));
    // a video larger than the map, and no multiple of it: cells are means, so none stands out for the pixels it has
    let large = Noise { height: 45, width: 81, frames: 24, ..Noise::default() }.film(2).expect("film");
    let fields = gradient_fields(&network, large, &[0], &mut |_, _| {}).expect("gradients");
    assert_eq!(fields.energy.dim(), (1, 36, 64));
    // of one clip the mean filter is the gradient itself
    let mut cells = vec![(0.0, 0.0); 36 * 64];
    for ((_, y, x), g) in fields.filters.index_axis(Axis(0), 0).indexed_iter() {
        let cell = &mut cells[y * 36 / 45 * 64 + x * 64 / 81];
        *cell = (cell.0 + f64::from(g * g), cell.1 + 1.0);
    }
    assert!(fields.energy.sum() > 0.0);
    for (energy, (sum, count)) in fields.energy.iter().zip(cells) {
        assert!((energy - sum / count).abs() <= 1e-5 * energy, "{energy}, mean {}", sum / count);
    }
    let short = Noise { frames: 20, ..Noise { height: SIZE[0], width: SIZE[1], ..Noise::default() } }.film(2).expect("film");
    assert!(gradient_fields(&network, short, &[0], &mut |_, _| {}).expect_err("too short").to_string().contains("24 frames"));
}

#[test]
fn what_cannot_be_tuned_says_why() {
    let folder = tempfile::tempdir().expect("folder");
    let one = Gratings { direction: Values::Each(vec![0.0]), ..gratings() };
    let recording = recording(&folder.path().join("r.zarr"), one.film(1).expect("film"), 2, |_, _| 1.0);
    let error = in_vivo(&recording, "other", 0.0).expect_err("no such domain").to_string();
    assert!(error.contains("events"), "{error}");
    let error = tuning(&in_vivo(&recording, "tuning", 0.0).expect("measured")).expect_err("one direction").to_string();
    assert!(error.contains("four values"), "{error}");
}
