//! Wires relay into a host's user configuration, and takes it out again.
//!
//! Invariant: a file that is not understood is left alone and named; every file
//! is replaced whole, after a copy of it was kept; a file that nothing else has
//! changed comes back byte for byte; doing it twice changes nothing.

use std::path::{Path, PathBuf};

use super::Relay;
use super::doctor::{find_program, is_program};
use super::entries::{has_ours, programs, without_ours};
use crate::error::{Error, Result};
use crate::host::{Entries, Host, Plugin, Server, Wiring};
use crate::json::edit;
use crate::limits::CONFIGURATION_BYTES;
use crate::store::installed::{Before, Installed};
use crate::sys::{file, process};
use crate::wake::{self, Plan};

/// What is to be done to one file of a host.
pub struct Change {
    pub path: PathBuf,
    /// In words.
    pub what: String,
    /// The lines that come or go, each with its sign.
    pub lines: Vec<String>,
    doing: Doing,
}

enum Doing {
    /// The file gets this content.
    Content(String),
    /// The file goes.
    Removal,
    /// The host's own program changes it.
    Program(Vec<String>),
}

/// What is to be done for one host.
pub struct Work {
    pub host: &'static Host,
    pub changes: Vec<Change>,
}

/// The hosts that are here: their program is on the PATH, or their folder.
pub fn hosts_here(relay: &Relay) -> Vec<&'static Host> {
    let here = |host: &&'static Host| {
        find_program(relay, host.program).is_some() || host.wiring.folder(&relay.env).is_dir()
    };
    crate::host::HOSTS.iter().filter(here).collect()
}

/// How relay is wired into a host.
pub struct State {
    pub server: bool,
    /// Events without a hook of relay's.
    pub missing: Vec<&'static str>,
    pub by_plugin: bool,
    /// More than one hook of relay's for an event.
    pub twice: bool,
    /// All hooks are switched off.
    pub disabled: bool,
    /// Hooks that the host does not run before its user trusts them.
    pub untrusted: usize,
    /// Programs that hooks start and that cannot be run.
    pub broken: Vec<String>,
}

/// Looks at a host's configuration and changes nothing.
pub fn examine(relay: &Relay, host: &'static Host) -> Result<State> {
    let wiring = match host.wiring {
        Wiring::Entries(entries) => entries,
        Wiring::Plugin(plugin) => return Ok(plugin_state(host, &read(&(plugin.path)(&relay.env))?, plugin)),
    };
    let path = (wiring.hooks)(&relay.env);
    let text = read(&path)?;
    let mut state = State {
        server: server_is_there(relay, wiring)?,
        missing: Vec::new(),
        by_plugin: (wiring.plugins)(&relay.env)
            .iter()
            .any(|path| read(path).is_ok_and(|text| text.contains("relay@"))),
        twice: false,
        disabled: (wiring.disabled)(&text),
        untrusted: 0,
        broken: Vec::new(),
    };
    for (event, _) in host.moments {
        let items = edit::elements(&text, &["hooks", event]).ok_or_else(|| misunderstood(host, &path))?;
        let ours: Vec<String> = items.iter().flat_map(|group| programs(wiring, group)).collect();
        match ours.len() {
            0 => state.missing.push(event),
            1 if !state.by_plugin => {}
            _ => state.twice = true,
        }
        for program in ours {
            let runs = match program.contains('/') {
                true => is_program(Path::new(&program)),
                false => find_program(relay, &program).is_some(),
            };
            if !runs && !state.broken.contains(&program) {
                state.broken.push(program);
            }
        }
    }
    let hooked = host.moments.len() - state.missing.len();
    let trusted = (wiring.trusted)(&read(&(wiring.server.path)(&relay.env))?, &path);
    state.untrusted = trusted.map_or(0, |trusted| hooked.saturating_sub(trusted));
    Ok(state)
}

/// What installing would change; nothing where it is wired already.
pub fn plan_install(relay: &Relay, host: &'static Host) -> Result<Work> {
    let program = own_path(relay)?;
    let wiring = match host.wiring {
        Wiring::Entries(entries) => entries,
        Wiring::Plugin(plugin) => return plan_plugin(relay, host, plugin, Some(&(plugin.text)(&program))),
    };
    let mut changes = Vec::new();
    if !server_is_there(relay, wiring)? {
        changes.push(add_server(relay, host, wiring, &program)?);
    }
    let path = (wiring.hooks)(&relay.env);
    let before = read(&path)?;
    let mut after = before.clone();
    let mut events = Vec::new();
    for (event, _) in host.moments {
        let place = ["hooks", event];
        let there = edit::elements(&after, &place).ok_or_else(|| misunderstood(host, &path))?;
        if !there.iter().any(|group| has_ours(wiring, group)) {
            let item = (wiring.hook)(event, &program);
            after = edit::append(&after, &place, &item).ok_or_else(|| misunderstood(host, &path))?;
            events.push(*event);
        }
    }
    if after != before {
        let what = format!("hooks for {}", events.join(", "));
        changes.push(Change {
            lines: difference(&before, &after, '+'),
            path,
            what,
            doing: Doing::Content(after),
        });
    }
    Ok(Work { host, changes })
}

