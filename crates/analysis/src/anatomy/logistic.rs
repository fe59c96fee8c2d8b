//! Multinomial logistic regression with an L2 penalty on the weights (paper Methods, "Anatomical predictions from functional
//! weights").

use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::linalg::solvers::{Llt, SolveCore};
use faer::{Accum, Conj, Mat, MatMut, MatRef, Par, Side};
use ndarray::{Array2, ArrayView2};

use super::lbfgs::{Minimum, minimise};
use crate::error::Error;
use crate::standardised::Standardised;

/// Samples handled at a time: their features stay in the processor's cache between scores and gradient.
const CHUNK: usize = 256;
/// Smallest share of the features' mean square that is added to it where curvature is estimated: keeps collinear features solvable.
const FLOOR: f64 = 1e-9;

/// Settings of one regression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogisticConfig {
    /// C: the objective is half the squared length of the weights plus C times the summed cross-entropy. Biases are not penalised.
    pub strength: f64,
    /// Whether a sample counts n / (K n_k), so that all classes count the same.
    pub balanced: bool,
    /// Length of the gradient at which the search ends, of the objective divided by C and the number of samples.
    pub tolerance: f64,
    /// Most steps of the search.
    pub steps: usize,
}

impl Default for LogisticConfig {
    /// C 1 as in scikit-learn, no class weights, 1e-4, 1000 steps (our choice; the paper names none).
    fn default() -> Self {
        Self { strength: 1.0, balanced: false, tolerance: 1e-4, steps: 1000 }
    }
}

/// A fitted classifier.
#[derive(Debug, Clone, PartialEq)]
pub struct Logistic {
    scaling: Standardised,
    /// On standardised features [d, K].
    pub weights: Array2<f64>,
    /// `[K]`; minus infinity for a class that was not there to be learned.
    pub biases: Vec<f64>,
    /// Log-likelihood of the training labels, nats, without class weights.
    pub log_likelihood: f64,
    /// Steps of the search.
    pub steps: usize,
    /// Whether the search ended at the tolerance.
    pub converged: bool,
}

/// Fits features x [n, d], standardised here, and classes `[n]` below `classes`.
///
/// # Errors
/// [`Error::Shape`] for lengths that differ or no sample, [`Error::Feature`] for NaN and infinities, [`Error::Config`] for bad settings.
pub fn logistic_regression(x: ArrayView2<f32>, class: &[usize], classes: usize, config: &LogisticConfig) -> Result<Logistic, Error> {
    check_features(x, class.len())?;
    if !(config.strength.is_finite() && config.strength > 0.0) {
        return Err(Error::Config { field: "strength", expected: "a finite number above 0", got: config.strength.to_string() });
    }
    let problem = Problem::new(x, class, classes, config);
    let found = problem.fit(config.strength, problem.start());
    Ok(problem.logistic(&found))
}

impl Logistic {
    /// Most likely class `[m]` of samples x [m, d].
    pub fn predict(&self, x: ArrayView2<f32>) -> Vec<usize> {
        let z = self.scaling.apply(x);
        let best = |row: ndarray::ArrayView1<f64>| {
            let scores = (0..self.biases.len()).map(|k| self.biases[k] + row.dot(&self.weights.column(k)));
            largest(scores)
        };
        z.rows().into_iter().map(best).collect()
    }
}

/// Refuses features [n, d] that are not finite, or not of `samples` samples.
pub(super) fn check_features(x: ArrayView2<f32>, samples: usize) -> Result<(), Error> {
    if x.nrows() != samples || samples == 0 {
        let expected = format!("{samples} samples as there are labels, at least one");
        return Err(Error::Shape { what: "features".into(), expected, got: x.nrows().to_string() });
    }
    match x.indexed_iter().find(|(_, v)| !v.is_finite()) {
        Some(((row, column), &value)) => Err(Error::Feature { row, column, value }),
        None => Ok(()),
    }
}

fn largest(scores: impl Iterator<Item = f64>) -> usize {
    scores.enumerate().fold((0, f64::NEG_INFINITY), |best, (k, score)| if score > best.1 { (k, score) } else { best }).0
}

/// Standardised features with a last row of ones [d + 1, n]: a sample is a column.
pub(super) struct Design(Mat<f64>);

impl Design {
    fn new(scaling: &Standardised, x: ArrayView2<f32>) -> Self {
        let z = scaling.apply(x);
        let mut design = Mat::full(z.ncols() + 1, z.nrows(), 1.0);
        for (j, row) in z.rows().into_iter().enumerate() {
            design.col_as_slice_mut(j).iter_mut().zip(row).for_each(|(to, v)| *to = *v);
        }
        Self(design)
    }
}

