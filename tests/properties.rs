//! What must hold of every scenario, also of those that nobody thought of.

use proptest::prelude::*;

use retrysim::experiment::{self, Options};
use retrysim::metrics::ATTEMPT_COLUMNS;
use retrysim::outcome::Ending;
use retrysim::scenario::Scenario;
use retrysim::simulation::{Next, Record, Simulation};

fn parsed(text: &str) -> Scenario {
    Scenario::parse("property", "property.toml", text, &[]).unwrap_or_else(|error| panic!("{error}"))
}

/// Milliseconds as a duration of the grammar.
fn millis(range: std::ops::Range<u64>) -> impl Strategy<Value = String> {
    range.prop_map(|millis| format!("\"{millis}ms\""))
}

fn law() -> impl Strategy<Value = String> {
    prop_oneof![
        millis(0..5_000).prop_map(|value| format!("constant = {value}")),
        (0u64..2_000, 0u64..2_000)
            .prop_map(|(min, more)| format!("uniform = {{ min = \"{min}ms\", max = \"{}ms\" }}", min + more)),
        millis(1..3_000).prop_map(|mean| format!("exponential = {{ mean = {mean} }}")),
        (1u64..2_000, 0u64..9_000).prop_map(|(median, more)| format!(
            "lognormal = {{ median = \"{median}ms\", p99 = \"{}ms\" }}",
            median + more
        )),
    ]
}

fn service() -> impl Strategy<Value = String> {
    let limit = prop_oneof![
        Just(String::new()),
        (1u64..20, 1u64..30, "seconds|exact|none").prop_map(|(rate, burst, header)| format!(
            "rate_limit = {{ token_bucket = {{ rate = \"{rate}/s\", burst = {burst} }}, retry_after = \"{header}\" }}\n"
        )),
        (1u64..20, 1u64..30, 0usize..3, millis(1..60_000)).prop_map(|(rate, size, kind, time)| {
            let kind = [
                format!("leaky_queue = {{ rate = '{rate}/s', burst = {size} }}\nstatus = 'no_answer'"),
                format!("score = {{ max = {size}, decays_over = {time}, blocked = '{rate}s' }}\nstatus = 'error_17'"),
                format!("sliding_window = {{ limit = {size}, window = {time} }}\nlockout.lasts = '{rate}s'"),
            ][kind].clone();
            format!("rate_limit.{}\nrate_limit.scope = 'all'\n", kind.replace('\n', "\nrate_limit."))
        }),
        (1u64..20, 1u64..30, millis(0..3_000)).prop_map(|(rate, limit, age)| format!(
            "rate_limit = [{{ gcra = {{ rate = '{rate}/s', burst = {limit} }}, rejected = 'counts' }}, \
             {{ concurrency = {{ limit = {limit}, counts_from = {age} }} }}]\n"
        )),
        (1u64..50, millis(1..60_000)).prop_map(|(limit, window)| format!("rate_limit.fixed_window = {{ limit = {limit}, window = {window} }}\n")),
    ];
    let faults = prop_oneof![
        Just(String::new()),
        (0.0..1.0f64)
            .prop_map(|p| format!("faults = [{{ random = {{ status = 503, probability = {p:.3} }} }}]\n")),
        (0u32..5).prop_map(|n| format!(
            "faults = [{{ fails_first = {n} }}, {{ random = {{ status = 404, probability = 0.1 }} }}]\n"
        )),
        (millis(1..60_000), millis(1..60_000), 0.0..1.0f64).prop_map(|(good, bad, share)| format!(
            "faults = [{{ bursts = {{ status = 503, good = {good}, bad = {bad} }} }}, {{ poison = {{ share = {share:.3} }} }}]\n"
        )),
        (1u64..20, millis(1..9_000), millis(0..9_000)).prop_map(|(from, lifetime, refresh)| format!(
            "faults = [{{ overload = {{ status = 529, from = \"{from}/s\", to = \"40/s\" }} }}, \
             {{ expired_token = {{ lifetime = {lifetime}, refresh = {refresh} }} }}, \
             {{ slow = {{ probability = 0.3, latency.constant = \"7s\" }} }}]\n"
        )),
    ];
    let incidents = prop_oneof![
        Just(String::new()),
        (millis(0..200_000), millis(1..90_000)).prop_map(|(from, lasts)| format!(
            "incidents = [{{ outage = {{ from = {from}, lasts = {lasts} }} }}]\n"
        )),
        (millis(1..200_000), millis(1..90_000)).prop_map(|(mtbf, mttr)| format!(
            "incidents = [{{ outage = {{ mtbf = {mtbf}, mttr = {mttr} }} }}, \
             {{ brownout = {{ mtbf = {mttr}, mttr = {mtbf}, probability = 0.5 }} }}]\n"
        )),
        (millis(0..200_000), millis(1..90_000)).prop_map(|(from, lasts)| format!(
            "incidents = [{{ latency = {{ from = {from}, lasts = {lasts}, factor = 3 }} }}, \
             {{ cold_cache = {{ from = {from}, factor = 9, decays = {lasts} }} }}, \
             {{ deploy = {{ from = {from}, instances = 3, each = {lasts}, status = 502 }} }}, \
             {{ error_code = {{ from = {from}, lasts = {lasts}, status = 404 }} }}]\n"
        )),
        (millis(0..200_000), millis(1..90_000), 0.01..50.0f64).prop_map(|(from, lasts, factor)| format!(
            "incidents = [{{ rate_limit = {{ from = {from}, lasts = {lasts}, factor = {factor:.3} }} }}, \
             {{ rate_limit = {{ mtbf = \"1m\", mttr = \"20s\", factor = 0.3 }} }}]\n"
        )),
    ];
    (limit, law(), law(), faults, incidents, inside()).prop_map(
        |(limit, latency, rejection, faults, incidents, inside)| {
            // Where calls contend they take the time that they contend for.
            let latency =
                if inside.contains("contention") { String::new() } else { format!("latency.{latency}\n") };
            // What is changed must be there.
            let incidents =
                if incidents.contains("rate_limit") && limit.is_empty() { String::new() } else { incidents };
            // Servers are taken away from those who have some.
            let taken = "incidents = [{ capacity = { mtbf = '40s', mttr = '20s', share = 0.5 } }, ";
            let incidents = if inside.contains("servers") {
                incidents.replace("incidents = [", taken)
            } else {
                incidents
            };
            format!("{limit}{latency}rejection_latency.{rejection}\n{faults}{incidents}{inside}")
        },
    )
}

