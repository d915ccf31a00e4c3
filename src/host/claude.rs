//! Claude Code. Measured on 2.1.197 and 2.1.329; see docs/hosts.md.

use std::path::PathBuf;

use super::{Host, Moment};
use crate::json;
use crate::mail::address::is_uuid;
use crate::sys::Env;

pub const HOST: Host = Host {
    name: "claude",
    title: "Claude Code",
    program: "claude",
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
    meta_paths: &[],
    call_argument: None,
    many_sessions: false,
    moments: &[
        ("SessionStart", Moment::Start),
        ("UserPromptSubmit", Moment::Prompt),
        ("PostToolUse", Moment::ToolUse),
        ("Stop", Moment::TurnEnd),
        ("SessionEnd", Moment::End),
    ],
    resume: |id, message, _| {
        ["-p", "--resume", id, "--output-format", "json", "--", message].map(str::to_owned).to_vec()
    },
    transcripts,
    transcript_depth: 1,
    transcript_id: |file_name| file_name.strip_suffix(".jsonl").filter(|id| is_uuid(id)).map(str::to_owned),
    transcript_directory: |line| {
        let members = json::members(line)?;
        let raw = members.iter().find(|(key, _)| key == "cwd")?.1;
        json::decode(raw).map(|directory| directory.into_owned()).filter(|directory| !directory.is_empty())
    },
    listing: None,
    configuration: &[".claude/settings.json", ".claude.json", ".claude/plugins/installed_plugins.json"],
};

fn transcripts(env: &Env) -> PathBuf {
    env.path("RELAY_CLAUDE_PROJECTS")
        .or_else(|| env.path("CLAUDE_CONFIG_DIR").map(|folder| folder.join("projects")))
        .unwrap_or_else(|| env.below_home(".claude/projects"))
}
