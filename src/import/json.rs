//! JSON that nobody vouches for: only the scalars that are asked for are kept, the rest is passed over as it is read.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A value that is neither an object nor an array.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    Text(String),
    Whole(i128),
    Real(f64),
    /// true, false or null.
    Word,
}

/// The scalars that were asked for and found, by their path with dots.
#[derive(Debug, Default)]
pub(super) struct Fields(BTreeMap<String, Scalar>);

impl Fields {
    /// The text at `path`; a number as its digits.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        match self.0.get(path)? {
            Scalar::Text(text) => Some(text.clone()),
            Scalar::Whole(number) => Some(number.to_string()),
            Scalar::Real(_) | Scalar::Word => None,
        }
    }

    /// The number at `path`, or the one that the text there spells.
    pub(super) fn number(&self, path: &str) -> Option<f64> {
        match self.0.get(path)? {
            Scalar::Text(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
            Scalar::Whole(number) => Some(*number as f64),
            Scalar::Real(number) => Some(*number),
            Scalar::Word => None,
        }
    }

    /// The whole number at `path`, or the one that the text there spells.
    pub(super) fn whole(&self, path: &str) -> Option<i128> {
        match self.0.get(path)? {
            Scalar::Text(text) => text.parse().ok(),
            Scalar::Whole(number) => Some(*number),
            Scalar::Real(_) | Scalar::Word => None,
        }
    }
}

/// The fields `wanted` of one line that is a JSON object.
///
/// # Errors
/// If it is no JSON.
pub(super) fn line(text: &str, wanted: &[&str]) -> Result<Fields, String> {
    let mut fields = Fields::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Pick { path: String::new(), wanted, fields: &mut fields }
        .deserialize(&mut deserializer)
        .and_then(|()| deserializer.end())
        .map_err(|error| format!("no JSON: {error}"))?;
    Ok(fields)
}

/// Calls `each` for all values at `steps` of every JSON document in `input`, where the step `[]` goes into each item of a list.
///
/// # Errors
/// If it is no JSON, or the first error of `each`.
pub(super) fn each_value(
    input: impl std::io::Read,
    steps: &[&str],
    wanted: &[&str],
    mut each: impl FnMut(Fields) -> Result<(), String>,
) -> Result<(), String> {
    let mut deserializer = serde_json::Deserializer::from_reader(input);
    let mut refusal = None;
    loop {
        let walk = Walk { steps, wanted, each: &mut each, refusal: &mut refusal };
        if let Err(error) = walk.deserialize(&mut deserializer) {
            return Err(refusal.unwrap_or_else(|| format!("no JSON: {error}")));
        }
        // Where one document ends, another one may follow.
        if deserializer.end().is_ok() {
            return Ok(());
        }
    }
}

/// Keeps what is wanted of a value that stands at `path`.
struct Pick<'a> {
    path: String,
    wanted: &'a [&'a str],
    fields: &'a mut Fields,
}

impl Pick<'_> {
    fn keep(self, scalar: Scalar) {
        if self.wanted.contains(&self.path.as_str()) {
            self.fields.0.insert(self.path, scalar);
        }
    }
}

