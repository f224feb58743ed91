//! A first scenario from recorded traffic: the trace, and a service that behaves as the recorded one did, as far as a recording tells.

use super::estimate::{Outage, is_in_outage, limit, outages, quantile};
use super::format::Format;
use super::text::{self, duration, of_outcome, quote, share};
use super::traffic::{Request, Traffic};
use crate::outcome::Outcome;
use crate::time::Interval;

/// How long the run goes on after the last request, in nanoseconds: as long as the retries of the policies below can take.
const AFTER: u64 = 60_000_000_000;

/// The two policies that a first scenario compares.
pub(super) const POLICIES: &str = "\
# With one workload, each policy is an arm of the comparison.
[policies.no-retry]               # as recorded
retries = 0

[policies.full-jitter]            # exponential backoff with full jitter
retries = 4
backoff.exponential = { base = \"1s\", factor = 2 }
jitter = \"full\"
cap_before_jitter = \"10s\"
";

/// `scenario.toml` for what was recorded under `name`.
pub(super) fn scenario(name: &str, format: Format, traffic: &Traffic) -> String {
    let outages = outages(traffic);
    let last = traffic.requests.last().map_or(0, |request| request.at.unsigned_abs());
    let horizon = Interval::from_nanos(last + AFTER).ceil_to_seconds();
    let requests = traffic.requests.len() as u64 - traffic.retries();
    let replications = match requests {
        ..=10_000 => 30,
        10_001..=100_000 => 10,
        _ => 3,
    };
    let began = i128::from(traffic.began);
    let began = jiff::Timestamp::from_nanosecond(began)
        .map_or_else(|_| String::new(), |time| format!(", from {time} on"));
    [
        format!(
            "# From {name}, {} {}: {requests} requests{began}.\n\
             # What is marked \"estimate\" comes from the recording, with its 95 % interval in brackets (order statistics if nothing\n\
             # else is said, ? where there are too few). Replace what you know better.\n",
            format.article(),
            format.title()
        ),
        notes(format, traffic),
        format!(
            "title = {}\nquestion = \"What would retries with jitter have done to these requests, and to the service?\"\n\
             horizon = \"{horizon}\"\nreplications = {replications}\n\n[services.recorded]\n",
            quote(&format!("Recorded: {name}"))
        ),
        latencies(traffic, &outages),
        rate_limit(traffic, &outages),
        faults(traffic, &outages),
        outages.iter().map(|outage| incident(outage, timeout(traffic))).collect(),
        workload(traffic),
        POLICIES.to_owned(),
    ]
    .concat()
}

/// What one has to know about the recording.
fn notes(format: Format, traffic: &Traffic) -> String {
    let mut notes: Vec<String> = Vec::new();
    if matches!(format, Format::Clf | Format::Combined) {
        notes.push("A log of a service does not tell retries from requests: those that clients made are in the trace as requests.".into());
    }
    if traffic.spread {
        notes.push(
            "Times were recorded in whole seconds; the requests of a second are spread evenly over it."
                .into(),
        );
    }
    let retries = traffic.retries();
    if retries > 0 {
        notes.push(format!(
            "{retries} recorded retries (http.request.resend_count) belong to the old policy: they are not in the trace, nor in the \
             estimates but that of a rate limit and of outages."
        ));
    }
    if traffic.hosts.len() > 1 {
        notes.push(format!(
            "Requests to {} hosts are one service here: {}{}. Cut the recording to model one.",
            traffic.hosts.len(),
            traffic.hosts.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", "),
            if traffic.hosts.len() > 5 { ", ..." } else { "" }
        ));
    }
    if traffic.bad.count > 0 {
        let bad = text::count(traffic.bad.count, format.unit(), format.units());
        notes.push(format!("{bad} could not be read."));
    }
    let redirects = traffic
        .requests
        .iter()
        .filter(|request| code(request).is_some_and(|code| code < 400 && code / 100 != 2));
    let redirects = redirects.count();
    if redirects > 0 {
        notes.push(format!("{redirects} answers of 1xx or 3xx count as successes."));
    }
    notes.iter().fold(String::new(), |text, note| text + "# " + note + "\n")
}

