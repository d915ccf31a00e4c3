//! relay: durable mail between the coding-agent sessions of one machine.
//!
//! `main` picks a door and turns the outcome into an exit code; see
//! docs/architecture.md for the rooms of the house.
#![forbid(unsafe_code)]

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

use std::process::ExitCode;

use cli::{Invocation, Words};
use ops::Relay;
use sys::Env;

fn main() -> ExitCode {
    let relay = || {
        let env = Env::default();
        sys::fault::arm(&env);
        Relay::new(env)
    };
    let outcome = match cli::parse(Words::from_args()) {
        Ok(Invocation::Run(parsed)) => match parsed.verb.name {
            "hook" => hook::run(&relay(), parsed.positional(0), parsed.value("event")),
            "bus" => bus::run(&relay()),
            _ => cli::run(&relay(), &parsed),
        },
        // These cannot fail: they touch neither the environment nor the store.
        Ok(Invocation::Help(verb)) => cli::help(verb),
        Ok(Invocation::Version) => cli::version(),
        Err(error) if cli::asks_for_hook(&Words::from_args()) => hook::fail(&relay(), &error),
        Err(error) => Err(error),
    };
    let code = outcome.unwrap_or_else(|error| cli::complain(&error));
    ExitCode::from(code.clamp(0, 255) as u8)
}
