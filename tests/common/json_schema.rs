//! JSON Schema, as much of it as the schema of scenarios is made of. Whatever else it might say is an error, not a pass.

use serde_json::{Map, Value};

/// What is wrong with `value`; nothing if it is valid.
pub(crate) fn problems(schema: &Value, value: &Value) -> Vec<String> {
    Check { root: schema }.value(schema, value, "")
}

struct Check<'s> {
    root: &'s Value,
}

impl Check<'_> {
    fn value(&self, schema: &Value, value: &Value, path: &str) -> Vec<String> {
        let rules = match schema {
            Value::Bool(true) => return Vec::new(),
            Value::Object(rules) => rules,
            other => panic!("{other} is no schema"),
        };
        rules.iter().flat_map(|(keyword, rule)| self.rule(rules, keyword, rule, value, path)).collect()
    }

    fn holds(&self, schema: &Value, value: &Value) -> bool {
        self.value(schema, value, "").is_empty()
    }

    fn rule(
        &self,
        rules: &Map<String, Value>,
        keyword: &str,
        rule: &Value,
        value: &Value,
        path: &str,
    ) -> Vec<String> {
        let unless = |sound: bool| {
            if sound { Vec::new() } else { vec![format!("{path}: {value} breaks {keyword} {rule}")] }
        };
        let (table, list, text) = (value.as_object(), value.as_array(), value.as_str());
        match keyword {
            "$schema" | "$defs" | "title" | "description" | "default" | "then" | "else" => Vec::new(),
            "$ref" => {
                let name =
                    rule.as_str().and_then(|place| place.strip_prefix("#/$defs/")).expect("a place of ours");
                let there = self.root["$defs"].get(name).unwrap_or_else(|| panic!("there is no {name}"));
                self.value(there, value, path)
            }
            "type" => unless(match rule {
                Value::String(kind) => is(kind, value),
                kinds => list_of(kinds).iter().any(|kind| is(kind.as_str().expect("a name"), value)),
            }),
            "const" => unless(value == rule),
            "enum" => unless(list_of(rule).contains(value)),
            "minimum" => {
                unless(value.as_f64().is_none_or(|number| number >= rule.as_f64().expect("a number")))
            }
            "maximum" => {
                unless(value.as_f64().is_none_or(|number| number <= rule.as_f64().expect("a number")))
            }
            "pattern" => unless(text.is_none_or(|text| matches(rule.as_str().expect("a pattern"), text))),
            "anyOf" => unless(list_of(rule).iter().any(|form| self.holds(form, value))),
            "oneOf" => unless(list_of(rule).iter().filter(|form| self.holds(form, value)).count() == 1),
            "allOf" => list_of(rule).iter().flat_map(|part| self.value(part, value, path)).collect(),
            "if" => {
                let branch = rules.get(if self.holds(rule, value) { "then" } else { "else" });
                branch.map(|branch| self.value(branch, value, path)).unwrap_or_default()
            }
            "required" => {
                let missing = |name: &&Value| {
                    table.is_some_and(|table| !table.contains_key(name.as_str().expect("a name")))
                };
                let missing = list_of(rule).iter().filter(missing);
                missing.map(|name| format!("{path}: {name} is missing")).collect()
            }
            "properties" => {
                let there = |(name, value): (&String, &Value)| {
                    rule.get(name).map(|schema| self.value(schema, value, &format!("{path}/{name}")))
                };
                table.into_iter().flatten().filter_map(there).flatten().collect()
            }
            "additionalProperties" => {
                let others = table
                    .into_iter()
                    .flatten()
                    .filter(|(name, _)| rules.get("properties").is_none_or(|p| p.get(name).is_none()));
                let check = |(name, value): (&String, &Value)| match rule {
                    Value::Bool(false) => vec![format!("{path}: {name} is unknown")],
                    schema => self.value(schema, value, &format!("{path}/{name}")),
                };
                others.flat_map(check).collect()
            }
            "propertyNames" => {
                let names = table.into_iter().flatten().map(|(name, _)| Value::from(name.as_str()));
                names.flat_map(|name| self.value(rule, &name, &format!("{path}/{name}"))).collect()
            }
            "minProperties" => {
                unless(table.is_none_or(|table| table.len() as u64 >= rule.as_u64().expect("a number")))
            }
            "items" => {
                let first = rules.get("prefixItems").map_or(0, |items| list_of(items).len());
                let items = list.into_iter().flatten().enumerate().skip(first);
                items.flat_map(|(index, item)| self.value(rule, item, &format!("{path}/{index}"))).collect()
            }
            "prefixItems" => {
                let items = list.into_iter().flatten().zip(list_of(rule)).enumerate();
                items
                    .flat_map(|(index, (item, schema))| self.value(schema, item, &format!("{path}/{index}")))
                    .collect()
            }
            "minItems" => {
                unless(list.is_none_or(|list| list.len() as u64 >= rule.as_u64().expect("a number")))
            }
            "maxItems" => {
                unless(list.is_none_or(|list| list.len() as u64 <= rule.as_u64().expect("a number")))
            }
            "uniqueItems" => {
                unless(list.is_none_or(|list| (1..list.len()).all(|end| !list[..end].contains(&list[end]))))
            }
            other => panic!("{path}: nobody here knows the keyword {other}"),
        }
    }
}

