//! Whether a session's host works on a turn, by the transcript that it keeps.
//!
//! Invariant: a bounded piece of a regular file is read; what does not tell that
//! a turn runs counts as idle.

use crate::host;
use crate::limits::TRANSCRIPT_TAIL_BYTES;
use crate::store::Info;
use crate::sys::{clock, file};

/// Whether a turn of this session runs, as far as its transcript tells.
pub fn turn_runs(info: &Info) -> bool {
    let (Some(path), Some(host)) = (&info.transcript, host::named(&info.host)) else { return false };
    let Ok(Some(tail)) = file::read_tail(path, TRANSCRIPT_TAIL_BYTES) else { return false };
    let changed = path.metadata().and_then(|metadata| metadata.modified());
    let unchanged_ms = changed.map_or(0, |time| clock::now_ms().saturating_sub(clock::file_ms(time)));
    (host.turn_runs)(&String::from_utf8_lossy(&tail), unchanged_ms).unwrap_or(false)
}
