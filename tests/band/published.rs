//! Means of our runs against published means of runs that somebody else made.

use retrysim::statistics::student_t;

use crate::band::between;

/// How likely all scores of a family together may exceed their bound, if model and publication agree.
const ALL: f64 = 1e-4;

/// One figure.
#[derive(Debug)]
pub(crate) struct Figure {
    name: String,
    z: f64,
    freedom: f64,
    /// Deviations of our runs from their mean, of length 1; empty if they share no luck with other figures.
    residuals: Vec<f64>,
    /// Which share of the variance of the difference is ours.
    ours: f64,
    /// Which of the published runs it was measured in.
    published_in: String,
}

/// Mean and variance of a sample.
pub(crate) fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0))
}

impl Figure {
    /// `own` runs against a published `mean`, whose variance is `variance` with so many degrees of freedom (infinitely many if it
    /// has none). The degrees of freedom of the difference are those of Welch (1947).
    pub(crate) fn new(
        name: String,
        own: &[f64],
        mean: f64,
        (variance, freedom): (f64, f64),
        published_in: &str,
    ) -> Self {
        let (center, spread) = moments(own);
        let n = own.len() as f64;
        let (ours, theirs) = (spread / n, variance);
        let of_theirs = if theirs > 0.0 { theirs * theirs / freedom } else { 0.0 };
        let freedom = (ours + theirs) * (ours + theirs) / (ours * ours / (n - 1.0) + of_theirs);
        let scale = (spread * (n - 1.0)).sqrt();
        Self {
            name,
            z: (center - mean) / (ours + theirs).sqrt(),
            freedom,
            residuals: own.iter().map(|x| (x - center) / scale).collect(),
            ours: ours / (ours + theirs),
            published_in: published_in.to_owned(),
        }
    }

    /// How the difference goes with that of another figure: as our runs do, which share their luck, and as the published ones
    /// do, if both figures come from the same of them. Those are taken to go together as ours do.
    fn correlation(&self, other: &Self) -> f64 {
        if self.residuals.len() != other.residuals.len() {
            return 0.0;
        }
        let r: f64 = self.residuals.iter().zip(&other.residuals).map(|(a, b)| a * b).sum();
        let theirs = if self.published_in == other.published_in {
            ((1.0 - self.ours) * (1.0 - other.ours)).sqrt()
        } else {
            0.0
        };
        r * ((self.ours * other.ours).sqrt() + theirs)
    }
}

/// Speaks the verdict: no score beyond what one of so many exceeds with probability 1e-4, and rms(z) within its band.
pub(crate) fn judge(family: &str, figures: &[Figure]) {
    let level = ALL / figures.len() as f64;
    let mut complaints = Vec::new();
    for Figure { name, z, freedom, .. } in figures {
        let bound = student_t(level, *freedom as usize);
        if z.abs() > bound {
            complaints.push(format!("{name}: z = {z:.2}, beyond {bound:.2}"));
        }
    }
    let mut squares = 0.0;
    for figure in figures {
        squares += figures.iter().map(|other| figure.correlation(other)).map(|r| r * r).sum::<f64>();
    }
    let freedoms: Vec<f64> = figures.iter().map(|figure| figure.freedom).collect();
    let (low, high) = between(&freedoms, squares);
    let rms = (figures.iter().map(|figure| figure.z * figure.z).sum::<f64>() / figures.len() as f64).sqrt();
    let summary = format!("{family}: {} figures, rms(z) = {rms:.3} in [{low:.3}, {high:.3}]", figures.len());
    println!("{summary}");
    if !(low..=high).contains(&rms) {
        complaints.push(format!("rms(z) = {rms:.3} is not in [{low:.3}, {high:.3}]"));
    }
    assert!(complaints.is_empty(), "{summary}\n{}", complaints.join("\n"));
}
