//! Reading `[tune.WORKLOAD]` sections: every field with its place, every problem with a remedy.

use schemars::JsonSchema;
use serde::Deserialize;

use super::draft::Draft;
use super::knob::Choice;
use super::{Base, Growth, Knob, Objective, Tune, jitter_of, takes_amount};
use crate::error::suggestion;
use crate::metrics::Better;
use crate::scenario::condition::{condition, figure};
use crate::scenario::document::{Document, entry};
use crate::scenario::{Condition, Figure, Metric, Scenario};

/// What the lists of sentences look like.
const OBJECTIVES: &str = "[\"maximise success_rate\", \"minimise peak_to_limit\"]";
const CONSTRAINTS: &str = "[\"success_rate >= 0.95\"]";

/// The fields as they are written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(
    description = "What `tune` may move in the policy of one workload, and to what end: each knob is a value, a list of values, or a range such as \"0..8\" or \"5s..5m\". A knob that is absent stays as it is."
)]
pub(in crate::scenario) struct Tuning {
    /// Name of the policy to start from: what no knob names stays as it is there; that of the workload in the first arm if absent.
    from: Option<String>,
    /// Retries at most, whole numbers from 0 to 1000000, such as `"0..8"`.
    retries: Option<Choice>,
    /// The delay before the first retry, such as `"5s..5m"`.
    delay: Option<Choice>,
    /// How the delay grows.
    shape: Option<Choice>,
    /// The kind of jitter.
    jitter: Option<Choice>,
    /// How much of a jitter that takes an amount: above 0 to 1, such as `"0.1..1"`.
    jitter_amount: Option<Choice>,
    /// The longest delay, such as `"1m..10m"`: before jitter, or after it if it walks from one delay to the next.
    cap: Option<Choice>,
    /// The kind of breaker.
    breaker: Option<Choice>,
    /// Failures in a row that open the breaker, from 1, such as `"3..20"`.
    breaker_threshold: Option<Choice>,
    /// How long the breaker stays open, such as `"10s..5m"`.
    breaker_timeout: Option<Choice>,
    /// The kind of budget.
    budget: Option<Choice>,
    /// Retries per request that the budget allows, or tokens that it gets back for a success: above 0 to 1, such as `"0.05..0.5"`.
    budget_ratio: Option<Choice>,
    /// What a Retry-After header does.
    retry_after: Option<Choice>,
    /// What is better, `maximise METRIC` or `minimise METRIC`: the first counts first, the next decides between what the first cannot
    /// tell apart, and so on.
    #[schemars(required)]
    objective: Option<Sentences>,
    /// What must hold of means, such as `success_rate >= 0.95`.
    constraints: Option<Sentences>,
}

/// One sentence, or a list of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "this is neither text nor a list of texts: write for example [\"success_rate >= 0.95\"]"
)]
enum Sentences {
    One(String),
    Many(Vec<String>),
}

impl Sentences {
    fn list(this: Option<&Self>) -> Vec<String> {
        match this {
            None => Vec::new(),
            Some(Self::One(sentence)) => vec![sentence.clone()],
            Some(Self::Many(sentences)) => sentences.clone(),
        }
    }
}

/// Reads `[tune.WORKLOAD]` of a scenario that is sound otherwise.
pub(in crate::scenario) fn tunings(document: &mut Document<'_>, scenario: &Scenario) -> Vec<Tune> {
    let Some((_, value)) = entry(document.root(), "tune") else { return Vec::new() };
    let help = "write `[tune.WORKLOAD]` and its fields below".to_owned();
    let Some(table) = value.get_ref().as_table().cloned() else {
        document.problem("tune", "this must be a table", help);
        return Vec::new();
    };
    if table.is_empty() {
        document.problem("tune", "there is no workload in it", help);
    }
    let mut tunings = Vec::new();
    for (key, value) in table {
        let name = key.into_inner().into_owned();
        let path = format!("tune.{name}");
        let Some(workload) = scenario.workloads.iter().position(|known| known.name == name) else {
            let known = scenario.workloads.iter().map(|known| known.name.as_str());
            document.problem(&path, format!("there is no workload \"{name}\""), suggestion(&name, known));
            continue;
        };
        if let Some(written) = document.read::<Tuning>(&path, value, &[]) {
            tunings.extend(tuning(document, &path, workload, &written, scenario));
        }
    }
    tunings
}

fn tuning(
    document: &mut Document<'_>,
    path: &str,
    workload: usize,
    written: &Tuning,
    scenario: &Scenario,
) -> Option<Tune> {
    let from = match &written.from {
        None => scenario.arms[0].policies[workload],
        Some(name) => {
            let known = || scenario.policies.iter().map(|policy| policy.name.as_str());
            let Some(index) = known().position(|known| known == name) else {
                let message = format!("there is no policy \"{name}\"");
                document.problem(&format!("{path}.from"), message, suggestion(name, known()));
                return None;
            };
            index
        }
    };
    let policy = &scenario.policies[from];
    let base = Base { draft: Draft::of(&scenario.text, &policy.name), config: policy.config.clone() };
    let mut tune =
        Tune { workload, from, knobs: Vec::new(), objectives: Vec::new(), constraints: Vec::new(), base };
    let mut sound = read_knobs(document, path, written, &mut tune);
    sound &= read_aims(document, path, written, scenario, &mut tune);
    if sound {
        sound = check_together(document, path, &tune) && check_each(document, path, &tune);
    }
    sound.then_some(tune)
}

