//! Kernel locks on files, with a bounded and fair wait.
//!
//! Invariant: a lock dies with its holder, waiters are served in the order they
//! came, and nobody waits longer than [`LOCK_WAIT_MS`].

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;

use super::file::{number, open, open_lock, open_with};
use crate::error::{Error, Result};
use crate::limits::LOCK_WAIT_MS;

/// How often a lock is tried before somebody holds it for good.
const LOOKS: usize = 4;

/// A lock; dropping it (or dying) releases it.
pub struct Lock {
    file: File,
    /// Whether it had to be waited for: then others wait, too.
    waited: bool,
}

impl Drop for Lock {
    /// What is released is free for whoever comes until the next in the queue
    /// runs: where there is a queue, that one is let run at once.
    fn drop(&mut self) {
        if self.waited {
            let _ = self.file.unlock();
            thread::yield_now();
        }
    }
}

impl Lock {
    /// Takes the lock on `path`, waiting at most [`LOCK_WAIT_MS`].
    pub fn exclusive(path: &Path) -> Result<Lock> {
        let (file, taken) = try_on(path, File::try_lock)?;
        if taken {
            return Ok(Lock { file, waited: false });
        }
        // The kernel queues blocked lockers first come, first served; only it
        // cannot be told to give up, so the wait is on a thread of its own.
        let waits = |error| Error::io("wait for the lock", path, error);
        let (same, waiter) = (file.try_clone().map_err(waits)?, thread::current());
        let outcome = Arc::new(OnceLock::new());
        let told = outcome.clone();
        let wait = move || {
            let _ = told.set(same.lock().map_err(|error| error.kind()));
            waiter.unpark();
        };
        thread::Builder::new().stack_size(64 * 1024).spawn(wait).map_err(waits)?;
        let end = Instant::now() + Duration::from_millis(LOCK_WAIT_MS);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match outcome.get() {
                Some(Ok(())) => return Ok(Lock { file, waited: true }),
                Some(Err(kind)) => return Err(Error::io("lock", path, (*kind).into())),
                None if left.is_zero() => return Err(Error::busy(path, holder(path))),
                None => thread::park_timeout(left),
            }
        }
    }

    /// Whether the locked file is still the one at this path.
    pub fn is_of(&self, path: &Path) -> bool {
        let locked = self.file.metadata().map(|metadata| (metadata.dev(), metadata.ino())).ok();
        locked.is_some() && locked == number(path)
    }

    /// Takes the lock only if nobody has it.
    pub fn try_exclusive(path: &Path) -> Result<Option<Lock>> {
        let (file, taken) = try_on(path, File::try_lock)?;
        Ok(taken.then_some(Lock { file, waited: false }))
    }

    /// Takes a shared lock, which any number of processes may have at once.
    pub fn try_shared(path: &Path) -> Result<Option<Lock>> {
        let (file, taken) = try_on(path, |file| past_looks(file, File::try_lock_shared))?;
        Ok(taken.then_some(Lock { file, waited: false }))
    }

    /// Whether somebody holds a lock on `path`, or nobody can tell; looking creates
    /// no file.
    pub fn is_held(path: &Path) -> bool {
        // NFS locks as lockf(3) does: whoever locks must be able to write.
        let opened = match open_with(path, OFlags::RDWR) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => open(path),
            opened => opened,
        };
        let Ok(file) = opened else { return false };
        past_looks(&file, File::try_lock).is_err()
    }
}

type Attempt = fn(&File) -> std::result::Result<(), TryLockError>;

/// Opens the file at `path`, made where there is none, and tries to lock it.
/// Whether that was done.
fn try_on(path: &Path, attempt: Attempt) -> Result<(File, bool)> {
    let file = open_lock(path).map_err(|error| Error::io("open the lock", path, error))?;
    match attempt(&file) {
        Ok(()) => Ok((file, true)),
        Err(TryLockError::WouldBlock) => Ok((file, false)),
        Err(TryLockError::Error(error)) => Err(Error::io("lock", path, error)),
    }
}

/// Tries again what a look ([`Lock::is_held`]) of another process may be in the
/// way of: to look is to take the lock for a moment.
fn past_looks(file: &File, attempt: Attempt) -> std::result::Result<(), TryLockError> {
    for _ in 1..LOOKS {
        match attempt(file) {
            Err(TryLockError::WouldBlock) => thread::yield_now(),
            outcome => return outcome,
        }
    }
    attempt(file)
}

/// Who holds the lock, as far as the kernel tells: `/proc/locks`, proc(5).
#[cfg(target_os = "linux")]
fn holder(path: &Path) -> Option<String> {
    let metadata = path.metadata().ok()?;
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    let device = metadata.dev();
    let wanted =
        format!("{:02x}:{:02x}:{}", rustix::fs::major(device), rustix::fs::minor(device), metadata.ino());
    // In the line of one that waits, an arrow moves these a word on.
    let pid = locks.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(4);
        let pid = words.next()?;
        (words.next()? == wanted).then_some(pid)
    })?;
    let command: io::Result<String> = std::fs::read_to_string(format!("/proc/{pid}/comm"));
    Some(match command {
        Ok(command) => format!("process {pid}, {}", command.trim()),
        Err(_) => format!("process {pid}"),
    })
}

#[cfg(not(target_os = "linux"))]
fn holder(_path: &Path) -> Option<String> {
    None
}
