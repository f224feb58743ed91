//! What serde says about a value that it cannot read, turned into what is wrong and how to mend it.

use toml::de::DeValue;

use crate::error::nearest;

/// A value that could not be read.
pub(super) struct Misread<'a> {
    /// What serde says.
    pub(super) message: &'a str,
    /// The field where it happened, with its path.
    pub(super) path: &'a str,
    /// What the file has there.
    pub(super) written: Option<&'a DeValue<'a>>,
    /// The parameters of the preset at this place, which could have been given as well.
    pub(super) parameters: &'a [String],
}

/// What fields with a table look like, where an example says more than "a table".
const EXAMPLES: [(&str, &str); 25] = [
    ("horizon", "\"1h\""),
    ("inner", "{ retries = 2, backoff.fixed = \"1s\" }"),
    ("cache", "{ ttl = \"1h\" }"),
    ("budget", "{ tokens = { capacity = 500, cost = 5 } }"),
    ("limiter", "{ concurrency = 10 }"),
    ("trip", "{ consecutive = 5 }"),
    ("only", "{ status = [429, \"5xx\"], timeout = true }"),
    ("retry_on", "\"transient\""),
    ("retry_after", "\"obey\""),
    ("jitter", "\"full\""),
    ("on_failure", "\"raise\""),
    ("round", "{ down = \"1s\" }"),
    ("linear", "{ first = \"1s\", step = \"1s\" }"),
    ("exponential", "{ base = \"1s\", factor = 2 }"),
    ("token_bucket", "{ rate = \"10/s\", burst = 10 }"),
    ("fixed_window", "{ limit = 100, window = \"60s\" }"),
    ("rate_limit", "{ token_bucket = { rate = \"10/s\", burst = 10 } }"),
    ("uniform", "{ min = \"100ms\", max = \"300ms\" }"),
    ("lognormal", "{ median = \"180ms\", p99 = \"1.2s\" }"),
    ("burst", "{ at = \"0s\" }"),
    ("even", "{ rate = \"10/s\" }"),
    ("poisson", "{ rate = \"10/s\" }"),
    ("arrivals", "{ burst = { at = \"0s\" } }"),
    ("random", "{ status = 500, probability = 0.01 }"),
    ("outage", "{ from = \"1m\", lasts = \"2m\", status = 503 }"),
];

/// What is wrong, and separately how to mend it.
pub(super) fn explain(misread: &Misread<'_>) -> (String, Option<String>) {
    let message = misread.message.trim();
    kinds(misread, message)
        .or_else(|| unknown(misread, message))
        .or_else(|| unexpected(message))
        .or_else(|| missing(message))
        .or_else(|| wrong_type(misread, message))
        .unwrap_or_else(|| (message.to_owned(), None))
}

/// The last part of the path that is a name, in a list the list's.
fn field<'a>(misread: &Misread<'a>) -> &'a str {
    misread.path.rsplit('.').find(|part| part.parse::<usize>().is_err()).unwrap_or(misread.path)
}

fn example(field: &str) -> Option<String> {
    let found = EXAMPLES.iter().find(|(name, _)| *name == field);
    found.map(|(_, example)| format!("write for example `{field} = {example}`"))
}

/// What of a choice between kinds, such as the kinds of jitter, was not one kind.
fn kinds(misread: &Misread<'_>, message: &str) -> Option<(String, Option<String>)> {
    let name = field(misread);
    let text = misread.written.and_then(DeValue::as_str);
    if message.starts_with("wanted exactly 1 element") {
        let table = misread.written.and_then(DeValue::as_table);
        let given: Vec<&str> =
            table.iter().flat_map(|table| table.keys()).map(|key| &**key.get_ref()).collect();
        return Some(match given.len() {
            0 => (format!("no kind of `{name}` is given"), example(name)),
            _ => (format!("{} kinds of `{name}` are given ({})", given.len(), given.join(", ")), {
                Some("keep one of them".to_owned())
            }),
        });
    }
    if message.contains("expected newtype variant") || message.contains("expected struct variant") {
        let kind = text.unwrap_or_default();
        let help = example(kind).map_or_else(
            || format!("write `{name}.{kind} = ...`"),
            |_| format!("write for example `{name}.{kind} = {}`", plain_example(kind)),
        );
        return Some((format!("\"{kind}\" needs a value of its own"), Some(help)));
    }
    if message.starts_with("expected table, found") {
        let above = misread.path.rsplit('.').nth(1).unwrap_or_default();
        return Some((format!("\"{name}\" takes no value"), Some(format!("write `{above} = \"{name}\"`"))));
    }
    if message == "wanted string or table" {
        let help =
            example(name).or_else(|| Some(format!("write `{name} = \"KIND\"` or `{name}.KIND = ...`")));
        return Some((format!("{} is no kind of `{name}`", shown(misread.written)), help));
    }
    None
}

fn plain_example(field: &str) -> &'static str {
    EXAMPLES.iter().find(|(name, _)| *name == field).map_or("...", |(_, example)| example)
}

