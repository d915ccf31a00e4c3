//! A parsed JSON value, read through accessors that never panic.
//!
//! Invariant: what comes in has passed [`bounded`], and nothing is taken that is
//! not JSON by the letter.

use super::scan::{Fault, bounded, skip_space};
use super::string::{decode, end_of_string};

enum Node {
    Null,
    Bool(bool),
    /// As it was written.
    Number(String),
    String(String),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// A parsed JSON text. Borrow a [`Value`] from it to look inside.
pub struct Document(Node);

impl Document {
    /// Parses one bounded JSON text.
    pub fn parse(bytes: &[u8]) -> Result<Document, Fault> {
        Document::of(&bounded(bytes)?)
    }

    /// Parses one text that [`bounded`] has passed.
    pub fn of(text: &str) -> Result<Document, Fault> {
        let (node, end) = node(text, skip_space(text.as_bytes(), 0)).ok_or(Fault::Syntax)?;
        match skip_space(text.as_bytes(), end) == text.len() {
            true => Ok(Document(node)),
            false => Err(Fault::Syntax),
        }
    }

    pub fn value(&self) -> Value<'_> {
        Value(&self.0)
    }
}

/// The value at `at`, and where it ends. Nesting is bounded before.
fn node(text: &str, at: usize) -> Option<(Node, usize)> {
    let bytes = text.as_bytes();
    match bytes.get(at)? {
        b'"' => string(text, at).map(|(text, end)| (Node::String(text), end)),
        b'[' => {
            let mut items = Vec::new();
            let end = each(bytes, at, b']', |at| {
                let (item, end) = node(text, at)?;
                items.push(item);
                Some(end)
            })?;
            Some((Node::Array(items), end))
        }
        b'{' => {
            let mut members = Vec::new();
            let end = each(bytes, at, b'}', |at| {
                let (key, end) = string(text, at)?;
                let colon = skip_space(bytes, end);
                if bytes.get(colon) != Some(&b':') {
                    return None;
                }
                let (value, end) = node(text, skip_space(bytes, colon + 1))?;
                members.push((key, value));
                Some(end)
            })?;
            Some((Node::Object(members), end))
        }
        _ => {
            let length = bytes[at..]
                .iter()
                .take_while(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte))
                .count();
            let word = &text[at..at + length];
            let node = match word {
                "null" => Node::Null,
                "true" => Node::Bool(true),
                "false" => Node::Bool(false),
                _ => is_number(word).then(|| Node::Number(word.to_owned()))?,
            };
            Some((node, at + length))
        }
    }
}

/// Shows where each part of the array or object at `at` begins; `part` says
/// where it ends. Returns the end of the whole.
fn each(bytes: &[u8], at: usize, close: u8, mut part: impl FnMut(usize) -> Option<usize>) -> Option<usize> {
    let mut at = skip_space(bytes, at + 1);
    if bytes.get(at) == Some(&close) {
        return Some(at + 1);
    }
    loop {
        at = skip_space(bytes, part(at)?);
        match bytes.get(at)? {
            b',' => at = skip_space(bytes, at + 1),
            byte if *byte == close => return Some(at + 1),
            _ => return None,
        }
    }
}

fn string(text: &str, at: usize) -> Option<(String, usize)> {
    if text.as_bytes().get(at) != Some(&b'"') {
        return None;
    }
    let (end, _) = end_of_string(text.as_bytes(), at)?;
    Some((decode(&text[at..end])?.into_owned(), end))
}

