//! The command line: one file a verb, each a call on ops and words for people.
//!
//! Invariant: results go to stdout, everything else in one line to stderr; a
//! reader that closes stdout ends the command quietly unless mail depends on it.

mod arguments;
mod attach;
mod completions;
mod demo;
mod discover;
mod doctor;
mod gc;
mod help;
mod inbox;
mod install;
mod list;
mod log;
mod man;
mod parse;
mod peek;
mod reference;
mod register;
mod reply;
mod room;
mod send;
mod settle;
mod status;
mod table;
mod verb;
mod wake;
mod watch;
mod whoami;

use std::fmt::{Arguments, Display};
use std::io::{self, Write};
use std::path::PathBuf;

use crate::error::{Cause, Error, Result};
use crate::mail::text::visible;
use crate::ops::Relay;
use crate::ops::find::{Found, find};
use crate::store::Store;
use crate::sys::{heap, stdio};

pub use parse::{Invocation, Parsed, Words, asks_for_hook, parse};

/// Runs a verb that people use. Returns the exit code.
pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    heap::keep_a_page();
    (parsed.verb.run)(relay, parsed)
}

/// Prints the overview, or the help of one verb.
pub fn help(verb: Option<&verb::Verb>) -> Result<i32> {
    heap::keep_a_page();
    match verb {
        None => say(&help::overview()),
        Some(verb) => say(&help::verb(verb)),
    }
}

/// Prints the version.
pub fn version() -> Result<i32> {
    say_words(format_args!("relay {}\n", env!("CARGO_PKG_VERSION")))
}

/// Says in one line what went wrong. Returns the exit code.
pub fn complain(error: &Error) -> i32 {
    remark(format_args!("relay: {error}"));
    error.exit() as i32
}

/// Prints a result. A reader that has gone away is no failure.
fn say(text: &str) -> Result<i32> {
    match deliver(text) {
        Err(error) if error.is(Cause::Io(io::ErrorKind::BrokenPipe)) => Ok(0),
        printed => printed.map(|()| 0),
    }
}

/// Prints a result that is a few words.
fn say_words(words: Arguments) -> Result<i32> {
    say(&words.to_string())
}

/// Prints a result that is JSON.
fn say_json(json: String) -> Result<i32> {
    say(&(json + "\n"))
}

/// Says in one line what is going on, to a reader who may have left.
fn say_line(text: &str) {
    let _ = say(&line(text));
}

/// The text as one line.
fn line(text: &str) -> String {
    visible(text).into_owned() + "\n"
}

/// As [`say`], of something that has been done: a script that saw only the
/// failure would do it again.
fn report(done: &dyn Display, text: &str) -> Result<i32> {
    say(text).map_err(|error| Error::failed(format!("{done}, but {error}")))
}

/// Prints a result that must arrive.
fn deliver(text: &str) -> Result<()> {
    stdio::deliver(text).map_err(|error| Error::unprinted("the result", &error))
}

/// Says something beside the result, in one line: a path or a host's file that it
/// quotes may hold anything.
fn remark(words: Arguments) {
    let _ = io::stderr().write_all(line(&words.to_string()).as_bytes());
}

/// How many messages `--limit` asks for, at least one.
fn limit(parsed: &Parsed, unless_given: usize) -> Result<usize> {
    match parsed.value("limit").map(str::parse) {
        None => Ok(unless_given),
        Some(Ok(most @ 1..)) => Ok(most),
        Some(_) => Err(Error::usage("--limit takes a number of messages, 1 or more")),
    }
}

/// The path given with a flag.
fn path(relay: &Relay, parsed: &Parsed, flag: &str) -> Option<PathBuf> {
    Some(relay.env.absolute(parsed.value(flag)?.as_ref()))
}

/// The store, and the session in it that is meant.
fn find_session<'a>(relay: &'a Relay, who: &str) -> Result<(&'a Store, Found)> {
    let store = store_with_sessions(relay, who)?;
    let found = find(store, who)?;
    Ok((store, found))
}

/// The store as it is, for verbs that need one.
fn store_with_sessions<'a>(relay: &'a Relay, who: &str) -> Result<&'a Store> {
    relay.existing_store()?.ok_or_else(|| {
        Error::not_found(
            "session",
            &crate::mail::address::shorten(who),
            &format!(": there is no store at {} yet; see `relay help register`", relay.home().display()),
        )
    })
}
