//! A parsed JSON value, read through accessors that never panic.
//!
//! Invariant: the only way in is [`Document::parse`], which bounds its input.

use std::collections::HashMap;

use tinyjson::JsonValue;

use super::scan::{Fault, bounded};

/// A parsed JSON text. Borrow a [`Value`] from it to look inside.
pub struct Document(JsonValue);

impl Document {
    /// Parses one bounded JSON text.
    pub fn parse(bytes: &[u8]) -> Result<Document, Fault> {
        let text = bounded(bytes)?;
        text.parse().map(Document).map_err(|_| Fault::Syntax)
    }

    pub fn value(&self) -> Value<'_> {
        Value(&self.0)
    }
}

/// A value inside a [`Document`]. Looking for what is not there gives `None`.
#[derive(Clone, Copy)]
pub struct Value<'a>(&'a JsonValue);

impl<'a> Value<'a> {
    /// The member `key` of an object.
    pub fn get(self, key: &str) -> Option<Value<'a>> {
        self.object()?.get(key).map(Value)
    }

    /// Follows member names from object to object.
    pub fn path(self, keys: &[&str]) -> Option<Value<'a>> {
        keys.iter().try_fold(self, |value, key| value.get(key))
    }

    pub fn str(self) -> Option<&'a str> {
        match self.0 {
            JsonValue::String(text) => Some(text),
            _ => None,
        }
    }

    pub fn bool(self) -> Option<bool> {
        match self.0 {
            JsonValue::Boolean(flag) => Some(*flag),
            _ => None,
        }
    }

    /// A finite number.
    pub fn number(self) -> Option<f64> {
        match self.0 {
            JsonValue::Number(number) if number.is_finite() => Some(*number),
            _ => None,
        }
    }

    /// A whole number that a float holds exactly.
    pub fn u64(self) -> Option<u64> {
        let number = self.number()?;
        let exact = number.fract() == 0.0 && (0.0..=9_007_199_254_740_991.0).contains(&number);
        exact.then_some(number as u64)
    }

    pub fn is_null(self) -> bool {
        matches!(self.0, JsonValue::Null)
    }

    pub fn is_object(self) -> bool {
        self.object().is_some()
    }

    /// The names of an object's members, in no particular order.
    pub fn keys(self) -> impl Iterator<Item = &'a str> {
        self.object().into_iter().flat_map(|members| members.keys().map(String::as_str))
    }

    /// The elements of an array; `None` when it is not one.
    pub fn items(self) -> Option<impl Iterator<Item = Value<'a>>> {
        match self.0 {
            JsonValue::Array(items) => Some(items.iter().map(Value)),
            _ => None,
        }
    }

    fn object(self) -> Option<&'a HashMap<String, JsonValue>> {
        match self.0 {
            JsonValue::Object(members) => Some(members),
            _ => None,
        }
    }
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
        assert_eq!(items[3].number(), None);
        assert_eq!(items[4].bool(), Some(true));
        assert!(items[5].is_null());
        assert_eq!(items[6].str(), Some("x"));
    }
}
