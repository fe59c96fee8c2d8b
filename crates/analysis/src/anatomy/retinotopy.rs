//! Retinotopy: how readout positions on the monitor run over cortex (paper Figure 5c).

use ndarray::{Array1, Array2, ArrayView2};

use super::labels::Labels;
use crate::error::Error;
use crate::table::{Column, Table};

/// One row per area: `area`; `units` with a soma and a position; the plane that fits best, as `x_per_soma_x`, `x_per_soma_y`,
/// `y_per_soma_x`, `y_per_soma_y` (positions in half monitors, right and down, per um); `r2_x` and `r2_y`, the share of variance it
/// explains; and `field_sign`, 1 where the map is as the monitor is and -1 where it is mirrored, which reverses at the border of two
/// areas. Somata and positions are [n, 2], NaN for missing. Planes and field sign are our choice of summary; the paper shows the map.
///
/// # Errors
/// [`Error::Shape`] for arrays that do not fit.
pub fn retinotopy(area: &Labels, soma: ArrayView2<f64>, position: ArrayView2<f64>) -> Result<Table, Error> {
    for (what, array) in [("somata", soma), ("positions", position)] {
        if array.dim() != (area.len(), 2) {
            return Err(Error::Shape { what: what.into(), expected: format!("[{}, 2]", area.len()), got: format!("{:?}", array.dim()) });
        }
    }
    let planes: Vec<Plane> = area.members().iter().map(|units| Plane::fit(units, soma, position)).collect();
    let column = |value: &dyn Fn(&Plane) -> f64| Column::Float(planes.iter().map(value).collect());
    Ok(Table::from_equal([
        ("area", Column::Text(area.classes.clone())),
        ("units", Column::Integer(planes.iter().map(|p| p.units as i64).collect())),
        ("x_per_soma_x", column(&|p| p.slope[[0, 0]])),
        ("x_per_soma_y", column(&|p| p.slope[[1, 0]])),
        ("y_per_soma_x", column(&|p| p.slope[[0, 1]])),
        ("y_per_soma_y", column(&|p| p.slope[[1, 1]])),
        ("r2_x", column(&|p| p.r2[0])),
        ("r2_y", column(&|p| p.r2[1])),
        ("field_sign", column(&|p| (p.slope[[0, 0]] * p.slope[[1, 1]] - p.slope[[1, 0]] * p.slope[[0, 1]]).signum())),
    ]))
}

/// Positions as a linear function of somata, least squares.
struct Plane {
    units: usize,
    /// [soma axis, position axis].
    slope: Array2<f64>,
    r2: Array1<f64>,
}

impl Plane {
    fn fit(units: &[usize], soma: ArrayView2<f64>, position: ArrayView2<f64>) -> Self {
        let whole = |&&u: &&usize| soma.row(u).iter().chain(position.row(u)).all(|v| v.is_finite());
        let units: Vec<usize> = units.iter().filter(whole).copied().collect();
        let about_mean = |of: ArrayView2<f64>| {
            let rows = of.select(ndarray::Axis(0), &units);
            let mean = rows.mean_axis(ndarray::Axis(0)).unwrap_or_else(|| Array1::zeros(2));
            rows - mean
        };
        let (s, p) = (about_mean(soma), about_mean(position));
        let (ss, sp) = (s.t().dot(&s), s.t().dot(&p));
        let determinant = ss[[0, 0]] * ss[[1, 1]] - ss[[0, 1]] * ss[[1, 0]];
        // somata on a line have no plane; neither have fewer than three
        let singular = units.len() < 3 || determinant <= 1e-12 * ss[[0, 0]] * ss[[1, 1]];
        let inverse = ndarray::array![[ss[[1, 1]], -ss[[0, 1]]], [-ss[[1, 0]], ss[[0, 0]]]] / if singular { f64::NAN } else { determinant };
        let slope = inverse.dot(&sp);
        let left = &p - &s.dot(&slope);
        let squares = |of: &Array2<f64>| of.map_axis(ndarray::Axis(0), |column| column.dot(&column));
        Self { units: units.len(), r2: 1.0 - squares(&left) / squares(&p), slope }
    }
}
