//! `relay register`: names a session.

use std::path::Path;

use super::{Parsed, path, report};
use crate::error::{Error, Result};
use crate::mail::text::visible;
use crate::ops::Relay;
use crate::ops::find::latest;
use crate::ops::register::{Details, register};

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let name = parsed.first();
    let store = relay.store()?;
    let id = match (parsed.value("id"), store.named(name)?) {
        (Some(id), _) => id.to_owned(),
        (None, Some(session)) => latest(store, session)?.info.id.clone(),
        (None, None) => {
            return Err(Error::usage(
                "register needs --id <session-id>; `relay discover` lists the ids of sessions on this machine",
            ));
        }
    };
    let wakes = match parsed.value("wake") {
        None => None,
        Some("on") => Some(true),
        Some("off") => Some(false),
        Some(_) => return Err(Error::usage("--wake is on or off")),
    };
    let given = path(relay, parsed, "dir");
    let known = store.session(&crate::mail::address::check_id(&id)?).is_registered();
    let directory = given.or_else(|| (!known).then(|| relay.env.directory().to_owned()));
    let details = Details { directory, host: parsed.value("tool"), wakes };
    let found = register(store, &id, name, details)?;
    let info = &found.info;
    let at = info.directory.as_deref().map(Path::to_string_lossy).unwrap_or_default();
    let done = format!("registered {name} [{}] -> {} @ {}", info.host, info.id, visible(&at));
    report(&done, &format!("{done}\n"))
}
