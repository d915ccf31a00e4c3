//! `relay log`: what a mailbox held, read or not. Changes nothing.

use std::fmt::Write;

use super::{Parsed, find_session, limit, say, say_json, store_with_sessions};
use crate::error::{Error, Result};
use crate::json;
use crate::limits::{LOG_MESSAGES, RUNS_KEPT};
use crate::mail::Message;
use crate::mail::fence::sender;
use crate::ops::Relay;
use crate::ops::find::Found;
use crate::ops::history::{Record, log, message, thread};
use crate::sys::clock;

/// What stands before the lines of a body in a list.
const MARGIN: &str = "    ";

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    if let Some(run) = parsed.value("run") {
        return output(relay, run);
    }
    if let Some(id) = parsed.value("thread") {
        return conversation(relay, parsed, id);
    }
    let (_, Found { session, .. }) = find_session(relay, parsed.first())?;
    if let Some(id) = parsed.value("message") {
        let record = message(&session, id)?;
        return match parsed.flag("json") {
            true => say_json(members(json::Object::new(), &record).finish()),
            false => say(&indented("", &record.message.body)),
        };
    }
    let most = limit(parsed, LOG_MESSAGES)?;
    let (records, total) = log(&session, most)?;
    if parsed.flag("json") {
        let messages = json::list(1, &records, members);
        let object = json::Object::laid_out().u64("count", records.len() as u64).u64("total", total as u64);
        return say_json(object.raw("messages", &messages).finish());
    }
    if records.is_empty() {
        return say("(no mail yet)\n");
    }
    let mut text = String::new();
    if total > records.len() {
        let _ = writeln!(text, "(the last {} of {total}; see --limit)", records.len());
    }
    for record in &records {
        let message = &record.message;
        let (receipt, time) = (record.receipt.name(), minute(message));
        let _ = writeln!(text, "{time}  {receipt:8}  {}  {}", message.id, sender(message));
        indent(&mut text, MARGIN, &message.body);
    }
    say(&text)
}

/// What a detached run has printed.
fn output(relay: &Relay, run: &str) -> Result<i32> {
    let output = match relay.existing_store()? {
        Some(store) => store.run_output(run)?,
        None => None,
    };
    let output = output.ok_or_else(|| {
        Error::not_found(
            "run",
            &crate::mail::address::shorten(run),
            &format!("; relay keeps the last {RUNS_KEPT} of a session"),
        )
    })?;
    say(&String::from_utf8_lossy(&output))
}

/// A conversation across all mailboxes; a message that went to several stands
/// once, with each of its readers.
fn conversation(relay: &Relay, parsed: &Parsed, id: &str) -> Result<i32> {
    let copies = thread(store_with_sessions(relay, id)?, id)?;
    if parsed.flag("json") {
        let messages = json::list(1, &copies, |object, copy| {
            members(object, &copy.record).str("reader", copy.reader.info.label())
        });
        let thread = copies[0].record.message.conversation();
        let object = json::Object::laid_out().str("thread", thread).u64("count", copies.len() as u64);
        return say_json(object.raw("messages", &messages).finish());
    }
    let mut text = String::new();
    for same in copies.chunk_by(|a, b| a.record.message.id == b.record.message.id) {
        let message = &same[0].record.message;
        let _ = write!(text, "{}  {}", minute(message), message.kind.name());
        if let Some(status) = message.status {
            text.extend([", ", status.name()]);
        }
        let _ = write!(text, "  {}  {}", message.id, sender(message));
        let mut before = " -> ";
        for copy in same {
            let _ = write!(text, "{before}{} ({})", copy.reader.info.label(), copy.record.receipt.name());
            before = ", ";
        }
        text.push('\n');
        indent(&mut text, MARGIN, &message.body);
    }
    say(&text)
}

/// A body for a terminal: `margin` before each line, nothing that steers it.
pub(super) fn indented(margin: &str, body: &str) -> String {
    let mut text = String::with_capacity(body.len());
    indent(&mut text, margin, body);
    text
}

fn indent(text: &mut String, margin: &str, body: &str) {
    for line in body.lines() {
        text.push_str(margin);
        text.extend(line.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }));
        text.push('\n');
    }
}

/// When it was sent, to the minute.
fn minute(message: &Message) -> String {
    clock::rfc3339(message.sent_ms)[..16].replace('T', " ")
}

fn members(object: json::Object, record: &Record) -> json::Object {
    record.message.add_to(object).str("receipt", record.receipt.name())
}
