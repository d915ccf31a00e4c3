//! How relay is wired into a host's user configuration: the forms it takes.
//!
//! Invariant: pure. Each host says here what its files hold; reading and writing
//! them is `ops::wiring` and `ops::install`.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use crate::json::{self, Document, Object, Value, edit};
use crate::sys::Env;

/// How relay is wired into a host's user configuration.
pub enum Wiring {
    Entries(&'static Entries),
    Plugin(&'static Plugin),
}

/// Where a file of a host's is.
pub struct Place {
    pub folder: fn(env: &Env) -> PathBuf,
    /// Its path from there.
    pub name: &'static str,
}

impl Place {
    const NONE: Place = Place { folder: |_| PathBuf::new(), name: "" };

    pub fn path(&self, env: &Env) -> PathBuf {
        (self.folder)(env).join(self.name)
    }
}

/// A plugin of relay's in a file of its own.
pub struct Plugin {
    /// The folder that shows that the host is used here.
    pub folder: fn(env: &Env) -> PathBuf,
    pub file: Place,
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
    /// The file that has the hooks.
    pub hooks: Place,
    pub form: Form,
    /// What else the file must say: a place and its value.
    pub also: Option<(&'static [&'static str], &'static str)>,
    /// The entry that starts `program` (relay's path) at an event: one line of
    /// JSON, or a table of TOML.
    pub hook: fn(event: &str, program: &str) -> String,
    /// The program that a hook of this host starts with relay's words.
    pub program: fn(hook: &str) -> Option<String>,
    /// The files that tell whether the host's own plugin of relay is switched on.
    pub plugin: &'static [Place],
    /// Whether their texts say so; an empty text where there is no file.
    pub has_plugin: fn(texts: &[String]) -> bool,
    /// Whether the text of `hooks` switches all hooks off.
    pub disabled: fn(text: &str) -> bool,
    /// How many of the hooks in the file at `hooks` the user has trusted, by the
    /// text of the server's file; `None`: the host does not ask.
    pub trusted: fn(text: &str, hooks: &Path) -> Option<usize>,
    /// What the user should know or do then.
    pub then: &'static str,
}

impl Entries {
    /// What is so with most hosts. What each must say itself is empty here.
    pub const USUAL: Entries = Entries {
        folder: |_| PathBuf::new(),
        server: Server::USUAL,
        hooks: Place::NONE,
        form: Form::Json("hooks"),
        also: None,
        hook: |_, _| String::new(),
        program: |_| None,
        plugin: &[],
        has_plugin: |_| false,
        disabled: |_| false,
        trusted: |_, _| None,
        then: "sessions that run now get relay when they start anew",
    };
}

/// How a file has hooks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// An object of this name has a list for each event.
    Json(&'static str),
    /// Each hook is a table `[[hooks]]` that names its event.
    Toml,
}

/// The MCP server in a host's configuration.
pub struct Server {
    /// The file that holds it.
    pub file: Place,
    /// The servers in that file's text; `None`: it is not understood.
    pub list: fn(text: &str) -> Option<Vec<Listed>>,
    pub change: Change,
    /// Whether its servers have the variables of the user.
    pub inherits: bool,
    /// The arguments with which the host's program prints the server's command,
    /// without a model: so it has understood its configuration.
    pub check: &'static [&'static str],
    /// What it says then, where it does not show the server's program.
    pub says: Option<&'static str>,
}

impl Server {
    /// As [`Entries::USUAL`]: an entry in `mcpServers` of a JSON file.
    pub const USUAL: Server = Server {
        file: Place::NONE,
        list: servers_in_json,
        change: Change::Edit {
            add: |text, program, store| add_to_json(text, program, store, &[]),
            remove: remove_from_json,
        },
        inherits: true,
        check: &["mcp", "list"],
        says: None,
    };
}

/// How a server comes into the file and out of it, under the name `relay`.
/// `store`: where the store is, when it is not in its usual place.
pub enum Change {
    /// By the host's own program, with these arguments.
    Program { add: fn(program: &str, store: Option<&str>) -> Vec<String>, remove: &'static [&'static str] },
    /// By an edit of the file's text; `None`: it is not understood.
    Edit {
        add: fn(text: &str, program: &str, store: Option<&str>) -> Option<String>,
        remove: fn(text: &str) -> Option<String>,
    },
}

