//! Kimi Code. Measured on 2.1.0; see docs/hosts.md. Its model reads what a prompt's
//! hook prints; its other hooks only tell relay how far it is.

use std::path::PathBuf;

use super::usual::{USUAL, text_of, words, words_and};
use super::wiring::{Entries, Form, Place, Server, program_of_line, shell_line};
use super::{Host, Moment, Wiring};
use crate::json::{self, toml};
use crate::mail::address::is_host_id;
use crate::sys::Env;

pub const HOST: Host = Host {
    name: "kimi",
    title: "Kimi Code",
    program: "kimi",
    oldest: "2.1.0",
    // It gives its children none.
    mark_variable: "KIMI_CODE_SESSION",
    inherited_variables: &[],
    // As it is, in plain words.
    output: |_, _, text| text.to_owned(),
    // A turn's end is heard once and tells nothing when the model has gone on.
    deaf_at: &[Moment::Start, Moment::ToolUse, Moment::TurnEnd],
    resume: |id, message, _| {
        words_and(&["--session", id, "--output-format", "stream-json"], "--prompt", message)
    },
    attach: |id| words(&["--session", id]),
    transcripts: |env| folder(env).join("sessions"),
    transcript_depth: 2,
    transcript_id: |file_name| (file_name == "state.json").then(String::new),
    id_in_transcript: Some(|line| text_of(line, "id").filter(|id| is_host_id(id))),
    transcript_directory: |line| text_of(line, "cwd"),
    wiring: Wiring::Entries(&ENTRIES),
    ..USUAL
};

const WORDS: &str = " hook kimi";

const ENTRIES: Entries = Entries {
    folder,
    server: Server {
        file: Place { folder, name: "mcp.json" },
        // It shows no servers; this says whether it takes its configuration.
        check: &["doctor", "config"],
        says: Some("OK config.toml"),
        ..Server::USUAL
    },
    hooks: Place { folder, name: "config.toml" },
    form: Form::Toml,
    hook: |event, program| {
        let line = json::quote(&shell_line(program, WORDS));
        format!("[[hooks]]\nevent = \"{event}\"\ncommand = {line}\ntimeout = 10\n")
    },
    program: |hook| {
        let tables = toml::tables(hook)?;
        let line = tables.last()?.get("command").and_then(toml::string)?;
        program_of_line(&line, WORDS)
    },
    ..Entries::USUAL
};

fn folder(env: &Env) -> PathBuf {
    env.path("KIMI_CODE_HOME").unwrap_or_else(|| env.below_home(".kimi-code"))
}
