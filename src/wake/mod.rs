//! Starts a host's program to resume a session.
//!
//! Invariant: the program gets a clean environment (no trace of the session
//! that asks), its arguments as they are without a shell, and no stdin.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Error, Result};

/// What is to be run.
pub struct Plan {
    pub program: String,
    pub arguments: Vec<String>,
    pub directory: PathBuf,
    /// Variables the child must not inherit.
    pub without: Vec<&'static str>,
}

/// Runs the plan to its end, its output passed through. Returns its exit code,
/// 128 plus the signal that ended it.
pub fn run(plan: &Plan) -> Result<i32> {
    let mut command = Command::new(&plan.program);
    command.args(&plan.arguments).current_dir(&plan.directory).stdin(Stdio::null());
    for variable in &plan.without {
        command.env_remove(variable);
    }
    let status = command.status().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::NotFound {
            what: "program",
            name: plan.program.clone(),
            hint: " on the PATH; install it, or wake the session where it is installed".to_owned(),
        },
        _ => Error::io("run", Path::new(&plan.program), error),
    })?;
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    Ok(status.code().unwrap_or(128 + signal.unwrap_or(0)))
}
