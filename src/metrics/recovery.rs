//! Recovery: how long after an incident things are as good as before it.
//!
//! The level before is the mean goodput from the start of the run, or from the end of the incident before, to the start
//! of this one; or the mean rate at which requests arrived in that time if that is less, as more succeed than arrive only
//! while a backlog is worked off. The workload has recovered with the first success from which on the goodput reaches 95 % of
//! that level on average over a stretch as long as the incident (at least a minute), and over the first tenth of that stretch
//! as well. A stretch and not every moment to come, because counts fluctuate: a healthy Poisson stream of 10/s stays below
//! 95 % in every second second. Where all requests have ended before the stretch is over, the part until then is what counts;
//! if that is less than a tenth of it, there was nothing left to recover. A stretch may end where the next incident begins as
//! well, but then a workload that has not recovered by then is followed further. Incidents that overlap, or with less than a
//! tenth of the stretch between them, are one.
//!
//! Stretches are looked at in whole steps of the window in which peaks are measured; in longer ones where these would be too
//! many ([`Goodput::step`]).

use std::ops::Range;

use super::ruler::Ruler;
use crate::time::{Instant, Interval};

/// Steps of one workload at most, and of all workloads together, so that the memory is bounded.
const MAX_STEPS: (u64, u64) = (1_000_000, 4_000_000);

/// Successes and arrivals per step of time, finer than the time series.
#[derive(Debug, Clone)]
pub struct Goodput {
    ruler: Ruler,
    steps: Vec<Step>,
}

/// What is counted in one step.
#[derive(Debug, Clone, Copy)]
struct Step {
    arrivals: u32,
    successes: u32,
    /// When the first success came, in nanoseconds.
    first: u64,
}

impl Step {
    const EMPTY: Self = Self { arrivals: 0, successes: 0, first: u64::MAX };
}

impl Goodput {
    /// How long a step is in a run of `horizon` with so many workloads: `window`, or the least multiple of it that makes no
    /// more than a million steps of one workload and four millions of all.
    pub fn step(window: Interval, horizon: Interval, workloads: usize) -> Interval {
        let window = window.as_nanos().max(1);
        let most = (MAX_STEPS.1 / workloads.max(1) as u64).clamp(1, MAX_STEPS.0);
        Interval::from_nanos(window * horizon.as_nanos().div_ceil(window).div_ceil(most))
    }

    /// Nothing counted yet, in steps of `step` (above 0s) over `horizon`.
    pub fn new(step: Interval, horizon: Interval) -> Self {
        let ruler = Ruler::new(step);
        let steps = horizon.as_nanos().div_ceil(ruler.width());
        Self { ruler, steps: vec![Step::EMPTY; steps as usize] }
    }

    /// Counts an arrival at `at`, which lies within the horizon.
    #[inline]
    pub fn arrived(&mut self, at: Instant) {
        self.steps[self.ruler.step_of(at) as usize].arrivals += 1;
    }

    /// Counts a success at `at`, which lies within the horizon.
    #[inline]
    pub fn succeeded(&mut self, at: Instant) {
        let step = &mut self.steps[self.ruler.step_of(at) as usize];
        step.successes += 1;
        step.first = step.first.min(at.as_nanos());
    }

    /// The sums that many recoveries can be told from.
    pub fn summed(&self) -> Summed {
        let (mut arrivals, mut successes) = (vec![0], vec![0]);
        for (index, step) in self.steps.iter().enumerate() {
            arrivals.push(arrivals[index] + u64::from(step.arrivals));
            successes.push(successes[index] + u64::from(step.successes));
        }
        Summed {
            step: self.ruler.width(),
            arrivals,
            successes,
            first: self.steps.iter().map(|step| step.first).collect(),
        }
    }
}

/// Arrivals and successes before each step, and the first success in each, in nanoseconds.
#[derive(Debug, Clone)]
pub struct Summed {
    step: u64,
    arrivals: Vec<u64>,
    successes: Vec<u64>,
    first: Vec<u64>,
}

