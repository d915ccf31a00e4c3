//! The use-cases. The only place where store, wake and host meet.
//!
//! Invariant: a door (hook, bus, cli) calls one function here per request and
//! holds no rule of its own.

pub mod announce;
pub mod apply;
pub mod bell;
pub mod collect;
pub mod deliver;
pub mod discover;
pub mod doctor;
pub mod entries;
pub mod find;
pub mod gc;
pub mod group;
pub mod history;
pub mod identity;
pub mod install;
pub mod own;
pub mod reach;
pub mod register;
pub mod reply;
pub mod room;
pub mod roster;
pub mod running;
pub mod send;
pub mod settle;
pub mod standing;
pub mod succession;
pub mod turn;
pub mod wait;
pub mod wake;
pub mod wiring;

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::store::{self, Keep, Session, Store};
use crate::sys::Env;
use crate::sys::lock::Lock;
use find::Found;

/// How many days and mebibytes of read mail the user wants kept.
const KEEP_VARIABLES: [&str; 2] = ["RELAY_KEEP_DAYS", "RELAY_KEEP_MIB"];

/// One run of relay: its environment, and the way to its store.
pub struct Relay {
    pub env: Env,
    home: PathBuf,
    /// The session this process keeps live, and the lock that shows it.
    live: RefCell<Option<(Session, Lock)>>,
}

impl Relay {
    /// Touches nothing yet.
    pub fn new(env: Env) -> Relay {
        let home = store::home(&env);
        Relay { env, home, live: RefCell::new(None) }
    }

    /// The store, made if there is none.
    pub fn store(&self) -> Result<Store> {
        Store::create(self.place()?, self.keep())
    }

    /// The store as it is; `None` when there is none.
    pub fn existing_store(&self) -> Result<Option<Store>> {
        Store::existing(self.place()?, self.keep())
    }

    /// Where the store can be.
    fn place(&self) -> Result<&Path> {
        match self.home.starts_with("/dev/null") {
            false => Ok(&self.home),
            true => Err(Error::failed(
                "there is no place for the store: neither AGENT_RELAY_HOME nor HOME is set; set one of them",
            )),
        }
    }

    /// How much read mail the user wants kept.
    fn keep(&self) -> Keep {
        let [days, mebibytes] = KEEP_VARIABLES.map(|name| self.number(name)?.ok());
        Keep::new(days, mebibytes)
    }

    /// The number that a variable holds, or what it holds instead.
    fn number(&self, name: &str) -> Option<std::result::Result<u64, String>> {
        let text = self.env.get(name)?;
        Some(text.parse().map_err(|_| text))
    }

    /// Where the store is, or would be.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Shows the session as live for as long as this process runs.
    fn keep_live(&self, session: &Session) {
        let mut live = self.live.borrow_mut();
        if live.as_ref().is_none_or(|(kept, _)| kept != session)
            && let Ok(Some(lock)) = session.live_lock()
        {
            *live = Some((session.clone(), lock));
        }
    }

    /// Lets go of the session kept live where its host process runs others now. One
    /// that no hook has announced is kept: where nothing runs, nothing is known.
    fn keep_live_only(&self, running: &[Found]) {
        let mut live = self.live.borrow_mut();
        let runs = |kept: &Session| running.iter().any(|found| found.session == *kept);
        if !running.is_empty() && live.as_ref().is_some_and(|(kept, _)| !runs(kept)) {
            *live = None;
        }
    }
}
