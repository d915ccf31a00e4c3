//! The one reply to a request.
//!
//! Invariant: a request has at most one reply. It is decided under the lock of
//! the requester's mailbox by what stands in its log, and in the logs of the
//! sessions it went on from, which take no more mail: there is no other record.

use super::find::{Found, by_id};
use super::history::{copies_of, replies};
use super::identity::{Call, identify};
use super::send::{Draft, Sender, Sent, send};
use super::{Relay, find};
use crate::error::{Cause, Error, Result};
use crate::host;
use crate::mail::address::shorten;
use crate::mail::{Kind, Message, Status};
use crate::store::Store;
use crate::store::session::Guard;

/// The session of this shell; `None` for a person or script outside of agents.
/// An agent's shell that relay cannot tell apart is an error.
pub fn own_session(relay: &Relay) -> Result<Option<Found>> {
    match identify(relay, &Call::default()) {
        Ok(identity) => Ok(Some(identity.found)),
        Err(error) if error.is(Cause::Unidentified) && host::in_environment(&relay.env).is_none() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Who asks: the session named with `from`, else that of this shell. Somebody
/// must be there to take the reply.
pub fn requester(relay: &Relay, store: &Store, from: Option<&str>) -> Result<Sender> {
    if let Some(who) = from {
        return Ok(Sender::OnBehalfOf(find::find(store, who)?.info));
    }
    match own_session(relay)? {
        Some(found) => Ok(Sender::Session(found.info)),
        None => Err(Error::usage(
            "a request needs a mailbox for its reply, and this shell belongs to no session: add --from <who>, or \
             use `relay send` where no reply is needed",
        )),
    }
}

/// Answers a message as the session of this shell or, from a shell outside of
/// agents, on behalf of the session that the message went to.
pub fn reply(relay: &Relay, id: &str, status: Option<Status>, body: String) -> Result<Sent> {
    let store = relay.store()?;
    let readers = copies_of(store, id)?;
    let Some(first) = readers.first() else {
        return Err(Error::not_found(
            "message",
            &shorten(id),
            "; its id stands in the mail itself and in `relay log`",
        ));
    };
    let sender = match own_session(relay)? {
        Some(own) => match readers.iter().any(|copy| copy.reader.session == own.session) {
            true => Sender::Session(own.info),
            false => return Err(not_yours(&first.reader)),
        },
        None if readers.len() == 1 => Sender::OnBehalfOf(first.reader.info.clone()),
        None => {
            return Err(Error::usage(format!(
                "'{}' went to several sessions; reply in the shell of one of them",
                shorten(id)
            )));
        }
    };
    let Some(asker) = &first.record.message.from else {
        return Err(Error::not_found(
            "session that wrote",
            &shorten(id),
            ": it came from the command line, so there is nobody to answer by mail",
        ));
    };
    let to = by_id(store, asker)?;
    let draft = Draft { body, kind: Kind::Reply, in_reply_to: Some(id.to_owned()), status };
    send(store, sender, to, draft)
}

/// Checks who replies, and to whom.
pub(super) fn check(
    store: &Store,
    sender: &Sender,
    addressee: &Found,
    request: &Message,
    to: &Found,
) -> Result<()> {
    let replier = sender.info().map(|info| by_id(store, &info.id)).transpose()?;
    if replier.is_none_or(|replier| replier.session != addressee.session) {
        return Err(not_yours(addressee));
    }
    let asker = request.from.as_deref().map(|id| by_id(store, id)).transpose()?;
    match asker {
        Some(asker) if asker.session == to.session => Ok(()),
        Some(asker) => Err(Error::usage(format!(
            "the reply to this request goes to {}; nothing was sent",
            asker.info.label()
        ))),
        None => Err(Error::usage("nobody waits for a reply to this request: it came from the command line")),
    }
}

/// Whether the request has its reply already, which `reply` only repeats and then
/// becomes; an error if it says something else. `guard` is the lock of the requester's
/// mailbox.
pub(super) fn is_repeated(
    store: &Store,
    guard: &Guard,
    request: &Message,
    reply: &mut Message<'static>,
) -> Result<bool> {
    let asker = request.from.as_deref().unwrap_or_default();
    let Some(first) = replies(store, asker, &request.id)?.into_iter().next() else { return Ok(false) };
    let first = first.message;
    if (&first.body, first.status) != (&reply.body, reply.status) {
        return Err(Error::new(
            Cause::Conflict,
            format!(
                "request {} has its reply already, {}; say more with `send` as a note",
                request.id, first.id
            ),
        ));
    }
    // Whoever wrote it may have died before it was synced.
    if guard.session().log().exists() {
        guard.sync_log()?;
    }
    *reply = first;
    Ok(true)
}

fn not_yours(addressee: &Found) -> Error {
    Error::new(
        Cause::Conflict,
        format!("only {}, whom it was sent to, can reply to it; nothing was sent", addressee.info.label()),
    )
}
