//! One conversation, a new id: the new session goes on from the old one.
//!
//! Invariant: each step can be repeated after a crash; from the moment the old
//! record names its successor no mail enters the old mailbox, and its unread
//! mail is marked consumed there only after it stands in the new one.

use std::collections::{HashMap, HashSet};

use super::announce::Sighting;
use super::find::latest;
use super::room;
use crate::error::Result;
use crate::mail::address;
use crate::store::{Info, Session, Store};

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
        before.retain(|found| found.info.directory == sighting.directory);
    }
    let Some(old) = before.pop() else { return Ok(()) };
    let guard = new.lock()?;
    guard.write_info(&Info {
        id,
        host: sighting.host.name.to_owned(),
        directory: sighting.directory.clone(),
        inherits: Some(old.info.id.clone()),
        ..Info::default()
    })
}

/// Brings over what the session inherits, if it has not got it all yet.
pub fn inherit(store: &Store, session: &Session) -> Result<()> {
    let Some(info) = session.info().unwrap_or(None) else { return Ok(()) };
    let Some(old_id) = &info.inherits else { return Ok(()) };
    let old = store.session(old_id);
    let (name, named) = close(&old, &info.id)?;
    move_mail(&old, session)?;
    room::inherit(store, &old, session)?;
    {
        let guard = session.lock()?;
        if let Some(name) = &name {
            store.inherit_name(&guard, name, &old)?;
        }
        guard.write_info(&Info { name, named, inherits: None, ..*info.clone() })?;
    }
    let guard = old.lock()?;
    let (mut cursor, bytes) = old.cursor()?;
    cursor.consumed = bytes;
    cursor.hold = None;
    guard.write_cursor(&cursor)
}

/// Names the successor in the old record: its mailbox takes no more mail.
fn close(old: &Session, successor: &str) -> Result<(Option<String>, bool)> {
    let guard = old.lock()?;
    let info = old.info().unwrap_or(None).unwrap_or_default();
    let name = (info.name.clone(), info.named);
    if info.successor.is_none() {
        guard.write_info(&Info { successor: Some(successor.to_owned()), process: None, ..*info })?;
    }
    Ok(name)
}

/// Copies unread mail, leaving out what an interrupted move brought already.
fn move_mail(old: &Session, new: &Session) -> Result<()> {
    let (mut cursor, bytes) = old.cursor()?;
    cursor.put_back();
    if cursor.consumed >= bytes {
        return Ok(());
    }
    let guard = new.lock()?;
    let (mut target, end) = new.cursor()?;
    let mut present = HashSet::new();
    new.each(0, end, &mut |entry| {
        present.insert(entry.message.id.into_owned());
        true
    })?;
    let (mut shown_before, mut copied) = (HashMap::new(), Ok(0));
    old.each(cursor.consumed, bytes, &mut |entry| {
        let (id, times) = (entry.message.id.as_ref(), cursor.times_shown(entry.start));
        if times > 0 {
            shown_before.insert(id.to_owned(), times);
        }
        if !present.contains(id) {
            copied = guard.append(&entry.message);
        }
        copied.is_ok()
    })?;
    copied?;
    if !shown_before.is_empty() && target == Default::default() {
        let (_, end) = new.cursor()?;
        new.each(0, end, &mut |entry| {
            let times = shown_before.get(entry.message.id.as_ref());
            target.note_shown(entry.end, times.copied().unwrap_or(0));
            true
        })?;
        guard.write_cursor(&target)?;
    }
    Ok(())
}
