//! How each library cuts time.

use super::*;

fn at(millis: u64) -> Instant {
    Instant::from_nanos(millis * 1_000_000)
}

fn rules(text: &str) -> TimeRules {
    let config: TimeWindow = toml::from_str(text).unwrap();
    assert_eq!(config.problem(), None, "{text}");
    TimeRules::new(&config)
}

/// How many of the calls at `millis` still count at each of them, the call itself included.
fn counted(text: &str, millis: &[u64]) -> Vec<u32> {
    let rules = rules(text);
    let mut buckets = Buckets::default();
    let mut count = |&millis: &u64| {
        rules.record(&mut buckets, at(millis), true, Interval::ZERO);
        buckets.tally.total
    };
    millis.iter().map(&mut count).collect()
}

#[test]
fn each_alignment_forgets_in_its_own_way() {
    let calls = [900, 1_000, 4_999, 5_000, 5_100, 60_000];
    let cases = [
        // Buckets 0..1, 1..2 and so on: at 5 s the first is gone.
        ("clock", [1, 2, 3, 3, 4, 1]),
        // A bucket begins at 0.9 s and takes what comes until 1.9 s; it goes at 5.9 s.
        ("first_event", [1, 2, 3, 4, 5, 1]),
        // Only one bucket goes for each result that opens a new one.
        ("one_step", [1, 2, 3, 4, 5, 6]),
        // The bucket of 0.9 s moves by floor(4.099) places at 4.999 s and is the last of five.
        ("drifting", [1, 2, 3, 4, 5, 1]),
        ("cleared", [1, 2, 3, 3, 4, 1]),
    ];
    for (align, expected) in cases {
        let text = format!("width = '5s'\nbuckets = 5\nfailures = 9\nalign = '{align}'");
        assert_eq!(counted(&text, &calls), expected, "{align}");
    }
}

#[test]
fn failsafe_begins_anew_after_a_pause() {
    let cut = rules("width = '10s'\nfailures = 1\nalign = 'cleared_or_idle'").cut;
    let mut buckets = Buckets::default();
    buckets.clear(at(500));
    for (millis, begun) in
        [(1_400, 500), (1_500, 1_500), (11_600, 11_500), (22_600, 22_600), (23_700, 23_600)]
    {
        buckets.add(&cut, at(millis), Tally::of(true, false));
        assert_eq!(buckets.kept.back().map(|(begun, _)| *begun), Some(at(begun)), "{millis}");
    }
}

#[test]
fn hystrix_trips_on_the_tick_after_enough_failures() {
    let text = "width = '10s'\nbucket = '500ms'\nminimum_calls = 20\npercent = 50\narithmetic = 'truncated'\n\
                judged_on = 'tick'";
    let rules = rules(text);
    let mut buckets = Buckets::default();
    for call in 0..20u64 {
        assert!(!rules.record(&mut buckets, at(1_000 + call), call % 2 == 0, Interval::ZERO));
    }
    assert_eq!(rules.tick(&mut buckets, at(1_499)), None);
    assert_eq!(rules.tick(&mut buckets.clone(), at(1_500)), Some(at(1_500)));
    assert_eq!(rules.tick(&mut buckets, at(900_000)), Some(at(1_500)));
}

#[test]
fn buckets_are_cut_as_each_library_does() {
    let cases = [
        ("width = '10s'\nfailures = 1\nalign = 'one_step'", 10, 1_000),
        ("width = '3s'\nfailures = 1\nalign = 'one_step'", 5, 600),
        ("width = '199ms'\nfailures = 1\nalign = 'first_event'", 1, 199),
        ("width = '200ms'\nfailures = 1\nalign = 'first_event'", 10, 20),
        ("width = '60s'\nfailures = 1\nbucket = '1s'", 60, 1_000),
        ("width = '10s'\nfailures = 1", 10, 1_000),
    ];
    for (text, buckets, millis) in cases {
        let cut = rules(text).cut;
        assert_eq!((cut.buckets, cut.bucket), (buckets, Interval::from_millis(millis)), "{text}");
    }
}

#[test]
fn the_least_number_of_calls_may_be_a_rate() {
    let minimum = |text: &str| rules(text).too_much.minimum;
    let window = "width = '10s'\nalign = 'one_step'\nrate = 0.2\ncompare = 'above'\n";
    assert_eq!(minimum(&format!("{window}minimum_rate = 5")), 50.0);
    assert_eq!(minimum(&format!("{window}minimum_failure_rate = 5")), 250.0);
    assert_eq!(minimum(&format!("{window}minimum_rate = 5\nminimum_failure_rate = 5")), 50.0);
    assert_eq!(minimum(window), 0.0);
}
