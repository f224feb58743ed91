//! Which arm served a workload best: the most successes, then the fewest attempts, then the first in the file.

use super::Results;

/// The arm that won, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Winner {
    /// Its index.
    pub arm: usize,
    /// What decided, in words.
    pub why: String,
}

/// The arm with the highest mean success rate of the workload with this index, of the arms with these indices; of equals the
/// one with the fewest attempts per request, of those the first. `None` of no arms.
pub fn winner(results: &Results, workload: usize, arms: &[usize]) -> Option<Winner> {
    let mean = |arm: usize, measure: &str| {
        results.arms[arm].workloads[workload].named(measure).map(|estimate| estimate.mean)
    };
    // What was not observed loses against everything.
    let success = |arm: usize| mean(arm, "success_rate").unwrap_or(-1.0);
    let attempts = |arm: usize| mean(arm, "attempts_per_request").unwrap_or(f64::INFINITY);
    let arms = arms.iter().copied();
    let most = arms.clone().map(success).fold(-1.0, f64::max);
    let best: Vec<usize> = arms.clone().filter(|&arm| success(arm) == most).collect();
    let fewest = best.iter().map(|&arm| attempts(arm)).fold(f64::INFINITY, f64::min);
    let thrifty: Vec<usize> = best.iter().copied().filter(|&arm| attempts(arm) == fewest).collect();
    let why = match (arms.len(), best.len(), thrifty.len()) {
        (1, ..) => "it is the only one".into(),
        _ if most < 0.0 => "no request ended in any arm; it is the first in the file".into(),
        (_, 1, _) => {
            let second = arms.filter(|&arm| success(arm) < most).map(success).fold(0.0, f64::max);
            let (first, next) = apart(most, second);
            format!("highest success rate: {first}, the next has {next}")
        }
        (_, equals, 1) => format!(
            "{equals} arms have the highest success rate, {}; it makes the fewest attempts per request, {fewest:.3}",
            percent(most)
        ),
        (_, _, equals) => format!(
            "{equals} arms have the highest success rate, {}, and the fewest attempts per request; it is the first in the file",
            percent(most)
        ),
    };
    Some(Winner { arm: *thrifty.first().or(best.first())?, why })
}

/// Two shares in percent, with as many decimals as tell them apart, and each from all if it is not all; up to seven.
fn apart(one: f64, other: f64) -> (String, String) {
    let shares = [one, other];
    let texts = |decimals: usize| shares.map(|share| format!("{:.decimals$} %", share * 100.0));
    let honest = |(text, share): (&String, f64)| share >= 1.0 || !text.starts_with("100.");
    let [one, other] = (2..7)
        .map(texts)
        .find(|texts| texts[0] != texts[1] && texts.iter().zip(shares).all(honest))
        .unwrap_or_else(|| texts(7));
    (one, other)
}

/// A share in percent: all and nothing only if it is exactly that.
fn percent(share: f64) -> String {
    let text = format!("{:.2} %", share * 100.0);
    match text.as_str() {
        "100.00 %" if share < 1.0 => ">99.99 %".into(),
        "0.00 %" if share > 0.0 => "<0.01 %".into(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::{apart, percent};

    #[test]
    fn nearly_all_is_not_all() {
        let said = [1.0, 0.999_96, 0.999_94, 0.5, 0.000_04, 0.0].map(percent);
        assert_eq!(apart(0.999_987, 0.999_981), ("99.999 %".into(), "99.998 %".into()));
        assert_eq!(apart(0.999_987, 0.99), ("99.999 %".into(), "99.000 %".into()));
        assert_eq!(apart(1.0, 0.999_98), ("100.000 %".into(), "99.998 %".into()));
        assert_eq!(said, ["100.00 %", ">99.99 %", "99.99 %", "50.00 %", "<0.01 %", "0.00 %"]);
    }
}
