//! The policies in words, and what each waits before its retries.

use std::fmt::Write as _;

use crate::experiment::{DelaySummary, Drawing, delays};
use crate::policy::PolicyConfig;
use crate::report::markup::{each, escaped};
use crate::report::number::duration;
use crate::report::words::in_words;
use crate::scenario::{Named, Scenario};

/// How many retries of a policy are listed.
const MOST_RETRIES: u32 = 10;
/// How many requests the delays are drawn for.
const SAMPLES: u32 = 1000;

/// Every policy of the scenario.
pub(super) fn policies(scenario: &Scenario) -> String {
    each(&scenario.policies, |policy| one(scenario, policy))
}

fn one(scenario: &Scenario, policy: &Named<PolicyConfig>) -> String {
    let sentences = each(in_words(&policy.config), |sentence| format!("<li>{}</li>", escaped(&sentence)));
    let drawing = Drawing {
        retries: MOST_RETRIES,
        samples: SAMPLES,
        seed: scenario.seed,
        outcome: None,
        retry_after: None,
    };
    // A policy without retries, or one that retries nothing that fails by itself, waits for nothing.
    let waits = delays(&policy.config, drawing).unwrap_or_default();
    format!(
        "<details open><summary>{}</summary><div class=\"policy\"><ul>{sentences}</ul>{}</div></details>\n",
        escaped(&policy.name),
        schedule(&waits)
    )
}

/// What is waited before each retry, if all attempts fail and take no time.
fn schedule(waits: &[DelaySummary]) -> String {
    if waits.is_empty() {
        return String::new();
    }
    let mut table = "<table><caption>What it waits, if every attempt fails at once</caption><thead><tr><th scope=\"col\">retry</th>\
                     <th scope=\"col\" class=\"number\">median</th><th scope=\"col\" class=\"number\">5 % to 95 %</th>\
                     <th scope=\"col\" class=\"number\">passed on average</th></tr></thead><tbody>"
        .to_owned();
    for DelaySummary { retry, quantiles: [low, _, median, _, high], cumulative, .. } in waits {
        let [low, median, high, passed] = [*low, *median, *high, *cumulative].map(duration);
        let range = if low == high { "–".to_owned() } else { format!("{low} to {high}") };
        write!(
            table,
            "<tr><th scope=\"row\">{retry}</th><td class=\"number\">{median}</td><td class=\"number\">{range}</td>\
             <td class=\"number\">{passed}</td></tr>"
        )
        .expect("writing to a string");
    }
    table + "</tbody></table>"
}
