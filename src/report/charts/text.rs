//! How much room words take. Nobody knows the reader's fonts, so widths are those of a wide one.

/// Ticks, labels, legends.
pub(super) const SMALL: f64 = 11.0;
/// Names of panels.
pub(super) const NAME: f64 = 13.0;
/// The question.
pub(super) const TITLE: f64 = 18.0;

/// How much wider bold letters are.
pub(super) const BOLD: f64 = 1.1;

/// The room that `words` take, in pixels.
pub(super) fn width(words: &str, size: f64) -> f64 {
    words.chars().map(|c| size * em(c)).sum()
}

/// The width of a letter in a wide sans-serif font, in ems.
fn em(letter: char) -> f64 {
    match letter {
        'i' | 'j' | 'l' | 'I' | ' ' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | '(' | ')' | 'f' | 't'
        | 'r' | '/' => 0.38,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.98,
        'A'..='Z' => 0.74,
        '\u{1100}'.. => 1.0,
        _ => 0.63,
    }
}

/// `words` cut in their middle to fit `room`, because names differ at their ends at least as often as at their beginnings.
pub(super) fn shorten(words: &str, size: f64, room: f64) -> String {
    if width(words, size) <= room {
        return words.to_owned();
    }
    let letters: Vec<char> = words.chars().collect();
    let cut = |kept: usize| {
        let (head, tail) = (kept.div_ceil(2), kept / 2);
        let (head, tail) = (&letters[..head], &letters[letters.len() - tail..]);
        head.iter().chain(&['…']).chain(tail).collect::<String>()
    };
    (0..letters.len()).rev().map(cut).find(|text| width(text, size) <= room).unwrap_or_else(|| "…".into())
}

/// `words` in lines of at most `room`, at most `most` of them; what does not fit is cut.
pub(super) fn wrap(words: &str, size: f64, room: f64, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split_whitespace() {
        let full = lines.len() >= most;
        match lines.last_mut() {
            Some(line) if full || width(line, size) + width(" ", size) + width(word, size) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.iter().map(|line| shorten(line, size, room)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_keep_both_ends() {
        assert_eq!(shorten("full-jitter", 10.0, 200.0), "full-jitter");
        let short = shorten("exponential-backoff-with-jitter-a", 10.0, 100.0);
        assert!(short.starts_with("expo") && short.ends_with("-a") && short.contains('…'), "{short}");
        assert!(width(&short, 10.0) <= 100.0);
        assert_eq!(shorten("日本語の長い名前", 10.0, 35.0), "日本…".replace("本…", "…前"));
        assert_eq!(shorten("abc", 10.0, 0.0), "…");
    }

    #[test]
    fn long_questions_are_wrapped_and_endless_ones_cut() {
        assert_eq!(wrap("one two  three", 10.0, 55.0, 3), ["one two", "three"]);
        let lines = wrap(&"word ".repeat(100), 10.0, 100.0, 2);
        assert_eq!(lines.len(), 2);
        assert!(lines[1].contains('…'));
        assert!(wrap("", 10.0, 100.0, 2).is_empty());
    }
}
