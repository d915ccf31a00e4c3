//! Rings a host: a few lines into a socket, or the host's own program.
//!
//! Invariant: never blocks whoever asks for it, and ends within its time
//! whatever the other side does.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Stdio;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Plan;
use crate::error::{Error, Result};
use crate::limits::RING_MS;

/// How often a running program is looked at, in milliseconds.
const LOOK_MS: u64 = 50;

/// A ring under way.
pub struct Ringing(JoinHandle<Result<()>>);

impl Ringing {
    /// What became of it; the ring itself while that is open.
    pub fn outcome(self) -> std::result::Result<Result<()>, Ringing> {
        match self.0.is_finished() {
            false => Err(self),
            true => Ok(self.0.join().unwrap_or_else(|_| Err(Error::failed("the ring broke off")))),
        }
    }
}

/// Writes the lines to the socket at `path`.
pub fn post(path: &Path, lines: String) -> Result<Ringing> {
    let path = path.to_owned();
    in_background(move || {
        let posted = UnixStream::connect(&path).and_then(|mut socket| {
            socket.set_write_timeout(Some(Duration::from_millis(RING_MS)))?;
            socket.write_all(lines.as_bytes())
        });
        posted.map_err(|error| Error::io("ring at", &path, error))
    })
}

/// Runs the plan, without its output.
pub fn run(plan: Plan) -> Result<Ringing> {
    in_background(move || {
        let failed = |error| Error::io("run", Path::new(&plan.program), error);
        let mut command = super::command(&plan);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(failed)?;
        let deadline = Instant::now() + Duration::from_millis(RING_MS);
        loop {
            match child.try_wait().map_err(failed)? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => {
                    let words: Vec<&str> = plan.arguments.iter().map(String::as_str).take(2).collect();
                    return Err(Error::failed(format!(
                        "{} {} failed: {status}",
                        plan.program,
                        words.join(" ")
                    )));
                }
                None if Instant::now() > deadline => {
                    let _ = child.kill().and_then(|()| child.wait());
                    return Err(Error::failed(format!("{} took too long to ring", plan.program)));
                }
                None => std::thread::sleep(Duration::from_millis(LOOK_MS)),
            }
        }
    })
}

fn in_background(ring: impl FnOnce() -> Result<()> + Send + 'static) -> Result<Ringing> {
    let thread = std::thread::Builder::new().stack_size(128 * 1024).spawn(ring);
    thread.map(Ringing).map_err(|error| Error::failed(format!("cannot ring: {error}")))
}
