//! Conservation: nothing is lost and nothing is counted twice. What is looked at is counted anyway, and only once a run is over.
//!
//! Every request ends exactly once. Every attempt is sent or refused, and of those that are sent a service makes one thing at most.
//! What clients send is what services are offered, but for what is still on its way. What must add up and does not is a bug of the
//! simulation, never of what it was asked.

use std::fmt;

use super::tally::{ServiceTally, WorkloadTally};
use super::time_series::{ATTEMPT_COLUMNS, Column};
use crate::outcome::Ending;

/// Something that must add up, and does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// What must hold.
    pub law: &'static str,
    /// The figures by their names, on either side of it.
    pub figures: Vec<Figure>,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures: Vec<String> =
            self.figures.iter().map(|(name, count)| format!("{name} {count}")).collect();
        write!(f, "{} ({})", self.law, figures.join(", "))
    }
}

/// A count with its name.
pub type Figure = (&'static str, u64);

fn total(figures: &[Figure]) -> u64 {
    figures.iter().map(|&(_, count)| count).sum()
}

/// The whole is the sum of its parts.
fn equal(law: &'static str, whole: Figure, parts: &[Figure]) -> Result<(), Breach> {
    held(law, whole.1 == total(parts), whole, parts)
}

/// The parts are no more than the whole.
fn within(law: &'static str, whole: Figure, parts: &[Figure]) -> Result<(), Breach> {
    held(law, total(parts) <= whole.1, whole, parts)
}

fn held(law: &'static str, holds: bool, whole: Figure, parts: &[Figure]) -> Result<(), Breach> {
    if holds { Ok(()) } else { Err(Breach { law, figures: [&[whole], parts].concat() }) }
}

/// Looks at a workload by itself.
///
/// # Errors
/// With the first law that does not hold.
pub fn of_workload(tally: &WorkloadTally) -> Result<(), Breach> {
    let requests = ("requests", tally.requests);
    let endings = Ending::ALL.map(|ending| (ending.name(), tally.ended_as(ending)));
    equal("every request ends exactly once", requests, &endings)?;
    let sent = ("sent", tally.sent);
    let refusals = [("refused", tally.refused), ("shed", tally.shed)];
    let attempts = ("attempts", tally.attempts);
    equal("every attempt is sent or refused", attempts, &[&[sent], &refusals[..]].concat())?;
    let retries = ("retries", tally.retries.iter().sum());
    let begun = ("requests and retries", tally.requests + tally.retries.iter().sum::<u64>());
    within("every attempt is the first of a request, or a retry", begun, &[attempts])?;
    within("every retry is an attempt", attempts, &[retries])?;
    let succeeded = [Ending::Succeeded, Ending::Cached].map(|e| (e.name(), tally.ended_as(e)));
    let timed = ("times to success", tally.time_to_success.count());
    equal("every success is timed", timed, &succeeded)?;
    let unfinished = ("unfinished", tally.ended_as(Ending::Unfinished));
    let given_up = ("times to give up", tally.time_to_give_up.count());
    equal("every request succeeds, is given up or is unfinished", requests, &[timed, given_up, unfinished])?;
    let turned_away = [("limited", tally.limited), ("overloaded", tally.overloaded)];
    let (failed, wasted) = (("failed", tally.failed), ("wasted", tally.wasted));
    within(
        "no attempt is limited, overloaded and failed at once",
        sent,
        &[&turned_away[..], &[failed]].concat(),
    )?;
    within(
        "no attempt is of use, wasted and turned away at once",
        sent,
        &[&turned_away[..], &[succeeded[0], wasted]].concat(),
    )?;
    within("what is wasted was not waited for", ("timed out", tally.timed_out), &[wasted])?;
    in_bins(tally)
}

/// Everything is in one bin of the time series.
fn in_bins(tally: &WorkloadTally) -> Result<(), Breach> {
    let mut sums = [0; Column::ALL.len()];
    for bin in 0..tally.series.bins() {
        for (sum, column) in sums.iter_mut().zip(Column::ALL) {
            *sum += tally.series.get(bin, column);
        }
    }
    let binned = |columns: &[Column]| columns.iter().map(|&column| sums[column as usize]).sum();
    for (name, count, columns) in [
        ("requests", tally.requests, &[Column::Requests][..]),
        ("sent", tally.sent, &ATTEMPT_COLUMNS),
        ("limited", tally.limited, &[Column::Limited]),
        ("failed", tally.failed, &[Column::Failed]),
        ("overloaded", tally.overloaded, &[Column::Overloaded]),
        ("timed out", tally.timed_out, &[Column::TimedOut]),
        ("refused or shed", tally.refused + tally.shed, &[Column::Refused]),
        ("succeeded", tally.time_to_success.count(), &[Column::Succeeded]),
        ("given up", tally.time_to_give_up.count(), &[Column::GaveUp]),
    ] {
        equal("everything is in one bin", (name, count), &[("in bins", binned(columns))])?;
    }
    Ok(())
}

/// Looks at a service, and at all workloads that call it. Attempts reach it at once if there is no `network` between.
///
/// # Errors
/// With the first law that does not hold.
pub fn of_service(tally: &ServiceTally, callers: &[&WorkloadTally], network: bool) -> Result<(), Breach> {
    let all = |of: fn(&WorkloadTally) -> u64| callers.iter().map(|caller| of(caller)).sum::<u64>();
    let (sent, offered) = (("sent", all(|t| t.sent)), ("offered", tally.offered));
    if network {
        within("nothing is offered that was not sent", sent, &[offered])?;
    } else {
        equal("everything that is sent is offered", sent, &[offered])?;
    }
    let turned_away = [("limited", all(|t| t.limited)), ("overloaded", all(|t| t.overloaded))];
    let parts = [&turned_away[..], &[("failed", all(|t| t.failed))]].concat();
    within("what is offered is let in or turned away", offered, &parts)?;
    equal("every limited attempt is one of a caller", ("limited", tally.limited), &turned_away[..1])?;
    let succeeded = ("succeeded", all(|t| t.ended_as(Ending::Succeeded)));
    let goodput = ("goodput", tally.goodput);
    equal("every success ends a request", goodput, &[succeeded])?;
    let wasted = ("wasted", all(|t| t.wasted));
    within("work is of use or wasted", offered, &[&turned_away[..], &[goodput, wasted]].concat())?;
    let (answers, unfinished) = (("outcomes", tally.outcomes), all(|t| t.ended_as(Ending::Unfinished)));
    within("no attempt has two outcomes", sent, &[answers])?;
    let known = ("outcomes, or unfinished", tally.outcomes + unfinished);
    within("every attempt has an outcome, or its request is unfinished", known, &[sent])?;
    let retries = ("retries offered", tally.retries);
    within("a retry that is offered was made", ("retries", all(|t| t.retries.iter().sum())), &[retries])?;
    inside(tally)
}

/// Looks at what became of the calls that a service with a capacity has let in.
fn inside(tally: &ServiceTally) -> Result<(), Breach> {
    let Some(usage) = tally.usage else { return Ok(()) };
    let offered = ("let in", usage.offered);
    within("what comes in was offered", ("offered", tally.offered), &[offered])?;
    equal(
        "whatever comes in leaves once, or is there",
        offered,
        &[
            ("served", usage.served),
            ("turned away", usage.turned_away),
            ("shed", usage.shed),
            ("pushed out", usage.pushed_out),
            ("dropped", usage.dropped),
            ("cancelled", usage.cancelled),
            ("left", usage.left),
        ],
    )?;
    within("what is worked on came in", offered, &[("begun", usage.begun)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Ended;
    use crate::outcome::Outcome;
    use crate::time::{Instant, Interval};
    use crate::usage::Usage;
    use crate::verdict::Verdict;

    const SECOND: Interval = Interval::from_secs(1);

    /// Two requests: one is limited, tried again and served, one given up unsent.
    fn sound() -> (WorkloadTally, ServiceTally) {
        let (mut workload, mut service) =
            (WorkloadTally::new(SECOND, SECOND, Interval::from_secs(9)), ServiceTally::new(SECOND));
        let at = |seconds| Instant::START + Interval::from_secs(seconds);
        for (now, attempt, verdict) in [(1, 1, Verdict::Limited), (2, 2, Verdict::Served)] {
            workload.sent(at(now), attempt);
            service.offered(at(now), attempt > 1);
            workload.judged(at(now), verdict);
            service.judged(verdict);
            let status = if verdict == Verdict::Served { 200 } else { 429 };
            service.answered(Outcome::Status(crate::outcome::StatusCode::of(status)));
        }
        workload.retried(0);
        workload.arrived(at(1));
        workload.ended(Ended { ending: Ending::Succeeded, at: at(2), age: SECOND });
        workload.arrived(at(3));
        workload.refused(at(3));
        workload.ended(Ended { ending: Ending::BreakerRejected, at: at(3), age: Interval::ZERO });
        service.usage = Some(Usage { offered: 1, served: 1, begun: 1, ..Usage::default() });
        (workload, service)
    }

    fn looked_at((workload, service): &(WorkloadTally, ServiceTally)) -> Result<(), Breach> {
        of_workload(workload).and_then(|()| of_service(service, &[workload], false))
    }

    #[test]
    fn what_adds_up_passes() {
        assert_eq!(looked_at(&sound()), Ok(()));
    }

    #[test]
    fn every_count_that_is_off_by_one_is_found() {
        type Broken = (&'static str, fn(&mut WorkloadTally, &mut ServiceTally));
        let broken: [Broken; 20] = [
            ("every request ends exactly once", |w, _| w.requests += 1),
            ("every request ends exactly once", |w, _| w.endings[Ending::Unfinished as usize] += 1),
            ("every attempt is sent or refused", |w, _| w.sent += 1),
            ("every attempt is the first of a request, or a retry", |w, _| {
                (w.attempts, w.sent, w.retries[0]) = (6, 5, 2);
            }),
            ("every retry is an attempt", |w, _| w.retries[0] += 3),
            ("every success is timed", |w, _| w.time_to_success.record(SECOND)),
            ("every request succeeds, is given up or is unfinished", |w, _| w.time_to_give_up.record(SECOND)),
            ("no attempt is limited, overloaded and failed at once", |w, _| w.failed += 2),
            ("no attempt is of use, wasted and turned away at once", |w, _| w.wasted += 1),
            ("what is wasted was not waited for", |w, _| (w.limited, w.wasted) = (0, 1)),
            ("everything is in one bin", |w, _| w.timed_out += 1),
            ("everything that is sent is offered", |_, s| s.offered += 1),
            ("every limited attempt is one of a caller", |_, s| s.limited += 1),
            ("every success ends a request", |_, s| s.goodput += 1),
            ("no attempt has two outcomes", |_, s| s.outcomes += 1),
            ("every attempt has an outcome, or its request is unfinished", |_, s| s.outcomes -= 1),
            ("a retry that is offered was made", |_, s| s.retries += 1),
            ("what comes in was offered", |_, s| s.usage.as_mut().unwrap().offered += 2),
            ("whatever comes in leaves once, or is there", |_, s| s.usage.as_mut().unwrap().left += 1),
            ("what is worked on came in", |_, s| s.usage.as_mut().unwrap().begun += 1),
        ];
        for (law, damage) in broken {
            let (mut workload, mut service) = sound();
            damage(&mut workload, &mut service);
            let breach = looked_at(&(workload, service)).expect_err(law);
            assert_eq!(breach.law, law, "{breach}");
        }
    }

    #[test]
    fn a_breach_names_its_figures() {
        let (mut workload, _) = sound();
        workload.sent += 1;
        assert_eq!(
            of_workload(&workload).unwrap_err().to_string(),
            "every attempt is sent or refused (attempts 3, sent 3, refused 1, shed 0)"
        );
    }
}
