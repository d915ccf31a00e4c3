//! Ends a hold: the mail arrived, or it did not.
//!
//! Invariant: settling the same way twice is fine; settling what has ended
//! another way, or expired, is an error and changes nothing.

use crate::error::{Cause, Error, Result};
use crate::store::session::Guard;
use crate::store::{Session, Store};
use crate::sys::clock;

/// How a hold is to end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// The reader has the mail.
    Acknowledge,
    /// The mail comes again, marked, before later mail.
    PutBack,
}

/// Settles the hold that a token names, as its reader says: when this returns,
/// it lasts.
pub fn settle(store: &Store, token: &str, how: Settlement) -> Result<()> {
    let session =
        token.split_once('.').and_then(|(_, key)| store.session_of_token(key)).filter(Session::exists);
    match session {
        Some(session) => {
            let guard = session.lock()?;
            settle_under(&guard, token, how)?;
            guard.sync_cursor()
        }
        None => Err(Error::new(Cause::Token, "no hold has this token; see `relay help inbox`")),
    }
}

/// Settles a hold as relay itself concludes, in the mailbox that has it.
pub fn settle_in(session: &Session, token: &str, how: Settlement) -> Result<()> {
    settle_under(&session.lock()?, token, how)
}

fn settle_under(guard: &Guard, token: &str, how: Settlement) -> Result<()> {
    let (mut cursor, _) = guard.session().cursor()?;
    if let Some(settled) = cursor.settled.as_ref().filter(|settled| settled.token == token) {
        return match settled.consumed == (how == Settlement::Acknowledge) {
            true => Ok(()),
            false if settled.consumed => {
                Err(Error::new(Cause::Token, "this hold was acknowledged already; its mail is consumed"))
            }
            false => {
                Err(Error::new(Cause::Token, "this hold was rolled back or expired; its mail waits again"))
            }
        };
    }
    let Some(hold) = cursor.hold.as_ref().filter(|hold| hold.token == token) else {
        return Err(Error::new(Cause::Token, "no hold has this token any more; see `relay help inbox`"));
    };
    if how == Settlement::Acknowledge && !hold.stands(clock::now_ms()) {
        return Err(Error::new(
            Cause::Token,
            "this hold has expired; its mail comes again, marked redelivered",
        ));
    }
    match how {
        Settlement::Acknowledge => cursor.acknowledge(),
        Settlement::PutBack => cursor.put_back(),
    }
    guard.note_cursor(&cursor)
}
