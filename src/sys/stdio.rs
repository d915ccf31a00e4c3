//! Standard input that waits, and standard output that must arrive.
//!
//! Invariant: what cannot reach a reader is an error, also where the runtime
//! papers over it.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;

use rustix::fs::OFlags;

/// Standard input without a buffer that others cannot look into.
pub fn input() -> io::Result<File> {
    io::stdin().as_fd().try_clone_to_owned().map(File::from)
}

/// Whether something can be read at once, or the other side is gone.
pub fn is_ready(source: BorrowedFd) -> bool {
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    let mut sources = [rustix::event::PollFd::from_borrowed_fd(source, rustix::event::PollFlags::IN)];
    rustix::event::poll(&mut sources, Some(&now)).is_ok_and(|ready| ready > 0)
}

/// Makes stdin and stdout wait for the other side. Whoever made them may have
/// left them so that they fail instead when nothing is there yet.
pub fn wait_for_the_other_side() {
    for_waiting(&io::stdin());
    for_waiting(&io::stdout());
}

fn for_waiting(stream: &impl AsFd) {
    if let Ok(flags) = rustix::fs::fcntl_getfl(stream)
        && flags.contains(OFlags::NONBLOCK)
    {
        // Where this is refused, reading or writing says so.
        let _ = rustix::fs::fcntl_setfl(stream, flags - OFlags::NONBLOCK);
    }
}

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
    let read_write = rustix::fs::fcntl_getfl(stdout).is_ok_and(|flags| flags.contains(OFlags::RDWR));
    let device = |metadata: io::Result<std::fs::Metadata>| metadata.map(|metadata| metadata.rdev()).ok();
    let ours = || stdout.as_fd().try_clone_to_owned().and_then(|fd| File::from(fd).metadata());
    read_write && device(ours()) == device(std::fs::metadata("/dev/null"))
}
