//! The hosts' languages: what each agent host says to relay and how it wants to
//! be answered. One file a host, one line a host in [`HOSTS`].
//!
//! Invariant: pure. Text comes in, plans and text go out; no file is read and
//! nothing is started here. Only this room knows a host's name.

mod antigravity;
mod claude;
mod codex;
mod copilot;
mod cursor;
pub mod event;
mod gemini;
mod kimi;
mod omp;
mod opencode;
mod plugins;
mod qwen;
mod usual;
pub mod wiring;

use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::json::Value;
use crate::mail::address::shorten;
use crate::sys::Env;

pub use event::{Event, Moment};
pub use usual::words;
pub use wiring::Wiring;

/// How many sessions one process of a host runs at once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sessions {
    One,
    /// Several: that process alone does not tell which of them calls.
    Many,
    /// Several, but where the process says that a session starts: there one after
    /// the other, and nothing says that another has been chosen.
    OneOnceStarted,
}

/// Everything relay knows about one host.
pub struct Host {
    /// Its name in commands and in the store.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// The program that people start.
    pub program: &'static str,
    /// The oldest version that relay was tried with.
    pub oldest: &'static str,
    /// The variable that gives a child of a session that session's id.
    pub session_variable: Option<&'static str>,
    /// The variable that every child of this host has.
    pub mark_variable: &'static str,
    /// The variables that say "you are inside a session": a session that relay
    /// starts must not inherit them.
    pub inherited_variables: &'static [&'static str],
    /// Where a tool call's `_meta` holds the session's id, best first.
    pub meta_paths: &'static [&'static [&'static str]],
    /// The argument in which the host's plugin names the session of a tool call,
    /// over whatever the model wrote there.
    pub call_argument: Option<&'static str>,
    /// Where a tool call's `_meta` tells that a subagent makes it, and with what word.
    pub subagent_mark: Option<&'static (&'static [&'static str], &'static str)>,
    /// How much of a tool's answer it surely hands to the model whole, in bytes.
    pub answer_bytes: usize,
    pub sessions: Sessions,
    /// What a hook prints so that the model reads a text.
    pub output: fn(event_name: &str, moment: Moment, text: &str) -> String,
    /// When what a hook prints does not reach the model, or does not stay in the
    /// conversation.
    pub deaf_at: &'static [Moment],
    /// What a hook prints when it has nothing to say; mostly nothing.
    pub silence: fn(moment: Moment) -> &'static str,
    /// The tool that gives a subagent a task, where the events of subagents look
    /// like the session's own.
    pub subagent_tool: Option<&'static str>,
    /// The member of a turn's end that holds what the model said, and what it holds
    /// besides nothing when the model said nothing.
    pub no_answer: Option<&'static (&'static str, &'static str)>,
    /// What the transcript holds of a turn that has begun, by the id that its prompt's
    /// event gives: for a host that announces a prompt when it only waits behind a
    /// turn that runs, where its user can take it back.
    pub queued_mark: Option<fn(turn: &str) -> String>,
    /// The hook events relay listens to.
    pub moments: &'static [(&'static str, Moment)],
    /// The arguments that resume session `id` with a message, headless;
    /// `in_repository` says whether its directory is inside a git repository.
    pub resume: fn(id: &str, message: &str, in_repository: bool) -> Vec<String>,
    /// The arguments that open session `id` in a terminal.
    pub attach: fn(id: &str) -> Vec<String>,
    /// How a child of the host's process rings session `id` with one line of
    /// text, idle or not; it gives `None` where what the child was started with
    /// does not allow it.
    pub ring: Option<Ringing>,
    /// Whether a turn runs, by the last lines of the session's transcript, which has
    /// not changed for so many milliseconds; `None`: they do not tell.
    pub turn_runs: fn(tail: &str, unchanged_ms: u64) -> Option<bool>,
    /// Where its transcripts are.
    pub transcripts: fn(env: &Env) -> PathBuf,
    /// Folders between that root and a transcript.
    pub transcript_depth: usize,
    /// The session id in a transcript's file name; `None`: not a transcript.
    pub transcript_id: fn(file_name: &str) -> Option<String>,
    /// The session id in a transcript's first line, where the name has only a
    /// part of it; the function gives `None` where it is no session of its own.
    pub id_in_transcript: Option<fn(line: &str) -> Option<String>>,
    /// The directory that a line of a transcript names.
    pub transcript_directory: fn(line: &str) -> Option<String>,
    /// A file that holds the directory instead, by its path from the
    /// transcript's folder.
    pub directory_file: Option<&'static str>,
    /// The title that a line of a transcript gives the session; a later line's
    /// holds.
    pub transcript_title: fn(line: &str) -> Option<String>,
    /// How to ask it for its sessions, where it keeps no transcripts to read.
    pub listing: Option<&'static Listing>,
    /// Its own records of the sessions that run now, where it keeps any.
    pub running: Option<&'static Records>,
    pub wiring: Wiring,
}

