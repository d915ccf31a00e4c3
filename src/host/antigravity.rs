//! Antigravity CLI (`agy`), from what others document of it; not tried here. It has
//! no event for a session's start or a prompt, but one before every request to
//! its model; its events do not say their names, and every hook must answer.

use std::path::PathBuf;

use super::usual::{USUAL, words, words_and};
use super::wiring::{Entries, Form, Place, Server, program_of_shell_hook, shell_line};
use super::{Host, Moment, Wiring};
use crate::json::{Object, edit};
use crate::sys::Env;

pub const HOST: Host = Host {
    name: "agy",
    title: "Antigravity CLI",
    program: "agy",
    oldest: "0",
    mark_variable: "ANTIGRAVITY_AGENT",
    inherited_variables: &["ANTIGRAVITY_AGENT", "ANTIGRAVITY_EXECUTABLE_DATA_DIR"],
    output: |_, moment, text| match moment {
        Moment::TurnEnd => Object::new().str("decision", "continue").str("reason", text).finish(),
        _ => {
            let step = Object::new().str("ephemeralMessage", text).finish();
            Object::new().raw("injectSteps", &format!("[{step}]")).finish()
        }
    },
    silence: |moment| match moment {
        Moment::TurnEnd => "{\"decision\":\"stop\"}",
        _ => "{}",
    },
    moments: &[("PreInvocation", Moment::ToolUse), ("Stop", Moment::TurnEnd)],
    resume: |id, message, _| words_and(&["--output-format", "json", "--conversation", id], "-p", message),
    attach: |id| words(&["--conversation", id]),
    // It keeps its conversations in databases: there are no transcripts.
    wiring: Wiring::Entries(&ENTRIES),
    ..USUAL
};

fn words_at(event: &str) -> String {
    format!(" hook --event {event} agy")
}

const ENTRIES: Entries = Entries {
    folder: |env| env.below_home(".gemini/antigravity-cli"),
    server: Server { file: Place { folder, name: "mcp_config.json" }, ..Server::USUAL },
    hooks: Place { folder, name: "hooks.json" },
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
    disabled: |text| edit::value(text, &["relay", "enabled"]).flatten() == Some("false"),
    then: "not proved here; sessions that run now get relay when they start anew",
    ..Entries::USUAL
};

fn folder(env: &Env) -> PathBuf {
    env.below_home(".gemini/config")
}
