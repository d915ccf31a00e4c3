//! `relay send` and `relay request`: store a message for a session or several.

use std::io::{IsTerminal, Read};
use std::os::fd::AsFd;
use std::time::Duration;

use super::{Parsed, inbox, path, remark, report, say};
use crate::error::{Cause, Error, Result};
use crate::host;
use crate::json;
use crate::limits::BODY_BYTES;
use crate::mail::Delivery;
use crate::mail::Kind;
use crate::mail::address::check_host_id;
use crate::ops::Relay;
use crate::ops::find::{Found, by_id, find};
use crate::ops::group::{is_group, send_to};
use crate::ops::register::ensure_known;
use crate::ops::reply::{own_session, requester};
use crate::ops::send::{Draft, Sender, Sent, send};
use crate::ops::wait::{Answer, Awaited};
use crate::store::{Info, Store};
use crate::sys::stdio::Input;

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let store = relay.store()?;
    let to = match parsed.value("id") {
        Some(id) => Some(to_id(relay, store, parsed, id)?),
        None if parsed.flag("tool") || parsed.flag("dir") => {
            return Err(Error::usage("--tool and --dir tell of a session that is named by --id"));
        }
        None => None,
    };
    let sender = match parsed.value("from") {
        Some(who) => Sender::OnBehalfOf(find(store, who)?.info),
        None => Sender::CommandLine,
    };
    let draft = Draft::note(body(parsed)?);
    let who = parsed.first();
    if to.is_none() && is_group(who) {
        let of_sender = sender.info().and_then(|info| info.directory.clone());
        let here = of_sender.unwrap_or_else(|| host::project_directory(&relay.env));
        let own = own_session(relay).unwrap_or(None);
        let own = own.as_ref().map(|found| &found.session);
        return print_all(parsed, who, &send_to(store, sender, who, draft, &here, own)?);
    }
    let to = match to {
        Some(to) => to,
        None => find(store, who)?,
    };
    print_sent(parsed, &send(store, sender, to, draft)?)
}

/// `relay request`: a message that wants one reply.
pub fn ask(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let store = relay.store()?;
    let who = parsed.first();
    // What is not understood is said before anything is sent.
    let patience = match parsed.flag("wait") {
        true => Some(inbox::patience(parsed.value("wait"))?),
        false => None,
    };
    let sender = requester(relay, store, parsed.value("from"))?;
    let draft = Draft { kind: Kind::Request, ..Draft::note(body(parsed)?) };
    let awaited = match sender.info() {
        Some(info) => Some(Awaited::before(by_id(store, &info.id)?.session)?),
        None => None,
    };
    let sent = send_to(store, sender, who, draft, relay.env.directory(), None)?;
    match (awaited, patience) {
        (Some(awaited), Some(patience)) => {
            wait_for_reply(store, &sent[0], &awaited.to(&sent[0].message.id), patience)
        }
        _ => print_sent(parsed, &sent[0]),
    }
}

/// Takes the mail that the reply comes with, and prints it like `relay inbox`.
fn wait_for_reply(store: &Store, sent: &Sent, awaited: &Awaited, patience: Option<Duration>) -> Result<i32> {
    let id = &sent.message.id;
    remark(format_args!("queued -> {}", sent.to.info.label()));
    remark(format_args!("{id}: {}", sent.outlook));
    loop {
        match awaited.take(store, patience, &inbox::reader())? {
            Some(Answer::Taken(session, batch)) => {
                let code = inbox::hand_over(&session, &batch)?;
                if awaited.is_in(&batch) {
                    return Ok(code);
                }
            }
            Some(Answer::Shown(message)) => {
                let mut page = inbox::Page::new();
                page.add(&Delivery { message: *message, deliveries: 2, before_restart: false });
                return say(&page.finish(0, 0));
            }
            None => {
                return Err(Error::failed(format!(
                    "no reply yet; it comes to the mailbox that asked, see relay status {id}"
                )));
            }
        }
    }
}

fn print_sent(parsed: &Parsed, sent: &Sent) -> Result<i32> {
    match parsed.flag("json") {
        true => report_json(sent, to_json(sent)),
        false => report_sent(sent, "queued"),
    }
}

/// Says in words where the message went.
pub(super) fn report_sent(sent: &Sent, how: &str) -> Result<i32> {
    let Sent { message, to, outlook, .. } = sent;
    report_stored(sent, &format!("{how} -> {}\n{}: {outlook}\n", to.info.label(), message.id))
}

/// The same for scripts.
pub(super) fn report_json(sent: &Sent, object: json::Object) -> Result<i32> {
    report_stored(sent, &(object.finish() + "\n"))
}

fn report_stored(sent: &Sent, text: &str) -> Result<i32> {
    report(&format_args!("the message is stored as {}", sent.message.id), text)
}

fn print_all(parsed: &Parsed, group: &str, sent: &[Sent]) -> Result<i32> {
    if parsed.flag("json") {
        let readers = json::array(sent.iter().map(|sent| to_json(sent).finish()));
        let object = json::Object::new().str("id", &sent[0].message.id).str("group", group);
        return report_json(&sent[0], object.raw("readers", &readers));
    }
    let mut text = String::from("queued");
    let mut before = " -> ";
    for sent in sent {
        text.extend([before, sent.to.info.label()]);
        before = ", ";
    }
    text.extend(["\n", &sent[0].message.id, ":\n"]);
    for sent in sent {
        text.extend(["  ", &sent.outlook, "\n"]);
    }
    report_stored(&sent[0], &text)
}

fn to_json(sent: &Sent) -> json::Object {
    json::Object::new()
        .str("id", &sent.message.id)
        .str("to", &sent.message.to)
        .nullable("toName", sent.message.to_name.as_deref())
        .str("outlook", &sent.outlook)
}

/// The session of this id, made known where the flags say enough of it.
fn to_id(relay: &Relay, store: &Store, parsed: &Parsed, id: &str) -> Result<Found> {
    let id = check_host_id(id)?;
    if let Some(name) = parsed.value("tool") {
        let host = host::check(name)?;
        let directory = path(relay, parsed, "dir");
        let info = Info { id: id.clone(), host: host.name.to_owned(), directory, ..Info::default() };
        ensure_known(store, &store.session(&id), info)?;
    }
    by_id(store, &id)
}

/// The words of the command line, or stdin where there are none or just `-`.
pub(super) fn body(parsed: &Parsed) -> Result<String> {
    match parsed.message() {
        Some(message) if message != "-" => return Ok(message.to_owned()),
        None if Input.as_fd().is_terminal() => {
            return Err(Error::usage("no message; write it after the recipient, or pipe it in"));
        }
        _ => {}
    }
    // What a pipe mostly hands over at once: a text that fits costs no call more.
    let mut text = Vec::with_capacity(8 * 1024);
    Input
        .take(BODY_BYTES as u64 + 1)
        .read_to_end(&mut text)
        .map_err(|e| Error::io("read the message from", "stdin".as_ref(), e))?;
    // Before the text is looked at: what was read may end inside a character.
    if text.len() > BODY_BYTES {
        return Err(Error::new(
            Cause::Limit,
            format!(
                "the message on stdin is over {BODY_BYTES} bytes, the limit; nothing was sent: put the text \
                 into a file and send its path"
            ),
        ));
    }
    String::from_utf8(text)
        .map_err(|_| Error::usage("the message on stdin is not UTF-8 text; nothing was sent"))
}
