//! The JSON Schema of scenario files: what an editor completes and checks.
//!
//! It is derived from the types that read a scenario, so that it knows every field that they know. A schema sees one field at a
//! time, and no more than JSON does: a file that it accepts can still contradict itself, and `check` says so.

mod fields;
mod plain;
mod uses;

use std::borrow::Cow;
use std::marker::PhantomData;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::preset::Kind;
use super::read::Header;
use super::tune::Knob;

/// The parts of one section, by name.
#[derive(Debug)]
pub(super) struct Parts<T>(PhantomData<T>);

impl<T: JsonSchema> JsonSchema for Parts<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("parts of {}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            // Letters and digits of any script; what they are, patterns of JSON Schema cannot say.
            "propertyNames": { "pattern": "^[^\\s.:/\"']{1,64}$" },
            "minProperties": 1,
            "additionalProperties": generator.subschema_for::<T>()
        })
    }
}

/// The text of a condition on a figure.
#[derive(Debug, JsonSchema)]
#[schemars(with = "String", inline, extend("pattern" = "^\\s*(<=?|>=?)\\s*[0-9.].*$"))]
pub(super) struct Bound;

/// The JSON Schema of scenario files, draft 2020-12, as text.
pub fn schema() -> String {
    let text = serde_json::to_string_pretty(&document()).expect("a schema prints as JSON");
    text + "\n"
}

/// What the schema says of every field, as Markdown: a table per table of the file.
pub fn fields() -> String {
    fields::page(&document())
}

fn document() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<Header>().to_value();
    plain::plain(&mut schema);
    for (name, kind) in [("Policy", Kind::Policy), ("Breaker", Kind::Breaker), ("Service", Kind::Service)] {
        uses::open(&mut schema, name, kind);
    }
    words_of_knobs(&mut schema["$defs"]["Tuning"]["properties"]);
    schema
}

/// What knobs of kinds may be: one word, or a list of them.
fn words_of_knobs(properties: &mut Value) {
    for knob in Knob::ALL {
        let Some(words) = knob.words() else { continue };
        let word = json_schema!({ "enum": words }).to_value();
        let about = properties[knob.name()]["description"].take();
        properties[knob.name()] = json_schema!({
            "description": about,
            "anyOf": [word, { "type": "array", "items": word, "minItems": 1, "uniqueItems": true }]
        })
        .to_value();
    }
}
