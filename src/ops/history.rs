//! What a mailbox held and what became of a message. Changes nothing.

use super::find::{Found, latest};
use crate::error::{Error, Result};
use crate::mail::{Kind, Message};
use crate::store::{Cursor, Session, Store};
use crate::sys::clock;

/// How far a message has come. "Held" is shown to a reader, without proof yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    Stored,
    Held,
    Consumed,
}

impl Receipt {
    pub fn name(self) -> &'static str {
        match self {
            Receipt::Stored => "stored",
            Receipt::Held => "held",
            Receipt::Consumed => "consumed",
        }
    }

    fn of(offset: u64, cursor: &Cursor, now_ms: u64) -> Receipt {
        let held = cursor.hold.as_ref().is_some_and(|hold| offset < hold.to && hold.stands(now_ms));
        match offset < cursor.consumed {
            true => Receipt::Consumed,
            false if held => Receipt::Held,
            false => Receipt::Stored,
        }
    }
}

/// A message of the past or the present.
pub struct Record {
    pub message: Message,
    pub receipt: Receipt,
}

/// The last `most` messages of a mailbox, oldest first, and how many there were.
pub fn log(session: &Session, most: usize) -> Result<(Vec<Record>, usize)> {
    let (cursor, bytes) = session.cursor()?;
    let now = clock::now_ms();
    let entries = session.read(0, bytes, usize::MAX)?.entries;
    let total = entries.len();
    let records = entries
        .into_iter()
        .skip(total.saturating_sub(most))
        .map(|entry| Record { receipt: Receipt::of(entry.start, &cursor, now), message: entry.message })
        .collect();
    Ok((records, total))
}

/// One message of a mailbox.
pub fn message(session: &Session, id: &str) -> Result<Record> {
    let (records, _) = log(session, usize::MAX)?;
    records.into_iter().find(|record| record.message.id == id).ok_or_else(|| Error::NotFound {
        what: "message",
        name: crate::mail::address::shorten(id),
        hint: " in this mailbox; see `relay log`".to_owned(),
    })
}

/// A message wherever it is, where it went, and whether it was answered.
pub struct Whereabouts {
    pub record: Record,
    pub recipient: Found,
    pub reply: Option<Message>,
}

/// Looks a message up in all mailboxes.
pub fn status(store: &Store, id: &str) -> Result<Whereabouts> {
    let mut found = None;
    for session in store.sessions()? {
        // A mailbox that went on elsewhere tells less than the one it went to.
        if let Ok(record) = message(&session, id) {
            let moved = session.info().unwrap_or(None).is_some_and(|info| info.successor.is_some());
            if found.is_none() || !moved {
                found = Some((session, record));
            }
        }
    }
    let Some((session, record)) = found else {
        return Err(Error::NotFound {
            what: "message",
            name: crate::mail::address::shorten(id),
            hint: " in any mailbox of this store".to_owned(),
        });
    };
    let recipient = latest(store, session)?;
    let reply = match &record.message.from {
        Some(sender) => reply_to(store, sender, id)?,
        None => None,
    };
    Ok(Whereabouts { record, recipient, reply })
}

fn reply_to(store: &Store, sender: &str, id: &str) -> Result<Option<Message>> {
    let mailbox = latest(store, store.session(sender))?.session;
    let (records, _) = log(&mailbox, usize::MAX)?;
    let answers =
        |message: &Message| message.in_reply_to.as_deref() == Some(id) && message.kind == Kind::Reply;
    Ok(records.into_iter().map(|record| record.message).find(answers))
}
