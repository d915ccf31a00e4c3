//! Carries out what [`super::install`] plans, and looks whether the host has it.
//!
//! Invariant: every file is replaced whole, after a copy of it was kept; a file
//! that nothing else has changed comes back byte for byte.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use super::Relay;
use super::install::{Change, Doing, Work, plan_uninstall};
use super::wiring::{bytes, examine};
use crate::error::{Error, Result};
use crate::host::wiring::Wiring;
use crate::host::{self, Host};
use crate::limits::{CHANGE_MS, CHECK_BYTES, CHECK_MS};
use crate::store::Store;
use crate::store::installed::{Before, Installed};
use crate::sys::{file, user_file};
use crate::wake::{self, Plan};

impl Work {
    /// Installs. Returns where the copies of the former files are.
    pub fn install(&self, relay: &Relay) -> Result<Vec<PathBuf>> {
        let store = relay.store()?;
        let mut installed = store.installed(self.host.name)?;
        installed.server |= self.server;
        let (mut copies, mut stale) = (Vec::new(), Vec::new());
        // All copies first: where one cannot be kept, nothing is changed.
        for Change { path, .. } in &self.changes {
            // What the user has changed since must not be undone by the copy from before.
            stale.push(match installed.before(path) {
                Some(before) => before.after != digest(path)?,
                None => false,
            });
            if let Some(copy) = self.keep(store, &mut installed, path)? {
                copies.push(copy);
            }
        }
        for (change, stale) in self.changes.iter().zip(stale) {
            self.carry_out(relay, change)?;
            if !stale {
                installed.note_after(&change.path, digest(&change.path)?);
            }
            store.write_installed(self.host.name, &installed)?;
        }
        Ok(copies)
    }

    /// Keeps a copy of a file, unless one is kept. It is noted before it is made,
    /// so that no other file is taken for it.
    fn keep(&self, store: &Store, installed: &mut Installed, path: &Path) -> Result<Option<PathBuf>> {
        if installed.before(path).is_none() {
            let copy = user_file::name_of_copy(path);
            installed.files.push(Before { path: path.to_owned(), copy, after: 0 });
            store.write_installed(self.host.name, installed)?;
        }
        // Missing though relay has changed nothing yet: a crash came between.
        let before = installed.before(path).filter(|before| before.after == 0);
        let missing = before.and_then(|before| before.copy.clone()).filter(|copy| !copy.exists());
        if let Some(copy) = &missing {
            user_file::copy(path, copy).map_err(|e| Error::io("copy", path, e))?;
        }
        Ok(missing)
    }

    /// Uninstalls.
    pub fn uninstall(&self, relay: &Relay) -> Result<()> {
        let store = relay.store()?;
        let installed = store.installed(self.host.name)?;
        for change in &self.changes {
            match installed.before(&change.path) {
                Some(before) if before.after == digest(&change.path)? && restore(before)? => {}
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
            Doing::Content(content) => user_file::replace(&change.path, content.as_bytes())
                .map_err(|e| Error::io("write", &change.path, e)),
            Doing::Removal => file::remove(&change.path).map_err(|e| Error::io("remove", &change.path, e)),
            Doing::Program(runs) => runs.iter().try_for_each(|words| {
                let patience = Duration::from_millis(CHANGE_MS);
                wake::finish(&host_plan(relay, self.host, words.clone()), Stdio::inherit(), patience)
            }),
        }
    }

    /// Looks whether the host has what was installed. Returns what was seen, in
    /// words; where the host has it not, what was added is taken out again.
    pub fn check(&self, relay: &Relay) -> Result<String> {
        match self.look(relay) {
            Err(error) if !self.changes.is_empty() => {
                plan_uninstall(relay, self.host)?.uninstall(relay)?;
                Err(Error::failed(format!("{error}; what was added is taken out again")))
            }
            seen => seen,
        }
    }

    /// As far as the host tells without a model.
    fn look(&self, relay: &Relay) -> Result<String> {
        let host = self.host;
        let state = examine(relay, host)?;
        let Wiring::Entries(wiring) = host.wiring else { return Ok("its plugin is in place".to_owned()) };
        let failed = |what: &str| Err(Error::failed(format!("{} {what}", host.title)));
        if state.servers.is_empty() || !state.missing.is_empty() {
            return failed("does not have all that was added");
        }
        if relay.env.program(host.program).is_none() {
            return Ok(format!(
                "its files have relay; {} is not on the PATH, so it was not asked",
                host.program
            ));
        }
        let plan = host_plan(relay, host, host::words(wiring.server.check));
        let said = wake::answer(&plan, CHECK_BYTES, Duration::from_millis(CHECK_MS));
        let words = format!("{} {}", host.program, wiring.server.check.join(" "));
        let shows = |said: String| match wiring.server.says {
            Some(words) => said.contains(words),
            None => state.servers.iter().any(|program| said.contains(program)),
        };
        match said.map(shows) {
            Some(true) if wiring.server.says.is_some() => Ok(format!("`{words}` finds its files right")),
            Some(true) => Ok(format!("`{words}` shows it")),
            Some(false) => failed(&format!("does not know the server (`{words}`)")),
            None => Ok(format!("its files have relay; `{words}` gave no answer")),
        }
    }
}

fn host_plan(relay: &Relay, host: &Host, arguments: Vec<String>) -> Plan {
    Plan {
        program: host.program.to_owned(),
        arguments,
        directory: relay.env.directory().to_owned(),
        without: Vec::new(),
    }
}

/// Puts a file back as it was; `false` where its copy is gone.
fn restore(before: &Before) -> Result<bool> {
    let path = &before.path;
    let Some(copy) = &before.copy else {
        return file::remove(path).map(|()| true).map_err(|e| Error::io("remove", path, e));
    };
    let Some(content) = bytes(copy)? else { return Ok(false) };
    user_file::replace(path, &content).map(|()| true).map_err(|e| Error::io("write", path, e))
}

/// Tells a file's content from any other.
fn digest(path: &Path) -> Result<u64> {
    Ok(bytes(path)?.map_or(0, |content| crate::mail::text::fnv1a(&content)))
}
