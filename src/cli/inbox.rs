//! `relay inbox`: takes pending mail and prints it as JSON.

use std::time::Duration;

use super::{Parsed, deliver, find_session, remark};
use crate::error::{Cause, Error, Result};
use crate::json;
use crate::limits::{COMMAND_HOLD_MS, COMMAND_HOLD_SECONDS, COMMAND_WAIT_SECONDS};
use crate::mail::Delivery;
use crate::mail::text::count;
use crate::ops::Relay;
use crate::ops::collect::{Batch, Reader};
use crate::ops::find::Found;
use crate::ops::settle::{Settlement, settle_in};
use crate::ops::wait::take;
use crate::store::Session;
use crate::sys::clock;
use crate::sys::process::Process;

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let (store, Found { session, .. }) = find_session(relay, parsed.first())?;
    let patience = match parsed.flag("wait") {
        true => patience(parsed.value("wait"))?,
        false => Some(Duration::ZERO),
    };
    let lent = parsed.flag("hold");
    let life_ms = life_ms(parsed.value("hold"))?;
    // Mail that is lent outlives this process: its token ends the hold.
    let process = if lent { None } else { Process::current() };
    let reader = Reader { process, event: None, life_ms };
    let (session, batch) = take(store, &session, patience, &reader)?;
    if lent {
        return lend(&session, &batch);
    }
    if batch.held > 0 {
        remark(format_args!(
            "{} held by another reader that has not confirmed it; it comes again if that reader fails",
            count(batch.held, "message")
        ));
    }
    hand_over(&session, &batch)
}

/// The command itself as a reader: its death returns the mail.
pub fn reader() -> Reader {
    Reader { process: Process::current(), event: None, life_ms: COMMAND_HOLD_MS }
}

/// Prints what was taken, and then consumes it: a reader that is gone loses
/// nothing.
pub fn hand_over(session: &Session, batch: &Batch) -> Result<i32> {
    let mut page = Page::new();
    batch.deliveries.iter().for_each(|delivery| page.add(delivery));
    let printed = deliver(&page.finish(batch.waiting, batch.held));
    if !batch.token.is_empty() {
        let how = if printed.is_ok() { Settlement::Acknowledge } else { Settlement::PutBack };
        settle_in(session, &batch.token, how)?;
    }
    printed.map(|()| 0)
}

/// How long `--wait` waits, by its value in seconds. `None`, and what it gives
/// then: for ever. What is no such number is an error.
pub fn patience(seconds: Option<&str>) -> Result<Option<Duration>> {
    match seconds.map(str::parse::<u64>) {
        None => Ok(None),
        Some(Ok(seconds @ 0..=COMMAND_WAIT_SECONDS)) => Ok(Some(Duration::from_secs(seconds))),
        Some(_) => {
            Err(Error::usage(format!("--wait takes a number of seconds, 0 to {COMMAND_WAIT_SECONDS}")))
        }
    }
}

/// How long a hold lives, by the value of `--hold` in seconds.
fn life_ms(seconds: Option<&str>) -> Result<u64> {
    match seconds.map(str::parse::<u64>) {
        None => Ok(COMMAND_HOLD_MS),
        Some(Ok(seconds @ 1..=COMMAND_HOLD_SECONDS)) => Ok(seconds * 1000),
        Some(_) => {
            Err(Error::usage(format!("--hold takes a number of seconds, 1 to {COMMAND_HOLD_SECONDS}")))
        }
    }
}

/// Prints what was taken under a hold that `relay ack` or `relay rollback` ends.
fn lend(session: &Session, batch: &Batch) -> Result<i32> {
    if batch.held > 0 {
        return Err(Error::new(
            Cause::Held,
            format!(
                "{} held by another reader; try again when it has settled them",
                count(batch.held, "message")
            ),
        ));
    }
    let token = Some(batch.token.as_str()).filter(|token| !token.is_empty());
    let expires = token.map(|_| clock::rfc3339(batch.expires_ms));
    let messages =
        json::array(batch.deliveries.iter().map(|delivery| delivery.add_to(json::Object::new()).finish()));
    let line = json::Object::new()
        .nullable("token", token)
        .nullable("expires_at", expires.as_deref())
        .u64("count", batch.deliveries.len() as u64)
        .raw("messages", &messages)
        .some("waiting", batch.waiting)
        .finish();
    let printed = deliver(&(line + "\n"));
    if let (Err(_), Some(token)) = (&printed, token) {
        settle_in(session, token, Settlement::PutBack)?;
    }
    printed.map(|()| 0)
}

/// Mail as users' scripts read it.
pub struct Page {
    messages: json::List,
    count: u64,
}

impl Page {
    /// A page without mail.
    pub fn new() -> Page {
        Page { messages: json::List::new(1), count: 0 }
    }

    /// Puts one more message on it.
    pub fn add(&mut self, delivery: &Delivery) {
        self.messages.add(|object| delivery.add_to(object));
        self.count += 1;
    }

    /// The whole page; `waiting` and `held`: messages that are not on it.
    pub fn finish(self, waiting: usize, held: usize) -> String {
        let object =
            json::Object::laid_out().u64("count", self.count).raw("messages", &self.messages.finish());
        object.some("waiting", waiting).some("held", held).finish() + "\n"
    }
}
