//! The verbs whose plug is pulled: the world before each, and what must hold after.

use super::after::*;
use super::before::*;
use super::harness::{BOB, Run, World};

/// A verb under test: its world before, the command, its stdin, and what must
/// hold afterwards, given what the command printed.
pub struct Case {
    pub name: &'static str,
    pub prepare: fn() -> World,
    pub arguments: &'static [&'static str],
    /// A last argument that only the world knows.
    pub last: fn(&World) -> Option<String>,
    pub input: fn(&World) -> String,
    pub check: fn(&World, &Run),
}

pub fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "send",
            prepare: one_waiting,
            arguments: &["send", "bob", "--", "new"],
            input: nothing,
            last: none,
            check: sent,
        },
        Case {
            name: "first send",
            prepare: none_waiting,
            arguments: &["send", "bob", "--", "new"],
            input: nothing,
            last: none,
            check: first_sent,
        },
        Case {
            name: "inbox",
            prepare: two_waiting,
            arguments: &["inbox", "bob"],
            input: nothing,
            last: none,
            check: taken,
        },
        Case {
            name: "inbox --hold",
            prepare: two_waiting,
            arguments: &["inbox", "--hold", "1", "bob"],
            input: nothing,
            last: none,
            check: held,
        },
        Case {
            name: "hook",
            prepare: two_waiting,
            arguments: &["hook", "codex"],
            input: prompt,
            last: none,
            check: shown,
        },
        Case {
            name: "hook that acknowledges",
            prepare: one_shown_one_waiting,
            arguments: &["hook", "codex"],
            input: tool_use,
            last: none,
            check: acknowledged,
        },
        Case {
            name: "hook of a new session",
            prepare: World::with_alice_and_bob,
            arguments: &["hook", "claude"],
            input: start_fresh,
            last: none,
            check: started,
        },
        Case {
            name: "hook after /clear",
            prepare: cleared,
            arguments: &["hook", "claude"],
            input: start_cleared,
            last: none,
            check: succeeded,
        },
        Case {
            name: "register",
            prepare: World::with_alice_and_bob,
            arguments: &["register", "robert", "--id", BOB],
            input: nothing,
            last: none,
            check: renamed,
        },
        Case {
            name: "ack",
            prepare: two_held,
            arguments: &["ack"],
            input: nothing,
            last: token,
            check: acked,
        },
        Case {
            name: "rollback",
            prepare: two_held,
            arguments: &["rollback"],
            input: nothing,
            last: token,
            check: rolled_back,
        },
        Case {
            name: "bus: inbox",
            prepare: two_waiting_for_the_bus,
            arguments: &["bus"],
            input: bus_inbox,
            last: none,
            check: shown_by_bus,
        },
        Case {
            name: "gc that trims",
            prepare: outdated,
            arguments: &["gc"],
            input: nothing,
            last: none,
            check: trimmed,
        },
        Case {
            name: "gc that folds",
            prepare: forgotten,
            arguments: &["gc"],
            input: nothing,
            last: none,
            check: folded,
        },
        Case {
            name: "reply",
            prepare: asked,
            arguments: &["reply"],
            input: yes,
            last: request,
            check: replied,
        },
        Case {
            name: "reply again",
            prepare: answered,
            arguments: &["reply"],
            input: yes,
            last: request,
            check: replied,
        },
        Case {
            name: "send to two",
            prepare: none_waiting,
            arguments: &["send", "alice,bob", "--", "new"],
            input: nothing,
            last: none,
            check: sent_to_two,
        },
        Case {
            name: "join",
            prepare: none_waiting,
            arguments: &["join", "team", "bob"],
            input: nothing,
            last: none,
            check: joined,
        },
        Case {
            name: "import",
            prepare: session_relay_home,
            arguments: &["list"],
            input: nothing,
            last: none,
            check: imported,
        },
    ]
}
