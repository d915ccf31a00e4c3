//! Who is meant: from what a person or a model wrote to one session.
//!
//! Invariant: an exact name wins over an id, an id over a prefix; nothing is
//! guessed, a slip gets a suggestion.

use crate::error::{Error, Result};
use crate::limits::{ID_PREFIX_CHARS, SUCCESSIONS};
use crate::mail::address;
use crate::store::{Info, Session, Store};

/// A session that was asked for.
#[derive(Clone)]
pub struct Found {
    pub session: Session,
    pub info: Box<Info>,
}

/// Keeps only those that fit.
pub fn keep(found: &mut Vec<Found>, fits: &dyn Fn(&Found) -> bool) {
    found.retain(fits);
}

/// The session of this name, id or unique id prefix, or the one that went on
/// from it.
pub fn find(store: &Store, who: &str) -> Result<Found> {
    if let Some(session) = store.named(who)? {
        return latest(store, session);
    }
    if let Ok(id) = address::check_id(who) {
        let session = store.session(&id);
        if session.exists() {
            return latest(store, session);
        }
        if id.len() >= ID_PREFIX_CHARS {
            match store.sessions_beginning(&id)?.as_slice() {
                [] => {}
                [one] => return latest(store, one.clone()),
                _ => {
                    return Err(Error::not_found(
                        "single session",
                        &address::shorten(who),
                        ": several ids begin like that, give more of it",
                    ));
                }
            }
        }
    }
    Err(unknown(store, who))
}

/// The session of exactly this id, registered or not.
pub fn by_id(store: &Store, id: &str) -> Result<Found> {
    latest(store, store.session(&address::check_id(id)?))
}

/// Follows a session to the one that went on from it. A record that cannot be
/// read counts as none: the mailbox is there all the same.
pub fn latest(store: &Store, session: Session) -> Result<Found> {
    let mut session = session;
    for _ in 0..SUCCESSIONS {
        let Some(info) = session.info().unwrap_or(None) else {
            let id = session.key().to_owned();
            return Ok(Found { session, info: Box::new(Info { id, ..Info::default() }) });
        };
        match &info.successor {
            Some(next) => session = store.session(next),
            None => return Ok(Found { session, info }),
        }
    }
    Err(circle(&session))
}

/// The error for successors that lead back to where they came from.
pub fn circle(session: &Session) -> Error {
    Error::failed(format!("the successors of session {} go in a circle; run `relay doctor`", session.key()))
}

fn unknown(store: &Store, who: &str) -> Error {
    let names = store.names().unwrap_or_default();
    let hint = match address::closest(who, names.iter().map(String::as_str)) {
        Some(name) if name == who => ": the name leads to none; run `relay doctor`".to_owned(),
        Some(name) => format!("; did you mean '{name}'?"),
        None => "; see `relay list`".to_owned(),
    };
    Error::not_found("session", &address::shorten(who), &hint)
}
