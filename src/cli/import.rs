//! `retrysim import`: recorded traffic as a trace and a first scenario.

use std::fs::File;
use std::io::{BufRead, BufReader, stdin};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::print;
use crate::error::{Error, suggestion};
use crate::import::{Folder, Format, import};

/// How much of a file is looked at to guess its format, in bytes.
const HEAD: usize = 64 << 10;

/// Turn recorded traffic (access log, HAR, k6, vegeta, Locust, OpenTelemetry) into a trace and a first scenario.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: retrysim import access.log --out tuesday     # then: retrysim run tuesday/scenario.toml"
)]
pub(super) struct Import {
    /// The file, unpacked; - for stdin.
    file: PathBuf,
    /// Its format: clf, combined, har, k6, k6-json, vegeta, vegeta-json, locust or otlp; guessed from its content if absent.
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    format: Option<Format>,
    /// Folder to write; imported-NAME if absent, where NAME is the file's. An import that nobody has changed is replaced.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl Import {
    pub(super) fn execute(&self) -> Result<ExitCode, Error> {
        let is_stdin = self.file.as_os_str() == "-";
        let shown = if is_stdin { "stdin".to_owned() } else { self.file.display().to_string() };
        let target = self.out.clone().unwrap_or_else(|| PathBuf::from(format!("imported-{}", self.name())));
        let folder = Folder::prepare(&target)?;
        let refuse = |why: String| Error::Usage(format!("{shown}: {why}"));
        let input: Box<dyn BufRead> = if is_stdin {
            Box::new(BufReader::with_capacity(HEAD, stdin()))
        } else {
            Box::new(BufReader::with_capacity(HEAD, open(&self.file).map_err(refuse)?))
        };
        let name =
            self.file.file_name().filter(|_| !is_stdin).map_or("stdin".into(), |name| name.to_string_lossy());
        let imported = import(&name, input, self.format).map_err(refuse)?;
        folder.write(&imported.files)?;
        let scenario = target.join("scenario.toml");
        print(&format!(
            "{}wrote {}; now: retrysim run {}\n",
            imported.report,
            target.display(),
            scenario.display()
        ))?;
        Ok(ExitCode::SUCCESS)
    }

    /// The file's name without its end, in letters that every file system takes.
    fn name(&self) -> String {
        let stem = self.file.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
        let clean = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' };
        let name: String = stem.chars().take(64).map(clean).collect();
        let name = name.trim_matches('-');
        if name.is_empty() { "traffic".to_owned() } else { name.to_owned() }
    }
}

fn open(path: &Path) -> Result<File, String> {
    let unreadable = |error: std::io::Error| format!("{error}; name a file of recorded traffic");
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if metadata.is_dir() {
        return Err("it is a folder; name a file of recorded traffic".into());
    }
    File::open(path).map_err(unreadable)
}

/// Reads the name of a format.
fn format(text: &str) -> Result<Format, String> {
    Format::ALL.into_iter().find(|format| format.name() == text).ok_or_else(|| {
        format!(
            "there is no format \"{text}\": {}",
            suggestion(text, Format::ALL.iter().map(|format| format.name()))
        )
    })
}
