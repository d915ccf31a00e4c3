//! `relay list`: who is there.

use std::fmt::Write;
use std::path::Path;

use super::{Parsed, remark, say, say_json};
use crate::error::Result;
use crate::json;
use crate::limits::LIST_SESSIONS;
use crate::mail::text::visible;
use crate::ops::Relay;
use crate::ops::reach::Reach;
use crate::ops::roster::{in_room, members, recent};
use crate::sys::clock;

/// What a row takes, mostly.
const ROW_BYTES: usize = 160;

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let all = ["all", "json", "names"].iter().any(|flag| parsed.flag(flag));
    let most = if all { usize::MAX } else { LIST_SESSIONS };
    let (rows, known) = match (relay.existing_store()?, parsed.positional(0)) {
        (Some(store), None) => recent(store, most)?,
        (Some(store), Some(room)) => (in_room(store, room)?, 0),
        (None, _) => (Vec::new(), 0),
    };
    if parsed.flag("names") {
        let mut names = String::new();
        for row in &rows {
            names.extend([row.found.info.label(), "\n"]);
        }
        return say(&names);
    }
    if parsed.flag("json") {
        return say_json(json::list(0, &rows, members));
    }
    if rows.is_empty() {
        return say(
            "(no sessions registered: they appear at their first prompt once relay's hook is installed)\n",
        );
    }
    let now = clock::now_ms();
    let (mut name_width, mut tool_width, mut id_width) = (0, 0, 0);
    for row in &rows {
        let info = &row.found.info;
        name_width = name_width.max(info.label().len());
        tool_width = tool_width.max(info.host.len());
        id_width = id_width.max(info.id.len());
    }
    // Written into one text: one of its own for each cell costs more than the rest.
    let mut table = String::with_capacity(rows.len() * ROW_BYTES);
    for row in &rows {
        let info = &row.found.info;
        let _ = write!(
            table,
            "{:name_width$}  [{:tool_width$}]  {:id_width$}  ",
            info.label(),
            info.host,
            info.id
        );
        let directory = info.directory.as_deref().map_or("?".into(), Path::to_string_lossy);
        table.extend([&visible(&directory), "  "]);
        match row.reach {
            Reach::Bell => table.push_str("live, bell"),
            Reach::Step => table.push_str("live, next step"),
            Reach::Wake => table.extend([&clock::ago(row.seen_ms, now), ", wake"]),
            Reach::Unknown => table.push_str(&clock::ago(row.seen_ms, now)),
        }
        table.push_str(if row.has_mail { ", mail waits" } else { "" });
        for room in &row.rooms {
            table.extend([", in #", room]);
        }
        table.push('\n');
    }
    let printed = say(&table)?;
    if known > most {
        remark(format_args!(
            "relay: {most} of {known} sessions, those that run and the last active; `relay list --all` shows every one"
        ));
    }
    Ok(printed)
}
