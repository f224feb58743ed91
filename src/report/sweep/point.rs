//! The file of a finished point: its `summary.csv` and `comparison.csv` below a line that says which point it is, where the one ends
//! and what the digests of both are, so that a file which was cut off, changed or renamed is not taken for a result.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::Error;
use crate::report::manifest::sha256;

/// The folder of the files, inside that of a sweep.
pub(super) const FOLDER: &str = "points";
/// What files begin with that are still being written.
pub(super) const UNFINISHED: &str = ".retrysim-";

/// What was found at a point, as a run would write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// Its `summary.csv`.
    pub summary: Vec<u8>,
    /// Its `comparison.csv`; empty with one arm.
    pub comparison: Vec<u8>,
}

/// What is found of a point.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// Its tables.
    Sound(Tables),
    /// A file that is not what was written.
    Damaged(PathBuf),
    /// No file.
    Missing,
}

/// The name of the file of the point with this key, inside the folder of a sweep.
pub(super) fn name(key: &str) -> String {
    format!("{FOLDER}/{key}.point")
}

/// The content of the file of the point with this key: a line with the digests of its tables, and these.
pub fn seal(key: &str, tables: &Tables) -> Vec<u8> {
    [head(key, tables).as_bytes(), &tables.summary, &tables.comparison].concat()
}

fn head(key: &str, Tables { summary, comparison }: &Tables) -> String {
    let digests = [summary, comparison].map(|table| sha256(table));
    format!(
        "retrysim point {key}, sha256 {} {}, bytes of the summary {}\n",
        digests[0],
        digests[1],
        summary.len()
    )
}

/// What was sealed under this key; `None` if it is not that any more.
fn unseal(key: &str, bytes: &[u8]) -> Option<Tables> {
    let (line, rows) = bytes.split_at(bytes.iter().position(|&byte| byte == b'\n')? + 1);
    let summary = std::str::from_utf8(line).ok()?.trim_end().rsplit(' ').next()?.parse().ok()?;
    let (summary, comparison) = rows.split_at_checked(summary)?;
    let tables = Tables { summary: summary.to_vec(), comparison: comparison.to_vec() };
    (line == head(key, &tables).as_bytes()).then_some(tables)
}

/// Reads the point with this key in the folder of a sweep.
///
/// # Errors
/// If the file is there and cannot be read.
pub(super) fn find(folder: &Path, key: &str) -> Result<Found, Error> {
    let path = folder.join(name(key));
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Missing),
        Err(error) => return Err(Error::disk("read", &path, error)),
    };
    Ok(unseal(key, &bytes).map_or(Found::Damaged(path), Found::Sound))
}

/// Writes the file of a point: whole or not at all.
///
/// # Errors
/// If the disk refuses.
pub(super) fn keep(folder: &Path, key: &str, tables: &Tables) -> Result<(), Error> {
    write_whole(&folder.join(name(key)), &seal(key, tables))
}

/// Writes a file under another name and gives it its own when it is whole.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let refuse = |error| Error::disk("write", path, error);
    whole(path, bytes)?.persist(path).map_err(|error| refuse(error.error))?;
    Ok(())
}

/// The same where there is no such file yet; false if there is.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<bool, Error> {
    if path.exists() {
        return Ok(false);
    }
    match whole(path, bytes)?.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(Error::disk("write", path, error.error)),
    }
}

fn whole(path: &Path, bytes: &[u8]) -> Result<NamedTempFile, Error> {
    let folder = path.parent().expect("a file is in a folder");
    let refuse = |error| Error::disk("write", path, error);
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder).map_err(refuse)?;
    file.write_all(bytes).map_err(refuse)?;
    file.as_file().sync_all().map_err(refuse)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_that_was_touched_is_no_result() {
        let place = tempfile::tempdir().expect("a temporary folder can be made");
        let (folder, key) = (place.path(), "k".repeat(64));
        fs::create_dir(folder.join(FOLDER)).expect("a folder can be made");
        assert_eq!(find(folder, &key).expect("readable"), Found::Missing);
        let tables = Tables { summary: b"arm,mean\na,1\n".to_vec(), comparison: b"arm,p\n".to_vec() };
        keep(folder, &key, &tables).expect("writable");
        assert_eq!(find(folder, &key).expect("readable"), Found::Sound(tables));
        let path = folder.join(name(&key));
        let sound = fs::read(&path).expect("readable");
        let changed = String::from_utf8(sound.clone()).expect("text").replace("a,1", "a,2").into_bytes();
        let moved =
            String::from_utf8(sound.clone()).expect("text").replace("summary 13", "summary 12").into_bytes();
        let long =
            String::from_utf8(sound.clone()).expect("text").replace("summary 13", "summary 99").into_bytes();
        for damaged in
            [&sound[..sound.len() - 1], &changed[..], b"", b"\n", &sound[1..], &moved[..], &long[..]]
        {
            fs::write(&path, damaged).expect("writable");
            assert_eq!(find(folder, &key).expect("readable"), Found::Damaged(path.clone()));
        }
        let other = "j".repeat(64);
        fs::write(folder.join(name(&other)), &sound).expect("writable");
        assert!(matches!(find(folder, &other).expect("readable"), Found::Damaged(_)), "it was renamed");
    }
}
