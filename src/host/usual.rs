//! What is so with most hosts, and what they have in the same way.
//!
//! Invariant: see [`super`].

use std::borrow::Cow;
use std::path::PathBuf;

use super::wiring::{Entries, Wiring};
use super::{Host, Moment, Ring, Sessions};
use crate::json::{self, Document, Object, Value};
use crate::limits::ANSWER_BYTES;
use crate::mail::address::is_uuid;
use crate::sys::Env;

/// What is so with most hosts. What each must say itself is empty here.
pub const USUAL: Host = Host {
    name: "",
    title: "",
    program: "",
    oldest: "",
    session_variable: None,
    mark_variable: "",
    inherited_variables: &[],
    meta_paths: &[],
    call_argument: None,
    subagent_mark: None,
    answer_bytes: ANSWER_BYTES,
    sessions: Sessions::One,
    output: common_output,
    deaf_at: &[],
    silence: |_| "",
    subagent_tool: None,
    no_answer: None,
    queued_mark: None,
    moments: &[
        ("SessionStart", Moment::Start),
        ("UserPromptSubmit", Moment::Prompt),
        ("PostToolUse", Moment::ToolUse),
        ("Stop", Moment::TurnEnd),
        ("SessionEnd", Moment::End),
    ],
    resume: |_, _, _| Vec::new(),
    attach: |_| Vec::new(),
    ring: None,
    turn_runs: |_, _| None,
    transcripts: |_| PathBuf::from("/dev/null/no-transcripts"),
    transcript_depth: 0,
    transcript_id: uuid_of_file,
    id_in_transcript: None,
    transcript_directory: |_| None,
    directory_file: None,
    transcript_title: |_| None,
    listing: None,
    running: None,
    wiring: Wiring::Entries(&Entries::USUAL),
};

/// Arguments of a program.
pub fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Arguments, and an option with its value behind them.
pub fn words_and(first: &[&str], option: &str, value: &str) -> Vec<String> {
    let mut all = words(first);
    all.push(format!("{option}={value}"));
    all
}

/// What a member of an object says, if it is a text and not empty.
pub fn text_of(object: &str, key: &str) -> Option<String> {
    json::members(object)?.str(key).map(Cow::into_owned).filter(|text| !text.is_empty())
}

/// The text at a path of member names.
pub fn text_at(object: &str, path: &[&str]) -> Option<String> {
    let document = Document::parse(object.as_bytes()).ok()?;
    document.value().path(path).and_then(Value::str).map(str::to_owned)
}

/// The id in a transcript's name that is nothing but that: `<uuid>.jsonl`.
pub fn uuid_of_file(file_name: &str) -> Option<String> {
    file_name.strip_suffix(".jsonl").filter(|id| is_uuid(id)).map(str::to_owned)
}

/// Rings where relay's plugin listens, which lets a session alone whose turn runs:
/// the variable names its socket.
pub fn ring_plugin(env: &Env, variable: &'static str, id: &str, line: &str) -> Option<Ring> {
    let path = env.path(variable)?;
    let lines = Object::new().str("session", id).str("text", line).finish() + "\n";
    Some(Ring::Socket { path, lines })
}

/// See [`Host::output`]: the form that Claude Code has and most others read
/// (measured, see docs/hosts.md).
pub fn common_output(event_name: &str, moment: Moment, text: &str) -> String {
    match moment {
        Moment::TurnEnd => Object::new().str("decision", "block").str("reason", text).finish(),
        _ => {
            let inner = Object::new().str("hookEventName", event_name).str("additionalContext", text);
            Object::new().raw("hookSpecificOutput", &inner.finish()).finish()
        }
    }
}
