//! What is to be changed in a host's user configuration so that relay is wired
//! into it, or no longer is; [`super::apply`] carries it out.
//!
//! Invariant: nothing is changed here; a file that is not understood is left
//! alone and named; where all is as it should be, there is nothing to do.

use std::path::{Path, PathBuf};

use super::Relay;
use super::entries::{is_bus, programs_at, with, without};
use super::own::{own_path, starts_own};
use super::wiring::{misunderstood, read, servers, store_of};
use crate::error::{Error, Result};
use crate::host::wiring::{self, Entries, Form, Plugin, Wiring};
use crate::host::{self, HOSTS, Host};
use crate::json::edit;
use crate::store::installed::Installed;
use crate::sys::user_file;

/// What is to be done to one file of a host.
pub struct Change {
    pub path: PathBuf,
    /// In words.
    pub what: String,
    /// The lines that come or go, each with its sign.
    pub lines: Vec<String>,
    pub doing: Doing,
}

pub enum Doing {
    /// The file gets this content.
    Content(String),
    /// The file goes.
    Removal,
    /// The host's own program changes it, run with each of these.
    Program(Vec<Vec<String>>),
}

/// What is to be done for one host.
pub struct Work {
    pub host: &'static Host,
    pub changes: Vec<Change>,
    /// Whether the server comes by this.
    pub server: bool,
    /// What stays though it may be relay's, in words.
    pub left: Option<String>,
}

/// The hosts that are here: their program is on the PATH, or their folder.
pub fn hosts_here(relay: &Relay) -> Vec<&'static Host> {
    let mut here = Vec::new();
    for host in HOSTS {
        if relay.env.program(host.program).is_some() || host.wiring.folder(&relay.env).is_dir() {
            here.push(host);
        }
    }
    here
}

/// What installing would change; nothing where it is wired already. Entries of
/// relay's that start another program, or none, are replaced.
pub fn plan_install(relay: &Relay, host: &'static Host) -> Result<Work> {
    let program = own_path(relay)?;
    let wiring = match host.wiring {
        Wiring::Entries(entries) => entries,
        Wiring::Plugin(plugin) => return plan_plugin(relay, host, plugin, Some(&(plugin.text)(&program))),
    };
    let mut drafts = Drafts::default();
    plan_server(relay, host, wiring, &program, &mut drafts)?;
    let server = !drafts.by_program.is_empty() || !drafts.edited.is_empty();
    let path = wiring.hooks.path(&relay.env);
    let draft = drafts.of(&path)?;
    let mut events = Vec::new();
    let after = with_hooks(relay, host, wiring, &program, &draft.after, &mut events);
    let what = if events.is_empty() { String::new() } else { format!("hooks for {}", events.join(", ")) };
    draft.edit(host, after, &what)?;
    Ok(Work { host, changes: drafts.changes()?, server, left: None })
}

/// A text of the host's with one hook for each event that starts this relay, and no
/// other of relay's. `events` gets those for which it had not.
fn with_hooks(
    relay: &Relay,
    host: &Host,
    wiring: &Entries,
    program: &str,
    text: &str,
    events: &mut Vec<&'static str>,
) -> Option<String> {
    let mut text = text.to_owned();
    for (event, _) in host.moments {
        let there = programs_at(wiring, &text, event)?;
        let good = there.iter().filter(|found| starts_own(relay, found)).count();
        if good == 1 && there.len() == 1 {
            continue;
        }
        text = without(wiring, &text, event, &|found| good != 1 || !starts_own(relay, found))?;
        if good != 1 {
            text = with(wiring, &text, event, program)?;
        }
        events.push(event);
    }
    match wiring.also {
        Some((place, value)) if edit::value(&text, place)?.is_none() => edit::set(&text, place, value),
        _ => Some(text),
    }
}

/// A text of the host's without relay's hooks, and what stands beside them for
/// their sake alone.
fn without_hooks(host: &Host, wiring: &Entries, text: &str) -> Option<String> {
    let mut left = text.to_owned();
    for (event, _) in host.moments {
        left = without(wiring, &left, event, &|_| true)?;
    }
    match wiring.also {
        Some((place, _)) if left != text && Form::Json(place[0]) == wiring.form => edit::unset(&left, place),
        _ => Some(left),
    }
}

