//! Waits for mail.
//!
//! Invariant: nothing runs while nothing changes; the folder is watched before
//! it is looked at, so mail that comes in between is seen; waiting takes no
//! lock and changes nothing.

use std::time::{Duration, Instant};

use super::collect::{Batch, Reader, take_for_command};
use crate::error::{Error, Result};
use crate::mail::{Kind, Message};
use crate::store::Session;
use crate::store::mailbox::Entry;
use crate::sys::clock;
use crate::sys::watch::Watch;

/// Nothing tells when a hold ends by its time or by the death of its holder.
const HELD_LOOK: Duration = Duration::from_secs(1);

/// What a mailbox has for a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Mail that nobody holds.
    Ready,
    /// Another reader has it, and mail that is newer waits for that one's.
    Held,
    Empty,
}

/// Looks, without a lock.
fn state(session: &Session) -> Result<State> {
    let (cursor, bytes) = session.cursor()?;
    Ok(match &cursor.hold {
        Some(hold) if hold.stands(clock::now_ms()) => State::Held,
        _ if bytes > cursor.consumed => State::Ready,
        _ => State::Empty,
    })
}

/// Whether mail is there that the session was not shown yet.
pub fn has_new(session: &Session) -> Result<bool> {
    session.cursor().map(|(cursor, bytes)| bytes > cursor.unheld())
}

/// Waits until `look` finds something in the session's folder, for at most
/// `patience` (`None`: for ever).
pub fn until<T>(
    session: &Session,
    patience: Option<Duration>,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<Option<T>> {
    let deadline = patience.map(|patience| Instant::now() + patience);
    let mut watch = Watch::new();
    session.watch(&mut watch);
    loop {
        if let Some(found) = look()? {
            return Ok(Some(found));
        }
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Ok(None);
        }
        let pause = match state(session)? {
            State::Held => Some(left.map_or(HELD_LOOK, |left| left.min(HELD_LOOK))),
            State::Ready | State::Empty => left,
        };
        watch.wait(None, pause).map_err(|e| Error::io("wait for a change of", session.folder(), e))?;
    }
}

/// Takes what is pending for a command, once there is something that nobody
/// else holds, or as it is when the time is over.
pub fn take(session: &Session, patience: Option<Duration>, reader: impl Fn() -> Reader) -> Result<Batch> {
    if patience == Some(Duration::ZERO) {
        return take_for_command(session, reader());
    }
    let look = || {
        let batch = match state(session)? {
            State::Ready => take_for_command(session, reader())?,
            State::Held | State::Empty => Batch::default(),
        };
        Ok((!batch.token.is_empty()).then_some(batch))
    };
    match until(session, patience, look)? {
        Some(batch) => Ok(batch),
        None => take_for_command(session, reader()),
    }
}

/// A reply that somebody waits for.
pub struct Awaited {
    /// Whose mailbox it comes to.
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

    /// Looks, without a lock.
    pub fn look(&self) -> Result<Option<Arrival>> {
        let (cursor, bytes) = self.session.cursor()?;
        let mut arrival = None;
        self.session.each(self.from, bytes, &mut |Entry { message, start, .. }| {
            let answers =
                message.kind == Kind::Reply && message.in_reply_to.as_deref() == Some(&self.request);
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

    /// Takes the mailbox's mail once the reply is among it. `Ok(Err(_))`: it was
    /// shown to another reader before. `None`: the time was over.
    pub fn take(
        &self,
        patience: Option<Duration>,
        reader: impl Fn() -> Reader,
    ) -> Result<Option<std::result::Result<Batch, Message<'static>>>> {
        until(&self.session, patience, || match self.look()? {
            None => Ok(None),
            Some(Arrival::Shown(message)) => Ok(Some(Err(*message))),
            Some(Arrival::Waiting) => {
                let batch = take_for_command(&self.session, reader())?;
                Ok((!batch.token.is_empty()).then_some(Ok(batch)))
            }
        })
    }
}

/// Hands every message from `from` on to `show`, as they come, until `show`
/// says stop.
pub fn follow(session: &Session, mut show: impl FnMut(&Message) -> Result<bool>) -> Result<()> {
    let mut at = session.cursor()?.0.consumed;
    until(session, None, || {
        let (_, bytes) = session.cursor()?;
        let mut shown = Ok(true);
        at = session
            .each(at, bytes, &mut |entry| {
                shown = show(&entry.message);
                matches!(shown, Ok(true))
            })?
            .end;
        shown.map(|more| (!more).then_some(()))
    })
    .map(|_| ())
}
