//! Figures that several pages share.

use striate::analysis::statistics::Density;
use striate::report::{Axis, Chart, Data, Sample, Series};

/// A density for each sample (Gaussian kernels, Scott's bandwidth), from `ends[0]` to `ends[1]`; those of fewer than two different values are left out.
pub fn densities(title: impl Into<String>, x: Axis, samples: Vec<Sample>, ends: [f64; 2]) -> Chart {
    const POINTS: usize = 101;
    let grid: Vec<f64> = (0..POINTS).map(|i| ends[0] + (ends[1] - ends[0]) * i as f64 / (POINTS - 1) as f64).collect();
    let of = |sample: Sample| {
        let kept: Vec<f64> = sample.values.into_iter().filter(|v| v.is_finite()).collect();
        let density = Density::scott(&kept).ok()?;
        Some(Series::new(format!("{} ({})", sample.name, kept.len()), grid.clone(), density.on(&grid)))
    };
    Chart::new(title, x, Axis::new("density", ""), Data::Lines { series: samples.into_iter().filter_map(of).collect() })
}