/// What uninstalling would change.
pub fn plan_uninstall(relay: &Relay, host: &'static Host) -> Result<Work> {
    let wiring = match host.wiring {
        Wiring::Entries(entries) => entries,
        Wiring::Plugin(plugin) => return plan_plugin(relay, host, plugin, None),
    };
    let installed = match relay.existing_store()? {
        Some(store) => store.installed(host.name)?,
        None => Installed::default(),
    };
    let mut drafts = Drafts::default();
    let path = wiring.server.file.path(&relay.env);
    let mut left = None;
    let there = servers(relay, host, wiring)?;
    let there = there.iter().find(|server| server.name == "relay" && is_bus(server));
    // One that the user wrote by hand stays. Where no note tells, the program does.
    let unknown = installed.files.is_empty();
    if let Some(server) = there.filter(|server| unknown && !starts_own(relay, &server.program)) {
        left = Some(stays(host, wiring, &path, server));
    } else if there.is_some() && (installed.server || unknown) {
        match wiring.server.change {
            wiring::Change::Program { remove, .. } => {
                drafts.by_program.push(by_host(host, path, '-', vec![host::words(remove)]));
            }
            wiring::Change::Edit { remove, .. } => {
                let draft = drafts.of(&path)?;
                draft.edit(host, remove(&draft.after), SERVER)?;
            }
        }
    }
    let path = wiring.hooks.path(&relay.env);
    let draft = drafts.of(&path)?;
    draft.edit(host, without_hooks(host, wiring, &draft.after), "relay's hooks")?;
    Ok(Work { host, changes: drafts.changes()?, server: false, left })
}

/// Plans the server: what the host's program does, or an edit; neither where it is
/// there.
fn plan_server(
    relay: &Relay,
    host: &'static Host,
    wiring: &Entries,
    program: &str,
    drafts: &mut Drafts,
) -> Result<()> {
    let path = wiring.server.file.path(&relay.env);
    let there = servers(relay, host, wiring)?;
    let good = |server: &&wiring::Listed| {
        is_bus(server)
            && starts_own(relay, &server.program)
            && store_of(relay, wiring, server) == relay.home()
    };
    if there.iter().any(|server| good(&server)) {
        return Ok(());
    }
    let former = there.iter().find(|server| server.name == "relay");
    if let Some(other) = former.filter(|server| !is_bus(server)) {
        let starts = match other.program.as_str() {
            "" => String::new(),
            program => format!(", which starts {program}"),
        };
        return Err(Error::failed(format!(
            "{} has another server named relay{starts}; it was left alone: rename it and try again",
            path.display(),
        )));
    }
    // A host that gives its servers none of the user's variables must be told.
    let elsewhere = relay.home() != crate::store::usual_home(&relay.env);
    let store = elsewhere.then(|| relay.home().to_string_lossy().into_owned());
    match wiring.server.change {
        wiring::Change::Program { add, remove } => {
            if relay.env.program(host.program).is_none() {
                return Err(Error::not_found(
                    "program",
                    host.program,
                    &format!(" on the PATH; {} adds servers with it, so install it first", host.title),
                ));
            }
            let mut runs = Vec::new();
            if former.is_some() {
                runs.push(host::words(remove));
            }
            runs.push(add(program, store.as_deref()));
            drafts.by_program.push(by_host(host, path, '+', runs));
            Ok(())
        }
        wiring::Change::Edit { add, remove } => {
            let draft = drafts.of(&path)?;
            let cleared = if former.is_some() { remove(&draft.after) } else { Some(draft.after.clone()) };
            draft.edit(host, cleared.and_then(|text| add(&text, program, store.as_deref())), SERVER)
        }
    }
}

/// What a change is about, in words.
const SERVER: &str = "the server relay";

fn by_host(host: &Host, path: PathBuf, sign: char, runs: Vec<Vec<String>>) -> Change {
    let mut lines = Vec::new();
    for words in &runs {
        lines.push(format!("{sign} {} {}", host.program, words.join(" ")));
    }
    Change { path, what: SERVER.to_owned(), lines, doing: Doing::Program(runs) }
}

