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
        let verbs = VERBS.iter().filter(|verb| verb.group == group);
        if matches!(group, Group::Also | Group::Hosts | Group::Shell) {
            let names: Vec<&str> = verbs.map(|verb| verb.name).collect();
            text.extend(["\n", group.title(), ": ", &names.join(", ")]);
            continue;
        }
        text.extend(["\n", group.title(), "\n"]);
        for verb in verbs {
            let _ = writeln!(text, "  {:9} {}", verb.name, verb.summary);
        }
    }
    text.push_str("\nMore: relay help <verb>, relay man; what is wrong: relay doctor\n");
    text
}

/// The help of one verb.
pub fn verb(verb: &Verb) -> String {
    let usage = usage(verb);
    let usage = wrap(&mut usage.iter().map(String::as_str), "    ");
    let mut text = format!("{usage}\n\n{}\n", paragraph(verb.about, ""));
    let flags: Vec<&Flag> = verb.shown_flags().collect();
    if !flags.is_empty() {
        text.push_str("\nFlags\n");
        for flag in flags {
            let name = spelled(flag);
            text.push_str(&format!("  {name:22} {}\n", paragraph(flag.help, &" ".repeat(25))));
        }
    }
    let flags = verb.flags.iter().map(|flag| flag.completes);
    if flags.chain(verb.operands.iter().map(|operand| operand.completes)).any(|word| word == Completes::Host)
    {
        text.push_str(&format!("\n{}\n", paragraph(&format!("Hosts: {}", host::names()), "")));
    }
    if !verb.examples.is_empty() {
        text.push_str("\nExamples\n");
        for (command, what) in verb.examples {
            text.push_str(&format!("  {command}\n      {what}\n"));
        }
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
    let flags = verb.shown_flags();
    let (instead, others): (Vec<&Flag>, Vec<&Flag>) = flags.partition(|flag| is_alternative(verb, flag));
    parts.extend(instead.into_iter().map(|flag| format!("| {}", spelled(flag))));
    parts.extend(others.into_iter().map(|flag| format!("[{}]", spelled(flag))));
    if verb.rest == Rest::Message {
        parts.push("[--] [message...]".to_owned());
    }
    parts
}

/// Whether the flag stands in for an operand.
fn is_alternative(verb: &Verb, flag: &Flag) -> bool {
    verb.operands
        .iter()
        .any(|operand| matches!(operand.need, Need::Unless(flags) if flags.contains(&flag.name)))
}

/// The flag as one types it.
pub fn spelled(flag: &Flag) -> String {
    match flag.takes {
        Takes::Nothing => format!("--{}", flag.name),
        Takes::Value(value) => format!("--{} <{value}>", flag.name),
        Takes::Perhaps(value) => format!("--{} [{value}]", flag.name),
    }
}

/// Breaks a paragraph into lines, the second and later ones indented.
fn paragraph(text: &str, indent: &str) -> String {
    wrap(&mut text.split_whitespace(), indent)
}

/// Lays parts out in lines, the second and later ones indented.
fn wrap(parts: &mut dyn Iterator<Item = &str>, indent: &str) -> String {
    let mut lines = vec![String::new()];
    let mut room = COLUMNS - indent.len();
    for word in parts {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.len() + 1 + word.len() > room {
            room = COLUMNS;
            lines.push(format!("{indent}{word}"));
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
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
