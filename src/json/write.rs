//! Ordered JSON output.
//!
//! Invariant: what is printed is one line of valid JSON whose keys stand in the
//! order they were added; U+007F, U+0085, U+2028 and U+2029 are escaped because
//! some readers of lines split at them.

use std::fmt::Write;

/// A JSON object under construction.
#[derive(Default)]
pub struct Object {
    text: String,
}

impl Object {
    pub fn new() -> Object {
        Object::default()
    }

    pub fn str(self, key: &str, value: &str) -> Object {
        let value = quote(value);
        self.raw(key, &value)
    }

    /// The string, or `null`.
    pub fn nullable(self, key: &str, value: Option<&str>) -> Object {
        match value {
            Some(value) => self.str(key, value),
            None => self.raw(key, "null"),
        }
    }

    /// The string, or no such member at all.
    pub fn optional(self, key: &str, value: Option<&str>) -> Object {
        match value {
            Some(value) => self.str(key, value),
            None => self,
        }
    }

    pub fn u64(self, key: &str, value: u64) -> Object {
        self.raw(key, &value.to_string())
    }

    pub fn bool(self, key: &str, value: bool) -> Object {
        self.raw(key, if value { "true" } else { "false" })
    }

    /// A member whose value is JSON text already.
    pub fn raw(mut self, key: &str, json: &str) -> Object {
        self.text.push(if self.text.is_empty() { '{' } else { ',' });
        self.text.push_str(&quote(key));
        self.text.push(':');
        self.text.push_str(json);
        self
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
    out.push('"');
    let mut rest = text;
    while let Some(at) =
        rest.find(|c| matches!(c, '\0'..='\x1f' | '"' | '\\' | '\x7f' | '\u{85}' | '\u{2028}' | '\u{2029}'))
    {
        out.push_str(&rest[..at]);
        let mut characters = rest[at..].chars();
        match characters.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some(other) => {
                let _ = write!(out, "\\u{:04x}", other as u32);
            }
            None => {}
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
    out.push('"');
    out
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
    let bytes = json.as_bytes();
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0usize;
    let newline = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let begin = at;
        at += 1;
        match byte {
            b'"' => {
                while let Some(inner) = bytes.get(at) {
                    at += 1;
                    match inner {
                        b'\\' => at += 1,
                        b'"' => break,
                        _ => {}
                    }
                }
                out.push_str(json.get(begin..at).unwrap_or_default());
            }
            b'{' | b'[' if matches!(bytes.get(at), Some(b'}' | b']')) => {
                at += 1;
                out.push_str(&json[begin..at]);
            }
            b'{' | b'[' => {
                out.push_str(&json[begin..at]);
                depth += 1;
                newline(&mut out, depth);
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                newline(&mut out, depth);
                out.push_str(&json[begin..at]);
            }
            b',' => {
                out.push(',');
                newline(&mut out, depth);
            }
            b':' => out.push_str(": "),
            _ => out.push_str(json.get(begin..at).unwrap_or_default()),
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