/// The data of one training set, ready to be fitted at any strength.
pub(super) struct Problem {
    scaling: Standardised,
    design: Design,
    /// Classes that have samples, and each sample's place among them.
    present: Vec<usize>,
    class: Vec<usize>,
    classes: usize,
    /// What each sample counts, and their sum.
    weight: Vec<f64>,
    total: f64,
    /// Weighted second moments of the design per sample [d + 1, d + 1], lower triangle.
    moments: Mat<f64>,
    config: LogisticConfig,
}

impl Problem {
    /// From finite features x [n, d] and classes `[n]` below `classes`.
    pub(super) fn new(x: ArrayView2<f32>, class: &[usize], classes: usize, config: &LogisticConfig) -> Self {
        let scaling = Standardised::of(x);
        let design = Design::new(&scaling, x);
        let mut counts = vec![0usize; classes];
        class.iter().for_each(|&k| counts[k] += 1);
        let present: Vec<usize> = (0..classes).filter(|&k| counts[k] > 0).collect();
        let share = |k: usize| class.len() as f64 / (present.len() * counts[k]) as f64;
        let weight: Vec<f64> = class.iter().map(|&k| if config.balanced { share(k) } else { 1.0 }).collect();
        let total = weight.iter().sum();
        let class = class.iter().map(|k| present.partition_point(|p| p < k)).collect();
        let moments = moments(&design, &weight, total);
        Self { scaling, design, present, class, classes, weight, total, moments, config: *config }
    }

    /// No weights, no biases: parameters are [d + 1, classes present], biases last.
    pub(super) fn start(&self) -> Vec<f64> {
        vec![0.0; self.design.0.nrows() * self.present.len()]
    }

    /// Parameters that minimise the objective, searched from `start` on.
    pub(super) fn fit(&self, strength: f64, start: Vec<f64>) -> Minimum {
        let penalty = 1.0 / (strength * self.total);
        let curvature = self.curvature(penalty);
        let rows = self.design.0.nrows();
        let precondition = |v: &mut [f64]| {
            if let Some(curvature) = &curvature {
                curvature.solve_in_place_with_conj(Conj::No, MatMut::from_column_major_slice_mut(v, rows, self.present.len()));
            }
        };
        let objective = |parameters: &[f64], gradient: &mut [f64]| self.objective(penalty, parameters, gradient);
        minimise(start, self.config.tolerance, self.config.steps, precondition, objective)
    }

    /// An estimate of every class's part of the Hessian, factorised: samples of which each class is as likely as any other.
    fn curvature(&self, penalty: f64) -> Option<Llt<f64>> {
        let k = self.present.len() as f64;
        let uncertainty = ((k - 1.0) / (k * k)).max(FLOOR);
        let mut hessian = faer::Scale(uncertainty) * &self.moments;
        let last = hessian.nrows() - 1;
        for i in 0..=last {
            hessian[(i, i)] += uncertainty * FLOOR + if i < last { penalty } else { 0.0 };
        }
        hessian.llt(Side::Lower).ok()
    }

    /// Mean cross-entropy plus `penalty` / 2 times the squared length of the weights; writes the gradient.
    fn objective(&self, penalty: f64, parameters: &[f64], gradient: &mut [f64]) -> f64 {
        let (rows, samples, k) = (self.design.0.nrows(), self.design.0.ncols(), self.present.len());
        let weights = MatRef::from_column_major_slice(parameters, rows, k);
        let mut slope = MatMut::from_column_major_slice_mut(gradient, rows, k);
        slope.fill(0.0);
        let mut scores = Mat::<f64>::zeros(k, CHUNK);
        let mut loss = 0.0;
        for start in (0..samples).step_by(CHUNK) {
            let n = CHUNK.min(samples - start);
            let x = self.design.0.subcols(start, n);
            matmul(scores.subcols_mut(0, n), Accum::Replace, weights.transpose(), x, 1.0, Par::Seq);
            for j in 0..n {
                let (class, weight, scores) = (self.class[start + j], self.weight[start + j], scores.col_as_slice_mut(j));
                loss += weight * cross_entropy(scores, class);
                scores.iter_mut().for_each(|p| *p *= weight);
            }
            matmul(slope.as_mut(), Accum::Add, x, scores.subcols(0, n).transpose(), 1.0 / self.total, Par::Seq);
        }
        let mut length = 0.0;
        for (w, g) in parameters.chunks_exact(rows).zip(gradient.chunks_exact_mut(rows)) {
            for (w, g) in w[..rows - 1].iter().zip(g) {
                length += w * w;
                *g += penalty * w;
            }
        }
        loss / self.total + penalty / 2.0 * length
    }

    /// Other samples x [m, d], standardised as the training samples are.
    pub(super) fn design(&self, x: ArrayView2<f32>) -> Design {
        Design::new(&self.scaling, x)
    }

