//! Schedules of cron: every client issues one request at each instant that the five fields name.
//!
//! The fields are those of POSIX `crontab`, with the steps, names and `@hourly`... of Vixie cron: minute, hour, day of the month,
//! month, day of the week (0 and 7 are Sunday). If both days are restricted, either is enough; a field that begins with `*` does
//! not count as restricted. Time is civil and has no daylight saving.

use jiff::civil::{Date, DateTime};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, Error};

use crate::quantity::{Quantity, deserialize_quantity};
use crate::time::{Instant, Interval};

/// Every client issues one request at each instant of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cron {
    /// The five fields, such as `"0 9 * * 1-5"` (at 09:00 from Monday to Friday), or `"@daily"`.
    pub schedule: Schedule,
    /// What the clock shows when the run starts, such as `"2026-01-05T08:30:00"`; a `Z` behind it says that it is UTC.
    pub starts: Start,
    /// Each client starts at its own moment, uniform over this long from the schedule's instant; all at once if absent.
    #[serde(default)]
    pub spread: Interval,
    /// When arrivals stop (no arrival at or after it), counted from the start of the run; with the run if absent.
    pub until: Option<Interval>,
}

/// A date and a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(with = "String", inline, extend("pattern" = "^[0-9]{4}-?[0-9]{2}-?[0-9]{2}([Tt ][0-9].*)?$"))]
pub struct Start(DateTime);

impl<'de> Deserialize<'de> for Start {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = |why: &str| {
            D::Error::custom(format!(
                "\"{text}\" is no date and time ({why}): write for example \"2026-01-05T08:30:00\""
            ))
        };
        let time = text.split_once('T').map_or("", |(_, time)| time);
        let civil = text.strip_suffix(['Z', 'z']).filter(|_| !time.is_empty()).unwrap_or(&text);
        if time.trim_end_matches(['Z', 'z']).contains(['Z', 'z', '+', '-', '[']) {
            return Err(wrong("a schedule has no time zone but UTC"));
        }
        civil.parse().map(Self).map_err(|error| wrong(&error.to_string()))
    }
}

/// The instants that five fields name: one bit for each minute, hour, day and month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(with = "String", rename = "CronSchedule", description = "The five fields of cron, such as \"0 9 * * 1-5\", or a name such as \"@daily\".", extend("pattern" = "^\\s*(@[a-z]+|[^\\s]+(\\s+[^\\s]+){4})\\s*$"))]
pub struct Schedule {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether both days are restricted, so that either is enough.
    either: bool,
}

impl Quantity for Schedule {
    const EXPECTED: &'static str = "the five fields of a cron schedule, such as \"0 9 * * 1-5\"";

    fn parse(text: &str) -> Result<Self, String> {
        parse(text).map_err(|why| {
            format!(
                "\"{text}\" is no schedule ({why}): write minute, hour, day of the month, month and day of the week, such as \
                 \"0 9 * * 1-5\""
            )
        })
    }

    fn number(shown: &str) -> String {
        format!("the schedule {shown} is a number: write five fields, such as \"{shown} * * * *\"")
    }
}

deserialize_quantity!(Schedule);

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

fn parse(text: &str) -> Result<Schedule, String> {
    let text = match text.trim() {
        "@hourly" => "0 * * * *",
        "@daily" | "@midnight" => "0 0 * * *",
        "@weekly" => "0 0 * * 0",
        "@monthly" => "0 0 1 * *",
        "@yearly" | "@annually" => "0 0 1 1 *",
        text => text,
    };
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields[..] else {
        return Err(format!("it has {} fields instead of 5", fields.len()));
    };
    let weekdays = field("day of the week", weekday, (0, 7), &WEEKDAYS, 0)?;
    let schedule = Schedule {
        minutes: field("minute", minute, (0, 59), &[], 0)?,
        hours: field("hour", hour, (0, 23), &[], 0)?,
        days: field("day of the month", day, (1, 31), &[], 0)?,
        months: field("month", month, (1, 12), &MONTHS, 1)?,
        weekdays: (weekdays | weekdays >> 7) & 0x7f,
        either: !day.starts_with('*') && !weekday.starts_with('*'),
    };
    // The longest wait for a date is eight years, for 29 February over 2100.
    let dates = std::iter::successors(Some(Date::constant(2096, 3, 1)), |date| date.tomorrow().ok());
    if !dates.take(3_000).any(|date| schedule.has_date(date)) {
        return Err("there is no such day in any year".into());
    }
    Ok(schedule)
}

