//! OpenAI Codex CLI. Measured on 0.169.0; see docs/hosts.md.

use std::path::PathBuf;

use super::usual::{USUAL, words};
use super::wiring::{Change, Entries, Listed, Place, Server, in_group, program_of_shell_hook, shell_line};
use super::{Host, Ring, Wiring};
use crate::json::toml::{self, Table};
use crate::json::{self, Object};
use crate::limits::CUT_ANSWER_BYTES;
use crate::mail::address::is_uuid;
use crate::sys::Env;

pub const HOST: Host = Host {
    name: "codex",
    title: "Codex",
    program: "codex",
    oldest: "0.169.0",
    session_variable: Some("CODEX_THREAD_ID"),
    mark_variable: "CODEX_THREAD_ID",
    inherited_variables: &["CODEX_THREAD_ID", "CODEX_SESSION_ID", "CODEX_EXEC_SERVER_URL"],
    meta_paths: &[&["sessionId"], &["x-codex-turn-metadata", "session_id"], &["threadId"]],
    subagent_mark: Some(&(&["x-codex-turn-metadata", "thread_source"], "subagent")),
    // A model that it does not know gets no more than 10,000 bytes of an answer, without the middle.
    answer_bytes: CUT_ANSWER_BYTES,
    resume,
    attach: |id| words(&["resume", id]),
    ring: Some(|_, id, line| {
        let arguments = words(&["queue", "--thread", id, "--message", line]);
        Some(Ring::Program { program: "codex", arguments })
    }),
    turn_runs,
    transcripts,
    transcript_depth: 3,
    transcript_id: |file_name| {
        let stem = file_name.strip_prefix("rollout-")?.strip_suffix(".jsonl")?;
        let id = stem.get(stem.len().checked_sub(36)?..)?;
        is_uuid(id).then(|| id.to_owned())
    },
    transcript_directory: |line| text_in_payload(line, "cwd").filter(|path| !path.is_empty()),
    wiring: Wiring::Entries(&ENTRIES),
    ..USUAL
};

const WORDS: &str = " hook codex";

const ENTRIES: Entries = Entries {
    folder,
    server: Server {
        file: Place { folder, name: "config.toml" },
        list: servers,
        // `codex mcp add` would drop the user's comments in the other servers' tables.
        change: Change::Edit { add: add_server, remove: |text| toml::without(text, &is_ours) },
        inherits: false,
        check: &["mcp", "get", "relay"],
        ..Server::USUAL
    },
    hooks: Place { folder, name: "hooks.json" },
    hook: |event, program| {
        // Codex gives the end of a session three seconds at most.
        let seconds = if event == "SessionEnd" { 3 } else { 10 };
        let command = Object::new().str("type", "command").str("command", &shell_line(program, WORDS));
        in_group(Object::new(), command.u64("timeout", seconds))
    },
    program: |hook| program_of_shell_hook(hook, WORDS),
    plugin: &[Place { folder, name: "config.toml" }],
    has_plugin: |texts| {
        let found = toml::tables(&texts[0]).unwrap_or_default();
        toml::find(&found, &["plugins", "relay@relay"])
            .is_some_and(|table| table.get("enabled") != Some("false"))
    },
    trusted: |text, hooks| {
        let of_file = format!("{}:", hooks.display());
        let is_trust = |table: &&Table| match &table.name[..] {
            [hooks, state, hook] => hooks == "hooks" && state == "state" && hook.starts_with(&of_file),
            _ => false,
        };
        Some(toml::tables(text).unwrap_or_default().iter().filter(is_trust).count())
    },
    then: "start codex, open /hooks and trust relay's hooks once; until then mail comes only when the model asks",
    ..Entries::USUAL
};

fn folder(env: &Env) -> PathBuf {
    env.path("CODEX_HOME").unwrap_or_else(|| env.below_home(".codex"))
}

const SERVER: [&str; 2] = ["mcp_servers", "relay"];

fn is_ours(table: &Table) -> bool {
    matches!(&table.name[..], [top, name, ..] if top == SERVER[0] && name == SERVER[1])
}

