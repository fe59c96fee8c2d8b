//! The reference numbers that the repository holds: directions, maps, event responses, t-test and density.
use crate::reference::tensor;
use ndarray::{Array2, Array3, ArrayView2, Axis};
use safetensors::SafeTensors;
use striate_analysis::statistics::{Density, paired_t_test};
use striate_analysis::tuning::{Curves, Delay, Event, VonMises, direction_tuning, event_responses, ssi};

struct Golden(Vec<u8>);

impl Golden {
    fn read() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/analysis/analysis.safetensors");
        Self(std::fs::read(path).unwrap())
    }

    fn vector(&self, name: &str) -> Vec<f64> {
        tensor(&SafeTensors::deserialize(&self.0).unwrap(), name).1
    }

    fn matrix(&self, name: &str) -> Array2<f64> {
        let (shape, values) = tensor(&SafeTensors::deserialize(&self.0).unwrap(), name);
        Array2::from_shape_vec((shape[0], shape[1]), values).unwrap()
    }

    fn cube(&self, name: &str) -> Array3<f64> {
        let (shape, values) = tensor(&SafeTensors::deserialize(&self.0).unwrap(), name);
        Array3::from_shape_vec((shape[0], shape[1], shape[2]), values).unwrap()
    }
}

fn close(what: &str, got: f64, want: f64) {
    assert!((got - want).abs() <= 1e-9 * want.abs().max(1.0), "{what}: {got} is not {want}");
}

/// Mean squared error of parameters (mu, phi, kappa, scale, baseline) on responses to directions in degrees.
fn error(parameters: &[f64], degrees: &[f64], responses: &[f64]) -> f64 {
    let curve = VonMises { mu: parameters[0], phi: parameters[1], kappa: parameters[2], scale: parameters[3], baseline: parameters[4] };
    degrees.iter().zip(responses).map(|(d, r)| (curve.at(d.to_radians()) - r).powi(2)).sum::<f64>() / degrees.len() as f64
}

#[test]
fn indices_are_the_references_and_no_fit_is_worse() {
    let golden = Golden::read();
    let (degrees, responses) = (golden.vector("direction.degrees"), golden.matrix("direction.responses"));
    let curves = Curves::of_directions(&degrees, responses.t()).unwrap();
    assert_eq!(curves.mean, responses);
    let (osi, dsi, reference) = (golden.vector("direction.osi"), golden.vector("direction.dsi"), golden.matrix("direction.fit"));
    let (mut same, mut better) = (0, 0);
    for (unit, tuning) in direction_tuning(&curves).unwrap().iter().enumerate() {
        close("osi", tuning.osi(), osi[unit]);
        close("dsi", tuning.dsi(), dsi[unit]);
        let fit = tuning.fit.unwrap();
        let (c, reference, responses) = (fit.curve, reference.row(unit).to_vec(), responses.row(unit).to_vec());
        close("reference's mse", error(&reference, &degrees, &responses), reference[5]);
        close("mse", error(&[c.mu, c.phi, c.kappa, c.scale, c.baseline], &degrees, &responses), fit.mse);
        assert!(fit.converged, "unit {unit}: {fit:?}");
        // The reference's optimizer stops at a relative change of 1.5e-8.
        assert!(fit.mse <= reference[5] * (1.0 + 1e-9), "unit {unit}: {fit:?}, reference {reference:?}");
        better += usize::from(fit.mse < reference[5] * (1.0 - 1e-6));
        same += usize::from((c.mu - reference[0]).abs() < 1e-4 && (c.kappa - reference[2]).abs() < 1e-3 * reference[2]);
    }
    println!("{same} of 40 fits have the reference's parameters, {better} have a lower error");
    assert!(same >= 30, "only {same} fits have the reference's parameters");
}

#[test]
fn spatial_selectivity_is_the_references() {
    let golden = Golden::read();
    let (maps, want) = (golden.cube("spatial.sta"), golden.vector("spatial.ssi"));
    maps.axis_iter(Axis(0)).zip(&want).for_each(|(map, want)| close("ssi", ssi(map), *want));
    // The definition's own landmarks: a uniform map, and round Gaussians of 0.135 and 0.1 widths.
    assert!((ssi(Array2::ones((144, 256)).view()) - 6.12).abs() < 0.01);
    let bump = |sd: f64| {
        Array2::from_shape_fn((288, 512), |(i, j)| (-((i as f64 - 144.0).powi(2) + (j as f64 - 256.0).powi(2)) / (512.0 * sd).powi(2) / 2.0).exp())
    };
    assert!((ssi(bump(0.05).view()) - -2.0 * (0.0025f64).ln()).abs() < 1e-3);
}

#[test]
fn box_responses_are_the_references() {
    let golden = Golden::read();
    let (onsets, offsets) = (golden.vector("impulse.onsets"), golden.vector("impulse.offsets"));
    let events: Vec<Event> = onsets.iter().zip(&offsets).map(|(&onset_s, &offset_s)| Event { onset_s, offset_s }).collect();
    let (times, values, want) = (golden.vector("impulse.times"), golden.matrix("impulse.values"), golden.matrix("impulse.box_offset_0.1"));
    let responses = |values: ArrayView2<f64>, delay| event_responses(&times, values, &events, delay).unwrap();
    let got = responses(values.view(), Delay::Same(0.1));
    got.iter().zip(&want).for_each(|(got, want)| close("box", *got, *want));
    // Delays by unit that are the same are the same delay; another delay is another window.
    assert_eq!(responses(values.view(), Delay::PerUnit(&[0.1; 4])), got);
    let mixed = responses(values.view(), Delay::PerUnit(&[0.1, 0.2, 0.1, 0.1]));
    assert!(mixed.column(0) == got.column(0) && mixed.column(1) != got.column(1));
}

#[test]
fn t_test_and_density_are_the_references() {
    let golden = Golden::read();
    let (a, b) = (golden.vector("stats.a"), golden.vector("stats.b"));
    let test = paired_t_test(&a, &b).unwrap();
    let want = golden.vector("stats.paired_t");
    close("t", test.t, want[0]);
    close("p", test.p, want[1]);
    let density = Density::scott(&a).unwrap().on(&golden.vector("stats.kde_grid"));
    density.iter().zip(golden.vector("stats.kde_scott")).for_each(|(got, want)| close("density", *got, want));
}
