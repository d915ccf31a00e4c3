//! omp (oh-my-pi) 18.x. Measured on 18.2.3; see docs/hosts.md. It has no hooks
//! that run a command: `plugins/omp/relay.js` runs relay at its events, speaks
//! the other hosts' language on its behalf and offers relay's tools.

use std::path::PathBuf;

use super::usual::{USUAL, ring_plugin, text_of, words};
use super::wiring::{Place, Plugin};
use super::{Host, Sessions, Wiring, plugins};
use crate::mail::address::is_uuid;
use crate::sys::Env;

pub const HOST: Host = Host {
    name: "omp",
    title: "omp",
    program: "omp",
    oldest: "18.2.3",
    mark_variable: "OMPCODE",
    inherited_variables: &["OMPCODE", "RELAY_OMP_BELL"],
    call_argument: Some("relay_session"),
    sessions: Sessions::Many,
    resume: |id, message, _| words(&["-p", "--resume", id, "--mode", "json", "--", message]),
    attach: |id| words(&["--resume", id]),
    ring: Some(|env, id, line| ring_plugin(env, "RELAY_OMP_BELL", id, line)),
    transcripts: |env| folder(env).join("sessions"),
    transcript_depth: 1,
    transcript_id,
    transcript_directory,
    transcript_title: |line| {
        let tells = matches!(text_of(line, "type")?.as_str(), "title" | "session" | "title_change");
        tells.then(|| text_of(line, "title"))?
    },
    wiring: Wiring::Plugin(&PLUGIN),
    ..USUAL
};

const PLUGIN: Plugin = Plugin {
    folder,
    file: Place { folder, name: "extensions/relay.js" },
    text: plugins::omp,
    begins: "// relay for omp",
    then: "sessions that run now get relay when they start anew",
};

fn folder(env: &Env) -> PathBuf {
    env.path("PI_CODING_AGENT_DIR").unwrap_or_else(|| env.below_home(".omp/agent"))
}

/// `<time>_<id>.jsonl`. A subagent's file lies in a folder of that name.
fn transcript_id(file_name: &str) -> Option<String> {
    let (_, id) = file_name.strip_suffix(".jsonl")?.rsplit_once('_')?;
    is_uuid(id).then(|| id.to_ascii_lowercase())
}

/// The session's own line says so; before it stands one with the title.
fn transcript_directory(line: &str) -> Option<String> {
    let tells = text_of(line, "type")? == "session";
    tells.then(|| text_of(line, "cwd"))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_is_told_where_relay_is() {
        let text = (PLUGIN.text)("/opt/re\"lay");
        assert!(text.starts_with(PLUGIN.begins) && text.contains("? beside : \"/opt/re\\\"lay\"\n"));
    }

    #[test]
    fn a_transcript_s_name_ends_in_the_session_s_id() {
        let id = "01a1fc69-f66b-7267-9a72-a8884d17fec2";
        assert_eq!(transcript_id(&format!("2026-11-21T04-42-45-227Z_{id}.jsonl")).as_deref(), Some(id));
        for other in ["Sub.jsonl", "_.jsonl", "2026_--resume.jsonl", &format!("t_{id}.md"), id] {
            assert_eq!(transcript_id(other), None, "{other}");
        }
    }

    #[test]
    fn its_own_lines_give_the_title() {
        let title = HOST.transcript_title;
        assert_eq!(title(r#"{"type":"title","v":1,"title":"mine","pad":"  "}"#).as_deref(), Some("mine"));
        assert_eq!(title(r#"{"type":"message","title":"not"}"#), None);
        assert_eq!(title(r#"{"type":"session","title":""}"#), None);
    }

    #[test]
    fn the_session_s_own_line_names_its_directory() {
        let line = r#"{"type":"session","version":3,"id":"x","cwd":"/w/a \"b\"","title":"t"}"#;
        assert_eq!(transcript_directory(line).as_deref(), Some("/w/a \"b\""));
        for line in [
            r#"{"type":"title","v":1,"title":"t","cwd":"/x","pad":"   "}"#,
            r#"{"type":"message","cwd":"/x"}"#,
            r#"{"type":"session","cwd":""}"#,
            r#"{"type":"session","cwd":["/x"]}"#,
            "{\"type\":\"session\",\"cwd\":\"/x",
            "",
        ] {
            assert_eq!(transcript_directory(line), None, "{line}");
        }
    }
}
