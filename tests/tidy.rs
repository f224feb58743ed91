//! The house rules, as a test: imports point downwards, files are rooms, and nothing is left lying about.

use std::path::{Path, PathBuf};

/// The storeys, from the ground up. A module may use what is on a storey below its own, and its siblings in its folder.
const STOREYS: &[&[&str]] = &[
    &["quantity", "error", "random", "scope", "schema"],
    &["time"],
    &["units", "range", "event_queue", "table"],
    &["outcome", "verdict", "usage"],
    &["outcomes"],
    &["distribution", "statistics"],
    &["schedule"],
    &["breaker", "budget", "limiter", "service", "workload", "metrics"],
    &["policy"],
    &["scenario"],
    &["simulation"],
    &["experiment"],
    &["report", "export"],
    &["import"],
    &["cli"],
];

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder can be read") {
            let path = entry.expect("an entry can be read").path();
            // A module of tests is no part of what ships.
            if path.ends_with("tests.rs") {
                continue;
            }
            if path.is_dir() {
                walk(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &mut files);
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a source can be read");
            (path.strip_prefix(&root).expect("it is inside").to_owned(), text)
        })
        .collect()
}

/// The part of a file that ships: its tests, if they are in it and not beside it, may use what they like.
fn shipped(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().expect("split gives a first part")
}

/// True if a line has the word, and not only as the end of a longer one: `println!(`, but not `eprintln!(`.
fn has_word(line: &str, word: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word)
        .any(|(at, _)| !(word.starts_with(joins) && line[..at].chars().next_back().is_some_and(joins)))
}

fn storey(module: &str) -> usize {
    STOREYS
        .iter()
        .position(|storey| storey.contains(&module))
        .unwrap_or_else(|| panic!("module {module} is on no storey: give it a place in tests/tidy.rs"))
}

fn room(path: &Path) -> String {
    let first =
        path.components().next().expect("a path has a first part").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

#[test]
fn imports_point_downwards() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let here = room(&path);
        if here == "lib" || here == "main" {
            continue;
        }
        for (number, line) in
            shipped(&text).lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"))
        {
            for used in line.split("crate::").skip(1) {
                let used: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if used != here && storey(&used) >= storey(&here) {
                    wrong.push(format!("{}:{}: {here} uses {used}", path.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "imports that do not point downwards:\n{}", wrong.join("\n"));
}

#[test]
fn every_file_opens_with_why_it_exists_and_is_one_room() {
    for (path, text) in sources() {
        assert!(text.starts_with("//! "), "{} does not open with a module comment", path.display());
        let lines = shipped(&text).lines().count();
        assert!(lines <= 400, "{} has {lines} lines: is it one room, or several?", path.display());
    }
}

#[test]
fn nothing_is_left_lying_about() {
    let forbidden =
        ["todo!", "unimplemented!", "dbg!", "FIXME", "XXX", ".unwrap()", "println!(", "process::exit"];
    for (path, text) in sources() {
        for (number, line) in shipped(&text).lines().enumerate() {
            let code = line.trim_start();
            for word in forbidden {
                let found = !code.starts_with("//") && has_word(code, word);
                assert!(!found, "{}:{}: {word}", path.display(), number + 1);
            }
        }
    }
}

#[test]
fn the_rules_find_what_they_look_for() {
    assert_eq!(shipped("a\n#[cfg(test)]\nmod tests {\nb"), "a\n");
    assert_eq!(shipped("a\n#[cfg(test)]\nmod tests;\nb"), "a\n#[cfg(test)]\nmod tests;\nb");
    assert!(has_word("    println!(\"\")", "println!(") && !has_word("    eprintln!(\"\")", "println!("));
    assert!(has_word("eprintln!(\"\"); println!(\"\")", "println!("));
    assert!(has_word("let value = the.unwrap();", ".unwrap()") && has_word("date.unwrap()", ".unwrap()"));
}

#[test]
fn only_the_simulation_schedules_events() {
    for (path, text) in sources() {
        let here = room(&path);
        if shipped(&text).contains("EventQueue") {
            assert!(
                ["simulation", "event_queue"].contains(&here.as_str()),
                "{} schedules events",
                path.display()
            );
        }
    }
}
