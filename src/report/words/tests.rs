//! Compositions and the sentences that they come to.

use super::{breaker_in_words, in_words};
use crate::policy::PolicyConfig;

fn words(text: &str) -> Vec<String> {
    let config: PolicyConfig = toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    in_words(&config)
}

#[test]
fn every_delay_has_a_formula() {
    for (text, formula) in [
        ("backoff.fixed = '60s'", "60 s"),
        ("backoff.list = '90s'", "90 s"),
        ("backoff.list = ['1s', '2m']", "the n-th of 1 s, 2 min (the last one repeats)"),
        (
            "backoff.list = { delays = ['1s', '1h30m'], then = 'give_up' }",
            "the n-th of 1 s, 1 h 30 min (no retry after the last one)",
        ),
        ("backoff.linear = { first = '1s', step = '2s' }", "1 s + (n-1) * 2 s"),
        ("backoff.linear = { first = '2s', step = '2s' }", "n * 2 s"),
        (
            "backoff.exponential = { base = '1s' }\ncap_before_jitter = '60s'\njitter.scale = [0.5, 1.5]\ncap_after_jitter = '60s'\nround.down = '1ms'",
            "min(60 s, 1 s * 2^(n-1)), times a uniform number from 0.5 to 1.5, capped at 60 s, rounded down to whole milliseconds",
        ),
        ("backoff.exponential = { base = '1s', exponent = 1, minus_one = true }", "1 s * (2^n - 1)"),
        (
            "backoff.exponential = { base = '1s', factor = 1.5, exponent = 3, zero_first = true }",
            "0 s before the first retry, then 1 s * 1.5^(n+2)",
        ),
        (
            "backoff.polynomial = { unit = '1s', power = 4, offset = -1, plus = '15s' }",
            "1 s * (n-1)^4 + 15 s",
        ),
        (
            "backoff.fibonacci = { base = '1s', stays_from = '60s' }",
            "1 s times the n-th of 1, 1, 2, 3, 5, 8, ..., repeated once it is 60 s or more",
        ),
        (
            "backoff.double_then_linear = { base = '10s', doublings = 3 }",
            "10 s * 2^(n-1) for 3 doublings, then 80 s more each time",
        ),
        (
            "backoff.iterated = { first = '500ms', factor = 1.5, whole = '1ms' }",
            "500 ms, then each time 1.5 times the one before, rounded down to whole milliseconds",
        ),
        (
            "backoff.iterated = { first = '5s', factor = 2, cap = '2s', arithmetic = 'single_seconds' }",
            "5 s, then each time 2 times the one before in single precision, rounded to whole nanoseconds, at most 2 s",
        ),
        (
            "backoff.chain = [{ backoff.fixed = '0s' }, { backoff.fixed = '8s', jitter = 'full' }]",
            "the n-th of [0 s], [8 s, times a uniform number from 0 to 1] (the last one goes on)",
        ),
        ("backoff.sum = [{ backoff.fixed = '1s' }, { backoff.fixed = '2s' }]", "[1 s] + [2 s]"),
        ("backoff.max = [{ backoff.fixed = '1s' }, { backoff.fixed = '2s' }]", "the longest of [1 s], [2 s]"),
    ] {
        let said = words(&format!("retries = 3\n{text}"));
        assert_eq!(said[1], format!("Before retry n it waits {formula}."), "{text}");
    }
}

