//! Ordered JSON output.
//!
//! Invariant: what is printed is one line of valid JSON whose keys stand in the
//! order they were added; U+007F, U+0085, U+2028 and U+2029 are escaped because
//! some readers of lines split at them.

use std::fmt::Write;

use super::string::{plain, skip_string};

/// What an object takes, mostly.
const OBJECT_BYTES: usize = 256;

/// A JSON object under construction.
pub struct Object {
    text: String,
}

impl Object {
    pub fn new() -> Object {
        Object { text: String::with_capacity(OBJECT_BYTES) }
    }

    pub fn str(mut self, key: &'static str, value: &str) -> Object {
        self.key(key);
        quote_into(&mut self.text, value);
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

    pub fn bool(self, key: &'static str, value: bool) -> Object {
        self.raw(key, if value { "true" } else { "false" })
    }

    /// A member whose value is JSON text already.
    pub fn raw(mut self, key: &'static str, json: &str) -> Object {
        self.key(key);
        self.text.push_str(json);
        self
    }

    /// A key stands in the source: nothing in it is to be escaped.
    fn key(&mut self, key: &'static str) {
        self.text.push_str(if self.text.is_empty() { "{\"" } else { ",\"" });
        self.text.push_str(key);
        self.text.push_str("\":");
    }

    /// The finished object, on one line.
    pub fn finish(mut self) -> String {
        if self.text.is_empty() {
            self.text.push('{');
        }
        self.text.push('}');
        self.text
    }
}

/// A JSON array of JSON texts.
pub fn array<I: IntoIterator<Item = S>, S: AsRef<str>>(items: I) -> String {
    let mut text = String::from("[");
    for item in items {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(item.as_ref());
    }
    text.push(']');
    text
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
        // U+0085 is C2 85; U+2028 and U+2029 are E2 80 A8 and A9.
        let escaped = match byte {
            0..=0x1f | b'"' | b'\\' | 0x7f => true,
            0xc2 => bytes[at + 1] == 0x85,
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

/// The same JSON with every character escaped at which a reader may split lines;
/// all else stays as it is.
pub fn one_line(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '\x7f' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", character as u32);
            }
            _ => out.push(character),
        }
    }
    out
}

/// The same JSON, indented by two spaces a level for a person to read.
pub fn pretty(json: &str) -> String {
    const INDENT: &str = "\n                                                                ";
    let bytes = json.as_bytes();
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0usize;
    let newline = |out: &mut String, depth: usize| {
        out.push_str(&INDENT[..=(2 * depth).min(INDENT.len() - 1)]);
    };
    // What stands from `from` on has not been put out yet.
    let (mut from, mut at) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        let begin = at;
        at += 1;
        match byte {
            b'"' => at = skip_string(bytes, begin, None).unwrap_or(bytes.len()),
            b'{' | b'[' if matches!(bytes.get(at), Some(b'}' | b']')) => at += 1,
            b'{' | b'[' | b',' => {
                depth += usize::from(*byte != b',');
                out.push_str(&json[from..at]);
                newline(&mut out, depth);
                from = at;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                out.push_str(&json[from..begin]);
                newline(&mut out, depth);
                from = begin;
            }
            b':' => {
                out.push_str(&json[from..at]);
                out.push(' ');
                from = at;
            }
            _ => {}
        }
    }
    out + &json[from..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_their_order_and_lines_stay_one() {
        let text = Object::new()
            .str("z", "a\n\u{2028}\u{7f}\"\\")
            .raw("id", "9007199254740993")
            .nullable("none", None)
            .optional("absent", None)
            .bool("ok", true)
            .raw("list", &array(["1", "2"]))
            .finish();
        assert_eq!(
            text,
            "{\"z\":\"a\\n\\u2028\\u007f\\\"\\\\\",\"id\":9007199254740993,\"none\":null,\"ok\":true,\"list\":[1,2]}"
        );
    }

    #[test]
    fn pretty_indents_and_leaves_strings_alone() {
        assert_eq!(
            pretty(r#"{"a":[],"b":{},"c":[1,"x,{\"y:"]}"#),
            "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": [\n    1,\n    \"x,{\\\"y:\"\n  ]\n}"
        );
        assert_eq!(Object::new().finish(), "{}");
    }
}
