//! `relay whoami`: which session is this, and how relay knows.

use super::{Parsed, say};
use crate::error::Result;
use crate::ops::Relay;
use crate::ops::identity::{Call, Identity, identify};

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let identity = identify(relay, &Call::default())?;
    if parsed.flag("json") {
        return say(&(identity.members().finish() + "\n"));
    }
    let Identity { found, proof } = identity;
    let directory = found.info.directory.unwrap_or_default();
    let name = found.info.name.as_deref().unwrap_or("(unnamed)");
    say(&format!("{name} [{}] {} @ {}\n{proof}\n", found.info.host, found.info.id, directory.display()))
}
