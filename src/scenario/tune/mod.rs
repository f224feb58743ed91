//! `[tune.WORKLOAD]`: what of a workload's policy may move, what is better, and what must hold.

mod draft;
mod knob;
mod section;
mod write;

use super::{Condition, Figure};
use crate::metrics::Better;
use crate::policy::PolicyConfig;
use crate::schedule::{Backoff, Jitter};
use draft::{Change, Draft};
pub use knob::Knob;
pub(super) use section::{Tuning, tunings};
pub use write::Addition;

/// What is tuned of one workload.
#[derive(Debug, Clone, PartialEq)]
pub struct Tune {
    /// Index of the workload.
    pub workload: usize,
    /// Index of the policy that it starts from.
    pub from: usize,
    /// The knobs that may move, in the order of [`Knob::ALL`], with their values in order.
    pub knobs: Vec<(Knob, Vec<String>)>,
    /// What is better; the first counts first. At least one.
    pub objectives: Vec<Objective>,
    /// What must hold of means.
    pub constraints: Vec<Condition>,
    base: Base,
}

/// More or less of a figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objective {
    /// What is measured.
    pub figure: Figure,
    /// What is better of it: never [`Better::Neither`].
    pub better: Better,
    /// As written, for messages.
    pub text: String,
}

/// The policy that tuning starts from.
#[derive(Debug, Clone, PartialEq)]
struct Base {
    draft: Draft,
    config: PolicyConfig,
}

/// The value of each knob, in the order of [`Tune::knobs`]; `None` where it would change nothing beside the others.
pub type Values = Vec<Option<String>>;

/// A policy with its knobs set.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuned {
    /// What the lines mean.
    pub config: PolicyConfig,
    /// The lines below `[policies.NAME]`.
    pub text: String,
}

/// A delay that grows in one of the ways that `shape` names.
struct Growth {
    shape: &'static str,
    delay: String,
    factor: f64,
}

impl Growth {
    /// `None` if there is more to the backoff than a delay and its growth.
    fn of(backoff: &Backoff) -> Option<Self> {
        let growth = |shape, delay| Some(Self { shape, delay: knob::written(delay), factor: 2.0 });
        match backoff {
            Backoff::Fixed(delay) => growth("fixed", *delay),
            Backoff::List(list) if !list.ends() && list.delays().len() == 1 => {
                growth("fixed", list.delays()[0])
            }
            Backoff::Linear { first, step } if first == step => growth("linear", *first),
            Backoff::Exponential(e) if e.exponent.get() == 0 && !e.zero_first && !e.minus_one => {
                Some(Self { factor: e.factor.get(), ..growth("exponential", e.base)? })
            }
            _ => None,
        }
    }
}

/// The name and the amount of a jitter that `jitter` can name.
fn jitter_of(jitter: &Jitter) -> Option<(&'static str, Option<f64>)> {
    Some(match jitter {
        Jitter::None => ("none", None),
        Jitter::Full => ("full", None),
        Jitter::Equal => ("equal", None),
        Jitter::Decorrelated => ("decorrelated", None),
        Jitter::Proportional(share) => ("proportional", Some(share.get())),
        Jitter::TruncatedExponential(amount) => ("truncated_exponential", Some(amount.get())),
        _ => return None,
    })
}

/// True if a jitter of this name takes an amount.
fn takes_amount(jitter: &str) -> bool {
    ["proportional", "truncated_exponential"].contains(&jitter)
}

impl Tune {
    /// The place of a knob among those that move.
    pub fn place(&self, knob: Knob) -> Option<usize> {
        self.knobs.iter().position(|(known, _)| *known == knob)
    }

    /// How many combinations of values there are.
    pub fn combinations(&self) -> f64 {
        self.knobs.iter().map(|(_, values)| values.len() as f64).product()
    }

    /// The values with these indices, without those that change nothing beside the others.
    pub fn values(&self, indices: &[usize]) -> Values {
        let written = self.knobs.iter().zip(indices).map(|((_, values), &index)| Some(values[index].clone()));
        let mut values: Values = written.collect();
        self.drop_idle(&mut values);
        values
    }

