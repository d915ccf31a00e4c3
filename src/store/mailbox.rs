//! One session's log and cursor: append, look, and move the cursor.
//!
//! Invariant: the log only grows, a line at a time; looking needs no lock
//! because a line counts only once its newline is there and a torn cursor is
//! told by its sum; a line that holds no message is passed over and counted.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::cursor::Cursor;
use super::session::{Guard, Session};
use crate::error::{Error, Result};
use crate::limits::{ACTIVE_MS, RECORD_BYTES, STATE_FILE_BYTES};
use crate::mail::Message;
use crate::sys::{file, log};

/// The log's name in a session's folder.
pub(super) const LOG: &str = "mail.jsonl";
/// What one read of a log asks for, in bytes.
const READ_AT_ONCE: u64 = 16 * 1024;
/// How often a cursor is read before it counts as damaged: without the lock, a
/// read can meet a write.
const TORN_READS: usize = 8;

/// A message in the log.
pub struct Entry<'a> {
    pub message: Message<'a>,
    /// Offset of its line.
    pub start: u64,
    /// Offset after its line.
    pub end: u64,
}

/// What a look through the log passed.
pub struct Passed {
    /// Lines that hold no message.
    pub damaged: usize,
    /// Offset after the last whole line.
    pub end: u64,
}

impl Session {
    /// The cursor, and how many bytes the log has. Needs no lock.
    pub fn cursor(&self) -> Result<(Cursor, u64)> {
        let (cursor, bytes) = self.stored_cursor()?;
        Ok((cursor.unwrap_or_else(|| Cursor::unknown(bytes)), bytes))
    }

    /// Whether the cursor file is there and holds no cursor.
    pub fn cursor_is_damaged(&self) -> Result<bool> {
        self.stored_cursor().map(|(cursor, _)| cursor.is_none())
    }

    /// The cursor, `None` when its file is damaged, and how many bytes the log
    /// has.
    fn stored_cursor(&self) -> Result<(Option<Cursor>, u64)> {
        let (log, path) = (self.log(), self.cursor_file());
        let mut bytes = 0;
        for _ in 0..TORN_READS {
            bytes = match log.metadata() {
                Ok(metadata) => metadata.len(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Ok((Some(Cursor::default()), 0));
                }
                Err(error) => return Err(Error::io("look at", &log, error)),
            };
            match file::with_content(&path, STATE_FILE_BYTES, Cursor::parse) {
                Ok(None) => return Ok((Some(Cursor::default()), bytes)),
                Ok(Some(Some(cursor))) if cursor.unheld() <= bytes => return Ok((Some(cursor), bytes)),
                Ok(Some(_)) => {} // torn, or of mail that came after the look at the log
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {}
                Err(error) => return Err(Error::io("read", &path, error)),
            }
            std::thread::yield_now();
        }
        Ok((None, bytes))
    }

    /// How many messages there are between two offsets.
    pub fn count(&self, from: u64, to: u64) -> Result<usize> {
        let mut count = 0;
        self.each(from, to, &mut |_| {
            count += 1;
            true
        })?;
        Ok(count)
    }

    /// Shows the messages between two offsets one by one, for as long as `show`
    /// wants more, and keeps none: a log of any size takes no more memory than
    /// its longest line.
    pub fn each(&self, from: u64, to: u64, show: &mut dyn FnMut(Entry) -> bool) -> Result<Passed> {
        if from >= to {
            return Ok(Passed { damaged: 0, end: from });
        }
        let path = self.log();
        let passed = file::open(&path).and_then(|log| look_through(log, from, to, show));
        passed.map_err(|e| Error::io("read", &path, e))
    }

    /// Notes that the mail before `offset` of the hold with this token has been
    /// printed. Needs no sync: it matters only while the reading host lives.
    pub fn mark_shown(&self, token: &str, offset: u64) -> Result<()> {
        // Always as long, as it is written over the one before.
        overwrite(&self.file("shown"), &format!("{offset:020} {token}\n"))
    }

    /// The offset before which the mail of this hold has been printed.
    pub fn shown(&self, token: &str) -> Option<u64> {
        let content = file::read(&self.file("shown"), STATE_FILE_BYTES).ok()??;
        let text = String::from_utf8(content).ok()?;
        let (offset, of) = text.strip_suffix('\n')?.split_once(' ')?;
        if of == token { offset.parse().ok() } else { None }
    }

    /// The cursor's path.
    pub fn cursor_file(&self) -> PathBuf {
        self.file("cursor.json")
    }

    /// The log's path, for people to find it.
    pub fn log(&self) -> PathBuf {
        self.file(LOG)
    }
}

fn look_through(
    mut log: File,
    from: u64,
    to: u64,
    show: &mut dyn FnMut(Entry) -> bool,
) -> io::Result<Passed> {
    // History that was trimmed is a hole at the log's beginning.
    let from = if from == 0 { log::first_data(&mut log)?.min(to) } else { from };
    let mut passed = Passed { damaged: 0, end: from };
    log.seek(SeekFrom::Start(from))?;
    let at_once = (to - from).min(READ_AT_ONCE) as usize;
    let mut lines = BufReader::with_capacity(at_once, log.take(to - from));
    let mut line = Vec::new();
    let mut more = true;
    while more {
        line.clear();
        let read = (&mut lines).take(RECORD_BYTES as u64 + 1).read_until(b'\n', &mut line)?;
        let (start, mut end) = (passed.end, passed.end + read as u64);
        if line.last() != Some(&b'\n') {
            if read <= RECORD_BYTES {
                break; // the end, or a line still being written
            }
            end += lines.skip_until(b'\n')? as u64;
        }
        match Message::parse(&line) {
            Some(message) => more = show(Entry { message, start, end }),
            None => passed.damaged += usize::from(line.iter().any(|byte| !byte.is_ascii_whitespace())),
        }
        passed.end = end;
    }
    Ok(passed)
}

impl Guard<'_> {
    /// Appends a message and syncs it: when this returns, it is accepted.
    /// Returns the offset after it.
    pub fn append(&self, message: &Message) -> Result<u64> {
        let path = self.session().log();
        let end =
            log::append_line(&path, message.to_line().as_bytes()).map_err(|e| Error::not_stored(&path, e))?;
        file::touch(self.session().folder(), ACTIVE_MS);
        Ok(end)
    }

    /// Syncs what another process may have appended and not synced yet.
    pub fn sync_log(&self) -> Result<()> {
        sync(&self.session().log())
    }

    /// Notes the cursor. Not synced: what a power cut takes back comes again,
    /// marked, because it was sent before the machine started.
    pub fn note_cursor(&self, cursor: &Cursor) -> Result<()> {
        overwrite(&self.session().cursor_file(), &cursor.to_text())
    }

    /// Writes the cursor: when this returns, it lasts.
    pub fn write_cursor(&self, cursor: &Cursor) -> Result<()> {
        self.note_cursor(cursor)?;
        self.sync_cursor()
    }

    /// Makes what the cursor says last.
    pub fn sync_cursor(&self) -> Result<()> {
        sync(&self.session().cursor_file())
    }
}

fn overwrite(path: &Path, content: &str) -> Result<()> {
    file::overwrite(path, content.as_bytes()).map_err(|e| Error::io("write", path, e))
}

fn sync(path: &Path) -> Result<()> {
    file::sync(path).map_err(|e| Error::io("sync", path, e))
}
