//! Ordered JSON output.
//!
//! Invariant: what is printed is valid JSON whose keys stand in the order they
//! were added, on one line unless it is laid out for people; U+007F to U+009F
//! are escaped because they steer terminals, and as U+2028 and U+2029 because some
//! readers of lines split at them.

use std::fmt::Write;

use super::string::plain;

/// What an object takes, mostly.
const OBJECT_BYTES: usize = 256;
/// What a list takes that is seldom outgrown.
const LIST_BYTES: usize = 16 * 1024;

/// A JSON object under construction: one pointer, which is handed on from member
/// to member in a register.
pub struct Object(Box<Building>);

struct Building {
    text: String,
    /// How deep it stands, when it is laid out for people; `None`: on one line.
    level: Option<usize>,
    is_empty: bool,
}

impl Object {
    /// An object on one line.
    pub fn new() -> Object {
        Object::after(String::with_capacity(OBJECT_BYTES), None)
    }

    /// An object with a line for each member, indented by two spaces a level.
    pub fn laid_out() -> Object {
        Object::after(String::with_capacity(OBJECT_BYTES), Some(0))
    }

    /// An object that goes on in a text.
    fn after(mut text: String, level: Option<usize>) -> Object {
        text.push('{');
        Object(Box::new(Building { text, level, is_empty: true }))
    }

    pub fn str(mut self, key: &'static str, value: &str) -> Object {
        quote_into(self.0.key(key), value);
        self
    }

    /// The string, or `null`.
    pub fn nullable(self, key: &'static str, value: Option<&str>) -> Object {
        match value {
            Some(value) => self.str(key, value),
            None => self.raw(key, "null"),
        }
    }

    /// The string, or no such member at all.
    pub fn optional(self, key: &'static str, value: Option<&str>) -> Object {
        match value {
            Some(value) => self.str(key, value),
            None => self,
        }
    }

    pub fn u64(self, key: &'static str, value: u64) -> Object {
        self.raw(key, &value.to_string())
    }

    /// How many there are, or no such member at all where there are none.
    pub fn some(self, key: &'static str, count: usize) -> Object {
        if count > 0 { self.u64(key, count as u64) } else { self }
    }

    pub fn bool(self, key: &'static str, value: bool) -> Object {
        self.raw(key, if value { "true" } else { "false" })
    }

    /// A member whose value is JSON text already.
    pub fn raw(mut self, key: &'static str, json: &str) -> Object {
        self.0.key(key).push_str(json);
        self
    }

    /// The finished object.
    pub fn finish(self) -> String {
        let Building { mut text, level, is_empty } = *self.0;
        if let (Some(level), false) = (level, is_empty) {
            text.push_str(new_line(level));
        }
        text.push('}');
        text
    }
}

impl Building {
    /// Begins a member; what it returns goes on with the value. A key stands in
    /// the source: nothing in it is to be escaped.
    fn key(&mut self, key: &'static str) -> &mut String {
        self.text.push_str(if self.is_empty { "" } else { "," });
        self.is_empty = false;
        if let Some(level) = self.level {
            self.text.push_str(new_line(level + 1));
        }
        self.text.push('"');
        self.text.push_str(key);
        self.text.push_str(if self.level.is_some() { "\": " } else { "\":" });
        &mut self.text
    }
}

/// A JSON array of objects under construction, laid out for people.
pub struct List {
    text: String,
    level: usize,
}

impl List {
    /// A list that stands so many levels deep.
    pub fn new(level: usize) -> List {
        let mut text = String::with_capacity(LIST_BYTES);
        text.push('[');
        List { text, level }
    }

    /// Adds an object, with the members that `fill` gives it.
    pub fn add(&mut self, fill: impl FnOnce(Object) -> Object) {
        self.text.push_str(if self.is_empty() { "" } else { "," });
        self.text.push_str(new_line(self.level + 1));
        let object = Object::after(std::mem::take(&mut self.text), Some(self.level + 1));
        self.text = fill(object).finish();
    }

