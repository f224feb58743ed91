//! What is drawn of each request, and what is said of fields that contradict each other.

use super::*;
use crate::random::{Key, Purpose};

fn config(fields: &str) -> WorkloadConfig {
    let arrivals = if fields.contains("arrivals") { "" } else { "arrivals.burst = {}\n" };
    toml::from_str(&format!("service = 's'\n{arrivals}{fields}")).unwrap()
}

fn draws(config: &WorkloadConfig) -> RequestDraws {
    RequestDraws::new(config, |purpose| Key::derive(1, 0, purpose, "w"))
}

const TRACE: &str =
    "arrivals.trace.file = { name = 't', text = \"time,operation,key\\n0,b,x\\n1,a,x\\n2,b,y\\n\" }";

#[test]
fn operations_are_drawn_in_proportion_to_their_weights() {
    let config = config("operations = { write = 1, read = 8.0, never = 0, scan = 1 }");
    assert_eq!(config.operation_names(), ["never", "read", "scan", "write"]);
    let draws = draws(&config);
    let n = 100_000u64;
    let mut counts = [0.0; 4];
    (0..n).for_each(|number| counts[draws.operation(number)] += 1.0);
    for (count, share) in counts.into_iter().zip([0.0, 0.8, 0.1, 0.1]) {
        let allowed = 4.5 * (n as f64 * share * (1.0 - share)).sqrt();
        assert!((count - n as f64 * share).abs() <= allowed, "{count} for {share}");
    }
}

#[test]
fn the_order_of_the_operations_in_the_file_does_not_matter() {
    let (one, other) = (config("operations = { a = 1, b = 2 }"), config("operations = { b = 2, a = 1 }"));
    let (one, other) = (draws(&one), draws(&other));
    assert!((0..100).all(|number| one.operation(number) == other.operation(number)));
}

#[test]
fn uniform_keys_are_drawn_as_they_always_were() {
    let config = config("keys = 1000");
    let key = Key::derive(1, 0, Purpose::InputKeys, "w");
    let expected = |number| crate::random::up_to(key.block(number, 0)[0], 999) as u32;
    let draws = draws(&config);
    assert!((0..100).all(|number| draws.input_key(number) == Some(expected(number))));
    assert_eq!(config.key_count(), Some(1000));
}

#[test]
fn a_trace_says_what_its_requests_are() {
    let config = config(TRACE);
    let draws = draws(&config);
    assert_eq!(
        (config.operation_names(), config.key_count()),
        (&["a".to_owned(), "b".to_owned()][..], Some(2))
    );
    assert_eq!([0, 1, 2].map(|number| draws.operation(number)), [1, 0, 1]);
    assert_eq!([0, 1, 2].map(|number| draws.input_key(number)), [Some(0), Some(0), Some(1)]);
    assert_eq!(draws.recorded(0), None);
    assert_eq!(config.problems(), []);
}

#[test]
fn a_request_without_more_has_one_operation_and_its_own_input() {
    let config = config("");
    let draws = draws(&config);
    assert_eq!((draws.operation(7), draws.input_key(7), draws.recorded(7)), (0, None, None));
    assert_eq!((draws.think(7), draws.account(7)), (Interval::ZERO, 0));
    assert_eq!((config.operation_names(), config.key_count()), (&[][..], None));
    assert_eq!(config.account_name("w"), "w");
}

#[test]
fn clients_are_dealt_to_the_accounts() {
    let config = config("clients = 10\naccounts = 3\naccount = 'acme'");
    let draws = draws(&config);
    assert_eq!([0, 1, 2, 3, 9].map(|client| draws.account(client)), [0, 1, 2, 0, 0]);
    assert_eq!(config.account_name("w"), "acme");
}

#[test]
fn clients_of_a_closed_workload_think_as_their_law_says() {
    let draws = draws(&config("arrivals.closed.think.exponential = { mean = '4s' }"));
    let n = 100_000u64;
    let mean = (0..n).map(|number| draws.think(number).as_secs_f64()).sum::<f64>() / n as f64;
    assert!((mean - 4.0).abs() < 4.5 * 4.0 / (n as f64).sqrt(), "{mean}");
}

#[test]
fn fields_that_contradict_each_other_are_explained() {
    for (fields, wrong) in [
        ("timeout = '0s'".to_owned(), "timeout"),
        ("accounts = 2".to_owned(), "accounts"),
        ("operations = {}".to_owned(), "operations"),
        ("operations = { a = 0 }".to_owned(), "operations"),
        ("arrivals.closed.think.constant = '0s'".to_owned(), "arrivals"),
        (format!("operations = {{ a = 1 }}\n{TRACE}"), "operations"),
        (format!("keys = 3\n{TRACE}"), "keys"),
    ] {
        let problems = config(&fields).problems();
        assert_eq!(problems.iter().map(|problem| problem.0).collect::<Vec<_>>(), [wrong], "{fields}");
    }
}
