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
pub mod send;
pub mod settle;
pub mod standing;
pub mod succession;
pub mod wait;
pub mod wake;
pub mod wiring;

use std::cell::RefCell;
use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::store::{self, Keep, Session, Store};
use crate::sys::Env;
use crate::sys::lock::Lock;

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
        if self.home.starts_with("/dev/null") {
            return Err(Error::failed(
                "there is no place for the store: neither AGENT_RELAY_HOME nor HOME is set",
            ));
        }
        Store::create(&self.home, self.keep())
    }

    /// The store as it is; `None` when there is none.
    pub fn existing_store(&self) -> Result<Option<Store>> {
        Store::existing(&self.home, self.keep())
    }

    /// How much read mail the user wants kept.
    fn keep(&self) -> Keep {
        let number = |name: &str| self.env.get(name).and_then(|text| text.parse().ok());
        Keep::new(number("RELAY_KEEP_DAYS"), number("RELAY_KEEP_MIB"))
    }

    /// Where the store is, or would be.
    pub fn home(&self) -> &std::path::Path {
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
}