/// What is in the way of calls, and the network.
fn inside() -> impl Strategy<Value = String> {
    let inside = prop_oneof![
        3 => Just(String::new()),
        3 => (1u32..6, 0u32..9, capacity_options()).prop_map(|(servers, queue, options)| format!(
            "capacity = {{ servers = {servers}, queue = {queue}, {options} }}\n"
        )),
        1 => (1u32..6, capacity_options())
            .prop_map(|(servers, options)| format!("capacity = {{ servers = {servers}, {options} }}\n")),
        1 => (1u32..3, 3u32..9, millis(100..20_000), 0.1..1.0f64).prop_map(|(min, max, every, target)| format!(
            "capacity.autoscale = {{ min = {min}, max = {max}, target = {target:.2}, every = {every}, lag = '3s' }}\n"
        )),
        1 => Just("contention.versioned_row = {}\n".to_owned()),
        1 => millis(1..500).prop_map(|slot| format!("contention.channel.slot = {slot}\n")),
    ];
    let network = prop_oneof![
        2 => Just(String::new()),
        1 => millis(1..300).prop_map(|way| format!("network.exponential = {{ mean = {way} }}\n")),
    ];
    (inside, network).prop_map(|(inside, network)| inside + &network)
}

/// Fields of a capacity that go with any number of servers.
fn capacity_options() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "abandoned = 'cancelled'",
        "abandoned = 'cancelled_in_queue', slowdown = 0.1",
        "discipline = 'processor_sharing', abandoned = 'cancelled'",
        "discipline = 'processor_sharing', shedding.fixed = 4",
        "shedding.gradient = { min = 2, max = 9 }, retry_after = '2s'",
        "status = 'connection_error', shedding.fixed = 5",
    ])
}

