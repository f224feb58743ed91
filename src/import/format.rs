//! The formats, and how a file gives itself away.

use super::lines::cells;
use super::{clf, vegeta};

/// A format of recorded traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Access log, Common Log Format.
    Clf,
    /// Access log, Combined Log Format.
    Combined,
    /// HTTP archive of a browser.
    Har,
    /// CSV output of k6.
    K6,
    /// JSON output of k6.
    K6Json,
    /// CSV encoding of vegeta.
    Vegeta,
    /// JSON encoding of vegeta.
    VegetaJson,
    /// `_stats.csv` or `_stats_history.csv` of Locust.
    Locust,
    /// Spans of OpenTelemetry as JSON.
    Otlp,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Clf,
        Self::Combined,
        Self::Har,
        Self::K6,
        Self::K6Json,
        Self::Vegeta,
        Self::VegetaJson,
        Self::Locust,
        Self::Otlp,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clf => "clf",
            Self::Combined => "combined",
            Self::Har => "har",
            Self::K6 => "k6",
            Self::K6Json => "k6-json",
            Self::Vegeta => "vegeta",
            Self::VegetaJson => "vegeta-json",
            Self::Locust => "locust",
            Self::Otlp => "otlp",
        }
    }

    /// What it is, for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Clf => "access log (Common Log Format)",
            Self::Combined => "access log (Combined Log Format)",
            Self::Har => "HTTP archive",
            Self::K6 => "CSV output of k6",
            Self::K6Json => "JSON output of k6",
            Self::Vegeta => "CSV encoding of vegeta",
            Self::VegetaJson => "JSON encoding of vegeta",
            Self::Locust => "CSV tables of Locust",
            Self::Otlp => "OpenTelemetry spans (OTLP JSON)",
        }
    }

    /// What one piece of it is called.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Har => "entry",
            Self::Otlp => "span",
            _ => "line",
        }
    }

    /// The plural of that.
    pub const fn units(self) -> &'static str {
        match self {
            Self::Har => "entries",
            Self::Otlp => "spans",
            _ => "lines",
        }
    }

    /// The article of its title.
    pub(super) const fn article(self) -> &'static str {
        match self {
            Self::Clf | Self::Combined | Self::Har => "an",
            _ => "the",
        }
    }

    /// The format of a file that begins with `head`.
    ///
    /// # Errors
    /// If it is none that is known; with what to do about it.
    pub fn guess(head: &[u8]) -> Result<Self, String> {
        check_unpacked(head)?;
        let text = String::from_utf8_lossy(head);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text).trim_start();
        let has = |word: &str| text.contains(word);
        if text.starts_with('{') {
            let first = text.lines().next().unwrap_or_default();
            let first_has = |word: &str| first.contains(word);
            return if has("\"resourceSpans\"") {
                Ok(Self::Otlp)
            } else if first_has("\"metric\"") && (first_has("\"Metric\"") || first_has("\"Point\"")) {
                Ok(Self::K6Json)
            } else if first_has("\"latency\"") && first_has("\"code\"") && first_has("\"timestamp\"") {
                Ok(Self::VegetaJson)
            } else if has("\"log\"") && (has("\"entries\"") || has("\"creator\"")) {
                Ok(Self::Har)
            } else {
                Err(unknown("it is JSON, but none of HAR, OTLP, k6 and vegeta"))
            };
        }
        // Odd lines may come first.
        for line in text.lines().take(50) {
            let row = cells(line).unwrap_or_default();
            let is_table = |names: [&str; 2]| names.iter().all(|name| row.iter().any(|cell| cell == name));
            if is_table(["metric_name", "metric_value"]) {
                return Ok(Self::K6);
            } else if is_table(["Request Count", "Failure Count"])
                || is_table(["User Count", "Total Request Count"])
            {
                return Ok(Self::Locust);
            } else if vegeta::is_result(&row) {
                return Ok(Self::Vegeta);
            } else if let Some(combined) = clf::kind(line) {
                return Ok(if combined { Self::Combined } else { Self::Clf });
            }
        }
        Err(unknown("none of its first lines is of a known format"))
    }
}

/// Refuses what is compressed.
///
/// # Errors
/// With the command that unpacks it.
pub(super) fn check_unpacked(head: &[u8]) -> Result<(), String> {
    let packed = [
        (&b"\x1f\x8b"[..], "gzip", "gunzip -c"),
        (b"\x28\xb5\x2f\xfd", "zstd", "zstd -dc"),
        (b"BZh", "bzip2", "bunzip2 -c"),
        (b"PK\x03\x04", "zip", "unzip -p"),
    ];
    match packed.iter().find(|(magic, ..)| head.starts_with(magic)) {
        Some((_, name, command)) => {
            Err(format!("it is compressed with {name}: unpack it first, with {command} FILE > unpacked"))
        }
        None => Ok(()),
    }
}

fn unknown(why: &str) -> String {
    let names: Vec<&str> = Format::ALL.into_iter().map(Format::name).collect();
    format!("{why}: name its format with --format, one of {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_recording_is_refused_with_a_remedy() {
        for (head, why) in [
            (&b"\x1f\x8b\x08"[..], "gunzip -c"),
            (b"PK\x03\x04", "unzip -p"),
            (b"", "none of its first lines"),
            (b"{\"a\": 1}", "it is JSON"),
            (b"a,b,c\n1,2,3\n", "vegeta-json, locust, otlp"),
            (b"\xff\xfe\x00", "none of its first lines"),
        ] {
            let found = Format::guess(head).unwrap_err();
            assert!(found.contains(why), "{found}");
        }
    }
}
