//! The linear-nonlinear (LN) baseline: each unit's response is a static nonlinearity of a weighted sum of the recent stimulus.
//!
//! A digital twin has to be better than this to be of use. Filters come from ridge regression with the penalty chosen per unit
//! on validation data; the nonlinearity is a softplus fitted to the training data and kept only where it lowers the validation
//! error. Test data play no part. Our choice throughout; the paper has no such baseline.

mod features;
mod nonlinearity;
mod ridge;

use ndarray::{Array2, ArrayView2, Axis, s};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use features::{FeatureConfig, stimulus_features, with_traces};
pub use nonlinearity::OutputNonlinearity;

use crate::error::Error;
use crate::standardised::Standardised;

/// Samples handled at a time; bounds memory, and is fixed so that no sum depends on the number of threads.
pub(crate) const CHUNK: usize = 2048;

/// Units whose drives are held at a time while nonlinearities are fitted.
const UNIT_BLOCK: usize = 256;

/// Settings of the linear-nonlinear baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinearConfig {
    /// Ridge penalties to choose from, per sample and for standardised features: the loss is the mean squared error plus
    /// penalty times the squared length of the filter.
    pub penalties: Vec<f64>,
    /// Whether to fit an output nonlinearity.
    pub nonlinearity: bool,
}

impl Default for LinearConfig {
    /// Two penalties per decade from 0.001 to 1000.
    fn default() -> Self {
        Self { penalties: (-6..=6).map(|half| 10f64.powf(f64::from(half) / 2.0)).collect(), nonlinearity: true }
    }
}

impl LinearConfig {
    fn check(&self) -> Result<(), Error> {
        let good = |p: &f64| p.is_finite() && *p > 0.0;
        if self.penalties.is_empty() || !self.penalties.iter().all(good) {
            let got = format!("{:?}", self.penalties);
            return Err(Error::Config { field: "penalties", expected: "a list of at least one finite number above 0", got });
        }
        Ok(())
    }
}

/// A fitted linear-nonlinear model of U units on d features.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearNonlinear {
    /// How features were standardised.
    scaling: Standardised,
    /// Filters on standardised features [d, U].
    filters: Array2<f64>,
    /// Drive at the mean of all features `[U]`.
    offset: Vec<f64>,
    /// Static output nonlinearity of each unit `[U]`.
    nonlinearity: Vec<OutputNonlinearity>,
    /// Penalty chosen for each unit `[U]`.
    penalty: Vec<f64>,
}

impl LinearNonlinear {
    /// Fits every unit. Features x [n, d] and responses y [n, U], training and validation apart.
    ///
    /// A NaN response is missing and its sample left out for that unit; a NaN feature is missing and taken as the feature's
    /// training mean. A unit without validation samples takes the penalty that is best for the others together, and no
    /// nonlinearity.
    ///
    /// # Errors
    /// [`Error::Shape`] for arrays that do not fit, [`Error::NotFinite`] for infinities, [`Error::Unmeasured`] for a unit with
    /// fewer than two training samples, [`Error::NoValidation`] if no unit has a validation sample, [`Error::Config`] for bad
    /// penalties.
    pub fn fit(
        x_train: ArrayView2<f32>,
        y_train: ArrayView2<f32>,
        x_validation: ArrayView2<f32>,
        y_validation: ArrayView2<f32>,
        config: &LinearConfig,
    ) -> Result<Self, Error> {
        config.check()?;
        check_pair("training", x_train, y_train)?;
        check_pair("validation", x_validation, y_validation)?;
        same("features of the validation data", x_train.ncols(), x_validation.ncols())?;
        same("units of the validation data", y_train.ncols(), y_validation.ncols())?;

        let scaling = Standardised::of(x_train);
        let fit = ridge::fit(&scaling, (x_train, y_train), (x_validation, y_validation), &config.penalties)?;
        let units = y_train.ncols();
        let nonlinearity = vec![OutputNonlinearity::Identity; units];
        let mut model = Self { scaling, filters: fit.filters, offset: fit.offset, nonlinearity, penalty: fit.penalty };
        if config.nonlinearity {
            for start in (0..units).step_by(UNIT_BLOCK) {
                let block = start..units.min(start + UNIT_BLOCK);
                let drive_train = model.drive(x_train, block.clone());
                let drive_validation = model.drive(x_validation, block.clone());
                let fitted: Vec<_> = block
                    .clone()
                    .into_par_iter()
                    .map(|u| {
                        let train = (drive_train.column(u - start), y_train.column(u));
                        OutputNonlinearity::choose(train, (drive_validation.column(u - start), y_validation.column(u)))
                    })
                    .collect();
                model.nonlinearity.splice(block, fitted);
            }
        }
        Ok(model)
    }

