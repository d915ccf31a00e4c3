//! OpenAI Codex CLI. Measured on 0.169.0; see docs/hosts.md.

use std::path::PathBuf;

use super::{Entries, Host, Moment, Ring, Server, Wiring};
use crate::json::{self, Document, Object};
use crate::mail::address::is_uuid;
use crate::sys::Env;

pub const HOST: Host = Host {
    name: "codex",
    title: "Codex",
    program: "codex",
    session_variable: Some("CODEX_THREAD_ID"),
    mark_variable: "CODEX_THREAD_ID",
    inherited_variables: &["CODEX_THREAD_ID", "CODEX_SESSION_ID", "CODEX_EXEC_SERVER_URL"],
    meta_paths: &[&["sessionId"], &["x-codex-turn-metadata", "session_id"], &["threadId"]],
    call_argument: None,
    many_sessions: false,
    moments: &[
        ("SessionStart", Moment::Start),
        ("UserPromptSubmit", Moment::Prompt),
        ("PostToolUse", Moment::ToolUse),
        ("Stop", Moment::TurnEnd),
        ("SessionEnd", Moment::End),
    ],
    resume,
    attach: |id| ["resume", id].map(str::to_owned).to_vec(),
    ring: |_, id, line| {
        let arguments = ["queue", "--thread", id, "--message", line].map(str::to_owned).to_vec();
        Some(Ring::Program { program: "codex", arguments })
    },
    turn_runs,
    transcripts,
    transcript_depth: 3,
    transcript_id: |file_name| {
        let stem = file_name.strip_prefix("rollout-")?.strip_suffix(".jsonl")?;
        let id = stem.get(stem.len().checked_sub(36)?..)?;
        is_uuid(id).then(|| id.to_owned())
    },
    transcript_directory: |line| {
        let members = json::members(line)?;
        let payload = json::leading_members(members.iter().find(|(key, _)| key == "payload")?.1);
        let raw = payload.iter().find(|(key, _)| key == "cwd")?.1;
        json::decode(raw).map(|directory| directory.into_owned()).filter(|directory| !directory.is_empty())
    },
    listing: None,
    wiring: Wiring::Entries(&ENTRIES),
};

const ENTRIES: Entries = Entries {
    folder,
    server: Server {
        path: |env| folder(env).join("config.toml"),
        is_there: |text| {
            let header = |line: &str| line.trim().replace(['"', '\'', ' '], "") == "[mcp_servers.relay]";
            text.lines().any(header)
        },
        add: |program, store| {
            let store = store.map(|store| ["--env".to_owned(), format!("AGENT_RELAY_HOME={store}")]);
            let words = ["mcp", "add", "relay"].map(str::to_owned).into_iter();
            let command = ["--", program, "bus"].map(str::to_owned);
            words.chain(store.into_iter().flatten()).chain(command).collect()
        },
        remove: || ["mcp", "remove", "relay"].map(str::to_owned).to_vec(),
    },
    hooks: |env| folder(env).join("hooks.json"),
    hook: |event, program| {
        let quoted = format!("'{}' hook codex", program.replace('\'', "'\\''"));
        // Codex gives the end of a session three seconds at most.
        let seconds = if event == "SessionEnd" { 3 } else { 10 };
        let command = Object::new().str("type", "command").str("command", &quoted).u64("timeout", seconds);
        Object::new().raw("hooks", &json::array([command.finish()])).finish()
    },
    program: |hook| {
        let document = Document::parse(hook.as_bytes()).ok()?;
        super::program_of_line(document.value().get("command")?.str()?, " hook codex")
    },
    plugins: |env| vec![folder(env).join("config.toml")],
    disabled: |_| false,
    trusted: |text, hooks| {
        let of_file = format!("[hooks.state.\"{}:", hooks.display());
        Some(text.lines().filter(|line| line.starts_with(&of_file)).count())
    },
    then: "start codex, open /hooks and trust relay's hooks once; until then mail comes only when the model asks",
};

fn folder(env: &Env) -> PathBuf {
    env.path("CODEX_HOME").unwrap_or_else(|| env.below_home(".codex"))
}

/// Outside a git repository Codex runs headless only when told that this is
/// meant; the session ran there before, so it is.
fn resume(id: &str, message: &str, in_repository: bool) -> Vec<String> {
    let check: &[&str] = if in_repository { &[] } else { &["--skip-git-repo-check"] };
    let arguments = [&["exec", "resume", id, "--json"], check, &["--", message]].concat();
    arguments.into_iter().map(str::to_owned).collect()
}

fn transcripts(env: &Env) -> PathBuf {
    env.path("RELAY_CODEX_SESSIONS").unwrap_or_else(|| folder(env).join("sessions"))
}

/// The last event that begins or ends a turn decides.
fn turn_runs(tail: &str) -> Option<bool> {
    tail.lines().rev().find_map(|line| {
        let members = json::members(line)?;
        let payload = json::leading_members(members.iter().find(|(key, _)| key == "payload")?.1);
        let kind = json::decode(payload.iter().find(|(key, _)| key == "type")?.1)?;
        match kind.as_ref() {
            "task_started" => Some(true),
            "task_complete" | "turn_aborted" => Some(false),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_begin_or_end_tells_whether_a_turn_runs() {
        let event = |kind: &str| format!(r#"{{"type":"event_msg","payload":{{"type":"{kind}","n":1}}}}"#);
        let lines = |kinds: &[&str]| kinds.iter().map(|kind| event(kind)).collect::<Vec<_>>().join("\n");
        assert_eq!(turn_runs(&lines(&["task_complete", "task_started", "agent_message"])), Some(true));
        assert_eq!(turn_runs(&lines(&["task_started", "task_complete", "token_count"])), Some(false));
        assert_eq!(turn_runs(&lines(&["task_started", "turn_aborted"])), Some(false));
        assert_eq!(turn_runs(&(lines(&["task_complete"]) + "\n{\"payload\":{\"type\":")), Some(false));
        assert_eq!(turn_runs(&lines(&["token_count"])), None);
    }
}
