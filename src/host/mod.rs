//! The hosts' languages: what each agent host says to relay and how it wants to
//! be answered. One file a host, one line a host in [`HOSTS`].
//!
//! Invariant: pure. Text comes in, plans and text go out; no file is read and
//! nothing is started here. Only this room knows a host's name.

mod claude;
mod codex;
pub mod event;
mod omp;
mod opencode;

use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::json::{self, Value};
use crate::mail::address::shorten;
use crate::sys::Env;

pub use event::{Event, Moment};

/// Everything relay knows about one host.
pub struct Host {
    /// Its name in commands and in the store.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// The program that people start.
    pub program: &'static str,
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
    /// Whether one process of it runs several sessions at once: then that
    /// process alone does not tell which of them calls.
    pub many_sessions: bool,
    /// The hook events relay listens to.
    pub moments: &'static [(&'static str, Moment)],
    /// The arguments that resume session `id` with a message, headless;
    /// `in_repository` says whether its directory is inside a git repository.
    pub resume: fn(id: &str, message: &str, in_repository: bool) -> Vec<String>,
    /// The arguments that open session `id` in a terminal.
    pub attach: fn(id: &str) -> Vec<String>,
    /// How a child of the host's process rings session `id` with one line of
    /// text, idle or not; `None`: not with what it was started with.
    pub ring: fn(env: &Env, id: &str, line: &str) -> Option<Ring>,
    /// Whether a turn runs, by the last lines of the session's transcript;
    /// `None`: they do not tell.
    pub turn_runs: fn(tail: &str) -> Option<bool>,
    /// Where its transcripts are.
    pub transcripts: fn(env: &Env) -> PathBuf,
    /// Folders between that root and a transcript.
    pub transcript_depth: usize,
    /// The session id in a transcript's file name; `None`: not a transcript.
    pub transcript_id: fn(file_name: &str) -> Option<String>,
    /// The directory that a line of a transcript names.
    pub transcript_directory: fn(line: &str) -> Option<String>,
    /// How to ask it for its sessions, where it keeps no transcripts to read.
    pub listing: Option<Listing>,
    pub wiring: Wiring,
}

