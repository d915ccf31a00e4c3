//! One message to several sessions: names with commas, `@all`, a `#room`.
//!
//! Invariant: every reader gets its own copy in its own mailbox, all with one
//! id; the sender gets none; and what was not stored is not claimed.

use std::path::{Path, PathBuf};

use super::find::{Found, find, keep};
use super::room;
use super::send::{Draft, Sender, Sent, append, compose, send};
use crate::error::{Cause, Error, Result};
use crate::limits::{GROUP_BYTES, GROUP_READERS};
use crate::mail::Kind;
use crate::store::{Session, Store};

/// The address of every live session of a project.
const ALL: &str = "@all";

/// Whether the address means several sessions.
pub fn is_group(to: &str) -> bool {
    to == ALL || to.starts_with('#') || to.contains(',')
}

/// Sends to whom the address means: one session, or several. `here` tells the
/// project that `@all` is about; `own` is the session whose shell this is.
pub fn send_to(
    store: &Store,
    sender: Sender,
    to: &str,
    draft: Draft,
    here: &Path,
    own: Option<&Session>,
) -> Result<Vec<Sent>> {
    if !is_group(to) {
        return send(store, sender, find(store, to)?, draft).map(|sent| vec![sent]);
    }
    if draft.kind == Kind::Request {
        return Err(Error::usage(
            "a request goes to one session, which replies; nothing was sent: ask each, or send a note",
        ));
    }
    if draft.status.is_some() {
        return Err(Error::usage("a reply with a status goes to the one who asked; nothing was sent"));
    }
    let writer = sender.info().map(|info| store.session(&info.id));
    let mut readers = readers(store, to, here)?;
    keep(&mut readers, &|reader| Some(&reader.session) != writer.as_ref() && Some(&reader.session) != own);
    if readers.is_empty() {
        return Err(Error::not_found(
            "reader for",
            &crate::mail::address::shorten(to),
            ": nobody but the sender is there; nothing was sent (see `relay list`)",
        ));
    }
    let (mut message, question) = compose(store, &sender, draft)?;
    let ends_request = question.is_some_and(|question| question.message.kind == Kind::Request);
    if message.kind == Kind::Reply && ends_request {
        return Err(Error::usage(
            "the reply to a request goes to the one who asked, not to a group; nothing was sent",
        ));
    }
    message.group = Some(to.to_owned().into());
    let mut sent: Vec<Sent> = Vec::new();
    for reader in &readers {
        let mut copy = Sent::new(message.clone(), reader.clone());
        match append(store, &mut copy, None) {
            Ok(()) => sent.push(copy),
            Err(error) if sent.is_empty() => return Err(error),
            Err(error) => return Err(partly(&sent, &readers, &error)),
        }
    }
    Ok(sent)
}

/// Who is meant, each once, in the order of the address.
fn readers(store: &Store, to: &str, here: &Path) -> Result<Vec<Found>> {
    if to.len() > GROUP_BYTES {
        return Err(Error::limit(
            "the address",
            GROUP_BYTES,
            to.len(),
            "nothing was sent: let the readers join a room and write to that",
        ));
    }
    let mut readers: Vec<Found> = Vec::new();
    for part in to.split(',').map(str::trim) {
        let meant = match part {
            "" => {
                return Err(Error::usage(format!("'{to}' has an empty name; write a,b without more commas")));
            }
            ALL => live_in_project(store, here)?,
            part if part.starts_with('#') => room::members(store, room::name(part)?)?,
            part => vec![find(store, part)?],
        };
        // At once: the same room may stand there a thousand times.
        for reader in meant {
            if readers.iter().all(|earlier| earlier.session != reader.session) {
                readers.push(reader);
            }
        }
    }
    if readers.len() > GROUP_READERS {
        return Err(Error::new(
            Cause::Limit,
            format!(
                "this would go to {} sessions, the limit is {GROUP_READERS}; nothing was sent",
                readers.len()
            ),
        ));
    }
    Ok(readers)
}

/// The live sessions of the project that the directory belongs to, by label.
fn live_in_project(store: &Store, here: &Path) -> Result<Vec<Found>> {
    let project = project_of(here);
    let mut found = Vec::new();
    for row in super::roster::roster(store)? {
        let directory = row.found.info.directory.as_deref();
        if row.live && directory.is_some_and(|directory| project_of(directory) == project) {
            found.push(row.found);
        }
    }
    Ok(found)
}

/// The nearest folder upwards that is a repository, else the directory itself,
/// whatever links led there.
fn project_of(directory: &Path) -> PathBuf {
    let real = directory.canonicalize();
    let directory = real.as_deref().unwrap_or(directory);
    directory.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(directory).to_owned()
}

/// Some got it and some did not.
fn partly(sent: &[Sent], readers: &[Found], error: &Error) -> Error {
    let stored: Vec<&str> = sent.iter().map(|sent| sent.to.info.label()).collect();
    let others: Vec<&str> = readers[sent.len()..].iter().map(|reader| reader.info.label()).collect();
    error.reworded(format!(
        "stored for {} (id {}), not for {}: {}; send it again only to those",
        stored.join(", "),
        sent[0].message.id,
        others.join(", "),
        error.what(),
    ))
}
