//! Whether a session runs by its host's own records, for those that relay has not
//! met: a session that started before relay was installed has no hook.
//!
//! Invariant: a bounded number of small regular files is read, and what makes no
//! sense counts as none; a record is believed only while its process runs.

use crate::host::{Host, Records};
use crate::limits::{RUNNING_RECORD_BYTES, RUNNING_RECORDS};
use crate::sys::folder::{self, Kind};
use crate::sys::process::Process;
use crate::sys::{Env, file};

/// Whether a process of the host runs this session, as the host has noted it.
pub fn runs_by_its_host(env: &Env, host: &Host, id: &str) -> bool {
    host.running.is_some_and(|records| is_recorded(env, records, id))
}

fn is_recorded(env: &Env, records: &Records, id: &str) -> bool {
    let path = (records.folder)(env);
    let Ok(opened) = file::open(&path) else { return false };
    let (mut left, mut found) = (RUNNING_RECORDS, false);
    let _ = folder::each(&opened, &mut |entry| {
        left -= 1;
        if entry.name.ends_with(records.ending) && entry.kind() == Kind::File {
            let content = file::read(&file::below(&path, entry.name), RUNNING_RECORD_BYTES);
            let content = content.ok().flatten().unwrap_or_default();
            let told = std::str::from_utf8(&content).ok().and_then(records.read);
            found = told.is_some_and(|told| {
                told.id.eq_ignore_ascii_case(id)
                    && Process::of(told.pid).is_some_and(|process| process.started(&told.start))
            });
        }
        left > 0 && !found
    });
    found
}
