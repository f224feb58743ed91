//! Breakers in the terms that the targets share: a share of failures, or of slow calls, in a row, among the last calls or within
//! some time. What all targets lack alike is a caveat here; what one of them does otherwise is said in its own room.

use crate::breaker::{
    Arithmetic, BreakerConfig, Compare, Consecutive, CountWindow, Enough, JudgedOn, LateResults, OnClose,
    Overflow, Percent, Position, ProbesCounted, ShareOf, SlowConfig, TimeWindow, TimerFrom, Trip,
};
use crate::breaker::{HalfOpenConfig, HalfOpenRate};
use crate::scope::Scope;
use crate::time::Interval;
use crate::units::Probability;

/// A share of calls, 0 to 1, in both ways of writing it, since 0.07 * 100 is not 7 in floating point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Share {
    /// From 0 to 1.
    pub(super) rate: f64,
    /// From 0 to 100.
    pub(super) percent: f64,
}

impl Share {
    const ALL: Self = Self { rate: 1.0, percent: 100.0 };

    fn of(rate: f64) -> Self {
        // As many digits as anybody writes, so that 0.07 gives 7.
        Self { rate, percent: libm::round(rate * 1e12) / 1e10 }
    }

    fn written(rate: Option<Probability>, percent: Option<Percent>) -> Option<Self> {
        let given = percent.map(|percent| Self { rate: percent.get() / 100.0, percent: percent.get() });
        given.or(rate.map(|rate| Self::of(rate.get())))
    }

    /// True if every arithmetic agrees on what reaches it: a share that floating point keeps exactly.
    fn is_dyadic(self) -> bool {
        self.rate * 64.0 == libm::floor(self.rate * 64.0)
    }
}

/// Slow calls as a second reason to open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SlowCalls {
    /// A call is slow if it takes longer than this.
    pub(super) longer_than: Interval,
    /// The share of slow calls that opens it.
    pub(super) share: Share,
}

/// Which results are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    /// So many, all of which must have failed.
    Row(u64),
    /// The last so many.
    Calls(u64),
    /// Those of the last so long.
    Time(Interval),
}

/// What opens a breaker, as far as a target can say it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Opens {
    /// Which results are looked at.
    pub(super) span: Span,
    /// With fewer results than this nothing is judged; at least 1.
    pub(super) minimum: u64,
    /// The share of failures that opens it, if there is one.
    pub(super) failures: Option<Share>,
    /// The same of slow calls.
    pub(super) slow: Option<SlowCalls>,
    /// After which results it is judged.
    pub(super) judged_on: JudgedOn,
    /// What no target says of this.
    pub(super) caveats: Vec<String>,
}

/// What opens the breaker, for a target whose thresholds are shares that are reached, computed as `own` does.
///
/// # Errors
/// If it is no share of anything; the message says what comes nearest.
pub(super) fn opens(config: &BreakerConfig, library: &str, own: Arithmetic) -> Result<Opens, String> {
    trip(&config.trip, library, own)
}

fn trip(trip: &Trip, library: &str, own: Arithmetic) -> Result<Opens, String> {
    match trip {
        Trip::Consecutive(Consecutive { failures, forgets_every, buckets }) => {
            let dropped = forgets_every.map(|every| {
                let what = if buckets.get() == 1 { "not" } else { "not bucket by bucket" };
                format!("breaker: the count of failures is dropped by a success only, {what} every {every}")
            });
            Ok(Opens {
                span: Span::Row(failures.get()),
                minimum: failures.get(),
                failures: Some(Share::ALL),
                slow: None,
                // A success ends the row, so it never opens.
                judged_on: JudgedOn::Failure,
                caveats: dropped.into_iter().collect(),
            })
        }
        Trip::CountWindow(window) => Ok(count_window(window, library, own)),
        Trip::TimeWindow(window) => time_window(window, library, own),
        Trip::MovingAverage(average) => Ok(Opens {
            span: Span::Time(average.window),
            minimum: average.minimum_calls.get().max(1),
            failures: Some(Share::of(1.0 - average.success_rate.get())),
            slow: None,
            judged_on: JudgedOn::Failure,
            caveats: vec![format!(
                "breaker: differently, {library} has no moving average; all calls within {} weigh the same",
                average.window
            )],
        }),
        Trip::Any(parts) => match &parts[..] {
            [only] => self::trip(only, library, own),
            _ => Err(format!(
                "any of {} conditions opens it, and {library} has one; nearest is one of them alone as `trip`",
                parts.len()
            )),
        },
    }
}

