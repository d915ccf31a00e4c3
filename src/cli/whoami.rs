//! `relay whoami`: which session is this, and how relay knows.

use super::{Parsed, say, say_json};
use crate::error::Result;
use crate::mail::text::visible;
use crate::ops::Relay;
use crate::ops::identity::{Call, Identity, identify};

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let identity = identify(relay, &Call::default())?;
    if parsed.flag("json") {
        return say_json(identity.members(&relay.store()?)?.finish());
    }
    let Identity { found, proof } = identity;
    let directory = found.info.directory.unwrap_or_default();
    let name = found.info.name.as_deref().unwrap_or("(unnamed)");
    let rooms: String =
        relay.store()?.rooms_of(&found.session)?.iter().map(|room| format!("in #{room}\n")).collect();
    say(&format!(
        "{name} [{}] {} @ {}\n{rooms}{proof}\n",
        found.info.host,
        found.info.id,
        visible(&directory.to_string_lossy())
    ))
}
