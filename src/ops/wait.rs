//! Waits for mail.
//!
//! Invariant: nothing runs while nothing changes; the folder is watched before
//! it is looked at, so mail that comes in between is seen; waiting takes no
//! lock and changes nothing, but that it finishes a move of mail.

use std::time::{Duration, Instant};

use super::collect::{Batch, Reader, take_for_command};
use super::find::latest;
use super::succession::inherit;
use crate::error::{Cause, Error, Result};
use crate::limits::LOCK_WAIT_MS;
use crate::mail::{Kind, Message};
use crate::store::mailbox::Entry;
use crate::store::{Session, Store};
use crate::sys::clock;
use crate::sys::watch::Watch;

/// Nothing tells when a hold ends by its time or by the death of its holder.
pub const HELD_LOOK: Duration = Duration::from_secs(1);

/// What a mailbox has for a reader.
pub enum State {
    /// Mail that nobody holds.
    Ready,
    /// A reader has it; whether `more` came since, which waits for that one's.
    Held {
        more: bool,
    },
    Empty,
}

/// Looks, without a lock.
pub fn state(session: &Session) -> Result<State> {
    let (cursor, bytes) = session.cursor()?;
    Ok(match &cursor.hold {
        Some(hold) if hold.stands(clock::now_ms()) => State::Held { more: bytes > hold.to },
        _ if bytes > cursor.consumed => State::Ready,
        _ => State::Empty,
    })
}

/// Whether the session may be shown mail now: such that it was not shown yet, or
/// such that another reader held and no longer does.
pub fn may_be_shown(session: &Session) -> Result<bool> {
    Ok(matches!(state(session)?, State::Ready | State::Held { more: true }))
}

/// Whether a reader has the mail that waits.
pub fn is_held(session: &Session) -> bool {
    matches!(state(session), Ok(State::Held { .. }))
}

/// Waits until `look` finds what it looks for in the session's folder, or in that of
/// the session that went on from it, for at most `patience` (`None`: for ever).
/// Returns the session that it is then.
fn until(
    store: &Store,
    session: &Session,
    patience: Option<Duration>,
    look: &mut dyn FnMut(&Session) -> Result<bool>,
) -> Result<Session> {
    let deadline = patience.map(|patience| Instant::now() + patience);
    let mut watch = Watch::new();
    let mut session = session.clone();
    loop {
        let now = latest(store, session.clone())?;
        session = now.session;
        // A folder that was folded away and is there again is another one.
        session.watch(&mut watch);
        if now.info.inherits.is_some() {
            inherit(store, &session)?;
        }
        let found = look(&session)?;
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if found || left.is_some_and(|left| left.is_zero()) {
            return Ok(session);
        }
        let pause = match state(&session)? {
            State::Held { .. } => Some(left.map_or(HELD_LOOK, |left| left.min(HELD_LOOK))),
            State::Ready | State::Empty => left,
        };
        watch.wait(None, pause).map_err(|e| Error::io("wait for a change of", session.folder(), e))?;
    }
}

/// Takes what is pending for a command, once there is something that nobody
/// else holds, or as it is when the time is over. Returns whose mail it is, too.
pub fn take(
    store: &Store,
    session: &Session,
    patience: Option<Duration>,
    reader: &Reader,
) -> Result<(Session, Batch)> {
    let (mut session, mut batch) = (session.clone(), Batch::default());
    if patience != Some(Duration::ZERO) {
        session = until(store, &session, patience, &mut |session| {
            if matches!(state(session)?, State::Ready) {
                batch = take_for_command(store, session, reader)?;
            }
            Ok(!batch.token.is_empty())
        })?;
    }
    if batch.token.is_empty() {
        batch = take_for_command(store, &session, reader)?;
    }
    Ok((session, batch))
}

/// A reply that somebody waits for.
pub struct Awaited {
    /// Whose mailbox it comes to, if none goes on from it meanwhile.
    pub session: Session,
    from: u64,
    request: String,
}

