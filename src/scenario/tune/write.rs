//! The scenario with what was found: tuned policies added, and an arm that uses them.

use toml_edit::{DocumentMut, Item, TableLike, Value};

use crate::scenario::Scenario;

/// A policy to add for a workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition {
    /// Index of the workload that uses it in the new arm.
    pub workload: usize,
    /// The lines below `[policies.NAME]`.
    pub text: String,
}

impl Scenario {
    /// The names that [`Scenario::with_tuned`] gives: of the new arm, and of the policy of each workload.
    pub fn tuned_names(&self, workloads: &[usize]) -> (String, Vec<String>) {
        let free = |wish: String, taken: &dyn Fn(&str) -> bool| {
            let numbered = (2..).map(|number| format!("{wish}-{number}"));
            let mut wishes = std::iter::once(wish.clone()).chain(numbered);
            wishes.find(|name| !taken(name)).unwrap_or(wish)
        };
        let arm_taken = |name: &str| self.arms.iter().any(|arm| arm.name == name);
        let policy_taken = |name: &str| self.policies.iter().any(|policy| policy.name == name);
        if self.arms_are_policies() {
            let name = free("tuned".into(), &|name| arm_taken(name) || policy_taken(name));
            return (name.clone(), vec![name; workloads.len()]);
        }
        let policy = |&workload: &usize| free(self.tuned_policy(workload), &policy_taken);
        (free("tuned".into(), &arm_taken), workloads.iter().map(policy).collect())
    }

    /// The name that the tuned policy of a workload gets, if it is free; at most 64 characters, as every name.
    fn tuned_policy(&self, workload: usize) -> String {
        let own: String = self.workloads[workload].name.chars().take(50).collect();
        format!("tuned-{own}")
    }

    /// True if every policy is an arm, because there is one workload and no `[arms]`.
    fn arms_are_policies(&self) -> bool {
        self.workloads.len() == 1
            && self.arms.len() == self.policies.len()
            && self.arms.iter().zip(&self.policies).all(|(arm, policy)| arm.name == policy.name)
            && !self.document().contains_key("arms")
    }

    fn document(&self) -> DocumentMut {
        self.text.parse().unwrap_or_default()
    }

    /// The text of the scenario with these policies and an arm that is the first one but for them.
    pub fn with_tuned(&self, additions: &[Addition]) -> String {
        let workloads: Vec<usize> = additions.iter().map(|addition| addition.workload).collect();
        let (arm, names) = self.tuned_names(&workloads);
        let mut document = self.document();
        for (addition, name) in additions.iter().zip(&names) {
            let fields: DocumentMut = addition.text.parse().unwrap_or_default();
            let fields =
                fields.iter().filter_map(|(key, item)| Some((key.to_owned(), item.as_value()?.clone())));
            add(&mut document, "policies", name, fields.collect());
        }
        if !self.arms_are_policies() {
            let first = &self.arms[0];
            let mut assigned: Vec<(usize, String)> =
                first.policies.iter().map(|&policy| self.policies[policy].name.clone()).enumerate().collect();
            let assignment = |assigned: &[(usize, String)]| {
                let pair = |(workload, policy): &(usize, String)| {
                    (self.workloads[*workload].name.clone(), Value::from(policy.as_str()))
                };
                assigned.iter().map(pair).collect()
            };
            if !document.contains_key("arms") {
                add(&mut document, "arms", &first.name, assignment(&assigned));
            }
            for (addition, name) in additions.iter().zip(names) {
                assigned[addition.workload].1 = name;
            }
            add(&mut document, "arms", &arm, assignment(&assigned));
        }
        self.titled(document.to_string())
    }
}

/// Adds the table `[section.name]`, in the style of the section.
fn add(document: &mut DocumentMut, section: &str, name: &str, fields: Vec<(String, Value)>) {
    let root = document.as_table_mut();
    if !root.contains_key(section) {
        let mut table = toml_edit::Table::new();
        table.set_implicit(true);
        root.insert(section, Item::Table(table));
    }
    let Some(parent) = root.get_mut(section) else { return };
    let inline = parent.is_value();
    let table: &mut dyn TableLike = match parent.as_table_like_mut() {
        Some(table) => table,
        None => return,
    };
    let item = if inline {
        Item::Value(Value::InlineTable(fields.into_iter().collect()))
    } else {
        let mut own = toml_edit::Table::new();
        own.extend(fields);
        own.decor_mut().set_prefix("\n");
        Item::Table(own)
    };
    table.insert(name, item);
}
