//! `retrysim delays`: the schedule that a policy produces.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::{assignments, print};
use crate::error::{Error, suggestion};
use crate::experiment::{DelaySummary, Drawing, delays};
use crate::outcome::{Outcome, StatusCode, named_error};
use crate::policy::PolicyConfig;
use crate::report::{File, Pictures, delays_csv, delays_json, delays_picture, delays_table, passed_csv};
use crate::scenario::Scenario;
use crate::time::Interval;
use crate::units::Count;

/// Print what a policy waits before each retry: range, quantiles, mean.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: retrysim delays prefect@3 --set retries=3 --set retry_delay_seconds=60 --set retry_jitter_factor=0.5"
)]
pub(super) struct Delays {
    /// A preset such as prefect@3, or FILE#POLICY for a policy of a scenario. Several with --chart.
    #[arg(value_name = "POLICY", required = true)]
    policies: Vec<String>,
    /// Give a parameter of the preset, or replace a field of the policy; may be given several times.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Retries to show; as many as the policy makes if absent, at most 20.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    retries: Option<u32>,
    /// Which policy to show of several inside each other: 1 is the outermost.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=4))]
    layer: u8,
    /// Requests to draw.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    samples: u32,
    /// The root of all luck.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    // Not a comment of documentation: its backticks would be printed.
    #[arg(
        long,
        value_name = "OUTCOME",
        value_parser = outcome,
        help = "What every attempt comes to: a status such as 429, timeout, connection_error, breaker_open or shed. If absent, \
                something that the policy retries"
    )]
    outcome: Option<Outcome>,
    /// What a Retry-After header in every answer asks for, such as 30s.
    #[arg(long, value_name = "DURATION", value_parser = interval)]
    retry_after: Option<Interval>,
    /// Draw when each retry comes to this file, which ends in .svg; its numbers go to a file beside it that ends in .csv.
    #[arg(long, value_name = "FILE")]
    chart: Option<PathBuf>,
    /// Write the chart as PNG as well, beside it and at twice the size.
    #[arg(long, requires = "chart")]
    png: bool,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table with a picture.
    Text,
    /// An array of objects.
    Json,
    /// A row per retry, times in seconds.
    Csv,
}

/// How many retries are shown of a policy that makes more.
const SHOWN: u64 = 20;