/// See [`Host::ring`].
pub type Ringing = fn(env: &Env, id: &str, line: &str) -> Option<Ring>;

/// A way to start a turn in a session that sits idle at its prompt.
#[derive(Debug, PartialEq, Eq)]
pub enum Ring {
    /// These lines go to the session's own Unix socket.
    Socket { path: PathBuf, lines: String },
    /// The host's own program does it.
    Program { program: &'static str, arguments: Vec<String> },
}

impl Host {
    /// Whether a process of it may run several sessions at once.
    pub fn runs_many(&self) -> bool {
        self.sessions != Sessions::One
    }
}

/// A host's own command that prints its sessions.
pub struct Listing {
    /// Files of which one changes with every step of any session.
    pub files: fn(env: &Env) -> Vec<PathBuf>,
    /// What to give to the host's program.
    pub arguments: &'static [&'static str],
    /// The sessions in what it prints, the newest first.
    pub rows: fn(output: &str) -> Vec<Listed>,
}

/// A session as its host lists it.
pub struct Listed {
    pub id: String,
    pub directory: Option<String>,
    pub title: Option<String>,
    /// When it was last active, in milliseconds since 1970.
    pub active_ms: u64,
}

/// A host's records of what runs now, a file for each of its processes.
pub struct Records {
    /// Where they are.
    pub folder: fn(env: &Env) -> PathBuf,
    /// What the name of each ends with.
    pub ending: &'static str,
    /// What such a file tells; `None`: nothing that relay understands.
    pub read: fn(content: &str) -> Option<RunningSession>,
}

/// A session and the process that runs it, as the host has noted them.
pub struct RunningSession {
    pub id: String,
    pub pid: u32,
    /// When the process started, in the system's own words.
    pub start: String,
}

/// The hosts, in the order people see them.
pub const HOSTS: &[Host] = &[
    claude::HOST,
    codex::HOST,
    gemini::HOST,
    opencode::HOST,
    omp::HOST,
    copilot::HOST,
    qwen::HOST,
    kimi::HOST,
    cursor::HOST,
    antigravity::HOST,
];

/// The host of this name.
pub fn named(name: &str) -> Option<&'static Host> {
    HOSTS.iter().find(|host| host.name == name)
}

/// The host of this name, or an error that lists those there are.
pub fn check(name: &str) -> Result<&'static Host> {
    let unknown =
        || Error::usage(format!("relay does not know the host '{}'; it knows {}", shorten(name), names()));
    named(name).ok_or_else(unknown)
}

/// The names of all hosts, for help and errors.
pub fn names() -> String {
    HOSTS.iter().map(|host| host.name).collect::<Vec<_>>().join(", ")
}

/// The variables of all hosts that a session relay starts must not inherit.
pub fn inherited_variables() -> Vec<&'static str> {
    let mut all = Vec::new();
    HOSTS.iter().for_each(|host| all.extend_from_slice(host.inherited_variables));
    all
}

/// The session that a tool call's `_meta` names, and whose host says so.
pub fn session_in_meta(meta: Value) -> Option<(&'static Host, String)> {
    HOSTS.iter().find_map(|host| {
        let id = host.meta_paths.iter().find_map(|path| meta.path(path).and_then(Value::str))?;
        Some((host, id.to_owned()))
    })
}

/// Whether a tool call's `_meta` says that a subagent makes it.
pub fn subagent_in_meta(meta: Value) -> bool {
    let mut marks = HOSTS.iter().filter_map(|host| host.subagent_mark);
    marks.any(|(path, word)| meta.path(path).and_then(Value::str) == Some(word))
}

