//! How long a breaker stays open: by a schedule, of which each opening in a row takes the next delay.

use std::fmt;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::quantity::Quantity;
use crate::random::Block;
use crate::schedule::{Backoff, Jitter, Rounding, Schedule, ScheduleConfig};
use crate::schema::Either;
use crate::time::Interval;

/// From this opening in a row on the open time grows no more.
const OPENINGS: u32 = 256;

/// How long it stays open: a duration, or a schedule as that of retries (`backoff`, `jitter`, `cap_before_jitter`,
/// `cap_after_jitter`, `floor`, `round`) with `grows` and `forgets`. The n-th opening in a row takes the n-th delay, up to the
/// 256th.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(with = "Either<Interval, Written>")]
pub struct OpenFor {
    /// The lengths, one after the other.
    pub schedule: ScheduleConfig,
    /// Which openings make the next one longer.
    pub grows: Grows,
    /// When it is forgotten how often it opened.
    pub forgets: Forgets,
}

/// Which openings make the next one longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grows {
    /// Each.
    #[default]
    EachOpening,
    /// Those for which the trip condition holds; another failed probe opens it for as long as before. Each part of
    /// `trip.any` counts by itself and the longest length wins (failsafe-rs 1).
    EachTrip,
}

/// When it is forgotten how often it opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Forgets {
    /// When it closes.
    #[default]
    OnClose,
    /// Never.
    Never,
    /// One opening at each multiple of this time while it is closed (Envoy, at its `interval`).
    OneEvery(Interval),
}

/// The table form as it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OpenForFields")]
struct Written {
    /// How long it stays open before jitter: the n-th opening in a row takes the n-th delay. A list must not give up.
    backoff: Backoff,
    /// How that is randomised. One that walks from one length to the next needs all openings in a row, so neither `grows` nor
    /// `forgets`.
    #[serde(default)]
    #[schemars(extend("default" = "none"))]
    jitter: Jitter,
    /// Upper bound before jitter.
    cap_before_jitter: Option<Interval>,
    /// Upper bound after jitter and before rounding.
    cap_after_jitter: Option<Interval>,
    /// Lower bound after jitter and cap, and before rounding.
    floor: Option<Interval>,
    /// To which multiples it is rounded after all that.
    round: Option<Rounding>,
    /// Which openings make the next one longer.
    #[serde(default)]
    grows: Grows,
    /// When it is forgotten how often it opened.
    #[serde(default)]
    #[schemars(extend("default" = "on_close"))]
    forgets: Forgets,
}

impl From<Written> for OpenFor {
    fn from(written: Written) -> Self {
        let Written { backoff, jitter, cap_before_jitter, cap_after_jitter, floor, round, grows, forgets } =
            written;
        let plain = ScheduleConfig::plain(backoff);
        let schedule = ScheduleConfig { jitter, cap_before_jitter, cap_after_jitter, floor, round, ..plain };
        Self { schedule, grows, forgets }
    }
}

impl From<Interval> for OpenFor {
    fn from(length: Interval) -> Self {
        Self {
            schedule: ScheduleConfig::plain(Backoff::Fixed(length)),
            grows: Grows::EachOpening,
            forgets: Forgets::OnClose,
        }
    }
}

impl<'de> Deserialize<'de> for OpenFor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DurationOrTable;
        impl<'de> Visitor<'de> for DurationOrTable {
            type Value = OpenFor;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(
                    f,
                    "{} or a table such as {{ backoff.exponential = {{ base = \"10s\" }} }}",
                    Interval::EXPECTED
                )
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<OpenFor, E> {
                Interval::parse(text).map(OpenFor::from).map_err(E::custom)
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<OpenFor, E> {
                Err(E::custom(Interval::number(&number.to_string())))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<OpenFor, E> {
                Err(E::custom(Interval::number(&number.to_string())))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OpenFor, A::Error> {
                Written::deserialize(MapAccessDeserializer::new(map)).map(OpenFor::from)
            }
        }
        deserializer.deserialize_any(DurationOrTable)
    }
}

impl OpenFor {
    /// The length, if it is always the same.
    pub fn fixed(&self) -> Option<Interval> {
        match self.schedule.backoff {
            Backoff::Fixed(length) if self.schedule == Self::from(length).schedule => Some(length),
            _ => None,
        }
    }

    /// What is wrong with it, if anything.
    pub(super) fn problem(&self) -> Option<String> {
        if let Some(problem) = self.schedule.problem() {
            return Some(problem);
        }
        if self.schedule.longest(OPENINGS, Interval::ZERO).is_none() {
            return Some("a breaker that opens cannot give up: let the last delay of the list repeat".into());
        }
        if self.forgets == Forgets::OneEvery(Interval::ZERO) {
            return Some("`forgets.one_every` must be longer than 0s".into());
        }
        let in_a_row = self.grows == Grows::EachOpening && self.forgets == Forgets::OnClose;
        (self.schedule.jitter.is_walk() && !in_a_row).then(|| {
            "a jitter that walks from one length to the next needs all openings in a row: leave `grows` and `forgets` out"
                .into()
        })
    }
}

/// An [`OpenFor`], compiled.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OpenTime {
    schedule: Schedule,
    walks: bool,
    pub(super) grows: Grows,
    pub(super) forgets: Forgets,
}

