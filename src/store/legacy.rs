//! Imports a session-relay home, once: its registry and its mailboxes.
//!
//! Invariant: under session-relay's own lock; each step can be repeated after a
//! crash; no mail is dropped (a line that is no message is copied as it is);
//! the originals end up in `legacy/`, and only then is the store's format set.

use std::path::Path;

use super::session::Info;
use super::{Store, entries, make_folder};
use crate::error::{Error, Result};
use crate::json::{Document, Value};
use crate::limits::LEGACY_REGISTRY_BYTES;
use crate::mail::{Message, address};
use crate::sys::lock::Lock;
use crate::sys::{clock, file};

/// Whether session-relay's files stand in this home.
pub fn is_left_in(home: &Path) -> bool {
    home.join("registry.json").exists() || home.join("mailbox").is_dir()
}

/// session-relay's lock of the whole home; also held while a store is made.
pub fn lock(home: &Path) -> Result<Lock> {
    let path = home.join(".lock");
    if path.is_dir() {
        // Its first version locked by making a folder.
        std::fs::remove_dir(&path).map_err(|e| Error::io("remove the old lock folder", &path, e))?;
    }
    Lock::exclusive(&path)
}

/// Brings over what session-relay left. The caller holds [`lock`].
pub fn import(store: &Store) -> Result<()> {
    let home = store.home();
    if !is_left_in(home) {
        return Ok(());
    }
    let registry = home.join("registry.json");
    let content =
        file::read(&registry, LEGACY_REGISTRY_BYTES).map_err(|e| Error::io("read", &registry, e))?;
    match content.as_deref().map(Document::parse) {
        Some(Ok(document)) => {
            if let Some(agents) = document.value().get("agents") {
                for id in agents.keys() {
                    agents.get(id).map_or(Ok(()), |agent| import_session(store, id, agent))?;
                }
            }
        }
        Some(Err(_)) => store.note_failure(
            "session-relay's registry.json is not JSON: its mail was imported, its names were not; it is kept in legacy/",
        ),
        None => {}
    }
    let mailboxes = home.join("mailbox");
    for name in &entries(&mailboxes)? {
        if let Some(stem) = name.strip_suffix(".jsonl") {
            import_mailbox(store, stem, &mailboxes.join(name))?;
        }
    }
    let legacy = home.join("legacy");
    make_folder(&legacy)?;
    for name in ["mailbox", "markers", "registry.json"] {
        let (from, mut to) = (home.join(name), legacy.join(name));
        if from.exists() {
            let mut number = 1;
            while to.exists() {
                number += 1;
                to = legacy.join(format!("{name}.{number}"));
            }
            file::rename(&from, &to).map_err(|e| Error::io("move", &from, e))?;
        }
    }
    Ok(())
}

/// Registers one agent of the registry, with its name if that is valid and free.
fn import_session(store: &Store, id: &str, agent: Value) -> Result<()> {
    let text = |key: &str| agent.get(key).and_then(Value::str).filter(|text| !text.is_empty());
    let Ok(id) = address::check_id(id) else { return Ok(()) };
    let session = store.session(&id);
    let guard = session.lock()?;
    if session.is_registered() {
        return Ok(());
    }
    let mut info = Info {
        id,
        host: text("tool").unwrap_or("claude").to_owned(),
        directory: text("dir").filter(|dir| address::is_place(dir)).map(Into::into),
        seen_ms: text("lastSeen").and_then(clock::parse_rfc3339).unwrap_or(0),
        ..Info::default()
    };
    if let Some(name) = text("name").filter(|name| address::check_name(name).is_ok())
        && store.claim_name(&guard, name)?
    {
        info.name = Some(name.to_owned());
        info.named = true;
    }
    guard.write_info(&info)
}

/// Copies one mailbox to the session it belongs to: session-relay names the
/// file after the id, so the messages themselves say it exactly.
fn import_mailbox(store: &Store, stem: &str, path: &Path) -> Result<()> {
    let mut content = std::fs::read(path).map_err(|e| Error::io("read", path, e))?;
    if content.is_empty() {
        return Ok(());
    }
    if content.last() != Some(&b'\n') {
        content.push(b'\n');
    }
    let message = content.split(|byte| *byte == b'\n').find_map(Message::parse);
    let id = match &message {
        Some(message) if address::check_id(&message.to).is_ok() => &message.to,
        _ => stem,
    };
    let session = store.session(id);
    let _guard = session.lock()?;
    let log = session.log();
    if log.exists() {
        return Ok(());
    }
    file::replace(&log, &content).map_err(|e| Error::io("write", &log, e))
}
