//! relay: durable mail between the coding-agent sessions of one machine.
//!
//! `main` runs one command line and turns its outcome into an exit code; see
//! docs/architecture.md for the rooms of the house.
#![forbid(unsafe_code)]
#![allow(dead_code)]

mod bus;
mod cli;
mod error;
mod hook;
mod host;
mod json;
mod limits;
mod mail;
mod ops;
mod store;
mod sys;
mod wake;

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let code = cli::run(std::env::args_os()).unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "relay: {error}");
        error.exit() as i32
    });
    ExitCode::from(code.clamp(0, 255) as u8)
}
