//! Kernel density estimate with Scott's bandwidth, as the paper draws its distributions of tuning differences.

use std::f64::consts::TAU;

use super::{is_constant, variance};
use crate::error::Error;

/// A one-dimensional Gaussian kernel density estimate.
#[derive(Debug, Clone, PartialEq)]
pub struct Density {
    values: Vec<f64>,
    bandwidth: f64,
}

impl Density {
    /// Of the finite values, with Scott's bandwidth h = sd n^(-1/5), sd divided by n - 1.
    ///
    /// # Errors
    /// [`Error::TooFew`] if fewer than two values are finite, [`Error::NoSpread`] if all are the same.
    pub fn scott(values: &[f64]) -> Result<Self, Error> {
        let values: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
        if values.len() < 2 {
            return Err(Error::TooFew { what: "finite values of a density", needed: 2, got: values.len() });
        }
        if is_constant(&values) {
            return Err(Error::NoSpread { what: "values of a density" });
        }
        let bandwidth = variance(&values, 1).sqrt() * (values.len() as f64).powf(-0.2);
        Ok(Self { values, bandwidth })
    }

    /// Standard deviation of the kernel, in units of the values.
    pub fn bandwidth(&self) -> f64 {
        self.bandwidth
    }

    /// Density at one point: the mean of the kernels centred on the values.
    pub fn at(&self, x: f64) -> f64 {
        let sum: f64 = self.values.iter().map(|v| (-0.5 * ((x - v) / self.bandwidth).powi(2)).exp()).sum();
        sum / (self.values.len() as f64 * self.bandwidth * TAU.sqrt())
    }

    /// Density on a grid `[g]`.
    pub fn on(&self, grid: &[f64]) -> Vec<f64> {
        grid.iter().map(|&x| self.at(x)).collect()
    }
}