    /// Most likely classes `[m]`.
    pub(super) fn predict(&self, parameters: &[f64], samples: &Design) -> Vec<usize> {
        let scores = self.scores(parameters, samples);
        (0..scores.ncols()).map(|j| self.present[largest(scores.col_as_slice(j).iter().copied())]).collect()
    }

    /// Scores [classes present, m].
    fn scores(&self, parameters: &[f64], samples: &Design) -> Mat<f64> {
        MatRef::from_column_major_slice(parameters, samples.0.nrows(), self.present.len()).transpose() * &samples.0
    }

    /// The classifier of what was found.
    pub(super) fn logistic(self, found: &Minimum) -> Logistic {
        let mut scores = self.scores(&found.at, &self.design);
        let entropy: f64 = self.class.iter().enumerate().map(|(j, &class)| cross_entropy(scores.col_as_slice_mut(j), class)).sum();
        let rows = self.design.0.nrows();
        let mut weights = Array2::zeros((rows - 1, self.classes));
        let mut biases = vec![f64::NEG_INFINITY; self.classes];
        for (&k, own) in self.present.iter().zip(found.at.chunks_exact(rows)) {
            weights.column_mut(k).iter_mut().zip(own).for_each(|(to, w)| *to = *w);
            biases[k] = own[rows - 1];
        }
        Logistic { scaling: self.scaling, weights, biases, log_likelihood: -entropy, steps: found.steps, converged: found.converged }
    }
}

/// Minus the log probability of `class` under scores `[K]`, which are replaced by the gradient: probabilities minus the truth.
fn cross_entropy(scores: &mut [f64], class: usize) -> f64 {
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let above = top - scores[class];
    let mut sum = 0.0;
    for s in scores.iter_mut() {
        *s = (*s - top).exp();
        sum += *s;
    }
    scores.iter_mut().for_each(|s| *s /= sum);
    scores[class] -= 1.0;
    above + sum.ln()
}

/// Weighted mean of x x^T, lower triangle.
fn moments(design: &Design, weight: &[f64], total: f64) -> Mat<f64> {
    let (rows, samples) = (design.0.nrows(), design.0.ncols());
    let mut moments = Mat::zeros(rows, rows);
    for start in (0..samples).step_by(CHUNK) {
        let x = design.0.subcols(start, CHUNK.min(samples - start));
        let weighted = Mat::from_fn(rows, x.ncols(), |i, j| x[(i, j)] * weight[start + j]);
        let (lower, full) = (BlockStructure::TriangularLower, BlockStructure::Rectangular);
        triangular::matmul(moments.as_mut(), lower, Accum::Add, weighted.as_ref(), full, x.transpose(), full, 1.0 / total, Par::Seq);
    }
    moments
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four classes of which one has no sample, unequal class weights.
    fn problem(balanced: bool) -> Problem {
        let x = Array2::from_shape_fn((40, 3), |(i, j)| ((i * 7 + j * 13 + i * j * 3) % 17) as f32 / 3.0 - 1.0);
        let class: Vec<usize> = (0..40).map(|i| [0, 1, 1, 3, 1][i % 5]).collect();
        Problem::new(x.view(), &class, 4, &LogisticConfig { balanced, ..LogisticConfig::default() })
    }

    #[test]
    fn gradient_by_finite_differences() {
        for balanced in [false, true] {
            let problem = problem(balanced);
            let at: Vec<f64> = (0..problem.start().len()).map(|i| (i as f64 * 0.7).sin()).collect();
            let mut gradient = vec![0.0; at.len()];
            problem.objective(0.3, &at, &mut gradient);
            for i in 0..at.len() {
                let value = |step: f64| {
                    let mut moved = at.clone();
                    moved[i] += step;
                    problem.objective(0.3, &moved, &mut vec![0.0; at.len()])
                };
                let slope = (value(1e-5) - value(-1e-5)) / 2e-5;
                assert!((slope - gradient[i]).abs() < 1e-8, "{i}: {slope} is not {}", gradient[i]);
            }
        }
    }

    #[test]
    fn an_absent_class_is_never_predicted_and_balance_shifts_the_biases() {
        let plain = problem(false);
        let found = plain.fit(1e-6, plain.start());
        let fitted = plain.logistic(&found);
        assert!(fitted.converged);
        assert_eq!(fitted.biases[2], f64::NEG_INFINITY);
        // weights vanish under this penalty: biases are log shares, 1/5, 3/5, 1/5
        assert!((fitted.biases[1] - fitted.biases[0] - 3f64.ln()).abs() < 2e-3, "{:?}", fitted.biases);
        let balanced = problem(true);
        let found = balanced.fit(1e-6, balanced.start());
        let fitted = balanced.logistic(&found);
        assert!((fitted.biases[1] - fitted.biases[0]).abs() < 2e-3, "{:?}", fitted.biases);
    }
}
