//! `relay join` and `relay leave`: who reads a room's mail.

use super::{Parsed, find_session, say_words};
use crate::error::{Cause, Error, Result};
use crate::ops::identity::{Call, identify};
use crate::ops::{Relay, room};

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let room = room::name(parsed.first())?;
    let found = match parsed.positional(1) {
        Some(who) => find_session(relay, who)?.1,
        None => match identify(relay, &Call::default()) {
            Ok(identity) => identity.found,
            Err(error) if error.is(Cause::Unidentified) => {
                return Err(Error::usage(format!(
                    "this shell belongs to no session that relay can tell; name one: relay {} {room} <who>",
                    parsed.verb.name
                )));
            }
            Err(error) => return Err(error),
        },
    };
    let store = relay.store()?;
    let label = found.info.label();
    if parsed.verb.name == "leave" {
        room::leave(store, &found.session, room)?;
        return say_words(format_args!("{label} is not in #{room}\n"));
    }
    room::join(store, &found.session, room)?;
    let members = room::members(store, room)?;
    let labels: Vec<&str> = members.iter().map(|member| member.info.label()).collect();
    say_words(format_args!("{label} is in #{room}; members: {}\n", labels.join(", ")))
}
