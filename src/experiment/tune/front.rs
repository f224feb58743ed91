//! The Pareto front: what no other candidate beats in one objective without losing in another; and its knee.

use super::aims::Aims;
use crate::experiment::observe::Row;

/// The indices of the points that no other dominates, those with the same costs once, by their first cost. Less is better.
pub(super) fn front(costs: &[Vec<f64>]) -> Vec<usize> {
    let dominates = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| a <= b) && a != b;
    let beaten = |index: usize| {
        let (before, here) = (&costs[..index], &costs[index]);
        costs.iter().any(|other| dominates(other, here)) || before.contains(here)
    };
    let mut left: Vec<usize> = (0..costs.len()).filter(|&index| !beaten(index)).collect();
    let order = |a: &usize, b: &usize| {
        let pairs = costs[*a].iter().zip(&costs[*b]);
        pairs.map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne()).unwrap_or(a.cmp(b))
    };
    left.sort_by(order);
    left
}

/// The point of a front where giving up a little more in one cost no longer wins much in another: of the first two costs, each
/// from 0 to 1 along the front, the one farthest below the line between the ends (I. Das, On characterizing the "knee" of the
/// Pareto curve, Structural Optimization 18, 1999). `None` of fewer than three points, or if none lies below the line.
pub(super) fn knee(costs: &[Vec<f64>]) -> Option<usize> {
    if costs.len() < 3 || costs[0].len() < 2 || costs.iter().flatten().any(|cost| !cost.is_finite()) {
        return None;
    }
    let range = |axis: usize| {
        let values = || costs.iter().map(move |cost| cost[axis]);
        (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max))
    };
    let scaled = |cost: &[f64], axis: usize| {
        let (low, high) = range(axis);
        if high > low { (cost[axis] - low) / (high - low) } else { 0.0 }
    };
    // The line runs from (0, 1) to (1, 0).
    let below = |index: &usize| 1.0 - scaled(&costs[*index], 0) - scaled(&costs[*index], 1);
    let best = (0..costs.len()).max_by(|a, b| below(a).total_cmp(&below(b)).then(b.cmp(a)))?;
    (below(&best) > 1e-9).then_some(best)
}

/// At most `most` of `ordered`, spread over it, both ends among them.
pub(super) fn thin(ordered: &[usize], most: usize) -> Vec<usize> {
    if ordered.len() <= most {
        return ordered.to_vec();
    }
    let last = ordered.len() - 1;
    let mut kept: Vec<usize> =
        (0..most).map(|step| ordered[step * last / most.saturating_sub(1).max(1)]).collect();
    kept.dedup();
    kept
}

/// The costs of a candidate, one for each objective.
pub(super) fn costs(aims: &Aims, rows: &[Row]) -> Vec<f64> {
    aims.objectives.iter().map(|aim| aims.cost(rows, *aim)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_front_is_what_nothing_beats() {
        let costs = [[3.0, 1.0], [1.0, 3.0], [2.0, 2.0], [3.0, 3.0], [2.0, 2.0], [2.0, 2.5]].map(Vec::from);
        assert_eq!(front(&costs), [1, 2, 0]);
        assert_eq!(front(&[vec![2.0], vec![1.0], vec![f64::INFINITY]]), [1]);
    }

    #[test]
    fn the_knee_is_the_corner() {
        let curve = [[0.0, 100.0], [1.0, 10.0], [2.0, 8.0], [10.0, 0.0]].map(Vec::from);
        assert_eq!(knee(&curve), Some(1));
        let line = [[0.0, 2.0], [1.0, 1.0], [2.0, 0.0]].map(Vec::from);
        assert_eq!(knee(&line), None);
        assert_eq!(knee(&line[..2]), None);
    }

    #[test]
    fn a_thinned_front_keeps_its_ends() {
        assert_eq!(thin(&[5, 6, 7], 3), [5, 6, 7]);
        assert_eq!(thin(&[0, 1, 2, 3, 4, 5, 6], 3), [0, 3, 6]);
    }
}