fn read_knobs(document: &mut Document<'_>, path: &str, written: &Tuning, tune: &mut Tune) -> bool {
    let choices = [
        &written.retries,
        &written.delay,
        &written.shape,
        &written.jitter,
        &written.jitter_amount,
        &written.cap,
        &written.breaker,
        &written.breaker_threshold,
        &written.breaker_timeout,
        &written.budget,
        &written.budget_ratio,
        &written.retry_after,
    ];
    let mut sound = true;
    for (knob, choice) in Knob::ALL.into_iter().zip(choices) {
        let Some(choice) = choice else { continue };
        match knob.values(choice, tune.own(knob).as_deref()) {
            Ok(values) => tune.knobs.push((knob, values)),
            Err(why) => {
                document.problem(&format!("{path}.{}", knob.name()), why, None);
                sound = false;
            }
        }
    }
    if sound && tune.combinations() <= 1.0 {
        let names: Vec<&str> = Knob::ALL.iter().map(|knob| knob.name()).collect();
        let help =
            format!("give at least one of {} several values, such as `retries = \"0..8\"`", names.join(", "));
        document.problem(path, "nothing is free to move", help);
        sound = false;
    }
    sound
}

/// What is better, and what must hold.
fn read_aims(
    document: &mut Document<'_>,
    path: &str,
    written: &Tuning,
    scenario: &Scenario,
    tune: &mut Tune,
) -> bool {
    let workload = tune.workload;
    if written.objective.is_none() {
        let help = format!("write for example `objective = {OBJECTIVES}`");
        document.problem(path, "there is no objective", help);
    }
    let objectives = sentences(
        document,
        &format!("{path}.objective"),
        written.objective.as_ref(),
        OBJECTIVES,
        |sentence| objective(sentence, workload, scenario).map_err(|why| format!("\"{sentence}\": {why}")),
    );
    let constraints = sentences(
        document,
        &format!("{path}.constraints"),
        written.constraints.as_ref(),
        CONSTRAINTS,
        |sentence| constraint(sentence, workload, scenario),
    );
    let (Some(objectives), Some(constraints)) = (objectives, constraints) else { return false };
    let twice = (1..objectives.len())
        .find(|&index| objectives[..index].iter().any(|known| known.figure == objectives[index].figure));
    if let Some(index) = twice {
        let message = format!("\"{}\": this metric is there twice", objectives[index].text);
        document.problem(&format!("{path}.objective"), message, None);
    }
    (tune.objectives, tune.constraints) = (objectives, constraints);
    twice.is_none() && written.objective.is_some()
}