const fn code(request: &Request) -> Option<u16> {
    match request.outcome {
        Outcome::Status(code) => Some(code.get()),
        _ => None,
    }
}

/// The latencies of what was worked on, and of what was turned away.
fn latencies(traffic: &Traffic, outages: &[Outage]) -> String {
    let of = |turned_away: bool| {
        let requests = traffic.requests.iter().filter(|request| !request.retry);
        let requests = requests
            .filter(|request| (request.is_limited() || is_in_outage(request, outages)) == turned_away);
        let mut sample: Vec<u64> = requests.filter_map(|request| request.latency).collect();
        sample.sort_unstable();
        sample
    };
    let (worked, turned_away) = (of(false), of(true));
    if worked.is_empty() && turned_away.is_empty() {
        return "# The recording has no latencies: this is a guess.\nlatency.lognormal = { median = \"100ms\", p99 = \"1s\" }\n".into();
    }
    law("latency", &worked, "answered or timed out, neither limited nor in an outage")
        + &law("rejection_latency", &turned_away, "limited, or in an outage")
}

/// The law of a sorted sample: lognormal with its median and 99th percentile.
fn law(field: &str, sample: &[u64], of: &str) -> String {
    let (Some(median), Some(p99)) = (quantile(sample, 0.5), quantile(sample, 0.99)) else {
        return String::new();
    };
    let n = sample.len();
    let mut text = format!(
        "# estimate: median {}, p99 {}, n = {n} ({of})\n",
        text::quantile(&median),
        text::quantile(&p99)
    );
    if n < 100 {
        text += "# With fewer than 100 latencies, the p99 is the longest.\n";
    }
    if p99.value == 0 {
        return text + &format!("{field}.constant = \"0s\"\n");
    }
    if median.value == 0 {
        text += "# Most took less than the clock could tell.\n";
        let points = [0.5, 0.75, 0.9, 0.95, 0.99, 1.0]
            .into_iter()
            .filter_map(|p| Some((p, quantile(sample, p)?.value)));
        let points: Vec<String> =
            points.map(|(p, value)| format!("[{p}, \"{}\"]", duration(value))).collect();
        return text
            + &format!("{field}.empirical = {{ quantiles = [[0, \"0s\"], {}] }}\n", points.join(", "));
    }
    text + &format!(
        "{field}.lognormal = {{ median = \"{}\", p99 = \"{}\" }}\n",
        duration(median.value),
        duration(p99.value)
    )
}

fn rate_limit(traffic: &Traffic, outages: &[Outage]) -> String {
    let Some(limit) = limit(traffic, outages) else { return String::new() };
    let window = Interval::from_secs(limit.width.unsigned_abs());
    let end = |end: Option<u64>| end.map_or_else(|| "?".into(), |end| end.to_string());
    let mut text = format!(
        "# estimate: limit {}, the most requests admitted in a window of {window} with refusals; median {} [{}, {}], n = {} such \
         windows,\n# {} refusals (429). The window is the one of 1s, 10s, 1m, 5m and 1h under which these agree best; that the limit is \
         a fixed\n# window, and what Retry-After says, is a guess.\n",
        limit.highest,
        limit.median.value,
        end(limit.median.low),
        end(limit.median.high),
        limit.windows,
        limit.refusals
    );
    if limit.windows < 3 || limit.median.low.is_none() || limit.median.high.is_none() {
        text += "# There are too few such windows to believe it: remove the # below if you know better.\n# ";
    }
    text + &format!("rate_limit.fixed_window = {{ limit = {}, window = \"{window}\" }}\n", limit.highest)
}

