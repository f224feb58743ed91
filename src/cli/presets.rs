//! `retrysim presets`: the policies and breakers of real libraries, and any policy as a library's configuration.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::delays::{fields, policy};
use super::{export, print};
use crate::error::Error;
use crate::export::Target;
use crate::report::{below, in_words, preset_in_full, presets_csv, presets_json, presets_table};
use crate::scenario::{Kind, Preset};

/// List the presets, find some, show one, or write one as a library's own configuration.
#[derive(Debug, Args)]
#[command(after_help = "Example: retrysim presets prefect@3 --set retries=3 --as tenacity")]
pub(super) struct Presets {
    /// The preset to show; or words to look for in ids, libraries, summaries and surprises; or FILE#POLICY.
    #[arg(value_name = "WORD")]
    words: Vec<String>,
    /// Write the preset, or the policy FILE#POLICY, as the configuration of this library: prefect, tenacity, urllib3,
    /// resilience4j, polly, envoy or grpc.
    #[arg(long = "as", value_name = "LIBRARY", value_parser = export::target, conflicts_with = "format")]
    library: Option<Target>,
    /// Give a parameter of the preset, or replace a field of the policy; may be given several times.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table, or a page about one.
    Text,
    /// An array of objects.
    Json,
    /// A row per preset.
    Csv,
}

impl Presets {
    pub(super) fn execute(&self) -> Result<ExitCode, Error> {
        print(&self.text()?)?;
        Ok(ExitCode::SUCCESS)
    }

    fn text(&self) -> Result<String, Error> {
        let all: Vec<&Preset> = Preset::all().iter().collect();
        let one = match &self.words[..] {
            [word] => all.iter().copied().find(|preset| preset.id == *word),
            _ => None,
        };
        match (&self.words[..], self.library) {
            ([name], Some(target)) => export::exported(name, &self.set, target),
            (_, Some(_)) => Err(Error::Usage("--as writes one policy: name a preset or FILE#POLICY".into())),
            ([name], None) if one.is_none() && name.contains('#') => {
                let said = in_words(&policy(name, &self.set)?);
                Ok(said.iter().map(|sentence| below("", sentence, width())).collect())
            }
            (words, _) if !self.set.is_empty() && one.is_none() => {
                let which = match words {
                    [word] => format!("write its whole id, such as {}", nearest(word, &all)),
                    _ => "name it".to_owned(),
                };
                Err(Error::Usage(format!("--set gives the parameters of one preset: {which}")))
            }
            (words, None) => match (self.format, one) {
                (Format::Text, Some(preset)) => preset_in_full(preset, &fields(&self.set)?, width()),
                (format, Some(preset)) => Ok(formatted(format, &[preset], true)),
                // A program that reads the list, or a file, is to have all of it.
                (format, None) => {
                    let whole = !words.is_empty() || !console::Term::stdout().is_term();
                    Ok(formatted(format, &find(&all, words)?, whole))
                }
            },
        }
    }
}

fn formatted(format: Format, presets: &[&Preset], wrapped: bool) -> String {
    match format {
        Format::Text => presets_table(presets, width(), wrapped),
        Format::Json => presets_json(presets),
        Format::Csv => presets_csv(presets),
    }
}

/// The width of the terminal; 80 if there is none.
fn width() -> usize {
    super::width().clamp(60, 160)
}

/// The presets in which each of the words occurs; those of services, if the word is `service`.
fn find<'p>(all: &[&'p Preset], words: &[String]) -> Result<Vec<&'p Preset>, Error> {
    let mut found = all.to_vec();
    for word in words {
        let lower = word.to_lowercase();
        let has = |preset: &&'p Preset| {
            if ["service", "services"].contains(&lower.as_str()) {
                return preset.kind() == Kind::Service;
            }
            let texts = [&preset.id, &preset.library, &preset.summary];
            texts.into_iter().chain(&preset.surprises).any(|text| text.to_lowercase().contains(&lower))
        };
        if !all.iter().any(has) {
            return Err(Error::Usage(format!(
                "there is no preset \"{word}\", and none speaks of it: did you mean {}?",
                nearest(word, all)
            )));
        }
        found.retain(has);
    }
    if found.is_empty() {
        return Err(Error::Usage(format!("no preset speaks of all of: {}", words.join(", "))));
    }
    Ok(found)
}

/// The ids that are most like the word: all that could be a typo of it, else the nearest three.
fn nearest(word: &str, all: &[&Preset]) -> String {
    let distance = |id: &str| {
        // The word may be the name of the library alone, misspelt.
        let name = id.split(['@', ':']).next().unwrap_or(id);
        strsim::damerau_levenshtein(word, id).min(1 + strsim::damerau_levenshtein(word, name))
    };
    let mut ranked: Vec<(usize, &str)> =
        all.iter().map(|preset| (distance(&preset.id), preset.id.as_str())).collect();
    // Of equals the plain id, and of those the newest version.
    ranked.sort_unstable_by_key(|&(distance, id)| (distance, id.len(), std::cmp::Reverse(id)));
    let closest = ranked.first().map_or(0, |first| first.0);
    let near = closest <= 1 + word.chars().count() / 4;
    let few = ranked.iter().take(3).filter(|(distance, _)| !near || *distance == closest);
    let ids: Vec<String> = few.map(|(_, id)| format!("`{id}`")).collect();
    ids.join(" or ")
}
