//! The presets of Python libraries, and of queues and webhooks, by the rows that they answer for.

use crate::{Params, Setup};

/// The preset that answers for a row; `None` if the library is not one of these.
pub(crate) fn preset(library: &str, policy: &str, params: &Params<'_>) -> Option<Setup> {
    Some(match library {
        "seed-guide claimed" if params.0 == "no jitter" => {
            Setup::new("use = 'prefect@3'\nretries = 3\nretry_delay_seconds = 60")
        }
        "seed-guide claimed" => Setup::new("use = 'guide:exponential-jitter'"),
        "prefect3" => prefect(policy, params),
        "tenacity" => tenacity(policy, params),
        "backoff-py" => backoff(policy, params),
        "urllib3" => Setup::new(format!("use = 'urllib3@2'\nstatus_forcelist = [503]\n{}", fields(params))),
        "botocore" => botocore(policy),
        "google-api-core" => Setup::new(format!("use = 'google-api-core@2'\n{}", fields(params))),
        "celery" => celery(policy, params),
        "redis-py" => redis(policy, params),
        "airflow" => airflow(policy, params),
        "dagster" => {
            let renamed = fields(params).replace("= null", "= 'None'");
            Setup::new(format!("use = 'dagster@1'\nmax_retries = 9\n{renamed}"))
        }
        "sidekiq" => Setup::new("use = 'sidekiq@8'"),
        "aws-lambda async" => Setup::new("use = 'aws-lambda-async@2026'"),
        "cloud-tasks" => {
            let seconds = |name| params.value(name).trim_end_matches('s').to_owned();
            Setup::new(format!(
                "use = 'cloud-tasks@2'\nminBackoff = {}\nmaxBackoff = {}\nmaxDoublings = {}",
                seconds("min"),
                seconds("max"),
                params.value("maxDoublings")
            ))
        }
        "hubspot webhooks api" => Setup::new("use = 'hubspot-webhooks@2020'"),
        "kubelet crashloop" => Setup::new("use = 'kubelet@1'"),
        "zapier autoreplay" => Setup::new("use = 'zapier-autoreplay@2026'"),
        _ => return None,
    })
}

/// The parameters of a row as fields of a preset, one a line: all but those that are absent in the library (null, inf).
fn fields(params: &Params<'_>) -> String {
    let json = params.0.trim_matches(['{', '}']);
    let pairs = json.split(",\"").filter_map(|pair| pair.trim_start_matches('"').split_once("\":"));
    pairs
        .filter(|(name, value)| {
            *value != "\"inf\"" && (*value != "null" || ["backoff", "jitter"].contains(name))
        })
        .fold(String::new(), |text, (name, value)| text + &format!("{name} = {value}\n"))
}

fn prefect(policy: &str, params: &Params<'_>) -> Setup {
    let delay = params.get("retry_delay_seconds");
    Setup::new(match policy {
        "clamped_poisson_interval (task retry jitter)" => {
            format!("use = 'prefect@3'\nretries = 1\n{}", fields(params))
        }
        "client HTTP retries (no header)" => format!(
            "use = 'prefect@3:client'\nmax_retries = {}\nretry_jitter_factor = {}",
            params.value("max_retries"),
            params.value("jitter_factor")
        ),
        "_internal.retry_async_fn backoff" => {
            format!("use = 'prefect@3:internal'\nmax_attempts = 7\n{}", fields(params))
        }
        _ => match delay {
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
    })
}

fn tenacity(policy: &str, params: &Params<'_>) -> Setup {
    let own = match policy {
        "wait_none" => "stop_after_attempt = 9\n".to_owned(),
        "wait_chain" => "strategies = [1, 1, 1, 2, 2, 2, 2, 2, 5]\n".to_owned(),
        "wait_combine" => format!("wait = {}\nmin = 0\nmax = 2\n", params.value("fixed")),
        _ => fields(params),
    };
    Setup::new(format!("use = 'tenacity@9:{policy}'\n{own}"))
}

fn backoff(policy: &str, params: &Params<'_>) -> Setup {
    let (wait, jitter) = policy.split_once('/').expect("a generator and a jitter");
    let mode = match wait {
        "expo" => "backoff-py@2",
        "fibo" => "backoff-py@2:fibo",
        "constant" => "backoff-py@2:constant",
        "constant(list)" => "backoff-py@2:constant-list",
        other => panic!("no preset stands for backoff.{other}"),
    };
    let jitter = if jitter == "no jitter" { "None" } else { jitter };
    Setup::new(format!("use = '{mode}'\njitter = '{jitter}'\n{}", fields(params)))
}

fn botocore(policy: &str) -> Setup {
    let (mode, outcome) = match policy {
        "standard/transient" => ("botocore@1.44", 503),
        "standard/throttling" => ("botocore@1.44", 429),
        "standard/transient dynamodb" => ("botocore@1.44:dynamodb", 503),
        "legacy" => ("botocore@1.44:legacy", 503),
        "legacy dynamodb" => ("botocore@1.44:legacy-dynamodb", 503),
        "standard (pre-2026)" => ("botocore@1.34:standard", 503),
        other => panic!("no preset stands for botocore {other}"),
    };
    let attempts = if policy.starts_with("standard") { "max_attempts = 11" } else { "" };
    Setup::new(format!("use = '{mode}'\n{attempts}")).answered(outcome)
}

fn celery(policy: &str, params: &Params<'_>) -> Setup {
    Setup::new(if policy == "default_retry_delay" {
        format!("use = 'celery@5'\n{}", fields(params))
    } else {
        format!(
            "use = 'celery@5:autoretry-backoff'\nmax_retries = 12\nretry_backoff = {}\nretry_backoff_max = {}\nretry_jitter = {}",
            params.value("factor"),
            params.value("maximum"),
            policy.ends_with("retry_jitter=True")
        )
    })
}

fn redis(policy: &str, params: &Params<'_>) -> Setup {
    let mode = match policy {
        "ConstantBackoff" => "constant",
        "ExponentialBackoff" => "exponential",
        "FullJitterBackoff" => "full-jitter",
        "EqualJitterBackoff" => "equal-jitter",
        "DecorrelatedJitterBackoff" => "decorrelated-jitter",
        "ExponentialWithJitterBackoff" => "exponential-with-jitter",
        other => panic!("no preset stands for {other}"),
    };
    Setup::new(format!("use = 'redis-py@8:{mode}'\n{}", fields(params))).disconnected()
}

/// Both versions wait alike, so the rows of either are answered by Airflow 2 where they can be and by Airflow 3 where not.
fn airflow(policy: &str, params: &Params<'_>) -> Setup {
    let delay = params.value("retry_delay");
    if policy == "retry_delay fixed" {
        return Setup::new(format!("use = 'airflow@2'\nretries = 8\nretry_delay = {delay}"));
    }
    let key = ["dag_id", "task_id", "logical_date"].map(|name| text(params, name)).join("#");
    let key = if key == "##" { "a#b#{request}".to_owned() } else { key };
    let most =
        params.get("max_retry_delay").map_or(String::new(), |most| format!("\nmax_retry_delay = {most}"));
    Setup::new(format!(
        "use = 'airflow@3:exponential-backoff'\nretries = 8\nretry_delay = {delay}\nkey = '{key}'{most}"
    ))
}

/// A parameter that is text, blanks included; empty if it is absent.
fn text<'a>(params: &Params<'a>, name: &str) -> &'a str {
    let start = format!("\"{name}\":\"");
    let rest = params.0.split_once(&start).map_or("", |(_, rest)| rest);
    rest.split_once('"').map_or("", |(text, _)| text)
}
