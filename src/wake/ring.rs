//! Rings a host: a few lines into a socket, or the host's own program.
//!
//! Invariant: never blocks whoever asks for it, and ends within its time
//! whatever the other side does.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread::JoinHandle;
use std::time::Duration;

use super::Plan;
use crate::error::{Error, Result};
use crate::limits::RING_MS;

/// A ring under way.
pub struct Ringing(JoinHandle<Result<()>>);

impl Ringing {
    /// Whether its outcome is there.
    pub fn is_over(&self) -> bool {
        self.0.is_finished()
    }

    /// What became of it.
    pub fn outcome(self) -> Result<()> {
        self.0.join().unwrap_or_else(|_| Err(Error::failed("the ring broke off")))
    }
}

/// Writes the lines to the socket at `path`.
pub fn post(path: PathBuf, lines: String) -> Result<Ringing> {
    in_background(Box::new(move || {
        let posted = UnixStream::connect(&path).and_then(|mut socket| {
            socket.set_write_timeout(Some(Duration::from_millis(RING_MS)))?;
            socket.write_all(lines.as_bytes())
        });
        posted.map_err(|error| Error::io("ring at", &path, error))
    }))
}

/// Runs the plan, without its output.
pub fn run(plan: Plan) -> Result<Ringing> {
    in_background(Box::new(move || super::finish(&plan, Stdio::null(), Duration::from_millis(RING_MS))))
}

fn in_background(ring: Box<dyn FnOnce() -> Result<()> + Send>) -> Result<Ringing> {
    let thread = std::thread::Builder::new().stack_size(128 * 1024).spawn(ring);
    thread.map(Ringing).map_err(|error| Error::failed(format!("cannot ring: {error}")))
}
