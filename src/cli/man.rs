//! The manual page, relay(1), made from the table.
//!
//! Invariant: plain man(7) macros; every text is escaped, so that no word of the
//! table can be taken for one.

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
    page.push_str(".ad l\n.nh\n");
    section(
        &mut page,
        "NAME",
        "relay \u{2013} durable mail between the coding-agent sessions of one machine",
    );
    page.push_str(".SH SYNOPSIS\n.B relay\n.I verb\n[arguments]\n");
    section(
        &mut page,
        "DESCRIPTION",
        "relay gives every coding-agent session on a machine a mailbox. A session writes to \
         another by name; the mail reaches the other model at its next prompt, tool call or turn end. If that session \
         sleeps, the mail waits. There is no server: every process opens the same files, and a message is on disk \
         before its sender is told so.",
    );
    page.push_str(".SH VERBS\n");
    for verb in VERBS {
        // A part that may not be broken has no space that roff can break at.
        let usage: Vec<String> = usage(verb).iter().map(|part| escape(part).replace(' ', "\\ ")).collect();
        let usage = usage.join(" ");
        page.push_str(&format!(".SS {}\n{usage}\n.PP\n{}\n", verb.name, escape(verb.about)));
        for flag in verb.shown_flags() {
            page.push_str(&format!(".TP\n.B {}\n{}\n", escape(&spelled(flag)), escape(flag.help)));
        }
    }
    page.push_str(".SH HOSTS\n");
    for host in HOSTS {
        page.push_str(&format!(".TP\n.B {}\n{}\n", escape(host.name), escape(host.title)));
    }
    page.push_str(".SH ENVIRONMENT\n");
    for (name, meaning) in VARIABLES {
        page.push_str(&format!(".TP\n.B {}\n{}\n", escape(name), escape(meaning)));
    }
    page.push_str(
        ".SH FILES\n.TP\n.I ~/.agent\\-relay\nthe store: sessions, names and mail, private to the user\n",
    );
    page.push_str(".SH EXIT STATUS\n");
    for (code, meaning) in EXITS {
        page.push_str(&format!(".TP\n.B {code}\n{}\n", escape(meaning)));
    }
    page.push_str(".SH EXAMPLES\n");
    for (command, what) in VERBS.iter().flat_map(|verb| verb.examples) {
        page.push_str(&format!(".TP\n{}\n.br\n{}\n", escape(what), escape(command)));
    }
    say(&page)
}

fn section(page: &mut String, title: &str, text: &str) {
    page.push_str(&format!(".SH {title}\n{}\n", escape(text)));
}

/// Text as roff prints it: no macro at a line's begin, dashes that copy.
fn escape(text: &str) -> String {
    let escaped = text.replace('\\', "\\e").replace(['-', '\u{2013}'], "\\-");
    let lines = escaped.lines().map(|line| match line.chars().next() {
        Some('.' | '\'') => format!("\\&{line}"),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}
