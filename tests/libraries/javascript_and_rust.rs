//! The presets of JavaScript and Rust libraries, by the rows that they answer for.

use crate::{Params, Setup};

/// The preset that answers for a row; `None` if the library is not one of these.
pub(crate) fn preset(library: &str, policy: &str, params: &Params<'_>) -> Option<Setup> {
    javascript(library, policy, params).or_else(|| rust(library, policy, params))
}

/// A preset with the parameters of a row that have the same names in both.
fn with(id: &str, params: &Params<'_>, names: &[&str]) -> String {
    let mut text = format!("use = '{id}'");
    for name in names {
        // Infinity is the default wherever it is written.
        if let Some(value) = params.get(name).filter(|&value| value != "Infinity") {
            text += &format!("\n{name} = {value}");
        }
    }
    text
}

fn javascript(library: &str, policy: &str, params: &Params<'_>) -> Option<Setup> {
    const RETRY: [&str; 5] = ["retries", "factor", "minTimeout", "maxTimeout", "randomize"];
    const DELAY_FACTOR: &str = "delayFactor";
    Some(match (library, policy) {
        ("retry", _) => Setup::new(with("retry@0.13", params, &RETRY)),
        ("p-retry", _) => Setup::new(with("p-retry@7", params, &RETRY)),
        ("axios-retry", "default retryDelay (noDelay)") => {
            Setup::new(with("axios-retry@4", params, &["retries"]))
        }
        ("axios-retry", "linearDelay") => {
            Setup::new(with("axios-retry@4:linear", params, &[DELAY_FACTOR]) + "\nretries = 5")
        }
        ("axios-retry", _) => {
            let text = with("axios-retry@4:exponential", params, &[DELAY_FACTOR]) + "\nretries = 6";
            let header = policy.strip_prefix("exponentialDelay with Retry-After: ");
            match header {
                Some(seconds) => {
                    Setup::new(text).answered(429).asked(seconds.parse().expect("it is a number"))
                }
                None => Setup::new(text),
            }
        }
        ("cockatiel", generator) => {
            assert_eq!(params.get("exponent"), Some("2"), "the preset has no other exponent");
            let text = with("cockatiel@3:exponential", params, &["maxDelay", "initialDelay"]);
            Setup::new(text + &format!("\ngenerator = '{generator}'"))
        }
        ("@smithy/core", _) => {
            let text = format!("use = 'smithy-js@3.41'\nmaxAttempts = {}", params.value("max_attempts"));
            let throttled = policy.ends_with("throttling");
            if throttled { Setup::new(text).answered(429) } else { Setup::new(text) }
        }
        _ => return None,
    })
}

fn rust(library: &str, policy: &str, params: &Params<'_>) -> Option<Setup> {
    let seconds = |name: &str| params.get(name).map(|text| text.trim_end_matches('s'));
    // Fields whose value is in the row, under another name and in another unit.
    let fields = |fields: &[(&str, Option<&str>)]| {
        let given = fields.iter().filter_map(|(name, value)| Some(format!("\n{name} = {}", (*value)?)));
        given.collect::<String>()
    };
    let jitter = params.0.contains("jitter") || policy.ends_with("map(jitter)");
    let jitter = ("jitter", jitter.then_some("true"));
    let (id, rest) = match (library, policy.split(&[' ', ':', '('][..]).next().unwrap_or_default()) {
        ("backon", builder) => {
            let id = match builder {
                "ExponentialBuilder" => "backon@1",
                "FibonacciBuilder" => "backon@1:fibonacci",
                _ => "backon@1:constant",
            };
            let rest = fields(&[
                ("factor", params.get("factor")),
                ("min_delay", seconds("min")),
                ("max_delay", seconds("max")),
                ("max_times", params.get("max_times")),
                ("delay", seconds("delay")),
                jitter,
            ]);
            (id, rest)
        }
        ("tokio-retry", "FibonacciBackoff") => {
            ("tokio-retry@0.3:fibonacci", "\nfrom_millis = 100".to_owned())
        }
        ("tokio-retry", "ExponentialBackoff") => {
            // One row names base and factor in its policy alone.
            let (base, factor) = if policy.contains("(2).factor(500)") { ("2", "500") } else { ("10", "1") };
            let base = params.get("base").unwrap_or(base);
            let factor = params.get("factor").unwrap_or(factor);
            let rest = [
                ("from_millis", Some(base)),
                ("factor", Some(factor)),
                ("max_delay", seconds("max")),
                jitter,
            ];
            ("tokio-retry@0.3", fields(&rest))
        }
        ("backoff-rs", _) => {
            let factor = params
                .get("rf")
                .or_else(|| policy.split_once("randomization_factor=").map(|(_, value)| value));
            let rest = [
                ("initial_interval", params.get("initial")),
                ("multiplier", params.get("mult")),
                ("max_interval", params.get("max")),
                ("max_elapsed_time", params.get("max_elapsed")),
                ("randomization_factor", factor),
            ];
            ("backoff-rs@0.4", fields(&rest))
        }
        ("tower", _) => {
            assert_eq!(params.get("min"), Some("50ms"), "the preset's default");
            let jitter = policy.split_once("jitter=").map(|(_, value)| value);
            ("tower@0.5", fields(&[("max", seconds("max")), ("jitter", jitter)]))
        }
        _ => return None,
    };
    Some(Setup::new(format!("use = '{id}'{rest}")))
}
