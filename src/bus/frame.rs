//! Lines from the host, as bytes.
//!
//! Invariant: a line takes at most [`FRAME_BYTES`] of memory, however long it is.

use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::{AsFd, BorrowedFd};

use crate::limits::FRAME_BYTES;

/// What stands next on the pipe.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    /// A line without its end.
    Line(Vec<u8>),
    /// A line over the limit; it was skipped.
    TooLong,
    End,
}

/// Splits a pipe into lines.
pub struct Frames<R> {
    input: BufReader<R>,
    first: bool,
}

impl<R: Read> Frames<R> {
    pub fn new(input: R) -> Frames<R> {
        Frames { input: BufReader::new(input), first: true }
    }

    /// Whether the host has sent more than what was read so far, as far as that
    /// is known without waiting.
    pub fn more_is_here(&self) -> bool {
        !self.input.buffer().is_empty()
    }

    /// What tells that the host has sent more.
    pub fn source(&self) -> BorrowedFd<'_>
    where
        R: AsFd,
    {
        self.input.get_ref().as_fd()
    }

    /// The next line; the last may lack its newline.
    pub fn next(&mut self) -> io::Result<Frame> {
        let first = std::mem::take(&mut self.first);
        let mut line = Vec::new();
        self.input.by_ref().take(FRAME_BYTES as u64 + 1).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(Frame::End);
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if line.len() > FRAME_BYTES {
            self.input.skip_until(b'\n')?;
            return Ok(Frame::TooLong);
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        if first && line.starts_with(b"\xef\xbb\xbf") {
            line.drain(..3);
        }
        Ok(Frame::Line(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_ends_and_overlong_lines() {
        let mut input = b"\xef\xbb\xbfone\r\n\n".to_vec();
        input.extend(std::iter::repeat_n(b'x', FRAME_BYTES));
        input.push(b'\n');
        input.extend(std::iter::repeat_n(b'y', FRAME_BYTES + 1));
        input.extend(b"\nlast");
        let mut frames = Frames::new(&input[..]);
        assert_eq!(frames.next().unwrap(), Frame::Line(b"one".to_vec()));
        assert_eq!(frames.next().unwrap(), Frame::Line(Vec::new()));
        assert!(matches!(frames.next().unwrap(), Frame::Line(line) if line.len() == FRAME_BYTES));
        assert_eq!(frames.next().unwrap(), Frame::TooLong);
        assert_eq!(frames.next().unwrap(), Frame::Line(b"last".to_vec()));
        assert_eq!(frames.next().unwrap(), Frame::End);
    }
}
