//! Antigravity CLI (`agy`), from what others document of it; not tried here. It has
//! no event for a session's start or a prompt, but one before every request to
//! its model; its events do not say their names, and every hook must answer.

use std::path::PathBuf;

use super::wiring::{EDIT_JSON, Entries, Form, Server, program_of_shell_hook, servers_in_json, shell_line};
use super::{Host, Moment, Sessions, Wiring, words};
use crate::json::{Object, edit};
use crate::limits::ANSWER_BYTES;
use crate::sys::Env;

pub const HOST: Host = Host {
    name: "agy",
    title: "Antigravity CLI",
    program: "agy",
    oldest: "0",
    session_variable: None,
    mark_variable: "ANTIGRAVITY_AGENT",
    inherited_variables: &["ANTIGRAVITY_AGENT", "ANTIGRAVITY_EXECUTABLE_DATA_DIR"],
    meta_paths: &[],
    call_argument: None,
    subagent_mark: None,
    answer_bytes: ANSWER_BYTES,
    sessions: Sessions::One,
    output: |_, moment, text| match moment {
        Moment::TurnEnd => Object::new().str("decision", "continue").str("reason", text).finish(),
        _ => {
            let step = Object::new().str("ephemeralMessage", text).finish();
            Object::new().raw("injectSteps", &format!("[{step}]")).finish()
        }
    },
    deaf_at: &[],
    silence: |moment| match moment {
        Moment::TurnEnd => "{\"decision\":\"stop\"}",
        _ => "{}",
    },
    subagent_tool: None,
    no_answer: None,
    queued_mark: None,
    moments: &[("PreInvocation", Moment::ToolUse), ("Stop", Moment::TurnEnd)],
    resume: |id, message, _| {
        words(&["--output-format", "json", "--conversation", id, &format!("-p={message}")])
    },
    attach: |id| words(&["--conversation", id]),
    ring: None,
    turn_runs: |_, _| None,
    // It keeps its conversations in databases.
    transcripts: |_| PathBuf::from("/dev/null/no-transcripts"),
    transcript_depth: 0,
    transcript_id: |_| None,
    id_in_transcript: None,
    transcript_directory: |_| None,
    directory_file: None,
    transcript_title: |_| None,
    listing: None,
    running: None,
    wiring: Wiring::Entries(&ENTRIES),
};

fn words_at(event: &str) -> String {
    format!(" hook --event {event} agy")
}

const ENTRIES: Entries = Entries {
    folder: |env| env.below_home(".gemini/antigravity-cli"),
    server: Server {
        path: |env| folder(env).join("mcp_config.json"),
        list: servers_in_json,
        change: EDIT_JSON,
        inherits: true,
        check: &["mcp", "list"],
        says: None,
    },
    hooks: |env| folder(env).join("hooks.json"),
    // A set of hooks has a name there.
    form: Form::Json("relay"),
    also: Some((&["relay", "enabled"], "true")),
    hook: |event, program| {
        let line = shell_line(program, &words_at(event));
        Object::new().str("type", "command").str("command", &line).raw("timeout", "10").finish()
    },
    program: |hook| {
        ["PreInvocation", "Stop"].iter().find_map(|event| program_of_shell_hook(hook, &words_at(event)))
    },
    plugin: |_| Vec::new(),
    has_plugin: |_| false,
    disabled: |text| edit::value(text, &["relay", "enabled"]).flatten() == Some("false"),
    trusted: |_, _| None,
    then: "not proved here; sessions that run now get relay when they start anew",
};

fn folder(env: &Env) -> PathBuf {
    env.below_home(".gemini/config")
}
