//! How types are written whose reader is made by hand, for the JSON Schema of scenario files: types that stand for a form of
//! writing and for nothing else.
//!
//! Types with a derived reader derive their schema as well. Of the others the schema is that of such a form:
//! `#[schemars(with = "Either<Interval, Fields>")]`.

use std::borrow::Cow;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// One form of writing or another: `Either<Either<A, B>, C>` is one of three.
#[derive(Debug)]
pub(crate) struct Either<A, B>(PhantomData<(A, B)>);

impl<A: JsonSchema, B: JsonSchema> JsonSchema for Either<A, B> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("{} or {}", A::schema_name(), B::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let forms = [generator.subschema_for::<A>(), generator.subschema_for::<B>()];
        // The forms of a form are forms beside the others.
        let flat =
            forms.into_iter().flat_map(|form| match form.get("anyOf").and_then(|list| list.as_array()) {
                Some(list) if form.as_object().is_some_and(|object| object.len() == 1) => list.clone(),
                _ => vec![form.to_value()],
            });
        json_schema!({ "anyOf": flat.collect::<Vec<_>>() })
    }
}

/// A word that stands where otherwise a number does.
macro_rules! word {
    ($($(#[$about:meta])* $name:ident = $word:literal;)*) => {$(
        $(#[$about])*
        #[derive(Debug)]
        pub(crate) struct $name;

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                $word.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "const": $word })
            }
        }
    )*};
}

word! {
    /// `"unlimited"`.
    Unlimited = "unlimited";
    /// `"all"`.
    All = "all";
    /// `"none"`.
    Nobody = "none";
    /// `"connection_error"`.
    ConnectionError = "connection_error";
    /// `"no_answer"`.
    NoAnswer = "no_answer";
}

/// What a table needs of which exactly one field is given: a schema for each of them.
pub(crate) fn exactly_one(fields: &[&str]) -> Vec<Schema> {
    fields.iter().map(|field| json_schema!({ "required": [field] })).collect()
}

/// The units of time, each in the spellings that the reader of durations knows.
macro_rules! unit {
    () => {
        "(w|wks?|weeks?|d|days?|h|hrs?|hours?|m|mins?|minutes?|s|secs?|seconds?|ms|msecs?|millis?|milliseconds?|us|\u{b5}s|\u{3bc}s|usecs?|micros?|microseconds?|ns|nsecs?|nanos?|nanoseconds?)"
    };
}

/// Numbers with units.
macro_rules! duration {
    () => {
        concat!("([0-9]+([.,][0-9]+)?\\s*", unit!(), "\\s*,?\\s*)")
    };
}

/// A duration as text.
pub(crate) const DURATION: &str =
    concat!("^\\+?(", duration!(), "+([0-9]+:[0-9:.,]+)?|[0-9]+:[0-9:.,]+|[Pp][0-9Tt].*)$");

/// A number of events, and a period.
pub(crate) const RATE: &str = concat!(
    "^\\s*[0-9]+(\\.[0-9]{0,9})?\\s*/\\s*([0-9]+:[0-9:.,]+|(",
    unit!(),
    "|",
    duration!(),
    ")\\s*,?\\s*",
    duration!(),
    "*)\\s*$"
);