fn workload() -> impl Strategy<Value = String> {
    let arrivals = prop_oneof![
        (millis(0..100_000), millis(0..20_000))
            .prop_map(|(at, spread)| format!("burst = {{ at = {at}, every = \"70s\", spread = {spread} }}")),
        (1u64..8).prop_map(|rate| format!("even = {{ rate = \"{rate}/s\", until = \"200s\" }}")),
        (1u64..8).prop_map(|rate| format!("poisson = {{ rate = \"{rate}/s\" }}")),
    ];
    let slots = prop_oneof![
        3 => Just(String::new()),
        1 => (1u32..9).prop_map(|limit| format!("slots = {limit}\n")),
        1 => Just("slots = { limit = 1, scope = \"client\" }\nidempotent = false\n".to_owned()),
        1 => Just("slots = { limit = 7, scope = \"global\" }\n".to_owned()),
    ];
    (1u32..40, arrivals, millis(1..10_000), 1u32..100, slots).prop_map(
        |(clients, arrivals, timeout, keys, slots)| {
            format!("clients = {clients}\narrivals.{arrivals}\ntimeout = {timeout}\nkeys = {keys}\n{slots}")
        },
    )
}

fn policy() -> impl Strategy<Value = String> {
    let backoff = prop_oneof![
        millis(0..90_000).prop_map(|delay| format!("fixed = {delay}")),
        (millis(0..5_000), millis(0..50_000)).prop_map(|(a, b)| format!("list = [{a}, {b}]")),
        (millis(0..5_000), millis(0..5_000))
            .prop_map(|(first, step)| format!("linear = {{ first = {first}, step = {step} }}")),
        (millis(1..5_000), 1.0..4.0f64)
            .prop_map(|(base, factor)| format!("exponential = {{ base = {base}, factor = {factor:.2} }}")),
        millis(1..2_000).prop_map(|base| format!("fibonacci = {{ base = {base} }}")),
        (millis(1..2_000), millis(0..2_000)).prop_map(|(a, b)| format!(
            "sum = [{{ backoff.fixed = {a}, jitter = \"full\" }}, {{ backoff.linear = {{ first = {b}, step = \"1s\" }} }}]"
        )),
    ];
    let jitter = prop_oneof![
        Just("jitter = \"none\"".to_owned()),
        Just("jitter = \"full\"".to_owned()),
        Just("jitter = \"equal\"".to_owned()),
        (0.0..1.0f64).prop_map(|p| format!("jitter.proportional = {p:.3}")),
        (0.0..3.0f64).prop_map(|f| format!("jitter.truncated_exponential = {f:.3}")),
        Just("jitter.add = \"700ms\"\nround.down = \"1ms\"".to_owned()),
        Just("jitter = \"full\"\ndraws = \"sorted\"".to_owned()),
    ];
    let rest = prop_oneof![
        Just(String::new()),
        Just("retry_after = \"obey\"".to_owned()),
        Just("retry_after.obey_with = { scale = [1, 1.5] }\nretry_on = \"any_failure\"".to_owned()),
        Just("retry_on = \"any_failure\"\nslot_during_backoff = \"freed\"".to_owned()),
        Just("cache = { ttl = \"20s\" }".to_owned()),
        millis(1..90_000).prop_map(|deadline| format!("deadline = {deadline}")),
        millis(0..90_000).prop_map(|elapsed| format!("max_elapsed = {elapsed}\ncap_after_jitter = \"9s\"")),
    ];
    let inner = prop_oneof![
        2 => Just(String::new()),
        1 => ((0u32..3), guards()).prop_map(|(retries, guards)| {
            format!("[PATH.inner]\nretries = {retries}\nbackoff.fixed = \"1s\"\njitter = \"full\"\n{guards}")
        }),
    ];
    (0u32..6, backoff, jitter, rest, guards(), inner).prop_map(
        |(retries, backoff, jitter, rest, guards, inner)| {
            format!("retries = {retries}\nbackoff.{backoff}\n{jitter}\n{rest}\n{guards}{inner}")
        },
    )
}