/// The servers of `config.toml`, each a table below `mcp_servers`.
fn servers(text: &str) -> Option<Vec<Listed>> {
    let tables = toml::tables(text)?;
    let mut found = Vec::new();
    for table in &tables {
        match &table.name[..] {
            // Written as keys of a table above, they are not understood here.
            [] if table.values.iter().any(|(key, _)| key[0] == SERVER[0]) => return None,
            [top] if top == SERVER[0] && !table.values.is_empty() => return None,
            // A part stands for a server only where the server has no table of its own.
            [top, name, parts @ ..]
                if top == SERVER[0]
                    && (parts.is_empty() || toml::find(&tables, &[SERVER[0], name]).is_none()) =>
            {
                found.push(server(&tables, table, name));
            }
            _ => {}
        }
    }
    Some(found)
}

/// The server of this name, which this table is for.
fn server(tables: &[Table], table: &Table, name: &str) -> Listed {
    let inline = table.get("env").and_then(toml::members).unwrap_or_default();
    let inline = inline.iter().find(|(key, _)| key == &["AGENT_RELAY_HOME"]).map(|(_, value)| *value);
    let environment = || toml::find(tables, &[SERVER[0], name, "env"])?.get("AGENT_RELAY_HOME");
    Listed {
        name: name.to_owned(),
        program: table.get("command").and_then(toml::string).unwrap_or_default(),
        words: table.get("args").and_then(toml::strings).unwrap_or_default(),
        store: inline.or_else(environment).and_then(toml::string),
    }
}

fn add_server(text: &str, program: &str, store: Option<&str>) -> Option<String> {
    let mut table = format!("[mcp_servers.relay]\ncommand = {}\nargs = [\"bus\"]\n", json::quote(program));
    if let Some(store) = store {
        table += &format!("env = {{ AGENT_RELAY_HOME = {} }}\n", json::quote(store));
    }
    servers(text).map(|_| toml::append(text, &table))
}

/// Outside a git repository Codex runs headless only when told that this is
/// meant; the session ran there before, so it is.
fn resume(id: &str, message: &str, in_repository: bool) -> Vec<String> {
    let mut arguments = vec!["exec", "resume", id, "--json"];
    if !in_repository {
        arguments.push("--skip-git-repo-check");
    }
    arguments.extend(["--", message]);
    words(&arguments)
}

fn transcripts(env: &Env) -> PathBuf {
    env.path("RELAY_CODEX_SESSIONS").unwrap_or_else(|| folder(env).join("sessions"))
}

/// The last event that begins or ends a turn decides.
fn turn_runs(tail: &str, _: u64) -> Option<bool> {
    tail.lines().rev().find_map(|line| match text_in_payload(line, "type")?.as_str() {
        "task_started" => Some(true),
        "task_complete" | "turn_aborted" => Some(false),
        _ => None,
    })
}

/// What a member of an event's payload says.
fn text_in_payload(line: &str, key: &str) -> Option<String> {
    let payload = json::leading_members(json::members(line)?.get("payload")?.text);
    payload.str(key).map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_begin_or_end_tells_whether_a_turn_runs() {
        let event = |kind: &str| format!(r#"{{"type":"event_msg","payload":{{"type":"{kind}","n":1}}}}"#);
        let lines = |kinds: &[&str]| kinds.iter().map(|kind| event(kind)).collect::<Vec<_>>().join("\n");
        assert_eq!(turn_runs(&lines(&["task_complete", "task_started", "agent_message"]), 0), Some(true));
        assert_eq!(turn_runs(&lines(&["task_started", "task_complete", "token_count"]), 0), Some(false));
        assert_eq!(turn_runs(&lines(&["task_started", "turn_aborted"]), 0), Some(false));
        assert_eq!(turn_runs(&(lines(&["task_complete"]) + "\n{\"payload\":{\"type\":"), 0), Some(false));
        assert_eq!(turn_runs(&lines(&["token_count"]), 0), None);
    }
}
