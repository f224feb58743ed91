//! Verdicts as users meet them: the baseline, precision on demand, expectations with intervals, and JUnit XML.

use std::fs;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use tempfile::TempDir;

/// Two arms whose success rates are 0.5 and 0.75.
const COIN: &str = "replications = 40\nhorizon = '30s'\nbin = '30s'\n[services.api]\nlatency.constant = '100ms'\n\
    faults = [{ random = { status = 503, probability = 0.5 } }]\n[workloads.calls]\nservice = 'api'\n\
    arrivals.even = { rate = '2/s', requests = 40 }\n[policies.none]\nretries = 0\n[policies.once]\nretries = 1\n\
    backoff.fixed = '100ms'\n";

fn place(expect: &str) -> TempDir {
    let place = TempDir::new().expect("a temporary folder can be made");
    fs::write(place.path().join("coin.toml"), format!("{COIN}{expect}")).expect("a file can be written");
    place
}

fn run(place: &TempDir, arguments: &[&str]) -> Output {
    let mut command = Command::cargo_bin("retrysim").expect("the binary is built");
    command.current_dir(place.path()).args(["run", "coin.toml"]).args(arguments).output().expect("it runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn rows(path: &Path) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(path).expect("it is written");
    reader.records().map(|row| row.expect("it is sound").iter().map(str::to_owned).collect()).collect()
}

#[test]
fn the_other_arms_are_held_against_the_baseline() {
    let place = place("");
    for (arguments, baseline, arm, verdict) in
        [(&[][..], "none", "once", "better"), (&["--baseline", "once"], "once", "none", "worse")]
    {
        let output = run(&place, arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains(&format!("against {baseline}, paired by replication")));
        let rows = rows(&place.path().join("output/coin/comparison.csv"));
        let row = rows.iter().find(|row| row[4] == "success_rate").expect("it is compared");
        assert_eq!((row[0].as_str(), row[1].as_str(), row[14].as_str()), (baseline, arm, verdict));
        let difference: f64 = row[7].parse().expect("a number");
        let (low, high): (f64, f64) = (row[8].parse().expect("a number"), row[9].parse().expect("a number"));
        let truth = if arm == "once" { 0.25 } else { -0.25 };
        assert!(
            low < difference && difference < high && high - low < 0.1 && (difference - truth).abs() < 0.1
        );
        // More attempts are worse, and nothing is said of what neither arm has.
        let attempts = rows.iter().find(|row| row[4] == "attempts_per_request").expect("it is compared");
        assert_eq!(attempts[14], if arm == "once" { "worse" } else { "better" });
        let trips = rows.iter().find(|row| row[4] == "breaker_trips").expect("it has a row");
        assert!(trips[7..15].iter().all(String::is_empty) && trips[15] == "0", "{trips:?}");
    }
    let output = run(&place, &["--baseline", "twice"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("there is no arm \"twice\""), "{}", text(&output.stderr));
}

#[test]
fn one_replication_and_one_arm_have_no_verdicts() {
    let place = place("");
    assert!(run(&place, &["--replications", "1"]).status.success());
    let rows = rows(&place.path().join("output/coin/comparison.csv"));
    assert!(rows.iter().all(|row| row[8].is_empty() && row[13].is_empty() && row[14].is_empty()));
    let alone = COIN.split("[policies.once]").next().expect("it has a first part");
    fs::write(place.path().join("coin.toml"), alone).expect("a file can be written");
    assert!(run(&place, &[]).status.success());
    assert!(!place.path().join("output/coin/comparison.csv").exists(), "there is nothing to compare");
}

#[test]
fn precision_on_demand_gives_the_bytes_of_a_run_with_as_many_replications() {
    let place = place("");
    let output = run(&place, &["--until-precise", "success_rate=1.5%", "--out", "precise"]);
    assert!(output.status.success() && output.stderr.is_empty(), "{}", text(&output.stderr));
    let summary = rows(&place.path().join("precise/summary.csv"));
    let success = summary.iter().filter(|row| row[3] == "success_rate");
    let number = |cell: &String| cell.parse::<f64>().expect("a number");
    for row in success.clone() {
        assert!((number(&row[7]) - number(&row[6])) / 2.0 <= 0.015 * number(&row[5]), "{row:?}");
    }
    let replications = success.clone().next().expect("there are arms")[10].clone();
    assert!(number(&replications) > 40.0);
    assert!(run(&place, &["--replications", &replications, "--out", "plain"]).status.success());
    for file in ["summary.csv", "comparison.csv", "replications.csv", "scenario.toml", "manifest.json"] {
        let read = |folder: &str| fs::read(place.path().join(folder).join(file)).expect("it is written");
        assert_eq!(read("precise"), read("plain"), "{file}");
    }
}

#[test]
fn what_cannot_be_that_precise_is_said() {
    let place = place("");
    let output = run(&place, &["--until-precise", "success_rate=0.001", "--max-replications", "60"]);
    assert_eq!(output.status.code(), Some(3));
    let said = text(&output.stderr);
    assert!(place.path().join("output/coin/summary.csv").exists(), "what was found is written");
    assert!(said.contains("once.success_rate is not as precise as asked after 60 replications"), "{said}");
    for (wish, why) in [
        ("success=1%", "there is no metric \"success\""),
        ("success_rate", "write METRIC=WIDTH"),
        ("success_rate=0%", "write for example 1%"),
        ("success_rate=1s", "is no width above 0"),
        ("time_to_success_p99=1", "a time such as 500ms"),
        ("other.success_rate=1%", "there is no workload \"other\""),
    ] {
        let output = run(&place, &["--until-precise", wish, "--out", "nowhere"]);
        assert_eq!(output.status.code(), Some(2), "{wish}");
        assert!(text(&output.stderr).contains(why), "{wish}: {}", text(&output.stderr));
        assert!(!place.path().join("nowhere").exists());
    }
}

/// The coin, with an API that fails so seldom, and 20 requests in each replication.
fn rarely(probability: &str, more: &str) -> TempDir {
    let place = place("");
    let text = COIN.split("[policies.once]").next().expect("it has a first part");
    let text = text
        .replace("probability = 0.5", &format!("probability = {probability}"))
        .replace("requests = 40", "requests = 20");
    fs::write(place.path().join("coin.toml"), format!("{text}{more}")).expect("a file can be written");
    place
}

#[test]
fn what_was_always_alike_is_precise_only_after_299_replications_and_that_is_said() {
    // Once in a hundred replications: that the first 30 are alike proves nothing.
    let place = rarely("0.0005", "");
    let output = run(&place, &["--until-precise", "success_rate=1%"]);
    let row = |name: &str| {
        let rows = rows(&place.path().join("output/coin/summary.csv"));
        rows.into_iter().find(|row| row[3] == name).expect("it is measured")
    };
    let number = |cell: &str| cell.parse::<f64>().expect("a number");
    let success = row("success_rate");
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(number(&success[10]) > 299.0 && number(&success[6]) < number(&success[5]), "{success:?}");
    // What never differs is taken for precise, and it is said what that rests on.
    let place = rarely("0", "");
    let output = run(&place, &["--until-precise", "success_rate=1%"]);
    let said = text(&output.stderr);
    assert!(output.status.success() && said.contains("the same in all 299 replications"), "{said}");
    assert!(said.contains("probability below 1.00 %, with 95 % confidence"), "{said}");
    for (more, why) in [
        (&["--max-replications", "100"][..], "the same in all 100 replications that observed it"),
        (
            &["--until-precise", "breaker_trips=1%"],
            "none.breaker_trips is not as precise as asked after 299 replications: it was never observed; leave it out, or change \
             the scenario so that it happens more often",
        ),
    ] {
        let output = run(&place, &[&["--until-precise", "success_rate=1%"], more].concat());
        assert_eq!(output.status.code(), Some(3));
        assert!(text(&output.stderr).contains(why), "{}", text(&output.stderr));
    }
}

#[test]
fn a_maximum_that_the_scenario_exceeds_is_refused() {
    let place = place("");
    let wish = ["--until-precise", "success_rate=5%", "--max-replications", "30"];
    let output = run(&place, &wish);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("--max-replications 30: there are 40 replications to begin with"), "{said}");
    assert!(!place.path().join("output").exists(), "nothing is run");
    // Both remedies do.
    for remedy in [&["--replications", "30"][..], &["--set", "replications=20"]] {
        let code = run(&place, &[&wish[..], remedy].concat()).status.code();
        assert!(matches!(code, Some(0 | 3)), "{remedy:?}: {code:?}");
    }
}

#[test]
fn what_stands_in_the_way_of_more_replications_is_named_with_its_own_remedy() {
    // 200 clients who think for 0.1 ms may make 1.2e8 requests in a minute, so that 83 replications are all that 1e10 allow.
    let place = TempDir::new().expect("a temporary folder can be made");
    let closed = "replications = 2\nhorizon = '1m'\n[services.api]\nlatency.exponential.mean = '10s'\n[workloads.calls]\n\
        service = 'api'\nclients = 200\narrivals.closed.think.constant = '100us'\n[policies.none]\nretries = 0\n";
    fs::write(place.path().join("coin.toml"), closed).expect("a file can be written");
    for (wish, remedy) in [
        (
            "time_to_success_mean=0.01%",
            "more would come to over 10000000000 requests, the limit of a scenario: ask for a wider interval",
        ),
        (
            "attempts_failed=1%",
            "more would come to over 10000000000 requests, the limit of a scenario: give each of them fewer requests (a shorter \
             horizon, a lower rate, fewer clients)",
        ),
    ] {
        let output = run(&place, &["--until-precise", wish]);
        assert_eq!(output.status.code(), Some(3));
        let said = text(&output.stderr);
        assert!(
            said.contains("as precise as asked after 83 replications") && said.contains(remedy),
            "{said}"
        );
        assert!(!said.contains("--max-replications"), "{said}");
    }
    // What is for ever has no interval, however many replications there are.
    let place = self::place("");
    let output = run(&place, &["--until-precise", "honest_p99=1%", "--max-replications", "50"]);
    let said = text(&output.stderr);
    assert!(
        said.contains("none.honest_p99") && said.contains("ask for a figure that is always finite"),
        "{said}"
    );
    assert!(!said.contains("--max-replications"), "{said}");
}

#[test]
fn a_verdict_on_replications_that_are_all_alike_says_what_it_rests_on() {
    let said = |probability: &str, expect: &str, replications: &str| {
        let place = rarely(probability, &format!("[expect]\n{expect}\n"));
        let output = run(&place, &["--replications", replications, "--junit", "verdicts.xml"]);
        (text(&output.stdout), fs::read_to_string(place.path().join("verdicts.xml")).expect("it is written"))
    };
    let none_failed = "'none.attempts_failed' = '<= 0'";
    // 1 - 0.05^(1/20) = 0.139; of 298 it is 0.010003, of 299 less than 0.01.
    let words = "alike in all 20 replications: what happens in fewer than 14 % of them may not have come yet";
    let (shown, xml) = said("0.0000001", none_failed, "20");
    assert!(shown.contains(&format!("met      none.attempts_failed <= 0 (0, {words})")), "{shown}");
    assert!(
        xml.contains("failures=\"0\"") && xml.contains(&format!("met (0, {words})</system-out>")),
        "{xml}"
    );
    let (shown, xml) = said("0.0000001", "'none.attempts_failed' = '> 0'", "20");
    assert!(shown.contains(&format!("NOT MET  none.attempts_failed > 0 (0, {words})")), "{shown}");
    assert!(
        xml.contains("failures=\"1\"") && xml.contains(&format!("not met (0, {words})</failure>")),
        "{xml}"
    );
    let (shown, _) = said("0.0000001", none_failed, "298");
    assert!(shown.contains("alike in all 298 replications: what happens in fewer than 1.0 %"), "{shown}");
    for (probability, expect, replications) in [
        ("0.0000001", none_failed, "299"),
        ("0.0000001", none_failed, "1"),
        ("0.5", "'none.attempts_failed' = '<= 19'", "20"),
        ("0.0000001", "'none.success_rate' = '> 0.9'", "20"),
    ] {
        let (shown, xml) = said(probability, expect, replications);
        assert!(shown.contains("met      none.") && !shown.contains("alike"), "{shown}");
        assert!(!xml.contains("system-out"), "{xml}");
    }
    // In some replications nobody gives up: those do not count.
    let (shown, _) = said("0.02", "'none.time_to_give_up_max' = '<= 1s'", "20");
    assert!(shown.contains(" of 20 replications that observed it: what happens in"), "{shown}");
}

#[test]
fn expectations_are_met_not_met_or_undecided_and_junit_says_so() {
    let expect = "[expect]\n'none.success_rate' = '< 0.6'\n'once.success_rate' = '> 0.9'\n\
        'none.attempts_per_request' = '<= 1'\n'once.time_to_success_p99' = '< 1h'\n'once.attempts_per_request' = '< 1.5'\n";
    let place = place(expect);
    let output = run(&place, &["--junit", "verdicts.xml"]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(3), "{shown}");
    for line in [
        "met      none.success_rate < 0.6",
        "NOT MET  once.success_rate > 0.9",
        "UNDECIDED  once.attempts_per_request < 1.5",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
    let xml = fs::read_to_string(place.path().join("verdicts.xml")).expect("it is written");
    assert!(xml.contains("<testsuite name=\"coin\" tests=\"5\" failures=\"2\" errors=\"0\">"), "{xml}");
    assert!(xml.contains("<testcase classname=\"coin\" name=\"none.success_rate &lt; 0.6\"/>"), "{xml}");
    assert!(
        xml.contains("<failure message=\"not met\"") && xml.contains("<failure message=\"undecided\""),
        "{xml}"
    );
    // All that are met, and the exit is 0.
    fs::write(place.path().join("coin.toml"), format!("{COIN}[expect]\n'none.success_rate' = '< 0.6'\n"))
        .expect("a file can be written");
    assert_eq!(run(&place, &["--junit", "verdicts.xml"]).status.code(), Some(0));
}

#[test]
fn a_file_of_verdicts_that_cannot_be_is_refused_before_the_run() {
    let place = place("");
    let output = run(&place, &["--junit", "verdicts.xml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("the scenario expects nothing"), "{}", text(&output.stderr));
    fs::write(place.path().join("coin.toml"), format!("{COIN}[expect]\n")).expect("a file can be written");
    let output = run(&place, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("there is no condition in it"), "{}", text(&output.stderr));
    fs::write(place.path().join("coin.toml"), format!("{COIN}[expect]\n'none.success_rate' = '< 0.6'\n"))
        .expect("a file can be written");
    let output = run(&place, &["--junit", "nowhere/verdicts.xml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("there is no folder nowhere"), "{}", text(&output.stderr));
    assert!(!place.path().join("output").exists());
}
