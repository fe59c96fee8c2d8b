//! What holds for every stimulus.

use proptest::prelude::*;
use serde_json::{Value, json};
use striate_stimulus::picture::Picture;
use striate_stimulus::{Error, Film, Stimulus};

/// A stimulus with some settings changed.
pub fn with(mut stimulus: Value, changes: Value) -> Result<Stimulus, serde_json::Error> {
    for (key, value) in changes.as_object().unwrap() {
        stimulus[key] = value.clone();
    }
    serde_json::from_value(stimulus)
}

fn pictures(height: usize, width: usize) -> Vec<Picture> {
    let picture = |k: usize| Picture { name: format!("{k}.png"), size: [height, width], pixels: vec![k as u8; height * width] };
    (0..3).map(picture).collect()
}

/// A short film of small frames.
fn small(stimulus: &Stimulus, seed: u64) -> Film {
    let changes = json!({"height": 27, "width": 48, "frames": 70, "rate": 24.0});
    with(serde_json::to_value(stimulus).unwrap(), changes).unwrap().film(pictures(27, 48), seed).unwrap()
}

#[test]
fn a_seed_is_a_film_however_it_is_read() {
    for stimulus in Stimulus::all() {
        let name = stimulus.name();
        let whole = small(&stimulus, 3).video();
        assert_eq!(whole.shape(), [70, 27, 48, 1], "{name}");
        let mut parts = small(&stimulus, 3);
        for t in 0..20 {
            assert_eq!(parts.next().unwrap(), whole.frame(t), "{name}, frame {t}");
        }
        assert_eq!(parts.len(), 50);
        assert_eq!(parts.video(), whole.slice(20..70).unwrap(), "{name}");
        assert_eq!(small(&stimulus, 3).events(), small(&stimulus, 3).events(), "{name}");
        let seeded = small(&stimulus, 4).video() != whole;
        assert_eq!(seeded, name != "chirp", "{name}: another seed");
    }
}

#[test]
fn a_longer_film_begins_like_a_shorter_one() {
    for stimulus in Stimulus::all() {
        let film = |frames: usize| {
            let changes = json!({"height": 27, "width": 48, "frames": frames});
            with(serde_json::to_value(&stimulus).unwrap(), changes).unwrap().film(pictures(27, 48), 1).unwrap()
        };
        let (short, long) = (film(80).video(), film(160).video());
        assert_eq!(long.slice(0..80).unwrap(), short, "{}", stimulus.name());
    }
}

#[test]
fn events_lie_within_the_film_in_order() {
    for stimulus in Stimulus::all() {
        let film = small(&stimulus, 5);
        let (name, rate) = (stimulus.name(), film.rate());
        assert!(!film.events().is_empty(), "{name}");
        assert!(film.events().is_sorted_by_key(|e| e.onset_frame), "{name}");
        for event in film.events() {
            assert!(event.onset_frame < event.offset_frame && event.offset_frame <= 70, "{name}: {event:?}");
            assert!(event.onset < event.offset && event.offset <= 70.0 / rate, "{name}: {event:?}");
            // pink noise has onsets between frames
            assert!((event.onset - event.onset_frame as f64 / rate).abs() <= 1.0 / rate + 1e-12, "{name}: {event:?}");
            let told = serde_json::to_value(event).unwrap();
            assert!(told["type"].is_string() && told["onset"].is_number(), "{told}");
            assert_eq!(&serde_json::from_value::<striate_stimulus::Event>(told).unwrap(), event);
        }
    }
}

#[test]
fn settings_are_read_back_and_unknown_ones_refused() {
    for stimulus in Stimulus::all() {
        let told = serde_json::to_value(&stimulus).unwrap();
        assert_eq!(told["stimulus"], stimulus.name());
        assert_eq!(serde_json::from_value::<Stimulus>(told.clone()).unwrap(), stimulus);
        assert!(stimulus.check().is_ok(), "{}", stimulus.name());
        assert!(with(told, json!({"hieght": 3})).is_err(), "{}", stimulus.name());
    }
}

/// Every number within a value, by its place.
fn numbers(value: &Value, place: String, found: &mut Vec<String>) {
    match value {
        Value::Number(_) => found.push(place),
        Value::Object(fields) => fields.iter().for_each(|(key, v)| numbers(v, format!("{place}/{key}"), found)),
        Value::Array(items) => items.iter().enumerate().for_each(|(k, v)| numbers(v, format!("{place}/{k}"), found)),
        _ => {}
    }
}

#[test]
fn any_number_is_refused_by_name_or_drawn() {
    let mut refused = 0;
    for stimulus in Stimulus::all() {
        let base = serde_json::to_value(&stimulus).unwrap();
        let mut places = Vec::new();
        numbers(&base, String::new(), &mut places);
        for place in places {
            for poison in [json!(0), json!(-1), json!(1e300), json!(-1e300), json!(u64::MAX), json!(1e-300)] {
                let mut settings = base.clone();
                *settings.pointer_mut(&place).unwrap() = poison.clone();
                let Ok(stimulus) = serde_json::from_value::<Stimulus>(settings) else { continue };
                match stimulus.film(pictures(144, 256), 1) {
                    Ok(film) => assert!(film.take(2).all(|frame| !frame.is_empty())),
                    Err(error) => {
                        assert!(matches!(error, Error::Setting { .. }) && error.to_string().contains("expected"), "{place} = {poison}: {error}");
                        refused += 1;
                    }
                }
            }
        }
    }
    assert!(refused > 200, "only {refused} refused");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn frames_of_any_size_at_any_rate(height in 1usize..50, width in 1usize..60, rate in 5.0f64..200.0, frames in 1usize..9, seed: u64) {
        for stimulus in Stimulus::all() {
            let name = stimulus.name();
            let mut changes = json!({"height": height, "width": width, "rate": rate, "frames": frames});
            if name == "chirp" {
                changes["frequency"] = json!([0.5, rate / 2.0]);
            }
            let stimulus = with(serde_json::to_value(&stimulus).unwrap(), changes).unwrap();
            match stimulus.film(pictures(height, width), seed) {
                Ok(film) => {
                    prop_assert!(film.events().iter().all(|e| e.offset_frame <= frames), "{}", name);
                    prop_assert_eq!(film.video().shape(), [frames, height, width, 1]);
                }
                // checks smaller than a pixel, more spots than places, a filter longer than allowed at this rate
                Err(e) => prop_assert!(["white-noise", "sparse-noise", "pink-noise", "chirp"].contains(&name), "{}: {}", name, e),
            }
        }
    }
}
