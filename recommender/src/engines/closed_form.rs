//! Ridge regressions from courses to courses, solved at once.
//!
//! Both EASE and SLIST have the form: for each course j, the column `b` that minimises
//! `‖y_j - X b‖² + ridge ‖b‖²` with `b_j = 0`. With `A = XᵀX + ridge I` and `M = XᵀY`, the columns are
//! `B = A⁻¹ (M - diag(μ))` with `μ_j = (A⁻¹ M)_jj / (A⁻¹)_jj` (Steck, "Embarrassingly shallow
//! autoencoders", WWW 2019; Choi et al., "Session-aware linear item-item models", WWW 2021).

use faer::linalg::solvers::DenseSolveCore;
use faer::{Mat, Side};

use super::sparse::{Occurrences, Sparse};
use crate::FitError;

/// The courses that take part: those taken most, since the cost grows with their cube.
pub(crate) struct Members {
    /// Course → row, or `u32::MAX`.
    row_of: Vec<u32>,
    courses: Vec<u32>,
}

impl Members {
    pub(crate) fn new(places: &Occurrences, courses: usize, most: usize) -> Self {
        let mut members: Vec<u32> = (0..courses as u32).filter(|&c| places.count(c) > 0).collect();
        members.sort_by_key(|&c| (std::cmp::Reverse(places.count(c)), c));
        members.truncate(most);
        members.sort_unstable();
        let mut row_of = vec![u32::MAX; courses];
        for (row, &course) in (0_u32..).zip(&members) {
            row_of[course as usize] = row;
        }
        Self { row_of, courses: members }
    }

    pub(crate) fn len(&self) -> usize {
        self.courses.len()
    }

    /// The row of a course that takes part.
    pub(crate) fn row(&self, course: u32) -> Option<usize> {
        match self.row_of.get(course as usize) {
            None | Some(&u32::MAX) => None,
            Some(&row) => Some(row as usize),
        }
    }
}

/// `B` as course × course, the `keep` largest weights of each row. Without `cross`, `M` is `XᵀX`; the
/// formula is then `-P_ij / P_jj` for `P = A⁻¹`, and one product of matrices less.
pub(crate) fn solve(
    engine: &str,
    members: &Members,
    mut gram: Mat<f32>,
    cross: Option<&Mat<f32>>,
    ridge: f32,
    keep: usize,
) -> Result<Sparse, FitError> {
    let size = members.len();
    for at in 0..size {
        gram[(at, at)] += ridge;
    }
    let factor = gram.llt(Side::Lower).map_err(|error| FitError::Engine {
        engine: engine.to_owned(),
        reason: format!("no Cholesky factor with ridge {ridge}: {error:?}"),
    })?;
    let inverse = factor.inverse();
    drop(factor);
    // Transposed, so that a course's weights stand together: (A⁻¹ M)ᵀ = Mᵀ A⁻¹, A being symmetric.
    let product = cross.map(|cross| cross.transpose() * &inverse);
    let own: Vec<f32> =
        (0..size).map(|at| product.as_ref().map_or(1.0, |product| product[(at, at)]) / inverse[(at, at)]).collect();
    Ok(Sparse::build(members.row_of.len(), keep, |course, out| {
        if let Some(row) = members.row(course) {
            for (column, &other) in members.courses.iter().enumerate() {
                if column != row {
                    let all = product.as_ref().map_or(0.0, |product| product[(column, row)]);
                    out.add(other, all - own[column] * inverse[(column, row)]);
                }
            }
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Interaction;

    #[test]
    fn the_short_formula_gives_the_weights_of_the_long_one() {
        let histories: Vec<Vec<Interaction>> = [[0, 1, 2], [0, 1, 3], [1, 2, 3], [0, 2, 1]]
            .map(|courses| courses.map(|course| Interaction::new(course, 0)).to_vec())
            .to_vec();
        let slices: Vec<&[Interaction]> = histories.iter().map(Vec::as_slice).collect();
        let members = Members::new(&Occurrences::new(4, &slices), 4, 10);
        let mut gram = Mat::<f32>::zeros(4, 4);
        for history in &histories {
            for a in history {
                for b in history {
                    gram[(a.course as usize, b.course as usize)] += 1.0;
                }
            }
        }
        let short = solve("test", &members, gram.clone(), None, 2.0, 10).expect("a factor");
        let long = solve("test", &members, gram.clone(), Some(&gram), 2.0, 10).expect("a factor");
        for (from, to) in [(0, 1), (1, 0), (2, 3), (3, 0)] {
            let (short, long) = (short.get(from, to), long.get(from, to));
            assert!((short - long).abs() < 1e-4 && short != 0.0, "{short} {long}");
        }
    }
}
