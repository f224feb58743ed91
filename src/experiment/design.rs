//! Designs: the points of the axes of a sweep, all of a grid or a Latin hypercube.

use crate::error::Error;
use crate::random::{Key, Purpose, unit};
use crate::scenario::{Axis, Span};

/// The most points that a sweep may have.
pub const MOST_POINTS: usize = 10_000;

/// How the points of a sweep are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Design {
    /// Every value of an axis with every value of the others.
    Grid,
    /// So many points, of which each of as many equal parts of every axis holds exactly one.
    LatinHypercube(usize),
}

/// The values of the axes at one point, as they are written.
pub type Values = Vec<String>;

impl Design {
    /// The points over `axes`: of a grid the last axis changes fastest. `seed` decides where those of a hypercube lie.
    ///
    /// # Errors
    /// If there is no axis, if two of them decide on the same field, if a grid has a range without a step, or if there would be
    /// more than [`MOST_POINTS`].
    pub fn points(self, axes: &[Axis], seed: u64) -> Result<Vec<Values>, Error> {
        check(axes).map_err(Error::Usage)?;
        match self {
            Self::Grid => grid(axes).map_err(Error::Usage),
            Self::LatinHypercube(points) => latin_hypercube(axes, points, seed).map_err(Error::Usage),
        }
    }

    /// Its name in `sweep.json`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::LatinHypercube(_) => "latin hypercube",
        }
    }
}

