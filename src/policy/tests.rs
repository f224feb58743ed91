//! The decision, step by step.

use super::*;
use crate::outcome::StatusCode;

fn config(text: &str) -> PolicyConfig {
    toml::from_str(text).unwrap()
}

fn status(code: u16) -> Outcome {
    Outcome::Status(toml::Value::Integer(code.into()).try_into::<StatusCode>().unwrap())
}

fn waits(text: &str, bits: u64) -> Vec<Interval> {
    let policy = Policy::new(&config(text), true);
    let mut history = History { attempts: 1, elapsed: Interval::ZERO, request: 0, memory: Memory::default() };
    let mut waits = Vec::new();
    while let Decision::Retry(delay) = policy.decide(status(503), None, &history, &|_| [bits; 2]) {
        waits.push(delay.wait);
        history.attempts += 1;
        history.elapsed += delay.wait;
        history.memory = delay.memory;
    }
    waits
}

fn seconds(list: &[u64]) -> Vec<Interval> {
    list.iter().map(|&s| Interval::from_secs(s)).collect()
}

const HALF: u64 = 1 << 63;

#[test]
fn a_schedule_is_the_backoff_capped_jittered_and_capped_again() {
    let cases: [(&str, u64, &[u64]); 7] = [
        ("retries = 3\nbackoff.fixed = '60s'", 0, &[60, 60, 60]),
        ("retries = 4\nbackoff.list = ['1s', '5s']", 0, &[1, 5, 5, 5]),
        ("retries = 3\nbackoff.linear = { first = '2s', step = '3s' }", 0, &[2, 5, 8]),
        ("retries = 5\nbackoff.exponential = { base = '60s', factor = 2 }", 0, &[60, 120, 240, 480, 960]),
        (
            "retries = 4\nbackoff.exponential = { base = '8s', factor = 2 }\njitter = 'full'\ncap_before_jitter = '20s'",
            HALF,
            &[4, 8, 10, 10],
        ),
        (
            "retries = 4\nbackoff.exponential = { base = '8s', factor = 2 }\njitter = 'full'\ncap_after_jitter = '20s'",
            HALF,
            &[4, 8, 16, 20],
        ),
        // Decorrelated: U[10, 3 * previous]; the middle of [10, 30], of [10, 60], of [10, 105] cut at 50.
        (
            "retries = 3\nbackoff.fixed = '10s'\njitter = 'decorrelated'\ncap_after_jitter = '50s'",
            HALF,
            &[20, 35, 50],
        ),
    ];
    for (text, bits, expected) in cases {
        let rounded: Vec<_> = waits(text, bits)
            .iter()
            .map(|w| Interval::from_secs((w.as_nanos() + 1) / 1_000_000_000))
            .collect();
        assert_eq!(rounded, seconds(expected), "{text}");
    }
}

#[test]
fn no_retry_means_one_attempt() {
    assert_eq!(waits("retries = 0", 0), []);
}

#[test]
fn time_stops_a_policy_in_two_ways() {
    // After failures at 0, 10, 20, 30 s: 25 s have passed only at the last one.
    assert_eq!(waits("max_elapsed = '25s'\nbackoff.fixed = '10s'", 0), seconds(&[10, 10, 10]));
    // A retry at exactly the deadline may still start; one after it may not.
    assert_eq!(waits("deadline = '20s'\nbackoff.fixed = '10s'", 0), seconds(&[10, 10]));
}

