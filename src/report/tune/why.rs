//! Why a policy was chosen, in one sentence: the one or two parts whose absence changes most of what was asked for. Every number in
//! it is a mean of the confirmation, every change of an objective is clear after all comparisons of the workload have been counted,
//! and a constraint that the policy keeps and another would not is named: it may be all that decided.

use super::words;
use crate::experiment::tune::{Effect, Met, TunedWorkload, Variant};
use crate::metrics::Better;
use crate::scenario::{Condition, Knob, Scenario, Tune};

/// The level at which a difference is clear.
const LEVEL: f64 = 0.05;
/// A hundredth of failures is nothing that a ratio should make much of.
const LITTLE: f64 = 0.01;
/// At most so many parts are told of.
const PARTS: usize = 2;

/// The sentence.
pub(super) fn why(scenario: &Scenario, tune: &Tune, found: &TunedWorkload) -> String {
    let all = 0..found.variants.len();
    let mut parts: Vec<Part<'_>> = all.map(|variant| Part::of(scenario, tune, found, variant)).collect();
    let another = another_retry(&parts);
    parts.retain(Part::matters);
    // The sort is stable: of those that change as much, the first.
    parts.sort_by(|a, b| b.weight().total_cmp(&a.weight()));
    let mut told: Vec<Knob> = Vec::new();
    let mut sentences: Vec<String> = Vec::new();
    for part in &parts {
        let knob = part.variant().knob;
        if told.len() < PARTS && !told.contains(&knob) {
            told.push(knob);
            sentences.push(part.sentence());
        }
    }
    if sentences.is_empty() {
        return nothing(found);
    }
    sentences.extend(another.filter(|_| !told.contains(&Knob::Retries)));
    sentences.join("; ")
}

/// What is said where no part makes a difference.
fn nothing(found: &TunedWorkload) -> String {
    let replications = found.confirmed(found.chosen).rows.len();
    let alternatives = match found.variants.len() {
        0 => return "nothing of it could be left out or replaced".into(),
        1 => "the one alternative neither differs clearly in an objective nor breaks a constraint".to_owned(),
        tried => {
            format!("none of {tried} alternatives differs clearly in an objective or breaks a constraint")
        }
    };
    format!(
        "no clear difference in what was asked for: {alternatives} in {replications} held-out replications"
    )
}

