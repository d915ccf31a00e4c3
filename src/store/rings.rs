//! When a session's host was rung, and for whose mail.
//!
//! Invariant: written under the session's lock before the bell rings, so that
//! no crash makes it ring more often than its bound. A damaged file is none.

use std::io::ErrorKind;

use super::session::{Guard, Session};
use super::{read, write};
use crate::error::{Cause, Result};
use crate::json::{self, Document, Value};
use crate::limits::{RINGS_KEPT, STATE_FILE_BYTES};
use crate::sys::clock;

/// One ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    pub at_ms: u64,
    /// The log's length then: the mail before it is what it rang for.
    pub through: u64,
    /// The senders of that mail, as [`crate::mail::Message::sender`] names them.
    pub senders: Vec<String>,
}

impl Session {
    /// The rings that are remembered, the oldest first.
    pub fn rings(&self) -> Result<Vec<Rung>> {
        match read(&self.file("rings.json")) {
            Ok(content) => Ok(content.and_then(|content| parse(&content)).unwrap_or_default()),
            Err(error) if error.is(Cause::Io(ErrorKind::InvalidData)) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Whether a process stands ready to ring this session's host.
    pub fn has_bell(&self) -> bool {
        crate::sys::lock::Lock::is_held(&self.file("bell"))
    }

    /// Shows that this process can ring, for as long as the lock is kept.
    pub fn bell_lock(&self) -> Result<Option<crate::sys::lock::Lock>> {
        crate::sys::lock::Lock::try_shared(&self.file("bell"))
    }
}

impl Guard<'_> {
    /// Replaces the record of rings; only the latest are kept, as many as the
    /// file may hold.
    pub fn write_rings(&self, rings: &[Rung]) -> Result<()> {
        write(&self.session().file("rings.json"), &latest(rings))
    }
}

/// The latest rings, as the file has them.
fn latest(rings: &[Rung]) -> String {
    let mut kept = &rings[rings.len().saturating_sub(RINGS_KEPT)..];
    loop {
        let text = to_text(kept);
        if text.len() <= STATE_FILE_BYTES {
            return text;
        }
        kept = &kept[kept.len().div_ceil(2)..];
    }
}

fn to_text(rings: &[Rung]) -> String {
    let rings = rings.iter().map(|ring| {
        json::Object::new()
            .str("at", &clock::rfc3339(ring.at_ms))
            .u64("through", ring.through)
            .raw("for", &json::array(ring.senders.iter().map(|sender| json::quote(sender))))
            .finish()
    });
    json::Object::new().raw("rings", &json::array(rings)).finish() + "\n"
}

fn parse(content: &[u8]) -> Option<Vec<Rung>> {
    let document = Document::parse(content).ok()?;
    let mut rings = Vec::new();
    for ring in document.value().get("rings")?.items()? {
        let mut senders = Vec::new();
        for sender in ring.get("for")?.items()? {
            senders.push(sender.str()?.to_owned());
        }
        rings.push(Rung {
            at_ms: clock::parse_rfc3339(ring.get("at")?.str()?)?,
            through: ring.get("through").and_then(Value::u64)?,
            senders,
        });
    }
    Some(rings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_bounded_whoever_wrote() {
        let ring = |number| Rung { at_ms: number, through: number, senders: vec!["x".repeat(128); 64] };
        let rings: Vec<Rung> = (0..100).map(ring).collect();
        let text = latest(&rings);
        assert!(text.len() <= STATE_FILE_BYTES, "{}", text.len());
        let kept = parse(text.as_bytes()).unwrap();
        assert!(kept.len() >= 4, "{}", kept.len());
        assert_eq!(kept, rings[100 - kept.len()..]);
        assert_eq!(latest(&[Rung { senders: vec!["x".repeat(STATE_FILE_BYTES)], ..ring(1) }]), to_text(&[]));
    }

    #[test]
    fn rings_read_back() {
        let rings = vec![
            Rung { at_ms: 1_795_213_042_123, through: 10, senders: vec!["a".into(), "cli".into()] },
            Rung { at_ms: 1_795_213_042_124, through: 20, senders: Vec::new() },
        ];
        assert_eq!(latest(&rings), to_text(&rings));
        assert_eq!(parse(to_text(&rings).as_bytes()), Some(rings));
        assert_eq!(parse(b"{}"), None);
        assert_eq!(parse(b"{\"rings\":[{\"at\":\"x\"}]}"), None);
    }
}
