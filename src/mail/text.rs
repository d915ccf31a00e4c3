//! Cutting, naming and summing text for people and models.
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

/// FNV-1a, 64 bits: tells one text from the next where nobody tries to deceive.
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
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
