//! Subagents at work for a session, where their events look like its own: mail
//! must not be shown to them.
//!
//! Invariant: a note that is lost or torn delays mail to the turn's end at the
//! most, because that and the next prompt forget all notes.

use super::Session;
use crate::limits::STATE_FILE_BYTES;
use crate::sys::file;

impl Session {
    /// A subagent begins or ends its task, which `task` tells from others.
    pub fn note_subagent(&self, task: &str, begins: bool) {
        let sign = if begins { '+' } else { '-' };
        // The folder may not exist yet: then there is no mail either.
        let _ = file::append_note(&self.file("aside"), &format!("{sign}{task}\n"));
    }

    /// Whether a subagent is at work.
    pub fn has_subagent(&self) -> bool {
        let Ok(Some(notes)) = file::read(&self.file("aside"), STATE_FILE_BYTES) else { return false };
        let signs =
            |sign: u8| notes.split(|byte| *byte == b'\n').filter(|line| line.first() == Some(&sign)).count();
        signs(b'+') > signs(b'-')
    }

    /// None is, whatever was noted.
    pub fn forget_subagents(&self) {
        let _ = file::remove(&self.file("aside"));
    }
}
