//! Standard output that must arrive.
//!
//! Invariant: what cannot reach a reader is an error, also where the runtime
//! papers over it.

use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;

/// Writes all of `text` to stdout and flushes it.
pub fn deliver(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    if is_missing(&stdout) {
        return Err(io::Error::new(io::ErrorKind::BrokenPipe, "it is closed"));
    }
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Whether stdout was closed when the program started. Rust then puts
/// `/dev/null` there, opened for reading too, which nobody who wants the output
/// thrown away does.
fn is_missing(stdout: &io::StdoutLock) -> bool {
    let read_write =
        rustix::fs::fcntl_getfl(stdout).is_ok_and(|flags| flags.contains(rustix::fs::OFlags::RDWR));
    let device = |stat: rustix::fs::Stat| stat.st_rdev as u64;
    read_write
        && std::fs::metadata("/dev/null")
            .is_ok_and(|null| rustix::fs::fstat(stdout).is_ok_and(|stat| device(stat) == null.rdev()))
}
