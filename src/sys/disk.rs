//! Whether a file system takes anything at all.
//!
//! Invariant: told by what the system says of it; nothing is written.

use std::path::Path;

use rustix::fs::{StatVfsMountFlags, statvfs};

use crate::limits::FULL_BYTES;

/// Why nothing can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    ReadOnly,
    Full,
}

/// Why the file system at `path` takes nothing; `None` where it does, or does not say.
pub fn refusal(path: &Path) -> Option<Refusal> {
    let found = statvfs(path).ok()?;
    if found.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Some(Refusal::ReadOnly);
    }
    // Some say of neither space nor files how much there is.
    let no_space = found.f_blocks > 0 && found.f_bavail.saturating_mul(found.f_frsize) < FULL_BYTES;
    let no_files = found.f_files > 0 && found.f_favail == 0;
    (no_space || no_files).then_some(Refusal::Full)
}
