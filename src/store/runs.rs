//! What a detached run of a session has printed.
//!
//! Invariant: a run's file is bounded, and a session keeps the files of its last
//! few runs. They need not survive a power cut.

use std::io::Write;
use std::path::PathBuf;

use super::session::Session;
use super::{Store, entries, make_folder, names};
use crate::error::{Error, Result};
use crate::limits::{RUN_BYTES, RUNS_KEPT};
use crate::mail::address::is_uuid;
use crate::sys::file;

/// The output of one run, while it is written.
pub struct Record {
    file: std::fs::File,
    path: PathBuf,
    room: usize,
    left_out: u64,
}

impl Session {
    /// Begins the record of a run. `id`: a UUIDv7, so that names sort by time.
    pub fn record_run(&self, id: &str) -> Result<Record> {
        let folder = self.file("runs");
        make_folder(&folder)?;
        let mut earlier = entries(&folder)?;
        earlier.sort_unstable();
        for name in earlier.iter().rev().skip(RUNS_KEPT - 1) {
            let _ = file::remove(&folder.join(name));
        }
        let path = folder.join(format!("{id}.txt"));
        let file = file::open_note(&path).map_err(|e| Error::io("create", &path, e))?;
        Ok(Record { file, path, room: RUN_BYTES, left_out: 0 })
    }
}

impl Store {
    /// What the run with this token (`<id>.<session key>`) has printed so far;
    /// `None`: there is no such run any more.
    pub fn run_output(&self, token: &str) -> Result<Option<Vec<u8>>> {
        let Some((id, key)) = token.split_once('.').filter(|(id, key)| is_uuid(id) && names::is_key(key))
        else {
            return Ok(None);
        };
        let path = self.session_of_key(key).file("runs").join(format!("{id}.txt"));
        file::read(&path, RUN_BYTES * 2).map_err(|e| Error::io("read", &path, e))
    }
}

impl Record {
    /// Adds what the program printed, as far as there is room.
    pub fn add(&mut self, output: &[u8]) -> Result<()> {
        let fits = &output[..output.len().min(self.room)];
        self.room -= fits.len();
        self.left_out += (output.len() - fits.len()) as u64;
        self.file.write_all(fits).map_err(|e| Error::io("write", &self.path, e))
    }

    /// Ends the record with a line of relay's.
    pub fn end(mut self, line: &str) -> Result<()> {
        let cut = match self.left_out {
            0 => String::new(),
            bytes => format!("\nrelay: {bytes} bytes more were not kept"),
        };
        let text = format!("{cut}\nrelay: {line}\n");
        self.file.write_all(text.as_bytes()).map_err(|e| Error::io("write", &self.path, e))
    }
}
