//! Fields that are replaced from the command line, in the text of the scenario: what is run can be kept and run again.

use crate::error::{Error, suggestion};

/// The sections whose entries the file names: a name that is not in them is a typo, not a new part.
const PARTS: [(&str, &str); 4] =
    [("services", "service"), ("workloads", "workload"), ("policies", "policy"), ("arms", "arm")];

/// How an override is written on the command line.
pub(super) fn as_argument(path: &str, value: &str) -> String {
    match path {
        "seed" | "replications" => format!("--{path} {value}"),
        _ => format!("--set {path}={value}"),
    }
}

/// Replaces one field, or adds it where its table exists or can be made.
pub(super) fn set(document: &mut toml_edit::DocumentMut, path: &str, value: &str) -> Result<(), Error> {
    let refuse = |why: &str| Error::Usage(format!("{}: {why}", as_argument(path, value)));
    let parts: Vec<&str> = path.split('.').collect();
    if parts.iter().any(|part| part.is_empty()) {
        return Err(refuse(
            "the path must be names with dots between them, such as workloads.campaign.clients",
        ));
    }
    check_part(document, &parts).map_err(|why| refuse(&why))?;
    // What is not TOML by itself is taken as a string, so that 60s needs no quotes inside quotes.
    let value = value.parse::<toml_edit::Value>().unwrap_or_else(|_| toml_edit::Value::from(value));
    let (last, tables) = parts.split_last().expect("split gives at least one part");
    let mut item = document.as_item_mut();
    for part in tables {
        item = match part.parse::<usize>() {
            Ok(index) if item.is_array_of_tables() || item.is_array() => {
                item.get_mut(index).ok_or_else(|| refuse(&format!("there is no entry {index}")))?
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
