//! Tables in files that a scenario names: CSV with a header, read row by row, where every complaint names file and line.
//!
//! A scenario names a file by its path relative to the scenario; whoever reads the scenario puts the content in the place of
//! the name (`scenario/files.rs`), and the part that asked for the file parses it. A table can also be written into the
//! scenario itself, as `file = { name = "times.csv", text = "time\n0.5\n" }`.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::error::nearest;
use crate::quantity::Quantity;
use crate::schema::Either;
use crate::time::Interval;

/// The most rows that a table may have.
pub const MAX_ROWS: u64 = 1_000_000;

/// The content of a file and its name.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(
    with = "Either<String, Content>",
    description = "A CSV file: its path relative to the scenario, or its content."
)]
pub struct TableFile {
    /// Its name, as the scenario writes it.
    pub name: String,
    text: String,
}

/// A table that is written into the scenario.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TableContent")]
struct Content {
    /// What it is called in messages.
    name: String,
    /// The table as CSV, header included.
    text: String,
}

impl<'de> Deserialize<'de> for TableFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrContent;
        impl<'de> Visitor<'de> for NameOrContent {
            type Value = Content;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a CSV file beside the scenario, such as \"trace.csv\"")
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<Content, E> {
                Err(E::custom(format!(
                    "{name} cannot be read: this scenario is a text without a folder; save it as a file, or write the \
                     table into it as {{ name = \"{name}\", text = \"...\" }}"
                )))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Content, A::Error> {
                Content::deserialize(MapAccessDeserializer::new(map))
            }
        }
        let Content { name, text } = deserializer.deserialize_any(NameOrContent)?;
        Ok(Self { name, text })
    }
}

/// One row of a table, as far as it was asked for.
#[derive(Debug)]
pub struct Row<'a> {
    record: &'a csv::StringRecord,
    columns: &'a [Option<usize>],
}

impl Row<'_> {
    /// The cell in the `index`-th of the columns asked for; `None` if the table has no such column.
    pub fn get(&self, index: usize) -> Option<&str> {
        self.columns[index].map(|column| self.record.get(column).unwrap_or_default())
    }

    /// As [`Row::get`], of a column that every table has.
    pub fn cell(&self, index: usize) -> &str {
        self.get(index).unwrap_or_default()
    }
}

impl TableFile {
    /// Calls `each` with every row, from the first to the last. `columns` are those asked for; the first one must be there,
    /// others may be missing, and those that nobody asked for are passed over.
    ///
    /// # Errors
    /// The first problem of the table or of a row, with file and line.
    pub fn read(
        &self,
        columns: &[&str],
        mut each: impl FnMut(&Row<'_>) -> Result<(), String>,
    ) -> Result<(), String> {
        let text = self.text.strip_prefix('\u{feff}').unwrap_or(&self.text);
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        let header = reader.headers().map_err(|error| self.complaint(text, &error))?.clone();
        let places: Vec<_> =
            columns.iter().map(|column| header.iter().position(|name| name == *column)).collect();
        if let (Some(first), Some(None)) = (columns.first(), places.first()) {
            let found: Vec<&str> = header.iter().collect();
            return Err(format!(
                "{}, line 1: there is no column `{first}` among `{}`: {}",
                self.name,
                found.join("`, `"),
                meant(first, &found)
            ));
        }
        let mut record = csv::StringRecord::new();
        let mut rows = 0;
        while reader.read_record(&mut record).map_err(|error| self.complaint(text, &error))? {
            let line = record.position().map_or(0, |position| line_of(text, position));
            rows += 1;
            if rows > MAX_ROWS {
                return Err(format!("{}, line {line}: a table may have {MAX_ROWS} rows at most", self.name));
            }
            each(&Row { record: &record, columns: &places })
                .map_err(|why| format!("{}, line {line}: {why}", self.name))?;
        }
        if rows == 0 {
            return Err(format!("{}: there is no row below the header", self.name));
        }
        Ok(())
    }

    fn complaint(&self, text: &str, error: &csv::Error) -> String {
        let line = error
            .position()
            .map_or_else(String::new, |position| format!(", line {}", line_of(text, position)));
        let why = match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                format!("{len} cells, where the header has {expected_len}")
            }
            _ => error.to_string(),
        };
        format!("{}{line}: {why}", self.name)
    }
}

/// What to do about a header without the column `first`.
fn meant(first: &str, found: &[&str]) -> String {
    let separated = [(';', "semicolons"), ('\t', "tabs")];
    let separated = separated.iter().find(|(sign, _)| found.iter().any(|name| name.contains(*sign)));
    if let Some((_, signs)) = separated {
        format!("separate the columns by commas, not by {signs}")
    } else if let Some(near) = found.iter().find(|name| name.eq_ignore_ascii_case(first)) {
        format!("write `{first}` for `{near}`, in small letters")
    } else if let Some(near) = nearest(first, found.iter().copied()) {
        format!("write `{first}` if that is `{near}`")
    } else {
        "the first line must name the columns".into()
    }
}

