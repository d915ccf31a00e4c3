//! Qwen Code. Measured on 0.24.4; see docs/hosts.md.

use std::path::PathBuf;

use super::usual::{USUAL, text_of, words, words_and};
use super::wiring::{Entries, Place, Server, in_group, is_true, named_hook, program_of_shell_hook};
use super::{Host, Moment, Wiring};
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
    // A longer one is kept in a file, of which the model sees the beginning.
    answer_bytes: CUT_ANSWER_BYTES,
    // It becomes a part of the system prompt, which is made anew when the session is resumed.
    deaf_at: &[Moment::Start],
    resume: |id, message, _| words_and(&["--resume", id, "--output-format", "json"], "--prompt", message),
    attach: |id| words(&["--resume", id]),
    transcripts: |env| folder(env).join("projects"),
    transcript_depth: 2,
    transcript_directory: |line| text_of(line, "cwd"),
    wiring: Wiring::Entries(&ENTRIES),
    ..USUAL
};

const WORDS: &str = " hook qwen";

const ENTRIES: Entries = Entries {
    folder,
    server: Server { file: SETTINGS, ..Server::USUAL },
    hooks: SETTINGS,
    hook: |_, program| in_group(Object::new(), named_hook(program, WORDS)),
    program: |hook| program_of_shell_hook(hook, WORDS),
    disabled: |text| is_true(text, &["disableAllHooks"]),
    ..Entries::USUAL
};

fn folder(env: &Env) -> PathBuf {
    env.path("QWEN_HOME").unwrap_or_else(|| env.below_home(".qwen"))
}

const SETTINGS: Place = Place { folder, name: "settings.json" };
