//! Rooms: a folder each, in it one small file a member, named by its session.
//!
//! Invariant: a membership is made or removed whole and under its session's
//! lock; nothing else is kept of a room, and a room without members is none.

use std::io::ErrorKind;
use std::path::PathBuf;

use super::session::{Guard, Session};
use super::{Store, entries, make_folder, names};
use crate::error::{Error, Result};
use crate::mail::address;
use crate::sys::file;

/// Tries to join a room that others leave meanwhile.
const TRIES: usize = 8;

impl Store {
    /// Every room, in the order of names.
    pub fn rooms(&self) -> Result<Vec<String>> {
        let mut rooms = entries(&self.home.join("rooms"))?;
        rooms.retain(|room| address::check_name(room).is_ok());
        rooms.sort_unstable();
        Ok(rooms)
    }

    /// The sessions that joined the room, in the order of keys.
    pub fn members(&self, room: &str) -> Result<Vec<Session>> {
        address::check_name(room)?;
        let mut keys = entries(&self.room(room))?;
        keys.retain(|key| names::is_key(key));
        keys.sort_unstable();
        Ok(self.sessions_of(&keys))
    }

    /// The rooms that the session joined.
    pub fn rooms_of(&self, session: &Session) -> Result<Vec<String>> {
        let mut rooms = self.rooms()?;
        rooms.retain(|room| self.membership(room, session).exists());
        Ok(rooms)
    }

    /// Makes the guarded session a member; it may be one already.
    pub fn join(&self, guard: &Guard, room: &str) -> Result<()> {
        address::check_name(room)?;
        let folder = self.room(room);
        let path = self.membership(room, guard.session());
        let draft = guard.session().file("room.tmp");
        let content = guard.session().key_line();
        let mut tries = 0;
        loop {
            make_folder(&folder)?;
            match file::create(&path, &draft, content.as_bytes()) {
                // The last member has just left, and the folder with it.
                Err(error) if error.kind() == ErrorKind::NotFound && tries < TRIES => tries += 1,
                made => return made.map(|_| ()).map_err(|e| Error::io("join the room", &path, e)),
            }
        }
    }

    /// Ends the guarded session's membership, if it has one. `predecessor`: that
    /// of the session it goes on from.
    pub fn leave(&self, guard: &Guard, room: &str, predecessor: Option<&Session>) -> Result<()> {
        address::check_name(room)?;
        let path = self.membership(room, predecessor.unwrap_or(guard.session()));
        file::remove(&path).map_err(|e| Error::io("leave the room", &path, e))?;
        let _ = std::fs::remove_dir(self.room(room)); // unless others are in it
        Ok(())
    }

    fn membership(&self, room: &str, session: &Session) -> PathBuf {
        self.room(room).join(session.key())
    }

    /// The room's folder.
    fn room(&self, room: &str) -> PathBuf {
        self.path("rooms", room)
    }
}