/// The line of a record that begins at `position`, where empty lines before it may be counted to it.
fn line_of(text: &str, position: &csv::Position) -> u64 {
    let before = text.as_bytes().iter().skip(position.byte() as usize);
    let ends = before.take_while(|byte| matches!(byte, b'\n' | b'\r')).filter(|byte| **byte == b'\n');
    position.line() + ends.count() as u64
}

/// Nanoseconds of a decimal number of seconds, such as `12`, `0.25`, `-1.5` or `1e-05`, rounded to the nearest one (halves
/// away from zero); `None` if it is no such number or longer than 10^20 s.
pub fn decimal_nanos(text: &str) -> Option<i128> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (digits, exponent) = match digits.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok().filter(|e| e.abs() <= 40)?),
        None => (digits, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || digits.len() > 29 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mantissa: i128 = digits.parse().ok()?;
    let shift = exponent + 9 - i32::try_from(fraction.len()).ok()?;
    let power = 10i128.checked_pow(shift.unsigned_abs());
    let nanos = if shift >= 0 {
        if mantissa == 0 { 0 } else { mantissa.checked_mul(power?)? }
    } else {
        // More places than an i128 has are less than half a nanosecond.
        power.map_or(0, |power| (mantissa + power / 2) / power)
    };
    (nanos <= 100_000_000_000_000_000_000_000_000_000).then_some(if negative { -nanos } else { nanos })
}

/// A duration in a table: seconds as a decimal number, or with a unit as in a scenario.
///
/// # Errors
/// If it is neither, negative, or longer than [`Interval::MAX`].
pub fn duration(text: &str) -> Result<Interval, String> {
    let nanos = match decimal_nanos(text) {
        Some(nanos) => nanos,
        None if text.starts_with(|c: char| c.is_ascii_digit()) => return Interval::parse(text),
        None => return Err(format!("\"{text}\" is no duration: write seconds, such as 0.25, or \"250ms\"")),
    };
    match u64::try_from(nanos) {
        Ok(nanos) if nanos <= Interval::MAX.as_nanos() => Ok(Interval::from_nanos(nanos)),
        _ => Err(format!("\"{text}\" is not between 0 and 100 years")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> TableFile {
        TableFile { name: "t.csv".into(), text: text.into() }
    }

    #[test]
    fn decimals_become_whole_nanoseconds() {
        for (text, nanos) in [
            ("0", 0),
            ("12", 12_000_000_000),
            ("0.25", 250_000_000),
            (".5", 500_000_000),
            ("-1.5", -1_500_000_000),
            ("1e-05", 10_000),
            ("2.5E3", 2_500_000_000_000),
            ("1700000000.123456789", 1_700_000_000_123_456_789),
            ("0.0000000005", 1),
            ("0.00000000049", 0),
            ("1e-40", 0),
        ] {
            assert_eq!(decimal_nanos(text), Some(nanos), "{text}");
        }
        for text in ["", ".", "-", "1,5", "nan", "inf", "1e", "1e99", "1e40", "0x10", "+1", "1 2"] {
            assert_eq!(decimal_nanos(text), None, "{text}");
        }
    }

    #[test]
    fn durations_may_have_a_unit() {
        assert_eq!(duration("0.25"), duration("250ms"));
        for text in ["-1", "soon", "", "1e12", "5 parsecs"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn columns_are_found_by_name_and_others_passed_over() {
        let mut cells = Vec::new();
        let table = table("\u{feff}when, what ,other\n1,a,x\n\n2 ,\"b\",y\n");
        let read = table.read(&["what", "when", "why"], |row| {
            assert_eq!(row.get(2), None);
            cells.push((row.cell(0).to_owned(), row.cell(1).to_owned()));
            Ok(())
        });
        assert_eq!(read, Ok(()));
        assert_eq!(cells, [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
    }

    #[test]
    fn every_complaint_names_file_and_line() {
        for (text, complaint) in [
            ("b\n1\n", "t.csv, line 1: there is no column `a` among `b`"),
            (
                "A,b\n1,2\n",
                "t.csv, line 1: there is no column `a` among `A`, `b`: write `a` for `A`, in small letters",
            ),
            (
                "a;b\n1;2\n",
                "t.csv, line 1: there is no column `a` among `a;b`: separate the columns by commas, not by semicolons",
            ),
            ("a,b\n1,2\n\n3\n", "t.csv, line 4: 1 cells, where the header has 2"),
            ("a\n1\n2\n", "t.csv, line 3: two"),
            ("a\n", "t.csv: there is no row below the header"),
            ("", "t.csv, line 1: there is no column `a`"),
        ] {
            let refuse = |row: &Row<'_>| if row.cell(0) == "2" { Err("two".to_owned()) } else { Ok(()) };
            let found = table(text).read(&["a"], refuse).expect_err(text);
            assert!(found.starts_with(complaint), "{text:?}: {found}");
        }
    }
}
