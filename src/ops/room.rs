//! Joining and leaving rooms, and who is in one.
//!
//! Invariant: a session is in at most [`SESSION_ROOMS`] rooms, a room has at
//! most [`ROOM_MEMBERS`] members, and each member is counted once however often
//! its conversation got a new id.

use super::find::{Found, circle, latest};
use super::succession::lock_to_read;
use crate::error::{Cause, Error, Result};
use crate::limits::{MOVES, ROOM_MEMBERS, SESSION_ROOMS};
use crate::mail::address;
use crate::store::session::Guard;
use crate::store::{Session, Store};

/// The room's name without the `#` that may stand before it.
pub fn name(room: &str) -> Result<&str> {
    let name = room.strip_prefix('#').unwrap_or(room);
    address::check_name(name).map(|()| name)
}

/// The sessions in the room, by label.
pub fn members(store: &Store, room: &str) -> Result<Vec<Found>> {
    let mut members: Vec<Found> = Vec::new();
    for session in store.members(room)? {
        let found = latest(store, session)?;
        if found.session.is_registered() && members.iter().all(|member| member.session != found.session) {
            let place = members.partition_point(|member| member.info.label() < found.info.label());
            members.insert(place, found);
        }
    }
    Ok(members)
}

/// Makes the session a member. Being one already is no error.
pub fn join(store: &Store, session: &Session, room: &str) -> Result<()> {
    let room = name(room)?;
    as_member(store, session, &|guard| join_as(store, guard, room))
}

fn join_as(store: &Store, guard: &Guard, room: &str) -> Result<()> {
    let rooms = store.rooms_of(guard.session())?;
    if rooms.iter().any(|joined| joined == room) {
        return Ok(());
    }
    if rooms.len() >= SESSION_ROOMS {
        return Err(Error::new(
            Cause::Limit,
            format!("a session is in at most {SESSION_ROOMS} rooms; leave one first: relay leave <room>"),
        ));
    }
    store.join(guard, room)?;
    // Counted afterwards: of two that join at once, both see both.
    if store.members(room)?.len() > ROOM_MEMBERS {
        store.leave(guard, room, None)?;
        return Err(Error::new(
            Cause::Limit,
            format!("room #{room} is full: it has {ROOM_MEMBERS} members; use another room"),
        ));
    }
    Ok(())
}

/// Ends the session's membership. Not being a member is no error.
pub fn leave(store: &Store, session: &Session, room: &str) -> Result<()> {
    let room = name(room)?;
    as_member(store, session, &|guard| store.leave(guard, room, None))
}

/// Does something to the memberships of the session that this one is now, which
/// has those of the ones it goes on from.
fn as_member(store: &Store, session: &Session, act: &dyn Fn(&Guard) -> Result<()>) -> Result<()> {
    for _ in 0..MOVES {
        let session = latest(store, session.clone())?.session;
        let Some((guard, _)) = lock_to_read(store, &session)? else { continue };
        if !session.is_registered() {
            return Err(Error::not_found("session", session.key(), "; register it again"));
        }
        return act(&guard);
    }
    Err(circle(session))
}

/// Moves the memberships of a session to the one that goes on from it.
pub fn inherit(store: &Store, old: &Session, new: &Session) -> Result<()> {
    let rooms = store.rooms_of(old)?;
    if rooms.is_empty() {
        return Ok(());
    }
    let guard = new.lock()?;
    for room in rooms {
        store.join(&guard, &room)?;
        store.leave(&guard, &room, Some(old))?;
    }
    Ok(())
}
