//! The door of the hosts' hooks: an event on stdin, perhaps text for the model
//! on stdout.
//!
//! Invariant: never breaks, blocks or slows its host. Whatever happens, it
//! exits 0; on a failure it says nothing and leaves a note for `doctor`.

use crate::error::{Error, Result};
use crate::host::{self, Event, HOSTS, Host};
use crate::limits::EVENT_BYTES;
use crate::ops::Relay;
use crate::ops::deliver::{Injection, on_event};
use crate::sys::stdio;

/// Handles the event on stdin for the named host (Claude Code when none is
/// named). `event_name` is for hosts whose events do not say what they are.
pub fn run(relay: &Relay, host: Option<&str>, event_name: Option<&str>) -> Result<i32> {
    handle(relay, host, event_name).or_else(|error| fail(relay, &error).map(|_| ()))?;
    Ok(0)
}

/// Keeps a failure to itself, but for the note that `doctor` finds.
pub fn fail(relay: &Relay, error: &Error) -> Result<i32> {
    if let Ok(store) = relay.store() {
        store.note_failure(&error.to_string());
    }
    Ok(0)
}

fn handle(relay: &Relay, host: Option<&str>, event_name: Option<&str>) -> Result<()> {
    let name = host.unwrap_or(HOSTS[0].name);
    let input = stdio::read_all(EVENT_BYTES)
        .map_err(|error| Error::io("read the event from", "stdin".as_ref(), error))?;
    let host = host::check(name)?;
    let Some(event) = Event::parse(&input, host, event_name) else { return Ok(()) };
    match on_event(relay, host, &event) {
        Ok(Some(injection)) => print(host, &event, injection),
        other => {
            let silence = (host.silence)(event.moment);
            if !silence.is_empty() {
                let _ = stdio::deliver(&format!("{silence}\n"));
            }
            other.map(|_| ())
        }
    }
}

/// Prints the text in the host's form; what was not printed is put back.
fn print(host: &Host, event: &Event, injection: Injection) -> Result<()> {
    let mut output = (host.output)(event.name, event.moment, &injection.text);
    output.push('\n');
    let printed = stdio::deliver(&output);
    if let Some(taken) = injection.taken {
        if printed.is_ok() { taken.printed()? } else { taken.not_printed()? }
    }
    printed.map_err(|error| Error::unprinted("the mail", &error))
}
