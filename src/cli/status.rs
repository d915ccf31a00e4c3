//! `relay status`: what became of a message. Changes nothing.

use super::{Parsed, say, store_with_sessions};
use crate::error::Result;
use crate::json;
use crate::ops::Relay;
use crate::ops::history::{Receipt, status};
use crate::ops::reach::outlook;
use crate::sys::clock;

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let id = parsed.positional(0).unwrap_or_default();
    let whereabouts = status(&store_with_sessions(relay, id)?, id)?;
    let state = match &whereabouts.reply {
        Some(_) => "replied",
        None => whereabouts.record.receipt.name(),
    };
    let recipient = whereabouts.recipient.info.label();
    let sent = whereabouts.record.message.sent_ms;
    if parsed.flag("json") {
        let object = json::Object::new()
            .str("id", id)
            .str("state", state)
            .str("to", &whereabouts.recipient.info.id)
            .str("toName", recipient)
            .str("sent", &clock::rfc3339(sent))
            .optional("reply", whereabouts.reply.as_ref().map(|reply| reply.id.as_str()));
        return say(&(object.finish() + "\n"));
    }
    let meaning = match (&whereabouts.reply, whereabouts.record.receipt) {
        (Some(reply), _) => format!("{recipient} answered it with {}", reply.id),
        (None, Receipt::Consumed) => format!("{recipient} has it"),
        (None, Receipt::Held) => format!("shown to {recipient}, not confirmed yet"),
        (None, Receipt::Stored) => outlook(&whereabouts.recipient, whereabouts.record.message.sender()),
    };
    say(&format!("{state}: sent {}; {meaning}\n", clock::ago(sent, clock::now_ms())))
}
