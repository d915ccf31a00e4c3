//! Cutting and naming text for people and models.
//!
//! Invariant: a cut never splits a character.

/// The longest head of `text` that has at most `bytes` bytes.
pub fn head(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// `1 message`, `2 messages`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
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
