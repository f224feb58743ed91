//! Rules of single parts that no trace of a real breaker shows; the traces are in `tests/breakers.rs`.

use super::*;
use crate::random::{Key, Purpose};

fn rules(text: &str) -> BreakerRules {
    let config: BreakerConfig = toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(config.problems(), [], "{text}");
    BreakerRules::new(&config, Key::derive(1, 0, Purpose::BreakerOpen, "breaker"))
}

fn at(seconds: f64) -> Instant {
    Instant::from_nanos((seconds * 1e9).round() as u64)
}

/// The states after calls at these seconds that end at once, S or F, each state as one letter; `-` for a refused call.
fn states(text: &str, calls: &[(f64, char)]) -> String {
    let rules = rules(text);
    let mut breaker = Breaker::default();
    let letter = |&(seconds, outcome): &(f64, char)| {
        let Admission::Granted(permit) = breaker.try_acquire(&rules, at(seconds)) else { return '-' };
        breaker.record(&rules, at(seconds), permit, outcome == 'S', Interval::ZERO);
        match breaker.state() {
            State::Closed => 'c',
            State::Open => 'o',
            State::HalfOpen => 'h',
        }
    };
    calls.iter().map(letter).collect()
}

#[test]
fn a_breaker_is_small() {
    // Ten million clients may have one each.
    assert!(size_of::<Breaker>() <= 96, "{} bytes", size_of::<Breaker>());
    assert_eq!(size_of::<Option<Permit>>(), 4);
}

#[test]
fn opossum_counts_refused_calls_and_never_forgets_by_closing() {
    let text = "trip.time_window = { width = '10s', percent = 50, compare = 'above', share_of = 'calls' }\n\
                open_for = '2s'\nchanges = 'on_time'\nprobe_results = 'remembered'\non_close = 'remember'\n\
                late_results = 'record'";
    // The first failure is 100 % of one call. Two refused calls and a success later it is 1 of 4; after a failure 2 of 5.
    let calls = [(0.0, 'F'), (0.1, 'S'), (0.2, 'S'), (2.0, 'S'), (2.1, 'F'), (2.2, 'F')];
    assert_eq!(states(text, &calls), "o--ccc");
    // With one refused call less the same failure is 2 of 4, then 3 of 5.
    let calls = [(0.0, 'F'), (0.1, 'S'), (2.0, 'S'), (2.1, 'F'), (2.2, 'F')];
    assert_eq!(states(text, &calls), "o-cco");
}

#[test]
fn a_timer_makes_it_half_open_before_anybody_calls() {
    let text = "trip.consecutive = 1\nopen_for = '2s'\nlate_results = 'record'\nchanges = ";
    for (changes, expected) in [("'on_call'", State::Open), ("'on_time'", State::Closed)] {
        let rules = rules(&format!("{text}{changes}"));
        let mut breaker = Breaker::default();
        let permits = [0, 1].map(|_| breaker.try_acquire(&rules, at(0.0)).permit().unwrap());
        breaker.record(&rules, at(1.0), permits[0], false, Interval::ZERO);
        // A late success finds it half-open, or not yet.
        breaker.record(&rules, at(3.0), permits[1], true, Interval::ZERO);
        assert_eq!(breaker.state(), expected, "{changes}");
        assert_eq!(breaker.time_open(at(9.0)), Interval::from_secs(2));
    }
}

#[test]
fn envoy_ejects_for_longer_each_time_and_looks_every_ten_seconds() {
    let text = "trip.consecutive = 1\nopen_for = { backoff.linear = { first = '30s', step = '30s' }, cap_before_jitter = '300s', \
                forgets = { one_every = '10s' } }\nchanges.every = '10s'\nafter_open = 'closed'\nlate_results = 'record'";
    // Ejected at 1 s until the check at 40 s; at once again, for 60 s, until the check at 110 s.
    let calls = [(1.0, 'F'), (39.9, 'S'), (40.0, 'S'), (41.0, 'F'), (109.9, 'S'), (110.0, 'S')];
    assert_eq!(states(text, &calls), "o-co-c");
    // Two checks in good health take two ejections off: the next one is of 30 s again.
    let calls = [(1.0, 'F'), (41.0, 'F'), (110.0, 'S'), (130.0, 'F'), (159.9, 'S'), (160.0, 'S')];
    assert_eq!(states(text, &calls), "ooco-c");
}

