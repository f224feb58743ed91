//! Arithmetic in presets: libraries count attempts where we count retries, and say "jitter 0.3" where a range is meant.
//!
//! A value of a composition that begins with `=` is an expression over the parameters, such as `"= $max_attempts - 1"` or
//! `"= $backoff_factor * 2 s"`: numbers, `$names`, `+ - * /`, parentheses, `min(a, b)`, `max(a, b)`, and at the end perhaps a
//! unit (`s`, `ms`, `min`, `per s`), which makes it a duration or a rate. A parameter that is "unlimited" counts as infinite,
//! and a result that is infinite is "unlimited" again.
//!
//! An expression over a parameter that was not given has no value, unless `or(a, b)` says b for that case: some defaults follow
//! from other parameters (`"= or($max_interval, 10 * $base_interval) s"`).

use std::collections::BTreeMap;

/// The value of an expression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    /// A plain number.
    Number(f64),
    /// A number of seconds.
    Seconds(f64),
    /// A rate, in events per second.
    PerSecond(f64),
}

/// Computes `text` with the numbers given for the parameters: `Ok(None)` if one of those is absent.
pub(super) fn evaluate(text: &str, given: &BTreeMap<&str, f64>) -> Result<Option<Value>, String> {
    let mut reader = Reader { rest: text.trim(), given, absent: false };
    let number = reader.sum()?;
    let value = match reader.rest.trim() {
        "" => Value::Number(number),
        "per s" => Value::PerSecond(number),
        "s" => Value::Seconds(number),
        "ms" => Value::Seconds(number / 1000.0),
        "min" => Value::Seconds(number * 60.0),
        rest => return Err(format!("cannot go on at \"{rest}\" in the expression \"{text}\"")),
    };
    Ok((!reader.absent).then_some(value))
}

struct Reader<'a> {
    rest: &'a str,
    given: &'a BTreeMap<&'a str, f64>,
    absent: bool,
}

impl Reader<'_> {
    fn take(&mut self, token: &str) -> bool {
        let found = self.rest.trim_start().strip_prefix(token);
        if let Some(rest) = found {
            self.rest = rest;
        }
        found.is_some()
    }

    fn sum(&mut self) -> Result<f64, String> {
        let mut sum = self.product()?;
        loop {
            if self.take("+") {
                sum += self.product()?;
            } else if self.take("-") {
                sum -= self.product()?;
            } else {
                return Ok(sum);
            }
        }
    }

    fn product(&mut self) -> Result<f64, String> {
        let mut product = self.atom()?;
        loop {
            if self.take("*") {
                product *= self.atom()?;
            } else if self.take("/") {
                product /= self.atom()?;
            } else {
                return Ok(product);
            }
        }
    }

    fn atom(&mut self) -> Result<f64, String> {
        for (name, of) in
            [("min(", f64::min as fn(f64, f64) -> f64), ("max(", f64::max), ("floor(", |a, _| libm::floor(a))]
        {
            if self.take(name) {
                let first = self.sum()?;
                let second = if self.take(",") { self.sum()? } else { first };
                return self.close(of(first, second));
            }
        }
        if self.take("or(") {
            let before = std::mem::take(&mut self.absent);
            let first = self.sum()?;
            let given = !std::mem::replace(&mut self.absent, before);
            if !self.take(",") {
                return Err(format!("or(a, b) has no b at \"{}\"", self.rest));
            }
            let second = self.sum()?;
            self.absent = if given { before } else { self.absent };
            return self.close(if given { first } else { second });
        }
        if self.take("(") {
            let inner = self.sum()?;
            return self.close(inner);
        }
        if self.take("$") {
            let given = self.given;
            let number = given.get(self.word(|c| c.is_alphanumeric() || c == '_')).copied();
            self.absent |= number.is_none();
            return Ok(number.unwrap_or(0.0));
        }
        let number = self.word(|c| c.is_ascii_digit() || c == '.');
        number.parse().map_err(|_| format!("there is no number at \"{}\"", self.rest))
    }

    fn close(&mut self, value: f64) -> Result<f64, String> {
        if self.take(")") {
            Ok(value)
        } else {
            Err(format!("a parenthesis is not closed at \"{}\"", self.rest))
        }
    }

    fn word(&mut self, belongs: fn(char) -> bool) -> &str {
        let rest = self.rest.trim_start();
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.rest = &rest[end..];
        &rest[..end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_compute() {
        let given = BTreeMap::from([("attempts", 3.0), ("j", 0.25)]);
        for (text, value) in [
            ("$attempts - 1", Value::Number(2.0)),
            ("1 - $j", Value::Number(0.75)),
            ("2 * (1 + $j) / 5", Value::Number(0.5)),
            ("$attempts * 2 s", Value::Seconds(6.0)),
            ("$attempts * 100 ms", Value::Seconds(0.3)),
            ("$attempts min", Value::Seconds(180.0)),
            ("$attempts / 2 per s", Value::PerSecond(1.5)),
            ("max($attempts, 7)", Value::Number(7.0)),
            ("min($attempts, 7) + floor(2.9)", Value::Number(5.0)),
        ] {
            assert_eq!(evaluate(text, &given), Ok(Some(value)), "{text}");
        }
        assert_eq!(evaluate("$missing + 1", &given), Ok(None));
        for (text, value) in [
            ("or($missing, 10 * $attempts) s", Some(Value::Seconds(30.0))),
            ("1 + or($attempts - 1, 7)", Some(Value::Number(3.0))),
            ("or($attempts, $missing)", Some(Value::Number(3.0))),
            ("or($missing, $missing)", None),
            ("$missing + or($attempts, 7)", None),
        ] {
            assert_eq!(evaluate(text, &given), Ok(value), "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "1 +", "(1", "1 2", "x", "1 h", "or(1)"] {
            assert!(evaluate(text, &BTreeMap::new()).is_err(), "{text}");
        }
    }
}
