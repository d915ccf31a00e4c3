//! The doctor's look at the store: its place, its mail, its records.
//!
//! Invariant: see [`super`].

use std::fs::TryLockError;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use super::Findings;
use crate::error::Result;
use crate::host::wiring::shell_word;
use crate::limits::CLOCK_SLACK_MS;
use crate::mail::text::count;
use crate::ops::find::Found;
use crate::ops::reach::Reach;
use crate::ops::roster::{Row, rows};
use crate::ops::{KEEP_VARIABLES, Relay, number};
use crate::store::{Session, Store};
use crate::sys::disk::{self, Refusal};
use crate::sys::{clock, file, process};

pub fn examine(relay: &Relay, findings: &mut Findings) {
    if !relay.env.syncs() {
        findings.problem("sync", format_args!("RELAY_SYNC=off: a power cut takes accepted mail; unset it"));
    }
    for name in KEEP_VARIABLES {
        if let Some(Err(text)) = number(&relay.env, name) {
            let what =
                format_args!("{name}={text} is no whole number, so the default counts; set a number alone");
            findings.notice("retention", what);
        }
    }
    match relay.existing_store() {
        Err(error) => findings.problem("store", format_args!("{error}")),
        Ok(None) => findings.notice(
            "store",
            format_args!(
                "none yet at {}; it is made when the first session or message comes",
                relay.home().display()
            ),
        ),
        Ok(Some(store)) => {
            findings.fine("store", format_args!("{}, format 1", store.home().display()));
            permissions(store, findings);
            disk(store, findings);
            locks(store, findings);
            sessions(store, findings);
            last_failure(store, findings);
        }
    }
}

/// The store is private: nobody else may look into it.
fn permissions(store: &Store, findings: &mut Findings) {
    let home = store.home();
    let Ok(metadata) = home.metadata() else { return };
    let mode = metadata.permissions().mode() & 0o777;
    if metadata.uid() != process::user() {
        let what = format_args!("{} belongs to another user; give it back with chown", home.display());
        findings.problem("permissions", what);
    } else if mode & 0o077 != 0 {
        let (path, word) = (home.display(), path_word(home));
        let what = format_args!("{path} is open to others (mode {mode:o}); run: chmod -R go= {word}");
        findings.problem("permissions", what);
    } else {
        findings.fine("permissions", format_args!("private (mode {mode:o})"));
    }
}

/// Mail can be stored there at all.
fn disk(store: &Store, findings: &mut Findings) {
    let home = store.home().display();
    match disk::refusal(store.home()) {
        None => {}
        Some(Refusal::ReadOnly) => findings.problem(
            "disk",
            format_args!("the file system of {home} is read-only, so no mail can be stored; make it writable or set AGENT_RELAY_HOME"),
        ),
        Some(Refusal::Full) => findings.problem(
            "disk",
            format_args!("the file system of {home} is full, so no mail can be stored; free some space"),
        ),
    }
}

/// Two writers must not both get a lock, and not be on two machines.
fn locks(store: &Store, findings: &mut Findings) {
    let path = store.format_file();
    let elsewhere = "keep the store on a local disk: set AGENT_RELAY_HOME";
    if let Some(kind) = file::network_file_system(store.home()) {
        return findings.problem(
            "locks",
            format_args!("the store is on a network file system ({kind}), which cannot keep relay's promises; {elsewhere}"),
        );
    }
    if file::is_served_by_program(store.home()) {
        return findings.notice(
            "locks",
            format_args!("the store is on a file system that a program serves (FUSE): safe only where all agents reach it by this one mount; else {elsewhere}"),
        );
    }
    let (Ok(one), Ok(other)) = (file::open(&path), file::open(&path)) else { return };
    // Held by somebody else already, they work.
    let work = match one.try_lock() {
        Ok(()) => matches!(other.try_lock(), Err(TryLockError::WouldBlock)),
        Err(TryLockError::WouldBlock) => true,
        Err(TryLockError::Error(_)) => false,
    };
    match work {
        true => findings.fine("locks", format_args!("they keep a second writer out")),
        false => findings
            .problem("locks", format_args!("locks do not work on {}; {elsewhere}", store.home().display())),
    }
}

