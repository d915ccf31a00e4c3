//! One conversation, a new id: the new session goes on from the old one.
//!
//! Invariant: each step can be repeated after a crash; from the moment the old
//! record names its successor no mail enters or leaves the old mailbox, and its
//! unread mail is marked consumed there only after it stands in the new one. A
//! mailbox that is still to inherit is not read before it has.

use super::announce::Sighting;
use super::find::{circle, keep, latest};
use super::room;
use crate::error::Result;
use crate::limits::MOVES;
use crate::mail::address;
use crate::store::session::Guard;
use crate::store::{Cursor, Info, Session, Store};
use crate::sys::clock;

/// Sources of a session's start that mean: the conversation before, in the same
/// host process, goes on under this id.
const GOES_ON: [&str; 2] = ["clear", "compact"];

/// If this start goes on from another session of the same host process, makes
/// it that session's successor.
pub fn succeed_if_cleared(store: &Store, sighting: &Sighting, source: Option<&str>) -> Result<()> {
    let (Some(process), true) = (&sighting.process, source.is_some_and(|source| GOES_ON.contains(&source)))
    else {
        return Ok(());
    };
    let id = address::check_id(sighting.id)?;
    let new = store.session(&id);
    if new.is_registered() {
        return Ok(());
    }
    let mut before = Vec::new();
    for session in store.announced_by(process)? {
        let found = latest(store, session)?;
        if found.session != new && found.info.host == sighting.host.name {
            before.push(found);
        }
    }
    if before.len() > 1 {
        keep(&mut before, &|found| found.info.directory == sighting.directory);
    }
    let Some(old) = before.pop() else { return Ok(()) };
    let guard = new.lock()?;
    guard.write_info(&Info {
        id,
        host: sighting.host.name.to_owned(),
        directory: sighting.directory.clone(),
        seen_ms: clock::now_ms(),
        inherits: Some(old.info.id.clone()),
        wakes: old.info.wakes,
        ..Info::default()
    })
}

/// The mailbox's lock, for its reader. `None`: the conversation goes on as
/// another session, which has the mail.
pub fn lock_to_read<'a>(store: &Store, session: &'a Session) -> Result<Option<(Guard<'a>, Box<Info>)>> {
    for _ in 0..MOVES {
        let guard = session.lock()?;
        let info = session.known()?.unwrap_or_default();
        match (&info.successor, &info.inherits) {
            (Some(_), _) => return Ok(None),
            (None, None) => return Ok(Some((guard, info))),
            (None, Some(_)) => {}
        }
        drop(guard);
        inherit(store, session)?;
    }
    Err(circle(session))
}

/// Brings over what the session inherits, if it has not got it all yet.
pub fn inherit(store: &Store, session: &Session) -> Result<()> {
    inherit_within(store, session, MOVES)
}

/// `depth`: how many sessions may still have to inherit first.
fn inherit_within(store: &Store, session: &Session, depth: usize) -> Result<()> {
    let Some(info) = session.known()? else { return Ok(()) };
    let Some(old_id) = &info.inherits else { return Ok(()) };
    let depth = depth.checked_sub(1).ok_or_else(|| circle(session))?;
    let old = store.session(old_id);
    inherit_within(store, &old, depth)?;
    let Some(mut estate) = close(&old, old_id, &info.id)? else {
        // Another began at the same time: the later goes on from the earlier.
        let next = latest(store, old)?;
        let follows = next.session != *session && next.info.seen_ms <= info.seen_ms;
        update(session, old_id, &mut |info| info.inherits = follows.then(|| next.info.id.clone()))?;
        return inherit_within(store, session, depth);
    };
    move_mail(&old, session, &estate)?;
    room::inherit(store, &old, session)?;
    empty(&old, &info.id, estate.end)?;
    let guard = session.lock()?;
    if let Some(name) = &estate.name {
        store.inherit_name(&guard, name, &old)?;
    }
    drop(guard);
    update(session, old_id, &mut |info| {
        (info.name, info.named, info.inherits) = (estate.name.take(), estate.named, None);
    })
}

