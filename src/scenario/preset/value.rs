//! Values of parameters: from the library's way of writing them to the grammar's.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeArray, DeValue};

use super::expression;
use super::{Parameter, Preset};
use crate::quantity::Quantity;
use crate::scenario::document::Value;
use crate::time::Interval;

/// A count without end: arithmetic leaves it as it is, so that `"= $max_attempts - 1"` of it is unlimited as well.
pub(in crate::scenario) const UNLIMITED: &str = "unlimited";

/// A value of a parameter as the grammar expects it, and as a number in the library's unit if it is one.
pub(super) fn converted<'s>(
    value: Value<'s>,
    preset: &Preset,
    name: &str,
    parameter: &Parameter,
) -> Result<(Value<'s>, Option<f64>), String> {
    let Some((unit, length)) = parameter.unit.time() else {
        let number = number(&value);
        return if number.is_some_and(f64::is_nan) {
            Err("this is not a number: write one, or leave the parameter out".to_owned())
        } else {
            known(value, parameter).map(|value| (value, number))
        };
    };
    let takes_list = || preset.takes_list(name);
    let unit = Time { unit, length, unlimited: unlimited(parameter), takes_list: &takes_list };
    let number = number(&value).or_else(|| unit.number(value.get_ref()));
    Ok((unit.convert(value)?, number))
}

/// Whether the parameter can be without limit: by its default or by what is said about it.
pub(in crate::scenario) fn unlimited(parameter: &Parameter) -> bool {
    let infinite = match &parameter.default {
        Some(toml::Value::Float(default)) => default.is_infinite(),
        Some(toml::Value::String(default)) => default == UNLIMITED,
        _ => false,
    };
    let mut words = parameter.about.split(|c: char| !c.is_alphanumeric());
    infinite || words.any(|word| ["inf", "Infinity", UNLIMITED].contains(&word))
}

/// A plain value, which must be one of those that the parameter can have.
fn known<'s>(value: Value<'s>, parameter: &Parameter) -> Result<Value<'s>, String> {
    let text = shown(value.get_ref());
    if parameter.values.is_empty() || parameter.values.contains_key(&text) {
        return Ok(value);
    }
    let known: Vec<&str> = parameter.values.keys().map(String::as_str).collect();
    Err(format!("\"{text}\" is not one of its values: {}", known.join(", ")))
}

pub(super) fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(integer) => integer.as_str().to_owned(),
        DeValue::Float(float) => float.as_str().to_owned(),
        DeValue::Boolean(boolean) => boolean.to_string(),
        other => other.type_str().to_owned(),
    }
}

fn number(value: &Value<'_>) -> Option<f64> {
    match value.get_ref() {
        DeValue::String(text) if text == UNLIMITED => Some(f64::INFINITY),
        DeValue::Integer(_) | DeValue::Float(_) => shown(value.get_ref()).replace('_', "").parse().ok(),
        _ => None,
    }
}

/// A computed value as the grammar writes it.
pub(super) fn written<'s>(value: expression::Value) -> DeValue<'s> {
    match value {
        // Infinity less infinity and the like: the field that it was meant for refuses the word.
        expression::Value::Number(number) if number.is_nan() => {
            DeValue::String(Cow::Borrowed("not a number"))
        }
        // A rate is an exact fraction, and 1000 / 333 per s is none as a decimal: then it is one event in so many ns.
        expression::Value::PerSecond(rate) if libm::trunc(rate) == rate => {
            DeValue::String(Cow::Owned(format!("{rate}/s")))
        }
        expression::Value::PerSecond(rate) => {
            DeValue::String(Cow::Owned(format!("1/{:.0}ns", libm::round(1e9 / rate))))
        }
        expression::Value::Seconds(seconds) => nanos(seconds * 1e9),
        expression::Value::Number(number) if number == f64::INFINITY => {
            DeValue::String(Cow::Borrowed(UNLIMITED))
        }
        expression::Value::Number(number) => {
            let text =
                if libm::trunc(number) == number { format!("{number:.0}") } else { format!("{number}") };
            // The parser's numbers borrow their text. It is a few bytes and as long-lived as the presets themselves.
            let parsed = DeValue::parse(Box::leak(text.into_boxed_str()));
            parsed.expect("a number is valid TOML").into_inner()
        }
    }
}

fn nanos<'s>(nanos: f64) -> DeValue<'s> {
    DeValue::String(Cow::Owned(format!("{}ns", Interval::from_nanos_f64(nanos).as_nanos())))
}

/// A parameter that is a time.
struct Time<'a> {
    unit: &'static str,
    /// Of one unit, in nanoseconds.
    length: f64,
    /// Whether there may be no limit.
    unlimited: bool,
    takes_list: &'a dyn Fn() -> bool,
}

impl Time<'_> {
    fn expected(&self) -> String {
        let list = if (self.takes_list)() { ", or a list of them" } else { "" };
        format!("write a number of {}, or a text such as \"1m30s\"{list}", self.unit)
    }

    /// The number of units that a text with units comes to.
    fn number(&self, value: &DeValue<'_>) -> Option<f64> {
        let text = value.as_str()?;
        Interval::parse(text).ok().map(|interval| interval.as_nanos() as f64 / self.length)
    }

    fn of_number(&self, text: &str) -> Result<DeValue<'static>, String> {
        let most = Interval::MAX.as_secs_f64();
        match text.replace('_', "").parse::<f64>() {
            // No interval is longer than the one without limit.
            Ok(f64::INFINITY) if self.unlimited => Ok(nanos(f64::INFINITY)),
            Ok(number) if (0.0..=most).contains(&(number * self.length / 1e9)) => {
                Ok(nanos(number * self.length))
            }
            _ => Err(format!(
                "{text} is not a time: {} from 0 to {:.0}",
                self.expected(),
                most / self.length * 1e9
            )),
        }
    }

    /// A number of units, or a text with its own, as the grammar's duration.
    fn convert<'s>(&self, value: Value<'s>) -> Result<Value<'s>, String> {
        let span = value.span();
        let converted = match value.into_inner() {
            DeValue::Integer(integer) => self.of_number(integer.as_str())?,
            DeValue::Float(float) => self.of_number(float.as_str())?,
            DeValue::String(text) if text == UNLIMITED && self.unlimited => nanos(f64::INFINITY),
            DeValue::String(text) => match Interval::parse(&text) {
                Ok(interval) => nanos(interval.as_nanos() as f64),
                Err(_) => return Err(format!("\"{text}\" is not a time: {}", self.expected())),
            },
            DeValue::Array(items) => {
                let mut array = DeArray::new();
                for item in items {
                    array.push(self.convert(item)?);
                }
                DeValue::Array(array)
            }
            other => return Err(format!("this is a {}, not a time: {}", other.type_str(), self.expected())),
        };
        Ok(Spanned::new(span, converted))
    }
}
