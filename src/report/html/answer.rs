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
    let (best, worst) = (*seen.first()?, *seen.last()?);
    if scenario.arms.len() == 1 {
        return Some(format!("{}.", with_interval(best)));
    }
    let unseen: Vec<String> = scenario
        .arms
        .iter()
        .filter(|arm| seen.iter().all(|row| row.arm != arm.name))
        .map(|arm| escaped(&arm.name))
        .collect();
    let [first, last] =
        if better(metric) == Better::More { ["highest", "lowest"] } else { ["lowest", "highest"] };
    let mut said = if best.mean == worst.mean {
        let whom = if unseen.is_empty() { "every arm".to_owned() } else { those_like(&seen, best) };
        format!("the same under {whom}, {}.", mean(best).unwrap_or_default())
    } else {
        let (lowest, worst_words) = (those_like(&seen, worst), mean(worst).unwrap_or_default());
        format!(
            "{first} under {}, {}; {last} under {lowest}, {worst_words}.",
            those_like(&seen, best),
            with_interval(best)
        )
    };
    if !unseen.is_empty() {
        said += &format!(" Not observed under {}.", unseen.join(", "));
    }
    Some(said + &against_the_baseline(scenario, tables, best))
}

/// How many arms are named where several are alike, and where they stand on one side of the baseline.
const MOST_NAMED: usize = 3;
const MOST_LISTED: usize = 6;

/// The arms whose mean is that of one of them.
fn those_like(seen: &[&SummaryRow], row: &SummaryRow) -> String {
    let mut names: Vec<String> = seen
        .iter()
        .filter(|other| other.mean == row.mean)
        .map(|other| format!("<b>{}</b>", escaped(&other.arm)))
        .collect();
    if names.len() > MOST_NAMED {
        let more = names.len() - MOST_NAMED + 1;
        names.truncate(MOST_NAMED - 1);
        names.push(format!("{more} others"));
    }
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

/// Which arms are better than the baseline in the metric of a row, which worse, and which not clearly either.
fn against_the_baseline(scenario: &Scenario, tables: &Tables, row: &SummaryRow) -> String {
    let baseline = escaped(&scenario.arms[scenario.baseline].name);
    let verdicts = tables.comparison.iter().filter(|other| {
        (&other.workload, &other.service, &other.metric) == (&row.workload, &row.service, &row.metric)
    });
    let mut said = String::new();
    for (verdict, words) in [
        ("better", "Better than"),
        ("worse", "Worse than"),
        ("no clear difference", "No clear difference from"),
        ("", "Too few replications to tell from"),
    ] {
        let names: Vec<String> = verdicts
            .clone()
            .filter(|row| row.verdict == verdict && row.difference.is_some())
            .map(|row| escaped(&row.arm))
            .collect();
        if !names.is_empty() {
            said += &format!(" {words} {baseline}: {}.", listed(names, scenario.arms.len() - 1));
        }
    }
    said
}

/// Names of arms, of so many that there are besides the baseline: all of them have no need of names, and many not of each.
fn listed(mut names: Vec<String>, others: usize) -> String {
    if names.len() == others && others > 1 {
        return "all others".into();
    }
    if names.len() > MOST_LISTED {
        let more = names.len() - MOST_LISTED + 1;
        names.truncate(MOST_LISTED - 1);
        names.push(format!("{more} others"));
    }
    names.join(", ")
}

/// `17.7 % (17.6 to 17.8 %)`.
fn with_interval(row: &SummaryRow) -> String {
    let interval = interval(row).map(|interval| format!(" ({interval})")).unwrap_or_default();
    mean(row).unwrap_or_default() + &interval
}