impl OpenTime {
    pub(super) fn new(config: &OpenFor) -> Self {
        Self {
            schedule: Schedule::new(&config.schedule, OPENINGS),
            walks: config.schedule.jitter.is_walk(),
            grows: config.grows,
            forgets: config.forgets,
        }
    }

    /// Whether every opening has another length, even if the trip condition did not hold again.
    pub(super) fn draws_each_opening(&self) -> bool {
        self.schedule.is_random() && self.grows == Grows::EachOpening
    }

    /// The length after `before` openings in a row of the breaker with this number; `luck` are the bits of the n-th of them.
    pub(super) fn length(&self, before: u8, number: u32, luck: &dyn Fn(u32) -> Block) -> Interval {
        let n = u32::from(before) + 1;
        // A walk is walked anew, since a breaker is too small to remember where it has got to.
        let mut from = if self.walks { 1 } else { n };
        let mut walk = Interval::ZERO;
        loop {
            let Some(step) = self.schedule.step(from, walk, number.into(), luck, Interval::ZERO) else {
                unreachable!("a schedule of open times does not end");
            };
            if from == n {
                return step.delay;
            }
            walk = step.walk;
            from += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_for(text: &str) -> OpenFor {
        #[derive(Deserialize)]
        struct Wrapper {
            open_for: OpenFor,
        }
        toml::from_str::<Wrapper>(&format!("open_for = {text}"))
            .unwrap_or_else(|e| panic!("{text}: {e}"))
            .open_for
    }

    #[test]
    fn lengths_follow_their_schedules() {
        let cases: [(&str, &[(u8, u64)]); 6] = [
            ("'10s'", &[(0, 10), (9, 10)]),
            (
                "{ backoff.exponential = { base = '5s' }, cap_before_jitter = '60s' }",
                &[(0, 5), (1, 10), (3, 40), (4, 60), (255, 60)],
            ),
            (
                "{ backoff.linear = { first = '30s', step = '30s' }, cap_before_jitter = '300s' }",
                &[(0, 30), (1, 60), (9, 300), (99, 300)],
            ),
            ("{ backoff.list = ['1s', '5s'] }", &[(0, 1), (1, 5), (2, 5), (255, 5)]),
            ("{ backoff.fixed = '3s', forgets = 'never' }", &[(0, 3), (1, 3)]),
            // With no luck at all a walk stays where it began.
            (
                "{ backoff.fixed = '3s', jitter = 'decorrelated', cap_after_jitter = '60s' }",
                &[(0, 3), (7, 3)],
            ),
        ];
        for (text, expected) in cases {
            let open_for = open_for(text);
            assert_eq!(open_for.problem(), None, "{text}");
            for &(n, seconds) in expected {
                let length = OpenTime::new(&open_for).length(n, 0, &|_| [0, 0]);
                assert_eq!(length, Interval::from_secs(seconds), "{text}, {n}");
            }
        }
    }

    #[test]
    fn a_walk_takes_the_luck_of_each_opening_in_a_row() {
        // The whole of [3, 9], then the least: 9 s, and [3, 27] from below.
        let time = OpenTime::new(&open_for("{ backoff.fixed = '3s', jitter = 'decorrelated' }"));
        let luck = |n: u32| if n == 1 { [u64::MAX, 0] } else { [1 << 63, 0] };
        let lengths = [0, 1].map(|before| time.length(before, 0, &luck).as_nanos() / 1_000_000_000);
        assert_eq!(lengths, [9, 15]);
    }

    #[test]
    fn failsafe_rs_draws_whole_seconds() {
        // x / 2 + randint[0, x / 2] in whole seconds, of 5, 10 and 20 s.
        let text = "{ backoff.sum = [{ backoff.exponential = { base = '5s', exponent = -1 }, round.down = '1s' }], \
                    jitter.scale = [1, 2], round.inclusive = '1s' }";
        let time = OpenTime::new(&open_for(text));
        for (bits, seconds) in [(0, [2, 5, 10]), (u64::MAX, [4, 10, 20])] {
            for (n, seconds) in (0..).zip(seconds) {
                assert_eq!(time.length(n, 0, &|_| [bits, 0]), Interval::from_secs(seconds), "{n}");
            }
        }
    }

    #[test]
    fn what_is_no_open_time_is_refused() {
        for text in ["{ jitter = 'equal' }", "{ fixed = '1s' }", "5", "'soon'", "{ backoff.linear = '1s' }"] {
            let value = toml::from_str::<toml::Table>(&format!("x = {text}")).unwrap()["x"].clone();
            assert!(value.try_into::<OpenFor>().is_err(), "{text}");
        }
        for text in [
            "{ backoff.list = [] }",
            "{ backoff.list = { delays = ['1s'], then = 'give_up' } }",
            "{ backoff.fixed = '1s', forgets.one_every = '0s' }",
            "{ backoff.fixed = '1s', jitter = 'decorrelated', grows = 'each_trip' }",
        ] {
            assert!(open_for(text).problem().is_some(), "{text}");
        }
    }
}