#[test]
fn each_stop_names_its_ending() {
    let cases = [
        ("retries = 0", status(503), Ending::Exhausted),
        ("retries = 0", Outcome::Timeout, Ending::Exhausted),
        ("retries = 0", Outcome::BreakerOpen, Ending::BreakerRejected),
        ("retries = 9\nbackoff.fixed = '1s'", status(400), Ending::NotRetryable),
        ("deadline = '5s'\nbackoff.fixed = '6s'", status(503), Ending::DeadlineExceeded),
        ("deadline = '5s'\nbackoff.fixed = '6s'", Outcome::BreakerOpen, Ending::BreakerRejected),
        // A stop by time is one whichever it is; if the retries are used up too, that is the reason.
        ("max_elapsed = '0s'\nbackoff.fixed = '6s'", status(503), Ending::DeadlineExceeded),
        ("max_total_delay = '5s'\nbackoff.fixed = '6s'", status(503), Ending::DeadlineExceeded),
        ("retries = 0\nmax_elapsed = '0s'", status(503), Ending::Exhausted),
        (
            "retries = 0\nmax_elapsed = '0s'\nstop_when = 'all'\nbackoff.fixed = '6s'",
            status(503),
            Ending::Exhausted,
        ),
        (
            "max_elapsed = '0s'\ndeadline = { within = '0s', at_limit = 'late' }\nstop_when = 'all'\nbackoff.fixed = '6s'",
            status(503),
            Ending::DeadlineExceeded,
        ),
        ("retries = 9\nbackoff.list = { delays = [], then = 'give_up' }", status(503), Ending::Exhausted),
        ("max_elapsed = '0s'\nbackoff.fixed = '6s'", Outcome::Shed, Ending::ShedByClient),
    ];
    for (text, outcome, ending) in cases {
        let history = History { attempts: 1, elapsed: Interval::ZERO, request: 0, memory: Memory::default() };
        let decision = Policy::new(&config(text), true).decide(outcome, None, &history, &|_| [0; 2]);
        assert_eq!(decision, Decision::GiveUp(ending), "{text}");
    }
}

#[test]
fn a_retry_after_header_is_ignored_obeyed_or_obeyed_with_jitter() {
    let hint = Some(Interval::from_secs(30));
    let cases = [
        ("", 60, false),
        ("retry_after = 'ignore'", 60, false),
        ("retry_after = 'obey'", 30, true),
        ("retry_after = 'at_least'", 60, false),
        ("retry_after.obey_with = { cap = '10s' }", 10, true),
        ("retry_after.obey_with = { cap = '35s', add = '20s' }", 35, true),
        ("retry_after.obey_with = { add = '20s' }", 40, true),
        ("retry_after.obey_with = { scale = [1, 1.4] }", 36, true),
    ];
    for (rule, wait, asked) in cases {
        let policy = Policy::new(&config(&format!("retries = 3\nbackoff.fixed = '60s'\n{rule}")), true);
        let history = History { attempts: 1, elapsed: Interval::ZERO, request: 0, memory: Memory::default() };
        let Decision::Retry(delay) = policy.decide(status(429), hint, &history, &|_| [HALF; 2]) else {
            panic!("{rule}: gave up")
        };
        assert_eq!((delay.wait, delay.asked), (Interval::from_secs(wait), asked), "{rule}");
        // Without a header the rule changes nothing.
        let Decision::Retry(delay) = policy.decide(status(429), None, &history, &|_| [HALF; 2]) else {
            panic!("{rule}: gave up")
        };
        assert_eq!((delay.wait, delay.asked), (Interval::from_secs(60), false), "{rule}");
    }
}

#[test]
fn a_delay_raised_before_its_jitter_keeps_its_luck_and_says_whether_it_was_raised() {
    let text = "retries = 4\nbackoff.fixed = '10s'\njitter.scale = [1, 2]\nretry_after = 'at_least_before_jitter'\ndraws = ";
    for (draws, waits) in [("'each'", [15, 45, 15]), ("'once'", [20, 60, 20])] {
        let policy = Policy::new(&config(&format!("{text}{draws}")), true);
        // The luck of the first retry is the best, of the others the middle.
        let bits = |retry| if retry == 1 { [u64::MAX; 2] } else { [HALF; 2] };
        for (asked, wait) in [None, Some(30), Some(5)].into_iter().zip(waits) {
            let history =
                History { attempts: 2, elapsed: Interval::ZERO, request: 0, memory: Memory::default() };
            let asked = asked.map(Interval::from_secs);
            let Decision::Retry(delay) = policy.decide(status(429), asked, &history, &bits) else {
                panic!("{draws}: gave up")
            };
            assert!(
                Interval::from_secs(wait) - delay.wait < Interval::from_nanos(10),
                "{draws}, asked for {asked:?}: {}",
                delay.wait
            );
            assert_eq!(delay.asked, asked == Some(Interval::from_secs(30)), "{draws}, asked for {asked:?}");
        }
    }
}