#[test]
fn hystrix_opens_at_the_tick_and_lets_one_probe_through() {
    let text = "trip.time_window = { width = '10s', bucket = '500ms', align = 'cleared', minimum_calls = 2, percent = 50, \
                arithmetic = 'truncated', judged_on = 'tick' }\nopen_for = '5s'\nboundary = 'after'\nlate_results = 'record'";
    let calls =
        [(0.1, 'F'), (0.2, 'S'), (0.3, 'S'), (0.4, 'F'), (0.5, 'F'), (5.5, 'S'), (5.6, 'S'), (5.7, 'F')];
    assert_eq!(states(text, &calls), "cccc--cc");
}

#[test]
fn failsafe_rs_draws_whole_seconds_and_grows_with_each_trip() {
    let text = "trip.any = [{ consecutive = 2 }, { moving_average = { success_rate = 0.8, window = '30s', \
                minimum_calls = 5 } }]\nopen_for = { backoff.sum = [{ backoff.exponential = { base = '10s', exponent = -1 }, \
                cap_before_jitter = '150s', round.down = '1s' }], jitter.scale = [1, 2], round.inclusive = '1s', grows = 'each_trip' }\nboundary = 'after'\nprobes = 'unlimited'\nprobe_results = 'remembered'\n\
                on_close = 'forget_but_last'\nlate_results = 'record_successes'";
    let rules = rules(text);
    let mut lengths = Vec::new();
    for number in 0..200 {
        let mut breaker = Breaker::new(number);
        for second in [1.0, 2.0] {
            let permit = breaker.try_acquire(&rules, at(second)).permit().unwrap();
            breaker.record(&rules, at(second), permit, false, Interval::ZERO);
        }
        assert_eq!(breaker.state(), State::Open);
        let first = breaker.over.since(at(2.0));
        let permit = breaker.try_acquire(&rules, at(20.0)).permit().unwrap();
        breaker.record(&rules, at(20.0), permit, false, Interval::ZERO);
        lengths.push((
            first.as_nanos() / 1_000_000_000,
            breaker.over.since(at(20.0)).as_nanos() / 1_000_000_000,
        ));
    }
    let bounds = |lengths: Vec<u64>| (*lengths.iter().min().unwrap(), *lengths.iter().max().unwrap());
    assert_eq!(bounds(lengths.iter().map(|pair| pair.0).collect()), (5, 10));
    assert_eq!(bounds(lengths.iter().map(|pair| pair.1).collect()), (10, 20));
}

#[test]
fn a_count_that_is_dropped_makes_earlier_calls_late() {
    let text = "trip.consecutive = { failures = 3, forgets_every = '10s' }\nopen_for = '1s'";
    assert_eq!(states(text, &[(8.0, 'F'), (9.0, 'F'), (10.0, 'F')]), "cco");
    assert_eq!(states(text, &[(8.0, 'F'), (9.0, 'F'), (10.1, 'F')]), "ccc");
    // gobreaker drops at each call and at each result until it has caught up: three in a row from the second failure on.
    assert_eq!(states(text, &[(45.0, 'F'), (45.1, 'F'), (45.2, 'F'), (45.3, 'F'), (45.4, 'F')]), "ccco-");
    let rules = rules(text);
    let mut breaker = Breaker::default();
    let permit = breaker.try_acquire(&rules, at(9.0)).permit().unwrap();
    breaker.record(&rules, at(11.0), permit, false, Interval::ZERO);
    assert_eq!(breaker.failures(), 0);
}

#[test]
fn a_breaker_that_is_half_open_for_too_long_opens_or_closes() {
    let text = "trip.consecutive = 1\nopen_for = '1s'\nprobes_counted = 'in_all'\n";
    for (then, expected) in [("open", State::Open), ("closed", State::Closed)] {
        let rules = rules(&format!("{text}half_open_for = {{ at_most = '5s', then = '{then}' }}"));
        let mut breaker = Breaker::default();
        let permit = breaker.try_acquire(&rules, at(0.0)).permit().unwrap();
        breaker.record(&rules, at(0.0), permit, false, Interval::ZERO);
        assert!(breaker.try_acquire(&rules, at(1.0)).permit().is_some());
        assert_eq!(breaker.try_acquire(&rules, at(5.9)), Admission::Refused);
        assert_eq!(breaker.state_at(&rules, at(6.0)), expected);
    }
}

#[test]
fn in_all_counts_probes_that_have_ended() {
    let text = "trip.consecutive = 1\nopen_for = '1s'\nprobes = 2\ncloses_after = 9\nhalf_open_for.at_most = '1h'\n\
                probes_counted = ";
    let calls = [(0.0, 'F'), (1.0, 'S'), (1.1, 'S'), (1.2, 'S')];
    assert_eq!(states(&format!("{text}'in_all'"), &calls), "ohh-");
    assert_eq!(states(&format!("{text}'under_way'"), &calls), "ohhh");
}

