//! Kimi Code. Measured on 2.1.0; see docs/hosts.md. Its model reads what a prompt's
//! hook prints; its other hooks only tell relay how far it is.

use std::path::PathBuf;

use super::wiring::{EDIT_JSON, Entries, Form, Server, program_of_line, servers_in_json, shell_line};
use super::{Host, Moment, Sessions, Wiring, text_of, words};
use crate::json::{self, toml};
use crate::limits::ANSWER_BYTES;
use crate::mail::address::is_host_id;
use crate::sys::Env;

pub const HOST: Host = Host {
    name: "kimi",
    title: "Kimi Code",
    program: "kimi",
    oldest: "2.1.0",
    session_variable: None,
    // It gives its children none.
    mark_variable: "KIMI_CODE_SESSION",
    inherited_variables: &[],
    meta_paths: &[],
    call_argument: None,
    subagent_mark: None,
    answer_bytes: ANSWER_BYTES,
    sessions: Sessions::One,
    // As it is, in plain words.
    output: |_, _, text| text.to_owned(),
    // A turn's end is heard once and tells nothing when the model has gone on.
    deaf_at: &[Moment::Start, Moment::ToolUse, Moment::TurnEnd],
    silence: |_| "",
    subagent_tool: None,
    no_answer: None,
    queued_mark: None,
    moments: &[
        ("SessionStart", Moment::Start),
        ("UserPromptSubmit", Moment::Prompt),
        ("PostToolUse", Moment::ToolUse),
        ("Stop", Moment::TurnEnd),
        ("SessionEnd", Moment::End),
    ],
    resume: |id, message, _| {
        words(&["--session", id, "--output-format", "stream-json", &format!("--prompt={message}")])
    },
    attach: |id| words(&["--session", id]),
    ring: None,
    turn_runs: |_, _| None,
    transcripts: |env| folder(env).join("sessions"),
    transcript_depth: 2,
    transcript_id: |file_name| (file_name == "state.json").then(String::new),
    id_in_transcript: Some(|line| text_of(line, "id").filter(|id| is_host_id(id))),
    transcript_directory: |line| text_of(line, "cwd"),
    directory_file: None,
    transcript_title: |_| None,
    listing: None,
    running: None,
    wiring: Wiring::Entries(&ENTRIES),
};

const WORDS: &str = " hook kimi";

const ENTRIES: Entries = Entries {
    folder,
    server: Server {
        path: |env| folder(env).join("mcp.json"),
        list: servers_in_json,
        change: EDIT_JSON,
        inherits: true,
        // It shows no servers; this says whether it takes its configuration.
        check: &["doctor", "config"],
        says: Some("OK config.toml"),
    },
    hooks: |env| folder(env).join("config.toml"),
    form: Form::Toml,
    also: None,
    hook: |event, program| {
        let line = json::quote(&shell_line(program, WORDS));
        format!("[[hooks]]\nevent = \"{event}\"\ncommand = {line}\ntimeout = 10\n")
    },
    program: |hook| {
        let tables = toml::tables(hook)?;
        let line = tables.last()?.get("command").and_then(toml::string)?;
        program_of_line(&line, WORDS)
    },
    plugin: |_| Vec::new(),
    has_plugin: |_| false,
    disabled: |_| false,
    trusted: |_, _| None,
    then: "sessions that run now get relay when they start anew",
};

fn folder(env: &Env) -> PathBuf {
    env.path("KIMI_CODE_HOME").unwrap_or_else(|| env.below_home(".kimi-code"))
}
