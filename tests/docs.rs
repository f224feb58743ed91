//! The pages in docs/ tell the truth: their commands print what they show, their pictures are those that the commands draw, and what
//! they say in percent is what a command prints.
//!
//! With `RETRYSIM_UPDATE=1` in the environment the outputs and the pictures are written anew; the words have to be read again.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A part of a page.
#[derive(Debug, Clone, PartialEq)]
enum Part {
    /// Lines of words.
    Words(String),
    /// The content of a file that the commands use.
    File { name: String, content: String },
    /// Commands, each with what it prints.
    Commands(Vec<(String, String)>),
    /// Another block, in its language.
    Other { language: String, content: String },
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// The pages that people have written: the page of fields is made by a command of its own.
fn pages() -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    for entry in fs::read_dir(docs()).expect("there are pages") {
        let path = entry.expect("an entry can be read").path();
        let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
        if path.extension().is_some_and(|extension| extension == "md") && name != "fields.md" {
            pages.insert(name, fs::read_to_string(&path).expect("a page can be read"));
        }
    }
    assert!(pages.len() > 5, "{pages:?}");
    pages
}

fn parts(page: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = page;
    while let Some((words, after)) = rest.split_once("```") {
        parts.push(Part::Words(words.to_owned()));
        let (language, after) = after.split_once('\n').expect("a block has a first line");
        let (content, after) = after.split_once("```").expect("a block ends");
        rest = after;
        parts.push(match language.split_once(' ') {
            Some((_, name)) => Part::File { name: name.to_owned(), content: content.to_owned() },
            None if language == "console" => Part::Commands(commands(content)),
            None => Part::Other { language: language.to_owned(), content: content.to_owned() },
        });
    }
    parts.push(Part::Words(rest.to_owned()));
    parts
}

fn commands(block: &str) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    for line in block.lines() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command.to_owned(), String::new())),
            (None, Some((_, output))) => *output += &format!("{line}\n"),
            (None, None) => panic!("a block begins with a command, not with {line}"),
        }
    }
    commands
}

/// The page that consists of these parts.
fn written(parts: &[Part]) -> String {
    let part = |part: &Part| match part {
        Part::Words(words) => words.clone(),
        Part::File { name, content } => format!("```toml {name}\n{content}```"),
        Part::Other { language, content } => format!("```{language}\n{content}```"),
        Part::Commands(commands) => {
            let shown: String =
                commands.iter().flat_map(|(command, output)| ["$ ", command, "\n", output]).collect();
            format!("```console\n{shown}```")
        }
    };
    parts.iter().map(part).collect()
}

/// A folder with the shipped scenarios in it.
fn checkout() -> tempfile::TempDir {
    let place = tempfile::tempdir().expect("a temporary folder can be made");
    fs::create_dir(place.path().join("scenarios")).expect("a folder can be made");
    for entry in fs::read_dir(docs().join("../scenarios")).expect("there are scenarios") {
        let path = entry.expect("an entry can be read").path();
        let name = path.file_name().expect("a file has a name");
        fs::copy(&path, place.path().join("scenarios").join(name)).expect("a file can be copied");
    }
    place
}

fn printed(place: &Path, command: &str) -> String {
    let binaries = Path::new(env!("CARGO_BIN_EXE_retrysim")).parent().expect("it is in a folder");
    let path = format!("{}:{}", binaries.display(), std::env::var("PATH").unwrap_or_default());
    let output = Command::new("sh").args(["-c", command]).current_dir(place).env("PATH", path).output();
    let output = output.expect("there is a shell");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {said}");
    String::from_utf8(output.stdout).expect("it is text")
}

/// The pictures of a page: where they stand in docs/, and where a command has drawn them.
fn pictures(page: &str) -> Vec<(String, String)> {
    let links = page.split("](pictures/").skip(1).filter_map(|rest| rest.split_once(')'));
    let pair = |(link, _): (&str, &str)| {
        let (name, source) = link.split_once(" \"").expect("a picture says which command has drawn it");
        (format!("pictures/{name}"), source.trim_end_matches('"').to_owned())
    };
    links.map(pair).collect()
}

