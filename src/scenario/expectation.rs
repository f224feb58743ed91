//! Expectations: what must be true of a result, so that a scenario can serve as a test.

use toml::de::{DeTable, DeValue};

use super::condition::{Condition, condition, figure};
use super::document::{Document, Value, entry};
use super::{Arm, Named, Workload};
use crate::error::suggestion;
use crate::service::ServiceConfig;

/// A condition on the mean of one metric in one arm, such as `"jittered.success_rate" = ">= 0.95"`.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// Index of the arm.
    pub arm: usize,
    /// What must be true of it; its text is that of the expectation.
    pub condition: Condition,
}

/// Reads `[expect]`: "arm.metric" or "arm.workload.metric" = "condition".
pub(super) fn expect(
    document: &mut Document<'_>,
    workloads: &[Workload],
    services: &[Named<ServiceConfig>],
    arms: &[Arm],
) -> Vec<Expectation> {
    let Some((_, value)) = entry(document.root(), "expect") else { return Vec::new() };
    let Some(table) = value.get_ref().as_table().cloned() else {
        document.problem("expect", "this must be a table of \"arm.metric\" = \"condition\"", None);
        return Vec::new();
    };
    if table.is_empty() {
        document.problem(
            "expect",
            "there is no condition in it",
            "write \"arm.metric\" = \"condition\"".to_owned(),
        );
    }
    let mut expectations = Vec::new();
    for (key, value) in table {
        let place = key.span();
        let key = key.into_inner().into_owned();
        let read = match value.get_ref() {
            DeValue::Table(below) => Err(unquoted(&key, below)),
            _ => expectation(&key, &value, (workloads, services), arms),
        };
        match read {
            Ok(expectation) => expectations.push(expectation),
            Err(message) => document.problem_at(place, format!("expect.\"{key}\": {message}")),
        }
    }
    expectations
}

/// What to write for a key whose dots stand outside quotes: they make tables of it.
fn unquoted(key: &str, below: &DeTable<'_>) -> String {
    let (mut path, mut table, mut condition) = (key.to_owned(), Some(below), "...");
    while let Some((key, value)) = table.and_then(|table| table.iter().next()) {
        path += &format!(".{}", key.get_ref());
        table = value.get_ref().as_table();
        condition = value.get_ref().as_str().unwrap_or(condition);
    }
    format!("quote the whole key: \"{path}\" = \"{condition}\"")
}

fn expectation(
    key: &str,
    value: &Value<'_>,
    (workloads, services): (&[Workload], &[Named<ServiceConfig>]),
    arms: &[Arm],
) -> Result<Expectation, String> {
    let text = value.get_ref().as_str().ok_or("write the condition as text, such as \">= 0.95\"")?;
    let parts: Vec<&str> = key.split('.').collect();
    let (arm, named, metric) = match parts[..] {
        [arm, metric] => (arm, None, metric),
        [arm, named, metric] => (arm, Some(named), metric),
        _ => return Err("write the key as \"arm.metric\" or \"arm.workload.metric\"".into()),
    };
    let arm = arms.iter().position(|known| known.name == arm).ok_or_else(|| {
        format!(
            "there is no arm \"{arm}\"; {}",
            suggestion(arm, arms.iter().map(|known| known.name.as_str()))
        )
    })?;
    let figure = figure(named, metric, workloads, services)?;
    Ok(Expectation { arm, condition: condition(figure, text, format!("{key} {text}"))? })
}
