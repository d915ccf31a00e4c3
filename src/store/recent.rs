//! Which sessions of very many matter.
//!
//! Invariant: a look or two at each session's folder decide, not its record or
//! its mail: this is quick where there are tens of thousands.

use std::cmp::Reverse;

use super::mailbox::LOG;
use super::{Session, Store};
use crate::error::{Error, Result};
use crate::sys::file;
use crate::sys::threads::in_two;

impl Store {
    /// `most` sessions: those that run, all of them, then those where something
    /// happened last. All of them where they are fewer. And how many there are in all.
    pub fn recent(&self, most: usize) -> Result<(Vec<Session>, usize)> {
        let keys = self.keys()?;
        let count = keys.len();
        if count <= most {
            return Ok((keys.iter().map(|key| self.session_of_key(key)).collect(), count));
        }
        let mut by_time: Vec<(i64, &String)> = self.times(&keys, true)?.into_iter().zip(&keys).collect();
        by_time.sort_unstable_by_key(|(time, _)| Reverse(*time));
        let mut sessions = self.announced_by_running()?;
        let running = sessions.len();
        for (_, key) in by_time {
            if sessions.len() >= most {
                break;
            }
            if !sessions[..running].iter().any(|session| session.key() == key) {
                sessions.push(self.session_of_key(key));
            }
        }
        Ok((sessions, count))
    }

    /// The sessions that got mail at this time or since, in seconds since 1970.
    pub fn mailed_since(&self, time: i64) -> Result<Vec<Session>> {
        let keys = self.keys()?;
        let mailed = self.times(&keys, false)?.into_iter().zip(&keys).filter(|(mailed, _)| *mailed >= time);
        Ok(mailed.map(|(_, key)| self.session_of_key(key)).collect())
    }

    /// When the session of each key last got mail or, with `any`, when anything
    /// happened to it, in seconds since 1970.
    fn times(&self, keys: &[String], any: bool) -> Result<Vec<i64>> {
        let path = self.folder();
        let folder = file::open(&path).map_err(|e| Error::io("open", &path, e))?;
        // The folder of a session changes with its record and its cursor, its log with its mail.
        Ok(in_two(keys, |keys| {
            let mut log = String::new();
            let mut time = |key: &str| {
                log.clear();
                log.extend([key, "/", LOG]);
                let mailed = file::changed_in(&folder, &log);
                if any { mailed.max(file::changed_in(&folder, key)) } else { mailed }
            };
            keys.iter().map(|key| time(key)).collect()
        }))
    }
}