/// The session that a tool call's arguments name for a host that speaks so, if
/// this process is a child of such a host.
pub fn session_in_arguments(env: &Env, arguments: Value) -> Option<(&'static Host, String)> {
    HOSTS.iter().find_map(|host| {
        let id = arguments.get(argument_of(host, env)?).and_then(Value::str)?;
        Some((host, id.to_owned()))
    })
}

/// Whether a host speaks to relay in this argument of its model's tool calls.
pub fn is_call_argument(env: &Env, name: &str) -> bool {
    HOSTS.iter().any(|host| argument_of(host, env) == Some(name))
}

fn argument_of(host: &Host, env: &Env) -> Option<&'static str> {
    host.call_argument.filter(|_| env.get(host.mark_variable).is_some())
}

/// The session that the environment names, and whose host says so.
pub fn session_in_environment(env: &Env) -> Option<(&'static Host, String)> {
    HOSTS.iter().find_map(|host| Some((host, env.get(host.session_variable?)?)))
}

/// The host whose child this process is, by its environment.
pub fn in_environment(env: &Env) -> Option<&'static Host> {
    HOSTS.iter().find(|host| env.get(host.mark_variable).is_some())
}

/// The directory of the project a child of a host works in.
pub fn project_directory(env: &Env) -> PathBuf {
    env.path("RELAY_PROJECT_DIR")
        .or_else(|| env.path("CLAUDE_PROJECT_DIR"))
        .unwrap_or_else(|| env.directory().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    /// One row a host: its title and the version the lab pins, or that nobody proved
    /// it, then what the host can do by the table of hosts.
    #[test]
    fn the_readme_s_table_says_what_this_table_says() {
        let read = |path: &str| std::fs::read_to_string(path).unwrap();
        let (readme, pins) = (read("README.md"), read("scripts/lab/hosts.json"));
        let pins = json::Document::parse(pins.as_bytes()).unwrap();
        let mut rows = 0;
        for host in HOSTS {
            let pin = pins.value().path(&[host.name, "version"]).and_then(Value::str);
            let proof = pin.map_or("not proved here".to_owned(), str::to_owned);
            let listens = |moment| {
                host.moments.iter().any(|(_, known)| *known == moment) && !host.deaf_at.contains(&moment)
            };
            // What waits at the start is there with the first prompt, or the first step; a
            // host without a prompt's event has one before each request to its model.
            let cells = [
                listens(Moment::Start) || listens(Moment::Prompt) || listens(Moment::ToolUse),
                listens(Moment::Prompt) || !host.moments.iter().any(|(_, moment)| *moment == Moment::Prompt),
                listens(Moment::ToolUse),
                listens(Moment::TurnEnd),
                host.ring.is_some(),
                true,
            ];
            let cells = cells.map(|can| if can { "yes" } else { "no" }).join(" | ");
            let row = format!("| {} | {proof} | {cells} |", host.title);
            assert!(readme.lines().any(|line| line == row), "the README lacks: {row}");
            rows += 1;
        }
        let table = readme.lines().skip_while(|line| !line.starts_with("| host |")).skip(2);
        assert_eq!(table.take_while(|line| line.starts_with('|')).count(), rows, "hosts that are no more");
    }

    #[test]
    fn every_host_says_what_is_its_own() {
        for host in HOSTS {
            let own = [host.name, host.title, host.program, host.oldest, host.mark_variable];
            assert!(own.iter().all(|text| !text.is_empty()), "{}", host.name);
            assert!(!(host.attach)("id").is_empty(), "{}", host.name);
            if let Wiring::Entries(entries) = host.wiring {
                assert!(!(entries.hook)("Stop", "/relay").is_empty(), "{}", host.name);
            }
        }
    }

    #[test]
    fn a_message_is_no_option() {
        for host in HOSTS {
            let arguments = (host.resume)("11111111-1111-1111-1111-111111111111", "--evil\nx", false);
            // Behind the dashes, or the value of an option in the same argument.
            let safe = arguments.ends_with(&["--".to_owned(), "--evil\nx".to_owned()])
                || arguments
                    .last()
                    .is_some_and(|last| ["--prompt=--evil\nx", "-p=--evil\nx"].contains(&&last[..]));
            assert!(safe, "{}: {arguments:?}", host.name);
            assert_eq!(arguments.iter().filter(|word| word.contains("evil")).count(), 1, "{arguments:?}");
        }
    }
}
