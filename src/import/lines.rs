//! Lines of a file that nobody vouches for: read one at a time, none longer than fits in memory.

use std::io::{BufRead, Read as _};

/// The longest line that is read, in bytes; a longer one is passed over as bad.
const MAX_LINE: u64 = 16 << 20;

/// Calls `each` with the number of every line, from 1, and its text without its end; or with what is wrong with it. Empty lines are
/// passed over.
///
/// # Errors
/// If the file cannot be read, or the first error of `each`.
pub(super) fn each_line(
    mut input: impl BufRead,
    mut each: impl FnMut(u64, Result<&str, String>) -> Result<(), String>,
) -> Result<(), String> {
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = input.by_ref().take(MAX_LINE + 1).read_until(b'\n', &mut line).map_err(unreadable)?;
        if read == 0 {
            break;
        }
        if read as u64 > MAX_LINE && line.last() != Some(&b'\n') {
            input.skip_until(b'\n').map_err(unreadable)?;
            each(number, Err(format!("longer than {MAX_LINE} bytes")))?;
            continue;
        }
        match std::str::from_utf8(&line) {
            Ok(text) => {
                let text = if number == 1 { text.strip_prefix('\u{feff}').unwrap_or(text) } else { text };
                let text = text.trim_end_matches(['\n', '\r']);
                if !text.trim().is_empty() {
                    each(number, Ok(text))?;
                }
            }
            Err(_) => each(number, Err("not UTF-8".into()))?,
        }
    }
    Ok(())
}

/// The words for a file that the system does not give out.
#[expect(clippy::needless_pass_by_value, reason = "it is a function for map_err")]
pub(super) fn unreadable(error: std::io::Error) -> String {
    format!("it cannot be read: {error}")
}

/// The cells of one line of CSV.
///
/// # Errors
/// If it is no line of CSV; a cell with a line break in it is none.
pub(super) fn cells(line: &str) -> Result<Vec<String>, String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(line.as_bytes());
    let mut record = csv::StringRecord::new();
    match reader.read_record(&mut record) {
        Ok(true) => Ok(record.iter().map(str::to_owned).collect()),
        Ok(false) => Err("no cells".into()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<(u64, Result<String, String>)> {
        let mut all = Vec::new();
        each_line(bytes, |number, line| {
            all.push((number, line.map(str::to_owned)));
            Ok(())
        })
        .unwrap();
        all
    }

    #[test]
    fn lines_are_numbered_and_bad_ones_are_told_from_empty_ones() {
        let found = lines(b"\xef\xbb\xbfone\r\n\n\xff\xfe\nfour");
        assert_eq!(found, [(1, Ok("one".into())), (3, Err("not UTF-8".into())), (4, Ok("four".into()))]);
    }

    #[test]
    fn a_line_that_does_not_end_is_passed_over_without_being_kept() {
        let mut bytes = vec![b'x'; MAX_LINE as usize + 5];
        bytes.extend(b"\nnext\n");
        let found = lines(&bytes);
        assert!(found[0].1.as_ref().is_err_and(|why| why.contains("16777216")), "{:?}", found[0].1);
        assert_eq!(found[1], (2, Ok("next".into())));
    }
}