/// A server that a host's configuration lists.
#[derive(Debug, PartialEq, Eq)]
pub struct Listed {
    pub name: String,
    /// Empty where it starts none, or says it in a way that is not understood.
    pub program: String,
    pub words: Vec<String>,
    /// The store it is told to use.
    pub store: Option<String>,
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

/// The servers in the object `mcpServers` of a JSON text.
pub fn servers_in_json(text: &str) -> Option<Vec<Listed>> {
    let string = |value: &str| json::decode(value).map(Cow::into_owned);
    let string_at = |entry: &str, path: &[&str]| edit::value(entry, path).flatten().and_then(string);
    let mut found = Vec::new();
    for (name, entry) in edit::entries(text, &["mcpServers"])? {
        let mut words = Vec::new();
        for word in edit::elements(entry, &["args"]).unwrap_or_default() {
            words.extend(string(word));
        }
        found.push(Listed {
            name,
            program: string_at(entry, &["command"]).unwrap_or_default(),
            words,
            store: string_at(entry, &["env", "AGENT_RELAY_HOME"]),
        });
    }
    Some(found)
}

/// Adds relay's server to the object `mcpServers`; `more`: what this host wants
/// besides, as JSON.
pub fn add_to_json(
    text: &str,
    program: &str,
    store: Option<&str>,
    more: &[(&'static str, &str)],
) -> Option<String> {
    let mut server = Object::new().str("command", program).raw("args", "[\"bus\"]");
    for (key, value) in more {
        server = server.raw(key, value);
    }
    if let Some(store) = store {
        server = server.raw("env", &Object::new().str("AGENT_RELAY_HOME", store).finish());
    }
    edit::set(text, &SERVER, &server.finish())
}

/// Takes it out again.
pub fn remove_from_json(text: &str) -> Option<String> {
    edit::unset(text, &SERVER)
}

const SERVER: [&str; 2] = ["mcpServers", "relay"];

/// Whether the value at `path` of a JSON text is `true`.
pub fn is_true(text: &str, path: &[&str]) -> bool {
    edit::value(text, path).flatten() == Some("true")
}

/// The text of relay's plugin, told where relay is.
pub fn plugin_text(text: &str, program: &str) -> String {
    text.replace("? beside : \"relay\"", &format!("? beside : {}", json::quote(program)))
}

/// A shell's line that starts `program` with these words.
pub fn shell_line(program: &str, words: &str) -> String {
    shell_word(program) + words
}

/// A hook that has a name, and milliseconds to run.
pub fn named_hook(program: &str, words: &str) -> Object {
    let hook = Object::new().str("name", "relay").str("type", "command");
    hook.str("command", &shell_line(program, words)).raw("timeout", "10000")
}

/// A group of hooks that has this one.
pub fn in_group(group: Object, hook: Object) -> String {
    group.raw("hooks", &format!("[{}]", hook.finish())).finish()
}

/// The program at `key` of a hook, where its arguments are relay's for this host.
pub fn program_of_hook(hook: Value, key: &str, host: &str) -> Option<String> {
    let are_relays = hook.get("args")?.items()?.filter_map(Value::str).eq(["hook", host]);
    let program = hook.get(key)?.str()?;
    are_relays.then(|| program.to_owned())
}

/// The program of a hook that is a shell's line ending in `words`.
pub fn program_of_shell_hook(hook: &str, words: &str) -> Option<String> {
    let document = Document::parse(hook.as_bytes()).ok()?;
    program_of_line(document.value().get("command").and_then(Value::str)?, words)
}

/// The program of a shell's line that ends in `words`, its quotation marks taken off.
pub fn program_of_line(line: &str, words: &str) -> Option<String> {
    let program = line.strip_suffix(words)?.trim_end();
    let inside = |mark: char| program.strip_prefix(mark)?.strip_suffix(mark);
    Some(match (inside('\''), inside('"')) {
        (Some(path), _) => path.replace("'\\''", "'"),
        (None, Some(path)) => path.to_owned(),
        (None, None) => program.to_owned(),
    })
}

/// A path as a word of a shell's line.
pub fn shell_word(path: &str) -> String {
    format!("'{}'", path.replace('\'', "'\\''"))
}