/// The shares of a text in percent, as it says them.
fn percentages(text: &str) -> Vec<String> {
    let number = |before: &str| {
        let from = before.rfind(|c: char| !(c.is_ascii_digit() || c == '.')).map_or(0, |at| at + 1);
        before[from..].to_owned()
    };
    text.match_indices(" %").map(|(at, _)| number(&text[..at])).filter(|number| !number.is_empty()).collect()
}

#[test]
fn every_page_shows_what_its_commands_print_and_draw() {
    let update = std::env::var_os("RETRYSIM_UPDATE").is_some();
    for (name, page) in pages() {
        let place = checkout();
        let mut parts = parts(&page);
        for part in &mut parts {
            match part {
                Part::File { name, content } => {
                    fs::write(place.path().join(name), content).expect("a file can be written");
                }
                Part::Commands(commands) => {
                    for (command, shown) in commands {
                        let output = printed(place.path(), command);
                        assert!(update || output == *shown, "docs/{name}: {command} prints\n{output}");
                        *shown = output;
                    }
                }
                Part::Words(_) | Part::Other { .. } => {}
            }
        }
        if update {
            fs::write(docs().join(&name), written(&parts)).expect("a page can be written");
        }
        for (picture, source) in pictures(&page) {
            let drawn = fs::read(place.path().join(&source));
            let drawn = drawn.unwrap_or_else(|error| panic!("docs/{name}: {source}: {error}"));
            let kept = docs().join(&picture);
            if update {
                fs::create_dir_all(docs().join("pictures")).expect("a folder can be made");
                fs::write(&kept, drawn).expect("a picture can be written");
            } else {
                assert!(
                    fs::read(&kept).is_ok_and(|bytes| bytes == drawn),
                    "docs/{picture} is not what {source} is"
                );
            }
        }
    }
}

#[test]
fn what_a_page_says_in_percent_is_printed_on_it() {
    for (name, page) in pages() {
        let parts = parts(&page);
        let printed: String = parts
            .iter()
            .map(|part| match part {
                Part::Commands(commands) => {
                    commands.iter().flat_map(|(command, output)| [command.as_str(), output]).collect()
                }
                Part::File { content, .. } | Part::Other { content, .. } => content.clone(),
                Part::Words(_) => String::new(),
            })
            .collect();
        for part in parts {
            let Part::Words(words) = part else { continue };
            for number in percentages(&words) {
                let share = number.parse::<f64>().map(|percent| format!("{}", percent / 100.0));
                let said = printed.contains(&format!("{number} %"))
                    || share.is_ok_and(|share| printed.contains(&format!(">= {share}")));
                assert!(said, "docs/{name} says {number} %, and no command on it prints that");
            }
        }
    }
}

#[test]
fn every_picture_is_on_a_page_and_every_link_leads_somewhere() {
    let mut shown = Vec::new();
    for (name, page) in pages() {
        shown.extend(pictures(&page).into_iter().map(|(picture, _)| picture));
        for link in page.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
            let file = link.split([' ', '#']).next().unwrap_or_default();
            let there = file.is_empty() || file.contains("://") || docs().join(file).exists();
            assert!(there, "docs/{name}: {link} leads nowhere");
        }
    }
    for entry in fs::read_dir(docs().join("pictures")).expect("there are pictures") {
        let name = entry.expect("an entry can be read").file_name().to_string_lossy().into_owned();
        assert!(shown.contains(&format!("pictures/{name}")), "docs/pictures/{name} is on no page");
    }
}

#[test]
fn a_page_is_taken_apart_and_put_together_again() {
    let page =
        "words\n```toml a.toml\nx = 1\n```\n```console\n$ one\nsays\n$ two\n```\n```python\npass\n```\nend";
    let taken = parts(page);
    assert_eq!(written(&taken), page);
    assert_eq!(
        taken[3],
        Part::Commands(vec![("one".into(), "says\n".into()), ("two".into(), String::new())])
    );
    assert_eq!(percentages("up to 99.5 % of it, not 3%, and 7 %"), ["99.5", "7"]);
    assert_eq!(
        pictures("![a](pictures/b.svg \"output/b.svg\")"),
        [("pictures/b.svg".into(), "output/b.svg".into())]
    );
}