/// What an old session leaves.
struct Estate {
    name: Option<String>,
    named: bool,
    /// How far its mail was read; nobody holds any of it.
    cursor: Cursor,
    /// Where its log ends.
    end: u64,
}

/// Names the successor in the old record: its mailbox takes and gives no more
/// mail. `None`: it has another one.
fn close(old: &Session, id: &str, successor: &str) -> Result<Option<Estate>> {
    let guard = old.lock()?;
    let unknown = || Box::new(Info { id: id.to_owned(), ..Info::default() });
    let mut info = old.known()?.unwrap_or_else(unknown);
    match &info.successor {
        Some(other) if other != successor => return Ok(None),
        Some(_) => {}
        None => {
            (info.successor, info.process) = (Some(successor.to_owned()), None);
            guard.write_info(&info)?;
        }
    }
    let (mut cursor, end) = old.cursor()?;
    cursor.put_back();
    Ok(Some(Estate { name: info.name.take(), named: info.named, cursor, end }))
}

/// Copies unread mail, leaving out what an interrupted move brought already.
fn move_mail(old: &Session, new: &Session, Estate { cursor, end, .. }: &Estate) -> Result<()> {
    if cursor.consumed >= *end {
        return Ok(());
    }
    let guard = new.lock()?;
    let (target, bytes) = new.cursor()?;
    let mut present = Vec::new();
    new.each(0, bytes, &mut |entry| {
        present.push(entry.message.id.to_string());
        true
    })?;
    present.sort_unstable();
    let (mut shown_before, mut copied) = (Vec::new(), Ok(0));
    old.each(cursor.consumed, *end, &mut |entry| {
        let (id, times) = (entry.message.id.as_ref(), cursor.times_shown(entry.start));
        if times > 0 {
            shown_before.push((id.to_owned(), times));
        }
        if present.binary_search_by(|other| other.as_str().cmp(id)).is_err() {
            copied = guard.append(&entry.message);
        }
        copied.is_ok()
    })?;
    copied?;
    if shown_before.is_empty() {
        return Ok(());
    }
    shown_before.sort_unstable();
    let (mut marked, (_, bytes)) = (target.without_shown(), new.cursor()?);
    new.each(target.consumed, bytes, &mut |entry| {
        let found = shown_before.binary_search_by(|(id, _)| id.as_str().cmp(&entry.message.id));
        let before = found.map_or(0, |at| shown_before[at].1);
        marked.note_shown(entry.end, before.max(target.times_shown(entry.start)));
        true
    })?;
    guard.write_cursor(&marked)
}

/// Nothing is left to read in the old mailbox before `end`, if it is still this
/// successor's.
fn empty(old: &Session, successor: &str, end: u64) -> Result<()> {
    let guard = old.lock()?;
    if old.known()?.is_none_or(|info| info.successor.as_deref() != Some(successor)) {
        return Ok(());
    }
    let (mut cursor, _) = old.cursor()?;
    cursor.hold = None;
    cursor.pass_over(end);
    guard.write_cursor(&cursor)
}

/// Changes the record of a session that still inherits from `old`.
fn update(session: &Session, old: &str, change: &mut dyn FnMut(&mut Info)) -> Result<()> {
    session.update(&|info| info.inherits.as_deref() == Some(old), change)
}

/// Its user came back to a session after another went on from it: what it had is
/// the other's, and it begins anew.
pub fn come_back(store: &Store, session: &Session, successor: &str) -> Result<()> {
    inherit(store, &store.session(successor))?;
    let guard = session.lock()?;
    let Some(mut info) = session.known()?.filter(|info| info.successor.is_some()) else {
        return Ok(());
    };
    let (cursor, bytes) = session.cursor()?;
    if cursor.consumed < bytes {
        // The other has this mail, too, or is about to get it.
        let mut marked = Cursor::unknown(bytes);
        marked.pass_over(cursor.consumed);
        guard.write_cursor(&marked)?;
    }
    info.formerly = info.successor.take();
    (info.name, info.named) = (None, false);
    guard.write_info(&info)
}