/// The bits of one field: a list of `*`, `a`, `a-b`, each perhaps with a step `/n`. Names count from `first_name` on.
fn field(
    what: &str,
    text: &str,
    (low, high): (u32, u32),
    names: &[&str],
    first_name: u32,
) -> Result<u64, String> {
    let wrong = |part: &str| format!("`{part}` is no {what} from {low} to {high}");
    let value = |text: &str| {
        let place = names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = if digits { text.parse().ok() } else { place.map(|index| index as u32 + first_name) };
        number.filter(|number| (low..=high).contains(number))
    };
    let mut bits = 0;
    for part in text.split(',') {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (low, high),
            Some((from, to)) => {
                (value(from).ok_or_else(|| wrong(part))?, value(to).ok_or_else(|| wrong(part))?)
            }
            None => {
                let from = value(range).ok_or_else(|| wrong(part))?;
                (from, if step.is_some() { high } else { from })
            }
        };
        let step = step.map_or(Some(1), |step| step.parse().ok().filter(|&step: &usize| step > 0));
        let step = step.ok_or_else(|| format!("the step of `{part}` is no whole number above 0"))?;
        if from > to {
            return Err(format!("`{part}` ends before it begins"));
        }
        bits |= (from..=to).step_by(step).fold(0, |bits, value| bits | 1u64 << value);
    }
    Ok(bits)
}

const fn has(bits: u64, value: i8) -> bool {
    bits >> value & 1 == 1
}

impl Schedule {
    /// True if it names an instant of this day.
    fn has_date(&self, date: Date) -> bool {
        let day = has(self.days, date.day());
        let weekday = has(self.weekdays, date.weekday().to_sunday_zero_offset());
        has(self.months, date.month()) && if self.either { day || weekday } else { day && weekday }
    }

    /// The first minute of the day, at `from` (0 to 1439) or after it, that it names on the days that it names.
    fn minute_from(&self, from: u32) -> Option<u32> {
        (from / 60..24).filter(|hour| self.hours >> hour & 1 == 1).find_map(|hour| {
            let first = if hour == from / 60 { from % 60 } else { 0 };
            let left = self.minutes >> first;
            (left != 0).then(|| hour * 60 + first + left.trailing_zeros())
        })
    }

    /// The first instant at `from` or after it, if the calendar has one.
    pub fn next_from(&self, from: DateTime) -> Option<DateTime> {
        // An instant is a whole minute.
        let part = i64::from(from.second()) > 0 || from.subsec_nanosecond() > 0;
        let mut minute = from.hour() as u32 * 60 + from.minute() as u32 + u32::from(part);
        let mut date = from.date();
        loop {
            if self.has_date(date)
                && let Some(found) = self.minute_from(minute)
            {
                return Some(date.at((found / 60) as i8, (found % 60) as i8, 0, 0));
            }
            date = date.tomorrow().ok()?;
            minute = 0;
        }
    }

    /// How many instants there are on a day that has any.
    fn per_day(&self) -> u32 {
        self.minutes.count_ones() * self.hours.count_ones()
    }

