//! Claude Code. Measured on 2.1.197 and 2.1.329; see docs/hosts.md.

use std::path::PathBuf;

use super::usual::{USUAL, text_at, text_of, words};
use super::wiring::{
    Change, Entries, Place, Server, in_group, is_true, program_of_hook, program_of_shell_hook,
};
use super::{Host, Records, Ring, RunningSession, Wiring};
use crate::json::{Document, Object, Value};
use crate::limits::STILL_TURN_MS;
use crate::sys::Env;

pub const HOST: Host = Host {
    name: "claude",
    title: "Claude Code",
    program: "claude",
    oldest: "2.1.197",
    session_variable: Some("CLAUDE_CODE_SESSION_ID"),
    mark_variable: "CLAUDECODE",
    inherited_variables: &[
        "CLAUDECODE",
        "CLAUDE_CODE_CHILD_SESSION",
        "CLAUDE_CODE_ENTRYPOINT",
        "CLAUDE_CODE_MESSAGING_SOCKET",
        "CLAUDE_CODE_MESSAGING_TOKEN",
        "CLAUDE_CODE_SESSION_ID",
        "CLAUDE_ENV_FILE",
        "CLAUDE_PID",
        "CLAUDE_PROJECT_DIR",
    ],
    queued_mark: Some(|turn| format!(r#""promptId":"{turn}""#)),
    resume: |id, message, _| words(&["-p", "--resume", id, "--output-format", "json", "--", message]),
    attach: |id| words(&["--resume", id]),
    ring: Some(ring),
    turn_runs,
    transcripts,
    transcript_depth: 1,
    transcript_directory: |line| text_of(line, "cwd"),
    transcript_title: |line| {
        // What its user chose, or the host for them. Few lines are worth reading.
        let line = line.contains("Title\"").then_some(line)?;
        text_at(line, &["customTitle"]).or_else(|| text_at(line, &["aiTitle"]))
    },
    running: Some(&Records {
        folder: |env| folder(env).join("sessions"),
        ending: ".json",
        read: running_session,
    }),
    wiring: Wiring::Entries(&ENTRIES),
    ..USUAL
};

const ENTRIES: Entries = Entries {
    folder,
    server: Server {
        file: Place {
            folder: |env| env.path("CLAUDE_CONFIG_DIR").unwrap_or_else(|| env.below_home("")),
            name: ".claude.json",
        },
        // Running sessions write this file too; the host's program knows how to share it.
        change: Change::Program {
            add: |program, _| words(&["mcp", "add", "--scope", "user", "relay", "--", program, "bus"]),
            remove: &["mcp", "remove", "--scope", "user", "relay"],
        },
        check: &["mcp", "get", "relay"],
        ..Server::USUAL
    },
    hooks: Place { folder, name: "settings.json" },
    hook: |_, program| {
        let command = Object::new()
            .str("type", "command")
            .str("command", program)
            .raw("args", "[\"hook\", \"claude\"]")
            .raw("timeout", "10");
        in_group(Object::new(), command)
    },
    program: |hook| {
        let document = Document::parse(hook.as_bytes()).ok()?;
        match document.value().get("args") {
            None => program_of_shell_hook(hook, " hook claude"),
            Some(_) => program_of_hook(document.value(), "command", "claude"),
        }
    },
    plugin: &[Place { folder, name: "settings.json" }],
    has_plugin: |texts| is_true(&texts[0], &["enabledPlugins", "relay@relay"]),
    disabled: |text| is_true(text, &["disableAllHooks"]),
    ..Entries::USUAL
};

fn folder(env: &Env) -> PathBuf {
    env.path("CLAUDE_CONFIG_DIR").unwrap_or_else(|| env.below_home(".claude"))
}

fn transcripts(env: &Env) -> PathBuf {
    env.path("RELAY_CLAUDE_PROJECTS").unwrap_or_else(|| folder(env).join("projects"))
}

/// `sessions/<pid>.json`, which each process keeps while it runs (2.1.329): of many
/// members `pid`, `sessionId`, and `procStart`, the start time that proc(5) or,
/// without `/proc`, ps(1) says.
fn running_session(content: &str) -> Option<RunningSession> {
    let document = Document::parse(content.as_bytes()).ok()?;
    let record = document.value();
    Some(RunningSession {
        id: record.get("sessionId")?.str()?.to_owned(),
        pid: record.get("pid")?.u64()?.try_into().ok()?,
        start: record.get("procStart")?.str()?.to_owned(),
    })
}

/// The session's own inbox socket takes lines of JSON from the session's
/// children: who they are, then a message (2.1.228 and later).
fn ring(env: &Env, _id: &str, line: &str) -> Option<Ring> {
    let path = env.path("CLAUDE_CODE_MESSAGING_SOCKET")?;
    let mut lines = String::new();
    if let Some(token) = env.get("CLAUDE_CODE_MESSAGING_TOKEN") {
        lines = Object::new().str("type", "auth").str("token", &token).finish() + "\n";
    }
    let message = Object::new().str("role", "user").str("content", line).finish();
    lines += &(Object::new().str("type", "user").raw("message", &message).finish() + "\n");
    Some(Ring::Socket { path, lines })
}

/// The last thing said decides: an answer without a tool's use ends a turn. A
/// prompt that is taken back before its answer (Esc) stays the last, so one that
/// nothing has followed for long begins no turn.
fn turn_runs(tail: &str, unchanged_ms: u64) -> Option<bool> {
    tail.lines().rev().find_map(|line| {
        let document = Document::parse(line.as_bytes()).ok()?;
        let entry = document.value();
        if entry.get("isSidechain").and_then(Value::bool) == Some(true) {
            return None;
        }
        let message = entry.get("message")?;
        match entry.get("type").and_then(Value::str)? {
            "assistant" => match message.get("stop_reason").and_then(Value::str) {
                None | Some("tool_use" | "pause_turn") => Some(true),
                Some(_) => Some(false),
            },
            "user" if is_note(entry) => None,
            "user" => Some(!is_aside(message) && unchanged_ms < STILL_TURN_MS),
            _ => None,
        }
    })
}

/// What the host puts down for its model as the user's besides what is said, as
/// the output of `/context`. A line from another session and what a hook says at
/// the turn's end bear the same mark, but the model answers them (2.1.329).
fn is_note(entry: Value) -> bool {
    entry.get("isMeta").and_then(Value::bool) == Some(true)
        && entry.get("origin").is_none()
        && !entry.get("message").is_some_and(|message| text_in(message).starts_with("Stop hook feedback:"))
}

/// What the host itself puts down as the user's without starting a turn: an
/// interruption, a command's output.
fn is_aside(message: Value) -> bool {
    let text = text_in(message);
    text.starts_with("[Request interrupted")
        || text.starts_with("<local-command")
        || text.starts_with("<command-name>")
}

/// What a message says, or its first part.
fn text_in(message: Value<'_>) -> &str {
    let content = message.get("content");
    let first = content.and_then(Value::items).and_then(|mut items| items.next());
    content.and_then(Value::str).or_else(|| first?.get("text")?.str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_its_own_gives_the_title() {
        let title = HOST.transcript_title;
        assert_eq!(title(r#"{"type":"custom-title","customTitle":"mine"}"#).as_deref(), Some("mine"));
        assert_eq!(title(r#"{"type":"ai-title","aiTitle":"its"}"#).as_deref(), Some("its"));
        assert_eq!(title(r#"{"type":"user","message":{"content":"a \"customTitle\""}}"#), None);
    }

    #[test]
    fn a_process_s_record_tells_its_session() {
        let record = r#"{"pid":51,"sessionId":"a","cwd":"/p","procStart":"387528","status":"idle"}"#;
        let told = running_session(record).unwrap();
        assert_eq!((&told.id[..], told.pid, &told.start[..]), ("a", 51, "387528"));
        for odd in ["", "[]", r#"{"pid":-1,"sessionId":"a","procStart":"1"}"#, r#"{"pid":1,"sessionId":"a"}"#]
        {
            assert!(running_session(odd).is_none(), "{odd}");
        }
    }

    #[test]
    fn the_last_thing_said_tells_whether_a_turn_runs() {
        let answer = r#"{"type":"assistant","message":{"role":"assistant","stop_reason":"end_turn"}}"#;
        let tool = r#"{"type":"assistant","message":{"role":"assistant","stop_reason":"tool_use"}}"#;
        let prompt = r#"{"type":"user","message":{"role":"user","content":"do it"}}"#;
        let result = r#"{"type":"user","message":{"role":"user","content":[{"type":"tool_result"}]}}"#;
        let stopped = r#"{"type":"user","message":{"content":[{"type":"text","text":"[Request interrupted by user]"}]}}"#;
        let command = r#"{"type":"user","message":{"content":"<command-name>/cost</command-name>"}}"#;
        let aside = r#"{"type":"user","isSidechain":true,"message":{"content":"a subagent's"}}"#;
        let context = r###"{"type":"user","isMeta":true,"message":{"content":"## Context Usage"}}"###;
        let peer =
            r#"{"type":"user","isMeta":true,"origin":{"kind":"peer"},"message":{"content":"Another"}}"#;
        let hook = r#"{"type":"user","isMeta":true,"message":{"content":"Stop hook feedback:\nrelay: 1"}}"#;
        let cases = [
            (vec![prompt], Some(true)),
            (vec![answer, context], Some(false)),
            (vec![result, context], Some(true)),
            (vec![context], None),
            (vec![answer, peer], Some(true)),
            (vec![answer, hook], Some(true)),
            (vec![prompt, tool], Some(true)),
            (vec![tool, result], Some(true)),
            (vec![result, answer], Some(false)),
            (vec![result, answer, r#"{"type":"system","subtype":"turn_duration"}"#, "torn {"], Some(false)),
            (vec![answer, aside], Some(false)),
            (vec![tool, stopped], Some(false)),
            (vec![answer, command], Some(false)),
            (vec!["", "no JSON"], None),
        ];
        for (lines, runs) in cases {
            assert_eq!(turn_runs(&lines.join("\n"), STILL_TURN_MS - 1), runs, "{lines:?}");
        }
        assert_eq!(turn_runs(prompt, STILL_TURN_MS), Some(false), "it was taken back");
        assert_eq!(turn_runs(tool, STILL_TURN_MS), Some(true), "a tool may take long");
    }
}
