//! JSON strings: where one ends, and the text it stands for.
//!
//! Invariant: what is decoded is a string by the letter of the grammar; whatever
//! the bytes are, nothing here reads past their end.

use std::borrow::Cow;

/// Decodes the raw text of a JSON string, quotes included. `None` when it is not
/// a well-formed string.
pub fn decode(raw: &str) -> Option<Cow<'_, str>> {
    let [b'"', .., b'"'] = raw.as_bytes() else { return None };
    let inner = &raw[1..raw.len() - 1];
    let bytes = inner.as_bytes();
    let mut at = plain(bytes, 0);
    while bytes.get(at).is_some_and(|byte| *byte >= 0x7f) {
        at = plain(bytes, at + 1);
    }
    if at == bytes.len() {
        return Some(Cow::Borrowed(inner));
    }
    is_string(raw).then(|| Cow::Owned(unescape(inner)))
}

/// The text that a well-formed string stands for. Half a surrogate pair is
/// U+FFFD.
fn unescape(inner: &str) -> String {
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let (character, length) = match rest.as_bytes()[at + 1] {
            b'b' => ('\u{8}', 2),
            b'f' => ('\u{c}', 2),
            b'n' => ('\n', 2),
            b'r' => ('\r', 2),
            b't' => ('\t', 2),
            b'u' => escaped_character(rest.as_bytes(), at),
            other => (char::from(other), 2),
        };
        text.push(character);
        rest = &rest[at + length..];
    }
    text + rest
}

/// The character that the `\uXXXX`, or two of them, at `at` stand for, and how
/// many bytes they take.
fn escaped_character(bytes: &[u8], at: usize) -> (char, usize) {
    let units = [escaped_unit(bytes, at), escaped_unit(bytes, at + 6)].map(Option::unwrap_or_default);
    match char::decode_utf16(units).next() {
        Some(Ok(character)) => (character, 6 * character.len_utf16()),
        _ => (char::REPLACEMENT_CHARACTER, 6),
    }
}

/// Whether the text is one JSON string by the letter of the grammar.
pub fn is_string(raw: &str) -> bool {
    let Some(inner) = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return false };
    let bytes = inner.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += match (byte, bytes.get(at + 1)) {
            (b'"' | 0..=0x1f, _) => return false,
            (b'\\', Some(b'u')) => match bytes.get(at + 2..at + 6) {
                Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => 6,
                _ => return false,
            },
            (b'\\', Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')) => 2,
            (b'\\', _) => return false,
            _ => 1,
        };
    }
    true
}

/// Where, from `at` on, the first byte stands that is not plain: a quote, a
/// backslash, a control character or no ASCII. Eight bytes are looked at at once.
pub(super) fn plain(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const TOPS: u64 = ONES << 7;
    // The lowest top bit that these set marks a byte that is zero, or below `least`.
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let below = |word: u64, least: u8| word.wrapping_sub(ONES * u64::from(least)) & !word;
    let is = |word: u64, byte: u8| zero(word ^ (ONES * u64::from(byte)));
    while let Some(eight) = bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok()) {
        let word = u64::from_le_bytes(eight);
        let found = (word | below(word, b' ') | is(word, b'"') | is(word, b'\\') | is(word, 0x7f)) & TOPS;
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')).count()
}

/// The end of the string whose opening quote is at `at`, and whether it stands
/// for just the text between its quotes.
pub(super) fn end_of_string(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
    let (mut at, mut as_is) = (at + 1, true);
    loop {
        at = plain(bytes, at);
        let byte = *bytes.get(at)?;
        at += 1;
        match byte {
            b'"' => return Some((at, as_is)),
            b'\\' => {
                as_is = false;
                at += 1;
            }
            _ => as_is &= byte >= b' ',
        }
    }
}

/// Notes the offset of each escape of a surrogate without its partner, in the
/// string from `at` to `end`.
pub(super) fn note_unpaired(bytes: &[u8], at: usize, end: usize, unpaired: &mut Vec<usize>) {
    let mut at = plain(bytes, at + 1);
    while at < end {
        let unit = escaped_unit(bytes, at);
        let low_follows = || escaped_unit(bytes, at + 6).is_some_and(|next| (0xDC00..0xE000).contains(&next));
        let length = match (bytes[at], unit) {
            (b'\\', Some(0xD800..0xDC00)) if low_follows() => 12,
            (b'\\', Some(0xD800..0xE000)) => {
                unpaired.push(at);
                2
            }
            (b'\\', _) => 2,
            _ => 1,
        };
        at = plain(bytes, at + length);
    }
}

/// The UTF-16 unit that a `\uXXXX` escape at `at` stands for.
fn escaped_unit(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)? as u16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_told_by_the_letter() {
        for good in [r#""""#, r#""ü \u00e9 \" \\ \/ \b\f\n\r\t""#, r#""\ud83d""#] {
            assert!(is_string(good), "{good}");
        }
        for bad in ["\"", "x", "\"\t\"", r#""\q""#, r#""\u 0 0 4 1""#, r#""\u00""#, r#""\""#, r#""a" "b""#] {
            assert!(!is_string(bad), "{bad}");
        }
    }

    #[test]
    fn plain_stops_at_whatever_is_not() {
        for special in 0..=255u8 {
            for before in 0..20 {
                let text = [&vec![b'a'; before], &[special][..], b"\"\n\xffzzzzzzzz"].concat();
                let is_plain = matches!(special, b' '..=b'~') && special != b'"' && special != b'\\';
                assert_eq!(plain(&text, 0), before + usize::from(is_plain), "{special} after {before}");
            }
        }
        assert_eq!((plain(b"abc", 3), plain(b"abc", 1), plain(b"", 9)), (3, 3, 9));
    }

    #[test]
    fn escapes_are_decoded() {
        let raw = r#""a\nb\t\"\\\/\b\f\r \u00e9 \u0000 \ud83d\ude00 \ud83d \ude00x ü""#;
        let text = "a\nb\t\"\\/\u{8}\u{c}\r é \0 😀 \u{fffd} \u{fffd}x ü";
        assert_eq!(decode(raw).unwrap(), text);
        for broken in [r#""\u12""#, r#""\u12g4""#, r#""\x""#, r#""a\""#] {
            assert!(decode(broken).is_none(), "{broken}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_others_write_reads_back(text in proptest::collection::vec(proptest::char::any(), 0..40)) {
            let text: String = text.into_iter().collect();
            let units: String = text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
            for raw in [serde_json::to_string(&text).unwrap(), format!("\"{units}\"")] {
                proptest::prop_assert_eq!(decode(&raw).unwrap(), text.as_str());
            }
        }
    }

    #[test]
    fn control_characters_are_not_a_string() {
        assert!(decode("\"a\0b\"").is_none());
        assert!(decode("\"a\nb\"").is_none());
        assert_eq!(decode(r#""a\nb""#).unwrap(), "a\nb");
    }
}