/// True if one of two paths decides on what stands at the other.
pub fn covers(one: &str, other: &str) -> bool {
    let inside = |above: &str, path: &str| {
        path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    inside(one, other) || inside(other, one)
}

fn check(axes: &[Axis]) -> Result<(), String> {
    if axes.is_empty() {
        return Err("a sweep needs an axis: -P PATH=A..B:STEP or -L PATH=X,Y,Z, such as \
             -P workloads.campaign.clients=100..1000:100"
            .into());
    }
    for (index, axis) in axes.iter().enumerate() {
        let path = &axis.path;
        if path == "replications" {
            return Err(
                "replications: it changes how well is measured, not what: leave it to --replications".into(),
            );
        }
        match axes[..index].iter().find(|other| covers(&other.path, path)) {
            Some(other) if other.path == *path => {
                return Err(format!("{path} is an axis twice: give all of its values in one"));
            }
            Some(other) => {
                return Err(format!(
                    "{} and {path} are both axes, but one is inside the other: leave one of them out",
                    other.path
                ));
            }
            None => {}
        }
    }
    Ok(())
}

fn grid(axes: &[Axis]) -> Result<Vec<Values>, String> {
    let values = |axis: &Axis| {
        axis.values().ok_or_else(|| {
            let (path, range) = (&axis.path, written(axis));
            format!(
                "{path}={range} has no step: write one, such as {path}={range}:STEP or {range}:*2, or sample the ranges with --points N"
            )
        })
    };
    let values = axes.iter().map(values).collect::<Result<Vec<_>, _>>()?;
    let count: f64 = values.iter().map(|values| values.len() as f64).product();
    if count > MOST_POINTS as f64 {
        let factors: Vec<String> = values.iter().map(|values| values.len().to_string()).collect();
        return Err(format!(
            "the grid has {} = {count:.0} points, the limit is {MOST_POINTS}: give fewer values, or sample the axes with --points N",
            factors.join(" x ")
        ));
    }
    let mut points = vec![Vec::new()];
    for values in &values {
        let longer = |point: &Values| {
            let point = point.clone();
            values.iter().map(move |value| [point.clone(), vec![value.clone()]].concat()).collect::<Vec<_>>()
        };
        points = points.iter().flat_map(longer).collect();
    }
    Ok(points)
}

fn written(axis: &Axis) -> String {
    match &axis.span {
        Span::List(values) => values.join(","),
        Span::Range(range) => format!("{}..{}", range.low(), range.high()),
    }
}

/// Source: `McKay`, Beckman, Conover, "A comparison of three methods for selecting values of input variables", Technometrics 21,
/// 1979: each axis is cut into as many strata as there are points, each point gets one stratum of every axis, in an order drawn for
/// each axis, and a place in it at random.
fn latin_hypercube(axes: &[Axis], points: usize, seed: u64) -> Result<Vec<Values>, String> {
    if !(1..=MOST_POINTS).contains(&points) {
        return Err(format!("--points {points}: write a number from 1 to {MOST_POINTS}"));
    }
    let mut sampled = vec![Vec::with_capacity(axes.len()); points];
    for axis in axes {
        let values = axis.values();
        for (point, share) in sampled.iter_mut().zip(strata(&axis.path, points, seed)) {
            point.push(match (&axis.span, &values) {
                (_, Some(values)) => {
                    values[((share * values.len() as f64) as usize).min(values.len() - 1)].clone()
                }
                (Span::Range(range), None) => range.at(share),
                (Span::List(_), None) => unreachable!("a list has values"),
            });
        }
    }
    Ok(sampled)
}

/// The places of points on an axis, from 0 to 1, each in a stratum of its own.
fn strata(path: &str, points: usize, seed: u64) -> Vec<f64> {
    let key = Key::derive(seed, 0, Purpose::Sweep, path);
    let luck: Vec<[u64; 2]> = (0..points as u64).map(|point| key.block(point, 0)).collect();
    let mut order: Vec<usize> = (0..points).collect();
    order.sort_by_key(|&point| (luck[point][0], point));
    let mut places = vec![0.0; points];
    for (stratum, point) in order.into_iter().enumerate() {
        places[point] = (stratum as f64 + unit(luck[point][1])) / points as f64;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> Axis {
        Axis::range(text).expect(text)
    }

    #[test]
    fn a_grid_is_the_product_of_its_axes() {
        let axes = [range("a.x=1..2:1"), Axis::list("a.y=u,v,w").expect("a list")];
        let points = Design::Grid.points(&axes, 1).expect("a grid");
        let joined: Vec<String> = points.iter().map(|point| point.join("")).collect();
        assert_eq!(joined, ["1u", "1v", "1w", "2u", "2v", "2w"]);
    }

    #[test]
    fn a_hypercube_hits_each_stratum_of_every_axis_once() {
        let axes = [
            range("a.x=0.0..1.0"),
            range("a.clients=1..50"),
            range("a.wait=10s..60s"),
            Axis::list("a.y=u,v,w,x,y").expect("a list"),
        ];
        for (points, seed) in [(50, 1), (50, 2), (7, 1), (1, 1)] {
            let found = Design::LatinHypercube(points).points(&axes, seed).expect("a hypercube");
            assert_eq!(found.len(), points);
            let strata = |axis: usize, place: &dyn Fn(&str) -> f64| {
                let mut hit: Vec<usize> =
                    found.iter().map(|point| (place(&point[axis]) * points as f64) as usize).collect();
                hit.sort_unstable();
                assert_eq!(hit, (0..points).collect::<Vec<_>>(), "{points} points, axis {axis}");
            };
            strata(0, &|value| value.parse::<f64>().expect("a number"));
            let wait = crate::scenario::Range::parse("10s..60s").expect("a range");
            strata(2, &|value| (wait.number(value).expect("a duration") - 10.0) / 50.0);
            if points == 50 {
                // As many strata as there are clients: each number once; ten strata for each value of the list.
                let mut clients: Vec<usize> =
                    found.iter().map(|point| point[1].parse().expect("whole")).collect();
                clients.sort_unstable();
                assert_eq!(clients, (1..=50).collect::<Vec<_>>());
                for value in ["u", "v", "w", "x", "y"] {
                    assert_eq!(found.iter().filter(|point| point[3] == value).count(), 10, "{value}");
                }
            }
        }
    }

    #[test]
    fn a_hypercube_follows_from_its_seed_and_its_axes_do_not_follow_each_other() {
        let axes = [range("a.x=0.0..1.0"), range("a.y=0.0..1.0")];
        let of = |seed| Design::LatinHypercube(500).points(&axes, seed).expect("a hypercube");
        assert_eq!(of(3), of(3));
        assert_ne!(of(3), of(4));
        // The correlation of two random orders of n has standard error 1 / sqrt(n - 1) = 0.045.
        let numbers = |axis: usize| {
            of(3).iter().map(|point| point[axis].parse::<f64>().expect("a number") - 0.5).collect::<Vec<_>>()
        };
        let covariance: f64 = numbers(0).iter().zip(numbers(1)).map(|(x, y)| x * y).sum::<f64>() / 500.0;
        assert!((covariance * 12.0).abs() < 0.2, "{covariance}");
    }

    #[test]
    fn axes_that_make_no_sweep_are_refused() {
        let refused = |design: Design, axes: &[Axis], why: &str| {
            let message = design.points(axes, 1).expect_err(why).to_string();
            assert!(message.contains(why), "{message}");
        };
        refused(Design::Grid, &[], "needs an axis");
        refused(Design::Grid, &[range("a.x=1..5")], "a.x=1..5 has no step");
        refused(Design::Grid, &[range("a.x=1..5:1"), range("a.x=6..9:1")], "twice");
        refused(Design::Grid, &[range("a.x=1..5:1"), range("a.x.y=6..9:1")], "one is inside the other");
        refused(Design::Grid, &[range("replications=1..5:1")], "--replications");
        let many = |path: &str| range(&format!("{path}=1..1000:1"));
        refused(
            Design::Grid,
            &[many("a.x"), many("a.y")],
            "1000 x 1000 = 1000000 points, the limit is 10000",
        );
        refused(Design::LatinHypercube(10_001), &[many("a.x")], "from 1 to 10000");
        assert!(!covers("a.x", "a.xy") && covers("a.x.y", "a.x"));
    }
}
