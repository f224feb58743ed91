//! How far a family of results may lie from its references.
//!
//! # One row
//! Every replication gives a numerator and a denominator (failures and requests, say), and the reference v is the ratio of
//! their expectations. Then the residual numerator - v * denominator has expectation exactly 0 in every replication, which
//! the mean of ratios has not, so z = mean residual / (standard deviation / root of the number of replications) is a
//! Student t with one degree of freedom less than there are replications. |z| <= 5 is required. Rows without variance must be
//! equal (1e-9 relative). A share of which fewer than [`FEW`] events are expected over all replications gives no t; it is
//! held against the tolerance that comes with its row, scaled to the number of requests as the reference prescribes.
//!
//! # All rows of a family
//! rms(z) must lie in the band of [`crate::band`]. Rows of one run are correlated (attempts are retries plus one); the r are
//! estimated from the residuals, and noise in them can only widen the band.

use crate::band;
use crate::oracle::Row;

/// Events, expected over all replications, below which a share is held against the tolerance of its row.
const FEW: f64 = 100.0;

/// A numerator and a denominator from each replication.
pub(crate) type Pairs = Vec<(f64, f64)>;

/// The verdict over a family of rows.
#[derive(Debug)]
pub(crate) struct Judge {
    family: &'static str,
    /// z scores and residuals, in groups of rows that were measured in the same runs.
    groups: Vec<Vec<(f64, Vec<f64>)>>,
    exact: usize,
    rare: usize,
    worst: (f64, String),
    complaints: Vec<String>,
}

impl Judge {
    pub(crate) fn new(family: &'static str) -> Self {
        let worst = (0.0, "none".to_owned());
        Self { family, groups: Vec::new(), exact: 0, rare: 0, worst, complaints: Vec::new() }
    }

    /// The rows that follow were measured in runs of their own.
    pub(crate) fn new_runs(&mut self) {
        self.groups.push(Vec::new());
    }

    /// A result that is text must be equal.
    pub(crate) fn text(&mut self, row: &Row, found: &str) {
        self.exact += 1;
        if found != row.value {
            self.complain(row, &format!("{found} instead of {}", row.value));
        }
    }

    /// A number without luck in it must be equal, to 1e-9.
    pub(crate) fn equal(&mut self, row: &Row, found: f64) {
        self.exact += 1;
        let value = row.number();
        // The absolute part is for references that are 0 but for the rounding of the quadrature behind them.
        if !within(found - value, 1e-9 * value.abs() + 1e-12) {
            self.complain(row, &format!("{found} instead of exactly {value}"));
        }
    }

    /// The reference is the ratio of the expectations of the pairs.
    pub(crate) fn ratio(&mut self, row: &Row, pairs: &Pairs) {
        let value = row.number();
        let ratios = || pairs.iter().filter(|pair| pair.1 != 0.0).map(|pair| pair.0 / pair.1);
        let (low, high) = ratios().fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
        if high - low <= 1e-9 * high.abs() {
            return self.equal(row, total(pairs));
        }
        let residuals: Vec<f64> = pairs.iter().map(|pair| pair.0 - value * pair.1).collect();
        let n = residuals.len() as f64;
        let mean = residuals.iter().sum::<f64>() / n;
        let variance = residuals.iter().map(|d| (d - mean) * (d - mean)).sum::<f64>() / (n - 1.0);
        let z = mean / (variance / n).sqrt();
        if !within(z, 5.0) {
            self.complain(row, &format!("{} instead of {value}, z = {z:.2}", total(pairs)));
        }
        if z.abs() > self.worst.0 {
            self.worst = (z.abs(), format!("{} {}", row.id, row.metric));
        }
        let scale = (variance * (n - 1.0)).sqrt();
        let residuals = residuals.into_iter().map(|d| (d - mean) / scale).collect();
        self.groups.last_mut().expect("a judge is told of new runs first").push((z, residuals));
    }

    /// As [`Judge::ratio`], of a share of events or its complement: few events are no basis for a t.
    pub(crate) fn share(&mut self, row: &Row, pairs: &Pairs) {
        let value = row.number();
        let trials = pairs.iter().map(|pair| pair.1).sum();
        self.events(row, pairs, value.min(1.0 - value) * trials, trials);
    }

    /// As [`Judge::ratio`], when `events` are expected in all pairs and the tolerance of the row counts `n`.
    pub(crate) fn events(&mut self, row: &Row, pairs: &Pairs, events: f64, n: f64) {
        let found = total(pairs);
        if events < 1e-6 {
            self.equal(row, found);
        } else if events < FEW {
            self.rare += 1;
            let (value, tolerance) = (row.number(), row.tolerance(n));
            if !within(found - value, tolerance) {
                self.complain(row, &format!("{found} instead of {value} +- {tolerance}"));
            }
        } else {
            self.ratio(row, pairs);
        }
    }

