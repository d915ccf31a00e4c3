//! Cursor's CLI, from what others document of it; not tried here. Its prompt
//! hook cannot speak to the model, so mail waits for the first tool.

use std::path::PathBuf;

use super::wiring::{EDIT_JSON, Entries, Form, Server, program_of_shell_hook, servers_in_json, shell_line};
use super::{Host, Moment, Sessions, Wiring, uuid_of_file, words};
use crate::json::Object;
use crate::limits::ANSWER_BYTES;
use crate::sys::Env;

pub const HOST: Host = Host {
    name: "cursor",
    title: "Cursor CLI",
    program: "cursor-agent",
    oldest: "0",
    session_variable: None,
    mark_variable: "CURSOR_AGENT",
    inherited_variables: &["CURSOR_AGENT"],
    meta_paths: &[],
    call_argument: None,
    subagent_mark: None,
    answer_bytes: ANSWER_BYTES,
    sessions: Sessions::One,
    output: |_, moment, text| match moment {
        Moment::TurnEnd => Object::new().str("followup_message", text).finish(),
        _ => Object::new().str("additional_context", text).finish(),
    },
    deaf_at: &[Moment::Prompt],
    silence: |_| "",
    subagent_tool: None,
    no_answer: None,
    queued_mark: None,
    moments: &[
        ("sessionStart", Moment::Start),
        ("beforeSubmitPrompt", Moment::Prompt),
        ("postToolUse", Moment::ToolUse),
        ("stop", Moment::TurnEnd),
        ("sessionEnd", Moment::End),
    ],
    resume: |id, message, _| words(&["-p", "--resume", id, "--output-format", "json", "--", message]),
    attach: |id| words(&["--resume", id]),
    ring: None,
    turn_runs: |_, _| None,
    transcripts: |env| folder(env).join("projects"),
    transcript_depth: 3,
    transcript_id: uuid_of_file,
    id_in_transcript: None,
    transcript_directory: |_| None,
    directory_file: None,
    transcript_title: |_| None,
    listing: None,
    running: None,
    wiring: Wiring::Entries(&ENTRIES),
};

const WORDS: &str = " hook cursor";

const ENTRIES: Entries = Entries {
    folder,
    server: Server {
        path: |env| folder(env).join("mcp.json"),
        list: servers_in_json,
        change: EDIT_JSON,
        inherits: true,
        check: &["mcp", "list"],
        says: None,
    },
    hooks: |env| folder(env).join("hooks.json"),
    form: Form::Json("hooks"),
    also: Some((&["version"], "1")),
    hook: |event, program| {
        let hook = Object::new().str("command", &shell_line(program, WORDS));
        match event {
            // Without a limit of its own: relay has one.
            "stop" => hook.raw("loop_limit", "null").finish(),
            _ => hook.u64("timeout", 10).finish(),
        }
    },
    program: |hook| program_of_shell_hook(hook, WORDS),
    plugin: |_| Vec::new(),
    has_plugin: |_| false,
    disabled: |_| false,
    trusted: |_, _| None,
    then: "not proved here; sessions that run now get relay when they start anew",
};

fn folder(env: &Env) -> PathBuf {
    env.below_home(".cursor")
}
