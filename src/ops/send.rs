//! Stores a message in a session's mailbox.
//!
//! Invariant: when this returns, the message has been synced to the log of the
//! session that the recipient is now, successors followed; and what answers a
//! request went through the rules of `reply`.

use std::borrow::Cow;

use super::find::{Found, circle, latest};
use super::gc::trim_if_large;
use super::history::{Located, locate};
use super::{reach, reply};
use crate::error::{Error, Result};
use crate::limits::{BODY_BYTES, MESSAGE_ID_BYTES, MOVES};
use crate::mail::fence::beginning;
use crate::mail::message::uuid_v7;
use crate::mail::{Kind, Message, Status};
use crate::store::{Info, Store};
use crate::sys::{clock, random};

/// Who a message is from.
#[derive(Clone)]
pub enum Sender {
    /// The session itself, proved by its host.
    Session(Box<Info>),
    /// A person or script, in a session's name.
    OnBehalfOf(Box<Info>),
    /// A person or script.
    CommandLine,
}

impl Sender {
    /// The session in whose name it is, if there is one.
    pub fn info(&self) -> Option<&Info> {
        match self {
            Sender::Session(info) | Sender::OnBehalfOf(info) => Some(info),
            Sender::CommandLine => None,
        }
    }
}

/// What is to be said.
pub struct Draft {
    pub body: String,
    pub kind: Kind,
    pub in_reply_to: Option<String>,
    /// How a request ended; only for the reply to one.
    pub status: Option<Status>,
}

impl Draft {
    /// A message that asks for nothing and answers none.
    pub fn note(body: String) -> Draft {
        Draft { body, kind: Kind::Note, in_reply_to: None, status: None }
    }
}

/// A stored message.
pub struct Sent {
    pub message: Message<'static>,
    pub to: Found,
    /// When the recipient will read it, in words.
    pub outlook: String,
    /// Whether it had been stored before: a reply that was sent again.
    pub repeated: bool,
}

impl Sent {
    /// What is to be stored.
    pub(super) fn new(message: Message<'static>, to: Found) -> Sent {
        Sent { message, to, outlook: String::new(), repeated: false }
    }
}

/// Sends one message to one session.
pub fn send(store: &Store, sender: Sender, to: Found, draft: Draft) -> Result<Sent> {
    let (mut message, question) = compose(store, &sender, draft)?;
    let request = match (question.as_deref(), message.kind) {
        (Some(Located { reader, message: asked }), Kind::Reply) if asked.kind == Kind::Request => {
            reply::check(store, &sender, reader, asked, &to)?;
            message.status = message.status.or(Some(Status::Completed));
            Some(asked)
        }
        _ => None,
    };
    if message.status.is_some() && request.is_none() {
        return Err(Error::usage(
            "a status belongs to the reply to a request; this answers none (nothing was sent)",
        ));
    }
    let mut sent = Sent::new(message, to);
    append(store, &mut sent, request)?;
    Ok(sent)
}

/// The message, not yet addressed, and what it answers with that one's reader.
pub(super) fn compose(
    store: &Store,
    sender: &Sender,
    draft: Draft,
) -> Result<(Message<'static>, Option<Box<Located>>)> {
    check_body(&draft.body)?;
    let question = match &draft.in_reply_to {
        Some(id) => {
            check_message_id(id)?;
            locate(store, sender.info().map(|info| store.session(&info.id)).as_ref(), id)?
        }
        None => None,
    };
    let now = clock::now_ms();
    let random = random::bytes()?;
    let from = sender.info();
    let asked = question.as_ref().map(|question| &question.message);
    let thread = asked.map(Message::conversation).or(draft.in_reply_to.as_deref());
    let message = Message {
        id: uuid_v7(now, random).into(),
        sent_ms: now,
        from: from.map(|info| info.id.clone().into()),
        from_name: Some(from.map_or("cli", Info::label).to_owned().into()),
        from_host: from.map(|info| info.host.clone()).filter(|host| !host.is_empty()).map(Cow::Owned),
        via: (!matches!(sender, Sender::Session(_))).then_some(Cow::Borrowed("cli")),
        to: Cow::Borrowed(""),
        to_name: None,
        kind: draft.kind,
        question: asked.map(|message| beginning(&message.body).into()),
        thread: thread.map(|thread| thread.to_owned().into()),
        in_reply_to: draft.in_reply_to.map(Cow::Owned),
        status: draft.status,
        group: None,
        body: draft.body.into(),
    };
    Ok((message, question))
}

/// Appends the message to the recipient's log, and says so in `sent`. `request`: what
/// it is the one reply to.
pub(super) fn append(store: &Store, sent: &mut Sent, request: Option<&Message>) -> Result<()> {
    let Sent { message, to, outlook, repeated } = sent;
    for _ in 0..MOVES {
        let guard = to.session.lock()?;
        // Seen under the lock: a session that went on as another takes no mail.
        let current = to.session.known()?;
        if current.is_some_and(|info| info.successor.is_some()) {
            drop(guard);
            *to = latest(store, to.session.clone())?;
            continue;
        }
        let mut end = 0;
        *repeated = match request {
            Some(request) => reply::is_repeated(store, &guard, request, message)?,
            None => false,
        };
        if !*repeated {
            message.to = to.info.id.clone().into();
            message.to_name = to.info.name.clone().map(Cow::Owned);
            end = guard.append(message)?;
        }
        drop(guard);
        trim_if_large(store, &to.session, end);
        *outlook = reach::outlook(to, message.sender());
        return Ok(());
    }
    Err(circle(&to.session))
}

fn check_message_id(id: &str) -> Result<()> {
    match id.is_empty() || id.len() > MESSAGE_ID_BYTES || id.chars().any(char::is_control) {
        false => Ok(()),
        true => Err(Error::usage(format!(
            "in_reply_to takes the id of a message, at most {MESSAGE_ID_BYTES} bytes; nothing was sent"
        ))),
    }
}

fn check_body(body: &str) -> Result<()> {
    if body.trim().is_empty() {
        return Err(Error::usage("the message is empty; write something after the recipient"));
    }
    if body.len() > BODY_BYTES {
        return Err(Error::limit(
            "the message body",
            BODY_BYTES,
            body.len(),
            "nothing was sent: put the text into a file and send its path",
        ));
    }
    Ok(())
}
