//! Which sessions of very many matter to a person.
//!
//! Invariant: two looks at each session's folder decide, not its record: this
//! is quick where there are tens of thousands. Whatever runs is among them.

use std::cmp::Reverse;

use super::mailbox::LOG;
use super::{Session, Store};
use crate::error::{Error, Result};
use crate::sys::file;
use crate::sys::threads::in_two;

impl Store {
    /// `most` sessions: those that run, then those where something happened
    /// last. All of them where they are fewer. And how many there are in all.
    pub fn recent(&self, most: usize) -> Result<(Vec<Session>, usize)> {
        let all = self.sessions()?;
        let count = all.len();
        if count <= most {
            return Ok((all, count));
        }
        let path = self.folder();
        let folder = file::open(&path).map_err(|e| Error::io("open", &path, e))?;
        // The folder of a session changes with its record and its cursor, its log with its mail.
        let mut by_time = in_two(&all, |sessions| {
            let mut log = String::new();
            let mut time = |key: &str| {
                log.clear();
                log.extend([key, "/", LOG]);
                file::changed_in(&folder, key).max(file::changed_in(&folder, &log))
            };
            sessions.iter().map(|session| (time(session.key()), session)).collect()
        });
        by_time.sort_unstable_by_key(|(time, _)| Reverse(*time));
        let mut sessions = self.announced_by_running()?;
        let running = sessions.len();
        for (_, session) in by_time {
            if sessions.len() >= most {
                break;
            }
            if !sessions[..running].contains(session) {
                sessions.push(session.clone());
            }
        }
        Ok((sessions, count))
    }
}
