//! Where the parts of a JSON text stand, comments and trailing commas allowed:
//! what hosts keep their settings in.
//!
//! Invariant: the whole of a text is checked before a place in it is told; a text
//! that is not understood gives `None`.

use super::string::decode;
use crate::limits::JSON_DEPTH;

/// A value's place in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    /// What stands there in the text.
    pub fn of(self, text: &str) -> &str {
        &text[self.start..self.end]
    }
}

/// A member of an object, or an element of an array (whose key is empty).
pub struct Child {
    pub key: String,
    pub whole: Span,
    pub value: Span,
}

/// The value at a path of member names; the outer `None` is a text that is not
/// understood.
pub fn find(text: &str, path: &[&str]) -> Option<Option<Span>> {
    if text.trim().is_empty() {
        return Some(None);
    }
    let mut span = root(text)?;
    for key in path {
        match member(text, span, key)? {
            Some(value) => span = value,
            None => return Some(None),
        }
    }
    Some(Some(span))
}

/// The value of an object's member; the outer `None`: it is no object, or has
/// the member twice.
pub fn member(text: &str, object: Span, key: &str) -> Option<Option<Span>> {
    if !text[object.start..].starts_with('{') {
        return None;
    }
    let mut found = None;
    for member in children(text, object)?.iter().filter(|member| member.key == key) {
        if found.replace(member.value).is_some() {
            return None;
        }
    }
    Some(found)
}

/// The whole value of the text, before and behind which only space and comments stand.
pub fn root(text: &str) -> Option<Span> {
    let start = after_space(text, if text.starts_with('\u{feff}') { 3 } else { 0 })?;
    let end = value_end(text, start, 0)?;
    (after_space(text, end)? == text.len()).then_some(Span { start, end })
}

/// The members or elements of a container.
pub fn children(text: &str, container: Span) -> Option<Vec<Child>> {
    let mut found = Vec::new();
    walk(text, container.start, 0, &mut |child| found.push(child))?;
    Some(found)
}

/// Shows each child of the container that begins at `start`. Returns where it ends.
pub fn walk(text: &str, start: usize, depth: usize, show: &mut dyn FnMut(Child)) -> Option<usize> {
    let bytes = text.as_bytes();
    let close = match bytes.get(start)? {
        b'{' => b'}',
        b'[' => b']',
        _ => return None,
    };
    let mut at = after_space(text, start + 1)?;
    while *bytes.get(at)? != close {
        let begin = at;
        let mut key = String::new();
        if close == b'}' {
            let end = string_end(bytes, at)?;
            key = decode(&text[at..end])?.into_owned();
            at = after_space(text, end)?;
            if bytes.get(at) != Some(&b':') {
                return None;
            }
            at = after_space(text, at + 1)?;
        }
        let end = value_end(text, at, depth + 1)?;
        show(Child { key, whole: Span { start: begin, end }, value: Span { start: at, end } });
        at = after_space(text, end)?;
        match bytes.get(at)? {
            b',' => at = after_space(text, at + 1)?,
            byte if *byte == close => {}
            _ => return None,
        }
    }
    Some(at + 1)
}

/// Behind the value that begins at `at`.
fn value_end(text: &str, at: usize, depth: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    match bytes.get(at)? {
        b'"' => {
            let end = string_end(bytes, at)?;
            decode(&text[at..end]).map(|_| end)
        }
        b'{' | b'[' if depth > JSON_DEPTH => None,
        b'{' | b'[' => walk(text, at, depth, &mut |_| ()),
        _ => {
            let part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
            let word = &text[at..at + bytes[at..].iter().take_while(part).count()];
            let known = matches!(word, "true" | "false" | "null") || super::is_number(word);
            known.then_some(at + word.len())
        }
    }
}

fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes.get(at) != Some(&b'"') {
        return None;
    }
    let mut at = at + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            b'\n' => return None,
            _ => at += 1,
        }
    }
}

/// Behind the space and comments at `at`; `None`: a comment does not end.
pub fn after_space(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = at;
    loop {
        match (bytes.get(at), bytes.get(at + 1)) {
            (Some(b' ' | b'\t' | b'\r' | b'\n'), _) => at += 1,
            (Some(b'/'), Some(b'/')) => at += text[at..].find('\n').unwrap_or(text.len() - at),
            (Some(b'/'), Some(b'*')) => at += 4 + text[at + 2..].find("*/")?,
            _ => return Some(at),
        }
    }
}

/// Where the line ends that holds `at`, comments that begin on it included.
pub fn line_end(text: &str, mut at: usize) -> Option<usize> {
    loop {
        let rest = &text[at..];
        // A slash before it begins a comment to the line's end.
        at += match rest.find("/*").filter(|open| !rest[..*open].contains(['\n', '/'])) {
            Some(open) => open + 4 + rest[open + 2..].find("*/")?,
            None => return rest.find('\n').map(|end| at + rest[..end].trim_end_matches('\r').len()),
        };
    }
}
