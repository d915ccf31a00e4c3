//! Help, for people at a terminal.
//!
//! Invariant: the overview fits 80 columns and 24 lines, the help of a verb 80
//! columns; both are made from the table.

use std::fmt::Write;

use super::table::{Flag, Group, Need, Takes, VERBS, Verb};

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
    let mut text = format!("{}\n\n{}\n", usage(verb), wrap(verb.about, ""));
    let flags: Vec<&Flag> = verb.flags.iter().filter(|flag| !flag.hidden).collect();
    if !flags.is_empty() {
        text.push_str("\nFlags\n");
        for flag in flags {
            let name = spelled(flag);
            text.push_str(&format!("  {name:22} {}\n", wrap(flag.help, &" ".repeat(25))));
        }
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

/// One usage line.
pub fn usage(verb: &Verb) -> String {
    let mut text = format!("relay {}", verb.name);
    for operand in verb.operands {
        text.push_str(&match operand.need {
            Need::Required => format!(" <{}>", operand.name),
            Need::Optional => format!(" [{}]", operand.name),
            Need::Unless(flags) => {
                let others: String = flags.iter().map(|flag| format!(" | --{flag} <...>")).collect();
                format!(" <{}>{others}", operand.name)
            }
        });
    }
    for flag in verb.flags.iter().filter(|flag| !flag.hidden && !is_alternative(verb, flag)) {
        text.push_str(&format!(" [{}]", spelled(flag)));
    }
    if let Some(message) = verb.message {
        text.push_str(&format!(" [--] [{message}...]"));
    }
    wrap(&text, "    ")
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
fn wrap(text: &str, indent: &str) -> String {
    let mut lines = vec![String::new()];
    let mut room = COLUMNS - indent.len();
    for word in text.split_whitespace() {
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
