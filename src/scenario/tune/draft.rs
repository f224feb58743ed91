//! Drafts: the text of a policy in which fields can be replaced, so that whatever is tried is what the file could say.

use toml_edit::{DocumentMut, Item, TableLike, Value};

use crate::error::Error;
use crate::policy::PolicyConfig;
use crate::scenario::document::Source;
use crate::scenario::preset::Preset;
use crate::scenario::read;

/// A field of a policy and its new value as TOML; without one the field is left out.
pub(super) type Change = (&'static str, Option<String>);

/// The fields of a policy, each with its value on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draft {
    fields: Vec<(String, String)>,
}

impl Draft {
    /// The policy `name` as `text`, which has been read as a scenario, writes it.
    pub(super) fn of(text: &str, name: &str) -> Self {
        let document: Option<DocumentMut> = text.parse().ok();
        let policies = document.as_ref().and_then(|document| document.get("policies"));
        let policy = policies.and_then(|policies| policies.as_table_like()?.get(name)?.as_table_like());
        let field = |(key, item): (&str, &Item)| {
            let mut value = item.clone().into_value().ok()?;
            flatten(&mut value);
            Some((key.to_owned(), value.to_string().trim().to_owned()))
        };
        Self { fields: policy.into_iter().flat_map(TableLike::iter).filter_map(field).collect() }
    }

    /// The same with other fields.
    pub(super) fn with(&self, changes: &[Change]) -> Self {
        let replaced = |name: &str| changes.iter().any(|(field, _)| *field == name);
        let mut fields: Vec<_> = self.fields.iter().filter(|(name, _)| !replaced(name)).cloned().collect();
        let new = changes.iter().filter_map(|(field, value)| Some(((*field).to_owned(), value.clone()?)));
        fields.extend(new);
        Self { fields }
    }

    /// The lines below `[policies.NAME]`.
    pub(super) fn text(&self) -> String {
        let lines: Vec<String> =
            self.fields.iter().map(|(name, value)| format!("{name} = {value}\n")).collect();
        lines.concat()
    }

    /// What the lines mean.
    pub(super) fn read(&self) -> Result<PolicyConfig, Error> {
        read::policy(&Source::new("a tuned policy", &self.text(), &[])?)
    }

    /// Without parameters of its preset that say nothing, because a field of the grammar stands in their place.
    pub(super) fn tidied(mut self) -> Self {
        let used =
            self.fields.iter().find(|(name, _)| name == "use").map(|(_, id)| id.trim_matches(['"', '\'']));
        let preset = used.and_then(|id| Preset::all().iter().find(|preset| preset.id == id));
        let Some((preset, meant)) = preset.zip(self.read().ok()) else { return self };
        for name in preset.parameters.keys() {
            let without =
                Self { fields: self.fields.iter().filter(|(field, _)| field != name).cloned().collect() };
            if without.read().is_ok_and(|config| config == meant) {
                self = without;
            }
        }
        self
    }
}

/// Puts all of a value on one line.
fn flatten(value: &mut Value) {
    match value {
        Value::InlineTable(table) => {
            table.set_dotted(false);
            table.iter_mut().for_each(|(_, value)| flatten(value));
            table.fmt();
        }
        Value::Array(items) => {
            items.iter_mut().for_each(flatten);
            items.fmt();
        }
        _ => {}
    }
    value.decor_mut().clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_the_same_however_it_is_written() {
        let ways = [
            "[policies.p]\nretries = 3 # three\nbackoff.exponential = { base = '1s', factor = 2 }\nbreaker.trip.consecutive = 5\nbreaker.open_for = '1m'\n",
            "[policies.p]\nretries = 3\n[policies.p.backoff.exponential]\nbase = '1s'\nfactor = 2\n[policies.p.breaker]\ntrip.consecutive = 5\nopen_for = '1m'\n",
            "policies = { p = { retries = 3, backoff = { exponential = { base = '1s', factor = 2 } }, breaker = { trip = { consecutive = 5 }, open_for = '1m' } } }\n",
        ];
        let read = |text: &str| Draft::of(text, "p").read().expect(text);
        let first = read(ways[0]);
        assert_eq!((first.counted_retries(), first.breaker.is_some()), (Some(3), true));
        for way in ways {
            assert_eq!(read(way), first);
            let text = Draft::of(way, "p").text();
            assert!(text.lines().all(|line| line.contains(" = ")), "{text}");
        }
    }

    #[test]
    fn parameters_without_effect_are_left_out() {
        let text = "[policies.p]\nuse = 'prefect@3'\nretries = 3\nretry_delay_seconds = 60\nretry_jitter_factor = 0.5\nretry_on = 'transient'\n";
        let changes = [("backoff", Some("{ fixed = \"2m\" }".to_owned())), ("retries", Some("5".to_owned()))];
        let tuned = Draft::of(text, "p").with(&changes);
        let tidied = tuned.clone().tidied();
        assert_eq!(tidied.read().expect("it is sound"), tuned.read().expect("it is sound"));
        assert!(!tidied.text().contains("retry_delay_seconds"), "{}", tidied.text());
        assert!(tidied.text().contains("retry_jitter_factor"), "{}", tidied.text());
    }
}
