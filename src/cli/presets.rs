//! `retrysim presets`: the policies and breakers of real libraries.

use std::process::ExitCode;

use clap::Args;
use comfy_table::{Table, presets};

use super::print;
use crate::error::{Error, suggestion};
use crate::scenario::Preset;

/// List the presets, or show one.
///
/// Example: retrysim presets prefect@3
#[derive(Debug, Args)]
pub(super) struct Presets {
    /// The preset to show.
    id: Option<String>,
}

impl Presets {
    pub(super) fn execute(&self) -> Result<ExitCode, Error> {
        let presets = Preset::all();
        let text = match &self.id {
            None => list(presets),
            Some(id) => {
                let found = presets.iter().find(|preset| preset.id == *id);
                let known = || suggestion(id, presets.iter().map(|preset| preset.id.as_str()));
                show(found.ok_or_else(|| Error::Usage(format!("there is no preset \"{id}\": {}", known())))?)
            }
        };
        print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn list(all: &[Preset]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["id", "kind", "what it does"]);
    for preset in all {
        table.add_row([&preset.id, preset.kind().name(), &preset.summary]);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n") + "\n"
}

fn show(preset: &Preset) -> String {
    let mut text = format!("{} ({})\n{}\n\n", preset.id, preset.kind().name(), preset.summary);
    text += &format!("library: {}, version {}\nsource:  {}\n", preset.library, preset.version, preset.source);
    text += "\nparameters\n";
    for (name, parameter) in &preset.parameters {
        let unit = parameter.unit.time().map(|(unit, _)| format!(", in {unit}")).unwrap_or_default();
        let default = parameter.default.as_ref().map_or("absent".into(), ToString::to_string);
        text += &format!("  {name} = {default}{unit}: {}\n", parameter.about);
        let inline = |fields: &toml::Table| toml::Value::Table(fields.clone()).to_string();
        for (value, fields) in &parameter.values {
            text += &format!("    {value} adds {}\n", inline(fields));
        }
        if !parameter.adds.is_empty() {
            text += &format!("    if given it adds {}\n", inline(&parameter.adds));
        }
    }
    text += &format!("\ncomposition\n{}", indent(&preset.composition()));
    if !preset.surprises.is_empty() {
        text += "\nsurprises\n";
        for surprise in &preset.surprises {
            text += &format!("  - {surprise}\n");
        }
    }
    text
}

fn indent(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".into() } else { format!("  {line}\n") }).collect()
}