/// Whether a word is a number by the letter of the grammar.
pub fn is_number(word: &str) -> bool {
    let (mantissa, exponent) = word.split_once(['e', 'E']).unwrap_or((word, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let is_whole = is_digits(whole) && (whole == "0" || !whole.starts_with('0'));
    is_whole && is_digits(fraction) && is_digits(exponent)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A value inside a [`Document`]. Looking for what is not there gives `None`.
#[derive(Clone, Copy)]
pub struct Value<'a>(&'a Node);

impl<'a> Value<'a> {
    /// The member `key` of an object; the last one where it stands twice.
    pub fn get(self, key: &str) -> Option<Value<'a>> {
        self.members().iter().rev().find(|(name, _)| name == key).map(|(_, node)| Value(node))
    }

    /// Follows member names from object to object.
    pub fn path(self, keys: &[&str]) -> Option<Value<'a>> {
        keys.iter().try_fold(self, |value, key| value.get(key))
    }

    pub fn str(self) -> Option<&'a str> {
        match self.0 {
            Node::String(text) => Some(text),
            _ => None,
        }
    }

    pub fn bool(self) -> Option<bool> {
        match self.0 {
            Node::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// A number's thousandths, rounded down; `None` for a negative one, or one
    /// with an exponent.
    pub fn thousandths(self) -> Option<u64> {
        match self.0 {
            Node::Number(text) => thousandths(text),
            _ => None,
        }
    }

    /// A whole number.
    pub fn u64(self) -> Option<u64> {
        self.thousandths().filter(|number| number % 1000 == 0).map(|number| number / 1000)
    }

    pub fn is_null(self) -> bool {
        matches!(self.0, Node::Null)
    }

    pub fn is_object(self) -> bool {
        matches!(self.0, Node::Object(_))
    }

    /// The names of an object's members.
    pub fn keys(self) -> impl Iterator<Item = &'a str> {
        self.members().iter().map(|(name, _)| name.as_str())
    }

    /// The elements of an array; `None` when it is not one.
    pub fn items(self) -> Option<impl Iterator<Item = Value<'a>>> {
        match self.0 {
            Node::Array(items) => Some(items.iter().map(Value)),
            _ => None,
        }
    }

    /// The members of an object; what is none has none.
    fn members(self) -> &'a [(String, Node)] {
        match self.0 {
            Node::Object(members) => members,
            _ => &[],
        }
    }
}

/// The thousandths of a decimal number, rounded down.
pub fn thousandths(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if !is_digits(fraction) {
        return None;
    }
    let padded = format!("{:0<3}", &fraction[..fraction.len().min(3)]);
    whole.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(padded.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_for_what_is_not_there_is_none() {
        let document = Document::parse(br#"{"a":{"b":[1,2.5,-1,1e400,true,null,"x"]}}"#).unwrap();
        let root = document.value();
        assert!(root.path(&["a", "c", "d"]).is_none());
        let items: Vec<_> = root.path(&["a", "b"]).unwrap().items().unwrap().collect();
        assert_eq!(items[0].u64(), Some(1));
        assert_eq!(items[1].u64(), None);
        assert_eq!(items[2].u64(), None);
        assert_eq!(items[3].thousandths(), None);
        assert_eq!(items[4].bool(), Some(true));
        assert!(items[5].is_null());
        assert_eq!(items[6].str(), Some("x"));
    }

    #[test]
    fn numbers_are_told_by_the_letter() {
        for good in ["0", "-0", "10", "1.5", "-1.25e+10", "1E5", "0e-1"] {
            assert!(is_number(good), "{good}");
        }
        for bad in ["", "-", "01", "+1", ".5", "1.", "1e", "1e+", "0x1", "1.5.2", "NaN", "1-1"] {
            assert!(!is_number(bad), "{bad}");
        }
        let known = [
            ("5", Some(5000)),
            ("0.25", Some(250)),
            ("1.0", Some(1000)),
            ("-1", None),
            ("1e3", None),
            ("1.", None),
        ];
        known
            .iter()
            .for_each(|(text, thousandths_of)| assert_eq!(thousandths(text), *thousandths_of, "{text}"));
        assert_eq!(thousandths(&u64::MAX.to_string()), None);
    }

    proptest::proptest! {
        #[test]
        fn what_is_json_is_so_for_others_too(text in "[\\[\\]{}:,\" \\\\a0e.+-]{0,12}|[ ]?(null|true|\\{\"a\":[0-9.e-]{1,4}\\})[ ]?") {
            let theirs = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            let ours = Document::parse(text.as_bytes()).is_ok();
            // A number too large for serde_json's floats is a number.
            proptest::prop_assert!(ours == theirs || (ours && text.contains('e')), "{text}");
        }
    }
}