#[test]
fn ticks_from_before_it_closed_do_not_open_it() {
    let text = "trip.time_window = { width = '10s', failures = 1, judged_on = 'tick' }\non_close = 'remember'\n\
                open_for = { backoff.fixed = '3500ms', forgets = { one_every = '1s' } }\n";
    // The failure of 0.5 s opens it at the tick of 1 s. A probe closes it at 4.6 s, and the tick of 5 s opens it again, since
    // that failure is remembered; so it goes on until the failure is more than ten seconds old.
    let calls = [
        (0.5, 'F'),
        (1.2, 'S'),
        (4.6, 'S'),
        (4.7, 'S'),
        (5.2, 'S'),
        (8.5, 'S'),
        (8.9, 'S'),
        (9.1, 'S'),
        (12.5, 'S'),
        (99.0, 'S'),
    ];
    assert_eq!(states(text, &calls), "c-cc-cc-cc");
    let rules = rules(&format!("{text}changes = 'on_time'\nafter_open = 'closed'"));
    let mut breaker = Breaker::default();
    let permit = breaker.try_acquire(&rules, at(0.5)).permit().unwrap();
    breaker.record(&rules, at(0.5), permit, false, Interval::ZERO);
    // Nobody calls: open from 1 to 4.5 s, from 5 to 8.5 s, from 9 to 12.5 s.
    for (seconds, state) in [(4.4, State::Open), (4.6, State::Closed), (5.0, State::Open), (9.0, State::Open)]
    {
        assert_eq!(breaker.state_at(&rules, at(seconds)), state, "{seconds}");
    }
    assert!(breaker.try_acquire(&rules, at(99.0)).permit().is_some());
    assert_eq!((breaker.trips(), breaker.time_open(at(99.0))), (3, Interval::from_millis(10_500)));
}

#[test]
fn whichever_part_trips_first_opens_it_at_its_own_tick() {
    // Both trip: the second at 2 s, the first at 10 s. Only the second one's openings count.
    let text = "trip.any = [{ time_window = { width = '1m', buckets = 6, failures = 1, judged_on = 'tick' } }, \
                { time_window = { width = '4s', buckets = 2, failures = 1, judged_on = 'tick' } }]\n\
                open_for = { backoff.exponential = { base = '1s' }, grows = 'each_trip', forgets = 'never' }\n\
                on_close = 'remember'\nchanges = 'on_time'\nafter_open = 'closed'";
    let rules = rules(text);
    let mut breaker = Breaker::default();
    let permit = breaker.try_acquire(&rules, at(1.0)).permit().unwrap();
    breaker.record(&rules, at(1.0), permit, false, Interval::ZERO);
    for (seconds, state) in [
        (1.9, State::Closed),
        (2.0, State::Open),
        (3.0, State::Closed),
        // The window of 4 s still holds the failure: two seconds this time.
        (4.0, State::Open),
        (5.9, State::Open),
        (6.0, State::Closed),
        (10.0, State::Open),
        (11.0, State::Closed),
        (20.0, State::Open),
    ] {
        assert_eq!(breaker.state_at(&rules, at(seconds)), state, "{seconds}");
    }
}

#[test]
fn a_breaker_that_nobody_calls_goes_through_its_cycles_in_no_time() {
    // However it is asked, cycle by cycle or once after a hundred years, it is the same.
    for changes in ["'on_time'", "{ every = '7ms' }"] {
        let rules = rules(&format!(
            "trip.consecutive = 1\nopen_for = {{ backoff.exponential = {{ base = '1ms', factor = 1.01 }} }}\n\
             half_open_for.at_most = '1ms'\nchanges = {changes}"
        ));
        let open = || {
            let mut breaker = Breaker::default();
            let permit = breaker.try_acquire(&rules, at(1.0)).permit().unwrap();
            breaker.record(&rules, at(1.0), permit, false, Interval::ZERO);
            breaker
        };
        let (mut often, mut once) = (open(), open());
        for millis in 1_000..40_000 {
            often.pass(&rules, at(f64::from(millis) / 1e3));
        }
        once.pass(&rules, at(39.999));
        assert_eq!(once, often, "{changes}");
        assert!(once.trips > 2 * SETTLED, "{changes}: {}", once.trips);
        let century = at(3_155_760_000.0);
        once.pass(&rules, century);
        assert_eq!(once.trips, u32::MAX, "{changes}");
        assert!(once.time_open(century) > Interval::from_secs(1_500_000_000), "{changes}");
        once.pass(&rules, century);
    }
}