    /// Predicted responses [n, U] to features x [n, d]; a NaN feature is taken as its training mean.
    ///
    /// # Errors
    /// [`Error::Shape`] if the number of features differs from that of the fit, [`Error::NotFinite`] for infinities.
    pub fn predict(&self, x: ArrayView2<f32>) -> Result<Array2<f32>, Error> {
        same("features to predict from", self.filters.nrows(), x.ncols())?;
        check_finite("features", x)?;
        let mut y = self.drive(x, 0..self.offset.len());
        for mut sample in y.rows_mut() {
            sample.iter_mut().zip(&self.nonlinearity).for_each(|(v, f)| *v = f.apply(f64::from(*v)) as f32);
        }
        Ok(y)
    }

    /// Penalty chosen for each unit `[U]`. One at an end of the list says that the list is too short.
    pub fn penalty(&self) -> &[f64] {
        &self.penalty
    }

    /// Filters [d, U], in response units per standard deviation of a feature.
    pub fn filters(&self) -> ArrayView2<'_, f64> {
        self.filters.view()
    }

    /// Output nonlinearity of each unit `[U]`.
    pub fn nonlinearity(&self) -> &[OutputNonlinearity] {
        &self.nonlinearity
    }

    /// Drive [n, units] of some units before the nonlinearity.
    fn drive(&self, x: ArrayView2<f32>, units: std::ops::Range<usize>) -> Array2<f32> {
        let mut drive = Array2::zeros((x.nrows(), units.len()));
        let filters = self.filters.slice(s![.., units.clone()]);
        let chunks: Vec<_> = drive.axis_chunks_iter_mut(Axis(0), CHUNK).zip(x.axis_chunks_iter(Axis(0), CHUNK)).collect();
        chunks.into_par_iter().for_each(|(mut to, x)| {
            let product = self.scaling.apply(x).dot(&filters);
            for (mut to, row) in to.rows_mut().into_iter().zip(product.rows()) {
                to.iter_mut().zip(row).zip(&self.offset[units.clone()]).for_each(|((to, v), b)| *to = (v + b) as f32);
            }
        });
        drive
    }
}

fn same(what: &str, expected: usize, got: usize) -> Result<(), Error> {
    if expected == got {
        return Ok(());
    }
    Err(Error::Shape { what: what.to_owned(), expected: expected.to_string(), got: got.to_string() })
}

fn check_pair(what: &'static str, x: ArrayView2<f32>, y: ArrayView2<f32>) -> Result<(), Error> {
    same(&format!("samples of the {what} responses"), x.nrows(), y.nrows())?;
    if x.is_empty() || y.is_empty() {
        let got = format!("{} samples, {} features, {} units", x.nrows(), x.ncols(), y.ncols());
        return Err(Error::Shape { what: format!("{what} data"), expected: "at least one of each".into(), got });
    }
    check_finite("features", x)?;
    check_finite("responses", y)
}

/// NaN is missing; an infinity is an error.
fn check_finite(what: &'static str, values: ArrayView2<f32>) -> Result<(), Error> {
    match values.indexed_iter().find(|(_, v)| v.is_infinite()) {
        Some(((row, column), &value)) => Err(Error::NotFinite { what, row, column, value }),
        None => Ok(()),
    }
}
