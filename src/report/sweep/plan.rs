//! `sweep.json`: what a sweep consists of. It is what a sweep, a part of it and a merged one are recognised by.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::experiment::{Shard, Values};
use crate::report::manifest::{PROGRAM, RESULTS_VERSION, hex, sha256};
use crate::scenario::{Metric, Scenario};

/// A sweep, or a shard of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Whose file it is.
    pub program: String,
    /// The version of the results.
    pub results_version: u32,
    /// The name of the scenario.
    pub name: String,
    /// What the scenario is, in a line.
    pub title: String,
    /// The question that it answers.
    pub question: Option<String>,
    /// The root of all luck, where it is no axis.
    pub seed: u64,
    /// How many replications each arm has at each point.
    pub replications: u32,
    /// The names of the arms.
    pub arms: Vec<String>,
    /// The SHA-256 of the scenario without the axes.
    pub scenario: String,
    /// How the points were chosen.
    pub design: String,
    /// The paths of the axes.
    pub axes: Vec<String>,
    /// The points.
    pub points: Vec<Point>,
    /// Which part it is, if it is not all of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub shard: Option<Part>,
}

/// A point of a sweep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// The values of the axes.
    pub values: Values,
    /// The digest of all that its results depend on.
    pub key: String,
}

/// A shard, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Which one, from 1.
    pub index: usize,
    /// Of how many.
    pub of: usize,
}

impl Plan {
    /// The plan of a sweep of `scenario`, which is that without the axes.
    pub fn new(
        scenario: &Scenario,
        design: &str,
        axes: &[String],
        points: Vec<(Values, String)>,
        shard: Option<Shard>,
    ) -> Self {
        Self {
            program: PROGRAM.to_owned(),
            results_version: RESULTS_VERSION,
            name: scenario.name.clone(),
            title: scenario.title.clone(),
            question: scenario.question.clone(),
            seed: scenario.seed,
            replications: scenario.replications,
            arms: scenario.arms.iter().map(|arm| arm.name.clone()).collect(),
            scenario: sha256(scenario.kept().as_bytes()),
            design: design.to_owned(),
            axes: axes.to_vec(),
            points: points.into_iter().map(|(values, key)| Point { values, key }).collect(),
            shard: shard.map(|shard| Part { index: shard.index, of: shard.of }),
        }
    }

    /// Reads `sweep.json`; `None` if it is none.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let plan: Self = serde_json::from_slice(bytes).ok()?;
        let sound = plan.program == PROGRAM && !plan.points.is_empty() && !plan.axes.is_empty();
        let complete = plan.points.iter().all(|point| {
            point.values.len() == plan.axes.len()
                && point.key.len() == 64
                && point.key.bytes().all(|b| b.is_ascii_hexdigit())
        });
        let part = plan.shard.is_none_or(|part| (1..=part.of).contains(&part.index));
        (sound && complete && part).then_some(plan)
    }

    /// The bytes of `sweep.json`.
    pub fn bytes(&self) -> Vec<u8> {
        let mut text = serde_json::to_string_pretty(self).expect("a plan is plain JSON");
        text.push('\n');
        text.into_bytes()
    }

    /// The shard, if it is not all of the sweep.
    pub fn shard(&self) -> Option<Shard> {
        self.shard.map(|Part { index, of }| Shard { index, of })
    }

    /// The indices of the points that belong to it.
    pub fn own(&self) -> Vec<usize> {
        let shard = self.shard();
        (0..self.points.len()).filter(|&point| shard.is_none_or(|shard| shard.holds(point))).collect()
    }

    /// The plan of the whole sweep.
    pub fn whole(&self) -> Self {
        Self { shard: None, ..self.clone() }
    }

    /// What tells it from another one, in words; `None` if they are the same sweep, or shards of it.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let differ = |what: &str, one: &str, another: &str| format!("its {what} {one}, not {another}");
        if self.results_version != other.results_version {
            let (one, another) = (self.results_version.to_string(), other.results_version.to_string());
            return Some(differ("results version is", &one, &another));
        }
        if self.axes != other.axes {
            return Some(differ("axes are", &self.axes.join(", "), &other.axes.join(", ")));
        }
        if self.points.len() != other.points.len() {
            let (one, another) = (self.points.len().to_string(), other.points.len().to_string());
            return Some(differ("number of points is", &one, &another));
        }
        if self.scenario != other.scenario || self.name != other.name {
            return Some("its scenario is another one, or was changed".into());
        }
        let values = |plan: &Self| plan.points.iter().map(|point| point.values.clone()).collect::<Vec<_>>();
        if values(self) != values(other) || self.design != other.design {
            return Some("its points have other values".into());
        }
        (self.whole() != other.whole())
            .then(|| "the scenario, a file that it names or the program has changed".into())
    }
}

/// The digest of all that the results of a scenario depend on: the version of the results, what is measured, the text, and
/// the files that it names.
pub fn point_key(scenario: &Scenario) -> String {
    let mut all = Sha256::new();
    let mut add = |part: &str| {
        all.update((part.len() as u64).to_le_bytes());
        all.update(part);
    };
    add(&RESULTS_VERSION.to_string());
    for name in Metric::names() {
        add(name);
    }
    add(&scenario.kept());
    for file in &scenario.files {
        add(&file.name);
        add(&file.sha256);
    }
    hex(&all.finalize())
}