#[test]
fn the_longest_wait_of_a_million_retries_is_found_soon() {
    // Each retry by itself takes up to 4,096 steps: together they would take a minute.
    let text =
        "retries = 1000000\nbackoff.iterated = { first = '1s', factor = 1.0001 }\ncap_after_jitter = '1s'";
    for text in [text.to_owned(), format!("{text}\n[throttled]\nbackoff.sum = [{{ backoff.fixed = '1s' }}]")]
    {
        assert_eq!(config(&text).longest_wait(), Some(Interval::from_secs(1_000_000)), "{text}");
    }
}

#[test]
fn the_longest_wait_bounds_every_schedule() {
    for text in [
        "retries = 3\nbackoff.fixed = '60s'",
        "retries = 5\nbackoff.exponential = { base = '1s', factor = 3 }\njitter.proportional = 0.5",
        "retries = 5\nbackoff.exponential = { base = '1s', factor = 3 }\njitter = 'full'\ncap_before_jitter = '9s'",
        "retries = 6\nbackoff.fixed = '1s'\njitter = 'decorrelated'\ncap_after_jitter = '30s'",
        "retries = 4\nbackoff.fixed = '10s'\njitter.truncated_exponential = 0.5",
        "retries = 4\nbackoff.fixed = '10s'\njitter = 'equal'",
    ] {
        let longest = config(text).longest_wait().unwrap();
        let worst = waits(text, u64::MAX).into_iter().fold(Interval::ZERO, |sum, wait| sum + wait);
        let slack = Interval::from_nanos(100);
        assert!(worst <= longest + slack && longest <= worst + slack, "{text}: {worst} against {longest}");
    }
}

#[test]
fn fields_that_contradict_each_other_are_explained() {
    for text in [
        "retries = 3",
        "backoff.fixed = '1s'",
        "deadline = '9s'\nbackoff.fixed = '0s'",
        "retries = 3\nbackoff.fixed = '0s'\njitter = 'decorrelated'",
        "retries = 3\nbackoff.list = []",
        "deadline = '5s'\nbackoff.fixed = '1s'\ncap_after_jitter = '0s'",
        "retries = 1\nbackoff.fixed = '1s'\nretry_after.obey_with = { add = '1s', scale = [1, 1.5] }",
        "retries = 1\nbackoff.fixed = '1s'\njitter = 'decorrelated'\nretry_after = 'at_least_before_jitter'",
        "retries = 1\nbackoff.fixed = '1s'\njitter = 'full'\ndraws = 'sorted'\nretry_after = 'at_least_before_jitter'",
        "retries = 1\nbackoff.fixed = '1s'\nretry_after = 'at_least_before_jitter'\n\
         throttled = { backoff.fixed = '1s', jitter = 'decorrelated_v2' }",
        "retries = 129\nbackoff.fixed = '1s'\njitter = 'full'\ndraws = 'sorted'",
        "retries = 129\nbackoff.fixed = '1s'\nthrottled = { backoff.fixed = '1s', jitter = 'full', draws = 'sorted' }",
        "retries = 1\nbackoff.sum = [{ backoff.fixed = '1s', jitter = 'full', draws = 'once' }]",
    ] {
        assert!(!config(text).problems().is_empty(), "{text}");
    }
    assert!(config("retries = 0").problems().is_empty());
}
