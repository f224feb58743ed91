//! Fields that are replaced from the command line, in the text of the scenario: what is run can be kept and run again.

use crate::error::{Error, suggestion};

/// The sections whose entries the file names: a name that is not in them is a typo, not a new part.
const PARTS: [(&str, &str); 4] =
    [("services", "service"), ("workloads", "workload"), ("policies", "policy"), ("arms", "arm")];

/// A field that is replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The path of the field, such as `workloads.campaign.clients`.
    pub path: String,
    /// Its value, as TOML or plain text.
    pub value: String,
    /// The option that asks for it, such as `--set`: messages name it.
    pub option: &'static str,
}

impl Override {
    /// The field at `path` with this value, as `option` asks.
    pub fn new(option: &'static str, path: &str, value: &str) -> Self {
        Self { path: path.to_owned(), value: value.to_owned(), option }
    }

    /// What `--set` asks for, as (path, value).
    pub fn set(fields: &[(String, String)]) -> Vec<Self> {
        fields.iter().map(|(path, value)| Self::new("--set", path, value)).collect()
    }

    /// How it is written on the command line, the path without what is `hidden` of it.
    pub(super) fn as_argument(&self, hidden: &str) -> String {
        let Self { path, value, option } = self;
        match *option {
            "--seed" | "--replications" => format!("{option} {value}"),
            "--baseline" => format!("{option} {}", value.trim_matches('"')),
            _ => format!("{option} {}={value}", path.strip_prefix(hidden).unwrap_or(path)),
        }
    }
}

/// Replaces one field of the text of `file`, or adds it where its table exists or can be made.
pub(super) fn set(file: &str, document: &mut toml_edit::DocumentMut, field: &Override) -> Result<(), Error> {
    let refuse = |why: &str| Error::Usage(format!("{}: {why}", field.as_argument("")));
    let keys = keys(&field.path);
    let parts: Vec<&str> = keys.iter().map(String::as_str).collect();
    if parts.iter().any(|part| part.is_empty()) {
        return Err(refuse(
            "the path must be names with dots between them, such as workloads.campaign.clients",
        ));
    }
    check_part(document, &parts).map_err(|why| refuse(&why))?;
    // What is not TOML by itself is taken as a string, so that 60s needs no quotes inside quotes.
    let value = field
        .value
        .parse::<toml_edit::Value>()
        .unwrap_or_else(|_| toml_edit::Value::from(field.value.as_str()));
    let (last, tables) = parts.split_last().expect("split gives at least one part");
    let mut item = document.as_item_mut();
    for (depth, part) in tables.iter().enumerate() {
        item = match part.parse::<usize>() {
            Ok(index) if item.is_array_of_tables() || item.is_array() => {
                let missing = no_entry(file, &parts, depth, entries(item));
                item.get_mut(index).ok_or_else(|| refuse(&missing))?
            }
            _ => {
                let table = item
                    .as_table_like_mut()
                    .ok_or_else(|| refuse(&format!("`{part}` is not inside a table")))?;
                if !table.contains_key(part) {
                    table.insert(part, toml_edit::Item::Table(toml_edit::Table::new()));
                }
                table.get_mut(part).expect("it was inserted a moment ago")
            }
        };
    }
    let table =
        item.as_table_like_mut().ok_or_else(|| refuse("what stands before the last dot is not a table"))?;
    table.insert(last, toml_edit::Item::Value(value));
    Ok(())
}

/// The names along a path. One that has dots itself stands in quotes, as in `expect."guarded.success_rate"`.
fn keys(path: &str) -> Vec<String> {
    let plain = || path.split('.').map(str::to_owned).collect();
    toml_edit::Key::parse(path)
        .map_or_else(|_| plain(), |keys| keys.iter().map(|key| key.get().to_owned()).collect())
}

/// How many entries a list has.
fn entries(list: &toml_edit::Item) -> usize {
    let tables = list.as_array_of_tables().map(toml_edit::ArrayOfTables::len);
    tables.or_else(|| list.as_array().map(toml_edit::Array::len)).unwrap_or(0)
}

/// What to say of the part at `depth` of a path, which counts further than a list has entries.
fn no_entry(file: &str, parts: &[&str], depth: usize, entries: usize) -> String {
    let (path, index) = (parts[..depth].join("."), parts[depth]);
    let Some(last) = entries.checked_sub(1) else {
        return format!("there is no entry {index}: {path} has no entries in {file}, write one there");
    };
    let mut nearest: Vec<String> = parts.iter().map(|&part| part.to_owned()).collect();
    nearest[depth] = last.to_string();
    let count = if entries == 1 {
        "1 entry, which is 0".to_owned()
    } else {
        format!("{entries} entries, 0 to {last}")
    };
    format!("there is no entry {index}: {path} has {count}, in {file}; write {}", nearest.join("."))
}

/// Refuses a path into a service, workload, policy or arm that the file does not have.
fn check_part(document: &toml_edit::DocumentMut, parts: &[&str]) -> Result<(), String> {
    let [section, name, ..] = parts else { return Ok(()) };
    let Some((_, singular)) = PARTS.iter().find(|(known, _)| known == section) else { return Ok(()) };
    let table = document.get(section).and_then(toml_edit::Item::as_table_like);
    let known: Vec<&str> = table.iter().flat_map(|table| table.iter()).map(|(name, _)| name).collect();
    if known.contains(name) {
        return Ok(());
    }
    Err(format!("there is no {singular} \"{name}\": {}", suggestion(name, known)))
}
