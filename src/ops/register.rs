//! Gives a session a name, and makes the session known where it is not.
//!
//! Invariant: a name that another session has is never taken from it.

use std::path::PathBuf;

use super::announce::default_name;
use super::find::{Found, latest};
use crate::error::{Cause, Error, Result};
use crate::host;
use crate::mail::address;
use crate::store::{Info, Session, Store};
use crate::sys::clock;

/// What a person told about a session; `None` leaves what is known.
#[derive(Default)]
pub struct Details<'a> {
    pub directory: Option<PathBuf>,
    pub host: Option<&'a str>,
    /// Whether `relay watch` may wake it.
    pub wakes: Option<bool>,
}

/// Registers the session of this id under `name`.
pub fn register(store: &Store, id: &str, name: &str, details: Details) -> Result<Found> {
    let id = address::check_id(id)?;
    address::check_name(name)?;
    let host = details.host.map(host::check).transpose()?;
    if let Some(directory) = &details.directory {
        address::check_directory(directory)?;
    }
    let Found { session, info } = latest(store, store.session(&id))?;
    if name != info.id && store.session(name).is_registered() {
        return Err(Error::new(
            Cause::Conflict,
            format!("'{name}' is the id of a session, so it cannot be a name"),
        ));
    }
    store.release_if_nowhere(name)?;
    let guard = session.lock()?;
    let mut info = session.known()?.unwrap_or_else(|| Box::new(Info { id, ..Info::default() }));
    if details.directory.is_some() {
        info.directory = details.directory;
    }
    info.wakes = details.wakes.unwrap_or(info.wakes);
    if let Some(host) = host.or(info.host.is_empty().then_some(&host::HOSTS[0])) {
        info.host = host.name.to_owned();
    }
    info.seen_ms = clock::now_ms();
    if !store.claim_name(&guard, name)? {
        return Err(taken(store, name));
    }
    let former = info.name.replace(name.to_owned());
    info.named = true;
    guard.write_info(&info)?;
    if let Some(former) = former.filter(|former| former != name) {
        store.release_name(&guard, &former, Some(name))?;
    }
    drop(guard);
    Ok(Found { session, info })
}

/// Makes an unknown session known, with a default name.
pub fn ensure_known(store: &Store, session: &Session, mut info: Info) -> Result<()> {
    if let Some(directory) = &info.directory {
        address::check_directory(directory)?;
    }
    let guard = session.lock()?;
    if session.is_registered() {
        return Ok(());
    }
    info.name = default_name(store, &guard, &info)?;
    info.seen_ms = clock::now_ms();
    guard.write_info(&info)
}

fn taken(store: &Store, name: &str) -> Error {
    let owner = store.named(name).ok().flatten().and_then(|session| latest(store, session).ok());
    let (id, state) = match &owner {
        Some(found) if found.session.is_live(&found.info) => (found.info.id.as_str(), "live"),
        Some(found) => (found.info.id.as_str(), "dormant"),
        None => ("another session", "gone"),
    };
    Error::new(
        Cause::Conflict,
        format!(
            "the name '{name}' belongs to {id} ({state}); choose another, or rename that one first: relay register \
         <new-name> --id {id}"
        ),
    )
}
