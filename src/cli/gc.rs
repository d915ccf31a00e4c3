//! `relay gc`: clears old read mail and forgotten sessions away, now.

use std::fmt::Write;

use super::{Parsed, complain, say, say_json};
use crate::error::Result;
use crate::json;
use crate::mail::text::count;
use crate::ops::Relay;
use crate::ops::gc::{Report, everything};

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let dry = parsed.flag("dry");
    let report = match relay.existing_store()? {
        Some(store) => everything(store, dry)?,
        None => Report::default(),
    };
    match parsed.flag("json") {
        true => say_json(to_json(&report, dry))?,
        false => say(&to_text(&report, dry))?,
    };
    Ok(report.failed.iter().fold(0, |_, error| complain(error)))
}

fn to_json(report: &Report, dry: bool) -> String {
    let trimmed = report
        .trimmed
        .iter()
        .map(|(name, bytes)| json::Object::new().str("session", name).u64("bytes", *bytes).finish());
    json::Object::new()
        .bool("dry", dry)
        .raw("trimmed", &json::array(trimmed))
        .raw("folded", &json::array(report.folded.iter().map(|name| json::quote(name))))
        .u64("processNotes", report.notes as u64)
        .u64("names", report.names as u64)
        .finish()
}

fn to_text(report: &Report, dry: bool) -> String {
    let (trimmed, folded, removed) = match dry {
        true => ("would trim", "would fold away", "would remove"),
        false => ("trimmed", "folded away", "removed"),
    };
    let mut text = String::new();
    for (name, bytes) in &report.trimmed {
        let _ = writeln!(text, "{trimmed} {name}: {} KiB of read mail", bytes.div_ceil(1024));
    }
    for name in &report.folded {
        let _ = writeln!(text, "{folded} {name}: not seen for long, nothing unread");
    }
    if report.notes > 0 {
        let _ = writeln!(text, "{removed} {} of processes that have ended", count(report.notes, "note"));
    }
    if report.names > 0 {
        let names = count(report.names, "name");
        let _ = writeln!(text, "{removed} {names} that an interrupted command left behind");
    }
    if text.is_empty() && report.failed.is_empty() {
        text.push_str("nothing to clear away\n");
    }
    text
}
