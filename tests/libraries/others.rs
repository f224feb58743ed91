//! The presets of JVM, .NET and Go libraries, and of services that retry, by the rows that they answer for.

use crate::{Params, Setup};

/// The preset that answers for a row; `None` if the library is not one of these.
pub(crate) fn preset(library: &str, policy: &str, params: &Params<'_>) -> Option<Setup> {
    // Numbers with a unit or a colon behind: "0.5s", "2:", "250ms:".
    let number =
        |name: &str| params.get(name).map(|value| value.trim_end_matches(|c: char| !c.is_ascii_digit()));
    let from = |pairs: &[(&str, &str)]| -> String {
        let given =
            pairs.iter().filter_map(|(own, name)| number(name).map(|value| format!("{own} = {value}\n")));
        given.collect()
    };
    let growth = [("initialInterval", "initial"), ("multiplier", "mult"), ("maxInterval", "max")];
    let text = match (library, policy) {
        ("resilience4j", "IntervalFunction.ofDefaults") => {
            "use = 'resilience4j@2'\nmaxAttempts = 4\n".to_owned()
        }
        ("resilience4j", "ofExponentialBackoff") => {
            format!("use = 'resilience4j@2:exponential'\nmaxAttempts = 11\n{}", from(&growth))
        }
        ("resilience4j", "ofRandomized") => {
            let interval = params.0.split(' ').next()?;
            let rest = from(&[("randomizationFactor", "rf")]);
            format!("use = 'resilience4j@2:randomized'\nmaxAttempts = 3\ninterval = {interval}\n{rest}")
        }
        ("resilience4j", "ofExponentialRandomBackoff") => {
            let rest = from(&growth) + &from(&[("randomizationFactor", "rf")]);
            format!("use = 'resilience4j@2:exponential-random'\nmaxAttempts = 9\n{rest}")
        }
        ("cenkalti/backoff", _) => {
            let factor = number("rf").unwrap_or("0");
            let rest =
                from(&[("InitialInterval", "initial"), ("Multiplier", "mult"), ("MaxInterval", "max")]);
            format!("use = 'cenkalti-backoff@4'\nRandomizationFactor = {factor}\n{rest}")
        }
        ("grpc A6", _) => {
            let rest =
                from(&[("initialBackoff", "initial"), ("maxBackoff", "max"), ("backoffMultiplier", "mult")]);
            format!("use = 'grpc@1'\nmaxAttempts = 7\nmaxCallAttempts = 7\n{rest}")
        }
        ("envoy", _) => {
            let rest = from(&[("base_interval", "base"), ("max_interval", "max")]);
            format!("use = 'envoy@1'\nnum_retries = 6\n{rest}")
        }
        ("gax-go v2", _) => {
            format!(
                "use = 'gax-go@2'\n{}",
                from(&[("Initial", "initial"), ("Max", "max"), ("Multiplier", "mult")])
            )
        }
        ("aws-sdk-go-v2", _) => {
            "use = 'aws-sdk-go-v2@1:additive'\nMaxAttempts = 7\nMaxBackoff = 20\n".to_owned()
        }
        ("temporal", _) => {
            let names =
                [("InitialInterval", "initial"), ("BackoffCoefficient", "coeff"), ("MaximumInterval", "max")];
            format!("use = 'temporal@1'\n{}", from(&names))
        }
        ("temporal internal", _) => {
            format!(
                "use = 'temporal@1:internal'\n{}",
                from(&[("initialInterval", "initial"), ("maximumInterval", "max")])
            )
        }
        _ => return None,
    };
    Some(Setup::new(text))
}