/// The guards of a policy, each there or not.
fn guards() -> impl Strategy<Value = String> {
    let maybe = |choices: &'static [&'static str]| {
        let line = prop::sample::select(choices).prop_map(|choice| format!("{choice}\n"));
        prop_oneof![2 => Just(String::new()), 1 => line]
    };
    let breakers: &[&str] = &[
        "breaker = { use = \"guide:breaker\", timeout = 20 }",
        "breaker = { use = \"textbook:breaker\", open_for = \"5s\", scope = \"client\" }",
        "breaker = { use = \"textbook:breaker\", counts.only = { status = [\"5xx\"] }, open_for = \"5s\" }",
        "breaker = { use = \"cockatiel@3:consecutive\", threshold = 3 }",
        "breaker = { use = \"resilience4j@2:time-based\", minimumNumberOfCalls = 4, position = \"outside\" }",
    ];
    let budgets: &[&str] = &[
        "budget = { tokens = { capacity = 3, cost = 1, per_success = 0.5 }, scope = \"client\" }",
        "budget.window = { min_per_second = 1 }",
        "budget.concurrent = { at_least = 2, share = 0.2 }",
        "budget.concurrent = { at_least = 2, share = 0.2, like = \"failsafe_go\" }",
        "budget = { throttle = { max_tokens = 10, token_ratio = 0.1 }, scope = \"global\" }",
    ];
    let limiters: &[&str] = &[
        "limiter.concurrency = 2",
        "limiter.token_bucket = { rate = \"3/s\" }",
        "limiter.adaptive_throttle = { k = 1.5 }",
        "limiter.adaptive_rate = {}",
    ];
    (maybe(breakers), maybe(budgets), maybe(limiters)).prop_map(|(a, b, c)| a + &b + &c)
}

prop_compose! {
    fn any_scenario()(seed in 0u32..1000, service in service(), a in workload(), b in workload(), p in policy(), q in policy()) -> String {
        let (p, q) = (p.replace("PATH", "policies.p"), q.replace("PATH", "policies.q"));
        format!(
            "seed = {seed}\nhorizon = '5m'\nreplications = 1\nbin = '3s'\n[services.s]\n{service}\
             [workloads.a]\nservice = 's'\npolicy = 'p'\n{a}[workloads.b]\nservice = 's'\npolicy = 'q'\n{b}\
             [policies.p]\n{p}[policies.q]\n{q}"
        )
    }
}

/// Three services in a chain without any luck, in which everything happens at the same few instants.
fn any_chain() -> impl Strategy<Value = String> {
    let steps = |range: std::ops::Range<u64>| range.prop_map(|steps| format!("\"{}ms\"", 50 * steps));
    let service = move || {
        let limit = prop::sample::select(vec![
            "",
            "",
            "rate_limit.token_bucket = { rate = '10/s', burst = 3 }\n",
            "rate_limit = { leaky_queue = { rate = '10/s', burst = 5 } }\n",
            "rate_limit = { concurrency.limit = 3 }\n",
            "rate_limit = { sliding_window = { limit = 9, window = '1s' }, rejected = 'counts' }\n",
        ]);
        let inside = prop::sample::select(vec![
            "",
            "capacity.servers = 2\n",
            "capacity = { servers = 1, queue = 0 }\n",
            "capacity = { servers = 1, queue = 2, discipline = 'processor_sharing' }\n",
            "capacity = { servers = 2, abandoned = 'cancelled' }\n",
            "capacity = { servers = 2, abandoned = 'cancelled', discipline = 'processor_sharing' }\n",
            "capacity = { servers = 2, queue = 3, discipline = 'lifo', priority = 'first_tries' }\n",
            "capacity = { shedding.fixed = 3 }\n",
            "capacity.autoscale = { min = 1, max = 5, target = 0.7, every = '1s', lag = '500ms' }\n",
        ]);
        let incident = prop::sample::select(vec![
            "",
            "capacity = { from = '5s', lasts = '5s', servers_lost = 1 }",
            "latency = { from = '5s', lasts = '5s', factor = 3 }",
            "outage = { from = '5s', lasts = '2s', status = 'connection_error' }",
            "rate_limit = { from = '5s', lasts = '9s', factor = 4 }",
            "brownout = { from = '8s', lasts = '2s', probability = 1, status = 'no_answer' }",
        ]);
        (limit, inside, incident, steps(0..7), prop::sample::select(vec!["", "network.constant = '50ms'\n"]))
            .prop_map(|(limit, inside, incident, latency, network)| {
                // What is taken away or changed must be there.
                let taken = incident.contains("servers_lost") && !inside.contains("servers = ");
                let changed = incident.contains("rate_limit") && limit.is_empty();
                let incident = if taken || changed || incident.is_empty() {
                    String::new()
                } else {
                    format!("incidents = [{{ {incident} }}]\n")
                };
                format!("latency.constant = {latency}\n{limit}{inside}{incident}{network}")
            })
    };
    let nested = move || {
        let deadline = prop::sample::select(vec!["unknown", "propagated"]);
        let guard = prop::sample::select(vec!["", "", "slots = 2\n"]);
        (1u32..4, deadline, guard, steps(1..30)).prop_map(|(fan_out, deadline, guard, timeout)| {
            format!("{guard}timeout = {timeout}\narrivals.calls_of = {{ service = 'CALLER', fan_out = {fan_out}, deadline = '{deadline}' }}\n")
        })
    };
    let policy = move || {
        let guard = prop::sample::select(vec!["", "", "limiter.concurrency = 2\n", "retry_after = 'obey'\n"]);
        (0u32..3, steps(0..9), guard).prop_map(|(retries, delay, guard)| {
            format!("retries = {retries}\nbackoff.fixed = {delay}\nretry_on = 'any_failure'\n{guard}")
        })
    };
    let services = (service(), service(), service());
    let policies = (policy(), policy(), policy());
    (services, policies, nested(), nested(), 1u32..12, steps(1..60)).prop_map(
        |((gate, orders, base), (p, q, r), hop, inner, rate, timeout)| {
            let (hop, inner) = (hop.replace("CALLER", "GATE"), inner.replace("CALLER", "ORDERS"));
            format!(
                "horizon = '20s'\nbin = '1s'\n[services.GATE]\n{gate}[services.ORDERS]\n{orders}[services.BASE]\n{base}\
                 [workloads.users]\nservice = 'GATE'\npolicy = 'POLICY'\ntimeout = {timeout}\narrivals.even.rate = '{rate}/s'\n\
                 [workloads.direct]\nservice = 'ORDERS'\npolicy = 'DIRECT'\nclients = 3\narrivals.burst = {{ every = '2s' }}\n\
                 [workloads.hop]\nservice = 'ORDERS'\npolicy = 'NESTED'\n{hop}\
                 [workloads.inner]\nservice = 'BASE'\npolicy = 'NESTED'\n{inner}\
                 [policies.POLICY]\n{p}[policies.NESTED]\n{q}[policies.DIRECT]\n{r}"
            )
        },
    )
}

