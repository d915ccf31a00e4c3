//! A message, its identity and its line in a mailbox log.
//!
//! Invariant: a message is one line of JSON; a line that does not hold a whole
//! message is `None`, never half of one. The field names are session-relay's,
//! so that its mailboxes and its users' scripts go on working.

use std::borrow::Cow;

use crate::json;
use crate::mail::address::is_uuid;
use crate::sys::clock;
use crate::sys::random::to_hex;

/// What a message asks of its reader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Says something.
    #[default]
    Note,
    /// Asks for an answer.
    Request,
    /// Answers another message.
    Reply,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Note => "note",
            Kind::Request => "request",
            Kind::Reply => "reply",
        }
    }

    pub fn parse(name: &str) -> Option<Kind> {
        match name {
            "note" => Some(Kind::Note),
            "request" => Some(Kind::Request),
            "reply" => Some(Kind::Reply),
            _ => None,
        }
    }
}

/// How a request ended, as its reply says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Completed,
    Failed,
}

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Status::Completed => "completed",
            Status::Failed => "failed",
        }
    }

    pub fn parse(name: &str) -> Option<Status> {
        [Status::Completed, Status::Failed].into_iter().find(|status| status.name() == name)
    }
}

/// One message, as the log keeps it. What was read from a line borrows from it
/// what it can.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message<'a> {
    /// UUIDv7; older stores hold UUIDv4.
    pub id: Cow<'a, str>,
    /// When it was stored, in milliseconds since 1970.
    pub sent_ms: u64,
    /// The sending session's id; `None` for a person or a script.
    pub from: Option<Cow<'a, str>>,
    /// The sender's name at that time, `cli` for the command line.
    pub from_name: Option<Cow<'a, str>>,
    /// The sender's host, where it is a session.
    pub from_host: Option<Cow<'a, str>>,
    /// How it was handed in when not by the session itself: `cli`.
    pub via: Option<Cow<'a, str>>,
    /// The recipient session's id.
    pub to: Cow<'a, str>,
    pub to_name: Option<Cow<'a, str>>,
    pub kind: Kind,
    /// The message this one answers.
    pub in_reply_to: Option<Cow<'a, str>>,
    /// The first words of the message this one answers.
    pub question: Option<Cow<'a, str>>,
    /// The first message of the conversation; `None` in that one itself.
    pub thread: Option<Cow<'a, str>>,
    /// How the request ended, where this is its one reply.
    pub status: Option<Status>,
    /// The address of all its readers, where it went to several: `#room`,
    /// `@all` or names with commas. Each has a copy with the same id.
    pub group: Option<Cow<'a, str>>,
    pub body: Cow<'a, str>,
}

impl<'a> Message<'a> {
    /// The conversation it belongs to: the id of that one's first message.
    pub fn conversation(&self) -> &str {
        self.thread.as_deref().unwrap_or(&self.id)
    }

    /// The log line, newline included.
    pub fn to_line(&self) -> String {
        let mut line = self.add_to(json::Object::new()).finish();
        line.push('\n');
        line
    }

    /// Who sent it, for counting: the session's id, or the command line's name.
    pub fn sender(&self) -> &str {
        self.from.as_deref().or(self.from_name.as_deref()).unwrap_or("cli")
    }

    /// Adds the message's members, as the log and users have them.
    pub fn add_to(&self, object: json::Object) -> json::Object {
        object
            .str("id", &self.id)
            .str("to", &self.to)
            .nullable("toName", self.to_name.as_deref())
            .nullable("from", self.from.as_deref())
            .nullable("fromName", self.from_name.as_deref())
            .optional("fromTool", self.from_host.as_deref())
            .optional("via", self.via.as_deref())
            .str("ts", &clock::rfc3339(self.sent_ms))
            .optional("kind", (self.kind != Kind::Note).then(|| self.kind.name()))
            .optional("in_reply_to", self.in_reply_to.as_deref())
            .optional("question", self.question.as_deref())
            .optional("thread", self.thread.as_deref())
            .optional("status", self.status.map(Status::name))
            .optional("group", self.group.as_deref())
            .str("body", &self.body)
    }

