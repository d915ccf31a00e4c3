//! The six tools through the bus, as a session uses them.

mod harness;

use std::process::Stdio;

use harness::wire::{call, init, raw, tool_json};
use harness::{ALICE, BOB, World, feed};
use serde_json::{Value, json};

/// A conversation through two buses.
fn as_session(world: &World, folder: &str, calls: &[(&str, Value)]) -> Vec<Value> {
    let mut lines = init("2025-11-25") + "\n";
    for (index, (tool, arguments)) in calls.iter().enumerate() {
        lines += &(call(index as u64 + 1, tool, arguments.clone()) + "\n");
    }
    let mut command = world.command(&["bus"]);
    let output =
        feed(command.env("RELAY_PROJECT_DIR", world.project(folder)).stdin(Stdio::piped()), lines.as_bytes());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn six_tools_work_together() {
    let world = World::with_alice_and_bob();
    let answers = as_session(
        &world,
        "a",
        &[
            ("whoami", json!({})),
            ("register", json!({"name": "alicia"})),
            ("roster", json!({})),
            ("send", json!({"to": "bob", "body": "hello\u{2028}\u{0}🦀", "kind": "request"})),
            ("send", json!({"to": "bbo", "body": "x"})),
            ("register", json!({"name": "bob"})),
            ("discover", json!({})),
        ],
    );
    let me = tool_json(&answers[0]);
    assert_eq!((&me["id"], &me["name"], &me["tool"]), (&json!(ALICE), &json!("alice"), &json!("claude")));
    assert_eq!(tool_json(&answers[1])["name"], "alicia");
    let agents = tool_json(&answers[2])["agents"].as_array().unwrap().clone();
    assert_eq!(agents.len(), 2);
    assert!(agents.iter().all(|agent| agent["live"] == true && agent["lastSeen"].is_string()));
    assert_eq!(agents.iter().find(|agent| agent["self"] == true).unwrap()["id"], ALICE);
    let sent = tool_json(&answers[3]);
    assert_eq!((&sent["ok"], &sent["delivered_to"]), (&json!(true), &json!("bob")));
    assert_eq!(sent["recipient_dir"], world.project("b").to_str().unwrap());
    assert!(answers[4]["result"]["content"][0]["text"].as_str().unwrap().contains("did you mean 'bob'?"));
    assert_eq!(
        (&answers[4]["result"]["isError"], &answers[5]["result"]["isError"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(tool_json(&answers[6])["count"], 0);
    let mail = tool_json(&as_session(&world, "b", &[("inbox", json!({}))])[0]);
    assert_eq!(mail["count"], 1);
    let message = &mail["messages"][0];
    assert_eq!(
        (&message["from"], &message["fromName"], &message["body"]),
        (&json!(ALICE), &json!("alicia"), &json!("hello\u{2028}\u{0}🦀"))
    );
    assert_eq!(message["id"], sent["id"]);
    let reply = ("send", json!({"to": "alicia", "body": "hi", "in_reply_to": message["id"]}));
    as_session(&world, "b", &[reply]);
    assert!(world.ok(&["status", sent["id"].as_str().unwrap()]).starts_with("replied"));
}

#[test]
fn a_body_cut_inside_an_emoji_arrives() {
    let world = World::with_alice_and_bob();
    let send = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"send","arguments":{"to":"bob","body":"cut \ud83d"}}}"#;
    let answers = raw(&world, format!("{}\n{send}\n", init("2025-11-25")).as_bytes());
    assert_eq!(tool_json(&serde_json::from_str(&answers[1]).unwrap())["ok"], true);
    assert_eq!(world.pending("bob"), ["cut \u{fffd}"]);
}

#[test]
fn the_next_call_proves_that_the_mail_arrived() {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "bob", "--", "one"]);
    as_session(&world, "b", &[("inbox", json!({}))]);
    assert_eq!(world.json(&["peek", "bob"])["held"], 1);
    assert_eq!(tool_json(&as_session(&world, "b", &[("inbox", json!({}))])[0])["count"], 0);
    assert!(world.json(&["peek", "bob"]).get("held").is_none());
    world.ok(&["send", "bob", "--", "two"]);
    as_session(&world, "b", &[("inbox", json!({}))]);
    world.hook("codex", &world.event(BOB, "b", "PostToolUse", json!({"tool_name": "inbox"})));
    assert!(world.json(&["peek", "bob"]).get("held").is_none(), "the hook after the call proves it too");
}

#[test]
fn a_long_message_comes_in_parts_and_a_full_box_in_pages() {
    let world = World::with_alice_and_bob();
    let body: String = (0..20_000).map(|n| format!("{n:05}🦀")).collect();
    assert_eq!(world.run_with_input(&["send", "bob"], body.as_bytes()).code, Some(0));
    let answer = &as_session(&world, "b", &[("inbox", json!({}))])[0];
    assert!(answer.to_string().len() < 64 * 1024);
    let first = tool_json(answer)["messages"][0].clone();
    assert_eq!(first["body_bytes"], body.len());
    let mut read = first["body"].as_str().unwrap().to_owned();
    let mut next = Some(json!(read.len()));
    while let Some(offset) = next {
        let part = tool_json(
            &as_session(&world, "b", &[("inbox", json!({"id": first["id"], "offset": offset}))])[0],
        );
        read += part["body"].as_str().unwrap();
        next = part.get("next_offset").cloned();
    }
    assert_eq!(read, body);
    for number in 0..300 {
        world.ok(&["send", "bob", "--", &format!("{number} {}", "x".repeat(500))]);
    }
    let mut seen = 0;
    loop {
        let answer = &as_session(&world, "b", &[("inbox", json!({}))])[0];
        assert!(answer.to_string().len() < 64 * 1024);
        let mail = tool_json(answer);
        if mail["count"] == 0 {
            break;
        }
        for message in mail["messages"].as_array().unwrap() {
            assert!(message["body"].as_str().unwrap().starts_with(&format!("{seen} ")));
            seen += 1;
        }
    }
    assert_eq!(seen, 300);
}

#[test]
fn the_host_may_name_the_session_in_the_call() {
    let world = World::new();
    let id = "0199aaaa-1111-7111-8111-111111111111";
    let line = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"whoami","arguments":{{}},"_meta":{{"sessionId":"{id}","threadId":"{id}","progressToken":0}}}}}}"#
    );
    let answers = raw(&world, format!("{}\n{line}\n", init("2025-06-18")).as_bytes());
    let me = tool_json(&serde_json::from_str(&answers[1]).unwrap());
    assert_eq!((&me["id"], &me["tool"]), (&json!(id), &json!("codex")));
    assert!(me["name"].as_str().unwrap().starts_with("a-"), "it has a name at once: {me}");
}
