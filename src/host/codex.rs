//! OpenAI Codex CLI. Measured on 0.169.0; see docs/hosts.md.

use std::path::PathBuf;

use super::{Host, Moment};
use crate::json;
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
    configuration: &[".codex/config.toml", ".codex/hooks.json"],
};

/// Outside a git repository Codex runs headless only when told that this is
/// meant; the session ran there before, so it is.
fn resume(id: &str, message: &str, in_repository: bool) -> Vec<String> {
    let check: &[&str] = if in_repository { &[] } else { &["--skip-git-repo-check"] };
    let arguments = [&["exec", "resume", id, "--json"], check, &["--", message]].concat();
    arguments.into_iter().map(str::to_owned).collect()
}

fn transcripts(env: &Env) -> PathBuf {
    env.path("RELAY_CODEX_SESSIONS")
        .or_else(|| env.path("CODEX_HOME").map(|folder| folder.join("sessions")))
        .unwrap_or_else(|| env.below_home(".codex/sessions"))
}
