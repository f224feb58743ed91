//! What the Python targets share: the layout of a module, and the condition as a function.

use super::condition::{Condition, written};

/// What every condition in Python takes for granted.
pub(super) const ASSUMES_HTTPX: &str =
    "note: is_retried knows the exceptions of httpx; a failed answer must be raised (raise_for_status)";

/// How a function learns of the failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Raised {
    /// It is handed the exception (tenacity).
    Directly,
    /// It gets it from the state of the task run (Prefect).
    ByState,
}

/// `name(a, b)`, on one line or one per argument.
pub(super) fn call(name: &str, arguments: &[String]) -> String {
    let line = format!("{name}({})", arguments.join(", "));
    if line.len() <= 100 && !line.contains('\n') {
        return line;
    }
    let lines: Vec<String> = arguments.iter().map(|argument| format!("    {argument},\n")).collect();
    format!("{name}(\n{})", lines.concat())
}

/// A module: imports, functions, and a decorated function; `instead` in its place if it is not empty.
pub(super) fn module(imports: &[&str], functions: &str, decorator: &str, instead: &str) -> String {
    let (mut modules, mut names): (Vec<&str>, Vec<&str>) =
        imports.iter().partition(|line| line.starts_with("import "));
    modules.sort_unstable();
    modules.dedup();
    names.sort_unstable();
    names.dedup();
    let head: Vec<String> = [modules, names]
        .into_iter()
        .filter(|lines| !lines.is_empty())
        .map(|lines| lines.join("\n"))
        .collect();
    let head = head.join("\n\n");
    if instead.is_empty() {
        format!("{head}\n\n\n{functions}{decorator}\ndef operation():\n    ...\n")
    } else {
        format!("{head}\n\n{functions}{instead}\n")
    }
}

/// The function `is_retried`.
pub(super) fn condition(raised: Raised, idempotent: &Condition, other: Option<&Condition>) -> String {
    let mut text = String::new();
    match raised {
        Raised::Directly => text += "def is_retried(error):\n",
        Raised::ByState => {
            text += "def is_retried(task, task_run, state):\n    try:\n        state.result()\n        return False\n";
            text += "    except Exception as failure:\n        error = failure\n";
        }
    }
    match other {
        None => text += &branch(idempotent, "    "),
        Some(other) => {
            text += "    request = getattr(error, \"_request\", None)\n";
            text += "    method = request.method if request is not None else \"\"\n";
            text += "    if method in {\"GET\", \"HEAD\", \"PUT\", \"DELETE\", \"OPTIONS\", \"TRACE\"}:\n";
            text += &branch(idempotent, "        ");
            text += &branch(other, "    ");
        }
    }
    text + "\n\n"
}

fn branch(condition: &Condition, indent: &str) -> String {
    if condition.every {
        return format!("{indent}return True\n");
    }
    let mut text = String::new();
    if !condition.statuses.is_empty() || !condition.with_header.is_empty() {
        let mut tests = Vec::new();
        tests.extend((!condition.statuses.is_empty()).then(|| statuses(&condition.statuses)));
        tests.extend((!condition.with_header.is_empty()).then(|| {
            format!("\"Retry-After\" in error.response.headers and ({})", statuses(&condition.with_header))
        }));
        text += &format!("{indent}if isinstance(error, httpx.HTTPStatusError):\n");
        text += &format!("{indent}    status = error.response.status_code\n");
        text += &format!("{indent}    return {}\n", tests.join(" or "));
    }
    let mut kinds = Vec::new();
    kinds.extend(condition.timeout.then_some("httpx.TimeoutException"));
    if condition.connection_error {
        kinds.extend(["httpx.NetworkError", "httpx.RemoteProtocolError"]);
    }
    text += &match kinds[..] {
        [] => format!("{indent}return False\n"),
        [only] => format!("{indent}return isinstance(error, {only})\n"),
        _ => format!("{indent}return isinstance(error, ({}))\n", kinds.join(", ")),
    };
    text
}

fn statuses(ranges: &[(u16, u16)]) -> String {
    let wide: Vec<String> = ranges
        .iter()
        .filter(|(low, high)| high - low >= 3)
        .map(|(low, high)| format!("{low} <= status <= {high}"))
        .collect();
    let narrow: Vec<(u16, u16)> = ranges.iter().copied().filter(|(low, high)| high - low < 3).collect();
    let codes = written(&narrow, |code| code.to_string(), |low, _| low.to_string());
    let mut tests = Vec::new();
    if !codes.is_empty() {
        tests.push(format!("status in {{{}}}", codes.join(", ")));
    }
    tests.extend(wide);
    tests.join(" or ")
}
