//! `report.html`: one page that says what was asked, what came out, and how to get the same again. It needs no network, and nothing
//! but the files of a run, so that it can be made again from a folder alone.

mod answer;
mod compared;
mod figures;
mod policies;
mod several;

use std::fmt::Write as _;

use super::charts::{Chart, Detail, FINEST, charts, css_values};
use super::markup::{each, escaped};
use super::tables::{ExpectationRow, Tables};
use crate::scenario::Scenario;
pub(super) use several::several;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The most bytes of a page.
const MOST_BYTES: usize = 400_000;
/// How finely plots over time are drawn, from the finest picture to the coarsest: the first that fits into a page is taken. What
/// can be read off weighs more than what is drawn, and is the first to go.
fn details() -> impl Iterator<Item = Detail> {
    let rich = [768, 384].map(|columns| Detail { columns, ..FINEST });
    let plain = [384, 256, 192, 128, 96, 64, 48, 36, 24].map(|columns| Detail { columns, rich: false });
    rich.into_iter().chain(plain)
}

/// Where the results of a page come from.
#[derive(Debug, Clone)]
pub(super) struct Provenance {
    /// The version that has written them.
    pub(super) version: String,
    /// Their results version.
    pub(super) results_version: u64,
    /// The digest of all results.
    pub(super) digest: String,
    /// The files beside the page.
    pub(super) files: Vec<String>,
}

/// The page of a run.
pub(super) fn page(scenario: &Scenario, tables: &Tables, provenance: &Provenance) -> Vec<u8> {
    let mut page = String::new();
    for detail in details() {
        page = of_charts(scenario, tables, provenance, &charts(scenario, tables, detail));
        if page.len() <= MOST_BYTES {
            break;
        }
    }
    page.into_bytes()
}

fn of_charts(scenario: &Scenario, tables: &Tables, provenance: &Provenance, charts: &[Chart]) -> String {
    let question = scenario.question.as_deref();
    let title = question.map(|_| format!("<p class=\"title\">{}</p>", escaped(&scenario.title)));
    let sections = [
        section(
            "answer",
            "The answer",
            &(answer::answer(scenario, tables) + &expected(&tables.expectations)),
        ),
        section("arms", "The arms compared", &compared::table(scenario, tables)),
        section("charts", "Charts", &(toggles(scenario) + &drawn("chart-", charts))),
        section("policies", "The policies", &policies::policies(scenario)),
        section("scenario", "The scenario as run", &text(scenario)),
        section("again", "The same again", &again(scenario, provenance)),
    ];
    let head = format!(
        "<header><h1>{}</h1>{}<p class=\"facts\">{}</p></header>",
        escaped(question.unwrap_or(&scenario.title)),
        title.unwrap_or_default(),
        facts(scenario)
    );
    document(question.unwrap_or(&scenario.title), scenario.arms.len(), &(head + &sections.concat()))
}

/// A whole document around a body, with the rules that hide the arms whose boxes are not ticked.
fn document(title: &str, arms: usize, body: &str) -> String {
    let [light, dark] = css_values();
    let hide = each(0..arms, |arm| format!("body:has(#show-{arm}:not(:checked)) .arm-{arm}{{display:none}}"));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"/>\
         <meta name=\"color-scheme\" content=\"light dark\"/><title>{}</title>\n\
         <style>:root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n{STYLE}{hide}</style></head>\n\
         <body><main>{body}</main>\n<script>{SCRIPT}</script></body></html>\n",
        escaped(title)
    )
}

fn section(id: &str, head: &str, body: &str) -> String {
    format!("<section id=\"{id}\"><h2>{head}</h2>\n{body}</section>\n")
}

/// The size of the experiment, in a line.
fn facts(scenario: &Scenario) -> String {
    let arms = match scenario.arms.len() {
        1 => "1 arm".to_owned(),
        many => format!("{many} arms"),
    };
    let replications = match scenario.replications {
        1 => "1 replication".to_owned(),
        many => format!("{many} replications of each"),
    };
    format!("{arms} · {replications} · {} simulated · seed {}", scenario.horizon, scenario.seed)
}

/// What became of the expectations.
fn expected(rows: &[ExpectationRow]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut list = "<h3>Expected of the results</h3><ul class=\"verdicts\">".to_owned();
    for ExpectationRow { expectation, verdict, why, .. } in rows {
        let (class, sign) = match verdict.as_str() {
            "met" => ("good", "✓"),
            "not met" => ("bad", "✗"),
            _ => ("open", "?"),
        };
        let (expectation, why) = (escaped(expectation), escaped(why));
        write!(list, "<li class=\"{class}\"><b>{sign} {verdict}</b> <code>{expectation}</code> ({why})</li>")
            .expect("writing to a string");
    }
    list + "</ul>"
}

/// A box for each arm, that hides what shows it alone.
fn toggles(scenario: &Scenario) -> String {
    if scenario.arms.len() < 2 {
        return String::new();
    }
    let boxes = scenario.arms.iter().enumerate().map(|(index, arm)| {
        format!(
            "<label><input type=\"checkbox\" id=\"show-{index}\" checked=\"\"/> {}</label>",
            escaped(&arm.name)
        )
    });
    format!("<fieldset class=\"toggles\"><legend>Arms shown</legend>{}</fieldset>", boxes.collect::<String>())
}

/// The charts, one below the other; the ids of their figures begin with `prefix`.
fn drawn(prefix: &str, charts: &[Chart]) -> String {
    let figure = |chart: &Chart| {
        let (shows, markup) = chart.inline();
        let (name, shows) = (chart.name(), escaped(shows));
        format!(
            "<figure id=\"{prefix}{name}\"><figcaption><h3>{shows}</h3></figcaption>\
             <div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"{shows}\">{markup}</div></figure>\n"
        )
    };
    charts.iter().map(figure).collect()
}

fn text(scenario: &Scenario) -> String {
    format!(
        "<details><summary>scenario.toml, with all that was set on the command line</summary><pre><code>{}</code></pre></details>",
        escaped(&scenario.kept())
    )
}

/// How to get the same results, and how to know that they are the same.
fn again(scenario: &Scenario, provenance: &Provenance) -> String {
    let Provenance { version, results_version, digest, files } = provenance;
    let list = each(files, |file| format!("<li><a href=\"{0}\">{0}</a></li>", escaped(file)));
    let others = each(&scenario.files, |file| format!(", beside it {}", escaped(&file.name)));
    format!(
        "<p>In the folder of this page{others}:</p><pre><code>retrysim run scenario.toml --out again</code></pre>\
         <p>The same version gives the same bytes on any machine, with any number of threads: \
         <code>again/manifest.json</code> then has the digest below.</p>\
         <dl><dt>version</dt><dd>retrysim {}, results version {results_version}</dd>\
         <dt>seed, replications</dt><dd>{}, {}</dd><dt>digest of the results</dt><dd><code class=\"digest\">{}</code></dd></dl>\
         <details><summary>Files beside this page</summary><ul>{list}</ul></details>",
        escaped(version),
        scenario.seed,
        scenario.replications,
        escaped(digest),
    )
}
