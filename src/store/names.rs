//! Names: one small file each, created exclusively, holding a session's key.
//!
//! Invariant: a name has at most one owner at any instant, crash or not; a name
//! whose owner went on as another session leads there through `successor`. A
//! session's folder is there before its name and goes after it: a name that leads
//! to no folder was damaged, and counts as none.

use std::io::ErrorKind;
use std::path::PathBuf;

use super::session::{Guard, Session};
use super::{Store, entries, legacy, read_text};
use crate::error::{Error, Result};
use crate::mail::address;
use crate::sys::file;

impl Store {
    /// The session that owns the name.
    pub fn named(&self, name: &str) -> Result<Option<Session>> {
        match self.lead(name)? {
            Some(Lead::To(session)) => Ok(Some(session)),
            _ => Ok(None),
        }
    }

    /// Whether the name is given away and leads to no session.
    pub fn leads_nowhere(&self, name: &str) -> Result<bool> {
        Ok(matches!(self.lead(name)?, Some(Lead::Nowhere)))
    }

    /// Takes away a name that leads to no session. The lock is one for all: of two
    /// that would give the name anew, none takes it from the other.
    pub fn release_if_nowhere(&self, name: &str) -> Result<()> {
        if !self.leads_nowhere(name)? {
            return Ok(());
        }
        let _lock = legacy::lock(&self.home)?;
        if !self.leads_nowhere(name)? {
            return Ok(());
        }
        self.remove_name(name)
    }

    fn remove_name(&self, name: &str) -> Result<()> {
        let path = self.name_file(name);
        file::remove(&path).map_err(|e| Error::io("remove the name", &path, e))
    }

    /// Where the name leads; `None`: nobody has it.
    fn lead(&self, name: &str) -> Result<Option<Lead>> {
        if address::check_name(name).is_err() {
            return Ok(None);
        }
        let Some(text) = read_text(&self.name_file(name))? else { return Ok(None) };
        let session = self.session_of_token(text.trim()).filter(|session| !is_gone(session));
        Ok(Some(session.map_or(Lead::Nowhere, Lead::To)))
    }

    /// Gives the name to the guarded session. `false`: another session has it.
    pub fn claim_name(&self, guard: &Guard, name: &str) -> Result<bool> {
        address::check_name(name)?;
        let path = self.name_file(name);
        let draft = guard.session().file("name.tmp");
        let claimed = file::create(&path, &draft, guard.session().key_line().as_bytes())
            .map_err(|e| Error::io("create the name", &path, e))?;
        Ok(claimed || self.named(name)?.as_ref() == Some(guard.session()))
    }

    /// Takes the name away from the guarded session, if it has it and its name
    /// `now` is another.
    pub fn release_name(&self, guard: &Guard, name: &str, now: Option<&str>) -> Result<()> {
        if self.named(name)?.as_ref() != Some(guard.session()) || self.is_one_name(name, now) {
            return Ok(());
        }
        self.remove_name(name)
    }

    /// Points a name that led to a predecessor of the guarded session at it.
    pub fn inherit_name(&self, guard: &Guard, name: &str, predecessor: &Session) -> Result<()> {
        if self.named(name)?.as_ref() != Some(predecessor) {
            return Ok(());
        }
        let path = self.name_file(name);
        let draft = guard.session().file("name.tmp");
        file::replace_from(&path, &draft, guard.session().key_line().as_bytes())
            .map_err(|e| Error::io("move the name", &path, e))
    }

    /// Every name, in no particular order.
    pub fn names(&self) -> Result<Vec<String>> {
        entries(&self.home.join("names"))
    }

    /// Lets go of names that a process which died while it gave them left with a
    /// session of another name. Returns how many.
    pub fn release_leaked_names(&self, dry: bool) -> Result<usize> {
        let mut leaked = 0;
        for name in &self.names()? {
            let owner = match self.lead(name) {
                Ok(Some(Lead::To(session))) if self.leaks(&session, name) => Some(session),
                Ok(Some(Lead::Nowhere)) => None,
                _ => continue, // one that cannot be read is left to `doctor`
            };
            leaked += 1;
            match owner {
                _ if dry => {}
                None => self.release_if_nowhere(name)?,
                Some(session) => {
                    let guard = session.lock()?;
                    // Whoever gives a name has the lock until the record says it.
                    if self.leaks(&session, name) {
                        self.release_name(&guard, name, None)?;
                    }
                }
            }
        }
        Ok(leaked)
    }

    /// Whether nothing but the name's file says that the session has it. What goes on
    /// from a session, or is gone on from, may say it later.
    fn leaks(&self, session: &Session, name: &str) -> bool {
        session.info().is_ok_and(|info| match info {
            None => true,
            Some(info) => {
                info.name.as_deref() != Some(name)
                    && info.successor.is_none()
                    && info.inherits.is_none()
                    && !self.is_one_name(name, info.name.as_deref())
            }
        })
    }

    /// Whether both are one file, as `bob` and `Bob` are where the file system does
    /// not tell them apart.
    fn is_one_name(&self, name: &str, other: Option<&str>) -> bool {
        let number = |name: &str| file::number(&self.name_file(name));
        other.is_some_and(|other| number(name).is_some_and(|it| Some(it) == number(other)))
    }

    fn name_file(&self, name: &str) -> PathBuf {
        self.path("names", name)
    }
}

/// Where a name's file leads.
enum Lead {
    To(Session),
    Nowhere,
}

/// Whether the session has no folder, for sure.
fn is_gone(session: &Session) -> bool {
    session.folder().symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Whether the text could be the name of a session's folder.
pub(super) fn is_key(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('.')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'%'))
}
