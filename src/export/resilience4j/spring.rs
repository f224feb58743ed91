//! Outcomes as the exceptions of Spring's `RestClient` and `RestTemplate`, by their names, for YAML.

use crate::export::condition::Condition;

/// The exceptions of a set of outcomes.
#[derive(Debug, Default)]
pub(super) struct Exceptions {
    /// Those in it.
    pub(super) within: Vec<String>,
    /// Those that are not although the class above them is.
    pub(super) without: Vec<String>,
}

impl Exceptions {
    /// As two lists of an instance in YAML; a list of nothing is left out.
    pub(super) fn written(&self, within: &str, without: &str) -> String {
        let mut text = String::new();
        for (name, classes) in [(within, &self.within), (without, &self.without)] {
            if !classes.is_empty() {
                let items: Vec<String> =
                    classes.iter().map(|class| format!("          - {class}\n")).collect();
                text += &format!("        {name}:\n{}", items.concat());
            }
        }
        text
    }
}

/// The exceptions of `condition`, which the field called `field` said.
pub(super) fn exceptions(condition: &Condition, field: &str, caveats: &mut Vec<String>) -> Exceptions {
    let package = "org.springframework.web.client";
    let listed = |code: u16| condition.statuses.iter().any(|&(low, high)| low <= code && code <= high);
    let (mut exceptions, mut nameless) = (Exceptions::default(), Vec::new());
    for (class, parent) in [(4, "HttpClientErrorException"), (5, "HttpServerErrorException")] {
        // Which status stands for the rest of its class: one that nobody lists by itself.
        let all = listed(class * 100 + 98);
        if all {
            exceptions.within.push(format!("{package}.{parent}"));
        }
        for code in (class * 100..class * 100 + 100).filter(|&code| listed(code) != all) {
            match name(code) {
                Some(name) if all => exceptions.without.push(format!("{package}.{parent}${name}")),
                Some(name) => exceptions.within.push(format!("{package}.{parent}${name}")),
                None => nameless.push(code.to_string()),
            }
        }
    }
    if condition.timeout || condition.connection_error {
        exceptions.within.push(format!("{package}.ResourceAccessException"));
    }
    if condition.timeout != condition.connection_error {
        caveats.push(format!(
            "{field}: Spring raises one exception for timeouts and broken connections: both are in it"
        ));
    }
    if !nameless.is_empty() {
        caveats.push(format!(
            "{field}: Spring has no exception of its own for {}: not written",
            nameless.join(", ")
        ));
    }
    if !condition.with_header.is_empty() {
        caveats.push(format!("{field}.status_with_retry_after: not expressed, those statuses are not in it"));
    }
    exceptions
}

const fn name(code: u16) -> Option<&'static str> {
    Some(match code {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        405 => "MethodNotAllowed",
        406 => "NotAcceptable",
        409 => "Conflict",
        410 => "Gone",
        415 => "UnsupportedMediaType",
        422 => "UnprocessableEntity",
        429 => "TooManyRequests",
        500 => "InternalServerError",
        501 => "NotImplemented",
        502 => "BadGateway",
        503 => "ServiceUnavailable",
        504 => "GatewayTimeout",
        _ => return None,
    })
}
