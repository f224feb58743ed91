//! What incidents make of a service, from moment to moment.

use super::*;
use crate::random::Purpose;

fn incidents(text: &str) -> Incidents {
    #[derive(serde::Deserialize)]
    struct Wrapper {
        incidents: Vec<Incident>,
    }
    let list = toml::from_str::<Wrapper>(text).unwrap().incidents;
    for incident in &list {
        assert_eq!(incident.problem(), None, "{incident:?}");
    }
    Incidents::new(&list, Key::derive(4, 0, Purpose::Incidents, "api"), Interval::from_secs(1000))
}

fn at(nanos: u64) -> Instant {
    Instant::from_nanos(nanos)
}

const SECOND: u64 = 1_000_000_000;

/// What differs from the usual, in words.
fn words(conditions: &Conditions) -> String {
    let Conditions { down, brownouts, slowness, capacity, servers_lost, limit, error } = conditions;
    let mut words = Vec::new();
    words.extend(down.map(|outcome| format!("down {outcome}")));
    words.extend(brownouts.iter().map(|b| format!("{} of {}", b.outcome, b.probability)));
    words.extend((*slowness != 1.0).then(|| format!("slow {slowness}")));
    words.extend((*capacity != 1.0).then(|| format!("capacity {capacity}")));
    words.extend((*servers_lost != 0).then(|| format!("servers -{servers_lost}")));
    words.extend((*limit != 1.0).then(|| format!("limit {limit}")));
    words.extend(error.map(|outcome| format!("error {outcome}")));
    words.join(", ")
}

#[test]
fn each_kind_changes_its_condition_from_the_first_instant_of_its_window_to_before_its_last() {
    for (incident, expected) in [
        ("outage = { from = '10s', lasts = '5s' }", "down 503"),
        ("outage = { from = '10s', lasts = '5s', status = 'connection_error' }", "down connection_error"),
        ("brownout = { from = '10s', lasts = '5s', probability = 0.25 }", "503 of 0.25"),
        ("brownout = { from = '10s', lasts = '5s', status = 500, probability = 1 }", "500 of 1"),
        ("latency = { from = '10s', lasts = '5s', factor = 3 }", "slow 3"),
        ("capacity = { from = '10s', lasts = '5s', share = 0.5 }", "capacity 0.5"),
        ("capacity = { from = '10s', lasts = '5s', servers_lost = 2 }", "servers -2"),
        ("rate_limit = { from = '10s', lasts = '5s', factor = 0.1 }", "limit 0.1"),
        ("error_code = { from = '10s', lasts = '5s', status = 418 }", "error 418"),
        ("deploy = { from = '10s', instances = 4, each = '1250ms' }", "capacity 0.75"),
        (
            "deploy = { from = '10s', instances = 4, each = '1250ms', status = 'connection_error' }",
            "connection_error of 0.25, capacity 0.75",
        ),
    ] {
        let mut incidents = incidents(&format!("[[incidents]]\n{incident}"));
        assert_eq!(incidents.windows(), [(at(10 * SECOND), at(15 * SECOND))], "{incident}");
        for (now, expected, next) in [
            (0, "", Some(10)),
            (10 * SECOND - 1, "", Some(10)),
            (10 * SECOND, expected, Some(15)),
            (15 * SECOND - 1, expected, Some(15)),
            (15 * SECOND, "", None),
            (999 * SECOND, "", None),
        ] {
            assert_eq!(words(incidents.at(at(now))), expected, "{incident} at {now} ns");
            let next = next.map(|seconds| at(seconds * SECOND));
            assert_eq!(incidents.next_change(), next, "{incident} at {now} ns");
        }
    }
}

