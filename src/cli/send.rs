//! `relay send`: stores a message for a session.

use std::io::{self, IsTerminal, Read};

use super::{Parsed, say};
use crate::error::{Error, Result};
use crate::host;
use crate::json;
use crate::limits::BODY_BYTES;
use crate::mail::Kind;
use crate::mail::address::check_host_id;
use crate::ops::Relay;
use crate::ops::find::{Found, by_id, find};
use crate::ops::register::ensure_known;
use crate::ops::send::{Draft, Sender, send};
use crate::store::{Info, Store};

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let store = relay.store()?;
    let to = match (parsed.value("id"), parsed.positional(0)) {
        (Some(id), _) => to_id(relay, &store, parsed, id)?,
        (None, Some(_)) if parsed.flag("tool") || parsed.flag("dir") => {
            return Err(Error::Usage("--tool and --dir tell of a session that is named by --id".to_owned()));
        }
        (None, Some(who)) => find(&store, who)?,
        (None, None) => return Err(Error::Usage("send to whom? relay send <to> -- <message>".to_owned())),
    };
    let sender = match parsed.value("from") {
        Some(who) => Sender::OnBehalfOf(find(&store, who)?.info),
        None => Sender::CommandLine,
    };
    let draft = Draft { body: body(parsed)?, kind: Kind::Note, in_reply_to: None };
    let sent = send(&store, sender, to, draft)?;
    if parsed.flag("json") {
        let receipt = json::Object::new()
            .str("id", &sent.message.id)
            .str("to", &sent.message.to)
            .nullable("toName", sent.message.to_name.as_deref())
            .str("outlook", &sent.outlook);
        return say(&(receipt.finish() + "\n"));
    }
    say(&format!("queued -> {}\n{}: {}\n", sent.to.info.label(), sent.message.id, sent.outlook))
}

/// The session of this id, made known where the flags say enough of it.
fn to_id(relay: &Relay, store: &Store, parsed: &Parsed, id: &str) -> Result<Found> {
    let id = check_host_id(id)?;
    if let Some(name) = parsed.value("tool") {
        let host = host::check(name)?;
        let directory = parsed.value("dir").map(|path| relay.env.absolute(path.as_ref()));
        let info = Info { id: id.clone(), host: host.name.to_owned(), directory, ..Info::default() };
        ensure_known(store, &store.session(&id), info)?;
    }
    by_id(store, &id)
}

/// The words of the command line, or stdin where there are none or just `-`.
fn body(parsed: &Parsed) -> Result<String> {
    match parsed.message() {
        Some(message) if message != "-" => return Ok(message.to_owned()),
        None if io::stdin().is_terminal() => {
            return Err(Error::Usage("no message; write it after the recipient, or pipe it in".to_owned()));
        }
        _ => {}
    }
    let mut text = Vec::new();
    io::stdin()
        .lock()
        .take(BODY_BYTES as u64 + 1)
        .read_to_end(&mut text)
        .map_err(|e| Error::io("read the message from", "stdin".as_ref(), e))?;
    String::from_utf8(text)
        .map_err(|_| Error::Usage("the message on stdin is not UTF-8 text; nothing was sent".to_owned()))
}