fn faults(traffic: &Traffic, outages: &[Outage]) -> String {
    let attempts: Vec<&Request> = traffic
        .requests
        .iter()
        .filter(|request| !request.retry && !request.is_limited() && !is_in_outage(request, outages))
        .collect();
    let n = attempts.len() as u64;
    let mut counts: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new();
    for request in attempts {
        if code(request).is_none_or(|code| code >= 400) && request.outcome != Outcome::Timeout {
            *counts.entry(of_outcome(request.outcome)).or_default() += 1;
        }
    }
    let mut text = String::new();
    for (status, count) in counts {
        let (probability, interval) = share(count, n);
        let status = if status == "connection_error" { quote(&status) } else { status };
        text += &format!(
            "\n[[services.recorded.faults]]\n# estimate: {probability} {interval} neither limited nor in an outage\n\
             random = {{ status = {status}, probability = {probability} }}\n"
        );
    }
    text
}

/// An outage; `timeout` is after how long clients stopped waiting, if that was recorded.
fn incident(outage: &Outage, timeout: Option<u64>) -> String {
    const MILLI: i64 = 1_000_000;
    // Whole milliseconds, as long as no request changes sides.
    let floor = outage.from.0 / MILLI * MILLI;
    let from = if outage.from.1.is_none_or(|before| before < floor) { floor } else { outage.from.0 };
    let ceil = (outage.to.0 / MILLI + 1) * MILLI;
    let to = if outage.to.1.is_none_or(|after| ceil <= after) { ceil } else { outage.to.0 + 1 };
    let show = |nanos: i64| Interval::from_nanos(nanos.unsigned_abs()).to_string();
    let before = outage.from.1.map_or_else(|| "the start".into(), show);
    let after = outage.to.1.map_or_else(|| "the end".into(), show);
    let (status, note) = match outage.outcome {
        Outcome::Status(code) => (code.get().to_string(), String::new()),
        Outcome::Timeout if timeout.is_some() => (quote("no_answer"), String::new()),
        Outcome::Timeout => ("503".into(), "# Recorded as timeouts, and not after how long.\n".into()),
        other => (quote(&of_outcome(other)), String::new()),
    };
    format!(
        "\n[[services.recorded.incidents]]\n\
         # estimate: from [{before}, {}] to [{}, {after}], between the requests around it; {} of {} requests in it failed.\n\
         # Rule: a run of windows of {}s in each of which half or more failed (5xx, timeout, connection error), and more than chance\n\
         # would have it at the rate of the other windows (binomial, 1 % over all windows); of it and a window on either side, the\n\
         # stretch of requests with the largest surplus of failures.\n{note}outage = {{ from = \"{}\", lasts = \"{}\", status = {status} }}\n",
        show(outage.from.0),
        show(outage.to.0),
        outage.failures,
        outage.requests,
        outage.width,
        show(from),
        show(to - from),
    )
}

/// The requests that timed out.
fn timeouts(traffic: &Traffic) -> impl Iterator<Item = &Request> {
    traffic.requests.iter().filter(|request| request.outcome == Outcome::Timeout)
}

/// After how many nanoseconds clients stop waiting: after the shortest time that one did, if it was recorded.
fn timeout(traffic: &Traffic) -> Option<u64> {
    timeouts(traffic).filter_map(|request| request.latency).min().filter(|&shortest| shortest > 0)
}

fn workload(traffic: &Traffic) -> String {
    let mut text =
        "\n[workloads.recorded]\nservice = \"recorded\"\narrivals.trace = { file = \"trace.csv\" }\n"
            .to_owned();
    if traffic.clients > 1 {
        text += &format!("# estimate: as many as addresses, n = {}\nclients = {0}\n", traffic.clients);
    }
    let count = timeouts(traffic).count();
    if count > 0 {
        text += &format!(
            "# {count} requests timed out; in the latencies they count as answers that came then.\n"
        );
    }
    if let Some(shortest) = timeout(traffic) {
        text += &format!(
            "# estimate: the shortest of these, n = {count}\ntimeout = \"{}\"\n",
            duration(shortest)
        );
    }
    text + "\n"
}
