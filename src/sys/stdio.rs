//! Standard input that waits, and standard output that must arrive.
//!
//! Invariant: what cannot reach a reader is an error, also where the runtime
//! papers over it. Nothing is buffered here, so the runtime's buffers are not
//! made either.

use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{OFlags, Stat};
use rustix::io::Errno;
use rustix::stdio::{stdin, stdout};

/// What one read of standard input asks for, in bytes.
const PIECE: usize = 4096;

/// Standard input without a buffer that others cannot look into.
pub fn input() -> io::Result<File> {
    stdin().try_clone_to_owned().map(File::from)
}

/// All of standard input, of which the first `limit` bytes are kept.
pub fn read_all(limit: usize) -> io::Result<Vec<u8>> {
    let mut piece = [0; PIECE];
    let mut kept = Vec::new();
    loop {
        match rustix::io::read(stdin(), &mut piece) {
            Ok(0) => return Ok(kept),
            Ok(length) => kept.extend_from_slice(&piece[..length.min(limit - kept.len())]),
            Err(error) => wait_after(error, stdin(), PollFlags::IN)?,
        }
    }
}

/// Waits where a call was only interrupted, or the stream made to fail when the
/// other side is not there yet; any other failure is the caller's.
fn wait_after(error: Errno, stream: BorrowedFd, until: PollFlags) -> io::Result<()> {
    match error {
        Errno::INTR => {}
        Errno::AGAIN => {
            let _ = rustix::event::poll(&mut [PollFd::from_borrowed_fd(stream, until)], None);
        }
        error => return Err(error.into()),
    }
    Ok(())
}

/// Whether something can be read at once, or the other side is gone.
pub fn is_ready(source: BorrowedFd) -> bool {
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    let mut sources = [PollFd::from_borrowed_fd(source, PollFlags::IN)];
    rustix::event::poll(&mut sources, Some(&now)).is_ok_and(|ready| ready > 0)
}

/// Makes stdin and stdout wait for the other side. Whoever made them may have
/// left them so that they fail instead when nothing is there yet.
pub fn wait_for_the_other_side() {
    for_waiting(stdin());
    for_waiting(stdout());
}

fn for_waiting(stream: BorrowedFd) {
    if let Ok(flags) = rustix::fs::fcntl_getfl(stream)
        && flags.contains(OFlags::NONBLOCK)
    {
        // Where this is refused, reading or writing says so.
        let _ = rustix::fs::fcntl_setfl(stream, flags - OFlags::NONBLOCK);
    }
}

/// Writes all of `text` to stdout.
pub fn deliver(text: &str) -> io::Result<()> {
    if is_missing(stdout()) {
        return Err(io::Error::new(io::ErrorKind::BrokenPipe, "it is closed"));
    }
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        match rustix::io::write(stdout(), rest) {
            Ok(length) => rest = &rest[length..],
            Err(error) => wait_after(error, stdout(), PollFlags::OUT)?,
        }
    }
    Ok(())
}

/// Whether stdout was closed when the program started. Rust then puts
/// `/dev/null` there, opened for reading too, which nobody who wants the output
/// thrown away does.
fn is_missing(stdout: BorrowedFd) -> bool {
    let read_write = rustix::fs::fcntl_getfl(stdout).is_ok_and(|flags| flags.contains(OFlags::RDWR));
    let device = |found: rustix::io::Result<Stat>| found.map(|found| found.st_rdev).ok();
    read_write && device(rustix::fs::fstat(stdout)) == device(rustix::fs::stat("/dev/null"))
}
