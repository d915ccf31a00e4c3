//! `relay ack` and `relay rollback`: end a hold.

use super::{Parsed, say};
use crate::error::Result;
use crate::ops::Relay;
use crate::ops::settle::{Settlement, settle};

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let token = parsed.first();
    let (how, done) = match parsed.verb.name {
        "ack" => (Settlement::Acknowledge, "acknowledged: the mail is consumed\n"),
        _ => (Settlement::PutBack, "rolled back: the mail waits again\n"),
    };
    settle(relay.store()?, token, how)?;
    say(done)
}