#[test]
fn a_breaker_that_could_never_leave_half_open_is_refused() {
    let text = "trip.consecutive = 1\nopen_for = '1s'\nprobes_counted = 'in_all'\n";
    let refused = |fields: &str| {
        let config: BreakerConfig = toml::from_str(&format!("{text}{fields}")).unwrap();
        let problems = config.problems();
        assert!(problems.iter().all(|(field, _)| *field == "probes"), "{fields}: {problems:?}");
        problems.first().map(|(_, message)| message.clone())
    };
    for (fields, needs) in [
        ("closes_after = 2", 2),
        ("closes_after = 2\nprobes = 1\noverflow = 'wait'", 2),
        ("closes_after = 2\nreopens_after = 2\nprobes = 2", 3),
        ("probes = 2\nhalf_open.ring = { size = 2, rate = 0.5 }", 3),
        // F, F, S is undecided: two of three failed, and the success does not open.
        ("probes = 3\nhalf_open.ring = { size = 2, rate = 0.4 }", 4),
        ("probes = 1\nhalf_open.successes = { enough = 2, of = 3 }", 3),
        ("probes = 2\nhalf_open.failures = { enough = 2, of = 3 }", 3),
    ] {
        let message = refused(fields).unwrap_or_else(|| panic!("{fields} is accepted"));
        assert!(message.contains(&format!("`probes = {needs}`")), "{fields}: {message}");
        for remedy in [
            format!("{}\nprobes = {needs}", fields.replace("probes = ", "# ")),
            fields.to_owned() + "\nhalf_open_for.at_most = '60s'",
        ] {
            assert_eq!(refused(&remedy), None, "{remedy}");
        }
        let config: BreakerConfig =
            toml::from_str(&format!("{}{fields}", text.replace("in_all", "under_way"))).unwrap();
        assert_eq!(config.problems(), [], "{fields}");
    }
    for fields in
        ["", "half_open.successes = { enough = 2, of = 3 }", "half_open.rate = { after = 9, rate = 0.5 }"]
    {
        assert_eq!(refused(fields), None, "{fields}");
    }
    assert_eq!(refused("probes = 'unlimited'\nhalf_open.ring = { size = 9, rate = 0.5 }"), None);
    assert_eq!(refused("after_open = 'closed'\ncloses_after = 2"), None);
}

#[test]
fn fields_that_contradict_each_other_are_explained() {
    for text in [
        "trip.any = []",
        "trip.any = [{ any = [{ consecutive = 1 }] }]",
        "trip.count_window = { size = 3 }",
        "trip.count_window = { rate = 0.5 }",
        "trip.count_window = { size = 3, failures = 4 }",
        "trip.count_window = { size = 3, rate = 0.5, percent = 50 }",
        "trip.count_window = { size = 3, rate = 0.5, judged_on = 'tick' }",
        "trip.time_window = { width = '3s' }",
        "trip.time_window = { width = '3s', rate = 0.5, arithmetic = 'rounded' }",
        "trip.time_window = { width = '3s', rate = 0.5, buckets = 2, bucket = '1s' }",
        "trip.time_window = { width = '0s', rate = 0.5 }",
        "trip.time_window = { width = '1s', rate = 0.5, bucket = '2s' }",
        "trip.time_window = { width = '1d', rate = 0.5, bucket = '1ms' }",
        "trip.time_window = { width = '1s', rate = 0.5, align = 'first_event', judged_on = 'tick' }",
        "trip.time_window = { width = '1s', slow = { longer_than = '1s' } }",
        "trip.moving_average = { success_rate = 0.5, window = '4ms' }",
        "trip.consecutive = { failures = 1, forgets_every = '0s' }",
        "trip.consecutive = 1\nchanges.every = '0s'",
        "trip.consecutive = 1\nhalf_open.successes = { enough = 3, of = 2 }",
        "trip.consecutive = 1\nhalf_open.rate = { after = 3 }",
        "trip.consecutive = 1\nhalf_open = { ring = { size = 3, rate = 0.5 }, failures = { enough = 1 } }",
        "trip.consecutive = 1\nhalf_open_for.at_most = '0s'",
        "trip.consecutive = 1\nhalf_open_for.at_most = '1s'\nchanges = 'on_time'\nopen_for.jitter = 'equal'",
    ] {
        let open_for =
            if text.contains("open_for.j") { "open_for.backoff.fixed = '9s'" } else { "open_for = '1s'" };
        let config: BreakerConfig = toml::from_str(&format!("{open_for}\n{text}")).expect(text);
        assert!(!config.problems().is_empty(), "{text}");
    }
}
