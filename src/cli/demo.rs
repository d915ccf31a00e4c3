//! `relay demo`: two sessions mail each other, in a home that is thrown away.
//!
//! Invariant: everything that is said between the sessions is said by the real
//! bus and the real hook, as child processes; only the models and their hosts
//! are played. A step that does not do what it says ends the demo with an error.

use std::fmt::Arguments;
use std::fs;
use std::path::PathBuf;

use super::log::indented;
use super::{Parsed, say};
use crate::error::{Error, Result};
use crate::host::words;
use crate::json::{Document, Object, Value, quote};
use crate::ops::Relay;
use crate::sys::{process, random};
use crate::wake::{Plan, converse};

const WEB: Actor =
    Actor { name: "web", host: "claude", title: "Claude Code", id: "0e11a000-0000-4000-8000-00000000cafe" };
const API: Actor =
    Actor { name: "api", host: "codex", title: "Codex", id: "0e11b000-0000-4000-8000-00000000beef" };

/// A session that the demo plays.
struct Actor {
    name: &'static str,
    host: &'static str,
    title: &'static str,
    id: &'static str,
}

/// The throw-away home; removed when the demo ends, however it ends.
struct Stage {
    home: PathBuf,
    relay: String,
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.home);
    }
}

pub fn run(_: &Relay, _: &Parsed) -> Result<i32> {
    let stage = Stage::set()?;
    say(
        "Two agent sessions mail each other. The bus and the hook are real; only the models are played.\n\n",
    )?;

    say("1  web, a Claude Code session, and api, a Codex session, start: their hooks announce them.\n")?;
    for actor in [&WEB, &API] {
        stage.hook(actor, "SessionStart", "source", "startup")?;
    }
    for actor in [&WEB, &API] {
        stage.tool(actor, "register", Object::new().str("name", actor.name))?;
    }
    show(&stage.relay(&WEB, &["list"], "")?)?;

    say("\n2  web's model calls relay's tool `send`:\n")?;
    let question = "Does GET /users page by cursor or by offset?\nI am writing the client now.";
    let request = stage.send(&WEB, &API, question, None)?;

    say("\n3  api's user types a prompt; api's hook puts the mail before its model:\n")?;
    stage.deliver(&API, "UserPromptSubmit", "prompt", "go on", "page by cursor")?;

    say("\n4  api's model answers with `send`:\n")?;
    stage.send(&API, &WEB, "By cursor: pass next_cursor back as ?cursor=.", Some(&request))?;

    say("\n5  web's model wants to end its turn; its Stop hook hands it the answer instead:\n")?;
    stage.deliver(&WEB, "Stop", "last_assistant_message", "I wait for api.", "next_cursor")?;

    say(
        "\n6  web's model ends its turn again; nothing new has come, so the hook is silent and lets it go.\n",
    )?;
    let silence = stage.hook(&WEB, "Stop", "last_assistant_message", "Done: it pages by cursor.")?;
    if !silence.is_empty() {
        return Err(wrong(format_args!("the hook should be silent, it said {silence}")));
    }
    say(
        "\nThat is all there is to it. No server ran in between; the mail was in files, synced before `send` returned.\n\
         Next: wire your agents with `relay install`, or look around with `relay help`.\n",
    )
}

impl Stage {
    fn set() -> Result<Stage> {
        let name = random::hex::<6>()?;
        let home = std::env::temp_dir().join(format!("relay-demo-{name}"));
        let relay = process::executable()?;
        let stage = Stage { home, relay: relay.to_string_lossy().into_owned() };
        for actor in [&WEB, &API] {
            let folder = stage.folder(actor);
            fs::create_dir_all(&folder).map_err(|e| Error::io("make the folder", &folder, e))?;
        }
        Ok(stage)
    }

    fn folder(&self, actor: &Actor) -> PathBuf {
        self.home.join(actor.name)
    }

