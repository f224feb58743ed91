//! The presets of Python libraries, by the rows that they answer for.

use crate::{Params, Setup};

/// The preset that answers for a row; `None` if the library is not one of these.
pub(crate) fn preset(library: &str, policy: &str, params: &Params<'_>) -> Option<Setup> {
    Some(Setup::new(match (library, policy) {
        ("seed-guide claimed", _) if params.0 == "no jitter" => {
            "use = 'prefect@3'\nretries = 3\nretry_delay_seconds = 60".to_owned()
        }
        ("seed-guide claimed", _) => "use = 'guide:exponential-jitter'".to_owned(),
        ("prefect3", "clamped_poisson_interval (task retry jitter)") => format!(
            "use = 'prefect@3'\nretries = 1\nretry_delay_seconds = {}\nretry_jitter_factor = {}",
            params.value("retry_delay_seconds"),
            params.value("retry_jitter_factor")
        ),
        ("prefect3", "task engine handle_retry, no jitter") => match params.get("retry_delay_seconds") {
            None => "use = 'prefect@3'\nretries = 2".to_owned(),
            Some("exponential_backoff(10)") => {
                "use = 'prefect@3:exponential-backoff'\nretries = 5\nbackoff_factor = 10".to_owned()
            }
            Some(delay) => {
                format!(
                    "use = 'prefect@3'\nretries = {}\nretry_delay_seconds = {delay}",
                    params.value("retries")
                )
            }
        },
        _ => return None,
    }))
}
