//! A derived schema as people read it: no types of Rust in it, no null, which TOML has not, and descriptions in whole lines.

use serde_json::{Map, Value};

/// The ending of the names of types that hold what is written.
const ENDING: &str = "Config";

/// Makes all of it plain.
pub(super) fn plain(schema: &mut Value) {
    match schema {
        Value::Object(object) => plain_object(object),
        Value::Array(items) => items.iter_mut().for_each(plain),
        _ => {}
    }
}

fn plain_object(object: &mut Map<String, Value>) {
    object.remove("format");
    without_null(object);
    if let Some(Value::String(text)) = object.get_mut("description") {
        *text = prose(text);
    }
    if let Some(Value::String(place)) = object.get_mut("$ref") {
        *place = place.trim_end_matches(ENDING).to_owned();
    }
    if let Some(Value::Object(definitions)) = object.get_mut("$defs") {
        let named = std::mem::take(definitions).into_iter();
        for (name, schema) in named {
            let taken = definitions.insert(name.trim_end_matches(ENDING).to_owned(), schema);
            assert!(taken.is_none(), "two types are called {name}: rename one of them");
        }
    }
    object.values_mut().for_each(plain);
}

/// Takes null out of what may be absent.
fn without_null(object: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            object.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    let Some(Value::Array(forms)) = object.get_mut("anyOf") else { return };
    forms.retain(|form| form["type"] != "null");
    if forms.len() > 1 {
        return;
    }
    let only = forms.pop();
    object.remove("anyOf");
    for (key, value) in only.as_ref().and_then(Value::as_object).into_iter().flatten() {
        // What is said of the field goes before what is said of its type.
        object.entry(key.clone()).or_insert_with(|| value.clone());
    }
}

/// A doc comment as a text: paragraphs of one line each, and no links to items of the program.
fn prose(text: &str) -> String {
    let paragraphs =
        text.split("\n\n").map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "));
    paragraphs.collect::<Vec<_>>().join("\n\n").replace("[`", "`").replace("`]", "`")
}
