//! Linear mixed model with a random intercept (Fig. 2c: accuracy by visual area, mice as groups) and its Wald test.
//!
//! value = intercept + effect of the level + u_group + e, with u and e normal. Everything but the ratio of the variances of u and e has
//! a closed form given that ratio, so the likelihood is maximised over one number: a zero of its derivative is bracketed on a grid
//! and bisected.

use faer::linalg::solvers::{Llt, Solve};
use faer::{Mat, Side};

use super::chi_square_upper;
use crate::error::Error;

/// How the variances are estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Estimation {
    /// Restricted maximum likelihood: unbiased for balanced data.
    #[default]
    Reml,
    /// Maximum likelihood: what likelihood-ratio tests of fixed effects need.
    Ml,
}

/// A fitted linear mixed model with one categorical fixed effect and a random intercept by group.
#[derive(Debug, Clone, PartialEq)]
pub struct MixedModel {
    /// Mean of the first level, then the difference of each further level from it `[levels]`.
    pub coefficients: Vec<f64>,
    /// Standard errors of the coefficients `[levels]`.
    pub standard_errors: Vec<f64>,
    /// Variance between groups; 0 where the groups differ by no more than the residuals explain.
    pub group_variance: f64,
    /// Variance within groups.
    pub residual_variance: f64,
    /// Maximised (restricted) log-likelihood.
    pub log_likelihood: f64,
    /// Wald statistic of all differences between levels, b' Cov(b)^-1 b. For balanced data of one value per level and group with REML,
    /// 3 F of the two-way analysis of variance for four levels (unless the group variance is 0).
    pub wald: f64,
    /// Degrees of freedom of the Wald test, levels - 1.
    pub df: usize,
    /// P-value of the Wald test from the chi-square distribution.
    pub p: f64,
}

/// Ratios of group to residual variance between which a maximum is looked for.
const RATIOS: [f64; 2] = [1e-8, 1e8];
/// Grid points per decade of the ratio; the likelihood of one variance ratio has no finer structure.
const PER_DECADE: i32 = 8;

impl MixedModel {
    /// Fits values `[n]` with their level `[n]` of the fixed effect and their group `[n]`, both counted from 0 without gaps. Values that
    /// are NaN are left out.
    ///
    /// # Errors
    /// [`Error::Shape`] if lengths differ, [`Error::TooFew`] for fewer than two levels or groups, a level or group without a value, or
    /// fewer values than levels + 1, [`Error::Value`] for an infinite value, [`Error::NoSpread`] if levels and groups explain
    /// everything.
    pub fn fit(values: &[f64], level: &[usize], group: &[usize], estimation: Estimation) -> Result<Self, Error> {
        let data = Data::new(values, level, group)?;
        let fit_at = |ratio: f64| data.at(ratio, estimation);
        let [low, high] = RATIOS.map(f64::log10);
        let grid: Vec<f64> = (0..=((high - low) as i32 * PER_DECADE)).map(|i| 10f64.powf(low + f64::from(i) / f64::from(PER_DECADE))).collect();
        let mut best = fit_at(0.0)?;
        let mut before = best.slope;
        for pair in std::iter::once(0.0).chain(grid.iter().copied()).zip(&grid) {
            let (mut inside, mut outside) = (pair.0, *pair.1);
            let after = fit_at(outside)?.slope;
            // A maximum: the log-likelihood rises at the lower end and falls at the upper.
            if before > 0.0 && after <= 0.0 {
                while outside - inside > 4.0 * f64::EPSILON * outside {
                    let middle = inside + (outside - inside) / 2.0;
                    *(if fit_at(middle)?.slope > 0.0 { &mut inside } else { &mut outside }) = middle;
                }
                let found = fit_at(outside)?;
                best = if found.log_likelihood > best.log_likelihood { found } else { best };
            }
            before = after;
        }
        if before > 0.0 {
            return Err(Error::NoSpread { what: "residuals of the mixed model" });
        }
        best.model(data.centre)
    }
}

