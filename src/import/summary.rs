//! A first scenario from totals: rates, quantiles and a share of failures, and no trace.

use super::locust::Summary;
use super::scenario::POLICIES;
use super::text::{duration, quote, share};
use crate::time::Interval;

/// `scenario.toml` for the tables that were read under `name`.
pub(super) fn scenario(name: &str, summary: &Summary) -> String {
    let n = summary.requests;
    let mut text = format!(
        "# From {name}, a table of Locust: {n} requests in {}. It has totals only, so that there is no trace: requests come at\n\
         # random, at the recorded rates. What is marked \"estimate\" comes from the table, with its 95 % interval in brackets.\n\
         # Replace what you know better.\n\
         title = {}\nquestion = \"What would retries with jitter have done to this load, and to the service?\"\n\
         horizon = \"{}\"\n\n[services.recorded]\n",
        Interval::from_secs(summary.seconds),
        quote(&format!("Recorded: {name}")),
        Interval::from_secs(summary.seconds + 60)
    );
    text += if summary.averaged {
        "# estimate: quantiles averaged over the rows, weighted with their rates (no interval); `_stats.csv` has those of all requests\n"
    } else {
        "# estimate: quantiles as Locust rounds them (two digits; no interval); failures among them\n"
    };
    let points =
        summary.quantiles.iter().map(|(share, nanos)| format!("[{share}, \"{}\"]", duration(*nanos)));
    text += &format!("latency.empirical = {{ quantiles = [{}] }}\n", points.collect::<Vec<_>>().join(", "));
    if summary.failures > 0 {
        let (probability, interval) = share(summary.failures, n);
        text += &format!(
            "\n[[services.recorded.faults]]\n\
             # estimate: {probability} {interval}; outages and refusals (429) are among them, and the status is a guess:\n\
             # `_failures.csv` says what failed how often\n\
             random = {{ status = 500, probability = {probability} }}\n"
        );
    }
    text += "\n[workloads.recorded]\nservice = \"recorded\"\n";
    if summary.users > 1 {
        text += &format!("# the most users at once\nclients = {}\n", summary.users);
    }
    let weights: Vec<String> = summary
        .operations
        .iter()
        .filter(|operation| *operation.1 > 0)
        .map(|(name, count)| format!("{} = {count}", quote(name)))
        .collect();
    if !weights.is_empty() {
        text += &format!("operations = {{ {} }}\n", weights.join(", "));
    }
    text + &arrivals(summary) + "\n" + POLICIES
}

fn arrivals(summary: &Summary) -> String {
    // 95 % of a Poisson count, by the normal approximation of its square root.
    let root = (summary.requests as f64).sqrt();
    let (low, high) = ((root - 0.98).max(0.0), root + 0.98);
    let seconds = summary.seconds as f64;
    let mut text = format!(
        "# estimate: {:.4}/s [{:.4}, {:.4}] on average, n = {}\n",
        summary.requests as f64 / seconds,
        low * low / seconds,
        high * high / seconds,
        summary.requests
    );
    let end = summary.seconds;
    if summary.steps.len() < 2 {
        return text
            + &format!(
                "arrivals.poisson = {{ rate = \"{}/{end}s\", until = \"{end}s\" }}\n",
                summary.requests
            );
    }
    text += &format!("arrivals.steps = {{ until = \"{end}s\", steps = [\n");
    for (index, (at, count)) in summary.steps.iter().enumerate() {
        let width = summary.steps.get(index + 1).map_or(end, |next| next.0).saturating_sub(*at).max(1);
        text += &format!("  {{ at = \"{at}s\", rate = \"{count}/{width}s\" }},\n");
    }
    text + "] }\n"
}
