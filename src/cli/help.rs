//! Help, for people at a terminal.
//!
//! Invariant: the overview fits 80 columns and 24 lines, the help of a verb 80
//! columns; both are made from the table.

use std::fmt::Write;

use super::table::VERBS;
use super::verb::{Completes, Flag, Group, Need, Rest, Takes, Verb};
use crate::host;

const COLUMNS: usize = 79;

/// The overview that `relay help` prints.
pub fn overview() -> String {
    // 24 lines of 80 columns, and all of it in one piece.
    let mut text = String::with_capacity(24 * (COLUMNS + 1));
    text.push_str("relay: durable mail between the coding-agent sessions of this machine\n");
    for group in Group::ALL {
        text.extend(["\n", group.title()]);
        let has_lines = matches!(group, Group::Mail | Group::Sessions);
        let mut before = if has_lines { "\n" } else { ": " };
        for verb in VERBS.iter().filter(|verb| verb.group == group) {
            text.push_str(before);
            if has_lines {
                let _ = write!(text, "  {:9} {}", verb.name, verb.summary);
            } else {
                text.push_str(verb.name);
                before = ", ";
            }
        }
        text.push_str(if has_lines { "\n" } else { "" });
    }
    text.push_str("\nMore: relay help <verb>, relay man; what is wrong: relay doctor\n");
    text
}

/// The help of one verb.
pub fn verb(verb: &Verb) -> String {
    let mut text = String::new();
    wrap(&mut text, &mut usage(verb).iter().map(String::as_str), "    ");
    text.push_str("\n\n");
    paragraph(&mut text, verb.about, "");
    if verb.shown_flags().next().is_some() {
        text.push_str("\nFlags\n");
    }
    for flag in verb.shown_flags() {
        let _ = write!(text, "  {:22} ", spelled(flag));
        paragraph(&mut text, flag.help, &" ".repeat(25));
    }
    let flags = verb.flags.iter().map(|flag| flag.completes);
    if flags.chain(verb.operands.iter().map(|operand| operand.completes)).any(|word| word == Completes::Host)
    {
        text.push('\n');
        paragraph(&mut text, &format!("Hosts: {}", host::names()), "");
    }
    if !verb.examples.is_empty() {
        text.push_str("\nExamples\n");
    }
    for (command, what) in verb.examples {
        text.extend(["  ", command, "\n      ", what, "\n"]);
    }
    text.push_str("\nExit codes: see relay man\n");
    text
}

/// The parts of the usage line; it breaks only between them.
pub fn usage(verb: &Verb) -> Vec<String> {
    let mut parts = vec![format!("relay {}", verb.name)];
    let more = if verb.rest == Rest::More { "..." } else { "" };
    for operand in verb.operands {
        parts.push(match operand.need {
            Need::Optional => format!("[{}{more}]", operand.name),
            Need::Required | Need::Unless(_) => format!("<{}>{more}", operand.name),
        });
    }
    let (mut instead, mut others) = (Vec::new(), Vec::new());
    for flag in verb.shown_flags() {
        match verb.replaced_by(flag.name) {
            Some(_) => instead.push(format!("| {}", spelled(flag))),
            None => others.push(format!("[{}]", spelled(flag))),
        }
    }
    parts.append(&mut instead);
    parts.append(&mut others);
    if verb.rest == Rest::Message {
        parts.push("[--] [message...]".to_owned());
    }
    parts
}

/// The flag as one types it.
pub fn spelled(flag: &Flag) -> String {
    match flag.takes {
        Takes::Nothing => format!("--{}", flag.name),
        Takes::Value(value) => format!("--{} <{value}>", flag.name),
        Takes::Perhaps(value) => format!("--{} [{value}]", flag.name),
    }
}

/// Adds a paragraph, broken into lines, the second and later ones indented.
fn paragraph(text: &mut String, words: &str, indent: &str) {
    wrap(text, &mut words.split_ascii_whitespace(), indent);
    text.push('\n');
}

/// Lays parts out in lines, the second and later ones indented.
fn wrap(text: &mut String, parts: &mut dyn Iterator<Item = &str>, indent: &str) {
    let mut room = COLUMNS - indent.len();
    let mut before = "";
    for part in parts {
        if part.len() + before.len() > room {
            text.push('\n');
            before = indent;
            room = COLUMNS;
        }
        text.extend([before, part]);
        room = room.saturating_sub(before.len() + part.len());
        before = " ";
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::limits::*;

    #[test]
    fn the_numbers_in_help_are_the_limits() {
        assert_eq!(RINGS_PER_HOUR, 6, "the help of watch says six times an hour");
        for (verb, says) in [
            ("send", format!("Up to {} KiB", BODY_BYTES / 1024)),
            ("inbox", format!("more than {} MiB", COMMAND_BYTES / 1024 / 1024)),
            ("inbox", format!("1 to {COMMAND_HOLD_SECONDS} seconds ({})", COMMAND_HOLD_MS / 1000)),
            ("peek", format!("instead of {},000", PEEK_MESSAGES / 1000)),
            ("log", format!("last {LOG_MESSAGES} messages")),
            ("log", format!("instead of {LOG_MESSAGES}")),
            ("list", format!("Of over {LIST_SESSIONS} ")),
            ("register", format!("up to {NAME_CHARS} letters")),
            ("join", format!("at most {ROOM_MEMBERS} members, and {SESSION_ROOMS} rooms")),
            ("discover", format!("at most {DISCOVER_ROWS}.")),
            ("gc", format!("kept {KEEP_DAYS} days and at most {KEEP_MIB} MiB")),
            ("gc", format!("for {FOLD_DAYS} days")),
        ] {
            let help = super::verb(parse::verb(verb).unwrap());
            let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(help.contains(&says), "{verb}: {says}: {help}");
        }
    }
}
