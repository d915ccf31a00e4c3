//! Who is there: every session, live ones first, without changing anything.

use super::find::Found;
use super::reach::Reach;
use super::room;
use crate::error::{Error, Result};
use crate::json;
use crate::store::{Session, Store};
use crate::sys::clock;
use crate::sys::process::Process;
use crate::sys::threads::in_two;

/// One session of the roster.
pub struct Row {
    pub found: Found,
    pub live: bool,
    /// How mail reaches it now.
    pub reach: Reach,
    /// When the host last wrote its transcript or announced it, in milliseconds.
    pub seen_ms: u64,
    /// Whether mail waits for it.
    pub has_mail: bool,
    /// The rooms it joined.
    pub rooms: Vec<String>,
}

/// Every registered session that nothing has succeeded, live ones first, then
/// by name.
pub fn roster(store: &Store) -> Result<Vec<Row>> {
    rows(store, &store.sessions()?)
}

/// As [`roster`], of `most` sessions: those that run, then those where something
/// happened last. And how many there are in all.
pub fn recent(store: &Store, most: usize) -> Result<(Vec<Row>, usize)> {
    let (sessions, all) = store.recent(most)?;
    Ok((rows(store, &sessions)?, all))
}

/// As [`roster`], of the room's members. A room without members is an error.
pub fn in_room(store: &Store, room: &str) -> Result<Vec<Row>> {
    let name = room::name(room)?;
    let members = room::members(store, name)?;
    if members.is_empty() {
        let hint = ": nobody is in it; `relay list` shows the rooms of each session";
        return Err(Error::not_found("room", &format!("#{name}"), hint));
    }
    let mut sessions = Vec::with_capacity(members.len());
    for member in members {
        sessions.push(member.session);
    }
    rows(store, &sessions)
}

/// As [`roster`], of these sessions.
pub fn rows(store: &Store, sessions: &[Session]) -> Result<Vec<Row>> {
    let mut rows = in_two(sessions, look_at);
    for room in store.rooms()? {
        let members = store.members(&room)?;
        for row in &mut rows {
            let key = row.found.session.key();
            if members.binary_search_by(|member| member.key().cmp(key)).is_ok() {
                row.rooms.push(room.clone());
            }
        }
    }
    rows.sort_unstable_by(|a, b| {
        fn order(row: &Row) -> (bool, &str) {
            (!row.live, row.found.info.label())
        }
        order(a).cmp(&order(b))
    });
    Ok(rows)
}

/// The rows of these sessions, but for their rooms.
fn look_at(sessions: &[Session]) -> Vec<Row> {
    // One host may run many sessions: ask about each process once.
    let mut running: Vec<Process> = Vec::new();
    let mut rows = Vec::with_capacity(sessions.len());
    for session in sessions {
        let Ok(Some(info)) = session.info() else { continue };
        if info.successor.is_some() {
            continue;
        }
        let runs = info.process.as_ref().is_some_and(|process| {
            let known = running.contains(process);
            let runs = known || info.runs();
            if runs && !known {
                running.push(process.clone());
            }
            runs
        });
        let live = runs || session.is_kept_live();
        // What it inherits may be mail, and has not come yet.
        let has_mail =
            info.inherits.is_some() || session.cursor().is_ok_and(|(cursor, bytes)| bytes > cursor.consumed);
        let transcript = info.transcript.as_ref().and_then(|path| path.metadata().ok()?.modified().ok());
        let seen_ms = info.seen_ms.max(transcript.map_or(0, clock::file_ms));
        let found = Found { session: session.clone(), info };
        let reach = Reach::of(&found, live);
        rows.push(Row { found, live, reach, seen_ms, has_mail, rooms: Vec::new() });
    }
    rows
}

/// The session as scripts and models see it.
pub fn members(object: json::Object, row: &Row) -> json::Object {
    let info = &row.found.info;
    let object = object
        .nullable("name", info.name.as_deref())
        .str("tool", &info.host)
        .str("id", &info.id)
        .nullable("dir", info.directory.as_ref().map(|path| path.to_string_lossy()).as_deref())
        .str("lastSeen", &clock::rfc3339(row.seen_ms))
        .bool("live", row.live)
        .str("reach", row.reach.name())
        .bool("mail", row.has_mail);
    with_rooms(object, &row.rooms)
}

/// The object, and the rooms if there are any.
pub fn with_rooms(object: json::Object, rooms: &[String]) -> json::Object {
    match rooms {
        [] => object,
        rooms => object.raw("rooms", &json::array(rooms.iter().map(|room| json::quote(&format!("#{room}"))))),
    }
}
