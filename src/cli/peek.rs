//! `relay peek`: shows pending mail as JSON and changes nothing.

use super::inbox::Page;
use super::{Parsed, deliver, limit, named_session, say};
use crate::error::{Cause, Result};
use crate::limits::PEEK_MESSAGES;
use crate::ops::Relay;
use crate::ops::collect::look;
use crate::ops::wait::follow;

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let (store, session) = named_session(relay, parsed)?;
    if parsed.flag("follow") {
        follow(&store, &session, |message| match deliver(&message.to_line()) {
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
