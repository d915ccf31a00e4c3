//! Cutting, naming and summing text for people and models.
//!
//! Invariant: a cut never splits a character.

use std::borrow::Cow;

/// The longest head of `text` that has at most `bytes` bytes.
pub fn head(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// `1 message`, `2 messages`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// FNV-1a, 64 bits: tells one text from the next where nobody tries to deceive.
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The first `most` characters of a text, each as `change` makes it.
pub fn changed(text: &str, most: usize, change: fn(char) -> char) -> String {
    text.chars().take(most).map(change).collect()
}

/// The text on one line with nothing in it that steers a terminal or is not seen.
pub fn visible(text: &str) -> Cow<'_, str> {
    match text.contains(steers) {
        false => Cow::Borrowed(text),
        true => Cow::Owned(changed(text, usize::MAX, |c| if steers(c) { '\u{fffd}' } else { c })),
    }
}

fn steers(c: char) -> bool {
    c.is_control() || is_hidden(c)
}

/// Whether a character is invisible or turns the reading direction: what Unicode
/// calls default ignorable, but for the joiners and the two selectors that scripts
/// and emoji are written with.
pub fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_ends_at_a_character() {
        assert_eq!(head("aé🦀", 3), "aé");
        assert_eq!(head("aé🦀", 2), "a");
        assert_eq!(head("aé", 99), "aé");
    }
}
