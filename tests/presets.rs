//! Every preset is sound: its file is named after its id, each of its defaults and choices makes a policy or a breaker that a
//! scenario can run, and it says where it comes from.

use std::collections::BTreeSet;

use retrysim::scenario::{Kind, Preset, Scenario};

/// A scenario that uses a preset, with one more line in its table.
fn scenario(preset: &Preset, line: &str) -> String {
    let used = match preset.kind() {
        Kind::Policy => format!("[policies.p]\nuse = \"{}\"\n{line}\n", preset.id),
        Kind::Breaker => {
            format!("[policies.p]\nretries = 0\n[policies.p.breaker]\nuse = \"{}\"\n{line}\n", preset.id)
        }
        Kind::Service => {
            return format!(
                "horizon = '1h'\n[services.s]\nuse = \"{}\"\n{line}\n[workloads.w]\nservice = 's'\n\
                 arrivals.burst = {{}}\n[policies.p]\nretries = 0\n",
                preset.id
            );
        }
    };
    format!("horizon = '1h'\n[services.s]\n[workloads.w]\nservice = 's'\narrivals.burst = {{}}\n{used}")
}

fn read(preset: &Preset, line: &str) -> Result<Scenario, String> {
    let text = scenario(preset, line);
    Scenario::parse(&preset.id, &preset.id, &text, &[]).map_err(|error| error.to_string())
}

#[test]
fn files_are_named_after_their_ids_and_no_id_comes_twice() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("presets");
    let list = |folder: &std::path::Path| -> BTreeSet<String> {
        let files = std::fs::read_dir(folder).expect("there are presets");
        files
            .map(|entry| entry.expect("an entry can be read").file_name().to_string_lossy().into_owned())
            .filter(|name| std::path::Path::new(name).extension().is_some_and(|ending| ending == "toml"))
            .collect()
    };
    let (parts, services) = (list(&root), list(&root.join("services")));
    let named: BTreeSet<String> =
        Preset::all().iter().map(|preset| preset.id.replace(['@', ':', '.'], "-") + ".toml").collect();
    assert_eq!(named.len(), Preset::all().len(), "an id comes twice");
    assert_eq!(&parts | &services, named);
    for preset in Preset::all() {
        let file = preset.id.replace(['@', ':', '.'], "-") + ".toml";
        let service = preset.kind() == Kind::Service;
        assert_eq!(services.contains(&file), service, "{} lies in the wrong folder", preset.id);
        assert_eq!(
            preset.confidence.is_some(),
            service,
            "{}: services say how sure their figures are",
            preset.id
        );
    }
}

