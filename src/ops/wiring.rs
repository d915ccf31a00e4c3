//! How relay is wired into a host: what the host's files say.
//!
//! Invariant: nothing is changed; a file that is not understood is named.

use std::path::{Path, PathBuf};

use super::Relay;
use super::entries::{is_bus, programs_at};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::host::wiring::{Entries, Listed, Plugin, Wiring};
use crate::sys::user_file;

/// How relay is wired into a host.
#[derive(Default)]
pub struct State {
    /// What the servers start that start relay's bus.
    pub servers: Vec<String>,
    /// Events without a hook of relay's.
    pub missing: Vec<&'static str>,
    /// The host's own plugin of relay is switched on, or relay is wired by one alone.
    pub by_plugin: bool,
    /// Wired more than once: a plugin and entries, or two entries.
    pub twice: bool,
    /// All hooks are switched off.
    pub disabled: bool,
    /// Hooks that the host does not run before its user trusts them.
    pub untrusted: usize,
    /// Programs of relay's that hooks or servers start.
    pub programs: Vec<String>,
    /// Those that they are to start and that cannot be run.
    pub broken: Vec<String>,
    /// Stores that servers use and that are not the one the hooks use.
    pub elsewhere: Vec<PathBuf>,
}

/// Looks at a host's configuration.
pub fn examine(relay: &Relay, host: &'static Host) -> Result<Box<State>> {
    let wiring = match host.wiring {
        Wiring::Entries(entries) => entries,
        Wiring::Plugin(plugin) => {
            return Ok(plugin_state(host, &read(&plugin.file.path(&relay.env))?, plugin));
        }
    };
    let path = wiring.hooks.path(&relay.env);
    let text = read(&path)?;
    let mut state = Box::new(State { disabled: (wiring.disabled)(&text), ..State::default() });
    for server in servers(relay, host, wiring)? {
        if is_bus(&server) {
            let store = store_of(relay, wiring, &server);
            if store != relay.home() {
                state.elsewhere.push(store);
            }
            state.servers.push(server.program);
        }
    }
    let mut texts = Vec::new();
    for place in wiring.plugin {
        texts.push(read(&place.path(&relay.env))?);
    }
    state.by_plugin = (wiring.has_plugin)(&texts);
    state.twice = state.servers.len() + usize::from(state.by_plugin) > 1;
    let mut found = state.servers.clone();
    for (event, _) in host.moments {
        let ours = programs_at(wiring, &text, event).ok_or_else(|| misunderstood(host, &path))?;
        if ours.is_empty() {
            state.missing.push(event);
        }
        state.twice |= ours.len() > 1 || (!ours.is_empty() && state.by_plugin);
        found.extend(ours);
    }
    found.sort_unstable();
    found.dedup();
    for program in found {
        match relay.env.program(&program) {
            Some(_) => state.programs.push(program),
            None => state.broken.push(program),
        }
    }
    let hooked = host.moments.len() - state.missing.len();
    let trusted = (wiring.trusted)(&read(&wiring.server.file.path(&relay.env))?, &path);
    state.untrusted = trusted.map_or(0, |trusted| hooked.saturating_sub(trusted));
    Ok(state)
}

/// The store that a server of relay's uses.
pub fn store_of(relay: &Relay, wiring: &Entries, server: &Listed) -> PathBuf {
    match &server.store {
        Some(store) => relay.env.absolute(Path::new(store)),
        None if wiring.server.inherits => relay.home().to_owned(),
        None => crate::store::usual_home(&relay.env),
    }
}

/// How a plugin that holds this text is wired.
fn plugin_state(host: &Host, text: &str, plugin: &Plugin) -> Box<State> {
    let by_plugin = text.starts_with(plugin.begins);
    let missing = if by_plugin { Vec::new() } else { host.moments.iter().map(|(event, _)| *event).collect() };
    Box::new(State { by_plugin, missing, ..State::default() })
}

/// All servers that the host's configuration lists.
pub fn servers(relay: &Relay, host: &Host, wiring: &Entries) -> Result<Vec<Listed>> {
    let path = wiring.server.file.path(&relay.env);
    (wiring.server.list)(&read(&path)?).ok_or_else(|| misunderstood(host, &path))
}

/// The file's content, if there is one.
pub fn bytes(path: &Path) -> Result<Option<Vec<u8>>> {
    user_file::read(path).map_err(|e| Error::io("read", path, e))
}

/// The file's text; an empty one where there is no file.
pub fn read(path: &Path) -> Result<String> {
    String::from_utf8(bytes(path)?.unwrap_or_default()).map_err(|_| {
        Error::failed(format!(
            "{} is not UTF-8 text; it was left alone, see docs/hosts.md for the lines to add",
            path.display()
        ))
    })
}

/// The error for a file that is not what the host is known to read.
pub fn misunderstood(host: &Host, path: &Path) -> Error {
    Error::failed(format!(
        "{} is not what {} is known to read; it was left alone: mend it, or add the lines of docs/hosts.md by hand",
        path.display(),
        host.title
    ))
}
