//! Recorded traffic as a trace and a first scenario: access logs, HTTP archives, results of load generators, spans.
//!
//! Files are untrusted: they are read as a stream, with bounds on lines, requests and documents; what cannot be read is counted and
//! the first few are named; nothing in them is executed, and nothing but numbers, operations and hosts is written.

mod clf;
mod estimate;
mod folder;
mod format;
mod har;
mod json;
mod k6;
mod lines;
mod locust;
mod operation;
mod otlp;
mod scenario;
mod summary;
mod text;
mod traffic;
mod vegeta;

use std::io::BufRead;

use crate::report::sha256;

pub use folder::Folder;
pub use format::Format;
pub use traffic::{Bad, Request, Traffic};

/// The largest document that is read where the format is no stream of lines, in bytes.
pub const MAX_DOCUMENT: u64 = 256 << 20;
/// The largest trace that a scenario can name, in bytes.
const MAX_TRACE: usize = 64 << 20;
/// The file that says what an import wrote.
const MANIFEST: &str = "import.json";
/// What that file says wrote it.
const PROGRAM: &str = "retrysim import";

/// What a recording became.
#[derive(Debug)]
pub struct Imported {
    /// The files to write: name, bytes.
    pub files: Vec<(String, Vec<u8>)>,
    /// What was read, for people: whole lines.
    pub report: String,
}

/// Reads what was recorded under `name`, in a format that shows in its first bytes if it is not given.
///
/// # Errors
/// If the format is not known, or what is wrong with the file and what to do about it.
pub fn import(name: &str, mut input: impl BufRead, format: Option<Format>) -> Result<Imported, String> {
    let head = input.fill_buf().map_err(lines::unreadable)?;
    format::check_unpacked(head)?;
    let format = match format {
        Some(format) => format,
        None => Format::guess(head)?,
    };
    let name = operation::tidy(name);
    let (files, report) = if format == Format::Locust {
        let mut bad = Bad::default();
        let summary = locust::read(input, &mut bad)?;
        let report = text::of_bad(&bad, summary.requests, format);
        (vec![("scenario.toml".to_owned(), summary::scenario(&name, &summary).into_bytes())], report)
    } else {
        let traffic = read(input, format)?;
        let scenario = scenario::scenario(&name, format, &traffic);
        let files = vec![
            ("trace.csv".to_owned(), trace(&traffic)?),
            ("scenario.toml".to_owned(), scenario.into_bytes()),
        ];
        (files, text::of_traffic(&traffic, format))
    };
    Ok(Imported { files: with_manifest(files, &name, format), report })
}

/// Reads traffic of any format that tells single requests.
fn read(input: impl BufRead, format: Format) -> Result<Traffic, String> {
    let mut traffic = Traffic::default();
    let mut document = input.take(MAX_DOCUMENT + 1);
    let into = &mut traffic;
    let done = match format {
        Format::Har => har::read(&mut document, into),
        Format::Otlp => otlp::read(&mut document, into),
        _ => {
            document.set_limit(u64::MAX);
            match format {
                Format::Clf => clf::read(&mut document, false, into),
                Format::Combined => clf::read(&mut document, true, into),
                Format::K6 => k6::read_csv(&mut document, into),
                Format::K6Json => k6::read_json(&mut document, into),
                Format::Vegeta => vegeta::read_csv(&mut document, into),
                _ => vegeta::read_json(&mut document, into),
            }
        }
    };
    if document.limit() == 0 {
        return Err(format!(
            "it has more than {MAX_DOCUMENT} bytes, the limit for one document: split it, or leave out what is not needed"
        ));
    }
    done.map(|()| traffic)
}

/// `trace.csv`: a row per request that is no retry. A trace has status and latency together or not at all; where the format has no
/// latency, the status stands in a column that a simulation passes over.
fn trace(traffic: &Traffic) -> Result<Vec<u8>, String> {
    let timed = traffic.requests.iter().any(|request| request.latency.is_some());
    let asks =
        |request: &Request| request.latency.is_some() && request.retry_after.is_some() && !request.retry;
    let columns: &[&str] = if timed && traffic.requests.iter().any(asks) {
        &["time", "operation", "key", "status", "latency", "retry_after"]
    } else if timed {
        &["time", "operation", "key", "status", "latency"]
    } else {
        &["time", "operation", "key", "recorded_status"]
    };
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    let full = |error: csv::Error| format!("the trace cannot be written: {error}");
    writer.write_record(columns).map_err(full)?;
    for request in traffic.requests.iter().filter(|request| !request.retry) {
        let status = text::of_outcome(request.outcome);
        let time = text::seconds(request.at.unsigned_abs());
        let (operation, key) = (&traffic.operations[usize::from(request.operation)], request.key.to_string());
        let latency = request.latency.map(text::seconds).unwrap_or_default();
        let status = if timed && latency.is_empty() { String::new() } else { status };
        let asked = request.retry_after.filter(|_| asks(request)).map(text::seconds).unwrap_or_default();
        let row = [&time, operation, &key, &status, &latency, &asked];
        writer.write_record(&row[..columns.len()]).map_err(full)?;
    }
    let bytes = writer.into_inner().map_err(|error| format!("the trace cannot be written: {error}"))?;
    if bytes.len() > MAX_TRACE {
        let (size, rows) = (bytes.len(), traffic.requests.len());
        return Err(format!(
            "its {rows} requests would make a trace of {size} bytes, the limit is {MAX_TRACE}: cut it to the hours in question"
        ));
    }
    Ok(bytes)
}

/// The files and, last, the one that says what they were when they were written.
fn with_manifest(mut files: Vec<(String, Vec<u8>)>, name: &str, format: Format) -> Vec<(String, Vec<u8>)> {
    let digests: serde_json::Map<String, serde_json::Value> =
        files.iter().map(|(name, bytes)| (name.clone(), sha256(bytes).into())).collect();
    let manifest = serde_json::json!({
        "program": PROGRAM,
        "version": env!("CARGO_PKG_VERSION"),
        "recording": name,
        "format": format.name(),
        "files": digests,
    });
    files.push((MANIFEST.to_owned(), format!("{manifest:#}\n").into_bytes()));
    files
}
