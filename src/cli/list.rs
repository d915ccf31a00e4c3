//! `relay list`: who is there.

use super::{Parsed, say};
use crate::error::Result;
use crate::json;
use crate::ops::Relay;
use crate::ops::reach::Reach;
use crate::ops::roster::{Row, roster};
use crate::sys::clock;

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let rows = match relay.existing_store()? {
        Some(store) => roster(&store)?,
        None => Vec::new(),
    };
    if parsed.flag("names") {
        return say(&rows.iter().map(|row| format!("{}\n", row.found.info.label())).collect::<String>());
    }
    if parsed.flag("json") {
        return say(&(json::pretty(&json::array(rows.iter().map(to_json))) + "\n"));
    }
    if rows.is_empty() {
        return say(
            "(no sessions registered: they appear at their first prompt once relay's hook is installed)\n",
        );
    }
    let now = clock::now_ms();
    let width = |cell: fn(&Row) -> usize| rows.iter().map(cell).max().unwrap_or(0);
    let name_width = width(|row| row.found.info.label().len());
    let tool_width = width(|row| row.found.info.host.len());
    let id_width = width(|row| row.found.info.id.len());
    let mut table = String::new();
    for row in &rows {
        let info = &row.found.info;
        let directory = info.directory.as_ref().map_or("?".to_owned(), |path| path.display().to_string());
        let seen = clock::ago(row.seen_ms, now);
        let state = match row.reach {
            Reach::Bell => "live, bell".to_owned(),
            Reach::Step => "live, next step".to_owned(),
            Reach::Wake => format!("{seen}, wake"),
            Reach::Unknown => seen,
        };
        let mail = if row.has_mail { ", mail waits" } else { "" };
        let rooms: String = row.rooms.iter().map(|room| format!(", in #{room}")).collect();
        table.push_str(&format!(
            "{:name_width$}  [{:tool_width$}]  {:id_width$}  {directory}  {state}{mail}{rooms}\n",
            info.label(),
            info.host,
            info.id,
        ));
    }
    say(&table)
}

/// One session as the roster tool and `list --json` show it.
fn to_json(row: &Row) -> String {
    crate::ops::roster::members(row).finish()
}
