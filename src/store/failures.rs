//! What went wrong in a hook, kept for `doctor`: a hook itself stays silent.
//!
//! Invariant: bounded, and never a reason for another failure.

use std::path::PathBuf;

use super::Store;
use crate::limits::{FAILURE_NOTE_BYTES, STATE_FILE_BYTES};
use crate::mail::text::{changed, head};
use crate::sys::{clock, file};

const NOTE: &str = "hook-failures";

impl Store {
    /// Where the lines are, for people to find them.
    pub fn failures_file(&self) -> PathBuf {
        self.home().join(NOTE)
    }

    /// Leaves one line about a failed hook.
    pub fn note_failure(&self, what: &str) {
        let path = self.failures_file();
        if path.metadata().is_ok_and(|metadata| metadata.len() > STATE_FILE_BYTES as u64 / 2) {
            let _ = file::remove(&path);
        }
        let spaced = |c: char| if c.is_control() { ' ' } else { c };
        let line = changed(head(what, FAILURE_NOTE_BYTES), usize::MAX, spaced);
        let _ = file::append_note(&path, &format!("{} {line}\n", clock::rfc3339(clock::now_ms())));
    }

    /// The last failure of a hook, if there was one: when, in milliseconds
    /// since 1970, and what.
    pub fn last_failure(&self) -> Option<(u64, String)> {
        let content = file::read(&self.failures_file(), STATE_FILE_BYTES).ok()??;
        let text = String::from_utf8_lossy(&content);
        let (time, what) = text.lines().last()?.split_once(' ')?;
        Some((clock::parse_rfc3339(time)?, what.to_owned()))
    }
}
