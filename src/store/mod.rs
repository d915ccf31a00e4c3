//! The files below the home: sessions, their mailboxes, names, processes.
//!
//! Invariant: only this room spells a path of the store, every part of such a
//! path has been validated or escaped, and whatever changes a session does so
//! under that session's lock. docs/store.md has the bytes and the argument.

mod aside;
pub mod cursor;
mod failures;
pub mod installed;
mod legacy;
pub mod mailbox;
mod names;
mod processes;
mod recent;
mod retention;
pub mod rings;
mod rooms;
pub mod runs;
pub mod session;
mod sweep;

use std::path::{Path, PathBuf};

use crate::error::{Cause, Error, Result};
use crate::limits::STATE_FILE_BYTES;
use crate::mail::address;
use crate::sys::{Env, file, folder};

pub use cursor::{Cursor, Hold};
pub use retention::Keep;
pub use session::{Info, Session};

/// The format this relay writes, and the newest it reads.
const FORMAT: &str = "1";
const FORMAT_FILE: &str = "format";

/// An opened store.
pub struct Store {
    home: PathBuf,
    /// How much read mail its mailboxes keep.
    pub keep: Keep,
}

/// Where the store is: `AGENT_RELAY_HOME`, its older alias, or `~/.agent-relay`.
pub fn home(env: &Env) -> PathBuf {
    env.path("AGENT_RELAY_HOME").or_else(|| env.path("SESSION_RELAY_HOME")).unwrap_or_else(|| usual_home(env))
}

/// Where the store is when no variable says so.
pub fn usual_home(env: &Env) -> PathBuf {
    env.below_home(".agent-relay")
}

impl Store {
    /// The store in this folder, whether or not there is one yet.
    pub fn at(home: PathBuf, keep: Keep) -> Store {
        Store { home, keep }
    }

    /// Whether there is a store to look at. A home that session-relay left is
    /// imported first, and one that a crash left half made is finished.
    pub fn is_there(&self) -> Result<bool> {
        if has_format(&self.home)? {
            return Ok(true);
        }
        let is_begun = is_begun(&self.home);
        if is_begun {
            self.make()?;
        }
        Ok(is_begun)
    }

    /// Makes the store where there is none.
    pub fn make(&self) -> Result<()> {
        let home = &self.home;
        if has_format(home)? {
            return Ok(());
        }
        // A folder that others use, too, keeps its mode; what is made in it is private.
        let own = is_begun(home) || entries(home)?.is_empty();
        make_folder(home)?;
        if own {
            file::make_private(home).map_err(|e| Error::io("make private", home, e))?;
        }
        let _lock = legacy::lock(home)?;
        if !has_format(home)? {
            for folder in ["sessions", "names", "processes"] {
                make_folder(&home.join(folder))?;
            }
            legacy::import(self)?;
            write(&self.format_file(), &format!("{FORMAT}\n"))?;
        }
        Ok(())
    }

    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The file that makes the home a store.
    pub fn format_file(&self) -> PathBuf {
        self.home.join(FORMAT_FILE)
    }

    /// The session of this id, whether or not its folder exists yet.
    pub fn session(&self, id: &str) -> Session {
        self.session_of_key(&address::key(id))
    }

    /// The session whose key stands in a hold's token, if it can be a key.
    pub fn session_of_token(&self, key: &str) -> Option<Session> {
        names::is_key(key).then(|| self.session_of_key(key))
    }

    /// The session whose folder has this name.
    pub fn session_of_key(&self, key: &str) -> Session {
        Session::at(self.path("sessions", key))
    }

    /// The path of what is called so in a folder of the store.
    fn path(&self, folder: &str, name: &str) -> PathBuf {
        file::below(&file::below(&self.home, folder), name)
    }

    /// The folder of all sessions' folders.
    fn folder(&self) -> PathBuf {
        file::below(&self.home, "sessions")
    }

    /// Every session folder, in no particular order.
    pub fn sessions(&self) -> Result<Vec<Session>> {
        Ok(self.sessions_of(&self.keys()?))
    }

    /// The sessions whose folders have these names.
    fn sessions_of(&self, keys: &[String]) -> Vec<Session> {
        let folder = self.folder();
        keys.iter().map(|key| Session::at(file::below(&folder, key))).collect()
    }

    /// Sessions whose id begins with `prefix`, two at most.
    pub fn sessions_beginning(&self, prefix: &str) -> Result<Vec<Session>> {
        let prefix = address::key(prefix);
        let mut keys = self.keys()?;
        keys.retain(|key| key.starts_with(&prefix));
        keys.truncate(2);
        Ok(self.sessions_of(&keys))
    }

    /// The name of every session folder, in no particular order.
    pub fn keys(&self) -> Result<Vec<String>> {
        entries(&self.folder())
    }
}

/// Makes a folder where there is none.
fn make_folder(path: &Path) -> Result<()> {
    file::make_directory(path).map_err(|e| Error::io("make the folder", path, e))
}

/// The content of a small file; `None` when there is none.
fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    file::read(path, STATE_FILE_BYTES).map_err(|e| Error::io("read", path, e))
}

/// The same as text, whatever its bytes are.
fn read_text(path: &Path) -> Result<Option<String>> {
    Ok(read(path)?.map(|content| String::from_utf8_lossy(&content).into_owned()))
}

/// Replaces a file whole.
fn write(path: &Path, content: &str) -> Result<()> {
    file::replace(path, content.as_bytes()).map_err(|e| Error::io("write", path, e))
}

/// Removes a file; it may be gone already.
fn remove(path: &Path) -> Result<()> {
    file::remove(path).map_err(|e| Error::io("remove", path, e))
}

/// The names of a folder's entries; none when there is no such folder.
fn entries(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let listed = file::open(folder).and_then(|folder| {
        folder::each(&folder, &mut |entry| {
            names.push(entry.name.to_owned());
            true
        })
    });
    match listed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("list", folder, error)),
        _ => Ok(names),
    }
}

/// Whether session-relay left this home, or a crash half made.
fn is_begun(home: &Path) -> bool {
    legacy::is_left_in(home) || home.join("sessions").is_dir()
}

/// Whether there is a store, in this relay's format; an error when this relay is
/// too old for it or nobody can tell.
fn has_format(home: &Path) -> Result<bool> {
    let path = home.join(FORMAT_FILE);
    let Some(found) = read_text(&path)? else { return Ok(false) };
    if found.trim() == FORMAT {
        return Ok(true);
    }
    let (path, found) = (path.display(), found.trim());
    let is_newer = found.parse::<u32>().is_ok_and(|number| number > 0);
    let found = address::shorten(found);
    Err(Error::new(
        Cause::Format,
        match is_newer {
            true => {
                format!(
                    "{path} says format {found}, newer than this relay reads; update relay (nothing was changed)"
                )
            }
            false => format!(
                "{path} is damaged: it says '{found}', not a format's number; write {FORMAT} into it (nothing was changed)"
            ),
        },
    ))
}