/// Sums over each group that the likelihood needs.
struct Data {
    /// Mean of all values, taken off them against rounding.
    centre: f64,
    n: usize,
    /// Number of values [groups][levels].
    counts: Vec<Vec<f64>>,
    /// Sum of centred values `[groups]`.
    sums: Vec<f64>,
    /// X'y `[levels]`: sum of centred values, of all levels and of each level but the first.
    xy: Vec<f64>,
    yy: f64,
}

/// The model at one ratio of variances.
struct At {
    ratio: f64,
    beta: Vec<f64>,
    /// (X' V^-1 X)^-1 for a residual variance of 1 [levels, levels].
    covariance: Mat<f64>,
    residual_variance: f64,
    log_likelihood: f64,
    /// Twice the derivative of the log-likelihood by the ratio.
    slope: f64,
}

impl Data {
    fn new(values: &[f64], level: &[usize], group: &[usize]) -> Result<Self, Error> {
        for (what, got) in [("levels of the fixed effect", level.len()), ("groups", group.len())] {
            if got != values.len() {
                return Err(Error::Shape { what: what.into(), expected: values.len().to_string(), got: got.to_string() });
            }
        }
        let rows: Vec<(f64, usize, usize)> =
            values.iter().zip(level).zip(group).filter(|((v, _), _)| !v.is_nan()).map(|((&v, &l), &g)| (v, l, g)).collect();
        if let Some((index, &value)) = values.iter().enumerate().find(|(_, v)| v.is_infinite()) {
            return Err(Error::Value { what: "values of the mixed model", expected: "finite, or NaN where missing", index, value });
        }
        let seen = |of: fn(&(f64, usize, usize)) -> usize| {
            let mut seen: Vec<usize> = rows.iter().map(of).collect();
            seen.sort_unstable();
            seen.dedup();
            seen.len()
        };
        let (levels, groups) = (seen(|r| r.1), seen(|r| r.2));
        let named = |of: &[usize]| of.iter().max().map_or(0, |most| most.saturating_add(1));
        for (what, needed, got) in [
            ("levels of the fixed effect with a value", named(level).max(2), levels),
            ("groups with a value", named(group).max(2), groups),
            ("values of the mixed model", levels + 1, rows.len()),
        ] {
            if got < needed {
                return Err(Error::TooFew { what, needed, got });
            }
        }
        let centre = rows.iter().map(|r| r.0).sum::<f64>() / rows.len() as f64;
        let mut data =
            Self { centre, n: rows.len(), counts: vec![vec![0.0; levels]; groups], sums: vec![0.0; groups], xy: vec![0.0; levels], yy: 0.0 };
        for (value, level, group) in rows {
            let y = value - centre;
            data.counts[group][level] += 1.0;
            data.sums[group] += y;
            data.xy[0] += y;
            if level > 0 {
                data.xy[level] += y;
            }
            data.yy += y * y;
        }
        Ok(data)
    }

    /// Row sums of the design over a group: its size, then its values of each level but the first.
    fn design_sum(&self, group: usize) -> Vec<f64> {
        let counts = &self.counts[group];
        std::iter::once(counts.iter().sum()).chain(counts[1..].iter().copied()).collect()
    }