/// Everything that adds up, adds up.
fn assert_conserved(record: &Record, scenario: &Scenario) {
    assert_eq!(experiment::conserved(scenario, record), Ok(()));
    for (tally, workload) in record.workloads.iter().zip(&scenario.workloads) {
        let policy = &scenario.policies[scenario.arms[0].policies[usize::from(workload.name == "b")]].config;
        let most = policy.max_attempts().expect("retries are given");
        assert!(tally.attempts <= tally.requests * most, "no request makes more attempts than allowed");
        let retries: u64 =
            ATTEMPT_COLUMNS[most.min(6) as usize..].iter().map(|&column| sum(tally, column)).sum();
        assert!(most >= 6 || retries == 0, "no attempt has a number above the allowed one");
        assert!(tally.limited + tally.failed <= tally.sent);
        assert!(tally.wasted <= tally.timed_out);
    }
    let sent: u64 = record.workloads.iter().map(|tally| tally.sent).sum();
    let offered = record.services[0].offered;
    let on_their_way = if scenario.text.contains("network") { sent - offered } else { 0 };
    assert_eq!(offered + on_their_way, sent, "what clients send is what the service gets");
    let succeeded: u64 = record.workloads.iter().map(|tally| tally.ended_as(Ending::Succeeded)).sum();
    assert_eq!(record.services[0].goodput, succeeded);
}

fn sum(tally: &retrysim::metrics::WorkloadTally, column: retrysim::metrics::Column) -> u64 {
    (0..tally.series.bins()).map(|bin| tally.series.get(bin, column)).sum()
}

/// Attempts of one request follow each other, and each delay is what was decided.
fn assert_lives_make_sense(record: &Record, scenario: &Scenario) {
    // Slots and limiters make attempts wait, and so do breakers whose callers wait for a probe.
    let waits = ["slots", "limiter", "cockatiel"].iter().any(|word| scenario.text.contains(word));
    for request in record.traces.iter().flatten() {
        let mut free = request.arrived;
        for (index, step) in request.steps.iter().enumerate() {
            assert!(step.sent >= free && step.known >= step.sent, "an attempt begins when its delay is over");
            let last = index + 1 == request.steps.len();
            match step.next {
                Next::Retry { delay, .. } => free = step.known + delay.wait,
                Next::End(_) => assert!(last, "nothing follows the end"),
            }
            if step.attempt > 0 {
                assert_eq!(step.attempt as usize, index + 1, "attempts are numbered");
            }
            assert!(
                waits || index == 0 || step.sent == free_of(&request.steps[index - 1]),
                "a retry starts exactly after its delay"
            );
        }
    }
}

