//! The file of a finished point: the rows of its `summary.csv` below a line that says which point it is and what its digest is,
//! so that a file which was cut off, changed or renamed is not taken for a result.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::report::manifest::sha256;

/// The folder of the files, inside that of a sweep.
pub(super) const FOLDER: &str = "points";
/// What files begin with that are still being written.
pub(super) const UNFINISHED: &str = ".retrysim-";

/// What is found of a point.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// Its rows.
    Sound(Vec<u8>),
    /// A file that is not what was written.
    Damaged(PathBuf),
    /// No file.
    Missing,
}

/// The name of the file of the point with this key, inside the folder of a sweep.
pub(super) fn name(key: &str) -> String {
    format!("{FOLDER}/{key}.point")
}

/// The content of the file of the point with this key: a line with its digest, and its rows.
pub fn seal(key: &str, rows: &[u8]) -> Vec<u8> {
    [head(key, rows).as_bytes(), rows].concat()
}

fn head(key: &str, rows: &[u8]) -> String {
    format!("retrysim point {key}, sha256 of the rows {}\n", sha256(rows))
}

/// Reads the point with this key in the folder of a sweep.
///
/// # Errors
/// If the file is there and cannot be read.
pub(super) fn find(folder: &Path, key: &str) -> Result<Found, Error> {
    let path = folder.join(name(key));
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Found::Missing),
        Err(error) => return Err(Error::disk("read", &path, error)),
    };
    let after = bytes.iter().position(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    let (line, rows) = bytes.split_at(after);
    let sound = line == head(key, rows).as_bytes();
    Ok(if sound { Found::Sound(rows.to_vec()) } else { Found::Damaged(path) })
}

/// Writes the file of a point: whole or not at all.
///
/// # Errors
/// If the disk refuses.
pub(super) fn keep(folder: &Path, key: &str, rows: &[u8]) -> Result<(), Error> {
    write_whole(&folder.join(name(key)), &seal(key, rows))
}

/// Writes a file under another name and gives it its own when it is whole.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = path.parent().expect("a file is in a folder");
    let refuse = |error| Error::disk("write", path, error);
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder).map_err(refuse)?;
    file.write_all(bytes).map_err(refuse)?;
    file.as_file().sync_all().map_err(refuse)?;
    file.persist(path).map_err(|error| refuse(error.error))?;
    Ok(())
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
        keep(folder, &key, b"arm,mean\na,1\n").expect("writable");
        assert_eq!(find(folder, &key).expect("readable"), Found::Sound(b"arm,mean\na,1\n".to_vec()));
        let path = folder.join(name(&key));
        let sound = fs::read(&path).expect("readable");
        let changed = String::from_utf8(sound.clone()).expect("text").replace("a,1", "a,2").into_bytes();
        for damaged in [&sound[..sound.len() - 1], &changed[..], b"", b"\n", &sound[1..]] {
            fs::write(&path, damaged).expect("writable");
            assert_eq!(find(folder, &key).expect("readable"), Found::Damaged(path.clone()));
        }
        let other = "j".repeat(64);
        fs::write(folder.join(name(&other)), &sound).expect("writable");
        assert!(matches!(find(folder, &other).expect("readable"), Found::Damaged(_)), "it was renamed");
    }
}