    /// Generalised least squares and the likelihood profiled over the coefficients and the residual variance.
    fn at(&self, ratio: f64, estimation: Estimation) -> Result<At, Error> {
        let levels = self.xy.len();
        let no_spread = || Error::NoSpread { what: "residuals of the mixed model" };
        // X' V^-1 X and its derivative by the ratio; V = I + ratio 11' within a group, so V^-1 = I - ratio / (1 + ratio n_g) 11'.
        let (mut a, mut da) = (Mat::<f64>::zeros(levels, levels), Mat::<f64>::zeros(levels, levels));
        let mut b = Mat::from_fn(levels, 1, |i, _| self.xy[i]);
        let (mut yy, mut ln_det, mut dln_det) = (self.yy, 0.0, 0.0);
        let designs: Vec<Vec<f64>> = (0..self.sums.len()).map(|g| self.design_sum(g)).collect();
        for (x, (counts, &y)) in designs.iter().zip(self.counts.iter().zip(&self.sums)) {
            let shrink = 1.0 / (1.0 + ratio * x[0]);
            for i in 0..levels {
                for j in 0..levels {
                    let within = if i == 0 {
                        x[j]
                    } else if j == 0 || i == j {
                        counts[i]
                    } else {
                        0.0
                    };
                    a[(i, j)] += within - ratio * shrink * x[i] * x[j];
                    da[(i, j)] -= shrink * shrink * x[i] * x[j];
                }
                b[(i, 0)] -= ratio * shrink * x[i] * y;
            }
            yy -= ratio * shrink * y * y;
            ln_det += (ratio * x[0]).ln_1p();
            dln_det += x[0] * shrink;
        }
        let factor = Llt::new(a.as_ref(), Side::Lower).map_err(|_| no_spread())?;
        let beta = factor.solve(&b);
        let covariance = factor.solve(Mat::<f64>::identity(levels, levels));
        let dot = |x: &[f64]| x.iter().enumerate().map(|(i, x)| x * beta[(i, 0)]).sum::<f64>();
        let squares = yy - (0..levels).map(|i| b[(i, 0)] * beta[(i, 0)]).sum::<f64>();
        if squares.is_nan() || squares <= self.yy * 1e-14 {
            return Err(no_spread());
        }
        let dsquares: f64 = designs.iter().zip(&self.sums).map(|(x, y)| -((y - dot(x)) / (1.0 + ratio * x[0])).powi(2)).sum();
        let (free, ln_design, dln_design) = match estimation {
            Estimation::Ml => (self.n as f64, 0.0, 0.0),
            Estimation::Reml => {
                let ln_design = (0..levels).map(|i| 2.0 * factor.L()[(i, i)].ln()).sum::<f64>();
                let trace = (0..levels).map(|i| (0..levels).map(|j| covariance[(i, j)] * da[(j, i)]).sum::<f64>()).sum::<f64>();
                ((self.n - levels) as f64, ln_design, trace)
            }
        };
        let residual_variance = squares / free;
        let log_likelihood = -0.5 * (free * (1.0 + (std::f64::consts::TAU * residual_variance).ln()) + ln_det + ln_design);
        let slope = -(free * dsquares / squares + dln_det + dln_design);
        let beta = (0..levels).map(|i| beta[(i, 0)]).collect();
        Ok(At { ratio, beta, covariance, residual_variance, log_likelihood, slope })
    }
}

impl At {
    fn model(self, centre: f64) -> Result<MixedModel, Error> {
        let df = self.beta.len() - 1;
        let block = Mat::from_fn(df, df, |i, j| self.covariance[(i + 1, j + 1)] * self.residual_variance);
        let b = Mat::from_fn(df, 1, |i, _| self.beta[i + 1]);
        let factor = Llt::new(block.as_ref(), Side::Lower).map_err(|_| Error::NoSpread { what: "covariance of the fixed effect" })?;
        let solved = factor.solve(&b);
        let wald = (0..df).map(|i| b[(i, 0)] * solved[(i, 0)]).sum();
        let mut coefficients = self.beta;
        coefficients[0] += centre;
        Ok(MixedModel {
            standard_errors: (0..=df).map(|i| (self.covariance[(i, i)] * self.residual_variance).sqrt()).collect(),
            coefficients,
            group_variance: self.ratio * self.residual_variance,
            residual_variance: self.residual_variance,
            log_likelihood: self.log_likelihood,
            wald,
            df,
            p: chi_square_upper(wald, df),
        })
    }
}
