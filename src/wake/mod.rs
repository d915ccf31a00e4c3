//! Starts a host's program: to resume a session, or to list what it has.
//!
//! Invariant: the program gets a clean environment (no trace of the session
//! that asks), its arguments as they are without a shell, and no stdin.

pub mod ring;

use std::io::{self, ErrorKind, PipeReader, Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::sys::stdio::is_ready_within;

/// How often a running program is looked at, in milliseconds.
const LOOK_MS: u64 = 50;

/// How often it is asked whether a program has ended that prints nothing, in
/// milliseconds.
const RUN_LOOK_MS: u64 = 500;

/// How much is read for the first line that a program prints.
const LINE_BYTES: usize = 4096;

/// What is to be run.
pub struct Plan {
    pub program: String,
    pub arguments: Vec<String>,
    pub directory: PathBuf,
    /// Variables the child must not inherit.
    pub without: Vec<&'static str>,
}

impl Plan {
    /// A program with these arguments, in this directory.
    pub fn new(program: &str, arguments: &[&str], directory: &Path) -> Plan {
        Plan {
            program: program.to_owned(),
            arguments: arguments.iter().map(|word| (*word).to_owned()).collect(),
            directory: directory.to_owned(),
            without: Vec::new(),
        }
    }
}

/// Whether the program may read what the user types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    Nothing,
    Terminal,
}

/// Runs the plan to its end, its output passed through; `begun` gets its process
/// id. Returns its exit code, 128 plus the signal that ended it.
pub fn run(plan: &Plan, input: Input, begun: impl FnOnce(u32)) -> Result<i32> {
    let input = match input {
        Input::Nothing => Stdio::null(),
        Input::Terminal => Stdio::inherit(),
    };
    let child = spawn(plan, &[], [input, Stdio::inherit(), Stdio::inherit()]);
    let mut child = child.map_err(|error| cannot_start(plan, error))?;
    begun(child.id());
    child.wait().map(exit_code).map_err(|error| cannot_start(plan, error))
}

/// As [`run`], with the output handed to `keep` in pieces as it comes, stdout
/// and stderr in one.
pub fn run_recorded(plan: &Plan, begun: impl FnOnce(u32), mut keep: impl FnMut(&[u8])) -> Result<i32> {
    let failed = |error| cannot_start(plan, error);
    let (mut output, errors) = io::pipe().map_err(failed)?;
    let also = errors.try_clone().map_err(failed)?;
    let mut child = spawn(plan, &[], [Stdio::null(), errors.into(), also.into()]).map_err(failed)?;
    begun(child.id());
    let mut piece = [0u8; 8192];
    let mut ended = None;
    // A program that it leaves running may keep the pipe open for ever.
    loop {
        let patience = if ended.is_some() { Duration::ZERO } else { Duration::from_millis(RUN_LOOK_MS) };
        if !is_ready_within(output.as_fd(), patience) {
            match ended {
                Some(status) => return Ok(exit_code(status)),
                None => ended = child.try_wait().map_err(failed)?,
            }
            continue;
        }
        match output.read(&mut piece) {
            Ok(0) | Err(_) => break,
            Ok(length) => keep(&piece[..length]),
        }
    }
    child.wait().map(exit_code).map_err(failed)
}

