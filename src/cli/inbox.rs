//! `relay inbox`: takes pending mail and prints it as JSON.

use std::time::Duration;

use super::{Parsed, deliver, remark, store_with_sessions};
use crate::error::{Cause, Error, Result};
use crate::json;
use crate::limits::{COMMAND_HOLD_MS, COMMAND_WAIT_SECONDS};
use crate::mail::fence::Delivery;
use crate::mail::text::count;
use crate::ops::Relay;
use crate::ops::collect::{Batch, Reader};
use crate::ops::find::find;
use crate::ops::settle::{Settlement, settle_in};
use crate::ops::wait::take;
use crate::store::Session;
use crate::sys::clock;
use crate::sys::process::Process;

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let who = parsed.positional(0).unwrap_or_default();
    let session = find(&store_with_sessions(relay, who)?, who)?.session;
    let patience = match parsed.flag("wait") {
        true => patience(parsed.value("wait"))?,
        false => Some(Duration::ZERO),
    };
    if parsed.flag("hold") {
        return hold(&session, patience, parsed.value("hold"));
    }
    let batch = take(&session, patience, reader)?;
    if batch.held > 0 {
        remark(&format!(
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

/// How long `--wait` waits; without a number, for ever.
pub fn patience(seconds: Option<&str>) -> Result<Option<Duration>> {
    match seconds.map(str::parse::<u64>) {
        None => Ok(None),
        Some(Ok(seconds @ 0..=COMMAND_WAIT_SECONDS)) => Ok(Some(Duration::from_secs(seconds))),
        Some(_) => Err(Error::usage(format!("--wait takes 0 to {COMMAND_WAIT_SECONDS} seconds"))),
    }
}

/// Takes the mail under a hold that `relay ack` or `relay rollback` ends.
fn hold(session: &Session, patience: Option<Duration>, seconds: Option<&str>) -> Result<i32> {
    let life_ms = match seconds {
        None => COMMAND_HOLD_MS,
        Some(text) => match text.parse::<u64>() {
            Ok(seconds @ 1..=900) => seconds * 1000,
            _ => return Err(Error::usage("--hold takes 1 to 900 seconds")),
        },
    };
    let batch = take(session, patience, || Reader { process: None, event: None, life_ms })?;
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
    let messages = json::array(
        batch
            .deliveries
            .iter()
            .map(|delivery| delivery.message.add_to(json::Object::new(), delivery.deliveries).finish()),
    );
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
    pub fn new() -> Page {
        Page { messages: json::List::new(1), count: 0 }
    }

    pub fn add(&mut self, Delivery { message, deliveries }: &Delivery) {
        self.messages.add(|object| message.add_to(object, *deliveries));
        self.count += 1;
    }

    /// The whole page; `waiting` and `held`: messages that are not on it.
    pub fn finish(self, waiting: usize, held: usize) -> String {
        let object =
            json::Object::laid_out().u64("count", self.count).raw("messages", &self.messages.finish());
        object.some("waiting", waiting).some("held", held).finish() + "\n"
    }
}