    /// Runs relay as a child of this session's host, which this process plays.
    fn relay(&self, actor: &Actor, arguments: &[&str], input: &str) -> Result<String> {
        let folder = self.folder(actor);
        let project = folder.to_string_lossy().into_owned();
        let plan = Plan {
            program: self.relay.clone(),
            arguments: words(arguments),
            directory: folder,
            without: Vec::new(),
        };
        let store = self.home.join("store");
        let store = store.to_string_lossy();
        converse(&plan, &[("AGENT_RELAY_HOME", &store), ("RELAY_PROJECT_DIR", &project)], input)
    }

    /// Hands the session's hook an event, of which `key` says `value`. Returns what
    /// it prints.
    fn hook(&self, actor: &Actor, event: &str, key: &'static str, value: &str) -> Result<String> {
        let input = Object::new()
            .str("session_id", actor.id)
            .str("cwd", &self.folder(actor).to_string_lossy())
            .str("hook_event_name", event)
            .str(key, value);
        self.relay(actor, &["hook", actor.host], &input.finish())
    }

    /// The same, and shows the text that the hook puts before the model, which must
    /// hold `expected`.
    fn deliver(
        &self,
        actor: &Actor,
        event: &str,
        key: &'static str,
        value: &str,
        expected: &str,
    ) -> Result<()> {
        let output = self.hook(actor, event, key, value)?;
        let document = Document::parse(output.as_bytes()).ok();
        let root = document.as_ref().map(Document::value);
        let text = root.and_then(|root| {
            root.path(&["hookSpecificOutput", "additionalContext"])
                .or(root.get("reason"))
                .and_then(Value::str)
        });
        match text.filter(|text| text.contains(expected)) {
            Some(text) => show(text),
            None => Err(wrong(format_args!("{} was not shown the mail: {output}", actor.title))),
        }
    }

    /// Has the session's model ask something, or answer a request, and shows the
    /// call. Returns the message's id.
    fn send(&self, actor: &Actor, to: &Actor, body: &str, request: Option<&str>) -> Result<String> {
        let (kind, more) = match request {
            Some(_) => ("reply", ", in_reply_to: ..."),
            None => ("request", ""),
        };
        let arguments = Object::new().str("to", to.name).str("body", body).str("kind", kind);
        let sent = self.tool(actor, "send", arguments.optional("in_reply_to", request))?;
        let hint = member(&sent, "hint")?;
        show(&format!("send(to: \"{}\", body: {}{more})\n-> {hint}\n", to.name, quote(body)))?;
        member(&sent, "id")
    }

    /// Calls a tool of the session's bus. Returns the result's text.
    fn tool(&self, actor: &Actor, name: &str, arguments: Object) -> Result<String> {
        let input = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"initialize","params":{{"protocolVersion":"2025-11-25","capabilities":{{}}}}}}
{{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{{"name":"{name}","arguments":{}}}}}
"#,
            arguments.finish()
        );
        let output = self.relay(actor, &["bus"], &input)?;
        let document = output.lines().nth(1).and_then(|line| Document::parse(line.as_bytes()).ok());
        let result = document.as_ref().and_then(|document| document.value().get("result"));
        let content = result.and_then(|result| result.get("content")?.items()?.next()?.get("text")?.str());
        match content {
            Some(text) if result.is_some_and(|result| result.get("isError").is_none()) => Ok(text.to_owned()),
            _ => Err(wrong(format_args!("the tool {name} said {output}"))),
        }
    }
}

/// A text member of a tool's result.
fn member(result: &str, key: &str) -> Result<String> {
    let document = Document::parse(result.as_bytes()).ok();
    let text = document.as_ref().and_then(|document| document.value().get(key)?.str().map(str::to_owned));
    text.ok_or_else(|| wrong(format_args!("no {key} in {result}")))
}

fn wrong(how: Arguments) -> Error {
    Error::failed(format!("the demo went wrong: {how}"))
}

/// Prints what a session or its model gets to see.
fn show(text: &str) -> Result<()> {
    say(&indented("   ", text)).map(|_| ())
}
