//! Presets as their readers want them: a table with a line each, one in full, or all of it for a program.

use serde_json::{Value, json};

use super::words::{breaker_in_words, in_words};
use super::wrap::{below, wrap};
use crate::error::Error;
use crate::scenario::{Kind, Parameter, Preset, Scenario};

/// The widest column of libraries.
const LIBRARY: usize = 22;
/// The narrowest column of summaries; where there is less room, they stand below.
const SUMMARY: usize = 40;

/// A table of presets for lines of `width` characters. A summary that does not fit is cut, or goes on below if `wrapped`.
pub fn presets_table(presets: &[&Preset], width: usize, wrapped: bool) -> String {
    let widest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
    let id = widest(&mut presets.iter().map(|preset| preset.id.chars().count()));
    let beside = width.saturating_sub(id + LIBRARY + 4) >= SUMMARY;
    let room = if beside { LIBRARY } else { width.saturating_sub(id + 2).max(LIBRARY) };
    let name = |preset: &&Preset| match short_library(preset) {
        // What stands alone on its line has room below as well.
        // A single word can be too long even for that, and goes to the next line.
        name if wrapped && !beside && name.split(' ').any(|word| word.chars().count() > room) => {
            format!("\n    {name}")
        }
        name if wrapped && !beside => wrap(&name, room).join(&format!("\n{}", " ".repeat(id + 2))),
        name => cut(&name, room),
    };
    let libraries: Vec<String> = presets.iter().map(name).collect();
    let library =
        if beside { widest(&mut libraries.iter().map(|library| library.chars().count())) } else { 0 };
    let indent = if beside { id + library + 4 } else { 4 };
    let left = width.saturating_sub(indent);
    let last = if beside { "what it does" } else { "" };
    let mut text = format!("{:id$}  {:library$}  {last}", "id", "library").trim_end().to_owned() + "\n";
    for (preset, name) in presets.iter().zip(&libraries) {
        let summary = match preset.kind() {
            Kind::Policy => preset.summary.clone(),
            Kind::Breaker => format!("breaker: {}", preset.summary),
            Kind::Service => format!("service: {}", preset.summary),
        };
        let lines = if wrapped { wrap(&summary, left) } else { vec![cut(&summary, left)] };
        let head = format!("{:id$}  {name:library$}", preset.id);
        let below = format!("\n{}", " ".repeat(indent));
        let gap = if beside { "  " } else { &below };
        text += &format!(
            "{}{gap}{}\n",
            head.trim_end_matches(if beside { '\0' } else { ' ' }),
            lines.join(&below)
        );
    }
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n") + "\n"
}

/// The library without the part of it that is meant, and the version without remarks.
fn short_library(preset: &Preset) -> String {
    let first = |text: &str, ends: &[char]| text.split(ends).next().unwrap_or_default().trim().to_owned();
    format!("{} {}", first(&preset.library, &[',', '(']), first(&preset.version, &[',', '(', ';']))
        .trim()
        .to_owned()
}

/// At most `width` characters.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(3)).collect();
    format!("{}...", kept.trim_end_matches([' ', ',', ';']))
}

/// One preset with all that is known of it, for lines of `width` characters; its words are those of the values in `fields`.
///
/// # Errors
/// If a value in `fields` cannot be read.
pub fn preset_in_full(preset: &Preset, fields: &[(String, String)], width: usize) -> Result<String, Error> {
    let mut text = format!("{} ({})\n", preset.id, preset.kind().name());
    text += &below("", &preset.summary, width);
    text += &format!("\nlibrary: {}, version {}\n", preset.library, preset.version);
    text += &below("source:  ", &preset.source, width);
    if let Some(confidence) = &preset.confidence {
        text += &below("figures: ", confidence, width);
    }
    if !preset.parameters.is_empty() {
        text += "\nparameters\n";
        for (name, parameter) in &preset.parameters {
            text += &format!("  {}\n", head(name, parameter));
            text += &below("      ", &parameter.about, width);
        }
    }
    text += "\ncomposition\n";
    for line in preset.composition().lines() {
        text += &if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") };
    }
    if preset.kind() != Kind::Service {
        text += if fields.is_empty() { "\nin words, with its defaults\n" } else { "\nin words\n" };
    }
    match words(preset, fields) {
        Ok(words) => text.extend(words.iter().map(|sentence| below("  ", sentence, width))),
        // A parameter without a default leaves something out that the policy cannot do without.
        Err(_) if fields.is_empty() => text += "  it needs values: give them with --set NAME=VALUE\n",
        Err(error) => return Err(error),
    }
    if !preset.surprises.is_empty() {
        text += "\nsurprises\n";
        text.extend(preset.surprises.iter().map(|surprise| below("  - ", surprise, width)));
    }
    Ok(text)
}

fn head(name: &str, parameter: &Parameter) -> String {
    let default = parameter.default.as_ref().map_or("absent".into(), ToString::to_string);
    let unit = parameter.unit.time().map(|(unit, _)| format!(", in {unit}")).unwrap_or_default();
    let known: Vec<&str> = parameter.values.keys().map(String::as_str).collect();
    let values = if known.is_empty() { String::new() } else { format!("; one of {}", known.join(", ")) };
    format!("{name} = {default}{unit}{values}")
}

fn words(preset: &Preset, fields: &[(String, String)]) -> Result<Vec<String>, Error> {
    match preset.kind() {
        Kind::Policy => {
            let config = Scenario::preset_policy(&preset.id, fields)?;
            match config.problems().first() {
                None => Ok(in_words(&config)),
                Some((_, message)) => Err(Error::Usage(format!("{}: {message}", preset.id))),
            }
        }
        Kind::Breaker => {
            Scenario::preset_breaker(&preset.id, fields).map(|breaker| vec![breaker_in_words(&breaker)])
        }
        Kind::Service => Ok(Vec::new()),
    }
}

/// An array with an object for each preset.
pub fn presets_json(presets: &[&Preset]) -> String {
    let parameter = |(name, parameter): (&String, &Parameter)| {
        json!({
            "name": name,
            "about": parameter.about,
            "unit": parameter.unit.time().map(|(unit, _)| unit),
            "default": parameter.default,
            "values": parameter.values.keys().collect::<Vec<_>>(),
        })
    };
    let object = |preset: &&Preset| {
        json!({
            "id": preset.id,
            "kind": preset.kind().name(),
            "library": preset.library,
            "version": preset.version,
            "source": preset.source,
            "summary": preset.summary,
            "surprises": preset.surprises,
            "parameters": preset.parameters.iter().map(parameter).collect::<Vec<Value>>(),
        })
    };
    let all: Vec<Value> = presets.iter().map(object).collect();
    serde_json::to_string_pretty(&all).expect("values print as JSON") + "\n"
}

/// A row for each preset.
pub fn presets_csv(presets: &[&Preset]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut row = |fields: [&str; 6]| writer.write_record(fields).expect("memory takes every row");
    row(["id", "kind", "library", "version", "summary", "source"]);
    for preset in presets {
        row([
            &preset.id,
            preset.kind().name(),
            &preset.library,
            &preset.version,
            &preset.summary,
            &preset.source,
        ]);
    }
    String::from_utf8_lossy(&writer.into_inner().expect("memory takes every row")).into_owned()
}
