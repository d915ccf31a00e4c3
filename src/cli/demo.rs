//! `relay demo`: two sessions mail each other, in a home that is thrown away.
//!
//! Invariant: everything that is said between the sessions is said by the real
//! bus and the real hook, as child processes; only the models and their hosts
//! are played. A step that does not do what it says ends the demo with an error.

use std::fs;
use std::path::PathBuf;

use super::{Parsed, say};
use crate::error::{Error, Result};
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
    stage.hook(&WEB, "SessionStart", &[("source", "startup")])?;
    stage.hook(&API, "SessionStart", &[("source", "startup")])?;
    stage.tool(&WEB, "register", &[("name", WEB.name)])?;
    stage.tool(&API, "register", &[("name", API.name)])?;
    say(&indent(&stage.relay_list()?))?;

    say("\n2  web's model calls relay's tool `send`:\n")?;
    let question = "Does GET /users page by cursor or by offset?\nI am writing the client now.";
    let sent = stage.tool(&WEB, "send", &[("to", API.name), ("body", question), ("kind", "request")])?;
    let request = member(&sent, "id")?;
    say(&indent(&format!("send(to: \"api\", body: {})\n-> {}\n", quote(question), member(&sent, "hint")?)))?;

    say("\n3  api's user types a prompt; api's hook puts the mail before its model:\n")?;
    let text = stage.shown(&API, "UserPromptSubmit", &[("prompt", "go on")], "page by cursor")?;
    say(&indent(&text))?;

    say("\n4  api's model answers with `send`:\n")?;
    let answer = "By cursor: pass next_cursor back as ?cursor=.";
    let arguments = [("to", WEB.name), ("body", answer), ("in_reply_to", &request), ("kind", "reply")];
    let sent = stage.tool(&API, "send", &arguments)?;
    say(&indent(&format!(
        "send(to: \"web\", body: {}, in_reply_to: ...)\n-> {}\n",
        quote(answer),
        member(&sent, "hint")?
    )))?;

    say("\n5  web's model wants to end its turn; its Stop hook hands it the answer instead:\n")?;
    let text = stage.shown(&WEB, "Stop", &[("last_assistant_message", "I wait for api.")], "next_cursor")?;
    say(&indent(&text))?;

    say(
        "\n6  web's model ends its turn again; nothing new has come, so the hook is silent and lets it go.\n",
    )?;
    let silence = stage.hook(&WEB, "Stop", &[("last_assistant_message", "Done: it pages by cursor.")])?;
    if !silence.is_empty() {
        return Err(Error::failed(format!(
            "the demo went wrong: the hook should be silent, it said {silence}"
        )));
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
        let plan = Plan {
            program: self.relay.clone(),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            directory: folder.clone(),
            without: Vec::new(),
        };
        let store = self.home.join("store").to_string_lossy().into_owned();
        let project = folder.to_string_lossy().into_owned();
        converse(&plan, &[("AGENT_RELAY_HOME", &store), ("RELAY_PROJECT_DIR", &project)], input)
    }

    fn relay_list(&self) -> Result<String> {
        self.relay(&WEB, &["list"], "")
    }

    /// Hands the session's hook an event. Returns what it prints.
    fn hook(&self, actor: &Actor, event: &str, more: &[(&'static str, &str)]) -> Result<String> {
        let folder = self.folder(actor);
        let mut object = Object::new()
            .str("session_id", actor.id)
            .str("cwd", &folder.to_string_lossy())
            .str("hook_event_name", event);
        for (key, value) in more {
            object = object.str(key, value);
        }
        self.relay(actor, &["hook", actor.host], &object.finish())
    }

    /// The text that the hook puts before the model, which must hold `expected`.
    fn shown(
        &self,
        actor: &Actor,
        event: &str,
        more: &[(&'static str, &str)],
        expected: &str,
    ) -> Result<String> {
        let output = self.hook(actor, event, more)?;
        let document = Document::parse(output.as_bytes()).ok();
        let root = document.as_ref().map(Document::value);
        let text = root.and_then(|root| {
            root.path(&["hookSpecificOutput", "additionalContext"])
                .or(root.get("reason"))
                .and_then(Value::str)
        });
        match text.filter(|text| text.contains(expected)) {
            Some(text) => Ok(text.to_owned()),
            None => Err(Error::failed(format!(
                "the demo went wrong: {} was not shown the mail: {output}",
                actor.title
            ))),
        }
    }

    /// Calls a tool of the session's bus. Returns the result's text.
    fn tool(&self, actor: &Actor, name: &str, arguments: &[(&'static str, &str)]) -> Result<String> {
        let arguments =
            arguments.iter().fold(Object::new(), |object, (key, value)| object.str(key, value)).finish();
        let params = Object::new().str("name", name).raw("arguments", &arguments).finish();
        let request = |id: u64, method: &str, params: &str| {
            Object::new()
                .str("jsonrpc", "2.0")
                .u64("id", id)
                .str("method", method)
                .raw("params", params)
                .finish()
        };
        let open = request(1, "initialize", r#"{"protocolVersion":"2025-11-25","capabilities":{}}"#);
        let call = request(2, "tools/call", &params);
        let output = self.relay(actor, &["bus"], &format!("{open}\n{call}\n"))?;
        let document = output.lines().nth(1).and_then(|line| Document::parse(line.as_bytes()).ok());
        let result = document.as_ref().and_then(|document| document.value().get("result"));
        let content = result.and_then(|result| result.get("content")?.items()?.next()?.get("text")?.str());
        match content {
            Some(text) if result.is_some_and(|result| result.get("isError").is_none()) => Ok(text.to_owned()),
            _ => Err(Error::failed(format!("the demo went wrong: the tool {name} said {output}"))),
        }
    }
}

/// A text member of a tool's result.
fn member(result: &str, key: &str) -> Result<String> {
    let document = Document::parse(result.as_bytes()).ok();
    let text = document.as_ref().and_then(|document| document.value().get(key)?.str().map(str::to_owned));
    text.ok_or_else(|| Error::failed(format!("the demo went wrong: no {key} in {result}")))
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("   {line}\n")).collect()
}
