//! What a mailbox held and what became of a message. Changes nothing.

use std::collections::VecDeque;

use super::find::{Found, latest};
use crate::error::{Error, Result};
use crate::limits::CLOCK_BACK_MS;
use crate::mail::message::made_ms;
use crate::mail::{Kind, Message};
use crate::store::mailbox::Entry;
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
    pub message: Message<'static>,
    pub receipt: Receipt,
}

impl Record {
    fn of(entry: Entry, cursor: &Cursor, now_ms: u64) -> Record {
        let receipt = Receipt::of(entry.start, cursor, now_ms);
        Record { message: entry.message.into_owned(), receipt }
    }
}

/// The last `most` messages of a mailbox, oldest first, and how many there were.
pub fn log(session: &Session, most: usize) -> Result<(Vec<Record>, usize)> {
    let (cursor, bytes) = session.cursor()?;
    let now = clock::now_ms();
    let (mut total, mut last) = (0, VecDeque::new());
    session.each(0, bytes, &mut |entry| {
        total += 1;
        last.push_back(entry.start);
        if last.len() > most {
            last.pop_front();
        }
        true
    })?;
    let mut records = Vec::with_capacity(last.len());
    if let Some(first) = last.front() {
        session.each(*first, bytes, &mut |entry| {
            records.push(Record::of(entry, &cursor, now));
            records.len() < last.len()
        })?;
    }
    Ok((records, total))
}

/// The messages of a mailbox that fit, oldest first.
fn fitting(session: &Session, fits: &dyn Fn(&Message) -> bool) -> Result<Vec<Record>> {
    let (cursor, bytes) = session.cursor()?;
    let (now, mut found) = (clock::now_ms(), Vec::new());
    session.each(0, bytes, &mut |entry| {
        if fits(&entry.message) {
            found.push(Record::of(entry, &cursor, now));
        }
        true
    })?;
    Ok(found)
}

/// One message of a mailbox.
pub fn message(session: &Session, id: &str) -> Result<Box<Record>> {
    fitting(session, &|message| message.id == id)?.into_iter().next().map(Box::new).ok_or_else(|| {
        Error::not_found("message", &crate::mail::address::shorten(id), " in this mailbox; see `relay log`")
    })
}

/// A message in the mailbox of one of its readers.
pub struct Copy {
    pub record: Record,
    /// The session that its mailbox is now.
    pub reader: Found,
    /// Until when a reader may confirm it, in milliseconds since 1970, if held.
    pub held_until_ms: Option<u64>,
    /// The reader's reply, where [`status`] looked for it.
    pub reply: Option<Box<Message<'static>>>,
    /// Whether the conversation went on elsewhere, and with it the reader.
    moved: bool,
}

impl Copy {
    /// What they are sorted by: a mailbox that went on elsewhere tells less than the
    /// one it went to, which stands before it.
    fn order(&self) -> (u64, &str, &str, &str, bool) {
        let (message, reader) = (&self.record.message, &self.reader);
        (message.sent_ms, &message.id, reader.info.label(), reader.session.key(), self.moved)
    }
}

/// The copies of one message.
pub fn copies_of(store: &Store, id: &str) -> Result<Vec<Copy>> {
    copies(store, id, &|message| message.id == id)
}

/// The copies of the messages that `fits`, in order of time; of one reader's
/// copies that which moved furthest through its successors. None is older than
/// the message with the id `first`. Where none is found and a mailbox could not be
/// read, that is the error.
fn copies(store: &Store, first: &str, fits: &dyn Fn(&Message) -> bool) -> Result<Vec<Copy>> {
    // A mailbox that got its last mail before then has none of them, unless the
    // clock was wrong.
    if let Some(made_ms) = made_ms(first) {
        let mailed = store.mailed_since(made_ms.saturating_sub(CLOCK_BACK_MS))?;
        if let Ok(found) = copies_in(store, mailed, fits)
            && !found.is_empty()
        {
            return Ok(found);
        }
    }
    copies_in(store, store.sessions()?, fits)
}