/// What uninstalling would change.
pub fn plan_uninstall(relay: &Relay, host: &'static Host) -> Result<Work> {
    let wiring = match host.wiring {
        Wiring::Entries(entries) => entries,
        Wiring::Plugin(plugin) => return plan_plugin(relay, host, plugin, None),
    };
    let mut changes = Vec::new();
    let added = match relay.existing_store()? {
        Some(store) => store.installed(host.name)?.before(&(wiring.server.path)(&relay.env)).is_some(),
        None => false,
    };
    // One that the user wrote by hand stays.
    if added && server_is_ours(relay, wiring)? {
        let Server { path, remove, .. } = &wiring.server;
        let words = remove();
        let lines = vec![format!("- {} {}", host.program, words.join(" "))];
        let what = "the server relay".to_owned();
        changes.push(Change { path: path(&relay.env), what, lines, doing: Doing::Program(words) });
    }
    let path = (wiring.hooks)(&relay.env);
    let before = read(&path)?;
    let mut after = before.clone();
    for (event, _) in host.moments {
        after = without_ours(wiring, after, event).ok_or_else(|| misunderstood(host, &path))?;
    }
    if after != before {
        let lines = difference(&before, &after, '-');
        changes.push(Change { lines, path, what: "relay's hooks".to_owned(), doing: Doing::Content(after) });
    }
    Ok(Work { host, changes })
}

impl Work {
    /// Installs. Returns where the copies of the former files are.
    pub fn install(&self, relay: &Relay) -> Result<Vec<PathBuf>> {
        let store = relay.store()?;
        let mut installed = store.installed(self.host.name)?;
        let mut copies = Vec::new();
        for change in &self.changes {
            let before = installed.before(&change.path);
            // What the user has changed since must not be undone by the copy from before.
            let stale = before.is_some_and(|before| before.after != digest(&change.path).unwrap_or(0));
            if before.is_none() {
                let copy = file::keep_copy(&change.path).map_err(|e| Error::io("copy", &change.path, e))?;
                copies.extend(copy.clone());
                installed.files.push(Before { path: change.path.clone(), copy, after: 0 });
                store.write_installed(self.host.name, &installed)?;
            }
            self.carry_out(relay, change)?;
            if !stale {
                installed.note_after(&change.path, digest(&change.path)?);
            }
            store.write_installed(self.host.name, &installed)?;
        }
        Ok(copies)
    }

    /// Uninstalls.
    pub fn uninstall(&self, relay: &Relay) -> Result<()> {
        let store = relay.store()?;
        let installed = store.installed(self.host.name)?;
        for change in &self.changes {
            match installed.before(&change.path) {
                Some(before) if before.after == digest(&change.path)? => restore(before)?,
                _ => self.carry_out(relay, change)?,
            }
        }
        for before in &installed.files {
            if let Some(copy) = &before.copy {
                file::remove(copy).map_err(|e| Error::io("remove", copy, e))?;
            }
        }
        store.write_installed(self.host.name, &Installed::default())
    }

    fn carry_out(&self, relay: &Relay, change: &Change) -> Result<()> {
        match &change.doing {
            Doing::Content(content) => file::replace_of_user(&change.path, content.as_bytes())
                .map_err(|e| Error::io("write", &change.path, e)),
            Doing::Removal => file::remove(&change.path).map_err(|e| Error::io("remove", &change.path, e)),
            Doing::Program(words) => {
                let plan = Plan {
                    program: self.host.program.to_owned(),
                    arguments: words.clone(),
                    directory: relay.env.directory().to_owned(),
                    without: Vec::new(),
                };
                wake::converse(&plan, &[], "").map(|_| ())
            }
        }
    }
}

/// Writes (`Some`) or removes (`None`) a plugin of relay's.
fn plan_plugin(relay: &Relay, host: &'static Host, plugin: &Plugin, text: Option<&str>) -> Result<Work> {
    let path = (plugin.path)(&relay.env);
    let before = read(&path)?;
    if !before.is_empty() && !before.starts_with(plugin.begins) {
        return Err(Error::Failed(format!(
            "{} is not relay's plugin; it was left alone: move it away and try again",
            path.display()
        )));
    }
    // A link leads to a plugin that somebody keeps up to date.
    let done = match text {
        Some(text) => before == text || (path.is_symlink() && !before.is_empty()),
        None => before.is_empty(),
    };
    let (sign, what) = if text.is_some() { ('+', "relay's plugin") } else { ('-', "relay's plugin") };
    let lines = vec![format!("{sign} {}", path.display())];
    let doing = text.map_or(Doing::Removal, |text| Doing::Content(text.to_owned()));
    let change = Change { path, what: what.to_owned(), lines, doing };
    Ok(Work { host, changes: if done { Vec::new() } else { vec![change] } })
}

