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
mod waiting;

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::limits::{SWEEP_AFTER_MS, SWEEP_MS};
use crate::ops::Relay;
use crate::ops::bell::Bell;
use crate::ops::gc::a_piece;
use crate::sys::stdio;
use crate::sys::watch::Watch;
use frame::{Frame, Frames};
use protocol::Server;
use shown::{Mail, Shown};

/// What one line of the host leads to.
#[derive(Default)]
struct Answer {
    line: Option<String>,
    /// Mail that is shown with the line.
    mail: Vec<Mail>,
    /// The request that the client no longer waits for.
    given_up: Vec<String>,
}

/// Serves one host until it closes stdin. Returns the exit code.
pub fn run(relay: &Relay) -> Result<i32> {
    let mut frames = Frames::new(stdio::Input);
    let mut server = Server::new(relay);
    let mut shown = Shown::default();
    let mut idle = None;
    loop {
        let answer = match frames.next() {
            Ok(Frame::Line(line)) => server.answer(&line),
            Ok(Frame::TooLong) => server.refuse_long_line(),
            Err(_) | Ok(Frame::End) => {
                shown.note();
                return Ok(0);
            }
        };
        answer.given_up.iter().for_each(|request| shown.give_up(request));
        if !shown.write(answer, &|| frames.more_is_here() || stdio::is_ready(frames.source())) {
            return Ok(0);
        }
        if !frames.more_is_here() {
            // Only now: the first answer must not wait for what else there is to do.
            let idle = idle.get_or_insert_with(|| Idle::new(relay));
            if !idle.until_input(frames.source(), &mut server, &mut shown)? {
                return Ok(0);
            }
        }
    }
}

/// A moment from now.
fn in_ms(wait_ms: u64) -> Instant {
    Instant::now() + Duration::from_millis(wait_ms)
}

/// What a bus does while its host says nothing.
struct Idle<'a> {
    relay: &'a Relay,
    watch: Watch,
    bell: Bell,
    /// When the store is due for a piece of its daily sweep.
    sweep: Instant,
}

impl<'a> Idle<'a> {
    fn new(relay: &'a Relay) -> Idle<'a> {
        Idle { relay, watch: Watch::new(), bell: Bell::new(relay), sweep: in_ms(SWEEP_AFTER_MS) }
    }

    /// Answers calls that wait and minds the bell until the host says
    /// something. `false`: nobody reads the answers any more.
    fn until_input(&mut self, input: BorrowedFd, server: &mut Server, shown: &mut Shown) -> Result<bool> {
        loop {
            if server.watch(&mut self.watch) && !self.answer(input, server, shown) {
                return Ok(false);
            }
            if self.bell.next().is_some_and(|due| due <= Instant::now()) {
                self.bell.look(self.relay, &mut self.watch);
            }
            if self.sweep <= Instant::now() {
                // What fails is tried again a day later; `relay gc` says why.
                self.sweep = in_ms(a_piece(self.relay).unwrap_or(SWEEP_MS));
            }
            let next = match shown.is_open() {
                true => Instant::now(),
                false => server.next(self.bell.next().unwrap_or(self.sweep).min(self.sweep)),
            };
            let pause = next.saturating_duration_since(Instant::now());
            let woken = self.watch.wait(Some(input), Some(pause));
            let woken = woken.map_err(|e| Error::io("wait on", "stdin".as_ref(), e))?;
            if woken.input {
                return Ok(true);
            }
            shown.note();
            if woken.changed {
                self.bell.look(self.relay, &mut self.watch);
            }
            if !self.answer(input, server, shown) {
                return Ok(false);
            }
        }
    }

    /// Answers the calls that have waited long enough. `false`: nobody reads.
    fn answer(&self, input: BorrowedFd, server: &mut Server, shown: &mut Shown) -> bool {
        server.look_again().into_iter().all(|answer| shown.write(answer, &|| stdio::is_ready(input)))
    }
}
