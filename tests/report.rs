//! `report.html` and `retrysim report`: one page that needs nothing else, made again from a folder alone, and one for several runs.

mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use common::Place;
use quick_xml::events::Event;

/// The most bytes of a page.
const MOST_BYTES: usize = 400_000;

/// So many arms, of names that a page must not take for markup, over so many workloads.
fn scenario(arms: usize, workloads: usize) -> String {
    let mut text = String::from(
        "title = '<script>alert(1)</script>'\nquestion = 'Is \"a\" < b & c?'\nseed = 3\nreplications = 2\nhorizon = '2h'\n\
         [services.api]\nrate_limit.token_bucket = { rate = '2/s', burst = 1 }\n\
         latency.exponential = { mean = '100ms' }\nfaults = [{ random = { status = 503, probability = 0.2 } }]\n\
         [[services.api.incidents]]\noutage = { from = '10m', lasts = '20m' }\n",
    );
    for workload in 0..workloads {
        write!(
            text,
            "[workloads.w{workload}]\nservice = 'api'\nclients = 40\narrivals.poisson = {{ rate = '1/s' }}\n"
        )
        .expect("writing to a string");
    }
    for arm in 0..arms {
        write!(
            text,
            "[policies.arm-{arm}-with-a-name-that-is-quite-long]\nretries = 5\n\
             backoff.exponential = {{ base = '{}s', factor = 2 }}\njitter = 'full'\n",
            arm + 1
        )
        .expect("writing to a string");
        if workloads > 1 {
            writeln!(text, "[arms.arm-{arm}]").expect("writing to a string");
            for workload in 0..workloads {
                writeln!(text, "w{workload} = 'arm-{arm}-with-a-name-that-is-quite-long'")
                    .expect("writing to a string");
            }
        }
    }
    let arm = if workloads > 1 { "arm-0.w0" } else { "arm-0-with-a-name-that-is-quite-long" };
    text + &format!("[expect]\n'{arm}.requests' = '> 0'\n")
}

fn page_of(place: &Place, arms: usize, workloads: usize) -> String {
    place.write("s.toml", scenario(arms, workloads));
    stdout(&place.run(&["run", "s.toml", "--out", "here", "--format", "quiet"]));
    fs::read_to_string(place.path("here/report.html")).expect("there is a page")
}

fn stdout(output: &std::process::Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The elements of a page and the texts in it, after a check that it is well formed.
fn parsed(page: &str) -> (Vec<String>, String) {
    let (before, rest) = page.split_once("<script>").expect("there is a script");
    let (_, after) = rest.split_once("</script>").expect("it ends");
    let whole = format!("{before}{after}");
    let mut reader = quick_xml::Reader::from_str(whole.trim_start_matches("<!DOCTYPE html>\n"));
    let (mut elements, mut texts, mut depth) = (Vec::new(), String::new(), 0);
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error} at {}", reader.buffer_position())) {
            Event::Eof => break,
            Event::Start(element) => {
                depth += 1;
                elements.push((*element).to_owned());
            }
            Event::Empty(element) => elements.push((*element).to_owned()),
            Event::End(_) => depth -= 1,
            Event::Text(text) => texts += &text,
            _ => {}
        }
    }
    assert_eq!(depth, 0, "everything that begins ends");
    (elements, texts)
}

#[test]
fn the_page_is_well_formed_small_and_needs_no_network() {
    let place = Place::new();
    for (arms, workloads) in [(1, 1), (12, 1), (12, 3)] {
        let page = page_of(&place, arms, workloads);
        assert!(page.len() <= MOST_BYTES, "{arms} arms, {workloads} workloads: {} bytes", page.len());
        let (elements, _) = parsed(&page);
        for word in ["src=", "http://", "https://", "@import", "url("] {
            assert!(!page.contains(word), "{word}: the page asks for something else");
        }
        let ids: Vec<&str> = elements
            .iter()
            .filter_map(|element| Some(element.split_once(" id=\"")?.1.split_once('"')?.0))
            .collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "no id stands twice: {ids:?}");
        for id in ["answer", "arms", "charts", "policies", "scenario", "again", "chart-load"] {
            assert!(ids.contains(&id), "{id}");
        }
        // A single arm has nothing to be hidden from.
        let boxes = ids.iter().filter(|id| id.starts_with("show-")).count();
        assert_eq!(boxes, if arms > 1 { arms } else { 0 });
        let shown =
            |arm: usize| elements.iter().any(|element| element.contains(&format!("class=\"arm-{arm}\"")));
        assert!((0..arms).all(shown), "every arm can be hidden");
    }
}

