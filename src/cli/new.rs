//! `retrysim new`: a commented scenario to start from.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::print;
use crate::error::Error;

/// What is written.
const TEMPLATE: &str = include_str!("template.toml");

/// Write a commented scenario to start from.
#[derive(Debug, Args)]
#[command(after_help = "Example: retrysim new my-scenario.toml")]
pub(super) struct New {
    /// The file to write; - for stdout.
    file: PathBuf,
    /// Replace the file if it exists.
    #[arg(long)]
    force: bool,
}

impl New {
    pub(super) fn execute(&self) -> Result<ExitCode, Error> {
        if self.file.as_os_str() == "-" {
            print(TEMPLATE)?;
            return Ok(ExitCode::SUCCESS);
        }
        let shown = self.file.display();
        if self.file.exists() && !self.force {
            return Err(Error::Usage(format!(
                "{shown} exists: name another file, or replace it with --force"
            )));
        }
        let folder = match self.file.parent() {
            Some(folder) if folder != std::path::Path::new("") => folder,
            _ => std::path::Path::new("."),
        };
        // The file that is written first has a name that nobody gave: only the kind of error is told.
        let refuse = |error: std::io::Error| {
            let why = match error.kind() {
                std::io::ErrorKind::NotFound => format!("there is no folder {}", folder.display()),
                std::io::ErrorKind::PermissionDenied => format!("you may not write in {}", folder.display()),
                kind => kind.to_string(),
            };
            Error::Usage(format!("cannot write {shown}: {why}; name another file"))
        };
        let mut file =
            tempfile::Builder::new().permissions(permissions()).tempfile_in(folder).map_err(refuse)?;
        file.write_all(TEMPLATE.as_bytes()).map_err(refuse)?;
        file.persist(&self.file).map_err(|error| refuse(error.error))?;
        print(&format!("wrote {shown}; now: retrysim run {shown}\n"))?;
        Ok(ExitCode::SUCCESS)
    }
}

#[cfg(unix)]
fn permissions() -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    std::fs::Permissions::from_mode(0o644)
}

#[cfg(not(unix))]
fn permissions() -> std::fs::Permissions {
    tempfile::tempfile().and_then(|file| file.metadata()).expect("a temporary file can be made").permissions()
}
