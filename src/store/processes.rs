//! Which sessions a host process announced: a few lines a process.
//!
//! Invariant: a note is only believed while the process that its file is named
//! after has not ended; one that was lost is made anew within a day.

use std::path::{Path, PathBuf};

use super::session::Session;
use super::{Store, entries, names, read_text, remove};
use crate::error::{Error, Result};
use crate::limits::{DAY_MS, FOLD_DAYS, PROCESS_SESSIONS, STATE_FILE_BYTES};
use crate::sys::process::{Life, Process};
use crate::sys::watch::Watch;
use crate::sys::{clock, file};

/// Notes of dead processes that one new process clears away.
const SWEEP: usize = 64;

/// The line that says that the process runs one session at a time; no session's key.
const ONE: &str = "!one";

impl Store {
    /// The sessions the process announced, the latest last.
    pub fn announced_by(&self, process: &Process) -> Result<Vec<Session>> {
        let text = self.process_notes(process)?;
        let mut latest_first: Vec<Session> = Vec::new();
        for key in text.lines().rev().filter(|key| names::is_key(key)) {
            let session = self.session_of_key(key);
            if latest_first.len() < PROCESS_SESSIONS && !latest_first.contains(&session) {
                latest_first.push(session);
            }
        }
        latest_first.reverse();
        Ok(latest_first)
    }

    /// The sessions that processes announced which still run, each once.
    pub fn announced_by_running(&self) -> Result<Vec<Session>> {
        let mut sessions: Vec<Session> = Vec::new();
        for name in &entries(&self.home.join("processes"))? {
            let Some(process) = Process::parse(name).filter(|process| !process.has_ended()) else {
                continue;
            };
            for session in self.announced_by(&process)? {
                if !sessions.contains(&session) {
                    sessions.push(session);
                }
            }
        }
        Ok(sessions)
    }

    /// Watches for notes of processes.
    pub fn watch_processes(&self, watch: &mut Watch) {
        watch.add(&self.home.join("processes"));
    }

    /// Notes that the process runs this session now.
    pub fn announce(&self, process: &Process, session: &Session) -> Result<()> {
        let path = self.process_file(process);
        let announced = self.announced_by(process)?;
        if announced.last() == Some(session) {
            return Ok(());
        }
        if announced.is_empty() {
            self.sweep_processes();
        }
        let full = path.metadata().is_ok_and(|metadata| metadata.len() > STATE_FILE_BYTES as u64 / 2);
        if full {
            let one = self.runs_one_at_a_time(process)?;
            remove(&path)?;
            if one {
                self.note_one_at_a_time(process)?;
            }
        }
        append(&path, session.key())
    }

    /// Whether it was noted that the process runs one session at a time.
    pub fn runs_one_at_a_time(&self, process: &Process) -> Result<bool> {
        Ok(self.process_notes(process)?.lines().any(|line| line == ONE))
    }

    /// Notes that the process runs one session at a time.
    pub fn note_one_at_a_time(&self, process: &Process) -> Result<()> {
        if self.runs_one_at_a_time(process)? {
            return Ok(());
        }
        append(&self.process_file(process), ONE)
    }

    fn process_notes(&self, process: &Process) -> Result<String> {
        read_text(&self.process_file(process)).map(Option::unwrap_or_default)
    }

    /// Removes notes of processes that have ended, a bounded number of them.
    fn sweep_processes(&self) {
        let ended = self.ended_processes().unwrap_or_default();
        ended.iter().take(SWEEP).for_each(|note| drop(file::remove(note)));
    }

    /// Removes all notes of processes that have ended. Returns how many.
    pub fn dead_processes(&self, dry: bool) -> Result<usize> {
        let ended = self.ended_processes()?;
        if !dry {
            ended.iter().try_for_each(|note| remove(note))?;
        }
        Ok(ended.len())
    }

    fn ended_processes(&self) -> Result<Vec<PathBuf>> {
        let folder = self.home.join("processes");
        let Ok(opened) = file::open(&folder) else { return Ok(Vec::new()) };
        let forgotten = clock::now_ms().saturating_sub(FOLD_DAYS * DAY_MS);
        let mut names = entries(&folder)?;
        names.retain(|name| match Process::parse(name).map(|process| process.life()) {
            Some(Life::Runs) => false,
            Some(Life::Unknown) => file::changed_in(&opened, name) < forgotten,
            Some(Life::Ended) | None => true,
        });
        Ok(names.iter().map(|name| folder.join(name)).collect())
    }

    fn process_file(&self, process: &Process) -> PathBuf {
        self.path("processes", &process.to_string())
    }
}

fn append(path: &Path, line: &str) -> Result<()> {
    file::append_note(path, &format!("{line}\n")).map_err(|e| Error::io("append to", path, e))
}