    /// The finished list.
    pub fn finish(mut self) -> String {
        if !self.is_empty() {
            self.text.push_str(new_line(self.level));
        }
        self.text.push(']');
        self.text
    }

    fn is_empty(&self) -> bool {
        self.text.len() == 1
    }
}

/// A [`List`] of what there is, each with the members that `fill` gives it.
pub fn list<T>(
    level: usize,
    items: impl IntoIterator<Item = T>,
    fill: impl Fn(Object, T) -> Object,
) -> String {
    let mut list = List::new(level);
    items.into_iter().for_each(|item| list.add(|object| fill(object, item)));
    list.finish()
}

/// What a new line so many levels deep begins with.
fn new_line(level: usize) -> &'static str {
    const INDENT: &str = "\n            ";
    &INDENT[..=(2 * level).min(INDENT.len() - 1)]
}

/// A JSON array of JSON texts, on one line.
pub fn array<I: IntoIterator<Item = S>, S: AsRef<str>>(items: I) -> String {
    let mut text = String::from("[");
    items.into_iter().for_each(|item| add_item(&mut text, item.as_ref()));
    text.push(']');
    text
}

fn add_item(array: &mut String, item: &str) {
    array.push_str(if array.len() > 1 { "," } else { "" });
    array.push_str(item);
}

/// The JSON string that stands for `text`.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    quote_into(&mut out, text);
    out
}

/// Appends that string to `out`.
fn quote_into(out: &mut String, text: &str) {
    out.push('"');
    let bytes = text.as_bytes();
    let (mut from, mut at) = (0, plain(bytes, 0));
    while let Some(byte) = bytes.get(at) {
        // U+0080 to U+009F are C2 80 to C2 9F; U+2028 and U+2029 are E2 80 A8 and A9.
        let escaped = match byte {
            0..=0x1f | b'"' | b'\\' | 0x7f => true,
            0xc2 => bytes[at + 1] <= 0x9f,
            0xe2 => bytes[at + 1] == 0x80 && matches!(bytes[at + 2], 0xa8 | 0xa9),
            _ => false,
        };
        if !escaped {
            at = plain(bytes, at + 1);
            continue;
        }
        out.push_str(&text[from..at]);
        let character = text[at..].chars().next().unwrap_or_default();
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other => {
                let _ = write!(out, "\\u{:04x}", other as u32);
            }
        }
        from = at + character.len_utf8();
        at = plain(bytes, from);
    }
    out.push_str(&text[from..]);
    out.push('"');
}

/// The same JSON with every character escaped that steers a terminal or at which a
/// reader may split lines; all else stays as it is.
pub fn one_line(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '\x7f'..='\u{9f}' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", character as u32);
            }
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_their_order_and_lines_stay_one() {
        let text = Object::new()
            .str("z", "a\n\u{2028}\u{7f}\"\\\u{80}\u{9f}\u{a0}")
            .raw("id", "9007199254740993")
            .nullable("none", None)
            .optional("absent", None)
            .bool("ok", true)
            .raw("list", &array(["1", "2"]))
            .finish();
        assert_eq!(
            text,
            "{\"z\":\"a\\n\\u2028\\u007f\\\"\\\\\\u0080\\u009f\u{a0}\",\"id\":9007199254740993,\"none\":null,\"ok\":true,\"list\":[1,2]}"
        );
    }

    #[test]
    fn lists_are_laid_out_for_people() {
        let mut list = List::new(1);
        list.add(|object| object.u64("a", 1).raw("b", "[]"));
        list.add(|object| object);
        let text = Object::laid_out().u64("count", 2).raw("list", &list.finish()).finish();
        assert_eq!(
            text,
            "{\n  \"count\": 2,\n  \"list\": [\n    {\n      \"a\": 1,\n      \"b\": []\n    },\n    {}\n  ]\n}"
        );
        assert_eq!((List::new(3).finish().as_str(), Object::new().finish().as_str()), ("[]", "{}"));
        assert_eq!(Object::laid_out().finish(), "{}");
    }
}
