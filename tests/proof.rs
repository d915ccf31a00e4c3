//! What is no proof: a turn that was taken back, one in which the model said
//! nothing, a subagent, an answer that the host cuts.

mod harness;

use harness::wire::{call, init, raw, tool_json};
use harness::{ALICE, BOB, World, bodies, injected};
use serde_json::{Value, json};

const CAROL: &str = "33333333-3333-4333-8333-333333333333";

fn claude(world: &World, name: &str, more: Value) -> Option<Value> {
    world.hook("claude", &world.event(ALICE, "a", name, more))
}

fn prompt(world: &World, words: &str) -> Option<Value> {
    claude(world, "UserPromptSubmit", json!({"prompt": words}))
}

/// Which of `words` stand in the text, each with whether it is marked.
fn shown<'a>(text: &str, words: &[&'a str]) -> Vec<(&'a str, bool)> {
    let entries = text.split("] ").filter(|entry| entry.contains(" of ")).collect::<Vec<_>>();
    let has = |word: &&&str| entries.iter().find(|entry| entry.contains(&format!("| {word}\n"))).copied();
    words.iter().filter_map(|word| has(&word).map(|entry| (*word, entry.contains("REDELIVERED")))).collect()
}

#[test]
fn mail_of_a_turn_that_proved_nothing_comes_again_with_the_next_prompt() {
    // Claude Code takes a prompt back at Esc, and with it what stood beside it.
    let world = World::with_alice_and_bob();
    world.ok(&["send", "alice", "--", "one"]);
    assert!(prompt(&world, "taken back").is_some());
    world.ok(&["send", "alice", "--", "two"]);
    let text = injected(prompt(&world, "and again"));
    assert_eq!(shown(&text, &["one", "two"]), [("one", true), ("two", false)], "{text}");
    // Esc while another hook of this tool's still runs.
    assert_eq!(claude(&world, "PostToolUse", json!({"tool_use_id": "t1"})), None, "that is proof");
    world.ok(&["send", "alice", "--", "three"]);
    assert!(claude(&world, "PostToolUse", json!({"tool_use_id": "t2"})).is_some());
    let text = injected(prompt(&world, "interrupted"));
    assert_eq!(shown(&text, &["one", "two", "three"]), [("three", true)], "{text}");
    // A turn's end that handed mail over, and a turn of that which was interrupted.
    world.ok(&["send", "alice", "--", "four"]);
    assert!(claude(&world, "Stop", json!({"last_assistant_message": "done"})).is_some());
    let text = injected(prompt(&world, "no, stop"));
    assert_eq!(shown(&text, &["three", "four"]), [("four", true)], "{text}");
    assert_eq!(claude(&world, "Stop", json!({"last_assistant_message": "read"})), None);
    assert_eq!(world.pending("alice"), Vec::<String>::new());
    assert!(world.json(&["peek", "alice"]).get("held").is_none());
}

#[test]
fn what_a_start_showed_stands_before_the_turns_that_are_taken_back() {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "alice", "--", "one"]);
    assert!(claude(&world, "SessionStart", json!({"source": "resume"})).is_some());
    for words in ["taken back", "taken back, too"] {
        assert_eq!(prompt(&world, words), None, "it stands there still");
    }
    world.ok(&["send", "alice", "--", "two"]);
    assert_eq!(shown(&injected(prompt(&world, "back")), &["one", "two"]), [("two", false)]);
    let text = injected(prompt(&world, "again"));
    assert_eq!(shown(&text, &["one", "two"]), [("one", true), ("two", true)], "one hold, one end: {text}");
}

#[test]
fn a_turn_in_which_the_model_said_nothing_proves_nothing() {
    let world = World::new();
    world.start("gemini", CAROL, "c", "carol");
    let event = |name: &str, more| world.hook("gemini", &world.event(CAROL, "c", name, more));
    world.ok(&["send", "carol", "--", "one"]);
    assert!(event("BeforeAgent", json!({"prompt": "work"})).is_some());
    world.ok(&["send", "carol", "--", "two"]);
    // What Gemini CLI says of a turn that its user or an error ended.
    let end = json!({"prompt": "work", "prompt_response": "[no response text]", "stop_hook_active": false});
    assert_eq!(event("AfterAgent", end), None, "and it is not told to go on");
    assert_eq!(world.pending("carol"), ["one", "two"]);
    let text = injected(event("BeforeAgent", json!({"prompt": "go on"})));
    assert_eq!(shown(&text, &["one", "two"]), [("one", true), ("two", false)], "{text}");
    let end = json!({"prompt": "go on", "prompt_response": "fine", "stop_hook_active": false});
    assert_eq!(event("AfterAgent", end), None);
    assert!(world.json(&["peek", "carol"]).get("held").is_none(), "that is proof");
}

#[test]
fn a_prompt_that_is_typed_while_a_turn_runs_repeats_nothing() {
    // Codex and Qwen Code announce it as one more of that turn.
    let world = World::with_alice_and_bob();
    let codex = |name: &str, more: Value| world.hook("codex", &world.event(BOB, "b", name, more));
    world.ok(&["send", "bob", "--", "one"]);
    assert!(codex("PostToolUse", json!({"turn_id": "t1", "tool_use_id": "u1"})).is_some());
    for words in ["and this", "and that"] {
        assert_eq!(codex("UserPromptSubmit", json!({"turn_id": "t1", "prompt": words})), None);
    }
    let text = injected(codex("UserPromptSubmit", json!({"turn_id": "t2", "prompt": "stop, do this"})));
    assert_eq!(shown(&text, &["one"]), [("one", true)], "{text}");
}