/// A name that is not known here: the names that are, the preset's own parameters first.
fn unknown(misread: &Misread<'_>, message: &str) -> Option<(String, Option<String>)> {
    let (what, rest) = ["field", "variant"].iter().find_map(|what| {
        Some((*what, message.strip_prefix("unknown ")?.strip_prefix(what)?.strip_prefix(" `")?))
    })?;
    // The names stand between backticks; what is unknown may have some of its own.
    let (unknown, known) = rest.split_once("`, expected ").or_else(|| rest.split_once("`, there are no "))?;
    let fields: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    let parameters = misread.parameters.iter().map(String::as_str);
    let known = || parameters.clone().chain(fields.iter().copied());
    let longer = |name: &&str| name.strip_prefix(unknown).is_some_and(|rest| rest.starts_with('_'));
    let near = nearest(unknown, known()).or_else(|| known().find(longer));
    let help = near.map(|name| format!("did you mean `{name}`?"));
    if what == "variant" {
        let name = field(misread);
        let time = ["fixed", "constant"].iter().find(|kind| fields.contains(kind));
        let time = time.filter(|_| unknown.starts_with(|c: char| c.is_ascii_digit()));
        let help = help.or_else(|| time.map(|kind| format!("write `{name}.{kind} = \"{unknown}\"`")));
        let message = match misread.written {
            // The name of a kind stands where its value goes: `jitter.fulll = 1`.
            Some(DeValue::Table(_)) | None => {
                format!("`{unknown}` is not known here; known are: {}", fields.join(", "))
            }
            _ => format!("\"{unknown}\" is no kind of `{name}`; known are: {}", fields.join(", ")),
        };
        return Some((message, help));
    }
    let mut message = format!("unknown field `{unknown}`");
    if misread.parameters.is_empty() {
        message += &format!("; known are: {}", fields.join(", "));
    } else {
        message += &format!("; the preset has the parameters {}", misread.parameters.join(", "));
        message += &format!("; besides there are the fields {}", fields.join(", "));
    }
    Some((message, help))
}

/// The same as the parser says it of a kind with fields of its own.
fn unexpected(message: &str) -> Option<(String, Option<String>)> {
    let (given, known) =
        message.strip_prefix("unexpected keys in table: ")?.split_once(", available keys: ")?;
    let near = given.split(", ").find_map(|name| nearest(name, known.split(", ")));
    let plural = if given.contains(", ") { "fields" } else { "field" };
    let help = near.map(|name| format!("did you mean `{name}`?"));
    Some((format!("unknown {plural} `{given}`; known are: {known}"), help))
}

fn missing(message: &str) -> Option<(String, Option<String>)> {
    let field = message.strip_prefix("missing field `")?.strip_suffix('`')?;
    let help = example(field).unwrap_or_else(|| format!("add `{field} = ...`"));
    Some((format!("`{field}` is missing"), Some(help)))
}

/// A number where a table belongs, and the like.
fn wrong_type(misread: &Misread<'_>, message: &str) -> Option<(String, Option<String>)> {
    let (_, expected) = message.strip_prefix("invalid type: ")?.split_once(", expected ")?;
    let (name, found) = (field(misread), shown(misread.written));
    let text = misread.written.and_then(DeValue::as_str);
    if let Some(help) = text.and_then(python) {
        return Some((format!("{found} is not what belongs here"), Some(help)));
    }
    Some(match expected {
        table if table.starts_with("struct ") || table == "a map" => {
            let help = match (name, text) {
                ("breaker" | "inner", Some(id)) => {
                    Some(format!("for a preset write `{name} = {{ use = \"{id}\" }}`"))
                }
                ("breaker", None) => Some("write `breaker = { use = \"textbook:breaker\" }`".to_owned()),
                _ => example(name).or_else(|| Some(format!("write `{name} = {{ ... }}` with its fields"))),
            };
            (format!("{found} stands where a table of fields belongs"), help)
        }
        "a sequence" => {
            let section = misread.path.trim_start_matches('.');
            let help = match misread.written {
                Some(DeValue::Table(_)) => {
                    format!("write `[[{section}]]` and its fields below, once for each")
                }
                _ => format!("write `{name} = [...]`"),
            };
            (format!("{found} stands where a list belongs"), Some(help))
        }
        "a boolean" => (format!("{found} is neither true nor false"), Some("write true or false".to_owned())),
        "a string" => (format!("{found} is not text"), Some(format!("write `{name} = \"...\"`"))),
        "f64" | "i64" | "u64" | "u32" => (format!("{found} is not a number"), None),
        expected => (format!("{found} is not {expected}"), None),
    })
}

/// What Python's words are in TOML.
pub(super) fn python(word: &str) -> Option<String> {
    match word {
        "True" | "False" => {
            Some(format!("write {}, in small letters and without quotes", word.to_lowercase()))
        }
        "None" | "null" | "nil" => Some("leave the field out where it has no value".to_owned()),
        _ => None,
    }
}

/// A value as a reader recognises it.
fn shown(value: Option<&DeValue<'_>>) -> String {
    match value {
        None => "this".into(),
        Some(DeValue::String(text)) => format!("\"{}\"", cut(text)),
        Some(DeValue::Integer(number)) => cut(number.as_str()),
        Some(DeValue::Float(number)) => cut(number.as_str()),
        Some(DeValue::Boolean(boolean)) => boolean.to_string(),
        Some(DeValue::Array(_)) => "a list".into(),
        Some(DeValue::Table(_)) => "a table".into(),
        Some(DeValue::Datetime(_)) => "a date".into(),
    }
}

/// The beginning of what is too long to be recognised.
fn cut(text: &str) -> String {
    const MOST: usize = 60;
    if text.chars().count() <= MOST {
        text.to_owned()
    } else {
        text.chars().take(MOST).collect::<String>() + "..."
    }
}