    /// Takes out values that change nothing: the delay of a policy that makes no retry, the amount of a jitter that takes none.
    fn drop_idle(&self, values: &mut Values) {
        let retries = self.retries(values);
        if retries == Some(0) {
            self.drop_from(values, &Knob::OF_RETRIES);
        }
        if retries == Some(1) {
            self.drop_from(values, &[Knob::Shape]);
        }
        if self.place(Knob::Jitter).is_some() {
            match self.get(values, Knob::Jitter) {
                Some("decorrelated") => self.drop_from(values, &[Knob::Shape, Knob::JitterAmount]),
                Some(kind) if takes_amount(kind) => {}
                _ => self.drop_from(values, &[Knob::JitterAmount]),
            }
        }
        if self.get(values, Knob::Breaker) == Some("none") {
            self.drop_from(values, &[Knob::BreakerThreshold, Knob::BreakerTimeout]);
        }
        if self.get(values, Knob::Budget) == Some("none") {
            self.drop_from(values, &[Knob::BudgetRatio]);
        }
    }

    fn drop_from(&self, values: &mut Values, knobs: &[Knob]) {
        knobs.iter().filter_map(|knob| self.place(*knob)).for_each(|place| values[place] = None);
    }

    /// The value of a knob, if it has one here.
    pub fn get<'v>(&self, values: &'v [Option<String>], knob: Knob) -> Option<&'v str> {
        values.get(self.place(knob)?)?.as_deref()
    }

    fn retries(&self, values: &[Option<String>]) -> Option<u64> {
        self.get(values, Knob::Retries)
            .map_or_else(|| self.base.config.counted_retries(), |text| text.parse().ok())
    }

    /// What the policy that tuning starts from has of a knob; `None` if the knob cannot say it.
    pub fn own(&self, knob: Knob) -> Option<String> {
        let config = &self.base.config;
        let growth = || config.backoff.as_ref().and_then(Growth::of);
        match knob {
            Knob::Retries => config.counted_retries().map(|retries| retries.to_string()),
            Knob::Delay => growth().map(|growth| growth.delay),
            Knob::Shape => growth().map(|growth| growth.shape.to_owned()),
            Knob::Jitter => jitter_of(&config.jitter).map(|(kind, _)| kind.to_owned()),
            Knob::JitterAmount => {
                jitter_of(&config.jitter).and_then(|(_, amount)| Some(format!("{:?}", amount?)))
            }
            Knob::Cap => config.cap_before_jitter.or(config.cap_after_jitter).map(knob::written),
            Knob::Breaker => config.breaker.is_none().then(|| "none".to_owned()),
            Knob::Budget => config.budget.is_none().then(|| "none".to_owned()),
            Knob::BreakerThreshold | Knob::BreakerTimeout | Knob::BudgetRatio | Knob::RetryAfter => None,
        }
    }

    /// The values nearest to the policy that tuning starts from, by index: where to begin. What it has outside the ranges, the
    /// first value stands for.
    pub fn start(&self) -> Vec<usize> {
        let index = |(knob, values): &(Knob, Vec<String>)| {
            self.own(*knob).and_then(|own| values.iter().position(|value| *value == own)).unwrap_or(0)
        };
        self.knobs.iter().map(index).collect()
    }

    /// The policy that tuning starts from.
    pub fn started(&self) -> Tuned {
        Tuned { config: self.base.config.clone(), text: self.base.draft.text() }
    }

    /// The policy with these values.
    ///
    /// # Errors
    /// If no policy can have them together, with the reason.
    pub fn policy(&self, values: &[Option<String>]) -> Result<Tuned, String> {
        let draft = self.base.draft.with(&self.changes(values));
        let config = draft.read().map_err(|error| error.to_string())?;
        match config.problems().into_iter().next() {
            Some((_, why)) => Err(why),
            None => Ok(Tuned { config, text: draft.text() }),
        }
    }

    /// The same without parameters of a preset that say nothing beside the other fields.
    pub fn tidied(&self, values: &[Option<String>]) -> String {
        self.base.draft.with(&self.changes(values)).tidied().text()
    }

    /// The policy with the values of these indices and one of them replaced, perhaps by one that tuning was not free to give;
    /// `None` if that is no policy, or the same one.
    pub fn instead(&self, indices: &[usize], knob: Knob, value: &str) -> Option<Tuned> {
        let written = self.knobs.iter().zip(indices).map(|((_, values), &index)| Some(values[index].clone()));
        let mut other: Values = written.collect();
        *other.get_mut(self.place(knob)?)? = Some(value.to_owned());
        self.drop_idle(&mut other);
        let tuned = self.policy(&other).ok()?;
        let same = self.policy(&self.values(indices)).is_ok_and(|own| own.config == tuned.config);
        (!same).then_some(tuned)
    }

    fn changes(&self, values: &[Option<String>]) -> Vec<Change> {
        let get = |knob| self.get(values, knob);
        let mut changes: Vec<Change> = Vec::new();
        if let Some(retries) = get(Knob::Retries) {
            changes.extend([("attempts", None), ("retries", Some(retries.to_owned()))]);
        }
        self.change_delays(values, &mut changes);
        match (get(Knob::Breaker), get(Knob::BreakerThreshold), get(Knob::BreakerTimeout)) {
            (Some("none"), ..) => changes.push(("breaker", None)),
            (Some(_), Some(threshold), Some(timeout)) => changes.push((
                "breaker",
                Some(format!("{{ trip = {{ consecutive = {threshold} }}, open_for = \"{timeout}\" }}")),
            )),
            _ => {}
        }
        match (get(Knob::Budget), get(Knob::BudgetRatio)) {
            (Some("none"), _) => changes.push(("budget", None)),
            (Some("window"), Some(ratio)) => {
                changes.push((
                    "budget",
                    Some(format!("{{ window = {{ percent = {ratio}, min_per_second = 1 }} }}")),
                ));
            }
            (Some(_), Some(ratio)) => changes.push((
                "budget",
                Some(format!("{{ throttle = {{ max_tokens = 10, token_ratio = {ratio} }} }}")),
            )),
            _ => {}
        }
        changes.extend(get(Knob::RetryAfter).map(|rule| ("retry_after", Some(format!("\"{rule}\"")))));
        changes
    }

    /// The fields of the schedule.
    fn change_delays(&self, values: &[Option<String>], changes: &mut Vec<Change>) {
        let get = |knob| self.get(values, knob);
        let own = self.base.config.backoff.as_ref().and_then(Growth::of);
        let (delay, shape) = (get(Knob::Delay), get(Knob::Shape));
        if delay.is_some() || shape.is_some() {
            let delay = delay.or(own.as_ref().map(|own| own.delay.as_str())).unwrap_or("1s");
            // A walk, and a single retry, only know the first delay.
            let idle = self.place(Knob::Shape).is_some() && shape.is_none();
            let kept = own.as_ref().filter(|_| !idle).map(|own| own.shape);
            let factor = own.as_ref().filter(|own| own.shape == "exponential").map_or(2.0, |own| own.factor);
            let backoff = match shape.or(kept).unwrap_or("fixed") {
                "linear" => format!("{{ linear = {{ first = \"{delay}\", step = \"{delay}\" }} }}"),
                "exponential" => format!("{{ exponential = {{ base = \"{delay}\", factor = {factor} }} }}"),
                _ => format!("{{ fixed = \"{delay}\" }}"),
            };
            changes.push(("backoff", Some(backoff)));
        }
        let own = jitter_of(&self.base.config.jitter);
        let kind = get(Knob::Jitter);
        let amount = get(Knob::JitterAmount);
        match (kind.or(own.map(|(kind, _)| kind)), amount) {
            (Some(kind), Some(amount)) => changes.push(("jitter", Some(format!("{{ {kind} = {amount} }}")))),
            _ => changes.extend(kind.map(|kind| ("jitter", Some(format!("\"{kind}\""))))),
        }
        let walks = kind == Some("decorrelated") || (kind.is_none() && self.base.config.jitter.is_walk());
        let field = if walks { "cap_after_jitter" } else { "cap_before_jitter" };
        changes.extend(get(Knob::Cap).map(|cap| (field, Some(format!("\"{cap}\"")))));
    }
}
