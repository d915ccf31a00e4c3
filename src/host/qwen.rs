//! Qwen Code. Measured on 0.24.4; see docs/hosts.md.

use std::path::PathBuf;

use super::wiring::{
    EDIT_JSON, Entries, Form, Server, in_group, is_true, named_hook, program_of_shell_hook, servers_in_json,
};
use super::{Host, Moment, Sessions, Wiring, common_output, text_of, uuid_of_file, words};
use crate::json::Object;
use crate::limits::CUT_ANSWER_BYTES;
use crate::sys::Env;

pub const HOST: Host = Host {
    name: "qwen",
    title: "Qwen Code",
    program: "qwen",
    oldest: "0.24.4",
    session_variable: Some("QWEN_CODE_SESSION_ID"),
    mark_variable: "QWEN_CODE_CLI",
    inherited_variables: &[
        "CLAUDE_PROJECT_DIR",
        "GEMINI_PROJECT_DIR",
        "QWEN_CODE_AGENT_ID",
        "QWEN_CODE_CLI",
        "QWEN_CODE_LAUNCHER_PID",
        "QWEN_CODE_NO_RELAUNCH",
        "QWEN_CODE_PRIVATE_RELAUNCH_ENV_PROVENANCE",
        "QWEN_CODE_PROJECT_DIR",
        "QWEN_CODE_PROMPT_ID",
        "QWEN_CODE_SESSION_ID",
        "QWEN_PROJECT_DIR",
    ],
    meta_paths: &[],
    call_argument: None,
    subagent_mark: None,
    // A longer one is kept in a file, of which the model sees the beginning.
    answer_bytes: CUT_ANSWER_BYTES,
    sessions: Sessions::One,
    output: common_output,
    // It becomes a part of the system prompt, which is made anew when the session is resumed.
    deaf_at: &[Moment::Start],
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
        words(&["--resume", id, "--output-format", "json", &format!("--prompt={message}")])
    },
    attach: |id| words(&["--resume", id]),
    ring: None,
    turn_runs: |_, _| None,
    transcripts: |env| folder(env).join("projects"),
    transcript_depth: 2,
    transcript_id: uuid_of_file,
    id_in_transcript: None,
    transcript_directory: |line| text_of(line, "cwd"),
    directory_file: None,
    transcript_title: |_| None,
    listing: None,
    running: None,
    wiring: Wiring::Entries(&ENTRIES),
};

const WORDS: &str = " hook qwen";

const ENTRIES: Entries = Entries {
    folder,
    server: Server {
        path: settings,
        list: servers_in_json,
        change: EDIT_JSON,
        inherits: true,
        check: &["mcp", "list"],
        says: None,
    },
    hooks: settings,
    form: Form::Json("hooks"),
    also: None,
    hook: |_, program| in_group(Object::new(), named_hook(program, WORDS)),
    program: |hook| program_of_shell_hook(hook, WORDS),
    // Relay has no plugin for it.
    plugin: |_| Vec::new(),
    has_plugin: |_| false,
    disabled: |text| is_true(text, &["disableAllHooks"]),
    trusted: |_, _| None,
    then: "sessions that run now get relay when they start anew",
};

fn folder(env: &Env) -> PathBuf {
    env.path("QWEN_HOME").unwrap_or_else(|| env.below_home(".qwen"))
}

fn settings(env: &Env) -> PathBuf {
    folder(env).join("settings.json")
}
