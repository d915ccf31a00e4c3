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
use std::path::Path;

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
    store: Store,
    /// The session this process keeps live, and the lock that shows it.
    live: RefCell<Option<(Session, Lock)>>,
}

impl Relay {
    /// Touches nothing yet.
    pub fn new(env: Env) -> Relay {
        let [days, mebibytes] = KEEP_VARIABLES.map(|name| number(&env, name)?.ok());
        let store = Store::at(store::home(&env), Keep::new(days, mebibytes));
        Relay { env, store, live: RefCell::new(None) }
    }

    /// The store, made if there is none.
    pub fn store(&self) -> Result<&Store> {
        self.check_place()?;
        self.store.make()?;
        Ok(&self.store)
    }

    /// The store as it is; `None` when there is none.
    pub fn existing_store(&self) -> Result<Option<&Store>> {
        self.check_place()?;
        Ok(self.store.is_there()?.then_some(&self.store))
    }

    /// Whether there is a place where the store can be.
    fn check_place(&self) -> Result<()> {
        match self.home().starts_with("/dev/null") {
            false => Ok(()),
            true => Err(Error::failed(
                "there is no place for the store: neither AGENT_RELAY_HOME nor HOME is set; set one of them",
            )),
        }
    }

    /// Where the store is, or would be.
    pub fn home(&self) -> &Path {
        self.store.home()
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

/// The number that a variable holds, or what it holds instead.
fn number(env: &Env, name: &str) -> Option<std::result::Result<u64, String>> {
    let text = env.get(name)?;
    Some(text.parse().map_err(|_| text))
}
