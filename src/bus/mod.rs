//! The door of the hosts' models: MCP over stdio.
//!
//! Invariant: one line in, at most one line out, in order; nothing else is ever
//! written to stdout; whatever comes in, the process lives until stdin ends or
//! stdout is gone, and both end it quietly.

mod frame;
mod protocol;
mod rpc;
mod schema;
mod tools;

use std::io::{self, Write};

use crate::error::Result;
use crate::ops::Relay;
use crate::ops::collect::Taken;
use frame::{Frame, Frames};
use protocol::Server;

/// A line for the host, and mail that is shown with it.
#[derive(Default)]
struct Answer {
    line: Option<String>,
    taken: Vec<Taken>,
}

/// Serves one host until it closes stdin. Returns the exit code.
pub fn run(relay: &Relay) -> Result<i32> {
    let mut frames = Frames::new(io::stdin().lock());
    let mut server = Server::new(relay);
    loop {
        let answer = match frames.next() {
            Err(_) | Ok(Frame::End) => return Ok(0),
            Ok(Frame::Line(line)) => server.answer(&line),
            Ok(Frame::TooLong) => server.refuse_long_line(),
        };
        if write(answer).is_err() {
            return Ok(0);
        }
    }
}

/// Writes one answer; mail in it counts as shown once the line is out.
fn write(answer: Answer) -> io::Result<()> {
    let Some(mut line) = answer.line else { return Ok(()) };
    line.push('\n');
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush());
    for taken in answer.taken {
        // What cannot be noted is shown again, marked: the safe side.
        let _ = match written {
            Ok(()) => taken.printed(),
            Err(_) => taken.not_printed(),
        };
    }
    written
}
