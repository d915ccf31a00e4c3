//! Clears the past away: read mail beyond what is kept, sessions that nobody
//! has seen for long, what a crash left.
//!
//! Invariant: never unread mail, a live session, or one that another goes on
//! from; the work is done in bounded pieces, and a piece that fails or is killed
//! is done again by the next.

use std::path::Path;

use super::Relay;
use super::find::latest;
use super::succession::inherit;
use crate::error::{Error, Result};
use crate::limits::{DAY_MS, FOLD_DAYS, SWEEP_MS, SWEEP_SESSIONS};
use crate::store::{Info, Session, Store};
use crate::sys::clock;

/// What was done, or would be.
#[derive(Default)]
pub struct Report {
    /// Mailboxes that were trimmed, and by how many bytes.
    pub trimmed: Vec<(String, u64)>,
    /// Sessions that were folded away.
    pub folded: Vec<String>,
    /// Notes of processes that have ended.
    pub notes: usize,
    /// Names that led to no session of that name.
    pub names: usize,
    /// What could not be cleared, and why.
    pub failed: Vec<Error>,
}

/// Goes through the whole store at once. `dry`: changes nothing.
pub fn everything(store: &Store, dry: bool) -> Result<Report> {
    // First: a name that a session no longer says it has would outlive it.
    let mut report = Report { names: store.release_leaked_names(dry)?, ..Report::default() };
    for session in store.sessions()? {
        // One that cannot be cleared must not keep the others waiting.
        if let Err(error) = clear(store, &session, dry, &mut report) {
            report.failed.push(error);
        }
    }
    if !dry {
        store.finish_folding()?;
    }
    report.notes = store.dead_processes(dry)?;
    Ok(report)
}

/// Does a piece of the daily sweep if it is due and nobody else does. Returns
/// when to come back, in milliseconds.
pub fn a_piece(relay: &Relay) -> Result<u64> {
    let Some(store) = relay.existing_store()? else { return Ok(SWEEP_MS) };
    let now = clock::now_ms();
    let (begun_ms, after) = store.sweep_note();
    let since = now.saturating_sub(begun_ms);
    if after.is_none() && since < SWEEP_MS && begun_ms <= now {
        return Ok(SWEEP_MS - since);
    }
    let Some(_lock) = store.sweep_lock()? else { return Ok(SWEEP_MS) };
    let mut rest = store.keys()?;
    rest.retain(|key| after.as_ref().is_none_or(|after| key > after));
    rest.sort_unstable();
    let more = rest.len() > SWEEP_SESSIONS;
    rest.truncate(SWEEP_SESSIONS);
    let mut report = Report::default();
    for key in &rest {
        let _ = clear(store, &store.session_of_key(key), false, &mut report);
    }
    let last = rest.last().filter(|_| more);
    if last.is_none() {
        store.finish_folding()?;
        store.dead_processes(false)?;
    }
    store.note_sweep(now, last.map(String::as_str))?;
    Ok(if more { 1_000 } else { SWEEP_MS })
}

/// Clears one session; one that cannot be read is left to `doctor`.
fn clear(store: &Store, session: &Session, dry: bool, report: &mut Report) -> Result<()> {
    let Ok(info) = session.info() else { return Ok(()) };
    if !dry && info.as_ref().is_some_and(|info| info.inherits.is_some()) {
        inherit(store, session)?;
        return Ok(()); // what came with it is new here
    }
    let info = info.unwrap_or_else(|| Box::new(Info { id: session.key().to_owned(), ..Info::default() }));
    // The name of one that another goes on from is that one's.
    let label = if info.successor.is_some() { &info.id } else { info.label() }.to_owned();
    let now = clock::now_ms();
    if is_forgotten(store, session, &info, now)? {
        if !dry {
            let guard = session.lock()?;
            // Seen again under the lock: mail or its user may have come.
            let info = session.info()?.unwrap_or(info);
            if !is_forgotten(store, session, &info, now)? {
                return Ok(());
            }
            store.fold(guard, info)?;
        }
        report.folded.push(label);
        return Ok(());
    }
    let Some((begins, cut)) = session.outdated(store.keep, now)? else { return Ok(()) };
    if !dry {
        trim(store, session)?;
    }
    report.trimmed.push((label, cut - begins));
    Ok(())
}

/// Trims a mailbox to what is to be kept.
pub fn trim(store: &Store, session: &Session) -> Result<()> {
    let guard = session.lock()?;
    match session.outdated(store.keep, clock::now_ms())? {
        Some((_, cut)) => guard.trim(cut),
        None => Ok(()),
    }
}

/// Trims a mailbox that has just grown to `end` if it occupies a quarter more
/// than what is kept. The mail is stored already, so a failure can wait.
pub fn trim_if_large(store: &Store, session: &Session, end: u64) {
    let Some(limit) = store.keep.bytes.map(|bytes| bytes.saturating_add(bytes / 4)) else { return };
    if end > limit && session.occupied() > limit {
        let _ = trim(store, session);
    }
}

/// Whether nobody has seen the session for long and nothing waits in it.
fn is_forgotten(store: &Store, session: &Session, info: &Info, now_ms: u64) -> Result<bool> {
    let touched = |path: &Path| path.metadata().ok()?.modified().ok().map(clock::file_ms);
    let mut seen_ms = info.seen_ms.max(touched(&session.log()).unwrap_or(0));
    seen_ms = seen_ms.max(touched(&session.cursor_file()).unwrap_or(0));
    seen_ms = seen_ms.max(info.transcript.as_deref().and_then(touched).unwrap_or(0));
    if seen_ms == 0 {
        seen_ms = touched(session.folder()).unwrap_or(now_ms);
    }
    if seen_ms.saturating_add(FOLD_DAYS * DAY_MS) >= now_ms || session.is_live(info) || session.is_resumed() {
        return Ok(false);
    }
    let (cursor, bytes) = session.cursor()?;
    if bytes > cursor.consumed || cursor.hold.is_some() || info.inherits.is_some() {
        return Ok(false);
    }
    // Mail to an old id must find the way for as long as there is one.
    let goes_on = match &info.successor {
        Some(_) => latest(store, session.clone()).map_or(true, |found| found.session.exists()),
        None => false,
    };
    Ok(!goes_on)
}