#[test]
fn defaults_and_choices_make_sound_parts() {
    let mut complaints = Vec::new();
    for preset in Preset::all() {
        // What stops a policy that its library never stops is up to its user.
        let endless = read(preset, "").is_err_and(|error| error.contains("for ever at one instant"));
        let stop = if endless { "retries = 3" } else { "" };
        let mut lines = vec![stop.to_owned()];
        for (name, parameter) in &preset.parameters {
            let quote = |value: &String| {
                let plain = value.parse::<f64>().is_ok() || ["true", "false"].contains(&value.as_str());
                if plain { value.clone() } else { format!("{value:?}") }
            };
            lines.extend(parameter.values.keys().map(|value| format!("{name} = {}\n{stop}", quote(value))));
        }
        for line in lines {
            if let Err(error) = read(preset, &line) {
                complaints.push(format!("{} with `{line}`:\n{error}", preset.id));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn every_preset_says_what_it_is_and_where_it_comes_from() {
    for preset in Preset::all() {
        let id = &preset.id;
        for (field, text) in [
            ("library", &preset.library),
            ("version", &preset.version),
            ("source", &preset.source),
            ("summary", &preset.summary),
        ] {
            assert!(!text.trim().is_empty() && !text.contains('\n'), "{id}: {field}");
        }
        assert!(!preset.summary.ends_with('.'), "{id}: the summary is no sentence");
        for surprise in &preset.surprises {
            assert!(surprise.ends_with(['.', '!', '?']), "{id}: {surprise}");
        }
        for (name, parameter) in &preset.parameters {
            assert!(!parameter.about.is_empty(), "{id}: {name}");
        }
        let version_of_id =
            id.split('@').nth(1).is_some() || ["guide", "textbook"].iter().any(|own| id.starts_with(own));
        assert!(version_of_id, "{id} has no version");
    }
}

#[test]
fn at_least_one_preset_stands_for_each_library_that_is_promised() {
    let promised = "prefect@3 prefect@3:client prefect@2 tenacity@9 backoff-py@2 urllib3@2 botocore@1.44 botocore@1.34 \
        google-api-core@2 celery@5 kombu@5 dramatiq@2 stamina@26 notion-client@3 stripe-python@16 stripe-node@23 redis-py@8 \
        airflow@2 airflow@3 dagster@1 slack-sdk@3 retry@0.13 async-retry@1 p-retry@7 axios-retry@4 got@14 cockatiel@3 \
        exponential-backoff-npm@3 octokit-plugin-retry@8 ioredis@6 bullmq@6 smithy-js@3.41 backon@1 tokio-retry@0.3 \
        tokio-retry2@0.9 backoff-rs@0.4 retry-policies@0.5 failsafe-rs@1 tower@0.5 aws-smithy-runtime@1.16 sidekiq@8 \
        cloud-tasks@2 pubsub@1 cloudflare-queues@2026 zapier-autoreplay@2026 n8n@1 guide:breaker pybreaker@1 circuitbreaker@2 \
        aiobreaker@1 purgatory@3 cockatiel@3:consecutive opossum@9 recloser@1 hystrix@1 gobreaker@2 \
        polly@8:breaker envoy@1:outlier-detection brooker@2022:adaptive";
    for id in promised.split_whitespace() {
        assert!(Preset::all().iter().any(|preset| preset.id == id), "{id}");
    }
}

#[test]
fn no_attempts_are_any_number_where_the_library_says_so() {
    for (id, name) in [
        ("temporal@1", "MaximumAttempts"),
        ("temporal@1:internal", "maximumAttempts"),
        ("cenkalti-backoff@5", "MaxTries"),
    ] {
        for (attempts, retries) in [("0", None), ("'unlimited'", None), ("1", Some(0)), ("5", Some(4))] {
            let policy = Scenario::preset_policy(id, &[(name.to_owned(), attempts.to_owned())]);
            let policy = policy.unwrap_or_else(|error| panic!("{id}, {attempts}: {error}"));
            assert_eq!(policy.max_retries(), retries, "{id}, {attempts}");
        }
        for attempts in ["-1", "1.5"] {
            assert!(
                Scenario::preset_policy(id, &[(name.to_owned(), attempts.to_owned())]).is_err(),
                "{id}, {attempts}"
            );
        }
    }
}

/// The tally of one run of a service preset, called by so many clients at once.
fn called(service: &str, clients: u32, policy: &str) -> retrysim::metrics::WorkloadTally {
    let text = format!(
        "horizon = '1h'\nbin = '1m'\n[services.s]\n{service}\n[workloads.w]\nservice = 's'\nclients = {clients}\ntimeout = '30s'\n\
         arrivals.burst = {{}}\n[policies.p]\n{policy}\n"
    );
    let scenario = Scenario::parse("s", "s.toml", &text, &[]).unwrap_or_else(|error| panic!("{error}"));
    retrysim::simulation::Simulation::new(&scenario, 0, 0, 0).run().workloads.remove(0)
}

#[test]
fn a_policy_can_tell_a_daily_quota_from_a_short_limit_if_its_client_does() {
    let by_status = "retries = 3\nbackoff.fixed = '1s'\nretry_on.only = { status = [429] }";
    let either = "retries = 3\nbackoff.fixed = '1s'\nretry_on.only = { status = [429, 'error_429'] }";
    for service in ["use = 'hubspot@2026'\ndaily = 5", "use = 'openai@2026'\nper_day = 5"] {
        let sent =
            |status: &str, policy| called(&format!("{service}\ndaily_status = {status}"), 10, policy).sent;
        assert_eq!(sent("429", by_status), 5 + 5 * 4, "{service}: in vain");
        assert_eq!(sent("'error_429'", by_status), 10, "{service}: told apart");
        assert_eq!(sent("'error_429'", either), 5 + 5 * 4, "{service}: nobody looks");
    }
    // Emailit's short limit answers 429 all the same, and its daily one is not reached by ten.
    for status in ["429", "'error_429'"] {
        let sent = called(&format!("use = 'emailit@2026'\ndaily_status = {status}"), 10, by_status).sent;
        assert_eq!(sent, 10 + 8 + 6 + 4, "two of those that are left pass in each second");
    }
    let emailit = Scenario::parse(
        "s",
        "s.toml",
        "horizon = '1h'\n[services.s]\nuse = 'emailit@2026'\ndaily_status = 'error_429'\n[workloads.w]\nservice = 's'\n\
         arrivals.burst = {}\n[policies.p]\nretries = 0\n",
        &[],
    );
    let limits = &emailit.unwrap_or_else(|error| panic!("{error}")).services[0].config.rate_limit;
    let statuses: Vec<String> = limits.iter().map(|limit| limit.status.outcome().to_string()).collect();
    assert_eq!(statuses, ["429", "error_429"]);
}

#[test]
fn a_queue_behind_the_answer_keeps_nobody_waiting() {
    let tally = called("use = 'twilio-sms@2026'", 100, "retries = 0");
    assert_eq!((tally.succeeded(), tally.timed_out), (100, 0), "all are accepted at once");
    let tally = called("use = 'twilio-sms@2026'", 36_010, "retries = 0");
    assert_eq!((tally.succeeded(), tally.limited), (36_001, 9), "one goes out, ten hours of them wait");
}

#[test]
fn a_minute_of_requests_comes_back_one_by_one() {
    // Of 501 at once one has to wait for 60 s / 500.
    let (short, long) = ("backoff.fixed = '119ms'", "backoff.fixed = '120ms'");
    for (wait, succeeded) in [(short, 500), (long, 501)] {
        let tally =
            called("use = 'openai@2026'", 501, &format!("retries = 1\nretry_on = 'any_failure'\n{wait}"));
        assert_eq!(tally.succeeded(), succeeded, "{wait}");
    }
}
