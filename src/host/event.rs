//! A hook's event, as a host hands it over on stdin.
//!
//! Invariant: any bytes give an event or `None`; nothing here allocates more
//! than the event itself, and a field is only what it says it is.

use std::borrow::Cow;

use super::Host;
use crate::json;
use crate::mail::address::is_place;
use crate::mail::fence;
use crate::mail::text::fnv1a;

/// When in a session's life a hook runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The session starts, resumes, is cleared or compacted.
    Start,
    /// The user has sent a prompt.
    Prompt,
    /// A subagent is given a task.
    Delegation,
    /// A tool has run; the turn goes on.
    ToolUse,
    /// The model wants to end its turn.
    TurnEnd,
    /// The session ends.
    End,
}

/// One event of a session.
#[derive(Debug, PartialEq, Eq)]
pub struct Event {
    /// The host's name for it, to be repeated in the answer.
    pub name: String,
    pub moment: Moment,
    pub session: String,
    pub directory: Option<String>,
    pub transcript: Option<String>,
    /// Why a session starts: `startup`, `resume`, `clear`, `compact`.
    pub source: Option<String>,
    /// Whether it happened inside a subagent.
    pub in_subagent: bool,
    /// The subagent's task that this event begins or ends.
    pub task: Option<String>,
    /// Whether its prompt is no user's: mail that a turn's end handed over, or
    /// nothing but a tool's result, which some hosts announce like a prompt.
    pub is_continuation: bool,
    /// Whether the model said something in the turn that it ends, as far as it tells.
    pub is_answered: bool,
    /// Whether it is about relay's tool `inbox`, whatever the user calls its server.
    pub of_inbox: bool,
    /// The turn that it belongs to, where it says so.
    pub turn: Option<String>,
    /// A digest of its bytes, which tells whether two events are the same one, and
    /// behind a `-` one of its turn, if it says that.
    pub fingerprint: String,
}

impl Event {
    /// Reads an event. `name` overrides the name that the event gives itself;
    /// an event without any name is a session's start, as for session-relay.
    pub fn parse(bytes: &[u8], host: &Host, name: Option<&str>) -> Option<Event> {
        // Valid, as nearly always, is soon seen, also of megabytes.
        let text = std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed);
        let members = json::leading_members(&text);
        let field = |key: &str| members.str(key).map(Cow::into_owned).filter(|value| !value.is_empty());
        let any = |keys: &[&str]| keys.iter().find_map(|key| field(key));
        let first_of = |keys: &[&str]| {
            let raw = keys.iter().find_map(|key| members.get(key))?;
            json::items(raw.text)?.first().and_then(|first| json::decode(first)).map(Cow::into_owned)
        };
        let name = name.map(str::to_owned).or_else(|| field("hook_event_name"));
        let name = name.unwrap_or_else(|| "SessionStart".to_owned());
        let moment = host.moments.iter().find(|(known, _)| *known == name)?.1;
        let turn = any(&["turn_id", "prompt_id"]);
        let of_turn =
            turn.as_deref().map_or(String::new(), |turn| format!("-{:016x}", fnv1a(turn.as_bytes())));
        Some(Event {
            name,
            moment,
            session: any(&["session_id", "conversation_id", "conversationId"])?,
            directory: field("cwd")
                .or_else(|| first_of(&["workspace_roots", "workspacePaths"]))
                .filter(|path| is_place(path)),
            transcript: any(&["transcript_path", "transcriptPath"]).filter(|path| is_place(path)),
            source: field("source"),
            in_subagent: field("agent_id").is_some(),
            task: host
                .subagent_tool
                .filter(|tool| field("tool_name").as_deref() == Some(tool))
                .and_then(|_| members.get("tool_input"))
                .map(|input| format!("{:016x}", fnv1a(input.text.as_bytes()))),
            is_continuation: members
                .str("prompt")
                .is_some_and(|prompt| prompt.is_empty() || fence::is_relays(&prompt)),
            is_answered: !host.no_answer.is_some_and(|(key, words)| {
                members.str(key).is_some_and(|said| said.is_empty() || said == words)
            }),
            of_inbox: members.str("tool_name").is_some_and(|tool| tool.ends_with("__inbox")),
            turn,
            fingerprint: format!("{:016x}{of_turn}", fnv1a(bytes)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::HOSTS;

    #[test]
    fn any_bytes_give_an_event_or_nothing() {
        let host = &HOSTS[0];
        for bytes in
            [&b""[..], b"{", b"[]", b"null", b"{\"session_id\":5}", b"\xff\xfe", b"{\"session_id\":\"\"}"]
        {
            assert_eq!(Event::parse(bytes, host, None), None);
        }
        let deep = format!("{{\"session_id\":\"s\",\"x\":{}", "[".repeat(1_000_000));
        assert_eq!(Event::parse(deep.as_bytes(), host, None).unwrap().session, "s");
        let other = br#"{"session_id":"s","hook_event_name":"Notification"}"#;
        assert_eq!(Event::parse(other, host, None), None);
    }

    #[test]
    fn an_event_without_a_name_is_a_start() {
        let event =
            Event::parse(br#"{"session_id":"s","cwd":"/w","source":"resume"}"#, &HOSTS[0], None).unwrap();
        assert_eq!((event.name.as_str(), event.moment), ("SessionStart", Moment::Start));
    }
}