impl<'de> DeserializeSeed<'de> for Pick<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Pick<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.keep(Scalar::Word);
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.keep(Scalar::Word);
        Ok(())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.keep(Scalar::Whole(number.into()));
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.keep(Scalar::Whole(number.into()));
        Ok(())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.keep(Scalar::Real(number));
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.keep(Scalar::Text(text.to_owned()));
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let path = if self.path.is_empty() { key } else { format!("{}.{key}", self.path) };
            let leads = |wanted: &&str| {
                wanted
                    .strip_prefix(path.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            if self.wanted.iter().any(leads) {
                map.next_value_seed(Pick { path, wanted: self.wanted, fields: &mut *self.fields })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    /// A list is taken for one of attributes, as in OTLP: objects with a `key` and a `value` that tells its type, of several values
    /// the first; or for one of headers, as in HAR: objects with a `name`, whose letters may be small or capital, and a `value`. Of
    /// plain scalars the first stands for the list.
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        const VALUES: [&str; 5] = [
            "value",
            "value.stringValue",
            "value.intValue",
            "value.doubleValue",
            "value.arrayValue.values.stringValue",
        ];
        const WANTED: [&str; 9] =
            ["", "key", "name", "stringValue", VALUES[0], VALUES[1], VALUES[2], VALUES[3], VALUES[4]];
        loop {
            let mut attribute = Fields::default();
            let item = Pick { path: String::new(), wanted: &WANTED, fields: &mut attribute };
            if list.next_element_seed(item)?.is_none() {
                return Ok(());
            }
            let name = attribute.text("key").or_else(|| Some(attribute.text("name")?.to_ascii_lowercase()));
            let found = if let Some(name) = name {
                let value = VALUES.iter().find_map(|value| attribute.0.remove(*value));
                value.map(|value| (format!("{}.{name}", self.path), value))
            } else if let Some(value) = attribute.0.remove("stringValue") {
                Some((format!("{}.stringValue", self.path), value))
            } else {
                attribute.0.remove("").map(|value| (self.path.clone(), value))
            };
            if let Some((path, value)) = found.filter(|(path, _)| self.wanted.contains(&path.as_str())) {
                self.fields.0.entry(path).or_insert(value);
            }
        }
    }
}

/// Goes down `steps`, and picks what is there.
struct Walk<'a> {
    steps: &'a [&'a str],
    wanted: &'a [&'a str],
    each: &'a mut dyn FnMut(Fields) -> Result<(), String>,
    refusal: &'a mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if !self.steps.is_empty() {
            return deserializer.deserialize_any(self);
        }
        let mut fields = Fields::default();
        Pick { path: String::new(), wanted: self.wanted, fields: &mut fields }.deserialize(deserializer)?;
        (self.each)(fields).map_err(|why| {
            let error = D::Error::custom(&why);
            *self.refusal = Some(why);
            error
        })
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.steps {
            ["[]", ..] => f.write_str("a list"),
            [key, ..] => write!(f, "an object with {key}"),
            [] => f.write_str("a value"),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if self.steps.first() == Some(&key.as_str()) {
                map.next_value_seed(Walk {
                    steps: &self.steps[1..],
                    wanted: self.wanted,
                    each: &mut *self.each,
                    refusal: &mut *self.refusal,
                })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if self.steps.first() != Some(&"[]") {
            return Err(A::Error::custom(format!("a list where an object with {} belongs", self.steps[0])));
        }
        loop {
            let item = Walk {
                steps: &self.steps[1..],
                wanted: self.wanted,
                each: &mut *self.each,
                refusal: &mut *self.refusal,
            };
            if list.next_element_seed(item)?.is_none() {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_wanted_is_kept_whatever_stands_around_it() {
        let text = r#"{"a": {"b": "x", "c": [1, {"b": 2}]}, "d": 7, "e": {"f": 1.5}, "g": null, "ab": 1}"#;
        let fields = line(text, &["a.b", "d", "e.f", "g", "a.c"]).unwrap();
        assert_eq!(fields.text("a.b").as_deref(), Some("x"));
        assert_eq!((fields.whole("d"), fields.number("e.f"), fields.text("g")), (Some(7), Some(1.5), None));
        assert_eq!(fields.whole("a.c"), Some(1), "the first of a list");
        assert!(fields.number("ab").is_none() && fields.0.len() == 5);
        assert!(
            line("{", &[]).is_err() && line("{} {}", &[]).is_err() && line(r#"{"d": NaN}"#, &["d"]).is_err()
        );
    }

    #[test]
    fn values_are_found_in_every_document_and_lists_of_attributes_are_read() {
        let text = r#"{"a": [{"l": [{"key": "x", "value": {"intValue": "5"}}, {"key": "y"}, 3]}, 8]}
                      {"z": [[]], "a": [{"l": "no list"}]}"#;
        let mut found = Vec::new();
        each_value(text.as_bytes(), &["a", "[]"], &["l.x"], |fields| {
            found.push(fields.whole("l.x"));
            Ok(())
        })
        .unwrap();
        assert_eq!(found, [Some(5), None, None]);
        let header = |text: &str, path: &str| line(text, &[path]).unwrap().whole(path);
        assert_eq!(
            header(r#"{"h": [{"name": "A", "value": 1}, {"name": "B-C", "value": "7"}]}"#, "h.b-c"),
            Some(7)
        );
        assert_eq!(header(r#"{"h": {"B": ["7", "8"]}}"#, "h.B"), Some(7));
        let values = r#"{"a": [{"key": "h", "value": {"arrayValue": {"values": [{"stringValue": "7"}]}}}]}"#;
        assert_eq!(header(values, "a.h"), Some(7));
    }

    #[test]
    fn nesting_without_end_is_an_error_and_no_overflow() {
        let deep = format!("{{\"a\": {}", "[".repeat(1_000_000));
        assert!(line(&deep, &["b"]).is_err());
        assert!(each_value(deep.as_bytes(), &["a", "[]"], &["b"], |_| Ok(())).is_err());
    }
}
