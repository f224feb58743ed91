//! The schema of parts that may be a preset: `use = "ID"`, the parameters of that preset under the library's own names, and the
//! fields of the grammar, which replace the preset's.

use schemars::json_schema;
use serde_json::{Map, Value, json};

use crate::scenario::preset::{Kind, Parameter, Preset, UNLIMITED, unlimited};

/// Lets the part called `name` be a preset of this kind as well.
///
/// With `use`, nothing is required, since the preset has it, and a field of the grammar that is also a parameter of the preset is
/// written as the library writes it.
pub(super) fn open(schema: &mut Value, name: &str, kind: Kind) {
    let definitions = schema["$defs"].as_object_mut().expect("a schema of several types has definitions");
    let part = definitions.get_mut(name).and_then(Value::as_object_mut).expect("the part has a schema");
    let presets: Vec<&Preset> = Preset::all().iter().filter(|preset| preset.kind() == kind).collect();
    let fields = part["properties"].as_object().cloned().unwrap_or_default();
    let shadowed = |field: &&String| presets.iter().any(|preset| preset.parameters.contains_key(*field));
    // Only with the preset in hand it is known which of the two a field is.
    let strict: Map<String, Value> = fields
        .iter()
        .filter(|(field, _)| shadowed(field))
        .map(|(field, schema)| (field.clone(), schema.clone()))
        .collect();
    let ids: Vec<&str> = presets.iter().map(|preset| preset.id.as_str()).collect();
    let about = format!(
        "A preset (`retrysim presets {}` lists them): its fields come first, then your own replace them. Its parameters are \
         written beside it, under the library's own names.",
        kind.name()
    );
    let mut properties = Map::new();
    properties.insert("use".into(), json!({ "description": about, "enum": ids }));
    for (field, schema) in &fields {
        let mut open = schema.clone();
        if strict.contains_key(field) {
            open = json!({ "description": schema["description"], "anyOf": [schema, true] });
            if !schema["default"].is_null() {
                open["default"] = schema["default"].clone();
            }
        }
        properties.insert(field.clone(), open);
    }
    let names: Vec<&String> = fields.keys().collect();
    let mut alone = json!({ "properties": strict, "propertyNames": { "enum": names } });
    if let Some(required) = part.remove("required") {
        alone["required"] = required;
    }
    part.remove("additionalProperties");
    part.insert("properties".into(), properties.into());
    part.insert("if".into(), json!({ "required": ["use"] }));
    part.insert("then".into(), json!({ "$ref": format!("#/$defs/{name}Preset") }));
    part.insert("else".into(), alone);
    let names: Vec<&str> = ["use"].into_iter().chain(fields.keys().map(String::as_str)).collect();
    definitions.insert(format!("{name}Field"), json!({ "enum": names }));
    let each: Vec<Value> = presets.iter().map(|preset| of_preset(preset, name, &strict)).collect();
    definitions.insert(format!("{name}Preset"), json!({ "allOf": each }));
}

/// What may be written beside `use = "ID"` of this preset.
fn of_preset(preset: &Preset, name: &str, strict: &Map<String, Value>) -> Value {
    let mut properties = strict.clone();
    for (name, parameter) in &preset.parameters {
        properties.insert(name.clone(), of_parameter(preset, name, parameter));
    }
    let parameters: Vec<&String> = preset.parameters.keys().collect();
    let fields = json!({ "$ref": format!("#/$defs/{name}Field") });
    let names =
        if parameters.is_empty() { fields } else { json!({ "anyOf": [fields, { "enum": parameters }] }) };
    json!({
        "if": { "properties": { "use": { "const": preset.id } } },
        "then": { "properties": properties, "propertyNames": names }
    })
}

fn of_parameter(preset: &Preset, name: &str, parameter: &Parameter) -> Value {
    let mut schema = json_schema!({ "description": parameter.about }).to_value();
    if let Some(default) = parameter.default.as_ref().and_then(|default| serde_json::to_value(default).ok()) {
        // No limit is no number of JSON.
        schema["default"] = if default.is_null() { UNLIMITED.into() } else { default };
    }
    if !parameter.values.is_empty() {
        let values = parameter.values.keys().flat_map(|value| {
            let bare = value.parse::<bool>().map(Value::from).ok();
            let bare = bare.or_else(|| value.parse::<i64>().map(Value::from).ok());
            bare.into_iter().chain([Value::from(value.as_str())])
        });
        schema["enum"] = values.collect();
    } else if parameter.unit.time().is_some() {
        let mut forms =
            vec![json!({ "type": "number", "minimum": 0 }), json!({ "$ref": "#/$defs/Duration" })];
        if unlimited(parameter) {
            // What an editor makes of `inf`, which JSON has not.
            forms.extend([json!({ "const": UNLIMITED }), json!({ "type": "null" })]);
        }
        if preset.takes_list(name) {
            forms.push(json!({ "type": "array", "items": { "anyOf": forms } }));
        }
        schema["anyOf"] = forms.into();
    }
    schema
}
