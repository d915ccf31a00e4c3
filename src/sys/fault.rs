//! A seam where tests stop the program: every change to a file asks here first.
//!
//! Invariant: in release builds each function is empty. In debug builds
//! `RELAY_FAULT=crash:N`, `fail:N`, `fail-from:N` or `lose:N` acts at the N-th
//! step of the process: abort, one error, errors from then on, or abort as a
//! power cut would, with every change undone that was not synced yet. With
//! `restarted:0` the machine was started just now.

use std::io;
use std::path::Path;

use super::Env;

#[cfg(not(debug_assertions))]
mod seam {
    use super::*;

    pub fn arm(_: &Env) {}
    pub fn step() -> io::Result<()> {
        Ok(())
    }
    pub fn unsynced(_: &Path) {}
    pub fn synced(_: &Path) {}
    pub fn up_ms() -> Option<u64> {
        None
    }
}

#[cfg(debug_assertions)]
mod seam {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::PathBuf;
    use std::sync::Mutex;

    use super::*;

    /// A file as it was when it was last durable: its content, or absent.
    type Durable = Option<Vec<u8>>;

    struct Plan {
        action: String,
        at: u64,
        steps: u64,
        /// What a power cut would bring back.
        undo: BTreeMap<PathBuf, Durable>,
    }

    static PLAN: Mutex<Option<Plan>> = Mutex::new(None);

    /// Arms the seam from the text of `RELAY_FAULT`.
    pub fn arm(env: &Env) {
        let spec = env.get("RELAY_FAULT").unwrap_or_default();
        let Some((action, at)) = spec.split_once(':') else { return };
        let Ok(at) = at.parse() else { return };
        if let Ok(mut plan) = PLAN.lock() {
            *plan = Some(Plan { action: action.to_owned(), at, steps: 0, undo: BTreeMap::new() });
        }
    }

    /// Counts one mutating step, and acts when it is the chosen one.
    pub fn step() -> io::Result<()> {
        let Ok(mut guard) = PLAN.lock() else { return Ok(()) };
        let Some(plan) = guard.as_mut() else { return Ok(()) };
        plan.steps += 1;
        let now = plan.steps == plan.at;
        match plan.action.as_str() {
            "crash" if now => std::process::abort(),
            "lose" if now => {
                for (path, content) in &plan.undo {
                    let _ = match content {
                        Some(bytes) => fs::write(path, bytes),
                        None => fs::remove_file(path),
                    };
                }
                std::process::abort()
            }
            "fail" if now => Err(io::Error::from_raw_os_error(5)),
            "fail-from" if plan.steps >= plan.at => Err(io::Error::from_raw_os_error(28)),
            _ => Ok(()),
        }
    }

    /// The path is about to change in a way that only a later sync makes last.
    pub fn unsynced(path: &Path) {
        if let Ok(mut guard) = PLAN.lock()
            && let Some(plan) = guard.as_mut()
        {
            plan.undo.entry(path.to_owned()).or_insert_with(|| fs::read(path).ok());
        }
    }

    /// How long the machine has been up, where a test says so.
    pub fn up_ms() -> Option<u64> {
        let plan = PLAN.lock().ok()?;
        plan.as_ref().filter(|plan| plan.action == "restarted").map(|plan| plan.at)
    }

    /// The path's content and name have reached the disk.
    pub fn synced(path: &Path) {
        if let Ok(mut guard) = PLAN.lock()
            && let Some(plan) = guard.as_mut()
        {
            plan.undo.remove(path);
        }
    }
}

pub use seam::{arm, step, synced, unsynced, up_ms};
