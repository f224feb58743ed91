//! The schema as a page for readers: a table per table of a scenario, in the order in which a scenario has them.

use serde_json::{Map, Value};

const HEAD: &str = "\
# Every field of a scenario

Made by `retrysim schema --as markdown` from the types that read a scenario; do not edit it. [REFERENCE.md](../REFERENCE.md)
explains the same fields with examples, and what they mean together.

A field without a default may be left out; what that means is said with it. `|` stands between forms of which one is written.

";

/// The page.
pub(super) fn page(schema: &Value) -> String {
    let mut page = Page { schema, text: HEAD.to_owned(), order: Vec::new() };
    page.text += "## Scenario\n\n";
    page.body(schema);
    let mut done = 0;
    while let Some(name) = page.order.get(done).cloned() {
        let known = page.order.len();
        page.section(&name);
        done += 1;
        // What a section speaks of first follows on it.
        let new = page.order.split_off(known);
        page.order.splice(done..done, new);
    }
    page.text.trim_end().to_owned() + "\n"
}

struct Page<'s> {
    schema: &'s Value,
    text: String,
    /// The names of what has a section of its own, in the order in which it is first spoken of.
    order: Vec<String>,
}

impl<'s> Page<'s> {
    fn definition(&self, name: &str) -> &'s Value {
        &self.schema["$defs"][name]
    }

    fn section(&mut self, name: &str) {
        let schema = self.definition(name);
        self.text += &format!("## {}\n\n", heading(name));
        if let Some(about) = schema["description"].as_str() {
            self.text += &format!("{about}\n\n");
        }
        self.body(schema);
    }

    /// What a section has below its description.
    fn body(&mut self, schema: &'s Value) {
        if let Some(properties) = schema["properties"].as_object() {
            let required =
                if schema["else"].is_object() { &schema["else"]["required"] } else { &schema["required"] };
            self.fields(properties, required);
        } else if let Some(kinds) = schema["oneOf"].as_array() {
            self.kinds(kinds);
        } else {
            let forms = self.form(schema);
            self.text += &format!("Written as {forms}.\n\n");
        }
    }

    fn fields(&mut self, properties: &'s Map<String, Value>, required: &Value) {
        let required: Vec<&str> =
            required.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        self.text += "| field | value | default | meaning |\n|---|---|---|---|\n";
        for (name, schema) in properties {
            let default = match &schema["default"] {
                _ if required.contains(&name.as_str()) => "**required**".to_owned(),
                Value::Null => String::new(),
                default => format!("`{}`", shown(default)),
            };
            let meaning = cell(schema["description"].as_str().unwrap_or_default());
            let value = self.form(schema);
            self.text += &format!("| `{name}` | {value} | {default} | {meaning} |\n");
        }
        self.text.push('\n');
    }

    /// Words and tables of one field, of which one is written; those with several fields have a table of fields each.
    fn kinds(&mut self, kinds: &'s [Value]) {
        self.text += "| kind | value | meaning |\n|---|---|---|\n";
        let mut tables = Vec::new();
        for kind in kinds {
            let about = cell(kind["description"].as_str().unwrap_or_default());
            if let Some(word) = kind.get("const").map(shown) {
                self.text += &format!("| `{word}` | | {about} |\n");
                continue;
            }
            let properties = kind["properties"].as_object().into_iter().flatten();
            // Beside a kind may stand what all kinds have.
            let required: Vec<&Value> = kind["required"].as_array().into_iter().flatten().collect();
            let Some((name, value)) = properties
                .clone()
                .find(|(name, _)| required.last().is_some_and(|last| last.as_str() == Some(name)))
            else {
                continue;
            };
            let beside: Vec<String> = properties
                .filter(|(other, _)| *other != name)
                .map(|(other, _)| format!("`{other}` beside it"))
                .collect();
            let mut form = match value["properties"].as_object() {
                Some(fields) if !fields.is_empty() => {
                    tables.push((name, fields, &value["required"]));
                    "table, see below".to_owned()
                }
                _ => self.form(value),
            };
            if !beside.is_empty() {
                form += &format!(", {}", beside.join(", "));
            }
            self.text += &format!("| `{name}` | {form} | {about} |\n");
        }
        self.text.push('\n');
        for (name, fields, required) in tables {
            self.text += &format!("Fields of `{name}`:\n\n");
            self.fields(fields, required);
        }
    }

    /// How a value is written.
    fn form(&mut self, schema: &'s Value) -> String {
        if let Some(place) = schema["$ref"].as_str() {
            let name = place.trim_start_matches("#/$defs/");
            if !self.order.iter().any(|known| known == name) {
                self.order.push(name.to_owned());
            }
            let title = heading(name);
            return format!("[{}](#{})", title.to_lowercase(), title.to_lowercase().replace(' ', "-"));
        }
        if let Some(word) = schema.get("const") {
            return format!("`{}`", quoted(word));
        }
        if let Some(words) = schema["enum"].as_array() {
            // As many as a line holds; presets are more.
            return match words.len() {
                0..=8 => {
                    words.iter().map(|word| format!("`{}`", quoted(word))).collect::<Vec<_>>().join(" \\| ")
                }
                _ => "text".to_owned(),
            };
        }
        if let Some(forms) = schema["anyOf"].as_array() {
            let forms = forms.iter().filter(|form| form.is_object());
            return forms.map(|form| self.form(form)).collect::<Vec<_>>().join(" \\| ");
        }
        match schema["type"].as_str() {
            Some("array") => self.list(schema),
            Some("object") if schema["additionalProperties"].is_object() => {
                format!("table by name: {}", self.form(&schema["additionalProperties"]))
            }
            Some("object") => "table without fields".to_owned(),
            Some("string") => "text".to_owned(),
            Some("boolean") => "`true` \\| `false`".to_owned(),
            Some(kind) => number(kind == "integer", &schema["minimum"], &schema["maximum"]),
            None => "as there".to_owned(),
        }
    }

    fn list(&mut self, schema: &'s Value) -> String {
        if let Some(items) = schema["prefixItems"].as_array() {
            let items: Vec<String> = items.iter().map(|item| self.form(item)).collect();
            return format!("list of {}", items.join(" and "));
        }
        let items = self.form(&schema["items"]);
        match (&schema["minItems"], &schema["maxItems"]) {
            (least, most) if least == most && !least.is_null() => format!("list of {least}: {items}"),
            _ => format!("list of: {items}"),
        }
    }
}

