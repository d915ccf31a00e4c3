//! `relay log`: what a mailbox held, read or not. Changes nothing.

use super::{Parsed, say, store_with_sessions};
use crate::error::{Error, Result};
use crate::json;
use crate::limits::LOG_MESSAGES;
use crate::mail::fence::sender;
use crate::ops::Relay;
use crate::ops::find::find;
use crate::ops::history::{Record, log, message};
use crate::sys::clock;

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    if let Some(run) = parsed.value("run") {
        return output(relay, run);
    }
    let who = parsed.positional(0).unwrap_or_default();
    let session = find(&store_with_sessions(relay, who)?, who)?.session;
    if let Some(id) = parsed.value("message") {
        let record = message(&session, id)?;
        return match parsed.flag("json") {
            true => say(&(to_json(&record) + "\n")),
            false => say(&(record.message.body + "\n")),
        };
    }
    let most = match parsed.value("limit").map(str::parse) {
        None => LOG_MESSAGES,
        Some(Ok(most)) => most,
        Some(Err(_)) => return Err(Error::Usage("--limit takes a number of messages".to_owned())),
    };
    let (records, total) = log(&session, most)?;
    if parsed.flag("json") {
        let messages = json::array(records.iter().map(to_json));
        let object = json::Object::new().u64("count", records.len() as u64).u64("total", total as u64);
        return say(&(json::pretty(&object.raw("messages", &messages).finish()) + "\n"));
    }
    if records.is_empty() {
        return say("(no mail yet)\n");
    }
    let mut text = String::new();
    if total > records.len() {
        text.push_str(&format!("(the last {} of {total}; see --limit)\n", records.len()));
    }
    for record in &records {
        let time = clock::rfc3339(record.message.sent_ms)[..16].replace('T', " ");
        text.push_str(&format!(
            "{time}  {:8}  {}  {}\n",
            record.receipt.name(),
            record.message.id,
            sender(&record.message)
        ));
        for line in record.message.body.lines() {
            let plain: String =
                line.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect();
            text.push_str(&format!("    {plain}\n"));
        }
    }
    say(&text)
}

/// What a detached run has printed.
fn output(relay: &Relay, run: &str) -> Result<i32> {
    let output = match relay.existing_store()? {
        Some(store) => store.run_output(run)?,
        None => None,
    };
    let output = output.ok_or_else(|| Error::NotFound {
        what: "run",
        name: crate::mail::address::shorten(run),
        hint: "; relay keeps the last 8 of a session".to_owned(),
    })?;
    say(&String::from_utf8_lossy(&output))
}

fn to_json(record: &Record) -> String {
    record.message.object(1).str("receipt", record.receipt.name()).finish()
}