#[test]
fn every_jitter_has_a_formula() {
    for (jitter, formula) in [
        ("jitter = 'none'", "8 s"),
        ("jitter = 'full'", "8 s, times a uniform number from 0 to 1"),
        ("jitter = 'equal'", "8 s, times a uniform number from 0.5 to 1"),
        ("jitter.proportional = 0.1", "8 s, times a uniform number from 0.9 to 1.1"),
        ("jitter.add = '1s'", "8 s, plus a uniform time from 0 s to 1 s"),
        ("jitter.add_per_retry = '10s'", "8 s, plus a uniform time from 0 s to n * 10 s"),
        ("jitter.plus_minus = '1s'", "8 s, plus or minus a uniform time of up to 1 s, never below 0 s"),
        ("jitter.between = '1s'", "a uniform time between 1 s and 8 s"),
        ("jitter.truncated_exponential = 0", "8 s"),
        (
            "jitter.truncated_exponential = 0.5",
            "8 s, times an exponential number of mean 1 that is cut to [0.629, 1.5]",
        ),
        (
            "jitter.truncated_seconds = 0.99",
            "8 s, plus a uniform share of it from 0 to 0.99, cut to whole seconds and, of its fraction, to whole nanoseconds",
        ),
        (
            "jitter.whole_percent = 0.3",
            "8 s, less a whole percentage below 30 % half of the time, else plus half of one from 30 %",
        ),
        (
            "jitter.hash = 'dag#{request}'",
            "8 s in whole seconds, plus a part of it that SHA-1 of `dag#{request}#n` decides, without luck",
        ),
        ("jitter = 'decorrelated'", "a walk: uniform from the first delay (8 s) to 3 times the delay before"),
        (
            "jitter.decorrelated_with = { lower = 'previous', begins = 'exact', factor = 2, cap = '60s' }",
            "a walk: exactly 8 s first, then uniform from the delay before to min(60 s, 2 times the delay before)",
        ),
        (
            "jitter = 'decorrelated_v2'",
            "a walk: first delay (8 s) / 1.4 times the growth of 2^t * tanh(sqrt(4 t)) to a random t in n-1 to n",
        ),
        (
            "jitter.compounding = { cap = '60s' }",
            "a walk: the first delay (8 s), then uniform from 0 s to 2^(n-1) times the delay before, at most 60 s",
        ),
        (
            "jitter = 'full'\ndraws = 'once'\nfloor = '1s'\nround.inclusive = '1s'",
            "8 s, times a uniform number from 0 to 1, drawn once for all retries of a request, at least 1 s, drawn in whole \
             seconds, both ends included",
        ),
        (
            "jitter = 'full'\ndraws = 'sorted'\nround.nearest = '5s'",
            "8 s, times a uniform number from 0 to 1, drawn for all retries at the start and sorted so that delays never \
             shrink, rounded to multiples of 5 s",
        ),
        ("round.up = '1us'", "8 s, rounded up to whole microseconds"),
    ] {
        let said = words(&format!("retries = 3\nbackoff.fixed = '8s'\n{jitter}"));
        assert_eq!(said[1], format!("Before retry n it waits {formula}."), "{jitter}");
    }
}

#[test]
fn stops_are_counted_and_timed() {
    for (stops, sentence) in [
        ("retries = 0", "No retry: 1 attempt."),
        ("attempts = 2", "1 retry: 2 attempts at most."),
        (
            "retries = 3\ndeadline = '2m'",
            "3 retries: 4 attempts at most; gives up when the next attempt would start later than 2 min after the first.",
        ),
        (
            "retries = 'unlimited'\nmax_elapsed = '45s'\nmax_total_delay = '30s'",
            "Retries until the run ends; gives up when a failure comes 45 s or more after the first attempt began, or when \
             its delays would add up to more than 30 s.",
        ),
        (
            "deadline = { within = '2m', at_limit = 'late', late = 'clip' }",
            "Any number of retries; gives up when 2 min have passed since the first attempt; a delay that would end at or \
             later than that is cut to end just then.",
        ),
        (
            "retries = 3\nmax_elapsed = '45s'\nstop_when = 'all'",
            "Gives up only when all of this is true: it has used up 3 retries: 4 attempts at most, and a failure comes 45 s \
             or more after the first attempt began.",
        ),
        ("", "Retries until its list of delays ends."),
    ] {
        assert_eq!(words(&format!("{stops}\nbackoff.fixed = '1s'"))[0], sentence, "{stops}");
    }
}

