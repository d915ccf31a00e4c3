//! The table of verbs and flags, from which the parser, the help, the man page
//! and the completions are all made.
//!
//! Invariant: a verb or flag that is not here does not exist, and one that is
//! here is documented everywhere.

use super::arguments::{ALL, DIR, DRY, HOST, ID, JSON, ROOM, WAIT, WHO};
use super::verb::{Completes, Flag, Group, Need, PLAIN, Rest, Takes, Verb, flag, operand, value};
use super::{
    attach, completions, demo, discover, doctor, gc, inbox, install, list, log, man, peek, register, reply,
    room, send, settle, status, wake, watch, whoami,
};

/// Every verb, in the order people see them.
pub const VERBS: &[Verb] = &[
    Verb {
        name: "send",
        run: send::run,
        group: Group::Mail,
        summary: "write to a session, or to several",
        about: "Stores the message in the session's mailbox and returns once it is on disk. The session's model reads \
                it at its next step; if the session is not running, the mail waits. Without words, or with just -, \
                the message comes from stdin. Up to 256 KiB. Several readers: names with commas and no space, @all \
                (the live sessions of this directory's project) or '#room', quoted for your shell; the sender gets \
                no copy.",
        operands: &[operand("to", Need::Unless(&["id"]), Completes::Session)],
        rest: Rest::Message,
        flags: &[
            &ID,
            &value("from", "who", "write in this session's name; the reader is told so")
                .completed_with(Completes::Session),
            &DIR,
            &HOST,
            &JSON,
        ],
        examples: &[
            ("relay send reviewer -- please look at src/api.rs", "a note to the session named reviewer"),
            ("git diff | relay send reviewer", "the message from a pipe"),
            ("relay send api,web -- main is frozen", "one message for two; '#room' and @all work too"),
        ],
    },
    Verb {
        name: "request",
        run: send::ask,
        group: Group::Mail,
        summary: "ask a session for one reply",
        about: "Like send, but the reader owes one reply. It comes to the mailbox of the session that asks: the one of \
                this shell, or the one named with --from. See it with relay status or relay log --thread.",
        operands: &[operand("to", Need::Required, Completes::Session)],
        rest: Rest::Message,
        flags: &[
            &value("from", "who", "the session that asks and gets the reply")
                .completed_with(Completes::Session),
            &Flag {
                help: "wait for the reply, at most so many seconds (no limit), and take it like inbox",
                ..WAIT
            },
            &JSON,
        ],
        examples: &[("relay request api --from web --wait 600 -- is /users paged?", "web asks and waits")],
    },
    Verb {
        name: "reply",
        run: reply::run,
        group: Group::Mail,
        summary: "answer a message",
        about: "Answers for the session the message went to; in another session's shell it is refused. A request takes \
                exactly one reply: the same reply again is harmless, another is refused with exit code 5.",
        operands: &[operand("message-id", Need::Required, Completes::Nothing)],
        rest: Rest::Message,
        flags: &[&value("status", "how", "completed (default) or failed: how a request ended"), &JSON],
        examples: &[(
            "relay reply 01a1fb3e-7736-76dc-ad4a-ada7b806ac5c --status failed -- no access",
            "the request could not be done",
        )],
    },
    Verb {
        name: "inbox",
        run: inbox::run,
        group: Group::Mail,
        summary: "take a session's pending mail",
        about: "Prints the pending mail as JSON and, once it is printed, counts it as read; of more than 16 MiB \
                only the first. With --hold it is only lent, under a token that relay ack or relay rollback ends; \
                unsettled mail comes back by itself, marked as redelivered. before_restart: the machine has \
                restarted since it was sent, and it may have been read before.",
        operands: &[WHO],
        flags: &[
            &WAIT,
            &Flag {
                takes: Takes::Perhaps("seconds"),
                ..flag("hold", "lend the mail for 1 to 900 seconds (30) and print a token")
            },
        ],
        examples: &[
            ("relay inbox --wait 600 builder", "sleep until mail comes, ten minutes at most"),
            ("relay inbox --hold 60 builder", "take the mail, confirm it later"),
        ],
        ..PLAIN
    },
    Verb {
        name: "ack",
        run: settle::run,
        group: Group::Also,
        summary: "confirm mail taken with --hold",
        about: "The mail under this hold is read. Safe to repeat.",
        operands: &[operand("token", Need::Required, Completes::Nothing)],
        ..PLAIN
    },
    Verb {
        name: "rollback",
        run: settle::run,
        group: Group::Also,
        summary: "give back mail taken with --hold",
        about: "The mail under this hold waits again, before later mail, marked as redelivered. Safe to repeat.",
        operands: &[operand("token", Need::Required, Completes::Nothing)],
        ..PLAIN
    },
    Verb {
        name: "peek",
        run: peek::run,
        group: Group::Mail,
        summary: "look at pending mail, change nothing",
        about: "Prints the mail that waits for a session as JSON. Looking takes nothing. With --follow it goes on: a \
                line of JSON for each message, those that wait and those that come, until you end it.",
        operands: &[WHO],
        flags: &[
            &flag("follow", "go on, a line of JSON a message as it comes"),
            &value("limit", "n", "so many messages instead of 1,000; waiting tells of more"),
        ],
        ..PLAIN
    },
    Verb {
        name: "log",
        run: log::run,
        group: Group::Mail,
        summary: "what a mailbox has held, read or not",
        about: "Prints the last 50 messages with what became of each: stored, held (shown to the model, not confirmed \
                yet) or consumed. Changes nothing.",
        operands: &[operand("who", Need::Unless(&["thread", "run"]), Completes::Session)],
        flags: &[
            &value("thread", "id", "the conversation of this message, across mailboxes"),
            &value("run", "run", "what this detached run has printed"),
            &value("limit", "n", "so many messages instead of 50"),
            &value("message", "id", "the whole body of one message"),
            &JSON,
        ],
        ..PLAIN
    },
    Verb {
        name: "status",
        run: status::run,
        group: Group::Mail,
        summary: "what became of a message",
        about: "Says for each reader whether the message is stored, held, consumed or replied to, and when that reader \
                will see it or how to wake it.",
        operands: &[operand("message-id", Need::Required, Completes::Nothing)],
        flags: &[&JSON],
        ..PLAIN
    },
    Verb {
        name: "wake",
        run: wake::run,
        group: Group::Mail,
        summary: "resume a sleeping session so that it reads its mail",
        about: "Resumes the session without a terminal, in its directory, with the message (or a plain hint that mail \
                waits) as its prompt, and waits for it. Refuses a session that is live: two writers on one \
                conversation corrupt it. The exit code is the host's own (2 becomes 1). With --detach it returns at once \
                and keeps the last runs' output for relay log --run.",
        operands: &[operand("who", Need::Unless(&["id"]), Completes::Session)],
        rest: Rest::Message,
        flags: &[
            &ID,
            &DIR,
            &HOST,
            &DRY,
            &flag("detach", "return at once; relay log --run shows what it prints"),
            &Flag { hidden: true, ..value("record", "run", "what --detach starts") },
        ],
        examples: &[
            ("relay wake reviewer", "let it read its mail"),
            ("relay wake reviewer -- the build is green, go on", "with a prompt of your own"),
        ],
    },
    Verb {
        name: "attach",
        run: attach::run,
        group: Group::Mail,
        summary: "open a sleeping session in this terminal",
        about: "Resumes the session in its directory, here, with its mail. Refuses a session that is live.",
        operands: &[operand("who", Need::Unless(&["id"]), Completes::Session)],
        flags: &[&ID, &DIR, &HOST, &DRY],
        ..PLAIN
    },
    Verb {
        name: "watch",
        run: watch::run,
        group: Group::Mail,
        summary: "wake sleeping sessions when mail comes",
        about: "Stays in the foreground and wakes each of these sessions when mail waits and it is not live: only \
                sessions whose user said so with relay register <name> --wake on, at most six times an hour for one \
                sender's mail. Says what it does, a line each.",
        operands: &[WHO],
        rest: Rest::More,
        flags: &[&value("quiet", "from-to", "hours in which nobody is woken, as 22-7, local time")],
        examples: &[("relay watch reviewer builder --quiet 22-7", "wake two sessions, not at night")],
    },
    Verb {
        name: "list",
        run: list::run,
        group: Group::Sessions,
        summary: "the sessions relay knows, live ones first",
        about: "One line a session: its name, host, id, directory, whether it is live or when it was last seen, and how \
                mail reaches it. next step: at its next tool call, turn end or prompt. bell: the same, and it is rung when \
                it is idle. wake: it sleeps until somebody runs relay wake. Of over 200 it shows those that run, then \
                those last active. With a room, only its members.",
        operands: &[operand("room", Need::Optional, Completes::Nothing)],
        flags: &[&JSON, &ALL, &Flag { hidden: true, ..flag("names", "names only") }],
        examples: &[("relay list '#reviewers'", "who is in a room")],
        ..PLAIN
    },
    Verb {
        name: "register",
        run: register::run,
        group: Group::Sessions,
        summary: "name a session",
        about: "Gives the session with this id a name that others write to: up to 64 letters, digits, '.', '_' and '-'. \
                A name has one owner; another session's is never taken away. Sessions with relay's hook register \
                themselves and only lack a chosen name.",
        operands: &[operand("name", Need::Required, Completes::Nothing)],
        flags: &[&ID, &DIR, &HOST, &value("wake", "on|off", "whether relay watch may wake it (off)")],
        examples: &[(
            "relay register reviewer --id 8d0c5e7a-1111-4222-8333-944455556666",
            "name a session by its id",
        )],
        ..PLAIN
    },
    Verb {
        name: "join",
        run: room::run,
        group: Group::Also,
        summary: "read a room's mail",
        about: "Makes the session of this shell, or the one named, a member of the room: from now on it gets what is sent \
                to '#room'. A room needs no making; at most 64 members, and 16 rooms a session.",
        operands: ROOM,
        examples: &[("relay join reviewers web", "then: relay send '#reviewers' -- hello")],
        ..PLAIN
    },
    Verb {
        name: "leave",
        run: room::run,
        group: Group::Also,
        summary: "read a room's mail no longer",
        about: "Ends the membership of this shell's session, or of the one named. Mail that it has stays.",
        operands: ROOM,
        ..PLAIN
    },
    Verb {
        name: "discover",
        run: discover::run,
        group: Group::Sessions,
        summary: "find sessions that relay has not seen",
        about: "Looks through the transcripts that hosts keep, and asks those that list their sessions themselves, if they \
                were used lately; newest first, at most 50. Changes nothing.",
        flags: &[
            &value("within", "minutes", "active within so many minutes (60)"),
            &Flag { help: "sessions of this host only", ..HOST },
            &value("exclude", "session-id", "leave this session out"),
            &value("cwd", "path", "sessions of this directory first").completed_with(Completes::Directory),
            &JSON,
        ],
        ..PLAIN
    },
    Verb {
        name: "whoami",
        run: whoami::run,
        group: Group::Sessions,
        summary: "which session this is, and how relay knows",
        about: "Run inside an agent's shell: names the session that the shell belongs to and the fact that told it.",
        flags: &[&JSON],
        ..PLAIN
    },
    Verb {
        name: "doctor",
        run: doctor::run,
        group: Group::Sessions,
        summary: "whether all is well, and what to mend",
        about: "Looks at the store, its permissions and records, the sessions, waiting mail, the last failure of a hook, \
                and which hosts are here and know relay. Changes nothing. Exit code 1 when something needs mending.",
        flags: &[&JSON],
        ..PLAIN
    },
    Verb {
        name: "gc",
        run: gc::run,
        group: Group::Sessions,
        summary: "clear old read mail and forgotten sessions away",
        about: "Read mail is kept 30 days and at most 16 MiB a mailbox; a session that nobody has seen for 60 days, with \
                nothing unread, is folded away and its name is free. Unread mail is never removed. Buses do this by \
                themselves once a day, a little at a time; this verb does all of it now and says what it did.",
        flags: &[&flag("dry", "only say what would be done"), &JSON],
        ..PLAIN
    },
    Verb {
        name: "install",
        run: install::run,
        group: Group::Sessions,
        summary: "wire relay into your agent hosts",
        about: "Adds relay's server and hooks to the user configuration of these hosts, or of all that are here, but for \
                those that cannot be wired (an error then). Shows what it changes, keeps a copy of each file, and leaves \
                alone what it does not understand. Doing it twice changes nothing.",
        operands: &[operand("host", Need::Optional, Completes::Host)],
        rest: Rest::More,
        flags: &[&flag("dry", "only show what would be changed")],
        ..PLAIN
    },
    Verb {
        name: "uninstall",
        run: install::run,
        group: Group::Also,
        summary: "take relay out of your agent hosts",
        about: "Takes out what relay install added: a file that nothing else has changed comes back byte for byte. The \
                store with its mail stays.",
        operands: &[operand("host", Need::Optional, Completes::Host)],
        rest: Rest::More,
        flags: &[&flag("dry", "only show what would be changed")],
        ..PLAIN
    },
    Verb {
        name: "demo",
        run: demo::run,
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
        flags: &[&value("event", "name", "the event's name, where the event does not say it")],
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
        run: man::run,
        summary: "print the manual page",
        about: "Prints relay(1). For man to find it: relay man > ~/.local/share/man/man1/relay.1 (make the folder first).",
        ..PLAIN
    },
    Verb {
        name: "completions",
        run: completions::run,
        summary: "print completions for bash, zsh or fish",
        about: "Prints a script that teaches your shell relay's verbs, flags and session names. Make its folder first.",
        operands: &[operand("shell", Need::Required, Completes::Shell)],
        examples: &[
            ("relay completions bash > ~/.local/share/bash-completion/completions/relay", "for bash"),
            ("relay completions zsh > ~/.zfunc/_relay", "for zsh, with ~/.zfunc in fpath"),
            ("relay completions fish > ~/.config/fish/completions/relay.fish", "for fish"),
        ],
        ..PLAIN
    },
];