    /// The shortest time between two instants, in minutes.
    fn shortest_gap(&self) -> Option<u64> {
        let first = self.minute_from(0)?;
        let following = |&minute: &u32| self.minute_from(minute + 1);
        let minutes: Vec<u32> = std::iter::successors(Some(first), following).collect();
        let within = minutes.windows(2).map(|pair| u64::from(pair[1] - pair[0])).min();
        let overnight = u64::from(first + 1440 - minutes.last()?);
        // From 2000 on the Gregorian calendar repeats every 400 years; the shortest distance of two days occurs far sooner.
        let dates = std::iter::successors(Some(Date::constant(2000, 1, 1)), |date| date.tomorrow().ok());
        let days: Vec<usize> = dates
            .take(15_000)
            .enumerate()
            .filter(|&(_, date)| self.has_date(date))
            .map(|(day, _)| day)
            .collect();
        let apart = days.windows(2).map(|pair| (pair[1] - pair[0]) as u64).min();
        let across = apart.map(|days| overnight + (days - 1) * 1440);
        within.into_iter().chain(across).min()
    }
}

impl Cron {
    pub(super) fn problem(&self) -> Option<String> {
        let gap = Interval::from_secs(60 * self.schedule.shortest_gap()?);
        (self.spread > gap).then(|| {
            format!("the spread {} is longer than the {gap} between two instants: shorten it", self.spread)
        })
    }

    /// When the first request can come; after any run if never.
    pub(super) fn begins(&self) -> Interval {
        let first = self.schedule.next_from(self.starts.0);
        first.and_then(|at| self.offset(at)).unwrap_or(Interval::MAX)
    }

    pub(super) fn expected(&self, clients: u64, end: Interval) -> f64 {
        let Some(mut at) = self.schedule.next_from(self.starts.0) else { return 0.0 };
        let mut instants = 0u64;
        while self.offset(at).is_some_and(|offset| offset < end) {
            let Ok(midnight) = at.date().tomorrow() else { break };
            let midnight = midnight.at(0, 0, 0, 0);
            // A whole day at once, but for the first and the last.
            let whole = at.date() != self.starts.0.date();
            let next = if whole && self.offset(midnight).is_some_and(|offset| offset <= end) {
                instants += u64::from(self.schedule.per_day());
                midnight
            } else {
                instants += 1;
                after(at)
            };
            let Some(next) = self.schedule.next_from(next) else { break };
            at = next;
        }
        instants as f64 * clients as f64
    }

    /// How long after the start of the run.
    fn offset(&self, at: DateTime) -> Option<Interval> {
        let nanos = u64::try_from(at.duration_since(self.starts.0).as_nanos()).ok()?;
        (nanos <= Interval::MAX.as_nanos()).then(|| Interval::from_nanos(nanos))
    }

    /// The instants, in order of time.
    pub(super) fn instants(&self) -> Instants {
        Instants { cron: *self, from: Some(self.starts.0) }
    }
}

/// A nanosecond later; at the end of the calendar, the same.
fn after(at: DateTime) -> DateTime {
    at.checked_add(jiff::SignedDuration::from_nanos(1)).unwrap_or(at)
}

/// The instants of a schedule during a run.
#[derive(Debug, Clone)]
pub(super) struct Instants {
    cron: Cron,
    from: Option<DateTime>,
}

impl Iterator for Instants {
    type Item = Instant;

