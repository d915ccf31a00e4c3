//! The table of verbs and flags, from which the parser, the help, the man page
//! and the completions are all made.
//!
//! Invariant: a verb or flag that is not here does not exist, and one that is
//! here is documented everywhere.

/// One verb.
#[derive(Debug)]
pub struct Verb {
    pub name: &'static str,
    pub group: Group,
    /// One line, for the overview.
    pub summary: &'static str,
    /// Two or three sentences, for the verb's own help.
    pub about: &'static str,
    pub operands: &'static [Operand],
    /// What a message that may follow the operands is called.
    pub message: Option<&'static str>,
    pub flags: &'static [Flag],
    /// Commands and what they do.
    pub examples: &'static [(&'static str, &'static str)],
}

/// Whom a verb is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Mail,
    Sessions,
    Hosts,
    Shell,
}

impl Group {
    pub const ALL: [Group; 4] = [Group::Mail, Group::Sessions, Group::Hosts, Group::Shell];

    pub fn title(self) -> &'static str {
        match self {
            Group::Mail => "Mail",
            Group::Sessions => "Sessions",
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
    /// Required unless this flag is given; then there is none.
    Unless(&'static str),
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

/// The shells that `relay completions` knows.
pub const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

/// Exit codes and what they mean to a script.
pub const EXITS: [(u8, &str); 11] = [
    (0, "done"),
    (1, "something failed; stderr says what"),
    (3, "the session is live, so it was not resumed"),
    (4, "no such session, message, directory or program"),
    (5, "the name belongs to another session"),
    (6, "another reader holds this mail"),
    (7, "the hold's token is unknown, settled or expired"),
    (8, "a lock was busy for 3 seconds; nothing was changed"),
    (9, "a limit was exceeded; stderr names it"),
    (10, "the store was written by a newer relay"),
    (64, "the command line was not understood"),
];

/// Variables that relay reads.
pub const VARIABLES: [(&str, &str); 6] = [
    ("AGENT_RELAY_HOME", "where the store is; ~/.agent-relay when unset"),
    ("SESSION_RELAY_HOME", "the same, under its older name"),
    ("RELAY_PROJECT_DIR", "the project that a bus works in, where its host does not say"),
    ("RELAY_CLAUDE_PROJECTS", "where Claude Code keeps transcripts, for discover"),
    ("RELAY_CODEX_SESSIONS", "where Codex keeps transcripts, for discover"),
    ("CLAUDE_CONFIG_DIR, CODEX_HOME", "the hosts' own folders, when moved"),
];

const fn flag(name: &'static str, help: &'static str) -> Flag {
    Flag { name, takes: Takes::Nothing, help, completes: Completes::Nothing, hidden: false }
}

const fn value(name: &'static str, takes: &'static str, completes: Completes, help: &'static str) -> Flag {
    Flag { name, takes: Takes::Value(takes), help, completes, hidden: false }
}

const fn operand(name: &'static str, need: Need, completes: Completes) -> Operand {
    Operand { name, need, completes }
}

const JSON: Flag = flag("json", "print JSON for scripts instead of text for people");
const WHO: Operand = operand("who", Need::Required, Completes::Session);
const HOST: Flag = value("tool", "host", Completes::Host, "the session's host: claude, codex or opencode");
const ID: Flag = value("id", "session-id", Completes::Nothing, "the session by the id its host gave it");
const DIR: Flag = value("dir", "path", Completes::Directory, "the session's directory");

/// A verb without operands, message, flags or examples.
const PLAIN: Verb = Verb {
    name: "",
    group: Group::Shell,
    summary: "",
    about: "",
    operands: &[],
    message: None,
    flags: &[],
    examples: &[],
};

/// Every verb, in the order people see them.
pub const VERBS: &[Verb] = &[
    Verb {
        name: "send",
        group: Group::Mail,
        summary: "write to a session",
        about: "Stores the message in the session's mailbox and returns once it is on disk. The session's model reads \
                it at its next step; if the session is not running, the mail waits. Without words, or with just -, \
                the message comes from stdin. Up to 256 KiB.",
        operands: &[operand("to", Need::Unless("id"), Completes::Session)],
        message: Some("message"),
        flags: &[
            ID,
            value("from", "who", Completes::Session, "write in this session's name; the reader is told so"),
            DIR,
            HOST,
            JSON,
        ],
        examples: &[
            ("relay send reviewer -- please look at src/api.rs", "a note to the session named reviewer"),
            ("git diff | relay send reviewer", "the message from a pipe"),
        ],
    },
    Verb {
        name: "inbox",
        group: Group::Mail,
        summary: "take a session's pending mail",
        about: "Prints the pending mail as JSON and, once it is printed, counts it as read. With --hold it is only \
                lent, under a token that relay ack or relay rollback ends; unsettled mail comes back by itself, marked \
                as redelivered.",
        operands: &[WHO],
        flags: &[Flag {
            takes: Takes::Perhaps("seconds"),
            ..flag("hold", "lend the mail for 1 to 900 seconds (30) and print a token")
        }],
        examples: &[("relay inbox --hold 60 builder", "take the mail, confirm it later")],
        ..PLAIN
    },
    Verb {
        name: "ack",
        group: Group::Mail,
        summary: "confirm mail taken with --hold",
        about: "The mail under this hold is read. Safe to repeat.",
        operands: &[operand("token", Need::Required, Completes::Nothing)],
        ..PLAIN
    },
    Verb {
        name: "rollback",
        group: Group::Mail,
        summary: "give back mail taken with --hold",
        about: "The mail under this hold waits again, before later mail, marked as redelivered. Safe to repeat.",
        operands: &[operand("token", Need::Required, Completes::Nothing)],
        ..PLAIN
    },
    Verb {
        name: "peek",
        group: Group::Mail,
        summary: "look at pending mail, change nothing",
        about: "Prints the mail that waits for a session as JSON. Looking takes nothing.",
        operands: &[WHO],
        ..PLAIN
    },
    Verb {
        name: "log",
        group: Group::Mail,
        summary: "what a mailbox has held, read or not",
        about: "Prints the last 50 messages with what became of each: stored, held (shown to the model, not confirmed \
                yet) or consumed. Changes nothing.",
        operands: &[WHO],
        flags: &[
            value("limit", "n", Completes::Nothing, "so many messages instead of 50"),
            value("message", "id", Completes::Nothing, "the whole body of one message"),
            JSON,
        ],
        ..PLAIN
    },
    Verb {
        name: "status",
        group: Group::Mail,
        summary: "what became of a message",
        about: "Says whether the message is stored, held, consumed or replied to, and when its reader will see it.",
        operands: &[operand("message-id", Need::Required, Completes::Nothing)],
        flags: &[JSON],
        ..PLAIN
    },
    Verb {
        name: "wake",
        group: Group::Mail,
        summary: "resume a sleeping session so that it reads its mail",
        about: "Resumes the session without a terminal, in its directory, with the message (or a plain hint that mail \
                waits) as its prompt, and waits for it. Refuses a session that is live: two writers on one \
                conversation corrupt it. The exit code is the host's own (2 becomes 1).",
        operands: &[operand("who", Need::Unless("id"), Completes::Session)],
        message: Some("message"),
        flags: &[ID, DIR, HOST, flag("dry", "only print what would be run, as JSON")],
        examples: &[
            ("relay wake reviewer", "let it read its mail"),
            ("relay wake reviewer -- the build is green, go on", "with a prompt of your own"),
        ],
    },
    Verb {
        name: "list",
        group: Group::Sessions,
        summary: "the sessions relay knows, live ones first",
        about: "A line a session: its name, host, id, directory, and whether it is live or when it was last seen.",
        flags: &[JSON, Flag { hidden: true, ..flag("names", "names only") }],
        ..PLAIN
    },
    Verb {
        name: "register",
        group: Group::Sessions,
        summary: "name a session",
        about: "Gives the session with this id a name that others write to: up to 64 letters, digits, '.', '_' and '-'. \
                A name has one owner; another session's is never taken away. Sessions with relay's hook register \
                themselves and only lack a chosen name.",
        operands: &[operand("name", Need::Required, Completes::Nothing)],
        flags: &[ID, DIR, HOST],
        examples: &[(
            "relay register reviewer --id 8d0c5e7a-1111-4222-8333-944455556666",
            "name a session by its id",
        )],
        ..PLAIN
    },
    Verb {
        name: "discover",
        group: Group::Sessions,
        summary: "find sessions that relay has not seen",
        about: "Looks through the transcripts that Claude Code and Codex keep, and asks opencode if it was used lately; \
                newest first, at most 50. Changes nothing.",
        flags: &[
            value("within", "minutes", Completes::Nothing, "active within so many minutes (60)"),
            value("tool", "host", Completes::Host, "of this host only: claude, codex or opencode"),
            value("exclude", "session-id", Completes::Nothing, "leave this session out"),
            value("cwd", "path", Completes::Directory, "sessions of this directory first"),
            JSON,
        ],
        ..PLAIN
    },
    Verb {
        name: "whoami",
        group: Group::Sessions,
        summary: "which session this is, and how relay knows",
        about: "Run inside an agent's shell: names the session that the shell belongs to and the fact that told it.",
        flags: &[JSON],
        ..PLAIN
    },
    Verb {
        name: "doctor",
        group: Group::Sessions,
        summary: "what a worried user needs to know",
        about: "Looks at the store, its permissions and records, the sessions, waiting mail, the last failure of a hook, \
                and which hosts are here and know relay. Changes nothing. Exit code 1 when something needs mending.",
        flags: &[JSON],
        ..PLAIN
    },
    Verb {
        name: "demo",
        group: Group::Sessions,
        summary: "see two sessions mail each other",
        about: "Plays two sessions in a throw-away home, with the real bus and the real hook.",
        ..PLAIN
    },
    Verb {
        name: "bus",
        group: Group::Hosts,
        summary: "speak MCP on stdin and stdout",
        about: "Hosts start it as an MCP server. It serves all five revisions of the protocol and ends with its stdin.",
        ..PLAIN
    },
    Verb {
        name: "hook",
        group: Group::Hosts,
        summary: "take a hook's event on stdin, perhaps show mail",
        about: "Hosts start it at a session's start, prompts, tool calls, turn ends and end. It prints mail for the model \
                in the host's form, or nothing; it always exits 0, and what went wrong stands in relay doctor.",
        operands: &[operand("host", Need::Optional, Completes::Host)],
        flags: &[value(
            "event",
            "name",
            Completes::Nothing,
            "the event's name, where the event does not say it",
        )],
        ..PLAIN
    },
    Verb {
        name: "help",
        summary: "help on a verb",
        about: "Without a verb, the overview.",
        operands: &[operand("verb", Need::Optional, Completes::Verb)],
        ..PLAIN
    },
    Verb {
        name: "man",
        summary: "print the manual page",
        about: "Prints relay(1) for man: relay man > ~/.local/share/man/man1/relay.1",
        ..PLAIN
    },
    Verb {
        name: "completions",
        summary: "print completions for bash, zsh or fish",
        about: "Prints a script that teaches your shell relay's verbs, flags and session names.",
        operands: &[operand("shell", Need::Required, Completes::Shell)],
        examples: &[
            ("relay completions bash > ~/.local/share/bash-completion/completions/relay", "for bash"),
            ("relay completions zsh > ~/.zfunc/_relay", "for zsh, with ~/.zfunc in fpath"),
            ("relay completions fish > ~/.config/fish/completions/relay.fish", "for fish"),
        ],
        ..PLAIN
    },
];
