//! What is kept of the past: trims a mailbox's history, folds sessions away.
//!
//! Invariant: unread mail is never touched; an offset in a log never changes
//! (what is cut off becomes a hole in the file), so a reader or writer that
//! knows nothing of it goes on undisturbed; a folded session leaves in one
//! rename.

use std::io::ErrorKind;
use std::path::PathBuf;

use super::session::{Guard, Info, Session};
use super::{Store, entries, make_folder};
use crate::error::{Error, Result};
use crate::limits::{DAY_MS, KEEP_DAYS, KEEP_MIB, TRIM_BYTES};
use crate::sys::{file, log};

/// How much read mail a mailbox keeps; `None`: no limit of that kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    pub age_ms: Option<u64>,
    pub bytes: Option<u64>,
}

impl Keep {
    /// From numbers of days and mebibytes as users set them; 0 is for ever.
    pub fn new(days: Option<u64>, mebibytes: Option<u64>) -> Keep {
        let limit = |given: Option<u64>, default: u64, unit: u64| {
            Some(given.unwrap_or(default))
                .filter(|number| *number > 0)
                .map(|number| number.saturating_mul(unit))
        };
        Keep { age_ms: limit(days, KEEP_DAYS, DAY_MS), bytes: limit(mebibytes, KEEP_MIB, 1024 * 1024) }
    }
}

impl Session {
    /// Up to where the history may go: from the offset where it begins to the
    /// one before which nothing need be kept. `None`: it is not worth it.
    pub fn outdated(&self, keep: Keep, now_ms: u64) -> Result<Option<(u64, u64)>> {
        let (cursor, _) = self.cursor()?;
        let read = cursor.consumed;
        let Some(begins) = self.history_begins()?.filter(|begins| *begins < read) else { return Ok(None) };
        let too_old = |sent_ms: u64| keep.age_ms.is_some_and(|age| sent_ms.saturating_add(age) < now_ms);
        let too_far = |end: u64| keep.bytes.is_some_and(|bytes| read - end >= bytes);
        let mut kept = None;
        let passed = self.each(begins, read, &mut |entry| {
            if !too_old(entry.message.sent_ms) && !too_far(entry.start) {
                kept = Some(entry.start);
            }
            kept.is_none()
        })?;
        let cut = kept.unwrap_or(passed.end);
        let all = cut >= read;
        Ok((cut > begins && (all || cut - begins >= TRIM_BYTES)).then_some((begins, cut.min(read))))
    }

    /// Where the first line that is still there begins; `None`: no log.
    fn history_begins(&self) -> Result<Option<u64>> {
        let path = self.log();
        match file::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            opened => opened.and_then(|mut log| log::first_data(&mut log)).map(Some),
        }
        .map_err(|e| Error::io("read", &path, e))
    }

    /// What the log occupies on the disk, in bytes.
    pub fn occupied(&self) -> u64 {
        file::occupied(&self.log())
    }
}

impl Guard<'_> {
    /// Makes a hole of the history before `cut`, which must lie in it.
    pub fn trim(&self, cut: u64) -> Result<()> {
        let path = self.session().log();
        let folder = self.session().folder();
        let changed = folder.metadata().and_then(|data| data.modified());
        // After a power cut, too, what is gone must count as read.
        self.sync_cursor()?;
        // The newline before the cut stays: a log ends in one, whatever is left.
        log::hollow(&path, cut - 1).map_err(|e| Error::io("trim", &path, e))?;
        // Nothing happened to the session.
        if let Ok(changed) = changed {
            let _ = file::set_changed(folder, changed);
        }
        Ok(())
    }
}

impl Store {
    /// Takes a session out of the store, its name and rooms first. The caller has made
    /// sure that nothing waits in it. Where this is interrupted, it has no name, and says so.
    pub fn fold(&self, guard: Guard, mut info: Box<Info>) -> Result<()> {
        let folded = self.folded();
        make_folder(&folded)?;
        let from = guard.session().folder().to_owned();
        let to = folded.join(guard.session().key());
        remove_folder(&to)?;
        if let Some(name) = info.name.take() {
            info.named = false;
            // A record without a time is as old as its folder, which this makes new.
            info.seen_ms = info.seen_ms.max(1);
            guard.write_info(&info)?;
            self.release_name(&guard, &name, None)?;
        }
        for room in &self.rooms_of(guard.session())? {
            self.leave(&guard, room, None)?;
        }
        file::rename(&from, &to).map_err(|e| Error::io("fold away", &from, e))?;
        drop(guard);
        remove_folder(&to)
    }

    /// Removes what a fold that was interrupted left. Returns how many.
    pub fn finish_folding(&self) -> Result<usize> {
        let left = entries(&self.folded())?;
        left.iter().try_for_each(|name| remove_folder(&self.folded().join(name)))?;
        Ok(left.len())
    }

    fn folded(&self) -> PathBuf {
        self.home().join("folded")
    }
}

fn remove_folder(path: &std::path::Path) -> Result<()> {
    file::remove_folder(path).map_err(|e| Error::io("remove", path, e))
}