/// What `read` makes of each sentence of a field, none if the field is absent; `None` if one of them cannot be read, or there is
/// none in the field.
fn sentences<T>(
    document: &mut Document<'_>,
    place: &str,
    field: Option<&Sentences>,
    example: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Option<Vec<T>> {
    let name = place.rsplit('.').next().unwrap_or(place);
    let sentences = Sentences::list(field);
    if field.is_some() && sentences.is_empty() {
        let help = format!("write for example `{name} = {example}`");
        document.problem(place, format!("there is nothing in {name}"), help);
        return None;
    }
    let mut sound = Vec::new();
    for sentence in &sentences {
        match read(sentence) {
            Ok(made) => sound.push(made),
            Err(why) => document.problem(place, why, None),
        }
    }
    (sound.len() == sentences.len()).then_some(sound)
}

/// A metric of the workload, or of the workload or service that is named before a dot.
fn measured(text: &str, workload: usize, scenario: &Scenario) -> Result<Figure, String> {
    let own = scenario.workloads[workload].name.as_str();
    let (subject, name) = text.trim().rsplit_once('.').unwrap_or((own, text.trim()));
    let figure = figure(Some(subject), name, &scenario.workloads, &scenario.services)?;
    if let ("peak_to_limit" | "overshoot", Metric::Service(_)) = (name, figure.metric) {
        let service = &scenario.services[figure.subject];
        if service.config.allowance(scenario.window, scenario.callers_of(figure.subject)).is_none() {
            return Err(format!(
                "service {} has no rate limit, and {name} cannot be observed: give it a `rate_limit`, or take offered_load_peak",
                service.name
            ));
        }
    }
    Ok(figure)
}

fn objective(text: &str, workload: usize, scenario: &Scenario) -> Result<Objective, String> {
    let example = "write for example \"maximise success_rate\" or \"minimise peak_to_limit\"";
    let (verb, name) = text.trim().split_once(char::is_whitespace).ok_or(example)?;
    let better = match verb {
        "maximise" | "maximize" => Better::More,
        "minimise" | "minimize" => Better::Less,
        _ => return Err(format!("\"{verb}\" is neither maximise nor minimise: {example}")),
    };
    let figure = measured(name, workload, scenario)?;
    match (figure.metric.sense().better, better) {
        (Better::More, Better::Less) => Err(format!("more of {} is better: maximise it", name.trim())),
        (Better::Less, Better::More) => Err(format!("less of {} is better: minimise it", name.trim())),
        _ => Ok(Objective { figure, better, text: text.trim().to_owned() }),
    }
}

fn constraint(text: &str, workload: usize, scenario: &Scenario) -> Result<Condition, String> {
    let at = text.find(['<', '>']).ok_or_else(|| {
        format!("\"{text}\" is not a condition: write for example \"success_rate >= 0.95\"")
    })?;
    let (name, bound) = text.split_at(at);
    let figure = measured(name, workload, scenario).map_err(|why| format!("\"{text}\": {why}"))?;
    condition(figure, bound, text.trim().to_owned())
}

/// What a knob needs of the others, and of the policy that tuning starts from.
fn check_together(document: &mut Document<'_>, path: &str, tune: &Tune) -> bool {
    let values = |knob| tune.place(knob).map(|place| &tune.knobs[place].1[..]);
    let config = &tune.base.config;
    let growth = config.backoff.as_ref().and_then(Growth::of);
    let retries = values(Knob::Retries)
        .map_or(config.max_retries() != Some(0), |values| values.iter().any(|v| v != "0"));
    let some =
        |knob: Knob, but: &str| values(knob).is_some_and(|values| values.iter().any(|value| value != but));
    let amounts = values(Knob::Jitter).is_some_and(|values| values.iter().any(|value| takes_amount(value)));
    let own_amount = jitter_of(&config.jitter).is_some_and(|(kind, _)| takes_amount(kind));
    let problems = [
        (
            config.backoff.is_none() && retries && values(Knob::Delay).is_none(),
            "",
            "the policy that it starts from has no backoff: give `delay`, such as `delay = \"5s..5m\"`",
        ),
        (
            growth.is_none()
                && config.backoff.is_some()
                && (values(Knob::Delay).is_some() != values(Knob::Shape).is_some()),
            if values(Knob::Delay).is_some() { "delay" } else { "shape" },
            "the backoff of the policy that it starts from is more than a delay that is fixed, linear or exponential: give both \
             `delay` and `shape`, which replace it",
        ),
        (
            amounts && values(Knob::JitterAmount).is_none(),
            "jitter",
            "proportional and truncated_exponential take an amount: give `jitter_amount`, such as `jitter_amount = \"0.1..1\"`",
        ),
        (
            values(Knob::JitterAmount).is_some()
                && !(amounts || (own_amount && values(Knob::Jitter).is_none())),
            "jitter_amount",
            "no jitter here takes an amount: give `jitter = \"proportional\"` or \"truncated_exponential\"",
        ),
        (
            some(Knob::Breaker, "none")
                && (values(Knob::BreakerThreshold).is_none() || values(Knob::BreakerTimeout).is_none()),
            "breaker",
            "a breaker needs `breaker_threshold`, such as \"3..20\", and `breaker_timeout`, such as \"10s..5m\"",
        ),
        (
            !some(Knob::Breaker, "none") && values(Knob::BreakerThreshold).is_some(),
            "breaker_threshold",
            "there is no breaker to move it of: give `breaker = [\"none\", \"consecutive\"]`",
        ),
        (
            !some(Knob::Breaker, "none") && values(Knob::BreakerTimeout).is_some(),
            "breaker_timeout",
            "there is no breaker to move it of: give `breaker = [\"none\", \"consecutive\"]`",
        ),
        (
            some(Knob::Budget, "none") && values(Knob::BudgetRatio).is_none(),
            "budget",
            "a budget needs `budget_ratio`, such as \"0.05..0.5\"",
        ),
        (
            !some(Knob::Budget, "none") && values(Knob::BudgetRatio).is_some(),
            "budget_ratio",
            "there is no budget to move it of: give `budget = [\"none\", \"window\"]`",
        ),
    ];
    let mut sound = true;
    for (_, field, message) in problems.into_iter().filter(|(wrong, ..)| *wrong) {
        document.problem(format!("{path}.{field}").trim_end_matches('.'), message, None);
        sound = false;
    }
    sound
}

/// Every value of every knob makes a policy, beside the last values of the others.
fn check_each(document: &mut Document<'_>, path: &str, tune: &Tune) -> bool {
    let last: Vec<usize> = tune.knobs.iter().map(|(_, values)| values.len() - 1).collect();
    for (place, (knob, values)) in tune.knobs.iter().enumerate() {
        for (index, value) in values.iter().enumerate() {
            let mut indices = last.clone();
            indices[place] = index;
            if let Err(why) = tune.policy(&tune.values(&indices)) {
                let message = format!("{value} makes no sound policy: {why}");
                document.problem(&format!("{path}.{}", knob.name()), message, None);
                return false;
            }
        }
    }
    true
}