#[test]
fn what_is_retried_is_listed() {
    for (retry_on, sentence) in [
        (
            "retry_on = 'transient'",
            "Retried: 429, 500, 502, 503, 504, timeouts, broken connections and refusals of an open breaker; others not.",
        ),
        ("retry_on = 'any_failure'", "Retried: every failure, whatever it is."),
        ("retry_on.only = {}", "Retried: nothing."),
        (
            "retry_on.only = { status = [429, '5xx'], except = [501], timeout = true, connection_error = true }",
            "Retried: 429, 5xx but 501, timeouts and broken connections; others not.",
        ),
        (
            "retry_on.only = { status_with_retry_after = [413], breaker_open = true, shed = true }",
            "Retried: 413 with a Retry-After header, refusals of an open breaker and refusals of the client's own limiter; \
             others not.",
        ),
        (
            "retry_on.by_idempotence = { idempotent = 'any_failure', other.only = { status = [429] } }",
            "Retried of what may be done twice: every failure, whatever it is. Retried of what may not: 429; others not.",
        ),
    ] {
        assert_eq!(
            words(&format!("retries = 3\nbackoff.fixed = '1s'\n{retry_on}"))[2],
            sentence,
            "{retry_on}"
        );
    }
}

#[test]
fn retry_after_is_a_rule() {
    for (rule, sentence) in [
        ("'ignore'", "Retry-After is ignored."),
        ("'obey'", "Retry-After is obeyed: it waits exactly as long as asked."),
        ("'at_least'", "Retry-After is a lower bound of the delay."),
        ("'at_least_before_jitter'", "Retry-After is a lower bound of the delay before its jitter."),
        ("{ within = '5s' }", "Retry-After is a lower bound of the delay, but adds 5 s at most."),
        ("{ obey_with = { only_on = [429, 503] } }", "Retry-After is obeyed after 429 and 503."),
        (
            "{ obey_with = { scale = [1, 1.5], cap = '60s', ignore_over = '5m', restarts_backoff = true } }",
            "Retry-After is obeyed: times a uniform number from 1 to 1.5; capped at 60 s; ignored if more than 5 min is \
             asked; the backoff begins anew afterwards.",
        ),
        (
            "{ obey_with = { add = '1s', give_up_over = '1m', ignore_zero = true, at_least_backoff = true } }",
            "Retry-After is obeyed: plus a uniform time from 0 s to 1 s; it gives up if more than 60 s is asked; ignored if \
             0 s is asked; never shorter than the backoff.",
        ),
        (
            "{ obey_with = { truncated_exponential = 0.2 } }",
            "Retry-After is obeyed: times an exponential number of mean 1.1 that is cut to [1, 1.2].",
        ),
    ] {
        assert_eq!(
            words(&format!("retries = 3\nbackoff.fixed = '1s'\nretry_after = {rule}"))[3],
            sentence,
            "{rule}"
        );
    }
}

#[test]
fn the_rest_is_said_where_there_is_something_to_say() {
    let said = words(
        "retries = 2\nbackoff.fixed = '1s'\nthrottled.backoff.fixed = '5s'\nslot_during_backoff = 'freed'\ncache.ttl = '1h'\n\
         on_failure = 'swallow'\ninner = { retries = 0 }",
    );
    assert_eq!(
        said,
        [
            "2 retries: 3 attempts at most.",
            "Before retry n it waits 1 s.",
            "After a 429 it waits 5 s instead.",
            "Retried: 429, 500, 502, 503, 504, timeouts, broken connections and refusals of an open breaker; others not.",
            "Retry-After is ignored.",
            "A request gives its slot away while it waits for a retry.",
            "A success is kept for 1 h and answers requests with the same input.",
            "A failed request tells nobody: the caller goes on as if it had worked.",
            "Each attempt is a whole life of another policy inside:",
            "Inside: No retry: 1 attempt.",
        ]
    );
}

#[test]
fn a_breaker_is_one_sentence() {
    let breaker = toml::from_str(
        "trip.consecutive = 5\nopen_for = '30s'\nboundary = 'after'\ntimer_from = 'last_failure'\nprobes = 'unlimited'\n\
         closes_after = 2\nlate_results = 'count'\nscope = 'client'\nposition = 'outside'",
    )
    .unwrap();
    assert_eq!(
        breaker_in_words(&breaker),
        "A breaker around the request with all its retries, one per client, opens after 5 failures in a row (every failure), \
         stays open until 30 s after the last failure, that instant not included, then lets any number of probes through; \
         it closes after 2 successes and opens again after 1 failure; results of calls from before the last change count."
    );
}