#[test]
fn a_cache_is_cold_from_the_end_of_its_window_and_warms_up_exponentially() {
    for (fields, from) in [("", 10u64), ("lasts = '4s', ", 14)] {
        let text =
            format!("[[incidents]]\ncold_cache = {{ from = '10s', {fields}factor = 5, decays = '2s' }}");
        let mut incidents = incidents(&text);
        assert_eq!(incidents.at(at(from * SECOND - 1)).slowness, 1.0);
        for (age, excess) in [(0, 1.0), (2, 0.367_879_441_171), (6, 0.049_787_068_368), (200, 0.0)] {
            let slowness = incidents.at(at((from + age) * SECOND)).slowness;
            assert!((slowness - (1.0 + 4.0 * excess)).abs() < 1e-11, "{age} s: {slowness}");
        }
        assert!(incidents.cold.is_empty(), "what is warm is forgotten");
        assert_eq!(incidents.at(at(900 * SECOND)).slowness, 1.0);
    }
    // A new window starts it anew, and a long jump past several counts from the last.
    let text =
        "[[incidents]]\ncold_cache = { from = '10s', every = '5s', times = 3, factor = 5, decays = '2s' }";
    let seen = |seconds: &[u64]| {
        let mut incidents = incidents(text);
        seconds.iter().map(|second| incidents.at(at(second * SECOND)).slowness).last().unwrap()
    };
    assert_eq!(seen(&[10, 15]), 5.0);
    assert_eq!(seen(&[10, 14, 20]), 5.0);
    assert_eq!(seen(&[22]), seen(&[10, 12]));
}

#[test]
fn an_outage_at_random_can_leave_the_caches_cold() {
    let cold = "cold_cache = { factor = 5, decays = '2s' }";
    let mut with = incidents(&format!("[[incidents]]\noutage = {{ mtbf = '50s', mttr = '5s', {cold} }}"));
    let mut without = incidents("[[incidents]]\noutage = { mtbf = '50s', mttr = '5s' }");
    assert_eq!(with.windows(), without.windows(), "the same outages");
    let windows = with.windows().to_vec();
    assert!(windows.len() > 10, "{}", windows.len());
    for (index, &(begins, over)) in windows.iter().enumerate() {
        assert!(with.at(begins).down.is_some());
        assert_eq!(with.at(over).down, None);
        assert_eq!(with.at(over).slowness, 5.0);
        let later = over + Interval::from_secs(2);
        if windows.get(index + 1).is_none_or(|next| next.0 > later) {
            let slowness = with.at(later).slowness;
            assert!((slowness - (1.0 + 4.0 * 0.367_879_441_171)).abs() < 1e-11, "{slowness}");
        }
        assert_eq!(without.at(over).slowness, 1.0);
    }
}

#[test]
fn incidents_at_the_same_time_add_up_and_the_first_in_the_file_decides() {
    let mut incidents = incidents(
        "[[incidents]]\nlatency = { from = '0s', lasts = '30s', factor = 2 }\n\
         [[incidents]]\nlatency = { from = '10s', lasts = '10s', factor = 3 }\n\
         [[incidents]]\ncold_cache = { from = '20s', factor = 4, decays = '1ns' }\n\
         [[incidents]]\noutage = { from = '20s', lasts = '5s', status = 500 }\n\
         [[incidents]]\noutage = { from = '15s', lasts = '10s', status = 502 }\n\
         [[incidents]]\ncapacity = { from = '26s', lasts = '1s', share = 0.5 }\n\
         [[incidents]]\ndeploy = { from = '26s', instances = 2, each = '1s', status = 503 }\n\
         [[incidents]]\nbrownout = { from = '26s', lasts = '1s', status = 500, probability = 0.25 }",
    );
    for (seconds, expected) in [
        (5, "slow 2"),
        (10, "slow 6"),
        (15, "down 502, slow 6"),
        (20, "down 500, slow 8"),
        (24, "down 500, slow 2"),
        (26, "503 of 0.5, 500 of 0.25, slow 2, capacity 0.25"),
        (27, "503 of 0.5, slow 2, capacity 0.5"),
        (30, ""),
    ] {
        assert_eq!(words(incidents.at(at(seconds * SECOND))), expected, "{seconds} s");
    }
}

#[test]
fn brownouts_strike_each_on_its_own() {
    let mut incidents = incidents(
        "[[incidents]]\nbrownout = { from = '0s', lasts = '1s', status = 500, probability = 0.4 }\n\
         [[incidents]]\nbrownout = { from = '0s', lasts = '1s', status = 503, probability = 0.5 }",
    );
    let conditions = incidents.at(at(0));
    let key = Key::derive(4, 0, Purpose::Service, "calls");
    let n = 20_000;
    let mut seen = [0.0; 2];
    for entity in 0..n {
        match conditions
            .spoils(Luck::At { key, entity, index: 1 })
            .map(|outcome| outcome.to_string())
            .as_deref()
        {
            Some("500") => seen[0] += 1.0,
            Some(_) => seen[1] += 1.0,
            None => {}
        }
    }
    for (count, p) in seen.into_iter().zip([0.4, 0.6 * 0.5]) {
        let z = (count - n as f64 * p) / (n as f64 * p * (1.0 - p)).sqrt();
        assert!(z.abs() < 4.5, "{p}: z = {z}");
    }
}

