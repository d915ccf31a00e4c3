//! What a row of the table of verbs says: the form, not the rows.
//!
//! Invariant: all of it is static text, so that help cannot fail.

use super::Parsed;
use crate::error::{Error, Result};
use crate::ops::Relay;

/// One verb.
#[derive(Debug)]
pub struct Verb {
    pub name: &'static str,
    /// Runs it. Returns the exit code.
    pub run: fn(&Relay, &Parsed) -> Result<i32>,
    pub group: Group,
    /// One line, for the overview.
    pub summary: &'static str,
    /// Two or three sentences, for the verb's own help.
    pub about: &'static str,
    pub operands: &'static [Operand],
    pub rest: Rest,
    pub flags: &'static [&'static Flag],
    /// Commands and what they do.
    pub examples: &'static [(&'static str, &'static str)],
}

impl Verb {
    /// The flags that people are told of.
    pub fn shown_flags(&self) -> impl Iterator<Item = &'static Flag> {
        self.flags.iter().copied().filter(|flag| !flag.hidden)
    }

    /// The operand that this flag stands in for.
    pub fn replaced_by(&self, flag: &str) -> Option<&'static Operand> {
        self.operands
            .iter()
            .find(|operand| matches!(operand.need, Need::Unless(flags) if flags.contains(&flag)))
    }
}

/// Whom a verb is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Mail,
    Sessions,
    /// Less often needed by hand: named in the overview, without a line each.
    Also,
    Hosts,
    Shell,
}

impl Group {
    pub const ALL: [Group; 5] = [Group::Mail, Group::Sessions, Group::Also, Group::Hosts, Group::Shell];

    pub fn title(self) -> &'static str {
        match self {
            Group::Mail => "Mail",
            Group::Sessions => "Sessions",
            Group::Also => "Also",
            Group::Hosts => "Started by agent hosts",
            Group::Shell => "Shell",
        }
    }
}

/// An argument that is no flag.
#[derive(Debug)]
pub struct Operand {
    pub name: &'static str,
    pub need: Need,
    /// What a shell can complete it with.
    pub completes: Completes,
}

/// Whether an operand must be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    Required,
    Optional,
    /// Required unless one of these flags is given; then there is none.
    Unless(&'static [&'static str]),
}

/// What may follow the operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    Nothing,
    /// The words of a message.
    Message,
    /// More words like the last operand.
    More,
}

/// What a shell can offer for a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completes {
    Nothing,
    Session,
    Host,
    Directory,
    Verb,
    Shell,
}

/// A flag, `--name`.
#[derive(Debug)]
pub struct Flag {
    pub name: &'static str,
    pub takes: Takes,
    pub help: &'static str,
    pub completes: Completes,
    /// Left out of help: for completions only.
    pub hidden: bool,
}

/// What follows a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    Nothing,
    Value(&'static str),
    /// A number that may be left out.
    Perhaps(&'static str),
}

/// A flag that takes nothing.
pub const fn flag(name: &'static str, help: &'static str) -> Flag {
    Flag { name, takes: Takes::Nothing, help, completes: Completes::Nothing, hidden: false }
}

/// A flag with a value.
pub const fn value(name: &'static str, takes: &'static str, help: &'static str) -> Flag {
    Flag { takes: Takes::Value(takes), ..flag(name, help) }
}

impl Flag {
    /// The same, with a value that a shell can complete.
    pub const fn completed_with(self, completes: Completes) -> Flag {
        Flag { completes, ..self }
    }
}

/// An operand.
pub const fn operand(name: &'static str, need: Need, completes: Completes) -> Operand {
    Operand { name, need, completes }
}

/// What a verb does that `main` sees to itself.
fn no_door(_: &Relay, parsed: &Parsed) -> Result<i32> {
    Err(Error::failed(format!("the verb '{}' has no door; please report this", parsed.verb.name)))
}

/// A verb without operands, a message, flags or examples.
pub const PLAIN: Verb = Verb {
    name: "",
    run: no_door,
    group: Group::Shell,
    summary: "",
    about: "",
    operands: &[],
    rest: Rest::Nothing,
    flags: &[],
    examples: &[],
};
