//! Cursor's CLI, from what others document of it; not tried here. Its prompt
//! hook cannot speak to the model, so mail waits for the first tool.

use std::path::PathBuf;

use super::usual::{USUAL, words};
use super::wiring::{Entries, Place, Server, program_of_shell_hook, shell_line};
use super::{Host, Moment, Wiring};
use crate::json::Object;
use crate::sys::Env;

pub const HOST: Host = Host {
    name: "cursor",
    title: "Cursor CLI",
    program: "cursor-agent",
    oldest: "0",
    mark_variable: "CURSOR_AGENT",
    inherited_variables: &["CURSOR_AGENT"],
    output: |_, moment, text| match moment {
        Moment::TurnEnd => Object::new().str("followup_message", text).finish(),
        _ => Object::new().str("additional_context", text).finish(),
    },
    deaf_at: &[Moment::Prompt],
    moments: &[
        ("sessionStart", Moment::Start),
        ("beforeSubmitPrompt", Moment::Prompt),
        ("postToolUse", Moment::ToolUse),
        ("stop", Moment::TurnEnd),
        ("sessionEnd", Moment::End),
    ],
    resume: |id, message, _| words(&["-p", "--resume", id, "--output-format", "json", "--", message]),
    attach: |id| words(&["--resume", id]),
    transcripts: |env| folder(env).join("projects"),
    transcript_depth: 3,
    wiring: Wiring::Entries(&ENTRIES),
    ..USUAL
};

const WORDS: &str = " hook cursor";

const ENTRIES: Entries = Entries {
    folder,
    server: Server { file: Place { folder, name: "mcp.json" }, ..Server::USUAL },
    hooks: Place { folder, name: "hooks.json" },
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
    then: "not proved here; sessions that run now get relay when they start anew",
    ..Entries::USUAL
};

fn folder(env: &Env) -> PathBuf {
    env.below_home(".cursor")
}
