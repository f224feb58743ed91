//! What holds for every chart of every scenario.

use std::fmt::Write as _;

use crate::experiment::{Options, run};
use crate::report::files;
use crate::scenario::Scenario;

/// A small scenario with this many arms and workloads.
fn scenario(arms: usize, workloads: usize) -> Scenario {
    let mut text = String::from(
        "title = 'A <script>&'\nquestion = 'Does \"jitter\" <beat> it?'\nseed = 4711\nreplications = 2\nhorizon = '5m'\n\
         [services.api]\nrate_limit.token_bucket = { rate = '1/s', burst = 1 }\n\
         [[services.api.incidents]]\noutage = { from = '10s', lasts = '20s' }\n",
    );
    for workload in 0..workloads {
        writeln!(text, "[workloads.w{workload}]\nservice = 'api'\nclients = 40\narrivals.burst = {{ at = '{workload}s' }}").unwrap();
    }
    for arm in 0..arms {
        writeln!(text, "[policies.arm-{arm}]\nretries = 3\nbackoff.fixed = '{}s'\njitter = 'full'", arm + 5)
            .unwrap();
        if workloads > 1 {
            writeln!(text, "[arms.arm-{arm}]").unwrap();
            for workload in 0..workloads {
                writeln!(text, "w{workload} = 'arm-{arm}'").unwrap();
            }
        }
    }
    Scenario::parse("tried", "tried.toml", &text, &[]).unwrap()
}

fn drawn(scenario: &Scenario) -> Vec<(String, String)> {
    let results = run(scenario, Options { traced: 0, jobs: 1 }, &|| ());
    let drawn =
        || files(scenario, &results, false).into_iter().filter(|(name, _)| name.starts_with("charts/"));
    assert!(drawn().eq(drawn()), "the same results give the same bytes");
    drawn().map(|(name, bytes)| (name, String::from_utf8(bytes).unwrap())).collect()
}

#[test]
fn every_chart_says_what_it_shows_and_of_what() {
    for (arms, workloads) in [(1, 1), (12, 1), (2, 5)] {
        let scenario = scenario(arms, workloads);
        for (name, svg) in drawn(&scenario) {
            for arm in &scenario.arms {
                assert!(
                    svg.matches(&format!(">\n{}\n<", arm.name)).count() == workloads,
                    "{name}: {}",
                    arm.name
                );
            }
            let csv = if name == "charts/success.svg" { "time_to_success.csv" } else { "timeseries.csv" };
            for words in
                ["Does &quot;jitter&quot; &lt;beat&gt; it?", "A &lt;script&gt;&amp;", "seed 4711", csv]
            {
                assert!(svg.contains(words), "{name}: {words}");
            }
            assert!(svg.contains("means of 2 replications"), "{name}");
            assert_eq!(svg.contains("bins of 500ms"), csv == "timeseries.csv", "{name}");
            assert!(!svg.contains("NaN") && !svg.contains("inf") && !svg.contains("<script"), "{name}");
            assert_eq!(svg.contains("outage"), name != "charts/success.svg");
            assert_eq!(svg.contains("workload w0, service api"), workloads > 1, "{name}");
        }
    }
}

#[test]
fn a_run_in_which_nothing_happens_says_so() {
    let text = "title = 'Silence'\nseed = 1\nreplications = 1\nhorizon = '60s'\n[services.api]\n\
                [workloads.none]\nservice = 'api'\nclients = 1\narrivals.poisson = { rate = '1/36000d' }\n[policies.none]\nretries = 0\nbackoff.fixed = '1s'\n";
    let scenario = Scenario::parse("silent", "silent.toml", text, &[]).unwrap();
    for (name, svg) in drawn(&scenario) {
        assert!(
            svg.contains("no requests arrived") || svg.contains("no attempts were sent"),
            "{name}: {svg}"
        );
        assert!(svg.contains("Silence") && svg.contains("1 replication ·"), "{name}");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{name}");
    }
}