/// A session that was seen in the future: the clock has been set back since.
fn clock_was_set_back(rows: &[Row], findings: &mut Findings) {
    let now = clock::now_ms();
    let ahead = rows.iter().filter(|row| row.found.info.seen_ms > now + CLOCK_SLACK_MS);
    let Some(row) = ahead.max_by_key(|row| row.found.info.seen_ms) else {
        return findings.fine("clock", format_args!("{} UTC", clock::rfc3339(now)));
    };
    let minutes = (row.found.info.seen_ms - now) / 60_000;
    let what = format_args!(
        "it says {}, but {} was seen {} later than that: it is wrong now or was then; no mail is lost by it, ages and holds are shown wrong",
        clock::rfc3339(now),
        row.found.info.label(),
        count(usize::try_from(minutes).unwrap_or(usize::MAX), "minute")
    );
    findings.notice("clock", what);
}

fn sessions(store: &Store, findings: &mut Findings) {
    let sessions = store.sessions();
    let rows = sessions.and_then(|sessions| Ok((rows(store, &sessions)?, sessions)));
    let (rows, sessions) = match rows {
        Ok(found) => found,
        Err(error) => return findings.problem("sessions", format_args!("{error}")),
    };
    let live = rows.iter().filter(|row| row.live).count();
    findings.fine("sessions", format_args!("{} ({live} live)", rows.len()));
    clock_was_set_back(&rows, findings);
    mail(&rows, findings);
    strays(&sessions, findings);
    circles(store, &sessions, findings);
    names(store, &rows, findings).unwrap_or_else(|error| findings.problem("names", format_args!("{error}")));
    damage(&sessions, findings).unwrap_or_else(|error| findings.problem("records", format_args!("{error}")));
}

fn mail(rows: &[Row], findings: &mut Findings) {
    let waiting = rows.iter().filter(|row| row.has_mail);
    let sessions = waiting.clone().count();
    if sessions == 0 {
        return findings.fine("mail", format_args!("none waits"));
    }
    let now = clock::now_ms();
    for row in waiting.take(10) {
        let name = row.found.info.label();
        let Ok((cursor, bytes)) = row.found.session.cursor() else { continue };
        let (mut waiting, mut oldest) = (0, None);
        let passed = row.found.session.each(cursor.consumed, bytes, &mut |entry| {
            waiting += 1;
            oldest.get_or_insert(entry.message.sent_ms);
            true
        });
        let (Ok(_), Some(oldest)) = (passed, oldest) else { continue };
        let what =
            format!("{} for {name}, the oldest sent {}", count(waiting, "message"), clock::ago(oldest, now));
        match row.live {
            true if now.saturating_sub(oldest) > 600_000 => findings.notice(
                "mail",
                format_args!(
                    "{what}; it is live but has had no event since: is its hook installed and trusted?"
                ),
            ),
            true => findings.fine("mail", format_args!("{what}; read at its next event")),
            false if row.reach == Reach::Wake => findings
                .notice("mail", format_args!("{what}; it is dormant, ring it with: relay wake {name}")),
            false => findings.notice(
                "mail",
                format_args!(
                    "{what}, a mailbox that no host reads; whoever has it reads it with: relay inbox {name}"
                ),
            ),
        }
    }
    if sessions > 10 {
        findings.notice("mail", format_args!("and mail for {} more", count(sessions - 10, "session")));
    }
}

/// Mail for ids that no host has announced: a slip, or a session yet to come.
fn strays(sessions: &[Session], findings: &mut Findings) {
    for session in sessions.iter().filter(|session| !session.is_registered()) {
        let waiting = session.cursor().and_then(|(cursor, bytes)| session.count(cursor.consumed, bytes));
        let waiting = waiting.unwrap_or(0);
        if waiting > 0 {
            let what = format!("{} for {}", count(waiting, "message"), session.key());
            let what = format_args!("{what}, a session that no host has announced; is the id right?");
            findings.notice("mail", what);
        }
    }
}