    /// Reads a log line, with or without its newline. Unknown members, and a
    /// kind that only a newer relay knows, are passed over.
    pub fn parse(line: &'a [u8]) -> Option<Message<'a>> {
        let text = std::str::from_utf8(line).ok()?;
        let mut message = Message::default();
        let (mut sent_ms, mut to, mut body) = (None, None, None);
        json::each_member(text, &mut |key, raw| {
            let text = raw.str();
            match key.as_ref() {
                "id" => message.id = text.unwrap_or_default(),
                "ts" => sent_ms = text.and_then(|time| clock::parse_rfc3339(&time)),
                "from" => message.from = text,
                "fromName" => message.from_name = text,
                "fromTool" => message.from_host = text,
                "via" => message.via = text,
                "to" => to = text,
                "toName" => message.to_name = text,
                "kind" => message.kind = text.and_then(|kind| Kind::parse(&kind)).unwrap_or_default(),
                "in_reply_to" => message.in_reply_to = text,
                "question" => message.question = text,
                "thread" => message.thread = text,
                "status" => message.status = text.and_then(|status| Status::parse(&status)),
                "group" => message.group = text,
                "body" => body = text,
                _ => {}
            }
        })?;
        (message.sent_ms, message.to, message.body) = (sent_ms?, to?, body?);
        (!message.id.is_empty()).then_some(message)
    }

    /// The same, no longer bound to the line it was read from.
    pub fn into_owned(self) -> Message<'static> {
        let own = |text: Cow<str>| Cow::Owned(text.into_owned());
        Message {
            id: own(self.id),
            from: self.from.map(own),
            from_name: self.from_name.map(own),
            from_host: self.from_host.map(own),
            via: self.via.map(own),
            to: own(self.to),
            to_name: self.to_name.map(own),
            in_reply_to: self.in_reply_to.map(own),
            question: self.question.map(own),
            thread: self.thread.map(own),
            group: self.group.map(own),
            body: own(self.body),
            sent_ms: self.sent_ms,
            kind: self.kind,
            status: self.status,
        }
    }
}

/// When the message with this id was made, in milliseconds since 1970, where the
/// id tells: a [`uuid_v7`].
pub fn made_ms(id: &str) -> Option<u64> {
    let tells = is_uuid(id) && id.as_bytes()[14] == b'7';
    tells.then(|| u64::from_str_radix(&format!("{}{}", &id[..8], &id[9..13]), 16).ok())?
}

/// A UUIDv7 (RFC 9562): 48 bits of milliseconds, then random bits.
pub fn uuid_v7(now_ms: u64, random: [u8; 10]) -> String {
    let mut bytes = [0u8; 16];
    bytes[..6].copy_from_slice(&now_ms.to_be_bytes()[2..]);
    bytes[6..].copy_from_slice(&random);
    bytes[6] = 0x70 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    let mut id = to_hex(&bytes);
    [8, 13, 18, 23].into_iter().for_each(|at| id.insert(at, '-'));
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Message<'static> {
        Message {
            id: uuid_v7(1_795_213_042_123, [0xff; 10]).into(),
            sent_ms: 1_795_213_042_123,
            from: None,
            from_name: Some("cli".into()),
            from_host: None,
            via: None,
            to: "22222222-2222-2222-2222-222222222222".into(),
            to_name: Some("bob".into()),
            kind: Kind::Request,
            in_reply_to: Some("first".into()),
            question: Some("what?".into()),
            thread: Some("root".into()),
            status: Some(Status::Failed),
            group: Some("#room".into()),
            body: "two\nlines, \"quotes\", \u{1f980}, \0".into(),
        }
    }

    #[test]
    fn a_line_reads_back() {
        let message = sample();
        let line = message.to_line();
        assert_eq!(line.matches('\n').count(), 1);
        assert_eq!(Message::parse(line.as_bytes()), Some(message));
    }

    #[test]
    fn uuids_are_version_7_and_sort_by_time() {
        assert_eq!(uuid_v7(1_795_213_042_123, [0xff; 10]), "01a1fb09-21cb-7fff-bfff-ffffffffffff");
        assert!(uuid_v7(1, [0xff; 10]) < uuid_v7(2, [0; 10]));
        assert_eq!(made_ms("01a1fb09-21cb-7fff-bfff-ffffffffffff"), Some(1_795_213_042_123));
        assert_eq!(made_ms("01a1fb09-21cb-4fff-bfff-ffffffffffff"), None, "a UUIDv4 tells nothing");
        assert_eq!(made_ms("7"), None);
    }

    #[test]
    fn a_damaged_line_is_no_message() {
        let line = sample().to_line();
        for cut in 1..line.len() - 1 {
            assert_eq!(Message::parse(&line.as_bytes()[..cut]), None, "cut at {cut}");
        }
        let mut broken = line.into_bytes();
        let body = broken.len() - 10;
        broken[body] = 0xff;
        assert_eq!(Message::parse(&broken), None);
    }

    #[test]
    fn session_relays_lines_are_read() {
        let line = br#"{"body":"hi","id":"x","ts":"2026-07-01T10:00:00.000Z","from":null,"fromName":"cli","to":"t","toName":null}"#;
        let message = Message::parse(line).unwrap();
        assert_eq!((message.conversation(), message.status, &message.group), ("x", None, &None));
        assert_eq!((message.body.as_ref(), message.from, message.kind), ("hi", None, Kind::Note));
    }
}