/// How a plugin that holds this text is wired.
fn plugin_state(host: &Host, text: &str, plugin: &Plugin) -> State {
    let there = text.starts_with(plugin.begins);
    let missing = host.moments.iter().map(|(event, _)| *event).filter(|_| !there).collect();
    State {
        server: there,
        missing,
        by_plugin: false,
        twice: false,
        disabled: false,
        untrusted: 0,
        broken: Vec::new(),
    }
}

/// Whether the host's configuration has the server that `install` adds.
fn server_is_ours(relay: &Relay, wiring: &Entries) -> Result<bool> {
    Ok((wiring.server.is_there)(&read(&(wiring.server.path)(&relay.env))?))
}

/// Whether it has a server of relay's, under whatever name.
fn server_is_there(relay: &Relay, wiring: &Entries) -> Result<bool> {
    let text = read(&(wiring.server.path)(&relay.env))?;
    Ok((wiring.server.is_there)(&text) || squeezed(&text).contains("relayargsbus"))
}

/// Letters and digits only: a command line, however a file spells it.
fn squeezed(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

fn add_server(relay: &Relay, host: &Host, wiring: &Entries, program: &str) -> Result<Change> {
    if find_program(relay, host.program).is_none() {
        return Err(Error::NotFound {
            what: "program",
            name: host.program.to_owned(),
            hint: format!(" on the PATH; {} adds servers with it, so install it first", host.title),
        });
    }
    // A host that gives its servers none of the user's variables must be told.
    let store = relay.env.path("AGENT_RELAY_HOME").map(|path| path.to_string_lossy().into_owned());
    let words = (wiring.server.add)(program, store.as_deref());
    let lines = vec![format!("+ {} {}", host.program, words.join(" "))];
    let what = "the server relay".to_owned();
    Ok(Change { path: (wiring.server.path)(&relay.env), what, lines, doing: Doing::Program(words) })
}

/// How hosts are to start relay: as the PATH has it where that is this program,
/// because that outlives an update; else this very file.
fn own_path(relay: &Relay) -> Result<String> {
    let own = process::executable()?;
    let own = own.canonicalize().unwrap_or(own);
    let named = find_program(relay, "relay").filter(|path| {
        // `bin/relay` starts the binary that lies beside it.
        path.canonicalize().is_ok_and(|path| path == own || path.parent() == own.parent())
    });
    let path = named.unwrap_or(own);
    path.to_str()
        .map(str::to_owned)
        .ok_or_else(|| Error::Failed(format!("relay's own path is not UTF-8: {}; move it", path.display())))
}

/// The file's text; an empty one where there is no file.
fn read(path: &Path) -> Result<String> {
    let content = file::read(path, CONFIGURATION_BYTES).map_err(|e| Error::io("read", path, e))?;
    String::from_utf8(content.unwrap_or_default()).map_err(|_| {
        Error::Failed(format!(
            "{} is not UTF-8 text; it was left alone, see docs/hosts.md for the lines to add",
            path.display()
        ))
    })
}

fn misunderstood(host: &Host, path: &Path) -> Error {
    Error::Failed(format!(
        "{} is not the JSON that {} reads hooks from; it was left alone: mend it, or add the lines of docs/hosts.md by hand",
        path.display(),
        host.title
    ))
}

/// Puts a file back as it was.
fn restore(before: &Before) -> Result<()> {
    let path = &before.path;
    match &before.copy {
        None => file::remove(path).map_err(|e| Error::io("remove", path, e)),
        Some(copy) => {
            let content = file::read(copy, CONFIGURATION_BYTES).map_err(|e| Error::io("read", copy, e))?;
            let content =
                content.ok_or_else(|| Error::io("read", copy, std::io::ErrorKind::NotFound.into()))?;
            file::replace_of_user(path, &content).map_err(|e| Error::io("write", path, e))
        }
    }
}

/// Tells a file's content from any other.
fn digest(path: &Path) -> Result<u64> {
    let content = file::read(path, CONFIGURATION_BYTES).map_err(|e| Error::io("read", path, e))?;
    Ok(content.map_or(0, |content| crate::host::event::fnv1a(&content)))
}

/// The lines that only one of two texts has, the first and last common lines
/// left out.
fn difference(before: &str, after: &str, sign: char) -> Vec<String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[same..], &new[same..]);
    let same = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let longer = if sign == '+' { &new[..new.len() - same] } else { &old[..old.len() - same] };
    longer.iter().map(|line| format!("{sign} {line}")).collect()
}