impl Summed {
    const fn steps(&self) -> usize {
        self.first.len()
    }

    /// The step in which `at` lies.
    const fn step_of(&self, at: Instant) -> usize {
        (at.as_nanos() / self.step) as usize
    }

    /// The first step that does not begin before `at`.
    const fn first_from(&self, at: Instant) -> usize {
        at.as_nanos().div_ceil(self.step) as usize
    }

    /// On how many steps goodput must be back.
    fn stretch(&self, incident: (Instant, Instant)) -> usize {
        let stretch = incident.1.since(incident.0).max(Interval::from_secs(60));
        stretch.as_nanos().div_ceil(self.step) as usize
    }

    /// How many whole steps lie between two incidents.
    const fn between(&self, incident: (Instant, Instant), next: Instant) -> usize {
        self.step_of(next).saturating_sub(self.first_from(incident.1))
    }

    /// Mean successes per step.
    fn mean(&self, steps: Range<usize>) -> f64 {
        (self.successes[steps.end] - self.successes[steps.start]) as f64 / steps.len() as f64
    }

    /// Mean successes per step, or arrivals if those are fewer.
    fn level(&self, steps: Range<usize>) -> f64 {
        let arrivals = self.arrivals[steps.end] - self.arrivals[steps.start];
        self.mean(steps.clone()).min(arrivals as f64 / steps.len() as f64)
    }

    /// When the first success came in these steps or behind them.
    fn success_from(&self, step: usize) -> Option<Instant> {
        let first = self.first[step..].iter().find(|&&first| first != u64::MAX);
        first.map(|&nanos| Instant::from_nanos(nanos))
    }
}

/// What became of a workload after an incident.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Recovery {
    /// Goodput was back with a success so many seconds after the end of the incident.
    After(f64),
    /// Goodput never came back within the run.
    Never,
    /// There was nothing to recover: no goodput before, or no request left after.
    NotObserved,
}

impl Recovery {
    /// The recoveries of the workload with this `goodput` from incidents in these windows, in order of time, when the last
    /// request ended at `quiet`.
    pub fn of_all(goodput: &Summed, windows: &[(Instant, Instant)], quiet: Instant) -> Vec<Self> {
        let mut incidents: Vec<(Instant, Instant)> = Vec::new();
        for &(begins, over) in windows {
            match incidents.last_mut() {
                Some(last) if goodput.between(*last, begins) < goodput.stretch(*last).div_ceil(10) => {
                    last.1 = last.1.max(over);
                }
                _ => incidents.push((begins, over)),
            }
        }
        let mut earlier = Instant::START;
        let recovery = |(index, &incident): (usize, &(Instant, Instant))| {
            let next = incidents.get(index + 1).map(|next| next.0);
            let recovery = Self::of(goodput, incident, (earlier, next), quiet);
            earlier = incident.1;
            recovery
        };
        incidents.iter().enumerate().map(recovery).collect()
    }

