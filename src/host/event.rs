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
    pub name: &'static str,
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
        let named = members.str("hook_event_name").filter(|name| !name.is_empty());
        let name = name.or(named.as_deref()).unwrap_or("SessionStart");
        let (name, moment) = *host.moments.iter().find(|(known, _)| *known == name)?;
        let session = any(&["session_id", "conversation_id", "conversationId"])?;
        let turn = any(&["turn_id", "prompt_id"]);
        let own = fnv1a(bytes);
        let fingerprint = match &turn {
            Some(turn) => format!("{own:016x}-{:016x}", fnv1a(turn.as_bytes())),
            None => format!("{own:016x}"),
        };
        let tool = members.str("tool_name");
        let task =
            members.get("tool_input").filter(|_| tool.is_some() && tool.as_deref() == host.subagent_tool);
        Some(Event {
            name,
            moment,
            session,
            directory: field("cwd")
                .or_else(|| first_of(&["workspace_roots", "workspacePaths"]))
                .filter(|path| is_place(path)),
            transcript: any(&["transcript_path", "transcriptPath"]).filter(|path| is_place(path)),
            source: field("source"),
            in_subagent: members.str("agent_id").is_some_and(|agent| !agent.is_empty()),
            task: task.map(|input| format!("{:016x}", fnv1a(input.text.as_bytes()))),
            is_continuation: members
                .str("prompt")
                .is_some_and(|prompt| prompt.is_empty() || fence::is_relays(&prompt)),
            is_answered: !host.no_answer.is_some_and(|(key, words)| {
                members.str(key).is_some_and(|said| said.is_empty() || said == *words)
            }),
            of_inbox: tool.is_some_and(|tool| tool.ends_with("__inbox")),
            turn,
            fingerprint,
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
        assert_eq!((event.name, event.moment), ("SessionStart", Moment::Start));
    }
}
