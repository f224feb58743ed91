//! Why a policy was chosen, in one sentence: the one or two parts whose absence changes most, with what it changes. Every number in
//! it is a mean of the confirmation, and every change is clear after all comparisons of the workload have been counted.

use super::words;
use crate::experiment::tune::{Effect, TunedWorkload, Variant};
use crate::scenario::{Knob, Scenario, Tune};

/// The level at which a difference is clear.
const LEVEL: f64 = 0.05;
/// A hundredth of failures is nothing that a ratio should make much of.
const LITTLE: f64 = 0.01;

/// The sentence.
pub(super) fn why(scenario: &Scenario, tune: &Tune, found: &TunedWorkload) -> String {
    let clear = |effect: &&Effect| effect.p <= LEVEL && visible(found, effect);
    let effects: Vec<&Effect> = found.effects.iter().filter(clear).collect();
    let asked = found.asked(tune);
    // What was to be better counts; what only had to hold counts where nothing else differs.
    let weight = |variant: usize| -> f64 {
        let own = effects.iter().filter(|effect| effect.variant == variant && effect.column < asked);
        let counts = |column: usize| if column < tune.objectives.len() { 1.0 } else { 1e-6 };
        own.map(|effect| counts(effect.column) * size(found, effect)).fold(0.0, f64::max)
    };
    let mut order: Vec<usize> = (0..found.variants.len()).filter(|&variant| weight(variant) > 0.0).collect();
    order.sort_by(|&a, &b| weight(b).total_cmp(&weight(a)).then(a.cmp(&b)));
    let mut parts: Vec<String> = Vec::new();
    let mut told: Vec<Knob> = Vec::new();
    for variant in order {
        let knob = found.variants[variant].knob;
        if parts.len() < 2 && !told.contains(&knob) {
            told.push(knob);
            let own: Vec<&Effect> =
                effects.iter().copied().filter(|effect| effect.variant == variant).collect();
            parts.push(sentence(scenario, tune, found, &found.variants[variant], &own));
        }
    }
    if parts.is_empty() {
        let tried = found.variants.len();
        let replications = found.confirmed(found.chosen).rows.len();
        return match tried {
            0 => "nothing of it could be left out or replaced".into(),
            _ => format!(
                "no knob makes a clear difference: none of {tried} alternatives differs clearly in {replications} held-out replications"
            ),
        };
    }
    parts.extend(another_retry(found, &effects, asked).filter(|_| !told.contains(&Knob::Retries)));
    parts.join("; ")
}

/// That one more retry adds nothing, if that was tried.
fn another_retry(found: &TunedWorkload, effects: &[&Effect], asked: usize) -> Option<String> {
    let more =
        |variant: &Variant| variant.knob == Knob::Retries && number(&variant.other) > number(&variant.own);
    let variant = found.variants.iter().position(more)?;
    let adds = effects.iter().any(|effect| effect.variant == variant && effect.column < asked);
    (!adds).then(|| {
        format!(
            "{} retry would change nothing clearly",
            words::another(number(&found.variants[variant].other))
        )
    })
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

/// What one part does: the largest change of what was asked for, and the largest of the others.
fn sentence(
    scenario: &Scenario,
    tune: &Tune,
    found: &TunedWorkload,
    variant: &Variant,
    effects: &[&Effect],
) -> String {
    let asked = found.asked(tune);
    let largest = |effects: &mut dyn Iterator<Item = &&Effect>| -> Option<usize> {
        let by_size = |a: &&&Effect, b: &&&Effect| {
            size(found, a).total_cmp(&size(found, b)).then(b.column.cmp(&a.column))
        };
        effects.max_by(by_size).map(|effect| effect.column)
    };
    let objective =
        effects.iter().map(|effect| effect.column).filter(|column| *column < tune.objectives.len()).min();
    let first = objective.or_else(|| largest(&mut effects.iter().filter(|effect| effect.column < asked)));
    let second = largest(&mut effects.iter().filter(|effect| Some(effect.column) != first));
    let retries = variant.knob == Knob::Retries;
    let would = retries && number(&variant.other) > number(&variant.own);
    let change = |column: usize| {
        let effect = effects.iter().find(|effect| effect.column == column)?;
        let figure = found.figures[column];
        // Of one retry more what it would do, of everything else what it does.
        let (from, to) = if would { (effect.own, effect.other) } else { (effect.other, effect.own) };
        let verb = match (to.mean > from.mean, would) {
            (true, true) => "raise",
            (true, false) => "raises",
            (false, true) => "cut",
            (false, false) => "cuts",
        };
        let value = |mean: f64| words::value(figure.metric, mean);
        let name = words::name(scenario, figure, tune.workload);
        Some((
            verb,
            format!(
                "{name} from {} to {}{}{}",
                value(from.mean),
                value(to.mean),
                words::unit(figure.metric),
                words::rests_on(effect.pairs, found.confirmed(found.chosen).rows.len())
            ),
        ))
    };
    let changes: Vec<(&str, String)> = [first, second].into_iter().flatten().filter_map(change).collect();
    let subject = subject(tune, found, variant);
    match &changes[..] {
        [(verb, one), (same, other)] if verb == same => format!("{subject} {verb} {one} and {other}"),
        [(verb, one), (another, other)] => format!("{subject} {verb} {one} and {another} {other}"),
        [(verb, one), ..] => format!("{subject} {verb} {one}"),
        [] => subject,
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