/// How relay is wired into a host's user configuration.
pub enum Wiring {
    Entries(&'static Entries),
    Plugin(&'static Plugin),
}

/// A plugin of relay's in a file of its own.
pub struct Plugin {
    /// The folder that shows that the host is used here.
    pub folder: fn(env: &Env) -> PathBuf,
    pub path: fn(env: &Env) -> PathBuf,
    /// What it is to hold, given the path of relay.
    pub text: fn(program: &str) -> String,
    /// How every version of it begins.
    pub begins: &'static str,
    pub then: &'static str,
}

/// A server and hooks, entries in files of the host's.
pub struct Entries {
    /// The folder that shows that the host is used here.
    pub folder: fn(env: &Env) -> PathBuf,
    pub server: Server,
    /// The JSON file in which `hooks` has a list for each event.
    pub hooks: fn(env: &Env) -> PathBuf,
    /// The entry that starts `program` (relay's path) at an event, one line of JSON.
    pub hook: fn(event: &str, program: &str) -> String,
    /// The program that a hook of this host starts with relay's words.
    pub program: fn(hook: &str) -> Option<String>,
    /// Files that name the plugins that are installed.
    pub plugins: fn(env: &Env) -> Vec<PathBuf>,
    /// Whether the text of `hooks` switches all hooks off.
    pub disabled: fn(text: &str) -> bool,
    /// How many of the hooks in the file at `hooks` the user has trusted, by the
    /// text of the server's file; `None`: the host does not ask.
    pub trusted: fn(text: &str, hooks: &std::path::Path) -> Option<usize>,
    /// What the user should know or do then.
    pub then: &'static str,
}

/// The MCP server in a host's configuration, added by the host's own program.
pub struct Server {
    /// The file that it changes.
    pub path: fn(env: &Env) -> PathBuf,
    /// Whether that file's text has the server.
    pub is_there: fn(text: &str) -> bool,
    /// The program's arguments to add it. `store`: where the store is, when it
    /// is not in its usual place.
    pub add: fn(program: &str, store: Option<&str>) -> Vec<String>,
    /// The arguments to remove it.
    pub remove: fn() -> Vec<String>,
}

/// A way to start a turn in a session that sits idle at its prompt.
#[derive(Debug, PartialEq, Eq)]
pub enum Ring {
    /// These lines go to the session's own Unix socket.
    Socket { path: PathBuf, lines: String },
    /// The host's own program does it.
    Program { program: &'static str, arguments: Vec<String> },
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
    /// When it was last active, in milliseconds since 1970.
    pub active_ms: u64,
}

/// The hosts, in the order people see them.
pub const HOSTS: &[Host] = &[claude::HOST, codex::HOST, opencode::HOST, omp::HOST];

/// The program in a shell's line that ends in relay's words, its quotation marks
/// taken off.
fn program_of_line(line: &str, words: &str) -> Option<String> {
    let program = line.strip_suffix(words)?.trim_end();
    let inside = |mark: char| program.strip_prefix(mark)?.strip_suffix(mark);
    Some(match (inside('\''), inside('"')) {
        (Some(path), _) => path.replace("'\\''", "'"),
        (None, Some(path)) => path.to_owned(),
        (None, None) => program.to_owned(),
    })
}

impl Wiring {
    /// The folder that shows that the host is used here.
    pub fn folder(&self, env: &Env) -> PathBuf {
        match self {
            Wiring::Entries(entries) => (entries.folder)(env),
            Wiring::Plugin(plugin) => (plugin.folder)(env),
        }
    }

    /// What the user should know or do once it is wired.
    pub fn then(&self) -> &'static str {
        match self {
            Wiring::Entries(entries) => entries.then,
            Wiring::Plugin(plugin) => plugin.then,
        }
    }
}

/// The host of this name.
pub fn named(name: &str) -> Option<&'static Host> {
    HOSTS.iter().find(|host| host.name == name)
}

/// The host of this name, or an error that lists those there are.
pub fn check(name: &str) -> Result<&'static Host> {
    let unknown =
        || Error::Usage(format!("relay does not know the host '{}'; it knows {}", shorten(name), names()));
    named(name).ok_or_else(unknown)
}

/// The names of all hosts, for help and errors.
pub fn names() -> String {
    HOSTS.iter().map(|host| host.name).collect::<Vec<_>>().join(", ")
}

/// The session that a tool call's `_meta` names, and whose host says so.
pub fn session_in_meta(meta: Value) -> Option<(&'static Host, String)> {
    HOSTS.iter().find_map(|host| {
        let id = host.meta_paths.iter().find_map(|path| meta.path(path).and_then(Value::str))?;
        Some((host, id.to_owned()))
    })
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
    HOSTS.iter().find_map(|host| Some((host, env.get(host.session_variable?)?.to_owned())))
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

/// What a hook prints so that the model reads `text`: the form that Claude Code
/// and Codex share (measured, see docs/hosts.md).
pub fn hook_output(event_name: &str, moment: Moment, text: &str) -> String {
    match moment {
        Moment::TurnEnd => json::Object::new().str("decision", "block").str("reason", text).finish(),
        _ => {
            let inner = json::Object::new().str("hookEventName", event_name).str("additionalContext", text);
            json::Object::new().raw("hookSpecificOutput", &inner.finish()).finish()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_the_last_argument_behind_the_dashes() {
        for host in HOSTS {
            let arguments = (host.resume)("11111111-1111-1111-1111-111111111111", "--evil\nx", false);
            assert_eq!(arguments[arguments.len() - 2..], ["--", "--evil\nx"], "{}", host.name);
        }
    }
}
