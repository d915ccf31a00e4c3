//! `relay peek`: shows pending mail as JSON and changes nothing.

use super::inbox::Page;
use super::{Parsed, deliver, find_session, limit, say};
use crate::error::{Cause, Result};
use crate::limits::PEEK_MESSAGES;
use crate::ops::Relay;
use crate::ops::collect::look;
use crate::ops::find::Found;
use crate::ops::wait::follow;

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let (store, Found { session, .. }) = find_session(relay, parsed.first())?;
    if parsed.flag("follow") {
        follow(store, &session, &mut |message| match deliver(&message.to_line()) {
            Err(error) if error.is(Cause::Io(std::io::ErrorKind::BrokenPipe)) => Ok(false),
            printed => printed.map(|()| true),
        })?;
        return Ok(0);
    }
    let most = limit(parsed, PEEK_MESSAGES)?;
    let mut page = Page::new();
    let beyond = look(&session, most, &mut |delivery| page.add(&delivery))?;
    say(&page.finish(beyond.waiting, beyond.held))
}