impl Delays {
    pub(super) fn execute(&self) -> Result<ExitCode, Error> {
        self.check_several()?;
        let files = self.chart.as_deref().map(|path| Files::prepare(path, self.png)).transpose()?;
        let mut drawn: Vec<(String, Vec<DelaySummary>)> = Vec::new();
        for name in &self.policies {
            drawn.push((name.clone(), self.draw(name)?));
        }
        if let Some(files) = files {
            files.write(&drawn, (self.seed, self.samples))?;
        }
        for (name, summaries) in &drawn {
            let head = if drawn.len() > 1 { format!("{name}\n") } else { String::new() };
            print(&match self.format {
                Format::Text if summaries.is_empty() => String::new(),
                Format::Text => head + &delays_table(summaries),
                Format::Json => delays_json(summaries),
                Format::Csv => delays_csv(summaries),
            })?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Several policies are drawn together, and nothing else.
    fn check_several(&self) -> Result<(), Error> {
        let refused = match self.policies.len() {
            0 | 1 => None,
            _ if self.chart.is_none() => Some("name one policy, or draw them together with --chart FILE.svg"),
            _ if self.format != Format::Text => {
                Some("name one policy with --format: its rows do not say whose they are")
            }
            _ if !self.set.is_empty() => Some("name one policy with --set: each has fields of its own"),
            _ => None,
        };
        refused.map_or(Ok(()), |why| Err(Error::Usage(format!("several policies: {why}"))))
    }

    /// Draws the delays of the policy called `name`, and says what they do not show.
    fn draw(&self, name: &str) -> Result<Vec<DelaySummary>, Error> {
        let config = policy(name, &self.set)?;
        let layers = config.layers().count();
        let Some(layer) = config.layers().nth(usize::from(self.layer) - 1) else {
            let message = format!("--layer {}: {name} has {layers} in all", self.layer);
            return Err(Error::Usage(message));
        };
        let mut config = PolicyConfig { inner: None, ..layer.clone() };
        let own = config.max_retries();
        let retries = self.retries.unwrap_or_else(|| own.unwrap_or(SHOWN).min(SHOWN) as u32);
        if self.retries.is_some() || own.is_none() {
            config.set_retries(Count::of(retries.into()));
        }
        if let Some((field, message)) = config.problems().first() {
            let field = if field.is_empty() { String::new() } else { format!("{field}: ") };
            return Err(Error::Usage(format!("{name}: {field}{message}")));
        }
        let drawing = Drawing {
            retries,
            samples: self.samples,
            seed: self.seed,
            outcome: self.outcome,
            retry_after: self.retry_after,
        };
        let summaries = if retries == 0 { Vec::new() } else { delays(&config, drawing)? };
        for note in self.notes(name, layers, own, retries, &summaries) {
            let whose = if self.policies.len() > 1 && !note.starts_with(name) { name } else { "" };
            anstream::eprintln!("note: {whose}{}{note}", if whose.is_empty() { "" } else { ": " });
        }
        Ok(summaries)
    }

    /// What the table does not say by itself.
    fn notes(
        &self,
        name: &str,
        layers: usize,
        own: Option<u64>,
        retries: u32,
        summaries: &[DelaySummary],
    ) -> Vec<String> {
        let mut notes = Vec::new();
        if summaries.is_empty() {
            notes.push(format!("{name} makes no retry as it is: show some with --retries 5"));
        }
        if layers > 1 {
            let which =
                if self.layer == 1 { "the outermost".into() } else { format!("number {}", self.layer) };
            notes.push(format!(
                "this is {which} of {layers} policies inside each other: see the others with --layer N"
            ));
        }
        if self.retries.is_none() && own.is_none_or(|own| own > retries.into()) {
            let own = own.map_or("any number of".into(), |own| own.to_string());
            notes.push(format!(
                "it makes {own} retries, of which the first {retries} are shown: see more with --retries N"
            ));
        }
        if !summaries.is_empty() && summaries.iter().all(|summary| summary.max.is_zero()) {
            notes.push("it retries at once: every delay is 0 s".into());
        }
        notes
    }
}

/// The files of a chart.
struct Files {
    svg: File,
    csv: File,
    png: Option<File>,
    /// What the CSV is called.
    source: String,
}

impl Files {
    /// Makes sure that the chart can be written, and nothing that somebody else wrote is replaced by it.
    fn prepare(path: &Path, png: bool) -> Result<Self, Error> {
        let refuse = |why: &str| Error::Usage(format!("--chart {}: {why}", path.display()));
        if path.extension().is_none_or(|extension| extension != "svg") {
            return Err(refuse("the chart is an SVG: name a file that ends in .svg"));
        }
        let csv = path.with_extension("csv");
        let png = png.then(|| path.with_extension("png"));
        let others = |path: &Path, begins: &[u8]| {
            std::fs::read(path).is_ok_and(|bytes| !bytes.is_empty() && !bytes.starts_with(begins))
        };
        let known = [(Some(path), &b"<svg"[..]), (Some(&csv), b"policy,"), (png.as_deref(), b"\x89PNG")];
        for (path, begins) in known {
            if let Some(path) = path.filter(|path| others(path, begins)) {
                return Err(refuse(&format!("{} is no such file: name another one", path.display())));
            }
        }
        Ok(Self {
            svg: File::prepare(path)?,
            csv: File::prepare(&csv)?,
            png: png.as_deref().map(File::prepare).transpose()?,
            source: csv.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        })
    }

    fn write(&self, drawn: &[(String, Vec<DelaySummary>)], how: (u64, u32)) -> Result<(), Error> {
        let pictures = Pictures::with_png(self.png.is_some());
        let (svg, png) = delays_picture(drawn, how, &self.source, pictures);
        self.csv.write(&passed_csv(drawn))?;
        self.svg.write(&svg)?;
        self.png.as_ref().zip(png).map_or(Ok(()), |(file, bytes)| file.write(&bytes))
    }
}

/// The policy called `name`, a preset or FILE#POLICY, with fields replaced as in `set`.
pub(super) fn policy(name: &str, set: &[String]) -> Result<PolicyConfig, Error> {
    let fields = fields(set)?;
    let Some((file, policy)) = name.rsplit_once('#') else {
        let path = Path::new(name);
        if !path.is_file() {
            return Scenario::preset_policy(name, &fields);
        }
        let scenario = Scenario::load(path, &[])?;
        let known: Vec<String> =
            scenario.policies.iter().map(|policy| format!("{name}#{}", policy.name)).collect();
        return Err(Error::Usage(format!("{name} is a file: name a policy of it, {}", known.join(", "))));
    };
    let below = |(path, value): (String, String)| (format!("policies.{policy}.{path}"), value);
    let mut scenario = Scenario::load(Path::new(file), &fields.into_iter().map(below).collect::<Vec<_>>())?;
    let names: Vec<String> = scenario.policies.iter().map(|policy| policy.name.clone()).collect();
    let Some(index) = names.iter().position(|known| known == policy) else {
        let known = suggestion(policy, names.iter().map(String::as_str));
        return Err(Error::Usage(format!("there is no policy \"{policy}\" in {file}: {known}")));
    };
    Ok(scenario.policies.swap_remove(index).config)
}

/// `NAME=VALUE` as (name, value).
pub(super) fn fields(set: &[String]) -> Result<Vec<(String, String)>, Error> {
    assignments(set, "retries=3")
}

fn outcome(text: &str) -> Result<Outcome, String> {
    match text {
        "timeout" => Ok(Outcome::Timeout),
        "connection_error" => Ok(Outcome::ConnectionError),
        "breaker_open" => Ok(Outcome::BreakerOpen),
        "shed" => Ok(Outcome::Shed),
        _ => match (text.parse(), named_error(text)) {
            (Ok(code @ 300..=599), _) => Ok(Outcome::Status(StatusCode::of(code))),
            (_, Some(code)) => Ok(Outcome::Error(code)),
            _ => Err(
                "write a status from 300 to 599, timeout, connection_error, breaker_open, shed, or an error \
                      that the body names such as error_606"
                    .into(),
            ),
        },
    }
}

fn interval(text: &str) -> Result<Interval, String> {
    toml::Value::String(text.to_owned())
        .try_into()
        .map_err(|error: toml::de::Error| error.message().to_owned())
}
