//! The worlds before, and what the verbs are given.

use std::process::Command;

use super::harness::{ALICE, BOB, World};
use serde_json::{Value, json};

pub const FRESH: &str = "33333333-3333-4333-8333-3333333ccccc";

/// Carol's mailbox with old mail: 200 messages read, `unread` more not. Nobody
/// has seen her for years.
pub fn long_ago(unread: usize) -> World {
    let world = World::with_alice_and_bob();
    world.ok(&["register", "carol", "--id", FRESH, "--dir", "/"]);
    let folder = world.session(FRESH);
    let line = |id: usize| {
        json!({"id": format!("m{id}"), "to": FRESH, "ts": "2020-01-01T00:00:00Z", "body": "x".repeat(500)})
            .to_string()
            + "\n"
    };
    let read: String = (0..200).map(line).collect();
    let rest: String = (200..200 + unread).map(line).collect();
    std::fs::write(folder.join("mail.jsonl"), format!("{read}{rest}")).unwrap();
    std::fs::write(folder.join("cursor.json"), json!({"consumed": read.len()}).to_string()).unwrap();
    let record = std::fs::read_to_string(folder.join("info.json")).unwrap();
    let mut info: Value = serde_json::from_str(&record).unwrap();
    info["seen"] = json!("2020-01-01T00:00:00Z");
    std::fs::write(folder.join("info.json"), info.to_string()).unwrap();
    let files = ["mail.jsonl", "cursor.json"].map(|name| folder.join(name));
    assert!(Command::new("touch").args(["-d", "2020-01-01"]).args(files).status().unwrap().success());
    world
}

pub fn outdated() -> World {
    long_ago(2)
}

pub fn forgotten() -> World {
    long_ago(0)
}

pub fn none(_: &World) -> Option<String> {
    None
}

/// The token of the hold that stands.
pub fn token(world: &World) -> Option<String> {
    let cursor = std::fs::read(world.session(BOB).join("cursor.json")).unwrap();
    serde_json::from_slice::<Value>(&cursor).unwrap()["hold"]["token"].as_str().map(str::to_owned)
}

pub fn two_held() -> World {
    let world = two_waiting();
    world.ok(&["inbox", "--hold", "600", "bob"]);
    world
}

/// A world whose bus is bob's.
pub fn two_waiting_for_the_bus() -> World {
    let world = two_waiting();
    let project = world.project("b");
    world.with("RELAY_PROJECT_DIR", project.to_str().unwrap())
}

pub fn bus_inbox(_: &World) -> String {
    let open = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#;
    let call = r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"inbox","arguments":{}}}"#;
    format!("{open}\n{call}\n")
}

/// Alice has asked bob.
pub fn asked() -> World {
    let world = World::with_alice_and_bob();
    world.ok(&["request", "bob", "--from", "alice", "--", "ready?"]);
    world
}

pub fn answered() -> World {
    let world = asked();
    world.ok(&["reply", &request(&world).unwrap(), "--", "yes"]);
    world
}

pub fn yes(_: &World) -> String {
    "yes".to_owned()
}

/// The id of the request.
pub fn request(world: &World) -> Option<String> {
    world.json(&["peek", "bob"])["messages"][0]["id"].as_str().map(str::to_owned)
}

pub fn nothing(_: &World) -> String {
    String::new()
}

pub fn none_waiting() -> World {
    World::with_alice_and_bob()
}

pub fn one_waiting() -> World {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "bob", "--", "one"]);
    world
}

pub fn two_waiting() -> World {
    let world = one_waiting();
    world.ok(&["send", "bob", "--", "two"]);
    world
}

pub fn one_shown_one_waiting() -> World {
    let world = one_waiting();
    let event = world.event(BOB, "b", "SessionStart", json!({"source": "resume"}));
    assert!(world.hook("codex", &event).is_some());
    world.ok(&["send", "bob", "--", "two"]);
    world
}

pub fn cleared() -> World {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "alice", "--", "one"]);
    world.ok(&["send", "alice", "--", "two"]);
    world.ok(&["join", "team", "alice"]);
    world.hook("claude", &world.event(ALICE, "a", "SessionEnd", json!({"reason": "clear"})));
    world
}

pub fn session_relay_home() -> World {
    let world = World::new();
    let home = world.store();
    std::fs::create_dir_all(home.join("mailbox")).unwrap();
    let agent = |id: &str, name: &str| json!({"id": id, "name": name, "dir": "/w", "tool": "codex", "lastSeen": null});
    let registry = json!({"agents": {ALICE: agent(ALICE, "alice"), BOB: agent(BOB, "bob")}, "names": {}});
    std::fs::write(home.join("registry.json"), registry.to_string()).unwrap();
    for (id, body) in [(ALICE, "for alice"), (BOB, "for bob")] {
        let line = json!({"id": body, "ts": "2026-07-01T10:00:00.000Z", "from": null, "fromName": "cli", "to": id, "body": body});
        std::fs::write(home.join(format!("mailbox/{id}.jsonl")), format!("{line}\n")).unwrap();
    }
    world
}

pub fn prompt(world: &World) -> String {
    world.event(BOB, "b", "UserPromptSubmit", json!({"prompt": "p"})).to_string()
}

pub fn tool_use(world: &World) -> String {
    world.event(BOB, "b", "PostToolUse", json!({"tool_use_id": "t"})).to_string()
}

pub fn start_fresh(world: &World) -> String {
    world.event(FRESH, "c", "SessionStart", json!({"source": "startup"})).to_string()
}

pub fn start_cleared(world: &World) -> String {
    world.event(FRESH, "a", "SessionStart", json!({"source": "clear"})).to_string()
}
