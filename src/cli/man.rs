//! The manual page, relay(1), made from the table.
//!
//! Invariant: plain man(7) macros; every text is escaped, so that no word of the
//! table can be taken for one.

use std::fmt::Write;

use super::help::{spelled, usage};
use super::reference::{EXITS, VARIABLES};
use super::table::VERBS;
use super::{Parsed, say};
use crate::error::Result;
use crate::host::HOSTS;
use crate::ops::Relay;

/// Prints the page's source.
pub fn run(_: &Relay, _: &Parsed) -> Result<i32> {
    let version = env!("CARGO_PKG_VERSION");
    let mut page = format!(".TH RELAY 1 \"\" \"relay {version}\" \"User Commands\"\n");
    // Commands are to be copied: no hyphens in them, no stretched gaps.
    page.push_str(
        ".ad l\n.nh\n\
         .SH NAME\nrelay \\- durable mail between the coding\\-agent sessions of one machine\n\
         .SH SYNOPSIS\n.B relay\n.I verb\n[arguments]\n\
         .SH DESCRIPTION\n\
         relay gives every coding\\-agent session on a machine a mailbox. A session writes to \
         another by name; the mail reaches the other model at its next prompt, tool call or turn end. If that session \
         sleeps, the mail waits. There is no server: every process opens the same files, and a message is on disk \
         before its sender is told so.\n",
    );
    page.push_str(".SH VERBS\n");
    for verb in VERBS {
        // A part that may not be broken has no space that roff can break at.
        let usage = escape(&usage(verb).join("\n")).replace(' ', "\\ ").replace('\n', " ");
        let _ = write!(page, ".SS {}\n{usage}\n.PP\n{}\n", verb.name, escape(verb.about));
        for flag in verb.shown_flags() {
            entry(&mut page, &spelled(flag), flag.help);
        }
    }
    page.push_str(".SH HOSTS\n");
    for host in HOSTS {
        entry(&mut page, host.name, host.title);
    }
    page.push_str(".SH ENVIRONMENT\n");
    for (name, meaning) in VARIABLES {
        entry(&mut page, name, meaning);
    }
    page.push_str(
        ".SH FILES\n.TP\n.I ~/.agent\\-relay\nthe store: sessions, names and mail, private to the user\n",
    );
    page.push_str(".SH EXIT STATUS\n");
    for (code, meaning) in EXITS {
        entry(&mut page, code, meaning);
    }
    page.push_str(".SH EXAMPLES\n");
    for verb in VERBS {
        for (command, what) in verb.examples {
            let _ = write!(page, ".TP\n{}\n.br\n{}\n", escape(what), escape(command));
        }
    }
    say(&page)
}

/// A word of a section, and what it means.
fn entry(page: &mut String, word: &str, meaning: &str) {
    let _ = write!(page, ".TP\n.B {}\n{}\n", escape(word), escape(meaning));
}

/// A line of text as roff prints it: no macro at its begin, dashes that copy.
fn escape(text: &str) -> String {
    let escaped = text.replace('\\', "\\e").replace('-', "\\-");
    match escaped.starts_with(['.', '\'']) {
        true => format!("\\&{escaped}"),
        false => escaped,
    }
}
