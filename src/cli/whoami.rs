//! `relay whoami`: which session is this, and how relay knows.

use std::path::Path;

use super::{Parsed, say, say_json};
use crate::error::Result;
use crate::mail::text::visible;
use crate::ops::Relay;
use crate::ops::identity::{Call, identify};

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let identity = identify(relay, &Call::default())?;
    let store = relay.store()?;
    if parsed.flag("json") {
        return say_json(identity.members(store)?.finish());
    }
    let info = &identity.found.info;
    let name = info.name.as_deref().unwrap_or("(unnamed)");
    let at = info.directory.as_deref().map(Path::to_string_lossy).unwrap_or_default();
    let mut text = format!("{name} [{}] {} @ {}\n", info.host, info.id, visible(&at));
    for room in &store.rooms_of(&identity.found.session)? {
        text.extend(["in #", room, "\n"]);
    }
    text.extend([identity.proof, "\n"]);
    say(&text)
}
