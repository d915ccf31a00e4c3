//! The note of the store's daily sweep: when, and how far it has come.
//!
//! Invariant: one process sweeps at a time; a note that is lost or damaged only
//! makes the sweep begin anew.

use super::Store;
use crate::error::{Error, Result};
use crate::limits::STATE_FILE_BYTES;
use crate::sys::lock::Lock;
use crate::sys::{clock, file};

const NOTE: &str = "swept";

impl Store {
    /// When the last sweep (or piece of one) was done, in milliseconds since
    /// 1970, and the key of the session after which it is to go on.
    pub fn sweep_note(&self) -> (u64, Option<String>) {
        let content =
            file::read(&self.home().join(NOTE), STATE_FILE_BYTES).ok().flatten().unwrap_or_default();
        let text = String::from_utf8(content).unwrap_or_default();
        let mut words = text.strip_suffix('\n').unwrap_or_default().split(' ');
        let when = words.next().and_then(clock::parse_rfc3339).unwrap_or(0);
        (when, words.next().map(str::to_owned))
    }

    /// Notes that a sweep has come to `after`, or to its end.
    pub fn note_sweep(&self, now_ms: u64, after: Option<&str>) -> Result<()> {
        let path = self.home().join(NOTE);
        let after = after.map(|key| format!(" {key}")).unwrap_or_default();
        file::write_note(&path, &format!("{}{after}\n", clock::rfc3339(now_ms)))
            .map_err(|e| Error::io("write", &path, e))
    }

    /// The right to sweep; `None` while another process does.
    pub fn sweep_lock(&self) -> Result<Option<Lock>> {
        Lock::try_exclusive(&self.home().join(NOTE))
    }
}
