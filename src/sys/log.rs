//! Logs on disk: append a line, and let the oldest go.
//!
//! Invariant: a log only grows, a whole line at a time; an offset in it stays
//! what it is, also when what was before it has been let go.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::OFlags;

use super::fault;
use super::file::{ANEW, make_last, open, open_or_create, open_with, sync_directory_of};

/// What one read of a log to be copied asks for, in bytes.
const COPIED_AT_ONCE: usize = 64 * 1024;

/// Appends one line (which must end in a newline) to a log, in one write, and
/// syncs it. A torn line that a crash left behind is closed first, so that it
/// cannot swallow this one; a write that fails is taken back. The caller holds
/// the log's lock. Returns the offset after the line.
pub fn append_line(path: &Path, line: &[u8]) -> io::Result<u64> {
    let mut log = open_or_create(path, OFlags::RDWR | OFlags::APPEND)?;
    let before = log.seek(SeekFrom::End(0))?;
    let mut record = Vec::with_capacity(line.len() + 1);
    if before > 0 {
        let mut last = [0u8];
        log.read_exact_at(&mut last, before - 1)?;
        if last != *b"\n" {
            record.push(b'\n');
        }
    }
    record.extend_from_slice(line);
    fault::unsynced(path);
    let written = fault::step()
        .and_then(|()| log.write_all(&record))
        .and_then(|()| fault::step())
        .and_then(|()| make_last(&log, File::sync_data))
        // The first line makes the folders last, too: whoever made them may have
        // died before that.
        .and_then(|()| if before == 0 { sync_folders_of(path) } else { Ok(()) });
    match written {
        Ok(()) => {
            fault::synced(path);
            Ok(before + record.len() as u64)
        }
        Err(error) => {
            let _ = log.set_len(before);
            Err(error)
        }
    }
}

fn sync_folders_of(path: &Path) -> io::Result<()> {
    sync_directory_of(path)?;
    path.parent().map_or(Ok(()), sync_directory_of)
}

/// Replaces a log by one with a hole where its first `length` bytes were: what
/// follows stays where it is. The caller holds the lock that makes it the only
/// writer.
pub fn hollow(path: &Path, length: u64) -> io::Result<()> {
    let draft = path.with_extension("tmp");
    let replaced = hollow_through(&draft, path, length);
    if replaced.is_err() {
        let _ = fs::remove_file(&draft); // or a full disk would stay full
    }
    replaced
}

fn hollow_through(draft: &Path, path: &Path, length: u64) -> io::Result<()> {
    let mut old = open(path)?;
    old.seek(SeekFrom::Start(length))?;
    fault::step()?;
    let mut new = open_with(draft, ANEW)?;
    new.seek(SeekFrom::Start(length))?;
    fault::step()?;
    let mut piece = vec![0; COPIED_AT_ONCE];
    loop {
        match old.read(&mut piece)? {
            0 => break,
            length => new.write_all(&piece[..length])?,
        }
    }
    fault::step()?;
    // When mail last came must still show.
    new.set_modified(old.metadata()?.modified()?)?;
    make_last(&new, File::sync_all)?;
    fault::unsynced(path);
    fault::step()?;
    fs::rename(draft, path)?;
    sync_directory_of(path)?;
    fault::synced(path);
    Ok(())
}

/// Where a log's first line begins behind the hole that [`hollow`] made.
pub fn first_data(file: &mut File) -> io::Result<u64> {
    // Blocks of the hole need not be read where the system can skip them.
    let mut at = rustix::fs::seek(&*file, rustix::fs::SeekFrom::Data(0)).unwrap_or(0);
    file.seek(SeekFrom::Start(at))?;
    let mut piece = [0u8; 8192];
    loop {
        let length = file.read(&mut piece)?;
        let hollow = piece[..length].iter().take_while(|byte| **byte == 0).count();
        at += hollow as u64;
        if hollow < length {
            let newline = at > 0 && piece[hollow] == b'\n';
            return Ok(at + u64::from(newline));
        }
        if length == 0 {
            return Ok(at);
        }
    }
}
