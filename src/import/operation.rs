//! Operations: what requests have in common whose paths differ only in which thing they are about.

/// The longest name of an operation, in characters.
const MAX_CHARACTERS: usize = 120;

/// Host and rest of a URL; the host is empty if it has none. User and password are no part of either.
pub(super) fn split(url: &str) -> (&str, &str) {
    let Some((scheme, rest)) = url.split_once("://") else { return ("", url) };
    if scheme.is_empty() || !scheme.chars().all(|c| c.is_ascii_alphanumeric()) {
        return ("", url);
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    (authority.rsplit('@').next().unwrap_or_default(), path)
}

/// The path of `rest` without query and fragment, where what looks like the name of one thing is `{id}`: a number, a UUID, a hash or
/// token (16 characters or more of letters, digits, `-` and `_` with a digit among them), and what has an `@` in it.
pub(super) fn path(rest: &str) -> String {
    let path = &rest[..rest.find(['?', '#']).unwrap_or(rest.len())];
    let segments = path.split('/').map(|segment| if is_id(segment) { "{id}" } else { segment });
    let mut name = segments.collect::<Vec<_>>().join("/");
    if name.is_empty() {
        name.push('/');
    }
    tidy(&name)
}

/// `name` without control characters, cut to a length that a table can show.
pub(super) fn tidy(name: &str) -> String {
    let clean = |c: char| if c.is_control() || c.is_whitespace() { '_' } else { c };
    if name.chars().count() <= MAX_CHARACTERS {
        return name.chars().map(clean).collect();
    }
    name.chars().take(MAX_CHARACTERS - 3).map(clean).chain("...".chars()).collect()
}

fn is_id(segment: &str) -> bool {
    let has_digit = segment.bytes().any(|byte| byte.is_ascii_digit());
    let is_token = segment.len() >= 16
        && has_digit
        && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let is_number = has_digit && segment.bytes().all(|byte| byte.is_ascii_digit());
    is_number || is_token || segment.contains('@') || segment.contains("%40")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_operations() {
        for (url, host, operation) in [
            ("/v1/users/35?fields=name", "", "/v1/users/{id}"),
            (
                "https://a.example:8443/v1/orders/0f8fad5b-d9cb-469f-a165-70867728950e/items",
                "a.example:8443",
                "/v1/orders/{id}/items",
            ),
            ("http://user:secret@b.example", "b.example", "/"),
            ("http://b.example?token=1", "b.example", "/"),
            ("/v2/things", "", "/v2/things"),
            ("/u/jo@example.com/x", "", "/u/{id}/x"),
            ("/commit/da39a3ee5e6b4b0d3255bfef95601890afd80709", "", "/commit/{id}"),
            ("/a-name-without-any-digit-in-it", "", "/a-name-without-any-digit-in-it"),
            ("*", "", "*"),
            ("/a\u{7}b c", "", "/a_b_c"),
        ] {
            let (found, rest) = split(url);
            assert_eq!((found, path(rest).as_str()), (host, operation), "{url}");
        }
        assert_eq!(path(&"/x".repeat(1000)).chars().count(), MAX_CHARACTERS);
    }
}