fn count_window(window: &CountWindow, library: &str, own: Arithmetic) -> Opens {
    // Field by field: a new field of the grammar must be given its caveat here.
    let CountWindow {
        size: _,
        minimum_calls: _,
        rate,
        percent,
        failures,
        compare,
        arithmetic,
        judged_on,
        full_before,
        slow,
    } = window;
    let kept = u64::from(window.kept());
    let minimum = whole(window.minimum());
    let mut caveats = Vec::new();
    let share = match (Share::written(*rate, *percent), failures) {
        (Some(share), None) => Some(share),
        (Some(share), Some(failures)) => {
            caveats.push(format!(
                "breaker: {} failures do not open it, only the share does; {library} does not count failures",
                failures.get()
            ));
            Some(share)
        }
        (None, Some(failures)) => {
            let share = Share::of(failures.get() as f64 / kept as f64);
            if minimum < kept {
                caveats.push(format!(
                    "breaker: differently, {library} opens at a share of the results so far, {} %, also before {} have failed",
                    share.percent,
                    failures.get()
                ));
            }
            Some(share)
        }
        (None, None) => None,
    };
    if *full_before {
        caveats.push(format!(
            "breaker: {library} judges from the result on that completes the window, not from the one after"
        ));
    }
    caveats.extend(comparison(share, *compare, *arithmetic, own, library));
    let slow = slow_calls(*slow, &mut caveats, library);
    Opens { span: Span::Calls(kept), minimum, failures: share, slow, judged_on: *judged_on, caveats }
}

fn time_window(window: &TimeWindow, library: &str, own: Arithmetic) -> Result<Opens, String> {
    // Field by field: a new field of the grammar must be given its caveat here. How the width is cut is up to the targets.
    let TimeWindow {
        width,
        buckets: _,
        bucket: _,
        align: _,
        minimum_calls: _,
        minimum_rate: _,
        minimum_failure_rate: _,
        rate,
        percent,
        failures,
        compare,
        arithmetic,
        judged_on,
        share_of,
        slow,
    } = window;
    let mut caveats = Vec::new();
    let share = Share::written(*rate, *percent);
    if let Some(failures) = failures {
        let failures = failures.get();
        if share.is_none() {
            return Err(format!(
                "{failures} failures within {width} open it, however many calls there are, and {library} knows only shares; \
                 nearest is `rate` with `minimum_calls = {failures}`"
            ));
        }
        caveats.push(format!(
            "breaker: {failures} failures do not open it, only the share does; {library} does not count failures"
        ));
    }
    if *share_of == ShareOf::Calls {
        caveats.push(format!(
            "breaker: the share is one of the results; calls that {library} refuses or that are under way do not count"
        ));
    }
    caveats.extend(comparison(share, *compare, *arithmetic, own, library));
    let minimum = whole(window.minimum());
    let slow = slow_calls(*slow, &mut caveats, library);
    Ok(Opens { span: Span::Time(*width), minimum, failures: share, slow, judged_on: *judged_on, caveats })
}

/// The fewest calls that reach a minimum which need not be whole; one at least, since of none there is no share.
fn whole(minimum: f64) -> u64 {
    (libm::ceil(minimum) as u64).max(1)
}

fn slow_calls(slow: Option<SlowConfig>, caveats: &mut Vec<String>, library: &str) -> Option<SlowCalls> {
    let SlowConfig { longer_than, rate, percent, compare } = slow?;
    let share = Share::written(rate, percent)?;
    if compare == Compare::Above {
        caveats
            .push(format!("breaker: {library} opens at {} % slow calls, not only above that", share.percent));
    }
    Some(SlowCalls { longer_than, share })
}

/// How the comparison with the threshold differs.
fn comparison(
    share: Option<Share>,
    compare: Compare,
    arithmetic: Arithmetic,
    own: Arithmetic,
    library: &str,
) -> Option<String> {
    let share = share?;
    let percent = share.percent;
    if compare == Compare::Above {
        return Some(format!("breaker: {library} opens at {percent} % failures, not only above that"));
    }
    match arithmetic {
        Arithmetic::Rounded | Arithmetic::Truncated => {
            Some(format!("breaker: {library} does not make whole percents of the share before it compares"))
        }
        Arithmetic::Quotient | Arithmetic::Product | Arithmetic::Single => {
            (arithmetic != own && !share.is_dyadic()).then(|| {
                format!("breaker: a share of exactly {percent} % can be decided otherwise, since {library} rounds otherwise")
            })
        }
    }
}