/// Starts the plan and returns the first line it prints; it runs on.
pub fn start(plan: &Plan) -> Result<String> {
    let failed = |error| cannot_start(plan, error);
    let (mut output, writer) = io::pipe().map_err(failed)?;
    spawn(plan, &[], [Stdio::null(), writer.into(), Stdio::null()]).map_err(failed)?;
    let (mut printed, mut piece) = (Vec::new(), [0; LINE_BYTES]);
    while printed.len() < LINE_BYTES && !printed.contains(&b'\n') {
        match output.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => printed.extend_from_slice(&piece[..length]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    let printed = String::from_utf8_lossy(&printed);
    Ok(printed.lines().next().unwrap_or_default().trim_end().to_owned())
}

/// Runs the plan to its end, without what it prints but for what goes to
/// `errors`. An exit code other than 0 is an error; so is more time than
/// `patience`, after which it is killed.
pub fn finish(plan: &Plan, errors: Stdio, patience: Duration) -> Result<()> {
    let end = Instant::now() + patience;
    let failed = |error| Error::io("run", Path::new(&plan.program), error);
    let mut child = spawn(plan, &[], [Stdio::null(), Stdio::null(), errors]).map_err(failed)?;
    // Its verb is enough: messages and paths come behind options.
    let mut line = plan.program.clone();
    for word in plan.arguments.iter().take_while(|word| !word.starts_with('-')) {
        line = line + " " + word;
    }
    loop {
        match child.try_wait().map_err(failed)?.map(exit_code) {
            Some(0) => return Ok(()),
            Some(code) => {
                let text = format!("{line} failed with exit code {code}; run it by hand to see why");
                return Err(Error::failed(text));
            }
            None if Instant::now() >= end => {
                let _ = child.kill().and_then(|()| child.wait());
                return Err(Error::failed(format!(
                    "{line} did not end within {} s and was killed; run it by hand to see what it waits for",
                    patience.as_secs()
                )));
            }
            None => std::thread::sleep(Duration::from_millis(LOOK_MS)),
        }
    }
}

/// Starts the plan with these variables set, and with these as its stdin, stdout and
/// stderr, of which nothing stays open here. Its directory is told as a shell there
/// would: opencode believes PWD more than the directory it stands in.
fn spawn(plan: &Plan, variables: &[(&str, &str)], streams: [Stdio; 3]) -> io::Result<Child> {
    let mut command = Command::new(&plan.program);
    command.args(&plan.arguments).current_dir(&plan.directory);
    command.env("PWD", &plan.directory).env_remove("OLDPWD");
    for variable in &plan.without {
        command.env_remove(variable);
    }
    for (name, value) in variables {
        command.env(name, value);
    }
    let [input, output, errors] = streams;
    command.stdin(input).stdout(output).stderr(errors).spawn()
}

fn cannot_start(plan: &Plan, error: io::Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => not_there(plan),
        _ => Error::io("run", Path::new(&plan.program), error),
    }
}

/// The error for a program that is not to be found.
pub fn not_there(plan: &Plan) -> Error {
    let hint = " on the PATH; install it, or wake the session where it is installed";
    Error::not_found("program", &plan.program, hint)
}

fn exit_code(status: std::process::ExitStatus) -> i32 {
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    status.code().unwrap_or(128 + signal.unwrap_or(0))
}

/// What the plan prints within `patience`, up to `bytes`. It does not outlive
/// this call.
pub fn output(plan: &Plan, bytes: usize, patience: Duration) -> Option<String> {
    gather(plan, false, bytes, patience)
}

/// The same with what it prints on stderr: some hosts answer people there.
pub fn answer(plan: &Plan, bytes: usize, patience: Duration) -> Option<String> {
    gather(plan, true, bytes, patience)
}

fn gather(plan: &Plan, with_errors: bool, bytes: usize, patience: Duration) -> Option<String> {
    let (reader, writer) = io::pipe().ok()?;
    let errors = if with_errors { writer.try_clone().ok()?.into() } else { Stdio::null() };
    let mut child = spawn(plan, &[], [Stdio::null(), writer.into(), errors]).ok()?;
    let printed = read_within(reader, bytes, patience);
    let _ = child.kill();
    let _ = child.wait();
    printed.map(|printed| String::from_utf8_lossy(&printed).into_owned())
}

/// What can be read until the end, or up to `bytes`; `None` if that takes longer.
fn read_within(mut reader: PipeReader, bytes: usize, patience: Duration) -> Option<Vec<u8>> {
    let end = Instant::now() + patience;
    let mut read = Vec::new();
    let mut piece = [0; 4096];
    while read.len() < bytes {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        if !is_ready_within(reader.as_fd(), left) {
            continue;
        }
        match reader.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => read.extend_from_slice(&piece[..length.min(bytes - read.len())]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    Some(read)
}

/// Runs the plan with `input` on its stdin and these variables set. Returns its
/// stdout; an exit code other than 0 is an error. For relay's own verbs alone:
/// all of their waits are bounded, this one is not.
pub fn converse(plan: &Plan, variables: &[(&str, &str)], input: &str) -> Result<String> {
    let failed = |error| Error::io("run", Path::new(&plan.program), error);
    let streams = [Stdio::piped(), Stdio::piped(), Stdio::inherit()];
    let mut child = spawn(plan, variables, streams).map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).map_err(failed)?;
    }
    let mut printed = Vec::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_end(&mut printed).map_err(failed)?;
    }
    match child.wait().map_err(failed)?.success() {
        true => Ok(String::from_utf8_lossy(&printed).into_owned()),
        false => Err(Error::failed(format!("{} {} failed", plan.program, plan.arguments.join(" ")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Plan {
        Plan::new("sh", &["-c", script], Path::new("/"))
    }

    #[test]
    fn a_program_that_does_not_end_is_killed() {
        let begin = Instant::now();
        let error = finish(&shell("exec sleep 600"), Stdio::null(), Duration::from_millis(100)).unwrap_err();
        assert!(begin.elapsed() < Duration::from_secs(60));
        assert!(
            error.to_string().starts_with("sh did not end within 0 s and was killed; run it by hand"),
            "{error}"
        );
        let patience = Duration::from_secs(60);
        assert!(finish(&shell("exit 0"), Stdio::null(), patience).is_ok());
        let error = finish(&shell("exit 3"), Stdio::null(), patience).unwrap_err();
        assert_eq!(error.to_string(), "sh failed with exit code 3; run it by hand to see why");
    }
}