#[test]
fn a_prompt_that_only_waits_behind_a_turn_shows_nothing() {
    // Claude Code announces it when it is queued, and its user can take it back.
    let world = World::with_alice_and_bob();
    let transcript = world.project("a").join("t.jsonl");
    let line = json!({"type": "user", "promptId": "p1", "message": {"role": "user", "content": "work"}});
    std::fs::write(&transcript, format!("{line}\n{}\n", json!({"x": "y".repeat(200_000)}))).unwrap();
    let prompt = |turn: &str| {
        let more = json!({"prompt": "more", "prompt_id": turn, "transcript_path": transcript});
        claude(&world, "UserPromptSubmit", more)
    };
    world.ok(&["send", "alice", "--", "one"]);
    assert_eq!(prompt("p1"), None);
    assert_eq!(world.pending("alice"), ["one"]);
    let text = injected(claude(&world, "Stop", json!({"prompt_id": "p1", "last_assistant_message": "done"})));
    assert_eq!(shown(&text, &["one"]), [("one", false)], "{text}");
    assert_eq!(claude(&world, "Stop", json!({"prompt_id": "p1", "last_assistant_message": "read"})), None);
    world.ok(&["send", "alice", "--", "two"]);
    assert_eq!(shown(&injected(prompt("p2")), &["one", "two"]), [("two", false)], "a turn of its own");
}

/// A call of `inbox` as Codex makes it for bob's session.
fn codex_inbox(world: &World, more: Value) -> Value {
    let mut request: Value = serde_json::from_str(&call(2, "inbox", json!({}))).unwrap();
    request["params"]["_meta"] = json!({"sessionId": BOB, "x-codex-turn-metadata": more});
    let answers = raw(world, format!("{}\n{request}\n", init("2025-06-18")).as_bytes());
    serde_json::from_str(&answers[1]).unwrap()
}

#[test]
fn a_subagents_call_takes_none_of_the_sessions_mail() {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "bob", "--", "for bob's own model"]);
    let answer = codex_inbox(&world, json!({"session_id": BOB, "thread_source": "subagent"}));
    assert_eq!(answer["result"]["isError"], true, "{answer}");
    assert!(answer["result"]["content"][0]["text"].as_str().unwrap().contains("subagent"), "{answer}");
    assert_eq!(world.pending("bob"), ["for bob's own model"]);
    let answer = codex_inbox(&world, json!({"session_id": BOB, "thread_source": "user"}));
    assert_eq!(bodies(&tool_json(&answer)), ["for bob's own model"]);
}

#[test]
fn what_a_subagents_call_took_comes_again_where_only_its_hook_tells() {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "alice", "--", "one"]);
    // This process is alice's host; bob's session has ended.
    world.hook("codex", &world.event(BOB, "b", "SessionEnd", json!({"reason": "other"})));
    let lines = [init("2025-06-18"), call(2, "inbox", json!({}))];
    let answers = raw(&world, (lines.join("\n") + "\n").as_bytes());
    assert_eq!(bodies(&tool_json(&serde_json::from_str(&answers[1]).unwrap())), ["one"]);
    let tool = |name: &str, id: &str| json!({"agent_id": "a1", "tool_name": name, "tool_use_id": id});
    assert_eq!(claude(&world, "PostToolUse", tool("Bash", "t1")), None);
    assert_eq!(claude(&world, "PostToolUse", tool("mcp__letters__list_inbox", "t1")), None);
    assert_eq!(world.json(&["peek", "alice"])["held"], 1, "another tool says nothing of it");
    assert_eq!(claude(&world, "PostToolUse", tool("mcp__relay__inbox", "t2")), None);
    let text = injected(claude(&world, "PostToolUse", json!({"tool_name": "Agent", "tool_use_id": "t3"})));
    assert_eq!(shown(&text, &["one"]), [("one", true)], "{text}");
}

#[test]
fn an_answer_is_no_longer_than_what_the_host_hands_on() {
    let world = World::with_alice_and_bob();
    for number in 0..16 {
        world.ok(&["send", "bob", "--", &format!("{number} {}", "x".repeat(1_500))]);
    }
    for body in ["y", "\"", "\u{1}", "\u{1f980}\n"] {
        let run = world.run_with_input(&["send", "bob"], body.repeat(20_000).as_bytes());
        assert_eq!(run.code, Some(0), "{}", run.stderr);
    }
    let (mut read, mut calls) = (0, 0);
    while read < 20 {
        let answer = codex_inbox(&world, json!({"session_id": BOB}));
        let text = answer["result"]["content"][0]["text"].as_str().unwrap().len();
        assert!(text < 10_000, "Codex cuts the middle out of {text} bytes");
        let mail = tool_json(&answer);
        assert!(!bodies(&mail).is_empty(), "{mail}");
        read += bodies(&mail).len();
        calls += 1;
    }
    assert!(calls < 20, "several at once");
}