    fn complain(&mut self, row: &Row, what: &str) {
        self.complaints.push(format!("{} {}: {what}", row.id, row.metric));
    }

    /// Speaks the verdict over the family, which must have had `rows` rows.
    pub(crate) fn verdict(mut self, rows: usize) {
        let scores: Vec<f64> = self.groups.iter().flatten().map(|(z, _)| *z).collect();
        let judged = scores.len() + self.exact + self.rare;
        assert_eq!(judged, rows, "every row of {} is judged once", self.family);
        let mut summary = format!("{}: {} rows equal, {} rare", self.family, self.exact, self.rare);
        if !scores.is_empty() {
            let (low, high) = self.band();
            let rms = (scores.iter().map(|z| z * z).sum::<f64>() / scores.len() as f64).sqrt();
            summary += &format!(
                ", {} scored: rms(z) = {rms:.3} in [{low:.3}, {high:.3}], largest |z| = {:.2} ({})",
                scores.len(),
                self.worst.0,
                self.worst.1
            );
            if !(low..=high).contains(&rms) {
                self.complaints.push(format!("rms(z) = {rms:.3} is not in [{low:.3}, {high:.3}]"));
            }
        }
        println!("{summary}");
        assert!(self.complaints.is_empty(), "{summary}\n{}", self.complaints.join("\n"));
    }

    /// Between what rms(z) lies, if model and references agree.
    fn band(&self) -> (f64, f64) {
        let (mut freedoms, mut squares) = (Vec::new(), 0.0);
        for group in &self.groups {
            for (_, residuals) in group {
                freedoms.push(residuals.len() as f64 - 1.0);
                for (_, others) in group {
                    let r: f64 = residuals.iter().zip(others).map(|(a, b)| a * b).sum();
                    squares += r * r;
                }
            }
        }
        band::between(&freedoms, squares)
    }
}

/// True if `x` is no further from 0 than `bound`, which not a number never is.
fn within(x: f64, bound: f64) -> bool {
    x.abs() <= bound
}

/// The ratio over all replications.
fn total(pairs: &Pairs) -> f64 {
    let (numerator, denominator) =
        pairs.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
    numerator / denominator
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::rows;

    fn row() -> Row {
        let row =
            rows().into_iter().find(|row| row.id == "IID-0.5-0" && row.metric.starts_with("P(success)"));
        row.expect("the row is in the data")
    }

    /// Ratios around 0.5, off by `off` standard errors of their mean.
    fn pairs(off: f64) -> Pairs {
        let deviations = (0..60).map(|i| if i % 2 == 0 { 10.0 } else { -10.0 });
        deviations.map(|d| (500.0 + d + off * (100.0 / 59.0f64).sqrt(), 1000.0)).collect()
    }

    fn judged(off: f64) -> Judge {
        let mut judge = Judge::new("self-test");
        judge.new_runs();
        judge.share(&row(), &pairs(off));
        judge
    }

    #[test]
    fn a_score_is_the_distance_in_standard_errors() {
        for off in [-3.0, 0.0, 4.9] {
            let judge = judged(off);
            assert!((judge.groups[0][0].0 - off).abs() < 1e-9, "{off}");
            assert!(judge.complaints.is_empty(), "{off}");
        }
        assert_eq!(judged(5.1).complaints.len(), 1);
        assert_eq!(judged(-5.1).complaints.len(), 1);
    }

    #[test]
    fn rows_that_say_the_same_count_once() {
        let mut twice = judged(1.0);
        twice.share(&row(), &pairs(1.0));
        assert!((twice.band().1 - judged(1.0).band().1).abs() < 1e-9);
    }

    #[test]
    #[should_panic(expected = "rms(z)")]
    fn a_family_whose_rows_are_all_a_little_off_is_refused() {
        let mut judge = Judge::new("self-test");
        for _ in 0..20 {
            judge.new_runs();
            judge.share(&row(), &pairs(2.5));
        }
        judge.verdict(20);
    }

    #[test]
    fn what_does_not_vary_must_be_equal() {
        let mut judge = Judge::new("self-test");
        judge.ratio(&row(), &vec![(1.0, 2.0); 10]);
        assert!(judge.complaints.is_empty());
        judge.ratio(&row(), &vec![(1.000_001, 2.0); 10]);
        assert_eq!(judge.complaints.len(), 1);
    }
}
