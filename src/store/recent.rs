//! Which sessions of very many matter.
//!
//! Invariant: one look at each session's folder decides, not its record or its
//! mail: this is quick where there are tens of thousands.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

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
            return Ok((self.sessions_of(&keys), count));
        }
        // The latest of many: to sort them all takes as long as to look at them.
        let mut latest = BinaryHeap::new();
        for (time, key) in self.times(&keys, "")?.into_iter().zip(&keys) {
            if latest.len() < most {
                latest.push(Reverse((time, key)));
            } else if let Some(mut oldest) = latest.peek_mut()
                && time > oldest.0.0
            {
                *oldest = Reverse((time, key));
            }
        }
        let mut sessions = self.announced_by_running()?;
        let running = sessions.len();
        for Reverse((_, key)) in latest.into_sorted_vec() {
            if sessions.len() >= most {
                break;
            }
            if !sessions[..running].iter().any(|session| session.key() == key) {
                sessions.push(self.session_of_key(key));
            }
        }
        Ok((sessions, count))
    }

    /// The sessions that got mail at this time or since, in milliseconds since 1970.
    pub fn mailed_since(&self, time_ms: u64) -> Result<Vec<Session>> {
        let keys = self.keys()?;
        let mailed = self.times(&keys, LOG)?.into_iter().zip(&keys).filter(|(mailed, _)| *mailed >= time_ms);
        Ok(mailed.map(|(_, key)| self.session_of_key(key)).collect())
    }

    /// When this file of each key's session last changed, in milliseconds since 1970;
    /// of no name: the folder itself, which bears when something last happened.
    fn times(&self, keys: &[String], file: &str) -> Result<Vec<u64>> {
        let path = self.folder();
        let folder = file::open(&path).map_err(|e| Error::io("open", &path, e))?;
        Ok(in_two(keys, |keys| {
            let mut path = String::new();
            let mut time = |key: &str| {
                path.clear();
                path.extend([key, "/", file]);
                file::changed_in(&folder, &path)
            };
            keys.iter().map(|key| time(key)).collect()
        }))
    }
}
