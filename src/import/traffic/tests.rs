//! Order, inputs, operations and bad lines of what was recorded.

use super::*;

fn draft(at: i64, method: &'static str, url: &'static str) -> Draft<'static> {
    let outcome = Outcome::Status(StatusCode::OK);
    Draft {
        at,
        ends: false,
        latency: None,
        outcome,
        method,
        url,
        client: None,
        retry: false,
        served: false,
        retry_after: None,
    }
}

#[test]
fn requests_of_one_second_are_spread_over_it_and_reversed_times_put_in_order() {
    let mut traffic = Traffic::default();
    for (number, at) in [7_000_000_000, 5_000_000_000, 7_000_000_000].into_iter().enumerate() {
        traffic.take(number as u64, Ok(draft(at, "GET", "/a"))).unwrap();
    }
    traffic.finish(true, "line").unwrap();
    let times: Vec<i64> = traffic.requests.iter().map(|request| request.at).collect();
    assert_eq!((times, traffic.began), (vec![0, 2_000_000_000, 2_500_000_000], 5_000_000_000));
}

#[test]
fn inputs_are_one_if_they_are_read_and_their_own_if_they_are_written() {
    let mut traffic = Traffic::default();
    for (method, url) in
        [("GET", "/a/1"), ("GET", "/a/2"), ("get", "/a/1"), ("POST", "/a/1"), ("POST", "/a/1")]
    {
        traffic.take(1, Ok(draft(0, method, url))).unwrap();
    }
    let keys: Vec<u32> = traffic.requests.iter().map(|request| request.key).collect();
    assert_eq!(keys, [0, 1, 0, 2, 3]);
    assert_eq!(traffic.operations, ["GET /a/{id}", "POST /a/{id}"]);
}

#[test]
fn hosts_but_the_first_are_part_of_the_operation() {
    let mut traffic = Traffic::default();
    for url in ["http://a/x", "http://b/x", "http://a/x", "/x"] {
        traffic.take(1, Ok(draft(0, "GET", url))).unwrap();
    }
    assert_eq!(traffic.operations, ["GET /x", "GET b/x"]);
}

#[test]
fn operations_beyond_a_thousand_are_one() {
    let mut traffic = Traffic::default();
    for number in 0..1500 {
        let url = format!("/{}", "x".repeat(1 + number % 60) + &"y".repeat(number / 60));
        traffic.take(1, Ok(Draft { url: &url, ..draft(0, "GET", "") })).unwrap();
    }
    assert_eq!(traffic.operations.len(), 1000);
    assert_eq!(traffic.operations.last().map(String::as_str), Some("other"));
}

#[test]
fn more_bad_lines_than_good_ones_are_an_error() {
    let mut traffic = Traffic::default();
    traffic.take(1, Ok(draft(0, "GET", "/"))).unwrap();
    traffic.take(2, Err("no".into())).unwrap();
    assert_eq!(traffic.finish(false, "line"), Ok(()), "half is not more than half");
    traffic.take(3, Ok(draft(-1, "GET", "/"))).unwrap();
    traffic.take(4, Ok(draft(1, "\u{1b}[2J", "/"))).unwrap();
    let why = traffic.finish(false, "line").unwrap_err();
    for needle in [
        "3 of 4 lines",
        "line 2: no",
        "line 3: its time is before 1970",
        "line 4: \"?[2J\" is no HTTP method",
    ] {
        assert!(why.contains(needle), "{why}");
    }
}

#[test]
fn codes_and_words_become_outcomes() {
    let status = |code| Ok(Outcome::Status(StatusCode::of(code)));
    for (code, error, expected) in [
        (200, "", status(200)),
        (504, "timeout", status(504)),
        (0, "EOF", Ok(Outcome::ConnectionError)),
        (-1, "net::ERR_EMPTY_RESPONSE", Ok(Outcome::ConnectionError)),
        (0, "context deadline exceeded", Ok(Outcome::Timeout)),
        (0, "request timeout", Ok(Outcome::Timeout)),
    ] {
        assert_eq!(outcome_of(code, error), expected, "{code} {error}");
    }
    assert!(
        outcome(600).is_err() && outcome(99).is_err() && outcome(-2).is_err() && outcome(70_000).is_err()
    );
    assert!(millis(Some(f64::NAN)).is_err() && millis(Some(-1.0)).is_err() && millis(None).is_err());
    assert_eq!(millis(Some(28.451_573)), Ok(28_451_573));
}

#[test]
fn a_wait_is_a_number_of_seconds_or_ends_at_a_date() {
    // 2015-10-21T07:28:00Z is 1445412480 s of the Unix epoch (date -u +%s).
    let at = |seconds: i64| wait("Wed, 21 Oct 2015 07:28:00 GMT", seconds * SECOND);
    assert_eq!((at(1_445_412_470), at(1_445_412_490)), (Some(10_000_000_000), Some(0)));
    assert_eq!((wait(" 3 ", 0), wait("0", 0)), (Some(3_000_000_000), Some(0)));
    for text in ["", "soon", "-3", "1.5"] {
        assert_eq!(wait(text, 0), None, "{text}");
    }
}
