//! One page for several runs: their figures below one another. Runs are not paired, so that nothing but their intervals tells them
//! apart; what must be the same for that to mean anything is said first.

use std::fmt::Write as _;

use super::answer::answer;
use super::compared::{heads, row};
use super::figures::{COLUMNS, Shown, rows};
use super::{MOST_BYTES, Provenance, details, document, drawn, facts, section};
use crate::report::charts::{Detail, charts};
use crate::report::markup::escaped;
use crate::report::tables::Tables;
use crate::scenario::Scenario;

/// A run: what its folder is called, and what is in it.
pub(in crate::report) type Run<'a> = (String, &'a Scenario, Tables, Provenance);

/// The page of several runs.
pub(in crate::report) fn several(runs: &[Run<'_>]) -> Vec<u8> {
    let mut page = String::new();
    for detail in details() {
        page = drawn_as(runs, detail);
        if page.len() <= MOST_BYTES {
            break;
        }
    }
    page.into_bytes()
}

fn drawn_as(runs: &[Run<'_>], detail: Detail) -> String {
    let titles: Vec<&str> = runs.iter().map(|run| run.1.title.as_str()).collect();
    let same = titles.iter().all(|title| *title == titles[0]);
    let head = if same { titles[0].to_owned() } else { format!("{} runs", runs.len()) };
    let sections: String = runs.iter().enumerate().map(|run| of_one(run, detail)).collect();
    let body = format!(
        "<header><h1>{}</h1><p class=\"facts\">{} runs, not paired</p></header>{}{}{sections}",
        escaped(&head),
        runs.len(),
        section("runs", "The runs", &list(runs)),
        section("arms", "The arms compared", &table(runs)),
    );
    document(&head, 0, &body)
}

/// What each run was, so that one sees what differs.
fn list(runs: &[Run<'_>]) -> String {
    let mut table = "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"The runs\"><table><thead><tr><th scope=\"col\">run</th><th scope=\"col\">title</th>\
                     <th scope=\"col\">what was run</th><th scope=\"col\" class=\"number\">results version</th>\
                     <th scope=\"col\">lines that the first does not have</th></tr></thead><tbody>"
        .to_owned();
    let first = runs[0].1.kept();
    for (name, scenario, _, provenance) in runs {
        let differs = match differences(&first, &scenario.kept()) {
            lines if std::ptr::eq(*scenario, runs[0].1) || lines.is_empty() => "–".to_owned(),
            lines => format!("<pre><code>{}</code></pre>", escaped(&lines.join("\n"))),
        };
        write!(
            table,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td class=\"number\">{}</td><td>{differs}</td></tr>",
            escaped(name),
            escaped(&scenario.title),
            facts(scenario),
            provenance.results_version
        )
        .expect("writing to a string");
    }
    table += "</tbody></table></div>";
    if runs.iter().any(|run| run.3.results_version != runs[0].3.results_version) {
        table += "<p class=\"bad\">The results versions differ: the same scenario gives other numbers in each. Run the older ones again.</p>";
    }
    table
}

/// How many lines of difference are shown.
const MOST_LINES: usize = 12;

/// The lines of a scenario that another one does not have.
fn differences(first: &str, other: &str) -> Vec<String> {
    let known: Vec<&str> = first.lines().map(str::trim).collect();
    let mut lines: Vec<String> = other
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#') && !known.contains(line))
        .map(str::to_owned)
        .collect();
    if lines.len() > MOST_LINES {
        let more = lines.len() - MOST_LINES;
        lines.truncate(MOST_LINES);
        lines.push(format!("... and {more} more"));
    }
    lines
}

/// A row for each run, workload and arm.
fn table(runs: &[Run<'_>]) -> String {
    let observed = |shown: &&Shown| {
        runs.iter().any(|(_, scenario, tables, _)| {
            let mut all =
                (0..scenario.workloads.len()).flat_map(|index| rows(scenario, tables, index, shown.metric));
            all.any(|row| row.is_some_and(|row| row.mean.is_some()))
        })
    };
    let columns: Vec<&Shown> = COLUMNS.iter().filter(observed).collect();
    let mut markup = "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"The arms compared\"><table><thead><tr><th scope=\"col\">run</th><th scope=\"col\">workload</th>\
                      <th scope=\"col\">arm</th>"
        .to_owned();
    markup += &heads(&columns);
    markup += "</tr></thead><tbody>\n";
    for (name, scenario, tables, _) in runs {
        for (index, workload) in scenario.workloads.iter().enumerate() {
            for (arm, named) in scenario.arms.iter().enumerate() {
                let names = format!(
                    "<td>{}</td><td>{}</td><th scope=\"row\">{}</th>",
                    escaped(name),
                    escaped(&workload.name),
                    escaped(&named.name)
                );
                markup += &row(scenario, None, tables, (index, arm), &names, &columns);
            }
        }
    }
    markup + "</tbody></table></div><p class=\"legend\">below each mean its 95 % interval</p>"
}

/// The answer of a run, and its charts.
fn of_one((number, (name, scenario, tables, _)): (usize, &Run<'_>), detail: Detail) -> String {
    let charts: Vec<_> = charts(scenario, tables, detail).into_iter().take(2).collect();
    let question =
        scenario.question.as_ref().map(|question| format!("<p class=\"title\">{}</p>", escaped(question)));
    let body =
        question.unwrap_or_default() + &answer(scenario, tables) + &drawn(&format!("run-{number}-"), &charts);
    section(&format!("run-{number}"), &escaped(name), &body)
}
