//! The operands and flags that several verbs take.
//!
//! Invariant: a name means the same wherever it stands.

use super::verb::{Completes, Flag, Need, Operand, Takes, flag, operand, value};

pub const WHO: Operand = operand("who", Need::Required, Completes::Session);
pub const ROOM: &[Operand] = &[
    operand("room", Need::Required, Completes::Nothing),
    operand("who", Need::Optional, Completes::Session),
];
pub const JSON: Flag = flag("json", "print JSON for scripts instead of text for people");
pub const WAIT: Flag = Flag {
    takes: Takes::Perhaps("seconds"),
    ..flag("wait", "sleep until there is mail, at most so many seconds (no limit)")
};
pub const HOST: Flag = value("tool", "host", "the session's host").completed_with(Completes::Host);
pub const ID: Flag = value("id", "session-id", "the session by the id its host gave it");
pub const ALL: Flag = flag("all", "every session, however many");
pub const DRY: Flag = flag("dry", "only print what would be run, as JSON");
pub const DIR: Flag = value("dir", "path", "the session's directory").completed_with(Completes::Directory);
