//! The verdicts as JUnit XML, which every build server reads: a test case per expectation.

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};

use super::terminal::{few_alike, outcome};
use crate::experiment::Verdict;
use crate::scenario::Scenario;

/// The verdicts of a run: what is not known to hold has failed; what is known by little says so in its output.
pub fn junit(scenario: &Scenario, verdicts: &[Verdict]) -> Vec<u8> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    let mut write = |event: Event<'_>| writer.write_event(event).expect("memory takes every byte");
    write(Event::Decl(quick_xml::events::BytesDecl::new("1.0", Some("UTF-8"), None)));
    let failures = verdicts.iter().filter(|verdict| !verdict.met()).count().to_string();
    let tests = verdicts.len().to_string();
    write(Event::Start(BytesStart::new("testsuites")));
    let suite = BytesStart::new("testsuite").with_attributes([
        ("name", scenario.title.as_str()),
        ("tests", tests.as_str()),
        ("failures", failures.as_str()),
        ("errors", "0"),
    ]);
    write(Event::Start(suite));
    for verdict in verdicts {
        let case = BytesStart::new("testcase")
            .with_attributes([("classname", scenario.name.as_str()), ("name", verdict.text.as_str())]);
        if verdict.met() && few_alike(verdict).is_none() {
            write(Event::Empty(case));
            continue;
        }
        let (mark, measured) = outcome(verdict);
        let element = if verdict.met() {
            BytesStart::new("system-out")
        } else {
            BytesStart::new("failure").with_attributes([("message", mark), ("type", mark)])
        };
        let said = format!("{}: {mark} ({measured})", verdict.text);
        write(Event::Start(case));
        write(Event::Start(element.borrow()));
        write(Event::Text(BytesText::new(&said)));
        write(Event::End(element.to_end()));
        write(Event::End(BytesEnd::new("testcase")));
    }
    write(Event::End(BytesEnd::new("testsuite")));
    write(Event::End(BytesEnd::new("testsuites")));
    let mut bytes = writer.into_inner();
    bytes.push(b'\n');
    bytes
}
