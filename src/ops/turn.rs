//! Whether a session's host works on a turn, by the transcript that it keeps.
//!
//! Invariant: a bounded piece of a regular file is read, the end first and more
//! only where that does not tell; what does not tell that a turn runs counts as
//! idle.

use std::path::Path;

use crate::host::{self, Event, Host, Moment};
use crate::limits::{TRANSCRIPT_MARK_BYTES, TRANSCRIPT_TAIL_BYTES, TRANSCRIPT_TURN_BYTES};
use crate::store::Info;
use crate::sys::{clock, file};

/// How many times as much is read where an end does not tell.
const FURTHER: usize = 4;

/// Whether a turn of this session runs, as far as its transcript tells.
pub fn turn_runs(info: &Info) -> bool {
    let (Some(path), Some(host)) = (&info.transcript, host::named(&info.host)) else { return false };
    told_by(path, host).unwrap_or(false)
}

fn told_by(path: &Path, host: &Host) -> Option<bool> {
    let changed = path.metadata().and_then(|metadata| metadata.modified());
    let unchanged_ms = changed.map_or(0, |time| clock::now_ms().saturating_sub(clock::file_ms(time)));
    look_back(path, TRANSCRIPT_TURN_BYTES, &|tail| (host.turn_runs)(tail, unchanged_ms))
}

/// Whether this is a prompt that waits behind a turn that runs: the turn that it
/// names has begun in the transcript already.
pub fn is_queued(host: &Host, event: &Event) -> bool {
    let (Moment::Prompt, Some(mark), Some(turn), Some(path)) =
        (event.moment, host.queued_mark, &event.turn, &event.transcript)
    else {
        return false;
    };
    let mark = mark(turn);
    look_back(path.as_ref(), TRANSCRIPT_MARK_BYTES, &|tail| tail.contains(&mark).then_some(true)).is_some()
}

/// What the transcript's end tells, of which more is looked at until it does, at
/// most `most` bytes.
fn look_back(path: &Path, most: usize, told: &dyn Fn(&str) -> Option<bool>) -> Option<bool> {
    let mut limit = TRANSCRIPT_TAIL_BYTES;
    loop {
        let tail = file::read_tail(path, limit).ok()??;
        let told = told(&String::from_utf8_lossy(whole_lines(&tail, limit)));
        if told.is_some() || tail.len() < limit || limit == most {
            return told;
        }
        limit = (limit * FURTHER).min(most);
    }
}

/// The end of a file without the line that it begins in the middle of, which tells
/// nothing and may not even be text there.
fn whole_lines(tail: &[u8], limit: usize) -> &[u8] {
    match tail.len() < limit {
        true => tail,
        false => tail.iter().position(|byte| *byte == b'\n').map_or(&[], |end| &tail[end + 1..]),
    }
}