/// What there is of it.
pub enum Arrival {
    /// It waits in the mailbox.
    Waiting,
    /// It came, and a reader has been shown it already.
    Shown(Box<Message<'static>>),
}

/// How a wait for it ended.
pub enum Answer {
    /// It was taken, with the mail before it, from this session's mailbox.
    Taken(Session, Batch),
    /// Another reader was shown it before.
    Shown(Box<Message<'static>>),
}

impl Awaited {
    /// To be made before the request is sent, so that no reply comes too soon.
    pub fn before(session: Session) -> Result<Awaited> {
        let (_, from) = session.cursor()?;
        Ok(Awaited { session, from, request: String::new() })
    }

    /// The request that was sent.
    pub fn to(self, request: &str) -> Awaited {
        Awaited { request: request.to_owned(), ..self }
    }

    /// Looks into the mailbox of the session that it is now, without a lock.
    pub fn look(&self, session: &Session) -> Result<Option<Arrival>> {
        let (cursor, bytes) = session.cursor()?;
        let from = if *session == self.session { self.from } else { 0 };
        let mut arrival = None;
        session.each(from, bytes, &mut |Entry { message, start, .. }| {
            let answers = self.answers(&message);
            if answers {
                arrival = Some(match start >= cursor.unheld() {
                    true => Arrival::Waiting,
                    false => Arrival::Shown(Box::new(message.into_owned())),
                });
            }
            !answers
        })?;
        Ok(arrival)
    }

    /// Whether the reply is among this mail.
    pub fn is_in(&self, batch: &Batch) -> bool {
        batch.deliveries.iter().any(|delivery| self.answers(&delivery.message))
    }

    fn answers(&self, message: &Message) -> bool {
        message.kind == Kind::Reply && message.in_reply_to.as_deref() == Some(&self.request)
    }

    /// Takes the mailbox's mail once the reply waits there; of more than one batch
    /// it may not be in the first. `None`: the time was over.
    pub fn take(&self, store: &Store, patience: Option<Duration>, reader: &Reader) -> Result<Option<Answer>> {
        let mut answer = None;
        let session = until(store, &self.session, patience, &mut |session| {
            match self.look(session)? {
                None => {}
                Some(Arrival::Shown(message)) => answer = Some(Answer::Shown(message)),
                Some(Arrival::Waiting) => {
                    let batch = take_for_command(store, session, reader)?;
                    if !batch.token.is_empty() {
                        answer = Some(Answer::Taken(session.clone(), batch));
                    }
                }
            }
            Ok(answer.is_some())
        })?;
        if answer.is_none() && self.look(&session)?.is_some() {
            return Err(Error::new(
                Cause::Held,
                format!(
                    "the reply is there, but another reader of that mailbox holds its mail; see relay status {}",
                    self.request
                ),
            ));
        }
        Ok(answer)
    }
}

/// Hands every message that is not read yet to `show`, and then those that come,
/// until `show` says stop.
pub fn follow(
    store: &Store,
    session: &Session,
    show: &mut dyn FnMut(&Message) -> Result<bool>,
) -> Result<()> {
    let (mut of, mut at, mut last) = (session.clone(), session.cursor()?.0.consumed, String::new());
    let mut looked_ms = clock::now_ms();
    until(store, session, None, &mut |session| {
        let (cursor, bytes) = session.cursor()?;
        if of != *session {
            (of, at) = (session.clone(), unseen(session, (cursor.consumed, bytes), looked_ms, &last)?);
        }
        looked_ms = clock::now_ms();
        let mut shown = Ok(true);
        let passed = session.each(at, bytes, &mut |entry| {
            last = entry.message.id.to_string();
            shown = show(&entry.message);
            matches!(shown, Ok(true))
        })?;
        at = passed.end;
        shown.map(|more| !more)
    })
    .map(|_| ())
}

/// Where in this mailbox, to which the conversation went on, that begins which was not
/// seen: what nobody has read yet, or somebody since the last look. The message `last`
/// may have moved here, with all that was seen before it.
fn unseen(session: &Session, (consumed, bytes): (u64, u64), looked_ms: u64, last: &str) -> Result<u64> {
    let mut at = None;
    let passed = session.each(0, bytes, &mut |Entry { message, start, end }| {
        // Whoever sent it may have waited for a lock before it was stored.
        let is_new = end > consumed || message.sent_ms + LOCK_WAIT_MS >= looked_ms;
        if message.id == last {
            at = Some(end);
        } else if is_new && at.is_none() {
            at = Some(start);
        }
        true
    })?;
    Ok(at.unwrap_or(passed.end))
}