/// Says of a server that may be the user's how it is taken out.
fn stays(host: &Host, wiring: &Entries, path: &Path, server: &wiring::Listed) -> String {
    let way = match wiring.server.change {
        wiring::Change::Program { remove, .. } => format!("with: {} {}", host.program, remove.join(" ")),
        wiring::Change::Edit { .. } => "by hand".to_owned(),
    };
    format!(
        "the server relay in {} starts {}, which is not this relay: it stays; if you do not want it, remove it {way}",
        path.display(),
        server.program
    )
}

/// An error if the file at `path` must not be replaced.
fn feasible(path: &Path) -> Result<()> {
    user_file::target(path).map(|_| ()).map_err(|e| Error::io("change", path, e))
}

/// What is to be done.
#[derive(Default)]
struct Drafts {
    by_program: Vec<Change>,
    /// The files that are to be edited, each with all its edits.
    edited: Vec<Draft>,
}

struct Draft {
    path: PathBuf,
    before: String,
    after: String,
    /// What is edited, in words.
    what: String,
}

impl Draft {
    /// Takes an edited text over; `None`: the former one is not understood.
    fn edit(&mut self, host: &Host, after: Option<String>, what: &str) -> Result<()> {
        let after = after.ok_or_else(|| misunderstood(host, &self.path))?;
        if after != self.after {
            self.what += if self.what.is_empty() || what.is_empty() { "" } else { " and " };
            self.what += what;
            self.after = after;
        }
        Ok(())
    }
}

impl Drafts {
    fn of(&mut self, path: &Path) -> Result<&mut Draft> {
        let there = self.edited.iter().position(|draft| draft.path == path);
        let index = match there {
            Some(index) => index,
            None => {
                let before = read(path)?;
                self.edited.push(Draft {
                    path: path.to_owned(),
                    after: before.clone(),
                    before,
                    what: String::new(),
                });
                self.edited.len() - 1
            }
        };
        Ok(&mut self.edited[index])
    }

    /// All changes, unless one of their files must not be replaced.
    fn changes(self) -> Result<Vec<Change>> {
        let mut changes = self.by_program;
        for Draft { path, before, after, what } in self.edited {
            if after != before {
                let lines = difference(&before, &after);
                changes.push(Change { path, what, lines, doing: Doing::Content(after) });
            }
        }
        changes.iter().try_for_each(|change| feasible(&change.path))?;
        Ok(changes)
    }
}

/// Writes (`Some`) or removes (`None`) a plugin of relay's.
fn plan_plugin(relay: &Relay, host: &'static Host, plugin: &Plugin, text: Option<&str>) -> Result<Work> {
    let path = plugin.file.path(&relay.env);
    let before = read(&path)?;
    if !before.is_empty() && !before.starts_with(plugin.begins) {
        return Err(Error::failed(format!(
            "{} is not relay's plugin; it was left alone: move it away and try again",
            path.display()
        )));
    }
    // A link leads to a plugin that somebody keeps up to date.
    let done = match text {
        Some(text) => before == text || (path.is_symlink() && !before.is_empty()),
        None => before.is_empty(),
    };
    let mut changes = Vec::new();
    if !done {
        let (sign, doing) = match text {
            Some(text) => {
                feasible(&path)?;
                ('+', Doing::Content(text.to_owned()))
            }
            None => ('-', Doing::Removal),
        };
        let lines = vec![format!("{sign} {}", path.display())];
        changes.push(Change { path, what: "relay's plugin".to_owned(), lines, doing });
    }
    Ok(Work { host, changes, server: false, left: None })
}

/// The lines that differ, each with its sign, the first and last common lines
/// left out.
fn difference(before: &str, after: &str) -> Vec<String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let (mut old, mut new) = (&old[..], &new[..]);
    while let ([a, rest @ ..], [b, others @ ..]) = (old, new)
        && a == b
    {
        (old, new) = (rest, others);
    }
    while let ([rest @ .., a], [others @ .., b]) = (old, new)
        && a == b
    {
        (old, new) = (rest, others);
    }
    let mut signed = Vec::new();
    for (sign, lines) in [('-', old), ('+', new)] {
        for line in lines {
            signed.push(format!("{sign} {line}"));
        }
    }
    signed
}