#[test]
fn what_a_scenario_calls_its_parts_is_no_markup() {
    let place = Place::new();
    let page = page_of(&place, 2, 1);
    assert_eq!(page.matches("<script").count(), 1, "its own, and no other");
    assert!(page.contains("<p class=\"title\">&lt;script&gt;alert(1)&lt;/script&gt;</p>"));
    assert!(page.contains("<h1>Is &quot;a&quot; &lt; b &amp; c?</h1>"));
}

#[test]
fn the_page_says_what_the_tables_say() {
    let place = Place::new();
    let page = page_of(&place, 2, 1);
    let manifest = fs::read_to_string(place.path("here/manifest.json")).expect("there is a manifest");
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("it is JSON");
    let digest = manifest["digest"].as_str().expect("it has a digest");
    assert!(page.contains(digest), "the digest of the results");
    assert!(page.contains("2 arms · 2 replications of each · 2h simulated · seed 3"));
    assert!(page.contains("✓ met</b>") && page.contains("requests &gt; 0"), "what was expected");
    for name in ["summary.csv", "expectations.csv", "charts/load.svg", "scenario.toml"] {
        assert!(page.contains(&format!("<a href=\"{name}\">")), "{name}");
    }
    let kept = fs::read_to_string(place.path("here/scenario.toml")).expect("there is a scenario");
    assert!(
        page.contains(
            kept.lines()
                .next_back()
                .expect("it has lines")
                .trim_end_matches('\'')
                .replace('\'', "&#39;")
                .replace('>', "&gt;")
                .as_str()
        )
    );
}

#[test]
fn a_report_is_made_again_from_the_folder_alone_to_the_byte() {
    let place = Place::new();
    page_of(&place, 3, 1);
    let before = common::files(&place.path("here"));
    fs::remove_file(place.path("here/report.html")).expect("it was there");
    fs::remove_dir_all(place.path("here/charts")).expect("they were there");
    fs::remove_file(place.path("s.toml")).expect("it was there");
    let said = stdout(&place.run(&["report", "here"]));
    assert_eq!(said, "drawn again: here/report.html\n");
    let after = common::files(&place.path("here"));
    let names = |files: &[(String, Vec<u8>)]| files.iter().map(|file| file.0.clone()).collect::<Vec<_>>();
    assert_eq!(names(&after), names(&before));
    assert!(after == before, "the same bytes");
}

#[test]
fn what_is_not_as_the_run_wrote_it_is_refused() {
    let place = Place::new();
    page_of(&place, 2, 1);
    place.refuses(&["report", "nowhere"], &["there is no manifest.json in it: name the folder of a run"]);
    place.refuses(&["report", "here", "--out", "x.html"], &["that of one run stands in its folder"]);
    place.write("notes.html", "mine");
    place.refuses(&["report", "here", "here", "--out", "notes.html"], &["it exists and is no page"]);
    let summary = fs::read_to_string(place.path("here/summary.csv")).expect("there is one");
    place.write("here/summary.csv", summary.replace("arm-0", "arm-1"));
    place.refuses(&["report", "here"], &["summary.csv was changed since the run: run the scenario again"]);
    place.write("here/manifest.json", "{\"program\": \"retrysim\", \"verb\": \"sweep\", \"files\": {}}");
    place.refuses(&["report", "here"], &["it is what sweep has written: only a run has a report"]);
}

#[test]
fn data_files_are_looked_for_where_one_says() {
    let place = Place::new();
    fs::create_dir(place.path("data")).expect("a folder can be made");
    place.write("data/trace.csv", "time\n1\n2\n");
    place.write(
        "data/s.toml",
        "horizon = '1m'\n[services.api]\n[workloads.calls]\nservice = 'api'\narrivals.trace = 'trace.csv'\n[policies.none]\nretries = 0\n",
    );
    stdout(&place.run(&["run", "data/s.toml", "--out", "here", "--format", "quiet"]));
    place.refuses(&["report", "here"], &["trace.csv"]);
    stdout(&place.run(&["report", "here", "--data", "data"]));
}

#[test]
fn several_runs_stand_on_one_page() {
    let place = Place::new();
    page_of(&place, 2, 1);
    stdout(&place.run(&["run", "s.toml", "--seed", "9", "--out", "other", "--format", "quiet"]));
    assert_eq!(stdout(&place.run(&["report", "here", "other"])), "written: report.html\n");
    let page = fs::read_to_string(place.path("report.html")).expect("there is a page");
    let (_, texts) = parsed(&page);
    for words in ["2 runs, not paired", "here", "other", "seed 3", "seed 9"] {
        assert!(texts.contains(words), "{words}");
    }
    // Again, in the place of what it has written itself.
    stdout(&place.run(&["report", "other", "here"]));
}