/// True if one probe decides: it closes the breaker or opens it again.
pub(super) fn one_probe(config: &BreakerConfig) -> bool {
    let HalfOpenConfig { successes, failures, rate, ring } = config.half_open;
    let one_of_one = |enough: Enough| enough.enough.get() == 1 && enough.of.is_none_or(|of| of.get() == 1);
    let judged = match (successes.or(failures), rate, ring) {
        (None, None, None) => config.reopens_after.get() == 1 && config.closes_after.get() == 1,
        (Some(enough), None, None) => one_of_one(enough),
        _ => false,
    };
    config.probes() == 1 && judged
}

/// What the half-open state is like, in words.
pub(super) fn half_open(config: &BreakerConfig) -> String {
    let counted = match config.probes_counted {
        ProbesCounted::UnderWay => "at a time",
        ProbesCounted::InAll => "in all",
    };
    let limit = match config.probes() {
        u32::MAX => "any number of probes".into(),
        1 => format!("1 probe {counted}"),
        limit => format!("{limit} probes {counted}"),
    };
    let HalfOpenConfig { successes, failures, rate, ring } = config.half_open;
    let of =
        |enough: Enough| format!("{} of {}", enough.enough.get(), enough.of.unwrap_or(enough.enough).get());
    let judged = if let Some(ring) = ring {
        format!("a ring of {} to decide", ring.size.get())
    } else if let Some(enough) = successes {
        format!("{} successes to close", of(enough))
    } else if let Some(rate) = rate {
        format!("the share of the first {} to decide", rate.after.get_u32().min(config.probes()))
    } else if let Some(enough) = failures {
        format!("{} failures to open again", of(enough))
    } else {
        format!("{} to close, {} to open again", config.closes_after.get(), config.reopens_after.get())
    };
    format!("{limit}, {judged}")
}

/// What differs in fields that mean the same for all targets; everything else is said in their rooms.
pub(super) fn others(config: &BreakerConfig, library: &str) -> Vec<String> {
    // Field by field: a new field of the grammar must be given its caveat here, or in each target.
    let BreakerConfig {
        trip: _,
        open_for: _,
        boundary: _,
        timer_from,
        changes: _,
        after_open: _,
        probes: _,
        probes_counted: _,
        overflow,
        half_open: _,
        reopens_after: _,
        closes_after: _,
        half_open_for: _,
        // Without `on_close = "remember"`, which is said below, what probes leave behind is forgotten with the rest.
        probe_results: _,
        on_close,
        late_results,
        scope,
        counts: _,
        position: _,
    } = config;
    let mut lost = Vec::new();
    if *timer_from == TimerFrom::LastFailure {
        lost.push(format!(
            "breaker: {library} counts the open time from the trip, not from the last failure"
        ));
    }
    if *overflow != Overflow::Reject {
        lost.push("breaker: differently, callers without a probe are refused, they do not wait".into());
    }
    if *on_close != OnClose::Forget {
        lost.push("breaker: differently, it forgets everything when it closes".into());
    }
    match late_results {
        LateResults::Ignore | LateResults::Record | LateResults::RecordSuccesses => {}
        LateResults::Count | LateResults::AsBegun | LateResults::AsBegunUnlessOpen => {
            lost.push(format!("breaker: {library} does not let late results change an open breaker"));
        }
    }
    if *scope == Scope::Client {
        lost.push(
            "breaker: share one object per client, not one for all, to have the scope \"client\"".into(),
        );
    }
    lost
}

/// The caveat of a breaker that goes around the retries where the target has it inside them.
pub(super) fn outside(config: &BreakerConfig) -> Option<String> {
    (config.position == Position::Outside)
        .then(|| "breaker: it must go around the retries, not inside them (`position`)".into())
}

/// The number of probes for a target that knows no "unlimited": then as many as it takes to decide.
pub(super) fn permitted(config: &BreakerConfig) -> u64 {
    match config.probes() {
        u32::MAX => config.closes_after.get().max(config.reopens_after.get()),
        limit => limit.into(),
    }
}

/// True if probes are judged by the thresholds that open it when closed.
pub(super) fn same_thresholds(rate: &HalfOpenRate, opens: &Opens) -> bool {
    let HalfOpenRate { after: _, rate, percent, compare, arithmetic: _, slow } = rate;
    let mut differences = Vec::new();
    let slow = slow_calls(*slow, &mut differences, "");
    *compare == Compare::At
        && differences.is_empty()
        && Share::written(*rate, *percent) == opens.failures
        && slow == opens.slow
}

#[cfg(test)]
mod tests;
