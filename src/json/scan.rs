//! A shallow scan of JSON text: bounds first, then the raw text of members.
//!
//! Invariant: no recursion and no allocation per value; the scan pairs strings
//! and brackets and leaves the grammar of what it skips to `value`.

use std::borrow::Cow;

use super::string::{decode, end_of_string, note_unpaired};
use crate::limits::JSON_DEPTH;

/// Why a text was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not valid UTF-8.
    Encoding,
    /// Nested deeper than [`JSON_DEPTH`].
    Depth,
    /// Not JSON.
    Syntax,
}

/// The raw text of one value.
#[derive(Clone, Copy)]
pub struct Raw<'a> {
    pub text: &'a str,
    /// Whether it is a string that stands for just what is between its quotes.
    as_is: bool,
}

impl<'a> Raw<'a> {
    /// The text that a string stands for; `None` when it is no well-formed one.
    pub fn str(self) -> Option<Cow<'a, str>> {
        match self.as_is {
            true => Some(Cow::Borrowed(&self.text[1..self.text.len() - 1])),
            false => decode(self.text),
        }
    }
}

/// Checks encoding and depth of one JSON text and replaces escapes of unpaired
/// surrogates (which some hosts send when they cut a text inside an emoji) by
/// `\ufffd`.
pub fn bounded(bytes: &[u8]) -> Result<Cow<'_, str>, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|_| Fault::Encoding)?;
    let mut depth = 0usize;
    let mut at = 0;
    let mut unpaired = Vec::new();
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                let (end, as_is) = end_of_string(bytes, at).ok_or(Fault::Syntax)?;
                if !as_is {
                    note_unpaired(bytes, at, end, &mut unpaired);
                }
                at = end;
            }
            b'[' | b'{' => {
                depth += 1;
                if depth > JSON_DEPTH {
                    return Err(Fault::Depth);
                }
                at += 1;
            }
            b']' | b'}' => {
                depth = depth.checked_sub(1).ok_or(Fault::Syntax)?;
                at += 1;
            }
            _ => at += 1,
        }
    }
    if depth != 0 {
        return Err(Fault::Syntax);
    }
    if unpaired.is_empty() {
        return Ok(Cow::Borrowed(text));
    }
    let mut repaired = text.to_owned();
    for at in unpaired {
        repaired.replace_range(at..at + 6, "\\ufffd");
    }
    Ok(Cow::Owned(repaired))
}

/// The members of an object, in order, duplicates included. Keys written with
/// escapes stand decoded.
pub struct Members<'a>(Vec<(Cow<'a, str>, Raw<'a>)>);

impl<'a> Members<'a> {
    /// How many members have this key.
    pub fn count(&self, key: &str) -> usize {
        self.0.iter().filter(|(name, _)| name == key).count()
    }

    /// The value of the first member with this key.
    pub fn get(&self, key: &str) -> Option<Raw<'a>> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, raw)| *raw)
    }

    /// That value, where it is a string.
    pub fn str(&self, key: &str) -> Option<Cow<'a, str>> {
        self.get(key)?.str()
    }
}

/// The members of a JSON object. `None` when the text is not an object; nesting
/// inside a value is skipped at any depth.
pub fn members(text: &str) -> Option<Members<'_>> {
    let mut found = Vec::new();
    each_member(text, &mut |key, raw| found.push((key.clone(), raw)))?;
    Some(Members(found))
}

/// As [`members`], of a text that may be cut short or broken: what can be read
/// before the break.
pub fn leading_members(text: &str) -> Members<'_> {
    let mut found = Vec::new();
    let _ = each_member(text, &mut |key, raw| found.push((key.clone(), raw)));
    Members(found)
}

/// As [`members`], each shown as it is read; what comes before a break is shown,
/// too.
pub fn each_member<'a>(text: &'a str, show: &mut dyn FnMut(&Cow<'a, str>, Raw<'a>)) -> Option<()> {
    let bytes = text.as_bytes();
    let mut at = skip_space(bytes, 0);
    if *bytes.get(at)? != b'{' {
        return None;
    }
    at = skip_space(bytes, at + 1);
    if bytes.get(at) == Some(&b'}') {
        return (skip_space(bytes, at + 1) == bytes.len()).then_some(());
    }
    loop {
        if bytes.get(at) != Some(&b'"') {
            return None;
        }
        let (end, as_is) = end_of_string(bytes, at)?;
        let key = Raw { text: &text[at..end], as_is }.str()?;
        at = skip_space(bytes, end);
        if bytes.get(at) != Some(&b':') {
            return None;
        }
        at = skip_space(bytes, at + 1);
        let (end, as_is) = match bytes.get(at)? {
            b'"' => end_of_string(bytes, at)?,
            _ => (skip_value(bytes, at)?, false),
        };
        if end == bytes.len() && !matches!(bytes[end - 1], b'"' | b'}' | b']') {
            return None; // a number or word that may go on where the text was cut
        }
        show(&key, Raw { text: &text[at..end], as_is });
        at = skip_space(bytes, end);
        match bytes.get(at)? {
            b',' => at = skip_space(bytes, at + 1),
            b'}' => return (skip_space(bytes, at + 1) == bytes.len()).then_some(()),
            _ => return None,
        }
    }
}

