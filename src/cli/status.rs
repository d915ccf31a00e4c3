//! `relay status`: what became of a message. Changes nothing.

use std::fmt::Write;

use super::{Parsed, say, say_json, say_words, store_with_sessions};
use crate::error::Result;
use crate::json;
use crate::mail::Status;
use crate::ops::Relay;
use crate::ops::bell::rung_ms;
use crate::ops::history::{Copy, Receipt, status};
use crate::ops::reach::{Reach, outlook};
use crate::sys::clock;

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let id = parsed.first();
    let readers = status(store_with_sessions(relay, id)?, id)?;
    let message = &readers[0].record.message;
    if parsed.flag("json") {
        let object = to_json(id, &readers[0]);
        let object = match &message.group {
            None => object,
            Some(group) => object
                .str("group", group)
                .raw("readers", &json::array(readers.iter().map(|reader| to_json(id, reader).finish()))),
        };
        return say_json(object.finish());
    }
    let sent = clock::ago(message.sent_ms, clock::now_ms());
    let Some(group) = &message.group else {
        let reader = &readers[0];
        return say_words(format_args!("{}: sent {sent}; {}\n", state(reader), meaning(reader)));
    };
    let mut text = format!("sent {sent} to {group}\n");
    for reader in &readers {
        let _ = writeln!(text, "{:8}  {}", state(reader), meaning(reader));
    }
    say(&text)
}

fn state(copy: &Copy) -> &'static str {
    match &copy.reply {
        Some(_) => "replied",
        None => copy.record.receipt.name(),
    }
}

fn meaning(copy: &Copy) -> String {
    let name = copy.reader.info.label();
    let now = clock::now_ms();
    match (&copy.reply, copy.record.receipt) {
        (Some(reply), _) => {
            let mut text = format!("{name} answered it");
            if let Some(status) = reply.status {
                text.extend([" (", status.name(), ")"]);
            }
            text.extend([" ", &clock::ago(reply.sent_ms, now), " with ", &reply.id]);
            text
        }
        (None, Receipt::Consumed) => format!("{name} has it"),
        (None, Receipt::Held) => {
            let seconds = copy.held_until_ms.unwrap_or(now).saturating_sub(now).div_ceil(1000);
            format!("shown to {name}, not confirmed yet; it comes again in {seconds} s unless that happens")
        }
        (None, Receipt::Stored) => {
            let message = &copy.record.message;
            let mut text = outlook(&copy.reader, message.sender());
            if let Some(at_ms) = rung_ms(&copy.reader.session, message.sent_ms) {
                text.extend(["; it was rung ", &clock::ago(at_ms, now)]);
            }
            text
        }
    }
}

fn to_json(id: &str, copy: &Copy) -> json::Object {
    let reply = &copy.reply;
    let found = &copy.reader;
    let message = &copy.record.message;
    // What the log can date: when it was stored, and when it was answered.
    let since = match (reply, copy.record.receipt) {
        (Some(reply), _) => Some(reply.sent_ms),
        (None, Receipt::Stored) => Some(message.sent_ms),
        _ => None,
    };
    let live = found.session.is_live(&found.info);
    let object = json::Object::new()
        .str("id", id)
        .str("state", state(copy))
        .optional("since", since.map(clock::rfc3339).as_deref())
        .optional("held_until", copy.held_until_ms.map(clock::rfc3339).as_deref())
        .str("to", &found.info.id)
        .str("toName", found.info.label())
        .bool("live", live)
        .str("reach", Reach::of(found, live).name())
        .str("sent", &clock::rfc3339(message.sent_ms))
        .optional("reply", reply.as_ref().map(|reply| reply.id.as_ref()))
        .optional("status", reply.as_ref().and_then(|reply| reply.status).map(Status::name));
    match state(copy) {
        "stored" => object
            .optional("rung", rung_ms(&found.session, message.sent_ms).map(clock::rfc3339).as_deref())
            .str("outlook", &outlook(found, message.sender())),
        _ => object,
    }
}
