//! Reliability: how far two twins of the same neurons, trained from different seeds, say the same (after Extended Data Fig. 6, which compares
//! sessions).

use crate::error::Error;
use crate::evaluate::Predictor;
use striate_analysis::pearson;
use striate_analysis::{Column, Table};
use striate_model::Network;
use striate_recording::{Recording, Tier};

/// One measure of agreement, a column of [`agreement`].
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// Column.
    pub name: &'static str,
    /// Unit of its values.
    pub unit: &'static str,
    /// What it shows.
    pub title: &'static str,
    /// How it is computed.
    pub computed: &'static str,
}

/// All measures.
pub const MEASURES: [Measure; 3] = [
    Measure {
        name: "response correlation",
        unit: "",
        title: "Responses of two twins of the same unit",
        computed: "Pearson correlation of the two twins' predictions over all frames of all test trials, burn-in left out.",
    },
    Measure {
        name: "correlation with another unit",
        unit: "",
        title: "Responses of a unit's twin and of the next unit's",
        computed: "The same between the first twin's unit and the second twin's next unit: what agreement is worth by chance.",
    },
    Measure {
        name: "location difference",
        unit: "monitor widths",
        title: "Where two twins let the same unit look",
        computed: "Distance of the two readout positions on the monitor, in monitor widths, with the eye at its mean position.",
    },
];

/// First frames of each trial that are left out.
const BURNIN: usize = 10;

/// One row per unit: recording (by the name given), both seeds, and all [`MEASURES`].
///
/// # Errors
/// The networks do not fit the recording.
pub fn agreement(a: &Network, b: &Network, recording: &Recording, name: &str, seeds: [u64; 2]) -> Result<Table, Error> {
    let units = recording.unit_count();
    let (first, second) = (test_responses(a, recording)?, test_responses(b, recording)?);
    let correlation = |shift: usize| -> Vec<f64> { (0..units).map(|u| pearson(&first[u], &second[(u + shift) % units])).collect() };
    let [height, width, _] = recording.frame_shape();
    // positions are halves of a width or of a height from the centre
    let (x, y) = ((width as f64 - 1.0) / width as f64 / 2.0, (height as f64 - 1.0) / width as f64 / 2.0);
    let places = a.monitor_positions([height, width]).into_iter().zip(b.monitor_positions([height, width]));
    let distance = places.map(|(a, b)| ((a[0] - b[0]) * x).hypot((a[1] - b[1]) * y)).collect();
    let seed = |seed: u64| Column::Integer(vec![seed as i64; units]);
    let [response, chance, location] = MEASURES.map(|m| m.name);
    Ok(Table::new()
        .with("recording", Column::Text(vec![name.to_owned(); units]))?
        .with("unit", Column::Text(recording.units().ids()))?
        .with("seed", seed(seeds[0]))?
        .with("other seed", seed(seeds[1]))?
        .with(response, Column::Float(correlation(0)))?
        .with(chance, Column::Float(if units > 1 { correlation(1) } else { vec![f64::NAN] }))?
        .with(location, Column::Float(distance))?)
}

/// Predictions [U][frames] of all test trials, one after the other.
fn test_responses(network: &Network, recording: &Recording) -> Result<Vec<Vec<f64>>, Error> {
    crate::fit::check_fit(network, recording)?;
    let mut predictor = Predictor::new(network, recording, false);
    let mut all = vec![Vec::new(); recording.unit_count()];
    for trial in recording.trials_of(Tier::Test) {
        let (predicted, _) = predictor.trial(trial)?;
        for row in predicted.rows().into_iter().skip(BURNIN) {
            all.iter_mut().zip(row).for_each(|(unit, v)| unit.push(f64::from(*v)));
        }
    }
    Ok(all)
}
