//! Text as markup: whatever a scenario calls its parts, a page shows it as it is written.

/// `text` with the characters that mean something to HTML and SVG as entities, and without those that mean nothing.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            '\n' | '\t' => out.push(letter),
            letter if letter.is_control() || matches!(letter, '\u{FFFE}' | '\u{FFFF}') => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

/// What `of` makes of each of the items, one after the other.
pub(super) fn each<T>(items: impl IntoIterator<Item = T>, of: impl Fn(T) -> String) -> String {
    items.into_iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_text() {
        assert_eq!(escaped("<a href='x'>&\"\u{1}é"), "&lt;a href=&#39;x&#39;&gt;&amp;&quot; é");
    }
}
