//! Standard input that waits, and standard output that must arrive.
//!
//! Invariant: what cannot reach a reader is an error, also where the runtime
//! papers over it. Nothing is buffered here, so the runtime's buffers are not
//! made either.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{OFlags, Stat};
use rustix::io::Errno;
use rustix::stdio::{stdin, stdout};

/// What one read of standard input asks for, in bytes.
const PIECE: usize = 4096;

/// Standard input without a buffer that others cannot look into.
pub struct Input;

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match rustix::io::read(stdin(), &mut *buffer) {
                Ok(length) => return Ok(length),
                Err(Errno::BADF) => return Ok(0), // open for writing alone
                Err(error) => wait_after(error, stdin(), PollFlags::IN)?,
            }
        }
    }
}

impl AsFd for Input {
    fn as_fd(&self) -> BorrowedFd<'_> {
        stdin()
    }
}

/// All of standard input, of which the first `limit` bytes are kept.
pub fn read_all(limit: usize) -> io::Result<Vec<u8>> {
    let mut piece = [0; PIECE];
    let mut kept = Vec::new();
    loop {
        match Input.read(&mut piece)? {
            0 => return Ok(kept),
            length => kept.extend_from_slice(&piece[..length.min(limit - kept.len())]),
        }
    }
}

/// Waits where a call was only interrupted, or where whoever made the stream has
/// left it so that it fails when the other side is not there yet. Any other
/// failure is the caller's.
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
    is_ready_within(source, Duration::ZERO)
}

/// The same, or becomes so within this time, or less where a signal comes.
pub fn is_ready_within(source: BorrowedFd, patience: Duration) -> bool {
    let patience = Timespec::try_from(patience).ok();
    let mut sources = [PollFd::from_borrowed_fd(source, PollFlags::IN)];
    rustix::event::poll(&mut sources, patience.as_ref()).is_ok_and(|ready| ready > 0)
}

/// Writes all of `text` to stdout.
pub fn deliver(text: &str) -> io::Result<()> {
    if is_missing(stdout()) {
        let words = "it is closed, or /dev/null for reading too, which looks the same; use >/dev/null to throw mail away";
        return Err(io::Error::new(io::ErrorKind::BrokenPipe, words));
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

/// Whether stdout may have been closed when the program started. Rust then puts
/// `/dev/null` there, opened for reading too, before any code of relay's runs. So
/// do Python's `DEVNULL` and Node's `ignore`, and nothing that the system tells
/// of an open file tells them apart: not its flags, its number or its times. Mail
/// that stays although nobody wanted it can be taken again, and mail that is lost
/// cannot, so all of them count as closed; `>/dev/null` does not.
fn is_missing(stdout: BorrowedFd) -> bool {
    let read_write = rustix::fs::fcntl_getfl(stdout).is_ok_and(|flags| flags.contains(OFlags::RDWR));
    let device = |found: rustix::io::Result<Stat>| found.map(|found| found.st_rdev).ok();
    read_write && device(rustix::fs::fstat(stdout)) == device(rustix::fs::stat("/dev/null"))
}
