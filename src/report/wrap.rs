//! Text in lines, for terminals.

/// Lines of at most `width` characters, broken between words.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                *line += &format!(" {word}");
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Wrapped text with `head` before its first line and as much room before the others.
pub fn below(head: &str, text: &str, width: usize) -> String {
    /// Narrower than this is no use to anybody.
    const NARROWEST: usize = 40;
    let indent = head.chars().count();
    let lines = wrap(text, width.saturating_sub(indent).max(NARROWEST));
    let line = |(index, line): (usize, &String)| {
        let before = if index == 0 { head.to_owned() } else { " ".repeat(indent) };
        format!("{before}{line}\n")
    };
    lines.iter().enumerate().map(line).collect()
}