/// Sessions that go on from each other: mail for any of them finds no reader.
fn circles(store: &Store, sessions: &[Session], findings: &mut Findings) {
    let mut ending = Vec::new();
    for session in sessions {
        let Some(ring) = ring(store, session, &mut ending) else { continue };
        // Told of the one to begin with: what it has must not be left behind.
        let has_mail = |at: &Found| at.session.cursor().is_ok_and(|(cursor, bytes)| bytes > cursor.consumed);
        let owned = |at: &Found| at.info.name.clone().filter(|name| leads_to(store, name, &at.session));
        let rank = |at: &Found| (has_mail(at), owned(at).is_some(), at.info.id.clone());
        let at = &ring[0];
        if ring.iter().any(|other| rank(other) > rank(at)) {
            continue;
        }
        let (id, host) = (&at.info.id, &at.info.host);
        let name = owned(at).unwrap_or_else(|| "<new-name>".to_owned());
        let record = path_word(&session.record());
        let directory = path_word(at.info.directory.as_deref().unwrap_or(Path::new("")));
        let what = format_args!(
            "those of session {id} go in a circle, so mail for it is refused; mend it with: \
                 rm {record} && relay register {name} --id {id} --tool {host} --dir {directory}"
        );
        findings.problem("successors", what);
    }
}

/// The session and its successors, where the last of them leads back to it. Those
/// that lead elsewhere are noted in `ending`, and not followed again.
fn ring(store: &Store, first: &Session, ending: &mut Vec<Session>) -> Option<Vec<Found>> {
    let (mut ring, mut session) = (Vec::new(), first.clone());
    while !ending.contains(&session) {
        let Some(info) = session.info().unwrap_or(None) else { break };
        let Some(next) = info.successor.as_ref().map(|next| store.session(next)) else { break };
        ring.push(Found { session, info });
        if next == *first {
            return Some(ring);
        }
        if ring.iter().any(|at| at.session == next) {
            return None; // a circle that it is not in
        }
        session = next;
    }
    for at in ring {
        ending.push(at.session);
    }
    None
}

fn path_word(path: &Path) -> String {
    shell_word(&path.to_string_lossy())
}

fn leads_to(store: &Store, name: &str, session: &Session) -> bool {
    store.named(name).is_ok_and(|named| named.as_ref() == Some(session))
}

/// Names that are given away and lead to nobody.
fn names(store: &Store, rows: &[Row], findings: &mut Findings) -> Result<()> {
    for name in store.names()? {
        if store.leads_nowhere(&name)? {
            let owner = rows.iter().find(|row| row.found.info.name.as_ref() == Some(&name));
            let id = owner.map_or("<session-id>", |row| &row.found.info.id);
            let what =
                format_args!("'{name}' leads to no session; mend it with: relay register {name} --id {id}");
            findings.problem("names", what);
        }
    }
    Ok(())
}

fn damage(sessions: &[Session], findings: &mut Findings) -> Result<()> {
    let mut found = false;
    for session in sessions {
        let (record, cursor) = (session.info(), session.cursor_is_damaged());
        let is_damaged = matches!(cursor, Ok(true));
        if let Some(error) = record.err().or(cursor.err()) {
            found = true;
            findings.problem("records", format_args!("{error}"));
        }
        if is_damaged {
            found = true;
            let cursor = session.cursor_file();
            let what = format_args!("{} is damaged; its mail comes again, marked", cursor.display());
            findings.problem("records", what);
        }
        let bytes = session.log().metadata().map_or(0, |metadata| metadata.len());
        let passed = session.each(0, bytes, &mut |_| true)?;
        let torn = passed.end < bytes && !session.is_locked();
        let lines = passed.damaged + usize::from(torn);
        if lines > 0 {
            found = true;
            let what =
                format!("{} in {}: skipped and kept", count(lines, "damaged line"), session.log().display());
            let what = format_args!("{what}; look at the file to see what the sender may repeat");
            findings.problem("records", what);
        }
    }
    if !found {
        findings.fine("records", format_args!("none damaged"));
    }
    Ok(())
}

fn last_failure(store: &Store, findings: &mut Findings) {
    match store.last_failure() {
        None => findings.fine("hooks", format_args!("no failure noted")),
        Some((when, what)) => {
            let note = store.failures_file();
            let when = clock::ago(when, clock::now_ms());
            let what = format_args!("the last failure was {when}: {what} (all in {})", note.display());
            findings.notice("hooks", what);
        }
    }
}