fn list_of(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list"))
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("there is no type {other}"),
    }
}

/// A regular expression, as far as the schema's go: `^`, `$`, `.`, `\s`, `\.`, classes, groups, `|`, `?`, `*`, `+`, `{n,m}`.
enum Node {
    One(Vec<(char, char)>, bool),
    Start,
    End,
    Group(Vec<Vec<Repeated>>),
}

struct Repeated {
    node: Node,
    least: usize,
    most: usize,
}

/// True if `pattern`, which begins with `^`, matches `text`.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    assert!(pattern.starts_with('^'), "{pattern} may begin anywhere");
    let pattern: Vec<char> = pattern.chars().collect();
    let mut at = 0;
    let whole = alternatives(&pattern, &mut at);
    assert_eq!(at, pattern.len(), "a parenthesis too many");
    let text: Vec<char> = text.chars().collect();
    one(&Node::Group(whole), &text, 0, &mut |_| true)
}

fn alternatives(pattern: &[char], at: &mut usize) -> Vec<Vec<Repeated>> {
    let mut all = vec![Vec::new()];
    while *at < pattern.len() && pattern[*at] != ')' {
        if pattern[*at] == '|' {
            *at += 1;
            all.push(Vec::new());
            continue;
        }
        let node = atom(pattern, at);
        let (least, most) = quantifier(pattern, at);
        all.last_mut().expect("there is one").push(Repeated { node, least, most });
    }
    all
}

fn atom(pattern: &[char], at: &mut usize) -> Node {
    let sign = pattern[*at];
    *at += 1;
    match sign {
        '^' => Node::Start,
        '$' => Node::End,
        '.' => Node::One(Vec::new(), false),
        '\\' => Node::One(escaped(pattern, at), true),
        '(' => {
            let group = alternatives(pattern, at);
            *at += 1;
            Node::Group(group)
        }
        '[' => {
            let wanted = pattern[*at] != '^';
            *at += usize::from(!wanted);
            let mut ranges = Vec::new();
            while pattern[*at] != ']' {
                let first = pattern[*at];
                *at += 1;
                if first == '\\' {
                    ranges.extend(escaped(pattern, at));
                } else if pattern[*at] == '-' && pattern[*at + 1] != ']' {
                    ranges.push((first, pattern[*at + 1]));
                    *at += 2;
                } else {
                    ranges.push((first, first));
                }
            }
            *at += 1;
            Node::One(ranges, wanted)
        }
        plain => Node::One(vec![(plain, plain)], true),
    }
}

fn escaped(pattern: &[char], at: &mut usize) -> Vec<(char, char)> {
    let sign = pattern[*at];
    *at += 1;
    if sign == 's' { vec![(' ', ' '), ('\t', '\r')] } else { vec![(sign, sign)] }
}

fn quantifier(pattern: &[char], at: &mut usize) -> (usize, usize) {
    let (least, most) = match pattern.get(*at) {
        Some('?') => (0, 1),
        Some('*') => (0, usize::MAX),
        Some('+') => (1, usize::MAX),
        Some('{') => {
            let end = pattern[*at..].iter().position(|&sign| sign == '}').expect("it ends");
            let inside: String = pattern[*at + 1..*at + end].iter().collect();
            *at += end + 1;
            let (least, most) = inside.split_once(',').unwrap_or((&inside, &inside));
            return (least.parse().expect("a number"), most.parse().expect("a number"));
        }
        _ => return (1, 1),
    };
    *at += 1;
    (least, most)
}

fn one(node: &Node, text: &[char], at: usize, then: &mut dyn FnMut(usize) -> bool) -> bool {
    match node {
        Node::Start => at == 0 && then(at),
        Node::End => at == text.len() && then(at),
        Node::One(ranges, wanted) => {
            let fits = |sign: &char| ranges.iter().any(|(low, high)| low <= sign && sign <= high) == *wanted;
            text.get(at).is_some_and(fits) && then(at + 1)
        }
        Node::Group(all) => all.iter().any(|parts| sequence(parts, 0, text, at, then)),
    }
}

/// Matches the parts, of the first of which there were `done` already.
fn sequence(
    parts: &[Repeated],
    done: usize,
    text: &[char],
    at: usize,
    then: &mut dyn FnMut(usize) -> bool,
) -> bool {
    let Some((first, others)) = parts.split_first() else { return then(at) };
    let more = done < first.most
        && one(&first.node, text, at, &mut |next| {
            (next > at || done < first.least) && sequence(parts, done + 1, text, next, then)
        });
    more || (done >= first.least && sequence(others, 0, text, at, then))
}