/// The raw texts of a JSON array's elements; `None` when it is not an array.
pub fn items(text: &str) -> Option<Vec<&str>> {
    let bytes = text.as_bytes();
    let mut at = skip_space(bytes, 0);
    if bytes.get(at) != Some(&b'[') {
        return None;
    }
    let mut found = Vec::new();
    at = skip_space(bytes, at + 1);
    while bytes.get(at)? != &b']' {
        let end = skip_value(bytes, at)?;
        found.push(&text[at..end]);
        at = skip_space(bytes, end);
        if bytes.get(at) == Some(&b',') {
            at = skip_space(bytes, at + 1);
        }
    }
    Some(found)
}

pub(super) fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
        at += 1;
    }
    at
}

/// The end of the value at `at`: a string, a bracketed value, or a bare word.
fn skip_value(bytes: &[u8], mut at: usize) -> Option<usize> {
    let start = at;
    let mut depth = 0usize;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => (at, _) = end_of_string(bytes, at)?,
            b'[' | b'{' => {
                depth += 1;
                at += 1;
                continue;
            }
            b']' | b'}' if depth > 0 => {
                depth -= 1;
                at += 1;
            }
            b']' | b'}' | b',' if depth == 0 => break,
            b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => break,
            _ => {
                at += 1;
                continue;
            }
        }
        if depth == 0 {
            return Some(at);
        }
    }
    (depth == 0 && at > start).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_bounded_without_recursion() {
        let deep = "[".repeat(5_000_000);
        assert_eq!(bounded(deep.as_bytes()), Err(Fault::Depth));
        let nested = format!("{}1{}", "[".repeat(JSON_DEPTH), "]".repeat(JSON_DEPTH));
        assert!(bounded(nested.as_bytes()).is_ok());
    }

    #[test]
    fn brackets_inside_strings_do_not_count() {
        let text = format!("{{\"a\":\"{}\"}}", "[{\\\"".repeat(1000));
        assert!(bounded(text.as_bytes()).is_ok());
    }

    #[test]
    fn unpaired_surrogates_are_replaced_and_pairs_kept() {
        let text = bounded(br#"["\ud83d","\ude00\ud83d","\ud83d\ude00","\\ud83d"]"#).unwrap();
        assert_eq!(text, r#"["\ufffd","\ufffd\ufffd","\ud83d\ude00","\\ud83d"]"#);
    }

    #[test]
    fn a_number_at_the_cut_is_not_read() {
        let first = |text| leading_members(text).get("id").map(|raw| raw.text);
        assert_eq!(first(r#"{"id":12"#), None);
        assert_eq!(first(r#"{"id":12,"#), Some("12"));
        assert_eq!(first(r#"{"id":"a""#), Some("\"a\""));
    }

    #[test]
    fn members_keep_raw_values() {
        let found = members(r#" {"id": 9007199254740993, "a\u0062": [1,{"x":"}"}], "c":"d\"e" } "#).unwrap();
        let raw: Vec<_> = found.0.iter().map(|(key, value)| (key.as_ref(), value.text)).collect();
        assert_eq!(raw, [("id", "9007199254740993"), ("ab", r#"[1,{"x":"}"}]"#), ("c", r#""d\"e""#)]);
    }

    #[test]
    fn broken_objects_are_refused() {
        for text in
            ["", "{", "[]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":1}x", "{\"a\":1", "{\"a\":\"b}"]
        {
            assert!(members(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_cut_object_gives_what_stands_before_the_cut() {
        let found = leading_members(r#"{"a":1,"b":"x","c":{"d":"#);
        assert_eq!(found.0.len(), 2);
        assert_eq!(found.get("b").unwrap().text, "\"x\"");
    }
}
