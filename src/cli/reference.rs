//! Exit codes and variables, for the manual page.
//!
//! Invariant: what is not here, no script can rely on.

/// Exit codes and what they mean to a script.
pub const EXITS: &[(&str, &str)] = &[
    ("0", "done"),
    ("1", "something failed; stderr says what"),
    ("3", "the session is live, so it was not resumed"),
    ("4", "no such session, message, directory or program"),
    ("5", "the name belongs to another session; the request has another reply"),
    ("6", "another reader holds this mail"),
    ("7", "the hold's token is unknown, settled or expired"),
    ("8", "a lock was busy for 3 seconds; nothing was changed"),
    ("9", "a limit was exceeded; stderr names it"),
    ("10", "the store was written by a newer relay"),
    ("64", "the command line was not understood"),
];

/// Variables that relay reads.
pub const VARIABLES: &[(&str, &str)] = &[
    ("AGENT_RELAY_HOME", "where the store is; ~/.agent-relay when unset"),
    ("SESSION_RELAY_HOME", "the same, under its older name"),
    ("RELAY_PROJECT_DIR", "the project that a bus works in, where its host does not say"),
    ("RELAY_BELL", "off: a bus with this does not ring its idle host when mail waits"),
    ("RELAY_SYNC=off", "for benchmarks: nothing waits for the disk, and a power cut takes accepted mail"),
    ("RELAY_KEEP_DAYS, RELAY_KEEP_MIB", "how long and how much read mail is kept (30, 16); 0: for ever"),
    ("RELAY_CLAUDE_PROJECTS", "where Claude Code keeps transcripts, for discover"),
    ("RELAY_CODEX_SESSIONS", "where Codex keeps transcripts, for discover"),
    ("CLAUDE_CONFIG_DIR, CODEX_HOME", "the hosts' own folders, when moved"),
];
