//! A session is here: writes its record when something about it changed.
//!
//! Invariant: announcing what is known already writes nothing and takes no
//! lock; every announced session has a name it can be addressed by.

use std::path::{Path, PathBuf};

use super::find::Found;
use super::succession::come_back;
use crate::error::Result;
use crate::host::{self, Host, Sessions};
use crate::limits::SEEN_MS;
use crate::mail::address::{self, check_directory};
use crate::store::session::Guard;
use crate::store::{Info, Session, Store};
use crate::sys::clock;
use crate::sys::process::Process;

/// What a door learned about a session.
pub struct Sighting<'a> {
    pub id: &'a str,
    pub host: &'a Host,
    pub directory: Option<PathBuf>,
    pub transcript: Option<PathBuf>,
    /// The host process that runs it.
    pub process: Option<Process>,
    /// Whether directory and transcript replace what is known: so at a
    /// session's start; later its shell may stand elsewhere.
    pub at_start: bool,
}

/// Makes the store know the session, and its process know the session. A
/// session that inherits gets its name from its predecessor, not here.
pub fn announce(store: &Store, sighting: &Sighting) -> Result<Found> {
    let id = address::check_id(sighting.id)?;
    let session = store.session(&id);
    let is_nameless = |info: &Info| info.name.is_none() && info.inherits.is_none();
    if let Some(mut info) = session.known()? {
        if let Some(successor) = &info.successor {
            come_back(store, &session, successor)?;
        } else if !is_nameless(&info) && !learn(&mut info, sighting) && seen_lately(&info) {
            // Then its process knows it too: that is noted first.
            return Ok(Found { session, info });
        }
    }
    leave_others(store, &session, sighting)?;
    let guard = session.lock()?;
    if let Some(process) = &sighting.process {
        store.announce(process, &session)?;
    }
    let mut info = session.known()?.unwrap_or_else(|| Box::new(Info { id, ..Info::default() }));
    learn(&mut info, sighting);
    if info.inherits.is_none() {
        info.seen_ms = clock::now_ms();
    }
    if is_nameless(&info) {
        info.name = default_name(store, &guard, &info)?;
    }
    guard.write_info(&info)?;
    drop(guard);
    Ok(Found { session, info })
}

/// Whether the record says that the session was seen within a day; one that has
/// been quiet for long may be folded away.
fn seen_lately(info: &Info) -> bool {
    clock::now_ms().saturating_sub(info.seen_ms) < SEEN_MS
}

/// Where the host process runs one session at a time, the ones that it ran
/// before this have left its prompt, even if it did not say so.
fn leave_others(store: &Store, session: &Session, sighting: &Sighting) -> Result<()> {
    let (Some(process), Sessions::OneOnceStarted) = (&sighting.process, sighting.host.sessions) else {
        return Ok(());
    };
    if sighting.at_start {
        store.note_one_at_a_time(process)?;
    } else if !store.runs_one_at_a_time(process)? {
        return Ok(());
    }
    for other in store.announced_by(process)?.iter().filter(|other| *other != session) {
        end(other, Some(process))?;
    }
    Ok(())
}

/// The session has ended in this host process: it no longer keeps it live. The
/// end of an earlier process can come late, when another runs the session.
pub fn end(session: &Session, process: Option<&Process>) -> Result<()> {
    let unknown = Process::unknown();
    let process = process.unwrap_or(&unknown);
    let ends = |info: &Info| info.process.as_ref() == Some(process);
    if !session.known()?.is_some_and(|info| ends(&info)) {
        return Ok(());
    }
    session.update(&ends, &mut |info| (info.process, info.seen_ms) = (None, clock::now_ms()))
}

/// Puts the sighting's news into the record. Returns whether there is any.
fn learn(info: &mut Info, sighting: &Sighting) -> bool {
    let mut learned = info.host != sighting.host.name;
    if learned {
        info.host = sighting.host.name.to_owned();
    }
    for (field, seen) in
        [(&mut info.directory, &sighting.directory), (&mut info.transcript, &sighting.transcript)]
    {
        if seen.is_some() && (sighting.at_start || field.is_none()) {
            learned |= field != seen;
            field.clone_from(seen); // in its newest spelling, too
        }
    }
    let process = match &sighting.process {
        Some(process) => Some(process.clone()),
        // Something runs it, though nothing tells what.
        None if sighting.at_start || info.process.is_none() => Some(Process::unknown()),
        None => return learned,
    };
    if info.process != process {
        info.process = process;
        learned = true;
    }
    learned
}

/// A free name made of the directory and the end of the id.
pub fn default_name(store: &Store, guard: &Guard, info: &Info) -> Result<Option<String>> {
    let directory = info.directory.as_deref().unwrap_or(Path::new(""));
    for digits in [4, 8, 12] {
        let name = address::default_name(directory, &info.id, digits);
        if store.claim_name(guard, &name)? {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Announces the session that this process is a child of the host of.
pub fn announce_own(relay: &super::Relay, store: &Store, host: &Host, id: &str) -> Result<Found> {
    let directory = host::project_directory(&relay.env);
    let sighting = Sighting {
        id,
        host,
        directory: check_directory(&directory).is_ok().then_some(directory),
        transcript: None,
        process: crate::sys::process::host_process(),
        at_start: false,
    };
    announce(store, &sighting)
}