fn copies_in(store: &Store, sessions: Vec<Session>, fits: &dyn Fn(&Message) -> bool) -> Result<Vec<Copy>> {
    let (mut copies, mut unread): (Vec<Copy>, _) = (Vec::new(), Ok(()));
    for session in sessions {
        let fitting = match fitting(&session, fits) {
            Ok(fitting) if fitting.is_empty() => continue,
            Ok(fitting) => fitting,
            Err(error) => {
                unread = Err(error);
                continue;
            }
        };
        let reader = latest(store, session.clone())?;
        let moved = reader.session != session;
        let expires = session.cursor()?.0.hold.as_ref().map(|hold| hold.expires_ms);
        for record in fitting {
            let held_until_ms = expires.filter(|_| record.receipt == Receipt::Held);
            copies.push(Copy { record, reader: reader.clone(), held_until_ms, reply: None, moved });
        }
    }
    if copies.is_empty() {
        unread?;
    }
    copies.sort_unstable_by(|a, b| a.order().cmp(&b.order()));
    copies.dedup_by(|later, kept| {
        later.record.message.id == kept.record.message.id && later.reader.session == kept.reader.session
    });
    Ok(copies)
}

/// The copies of one message, each with the reply of its reader.
pub fn status(store: &Store, id: &str) -> Result<Vec<Copy>> {
    let mut copies = copies_of(store, id)?;
    let Some(first) = copies.first() else { return Err(unknown(id)) };
    let replies = match &first.record.message.from {
        Some(sender) => replies(store, sender, id)?,
        None => Vec::new(),
    };
    for copy in &mut copies {
        for Record { message, .. } in &replies {
            let Some(from) = &message.from else { continue };
            if latest(store, store.session(from))?.session == copy.reader.session {
                copy.reply = Some(Box::new(message.clone()));
                break;
            }
        }
    }
    Ok(copies)
}

/// The conversation that a message belongs to, its messages' copies in order of
/// time.
pub fn thread(store: &Store, id: &str) -> Result<Vec<Copy>> {
    let named = copies_of(store, id)?;
    let thread = named.first().map_or(id, |copy| copy.record.message.conversation()).to_owned();
    let copies = copies(store, &thread, &|message| message.conversation() == thread)?;
    if copies.is_empty() { Err(unknown(id)) } else { Ok(copies) }
}

/// Every reply to this message in the mailboxes of its sender, the mailbox it
/// wrote from first, then those of all that went on from it, each in the order
/// they came.
pub fn replies(store: &Store, sender: &str, id: &str) -> Result<Vec<Record>> {
    let answers =
        |message: &Message| message.in_reply_to.as_deref() == Some(id) && message.kind == Kind::Reply;
    let (mut sessions, mut replies) = (vec![store.session(sender)], Vec::new());
    let mut looked = 0;
    while let Some(session) = sessions.get(looked) {
        replies.append(&mut fitting(session, &answers)?);
        let info = session.known()?.unwrap_or_default();
        for next in info.successor.iter().chain(&info.formerly) {
            let next = store.session(next);
            if !sessions.contains(&next) {
                sessions.push(next);
            }
        }
        looked += 1;
    }
    Ok(replies)
}

/// A message, and the session that has it.
pub struct Located {
    pub reader: Found,
    pub message: Message<'static>,
}

/// The message of this id and the session that has it: that of `first`, if it
/// has it, else of any.
pub fn locate(store: &Store, first: Option<&Session>, id: &str) -> Result<Option<Box<Located>>> {
    if let Some(session) = first
        && let Ok(record) = message(session, id)
    {
        let reader = latest(store, session.clone())?;
        return Ok(Some(Box::new(Located { reader, message: record.message })));
    }
    let copy = copies_of(store, id)?.into_iter().next();
    Ok(copy.map(|copy| Box::new(Located { reader: copy.reader, message: copy.record.message })))
}

fn unknown(id: &str) -> Error {
    Error::not_found("message", &crate::mail::address::shorten(id), " in any mailbox of this store")
}
