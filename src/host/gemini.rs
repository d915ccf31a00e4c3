//! Gemini CLI. Measured on 0.61.0; see docs/hosts.md. Its hooks must print one
//! JSON object or nothing, and nothing on stderr.

use std::path::PathBuf;

use super::usual::{USUAL, text_at, text_of, words, words_and};
use super::wiring::{Entries, Place, Server, in_group, named_hook, program_of_shell_hook};
use super::{Host, Moment, Sessions, Wiring};
use crate::json::{Object, edit};
use crate::mail::address::is_uuid;
use crate::sys::Env;

pub const HOST: Host = Host {
    name: "gemini",
    title: "Gemini CLI",
    program: "gemini",
    oldest: "0.61.0",
    mark_variable: "GEMINI_CLI",
    inherited_variables: &[
        "CLAUDE_PROJECT_DIR",
        "GEMINI_CLI",
        "GEMINI_CLI_NO_RELAUNCH",
        "GEMINI_CWD",
        "GEMINI_PLANS_DIR",
        "GEMINI_PROJECT_DIR",
        "GEMINI_PTY_INFO",
        "GEMINI_SESSION_ID",
    ],
    // Driven by an editor (`--acp`), which starts them unsaid. In a terminal it
    // starts one, aloud, and may go on with another: the one before has left then.
    sessions: Sessions::OneOnceStarted,
    // It puts that before the prompt, and drops both when the session is resumed.
    deaf_at: &[Moment::Start],
    subagent_tool: Some(SUBAGENT_TOOL),
    no_answer: Some(&("prompt_response", "[no response text]")),
    moments: &[
        ("SessionStart", Moment::Start),
        ("BeforeAgent", Moment::Prompt),
        ("BeforeTool", Moment::Delegation),
        ("AfterTool", Moment::ToolUse),
        ("AfterAgent", Moment::TurnEnd),
        ("SessionEnd", Moment::End),
    ],
    resume: |id, message, _| words_and(&["--resume", id, "--output-format", "json"], "--prompt", message),
    attach: |id| words(&["--resume", id]),
    // Nothing is known that starts a turn in a session at its prompt.
    transcripts: |env| folder(env).join("tmp"),
    transcript_depth: 2,
    transcript_id: |file_name| {
        let stem = file_name.strip_prefix("session-")?.strip_suffix(".jsonl")?;
        stem.rsplit('-').next().map(str::to_owned)
    },
    id_in_transcript: Some(|line| {
        let is_main = text_of(line, "kind")? == "main";
        is_main.then(|| text_of(line, "sessionId"))?.filter(|id| is_uuid(id))
    }),
    directory_file: Some("../.project_root"),
    transcript_title: |line| {
        // Few lines are worth reading.
        text_at(line.contains("\"summary\"").then_some(line)?, &["$set", "summary"])
    },
    wiring: Wiring::Entries(&ENTRIES),
    ..USUAL
};

const WORDS: &str = " hook gemini";

const SUBAGENT_TOOL: &str = "invoke_agent";

const ENTRIES: Entries = Entries {
    folder,
    server: Server {
        file: SETTINGS,
        // `gemini mcp add` would lay out the whole file anew.
        ..Server::USUAL
    },
    hooks: SETTINGS,
    hook: |event, program| {
        let group = match event {
            "BeforeTool" => Object::new().str("matcher", SUBAGENT_TOOL),
            _ => Object::new(),
        };
        in_group(group, named_hook(program, WORDS))
    },
    program: |hook| program_of_shell_hook(hook, WORDS),
    plugin: &[
        Place { folder, name: "extensions/relay/.gemini-extension-install.json" },
        Place { folder, name: "extensions/extension-enablement.json" },
    ],
    has_plugin: |texts| {
        // Where it is on, each with a `!` where it is off; this stays when it is taken out.
        let places = edit::elements(&texts[1], &["relay", "overrides"]).unwrap_or_default();
        !texts[0].is_empty() && places.last().is_none_or(|place| !place.starts_with("\"!"))
    },
    disabled: |text| {
        let off = edit::elements(text, &["hooksConfig", "disabled"]).unwrap_or_default();
        edit::value(text, &["hooksConfig", "enabled"]).flatten() == Some("false")
            || off.contains(&"\"relay\"")
    },
    then: "sessions that run now get relay when they start anew; it works in folders that Gemini CLI trusts",
    ..Entries::USUAL
};

fn folder(env: &Env) -> PathBuf {
    env.path("GEMINI_CLI_HOME").unwrap_or_else(|| env.below_home("")).join(".gemini")
}

const SETTINGS: Place = Place { folder, name: "settings.json" };