    /// The recovery of the workload with this `goodput` from an incident in the window `incident`, when the incident before
    /// it was over at `earlier`, the one behind it begins at `next` and the last request ended at `quiet`.
    fn of(
        goodput: &Summed,
        incident: (Instant, Instant),
        (earlier, next): (Instant, Option<Instant>),
        quiet: Instant,
    ) -> Self {
        let (from, begins) = (goodput.first_from(earlier), goodput.step_of(incident.0));
        let over = goodput.first_from(incident.1);
        let end = goodput.first_from(quiet).min(goodput.steps());
        if begins <= from || over >= end {
            return Self::NotObserved;
        }
        let level = goodput.level(from..begins);
        let stretch = goodput.stretch(incident);
        let tenth = stretch.div_ceil(10);
        // A stretch may be cut short where the work is done, but not where only the run is over.
        let done = goodput.first_from(quiet) < goodput.steps();
        let least = if done { tenth } else { stretch };
        if level == 0.0 {
            return Self::NotObserved;
        }
        // The first start of a stretch of at least so many steps, before `end`, on which all is well.
        let first = |least: usize, end: usize| {
            let reaches =
                |start: usize, steps: usize| goodput.mean(start..(start + steps).min(end)) >= 0.95 * level;
            (over..(end + 1).saturating_sub(least))
                .find(|&start| reaches(start, tenth) && reaches(start, stretch))
        };
        let before_next = next.and_then(|next| first(tenth, end.min(goodput.step_of(next))));
        if before_next.is_none() && over + least > end {
            return Self::NotObserved;
        }
        // A stretch may begin before anything comes, if enough comes later in it.
        let back = before_next.or_else(|| first(least, end)).and_then(|start| goodput.success_from(start));
        back.map_or(Self::Never, |at| Self::After(at.since(incident.1).as_secs_f64()))
    }

