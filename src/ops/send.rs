//! Stores a message in a session's mailbox.
//!
//! Invariant: when this returns, the message has been synced to the log of the
//! session that the recipient is now, successors followed.

use super::find::{Found, latest};
use super::gc::trim_if_large;
use super::reach::outlook;
use crate::error::{Error, Result};
use crate::limits::{BODY_BYTES, SUCCESSIONS};
use crate::mail::message::uuid_v7;
use crate::mail::{Kind, Message};
use crate::store::{Info, Store};
use crate::sys::{clock, random};

/// Who a message is from.
pub enum Sender {
    /// The session itself, proved by its host.
    Session(Info),
    /// A person or script, in a session's name.
    OnBehalfOf(Info),
    /// A person or script.
    CommandLine,
}

/// What is to be said.
pub struct Draft {
    pub body: String,
    pub kind: Kind,
    pub in_reply_to: Option<String>,
}

/// A stored message.
pub struct Sent {
    pub message: Message,
    pub to: Found,
    /// When the recipient will read it, in words.
    pub outlook: String,
}

/// Sends one message.
pub fn send(store: &Store, sender: Sender, to: Found, draft: Draft) -> Result<Sent> {
    check_body(&draft.body)?;
    let (from, via) = match sender {
        Sender::Session(info) => (Some(info), None),
        Sender::OnBehalfOf(info) => (Some(info), Some("cli")),
        Sender::CommandLine => (None, Some("cli")),
    };
    let now = clock::now_ms();
    let random =
        random::bytes().map_err(|e| Error::Failed(format!("no random numbers from the system: {e}")))?;
    let mut message = Message {
        id: uuid_v7(now, random),
        sent_ms: now,
        from: from.as_ref().map(|info| info.id.clone()),
        from_name: Some(from.as_ref().map_or("cli", Info::label).to_owned()),
        from_host: from.map(|info| info.host).filter(|host| !host.is_empty()),
        via: via.map(str::to_owned),
        to: String::new(),
        to_name: None,
        kind: draft.kind,
        in_reply_to: draft.in_reply_to,
        body: draft.body,
    };
    let mut to = to;
    for _ in 0..SUCCESSIONS {
        let guard = to.session.lock()?;
        // Seen under the lock: a session that went on as another takes no mail.
        let current = to.session.info().unwrap_or(None);
        if let Some(Info { successor: Some(_), .. }) = current {
            drop(guard);
            to = latest(store, to.session)?;
            continue;
        }
        message.to.clone_from(&to.info.id);
        message.to_name.clone_from(&to.info.name);
        let end = guard.append(&message)?;
        drop(guard);
        trim_if_large(store, &to.session, end);
        let outlook = outlook(&to, message.sender());
        return Ok(Sent { message, to, outlook });
    }
    Err(Error::Failed("the recipient's successors go in a circle; run `relay doctor`".to_owned()))
}

fn check_body(body: &str) -> Result<()> {
    if body.trim().is_empty() {
        return Err(Error::Usage("the message is empty; write something after the recipient".to_owned()));
    }
    if body.len() > BODY_BYTES {
        return Err(Error::Limit {
            what: "the message body",
            limit: BODY_BYTES,
            got: body.len(),
            advice: "nothing was sent: put the text into a file and send its path",
        });
    }
    Ok(())
}