#[test]
fn random_windows_open_and_close_as_they_are_listed() {
    let mut incidents = incidents("[[incidents]]\noutage = { mtbf = '20s', mttr = '5s' }");
    let windows = incidents.windows().to_vec();
    assert!(windows.len() > 10, "{}", windows.len());
    for (begins, over) in windows {
        let before = Instant::from_nanos(begins.as_nanos() - 1);
        assert_eq!(incidents.at(before).down, None);
        assert_eq!(incidents.next_change(), Some(begins));
        assert!(incidents.at(begins).down.is_some());
        assert_eq!(incidents.next_change(), Some(over));
        assert!(incidents.at(Instant::from_nanos(over.as_nanos() - 1)).down.is_some());
        assert_eq!(incidents.at(over).down, None);
    }
}

#[test]
fn servers_are_left_in_whole_ones() {
    let left =
        |text: &str, servers| incidents(&format!("[[incidents]]\n{text}")).at(at(0)).away().left(servers);
    for (incident, servers, expected) in [
        ("capacity = { from = '0s', lasts = '1s', share = 0.5 }", 5, 3),
        ("capacity = { from = '0s', lasts = '1s', share = 0 }", 5, 0),
        ("capacity = { from = '0s', lasts = '1s', servers_lost = 2 }", 5, 3),
        ("capacity = { from = '0s', lasts = '1s', servers_lost = 9 }", 5, 0),
        ("deploy = { from = '0s', instances = 3, each = '1s' }", 3, 2),
        ("latency = { from = '0s', lasts = '1s', factor = 9 }", 4_000_000_000, 4_000_000_000),
    ] {
        assert_eq!(left(incident, servers), expected, "{incident}");
    }
}

#[test]
fn what_makes_no_sense_is_explained() {
    for (text, word) in [
        ("outage = { lasts = '1s' }", "say when"),
        ("outage = { from = '1s' }", "say how long"),
        ("outage = { from = '1s', mtbf = '1h', mttr = '1s' }", "keep `from` and `lasts`, or `mtbf`"),
        ("outage = { mtbf = '1h' }", "say when"),
        ("outage = { mtbf = '1h', mttr = '1s', every = '1h' }", "`every` and `times` repeat"),
        ("capacity = { from = '0s', lasts = '1s' }", "say what is left"),
        ("deploy = { from = '0s', lasts = '1s', instances = 2, each = '1s' }", "unknown field `lasts`"),
        ("brownout = { from = '0s', lasts = '1s' }", "missing field `probability`"),
    ] {
        let error = toml::from_str::<Incident>(text).unwrap_err().to_string();
        assert!(error.contains(word), "{text}: {error}");
    }
    for (text, word) in [
        ("outage = { from = '1s', lasts = '1s', status = 200 }", "status 200 is a success"),
        ("outage = { from = '1s', lasts = '0s' }", "an outage that lasts 0s never happens"),
        (
            "deploy = { from = '1s', instances = 3, each = '0s' }",
            "a deploy that lasts 0s never happens: give `each`",
        ),
        ("deploy = { from = '1s', instances = 3, each = '1s', every = '3s' }", "make `every`"),
        ("cold_cache = { from = '1s', factor = 3, decays = '0s' }", "give `decays`"),
        (
            "outage = { from = '1s', lasts = '1s', cold_cache = { factor = 3, decays = '0s' } }",
            "give `decays`",
        ),
        ("cold_cache = { from = '1s', factor = 3, decays = '1s', every = '0s' }", "make `every`"),
        ("rate_limit = { from = '1s', lasts = '1s', factor = 0 }", "write an `outage`"),
    ] {
        let problem = toml::from_str::<Incident>(text).unwrap().problem().expect(text);
        assert!(problem.contains(word), "{text}: {problem}");
    }
}