fn free_of(step: &retrysim::simulation::Step) -> retrysim::time::Instant {
    match step.next {
        Next::Retry { delay, .. } => step.known + delay.wait,
        Next::End(_) => step.known,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_scenario_runs_and_loses_nothing(text in any_scenario()) {
        let scenario = parsed(&text);
        let record = Simulation::new(&scenario, 0, 0, 50).run();
        assert_conserved(&record, &scenario);
        assert_lives_make_sense(&record, &scenario);
    }

    #[test]
    fn every_scenario_gives_the_same_on_one_thread_and_on_two(text in any_scenario()) {
        let scenario = parsed(&text.replace("replications = 1", "replications = 3"));
        let files = |jobs| {
            let results = experiment::run(&scenario, Options { traced: 3, jobs }, &|| ());
            retrysim::report::files(&scenario, &results, true, retrysim::report::Pictures::Svg)
        };
        prop_assert!(files(1) == files(2));
    }

    #[test]
    fn a_limit_lets_no_more_through_than_it_says(text in any_scenario()) {
        let scenario = parsed(&text);
        let record = Simulation::new(&scenario, 0, 0, 0).run();
        let service = &scenario.services[0].config;
        // What an outage turns away takes no token, and is not told from what a fault fails: only runs without one count.
        let callers = scenario.callers_of(0);
        let allowance = |window| service.allowance(window, callers).filter(|_| service.incidents.is_empty());
        if let Some(most) = allowance(scenario.horizon).zip(allowance(retrysim::time::Interval::ZERO)) {
            let passed = record.services[0].offered - record.services[0].limited;
            // A score lets the call through that takes it beyond its maximum, by less than that call.
            let most = most.0 + most.1 + 1.0;
            prop_assert!(passed as f64 <= most, "{passed} passed, at most {most}");
        }
    }

    #[test]
    fn the_names_of_services_and_policies_change_nothing(text in any_chain()) {
        let run = |names: [&str; 6]| {
            let parts = ["GATE", "ORDERS", "BASE", "POLICY", "NESTED", "DIRECT"];
            let named = parts.iter().zip(names).fold(text.clone(), |text, (part, name)| text.replace(part, name));
            let scenario = parsed(&named);
            let record = Simulation::new(&scenario, 0, 0, usize::MAX).run();
            assert_eq!(experiment::conserved(&scenario, &record), Ok(()));
            for (index, service) in record.services.iter().enumerate() {
                let callers = scenario.workloads.iter().zip(&record.workloads);
                let sent: u64 = callers.filter(|(w, _)| w.service == index).map(|(_, tally)| tally.sent).sum();
                let succeeded: u64 = scenario.workloads.iter().zip(&record.workloads)
                    .filter(|(w, _)| w.service == index).map(|(_, tally)| tally.succeeded()).sum();
                assert!(service.offered <= sent && service.goodput == succeeded);
            }
            format!("{:?}", (record.workloads, record.services, record.traces))
        };
        let plain = run(["a", "b", "c", "d", "e", "f"]);
        prop_assert_eq!(&plain, &run(["c", "a", "b", "f", "d", "e"]));
        prop_assert_eq!(&plain, &run(["z", "y", "x", "w", "v", "u"]));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}") {
        let _ = Scenario::parse("any", "any.toml", &text, &[]);
    }

    #[test]
    fn no_damage_to_a_sound_scenario_makes_the_reader_panic(text in any_scenario(), at in 0usize..900, with in "\\PC{0,5}", cut in 0usize..9) {
        let start = text.char_indices().map(|(i, _)| i).nth(at.min(text.chars().count() - 1)).unwrap_or(0);
        let end = text.char_indices().map(|(i, _)| i).find(|&i| i >= start + cut).unwrap_or(text.len());
        let damaged = format!("{}{with}{}", &text[..start], &text[end..]);
        if let Ok(scenario) = Scenario::parse("damaged", "damaged.toml", &damaged, &[]) && scenario.expected_requests() < 1e5 {
            let record = Simulation::new(&scenario, 0, 0, 0).run();
            prop_assert_eq!(experiment::conserved(&scenario, &record), Ok(()));
        }
    }
}
