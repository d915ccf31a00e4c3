//! The door of the hosts' models: MCP over stdio.
//!
//! Invariant: one line in, at most one line out, in order; nothing else is ever
//! written to stdout; whatever comes in, the process lives until stdin ends or
//! stdout is gone, and both end it quietly.

mod frame;
mod protocol;
mod rpc;
mod schema;
mod shown;
mod tools;

use std::io;

use crate::error::Result;
use crate::ops::Relay;
use crate::sys::stdio;
use frame::{Frame, Frames};
use protocol::Server;
use shown::{Mail, Shown, put_back};

/// What one line of the host leads to.
#[derive(Default)]
struct Answer {
    line: Option<String>,
    /// Mail that is shown with the line.
    mail: Vec<Mail>,
    /// The request that the client no longer waits for.
    given_up: Option<String>,
}

/// Serves one host until it closes stdin. Returns the exit code.
pub fn run(relay: &Relay) -> Result<i32> {
    stdio::wait_for_the_other_side();
    let mut frames = Frames::new(io::stdin().lock());
    let mut server = Server::new(relay);
    let mut shown = Shown::default();
    loop {
        let answer = match frames.next() {
            Ok(Frame::Line(line)) => server.answer(&line),
            Ok(Frame::TooLong) => server.refuse_long_line(),
            Err(_) | Ok(Frame::End) => {
                shown.note();
                return Ok(0);
            }
        };
        if let Some(request) = answer.given_up {
            shown.give_up(&request);
        }
        if write(answer.line).is_err() {
            answer.mail.iter().for_each(put_back);
            return Ok(0);
        }
        shown.add(answer.mail);
        if !frames.more_is_here() {
            shown.note();
        }
    }
}

/// The one way to stdout: a whole line at a time.
fn write(line: Option<String>) -> io::Result<()> {
    match line {
        None => Ok(()),
        Some(line) => stdio::deliver(&(line + "\n")),
    }
}
