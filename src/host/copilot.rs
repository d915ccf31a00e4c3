//! GitHub Copilot CLI. Measured on 1.0.102; see docs/hosts.md.

use std::path::PathBuf;

use super::usual::{USUAL, common_output, text_at, words_and};
use super::wiring::{
    Change, Entries, Place, Server, add_to_json, in_group, is_true, program_of_hook, remove_from_json,
};
use super::{Host, Moment, Wiring};
use crate::json::{Document, Object};
use crate::limits::CUT_ANSWER_BYTES;
use crate::mail::address::is_uuid;
use crate::sys::Env;

pub const HOST: Host = Host {
    name: "copilot",
    title: "Copilot CLI",
    program: "copilot",
    oldest: "1.0.102",
    session_variable: Some("COPILOT_AGENT_SESSION_ID"),
    mark_variable: "COPILOT_CLI_BINARY_VERSION",
    inherited_variables: &[
        "CLAUDE_PROJECT_DIR",
        "COPILOT_AGENT_SESSION_ID",
        "COPILOT_CLI",
        "COPILOT_CLI_BINARY_VERSION",
        "COPILOT_CLI_RESOLVED_DIST_DIR",
        "COPILOT_HOOK_DIR",
        "COPILOT_PROJECT_DIR",
    ],
    // A longer one is kept in a file, of which the model sees the beginning.
    answer_bytes: CUT_ANSWER_BYTES,
    output: |event_name, moment, text| match moment {
        Moment::TurnEnd => common_output(event_name, moment, text),
        _ => Object::new().str("additionalContext", text).finish(),
    },
    // What stands there at a resume is gone with the next one.
    deaf_at: &[Moment::Start],
    resume: |id, message, _| {
        words_and(&["--output-format", "json", &format!("--resume={id}")], "--prompt", message)
    },
    attach: |id| vec![format!("--resume={id}")],
    transcripts: |env| folder(env).join("session-state"),
    transcript_depth: 1,
    transcript_id: |file_name| (file_name == "events.jsonl").then(String::new),
    id_in_transcript: Some(|line| text_at(line, &["data", "sessionId"]).filter(|id| is_uuid(id))),
    transcript_directory: |line| text_at(line, &["data", "context", "cwd"]).filter(|path| !path.is_empty()),
    wiring: Wiring::Entries(&ENTRIES),
    ..USUAL
};

const ENTRIES: Entries = Entries {
    folder,
    server: Server {
        file: Place { folder, name: "mcp-config.json" },
        change: Change::Edit {
            add: |text, program, store| {
                add_to_json(text, program, store, &[("type", "\"local\""), ("tools", "[\"*\"]")])
            },
            remove: remove_from_json,
        },
        check: &["mcp", "get", "relay"],
        ..Server::USUAL
    },
    hooks: Place { folder, name: "settings.json" },
    hook: |_, program| {
        let hook = Object::new().str("type", "command").str("exec", program);
        in_group(Object::new(), hook.raw("args", "[\"hook\", \"copilot\"]").raw("timeoutSec", "10"))
    },
    program: |hook| {
        let document = Document::parse(hook.as_bytes()).ok()?;
        program_of_hook(document.value(), "exec", "copilot")
    },
    disabled: |text| is_true(text, &["disableAllHooks"]),
    ..Entries::USUAL
};

fn folder(env: &Env) -> PathBuf {
    env.path("COPILOT_HOME").unwrap_or_else(|| env.below_home(".copilot"))
}