/// That one more retry adds nothing, if that was tried.
fn another_retry(parts: &[Part<'_>]) -> Option<String> {
    let part = parts.iter().find(|part| part.is_one_more())?;
    (!part.matters()).then(|| format!("{} make no clear difference in what was asked for", part.subject()))
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

/// True if a reader would see a difference.
fn visible(found: &TunedWorkload, effect: &Effect) -> bool {
    let metric = found.figures[effect.column].metric;
    words::value(metric, effect.own.mean) != words::value(metric, effect.other.mean)
}

/// How large a change is: the logarithm of the ratio; of shares, of what fails.
fn size(found: &TunedWorkload, effect: &Effect) -> f64 {
    let metric = found.figures[effect.column].metric;
    let amount = |value: f64| match metric.name() {
        "success_rate" => 1.0 - value + LITTLE,
        _ if words::is_share(metric) => value + LITTLE,
        _ => value.max(1e-9),
    };
    let ratio = libm::fabs(libm::log(amount(effect.own.mean) / amount(effect.other.mean)));
    if ratio.is_finite() { ratio } else { f64::MAX }
}

/// A part of the chosen policy, held against what could stand in its place.
struct Part<'a> {
    scenario: &'a Scenario,
    tune: &'a Tune,
    found: &'a TunedWorkload,
    /// Index of the variant.
    index: usize,
    /// The clear changes of objectives, the first objective first.
    effects: Vec<&'a Effect>,
    /// The constraints, by their index, of which less is known with the variant that they are met.
    lost: Vec<usize>,
}

impl<'a> Part<'a> {
    fn of(scenario: &'a Scenario, tune: &'a Tune, found: &'a TunedWorkload, index: usize) -> Self {
        let counts = |effect: &&Effect| {
            let objective = effect.column < tune.objectives.len();
            effect.variant == index && objective && effect.p <= LEVEL && visible(found, effect)
        };
        let own = &found.confirmed(found.chosen).constraints;
        let (own, other) = (own.iter().map(|met| met.name()), &found.varied[index].constraints);
        let lost = own.zip(other).enumerate().filter(|(_, (own, other))| match **other {
            Met::Yes => false,
            Met::No => *own != Met::No.name(),
            _ => *own == Met::Yes.name(),
        });
        let lost = lost.map(|(constraint, _)| constraint).collect();
        Self { scenario, tune, found, index, effects: found.effects.iter().filter(counts).collect(), lost }
    }

    fn variant(&self) -> &'a Variant {
        &self.found.variants[self.index]
    }

    /// True if the variant makes one retry more: of that is said what it would do, of everything else what it does.
    fn is_one_more(&self) -> bool {
        let variant = self.variant();
        variant.knob == Knob::Retries && number(&variant.other) > number(&variant.own)
    }

    /// True if it makes a difference in what was asked for.
    fn matters(&self) -> bool {
        !self.effects.is_empty() || !self.lost.is_empty()
    }

    /// How much it changes: the largest change of an objective, or of the figure of a constraint that is lost.
    fn weight(&self) -> f64 {
        let lost = self.lost.iter().filter_map(|&constraint| self.effect(&self.tune.constraints[constraint]));
        let sizes = self.effects.iter().copied().chain(lost).map(|effect| size(self.found, effect));
        sizes.fold(0.0, f64::max)
    }

    /// What the variant changes in the figure of a constraint, clear or not.
    fn effect(&self, constraint: &Condition) -> Option<&'a Effect> {
        let column = self.found.figures.iter().position(|figure| *figure == constraint.figure)?;
        let mut effects = self.found.effects.iter();
        effects.find(|effect| effect.variant == self.index && effect.column == column)
    }

    /// True if the variant is the better one in this objective.
    fn is_worse_than_variant(&self, effect: &Effect) -> bool {
        match self.found.better(effect.column, self.tune) {
            Better::More => effect.other.mean > effect.own.mean,
            _ => effect.other.mean < effect.own.mean,
        }
    }

    fn sentence(&self) -> String {
        let mut text = self.subject();
        for (index, effect) in self.effects.iter().enumerate() {
            let (verb, change) = self.change(effect);
            let repeated = index > 0 && self.change(self.effects[index - 1]).0 == verb;
            text += if index > 0 { " and" } else { "" };
            text += &if repeated { format!(" {change}") } else { format!(" {verb} {change}") };
        }
        let worse = |effect: &&Effect| self.is_worse_than_variant(effect);
        if self.lost.is_empty() {
            return text + if self.effects.iter().all(worse) { self.in_vain() } else { "" };
        }
        let and = match &self.effects[..] {
            [] => " ",
            effects if effects.iter().any(worse) => ", but ",
            _ => ", and ",
        };
        text + and + &self.losses()
    }

    /// That nothing speaks for the part by these figures, or against one retry more.
    fn in_vain(&self) -> &'static str {
        if self.is_one_more() {
            ", at no clear cost in what was asked for"
        } else {
            ", for no clear gain in what was asked for"
        }
    }

    /// The verb, and the figure from what it would be without the part to what it is.
    fn change(&self, effect: &Effect) -> (&'static str, String) {
        let one_more = self.is_one_more();
        let (from, to) = if one_more { (effect.own, effect.other) } else { (effect.other, effect.own) };
        let verb = match (to.mean > from.mean, one_more) {
            (true, true) => "raise",
            (true, false) => "raises",
            (false, true) => "cut",
            (false, false) => "cuts",
        };
        let figure = self.found.figures[effect.column];
        let value = |mean: f64| words::value(figure.metric, mean);
        let name = words::name(self.scenario, figure, self.tune.workload);
        let rests_on = words::rests_on(effect.pairs, self.found.confirmed(self.found.chosen).rows.len());
        let unit = words::unit(figure.metric);
        (verb, format!("{name} from {} to {}{unit}{rests_on}", value(from.mean), value(to.mean)))
    }

    /// What becomes of the constraints that are lost: first those that the variant breaks.
    fn losses(&self) -> String {
        let varied = &self.found.varied[self.index].constraints;
        let list = |broken: bool| -> Option<String> {
            let lost = self.lost.iter().filter(|&&constraint| (varied[constraint] == Met::No) == broken);
            let lost: Vec<String> = lost.map(|&constraint| self.loss(constraint)).collect();
            let lost = (!lost.is_empty()).then(|| lost.join(" and "))?;
            Some(match (self.is_one_more(), broken) {
                (true, true) => format!("break {lost}"),
                (true, false) => format!("leave {lost} undecided"),
                (false, true) => format!("is needed for {lost}"),
                (false, false) => format!("is needed to be sure of {lost}"),
            })
        };
        [true, false].into_iter().filter_map(list).collect::<Vec<_>>().join(" and ")
    }

    /// A constraint, and its figure with the policy and with the variant, unless that has been told.
    fn loss(&self, constraint: usize) -> String {
        let Condition { text, figure, .. } = &self.tune.constraints[constraint];
        let Some(effect) = self.effect(&self.tune.constraints[constraint]) else {
            return text.clone();
        };
        if self.effects.iter().any(|told| told.column == effect.column) {
            return text.clone();
        }
        let value = |mean: f64| words::value(figure.metric, mean);
        let (own, other) = (value(effect.own.mean), value(effect.other.mean));
        let (it, instead) = if self.is_one_more() { (other, own) } else { (own, other) };
        format!("{text} ({it} instead of {instead}{})", words::unit(figure.metric))
    }

    /// The part, and what stood in its place.
    fn subject(&self) -> String {
        subject(self.tune, self.found, self.variant())
    }
}

/// The part, and what stood in its place.
fn subject(tune: &Tune, found: &TunedWorkload, variant: &Variant) -> String {
    let values = &found.candidates[found.chosen].values;
    let get = |knob| tune.get(values, knob);
    let Variant { knob, own, other, .. } = variant;
    match knob {
        Knob::Retries if number(other) > number(own) => {
            format!("{} retry would", words::another(number(other)))
        }
        Knob::Retries => format!("the {} retry", words::ordinal(number(own))),
        Knob::Jitter => {
            let amount = get(Knob::JitterAmount).map(|amount| format!(" {amount}")).unwrap_or_default();
            format!("jitter {}{amount} instead of {other}", own.replace('_', " "))
        }
        Knob::Delay => format!("a delay of {own} instead of {other}"),
        Knob::Shape => format!("{own} backoff instead of {other}"),
        Knob::Breaker => "the breaker".into(),
        Knob::Budget => "the budget".into(),
        Knob::RetryAfter if own == "obey" => "obeying Retry-After".into(),
        Knob::RetryAfter => "waiting at least as long as Retry-After asks".into(),
        _ => format!("{} {own} instead of {other}", knob.name().replace('_', " ")),
    }
}