    fn next(&mut self) -> Option<Instant> {
        let at = self.cron.schedule.next_from(self.from?)?;
        self.from = Some(after(at)).filter(|&next| next != at);
        self.cron.offset(at).map(|offset| Instant::START + offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instants(schedule: &str, starts: &str, count: usize) -> Vec<String> {
        let schedule = Schedule::parse(schedule).unwrap();
        let first = schedule.next_from(starts.parse().unwrap()).unwrap();
        let following = |&at: &DateTime| schedule.next_from(after(at));
        std::iter::successors(Some(first), following).take(count).map(|at| at.to_string()).collect()
    }

    #[test]
    fn instants_are_those_of_the_calendar() {
        // 2026-01-02 is a Friday, 2026-01-05 a Monday.
        for (schedule, starts, expected) in [
            (
                "0 9 * * 1-5",
                "2026-01-02T09:00:00",
                ["2026-01-02T09:00:00", "2026-01-05T09:00:00", "2026-01-06T09:00:00"],
            ),
            (
                "0 9 * * 1-5",
                "2026-01-02T09:00:00.000000001",
                ["2026-01-05T09:00:00", "2026-01-06T09:00:00", "2026-01-07T09:00:00"],
            ),
            (
                "*/20 22-23 * * *",
                "2026-02-28T23:21:00",
                ["2026-02-28T23:40:00", "2026-03-01T22:00:00", "2026-03-01T22:20:00"],
            ),
            (
                "5,35 4 1 jan,Jul *",
                "2026-01-01T04:06:00",
                ["2026-01-01T04:35:00", "2026-07-01T04:05:00", "2026-07-01T04:35:00"],
            ),
            // Both days restricted: the 13th, and every Friday.
            (
                "0 0 13 * fri",
                "2026-01-03T00:00:00",
                ["2026-01-09T00:00:00", "2026-01-13T00:00:00", "2026-01-16T00:00:00"],
            ),
            // A day field with a star is not restricted: odd days that are Fridays.
            (
                "0 0 */2 * 5",
                "2026-01-01T00:00:00",
                ["2026-01-09T00:00:00", "2026-01-23T00:00:00", "2026-02-13T00:00:00"],
            ),
            (
                "0 0 29 2 *",
                "2026-01-01T00:00:00",
                ["2028-02-29T00:00:00", "2032-02-29T00:00:00", "2036-02-29T00:00:00"],
            ),
            (
                "0 12 * * 7",
                "2026-01-05T00:00:00",
                ["2026-01-11T12:00:00", "2026-01-18T12:00:00", "2026-01-25T12:00:00"],
            ),
            (
                "10/25 3 * * *",
                "2026-01-01T03:11:00",
                ["2026-01-01T03:35:00", "2026-01-02T03:10:00", "2026-01-02T03:35:00"],
            ),
            (
                "@hourly",
                "2026-12-31T22:30:00",
                ["2026-12-31T23:00:00", "2027-01-01T00:00:00", "2027-01-01T01:00:00"],
            ),
        ] {
            assert_eq!(instants(schedule, starts, 3), expected, "{schedule}");
        }
    }

    #[test]
    fn what_is_no_schedule_says_why() {
        for (text, needle) in [
            ("0 9 * *", "4 fields"),
            ("60 9 * * *", "`60` is no minute from 0 to 59"),
            ("0 24 * * *", "no hour"),
            ("0 0 0 * *", "no day of the month"),
            ("0 0 * 13 *", "no month"),
            ("0 0 * * 8", "no day of the week"),
            ("0 0 * * mo", "no day of the week"),
            ("0 9-8 * * *", "ends before it begins"),
            ("*/0 * * * *", "the step"),
            ("+5 * * * *", "no minute"),
            ("1,,2 * * * *", "no minute"),
            ("0 0 30 2 *", "no such day"),
            ("@reboot", "1 fields"),
        ] {
            let found = Schedule::parse(text).expect_err(text);
            assert!(found.contains(needle) && found.contains("0 9 * * 1-5"), "{text}: {found}");
        }
    }

    #[test]
    fn the_shortest_gap_looks_over_midnight_and_over_days() {
        for (text, gap) in [
            ("0 9 * * *", 1440),
            ("0 9 * * 1", 7 * 1440),
            ("0 9 * * 1-5", 1440),
            ("*/25 * * * *", 10),
            ("0 1,23 * * *", 120),
            ("0 1,23 * * 1,3", 22 * 60),
            ("0 0 1 * *", 28 * 1440),
        ] {
            assert_eq!(Schedule::parse(text).unwrap().shortest_gap(), Some(gap), "{text}");
        }
    }
}