    /// The recovery time in seconds; infinite for never, `None` if not observed.
    pub fn seconds(self) -> Option<f64> {
        match self {
            Self::After(seconds) => Some(seconds),
            Self::Never => Some(f64::INFINITY),
            Self::NotObserved => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::START + Interval::from_secs(seconds)
    }

    /// Steps of ten seconds with the given successes, and 100 arrivals in each.
    fn series(successes: &[u64]) -> Summed {
        let mut goodput =
            Goodput::new(Interval::from_secs(10), Interval::from_secs(10 * successes.len() as u64));
        for (step, &count) in successes.iter().enumerate() {
            (0..100).for_each(|_| goodput.arrived(at(10 * step as u64)));
            (0..count).for_each(|_| goodput.succeeded(at(10 * step as u64)));
        }
        goodput.summed()
    }

    /// Healthy at 100 per step for 10 steps, an incident of a minute, then `after`.
    fn after(after: &[u64]) -> Recovery {
        let mut successes = vec![100; 10];
        successes.extend([0; 6]);
        successes.extend(after);
        let end = at(10 * successes.len() as u64);
        Recovery::of(&series(&successes), (at(100), at(160)), (Instant::START, None), end)
    }

    #[test]
    fn recovery_is_timed_from_the_end_of_the_incident() {
        assert_eq!(after(&[100; 20]), Recovery::After(0.0));
        assert_eq!(after(&[[0; 3].as_slice(), &[100; 20]].concat()), Recovery::After(30.0));
        // A backlog that drains faster than the load came in does not date the recovery back.
        assert_eq!(after(&[[0; 3].as_slice(), &[200; 20]].concat()), Recovery::After(30.0));
        // One good step is not a recovery.
        assert_eq!(after(&[[0, 100, 0, 0].as_slice(), &[100; 20]].concat()), Recovery::After(40.0));
    }

    #[test]
    fn noise_does_not_hide_a_recovery_and_a_collapse_is_never() {
        assert_eq!(after(&[90, 110, 95, 105, 92, 108, 97, 103, 91, 109, 98, 102]), Recovery::After(10.0));
        assert_eq!(after(&[40; 30]), Recovery::Never);
        // A lucky last step does not make a recovery of a collapse.
        assert_eq!(after(&[[40; 29].as_slice(), &[120]].concat()), Recovery::Never);
    }

    #[test]
    fn nothing_before_or_nothing_after_is_not_a_recovery() {
        let successes = [100; 30];
        assert_eq!(
            Recovery::of(&series(&successes), (at(0), at(60)), (at(0), None), at(300)),
            Recovery::NotObserved
        );
        assert_eq!(
            Recovery::of(&series(&successes), (at(100), at(160)), (at(0), None), at(150)),
            Recovery::NotObserved
        );
        assert_eq!(
            Recovery::of(&series(&[0; 30]), (at(100), at(160)), (at(0), None), at(300)),
            Recovery::NotObserved
        );
    }

    #[test]
    fn the_next_incident_ends_what_is_looked_at_and_those_close_together_are_one() {
        let healthy = [100; 10];
        let (down, two) = ([0; 6], [100; 2]);
        let recoveries = |parts: &[&[u64]], windows: &[(u64, u64)]| {
            let successes = parts.concat();
            let windows: Vec<_> = windows.iter().map(|&(from, to)| (at(from), at(to))).collect();
            Recovery::of_all(&series(&successes), &windows, at(10 * successes.len() as u64))
        };
        // Two steps between two incidents are less than a stretch, but all is well on them.
        let parts: [&[u64]; 5] = [&healthy, &down, &two, &down, &healthy];
        assert_eq!(
            recoveries(&parts, &[(100, 160), (180, 240)]),
            [Recovery::After(0.0), Recovery::After(0.0)]
        );
        // A run that ends soon after the second one does not make the first one last for ever.
        let parts: [&[u64]; 5] = [&healthy, &down, &two, &down, &two];
        assert_eq!(recoveries(&parts, &[(100, 160), (180, 240)])[0], Recovery::After(0.0));
        // What has not recovered by then is followed further: here for ever, and here to the end of the second.
        let collapsed = [40; 10];
        let parts: [&[u64]; 5] = [&healthy, &down, &collapsed[..2], &down, &collapsed];
        assert_eq!(recoveries(&parts, &[(100, 160), (180, 240)])[0], Recovery::Never);
        let parts: [&[u64]; 5] = [&healthy, &down, &collapsed[..2], &down, &healthy];
        assert_eq!(recoveries(&parts, &[(100, 160), (180, 240)])[0], Recovery::After(80.0));
        // Overlapping, or without a step between them, a tenth of the stretch.
        let parts: [&[u64]; 5] = [&healthy, &down, &down, &healthy, &healthy];
        for second in [130, 160, 169] {
            assert_eq!(recoveries(&parts, &[(100, 160), (second, 220)]), [Recovery::After(0.0)]);
        }
        assert_eq!(recoveries(&parts, &[(100, 160), (170, 220)]).len(), 2);
    }
    #[test]
    fn a_backlog_that_is_worked_off_before_an_incident_is_no_level_to_come_back_to() {
        // Ten minutes of outage; all of its requests succeed in the minute behind it, before the next outage.
        let parts: [&[u64]; 5] = [&[100; 10], &[0; 60], &[1100; 6], &[0; 30], &[100; 60]];
        let successes = parts.concat();
        let windows = [(at(100), at(700)), (at(760), at(1060))];
        let recoveries = Recovery::of_all(&series(&successes), &windows, at(10 * successes.len() as u64));
        assert_eq!(recoveries, [Recovery::After(0.0), Recovery::After(0.0)]);
    }

    #[test]
    fn nothing_has_recovered_before_the_first_success() {
        // A request every ten seconds, in steps of one; the incident ends between two of them.
        let mut goodput = Goodput::new(Interval::from_secs(1), Interval::from_secs(1000));
        for request in (0..100).map(|number| at(10 * number)) {
            goodput.arrived(request);
            if !(at(500)..at(515)).contains(&request) {
                goodput.succeeded(request);
            }
        }
        let end = at(515) + Interval::from_millis(500);
        let recoveries = Recovery::of_all(&goodput.summed(), &[(at(500), end)], at(1000));
        assert_eq!(recoveries, [Recovery::After(4.5)]);
    }

    #[test]
    fn steps_are_as_fine_as_memory_allows() {
        let (second, days) = (Interval::from_secs(1), |days: u64| Interval::from_secs(86_400 * days));
        assert_eq!(Goodput::step(second, days(10), 1), second);
        assert_eq!(Goodput::step(second, days(30), 4), Interval::from_secs(3));
        assert_eq!(Goodput::step(second, days(1), 1000), Interval::from_secs(22));
    }
}