fn number(whole: bool, least: &Value, most: &Value) -> String {
    let kind = if whole { "whole number" } else { "number" };
    match (least, most) {
        (Value::Null, _) => kind.to_owned(),
        (least, Value::Null) => format!("{kind} from {}", shown(least)),
        (least, most) => format!("{kind} from {} to {}", shown(least), shown(most)),
    }
}

/// The name of a type as a heading: `RateLimit` is "Rate limit".
fn heading(name: &str) -> String {
    let mut heading = String::new();
    for (index, letter) in name.char_indices() {
        if letter.is_uppercase() && index > 0 {
            heading.push(' ');
            heading.extend(letter.to_lowercase());
        } else {
            heading.push(letter);
        }
    }
    heading
}

/// A value as it is written in TOML, without quotes.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => {
            number.as_f64().filter(|_| number.is_f64()).map_or(number.to_string(), |f| f.to_string())
        }
        Value::Object(table) => table
            .iter()
            .map(|(key, value)| format!("{key} = {}", quoted(value)))
            .collect::<Vec<_>>()
            .join(", "),
        other => other.to_string(),
    }
}

fn quoted(value: &Value) -> String {
    if value.is_string() { format!("\"{}\"", shown(value)) } else { shown(value) }
}

/// A text that stands in a cell of a table.
fn cell(text: &str) -> String {
    text.replace("\n\n", " ").replace('|', "\\|")
}
