//! The answer: which arm won each workload and why, and a sentence for each metric that decides.

use super::figures::{better, interval, mean, rows};
use crate::metrics::Better;
use crate::report::markup::escaped;
use crate::report::tables::{SummaryRow, Tables, WinnerRow};
use crate::scenario::Scenario;

/// What is answered: the metric, and how the sentence begins.
const SAID: [(&str, &str); 4] = [
    ("success_rate", "Success"),
    ("attempts_per_request", "Attempts per request"),
    ("honest_p99", "Time to success, 99th percentile of all requests"),
    ("offered_load_peak", "Peak load"),
];

/// The sentences of all workloads.
pub(super) fn answer(scenario: &Scenario, tables: &Tables) -> String {
    let mut markup = String::new();
    for (index, workload) in scenario.workloads.iter().enumerate() {
        if scenario.workloads.len() > 1 {
            markup += &format!("<h3>{}</h3>", escaped(&workload.name));
        }
        let winner = tables.winners.iter().find(|row| row.workload == workload.name);
        markup += &winner.map(won).unwrap_or_default();
        markup += "<ul class=\"answer\">";
        for (metric, name) in SAID {
            let rows = rows(scenario, tables, index, metric);
            if let Some(sentence) = sentence(scenario, tables, metric, &rows) {
                markup += &format!("<li><b>{name}</b>: {sentence}</li>\n");
            }
        }
        markup += "</ul>";
    }
    markup
}

/// Which arm won, and why.
fn won(row: &WinnerRow) -> String {
    let (arm, why) = (escaped(&row.arm), escaped(&row.why));
    if row.verdict == "won" {
        format!("<p class=\"winner\"><b>{arm}</b> won: {why}.</p>")
    } else {
        let others = escaped(&row.not_clearly_before);
        format!(
            "<p class=\"winner\">No clear winner: <b>{arm}</b> is first ({why}), but not clearly before {others}.</p>"
        )
    }
}

/// What is to be said of a metric; nothing if it was not observed.
fn sentence(
    scenario: &Scenario,
    tables: &Tables,
    metric: &str,
    rows: &[Option<&SummaryRow>],
) -> Option<String> {
    let mut seen: Vec<&SummaryRow> =
        rows.iter().flatten().copied().filter(|row| row.mean.is_some()).collect();
    let best_first = |a: &&SummaryRow, b: &&SummaryRow| {
        let (a, b) = (a.mean.unwrap_or(f64::NAN), b.mean.unwrap_or(f64::NAN));
        if better(metric) == Better::More { b.total_cmp(&a) } else { a.total_cmp(&b) }
    };
    seen.sort_by(best_first);
    let (best, worst) = (seen.first()?, seen.last()?);
    let [best_words, worst_words] = [best, worst].map(|row| mean(row).unwrap_or_default());
    if scenario.arms.len() == 1 {
        return Some(format!("{}.", with_interval(best)));
    }
    if seen.len() > 1 && best.mean == worst.mean {
        return Some(format!("the same under every arm: {best_words}."));
    }
    let [first, last] =
        if better(metric) == Better::More { ["highest", "lowest"] } else { ["lowest", "highest"] };
    let mut said = format!("{first} under <b>{}</b>, {}", escaped(&best.arm), with_interval(best));
    if seen.len() > 1 {
        said += &format!("; {last} under <b>{}</b>, {worst_words}", escaped(&worst.arm));
    }
    said += ".";
    let row = seen[0];
    let verdicts = tables.comparison.iter().filter(|other| {
        (&other.workload, &other.service, &other.metric) == (&row.workload, &row.service, &row.metric)
    });
    let baseline = escaped(&scenario.arms[scenario.baseline].name);
    for (verdict, words) in [
        ("better", format!(" Better than {baseline}")),
        ("worse", format!(" Worse than {baseline}")),
        ("no clear difference", format!(" No clear difference from {baseline}")),
    ] {
        let of = verdicts.clone().filter(|row| row.verdict == verdict);
        let names: Vec<String> = of.map(|row| escaped(&row.arm)).collect();
        if !names.is_empty() {
            said += &format!("{words}: {}.", names.join(", "));
        }
    }
    Some(said)
}

/// `17.7 % (17.6 to 17.8 %)`.
fn with_interval(row: &SummaryRow) -> String {
    let interval = interval(row).map(|interval| format!(" ({interval})")).unwrap_or_default();
    mean(row).unwrap_or_default() + &interval
}
