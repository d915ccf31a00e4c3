//! `relay discover`: sessions that the hosts know, registered or not.

use std::fmt::Write;

use super::{Parsed, path, say, say_json, say_words};
use crate::error::{Error, Result};
use crate::host;
use crate::json;
use crate::mail::text::visible;
use crate::ops::Relay;
use crate::ops::discover::{Query, discover, members};
use crate::sys::clock;

/// Minutes that `discover` looks back unless told.
const DEFAULT_MINUTES: u64 = 60_000;

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let minutes = match parsed.value("within").map(json::thousandths) {
        None => DEFAULT_MINUTES,
        Some(Some(minutes)) if minutes > 0 => minutes,
        Some(_) => return Err(Error::usage("--within takes a number of minutes")),
    };
    if let Some(name) = parsed.value("tool") {
        host::check(name)?;
    }
    let query = Query {
        within_ms: minutes * 60,
        host: parsed.value("tool").map(str::to_owned),
        exclude: parsed.value("exclude").map(str::to_owned),
        near: path(relay, parsed, "cwd"),
    };
    let rows = discover(relay, &query)?;
    let now = clock::now_ms();
    if parsed.flag("json") {
        return say_json(json::list(0, &rows, |object, row| members(object, row, now)));
    }
    if rows.is_empty() {
        return say_words(format_args!("(no active sessions in the last {} min)\n", minutes / 1000));
    }
    let mut table = String::new();
    for row in &rows {
        let directory = visible(row.directory.as_deref().unwrap_or("?"));
        let ago = clock::ago(row.active_ms, now);
        let _ = write!(table, "[{:8}] {}  {directory}  {ago}  ", row.host.name, row.id);
        match &row.name {
            Some(name) => table.extend(["(", name, ")"]),
            None => table.push_str("unregistered"),
        }
        if let Some(title) = &row.title {
            table.extend(["  ", &json::quote(&visible(title))]);
        }
        table.push('\n');
    }
    say(&table)
}
