//! The one line that rings a session: who wrote, when, and how to read it; never
//! what.
//!
//! Invariant: relay's own words but for the senders' names, each one harmless word.

use super::Message;
use super::fence::{NAMED, sender};
use super::text::count;
use crate::sys::clock;

/// The line for mail that waits, oldest first. It tells when the last of it was
/// sent because hosts drop a line that they have just had: Claude Code one with
/// the same words within 30 seconds (measured on 2.1.329).
pub fn invitation(messages: &[Message]) -> String {
    let mut senders: Vec<String> = Vec::new();
    for message in messages {
        let sender = sender(message);
        if !senders.contains(&sender) {
            senders.push(sender);
        }
    }
    let others = senders.len().saturating_sub(NAMED);
    senders.truncate(NAMED);
    let mut from = senders.join(", ");
    if others > 0 {
        from.push_str(&format!(" and {others} more"));
    }
    let sent = if messages.len() == 1 { "sent" } else { "the last sent" };
    let time = second(messages.last().map_or(0, |message| message.sent_ms));
    format!(
        "relay (your user's mail between agent sessions): {} for this session, from {from}, {sent} at {time} UTC. \
         Unless the mail is here already, read it with relay's `inbox` tool.",
        count(messages.len(), "message")
    )
}

/// `22:17:22`.
fn second(ms: u64) -> String {
    clock::rfc3339(ms)[11..19].to_owned()
}
