//! Requests and their one reply, threads, and what a sender can ask about mail.

mod harness;

use std::process::{Command, Stdio};

use harness::{ALICE, BOB, Run, World, feed, injected};
use serde_json::{Value, json};

const CAROL: &str = "33333333-3333-4333-8333-3333333ccccc";

/// Alice asks bob. The request's id.
fn ask(world: &World, body: &str) -> String {
    let sent = world.json(&["request", "bob", "--from", "alice", "--json", "--", body]);
    sent["id"].as_str().unwrap().to_owned()
}

/// Runs relay in a shell of the session whose project folder this is.
fn run_in(world: &World, folder: &str, arguments: &[&str]) -> Run {
    let mut command = world.command(arguments);
    Run::of(command.env("RELAY_PROJECT_DIR", world.project(folder)).output().unwrap())
}

/// A tool call through the bus of the session whose project folder this is.
fn call(world: &World, folder: &str, tool: &str, arguments: Value) -> (bool, String) {
    let open = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25"}});
    let call = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": tool, "arguments": arguments}});
    let mut command = world.command(&["bus"]);
    command.env("RELAY_PROJECT_DIR", world.project(folder)).stdin(Stdio::piped());
    let output = feed(&mut command, format!("{open}\n{call}\n").as_bytes());
    let text = String::from_utf8(output.stdout).unwrap();
    let answer: Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    let failed = answer["result"]["isError"] == true;
    (
        !failed,
        answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned(),
    )
}

fn messages(mail: &Value) -> Vec<Value> {
    mail["messages"].as_array().unwrap().clone()
}

#[test]
fn the_first_reply_wins_and_only_its_repetition_is_harmless() {
    let world = World::with_alice_and_bob();
    let id = ask(&world, "ready?");
    let first = world.json(&["reply", &id, "--json", "--", "yes"]);
    assert_eq!(
        (&first["toName"], &first["status"], &first["repeated"]),
        (&json!("alice"), &json!("completed"), &json!(false))
    );
    let before = world.snapshot();
    let again = world.json(&["reply", &id, "--status", "completed", "--json", "--", "yes"]);
    assert_eq!((&again["id"], &again["repeated"]), (&first["id"], &json!(true)));
    for other in [vec!["reply", &id, "--", "no"], vec!["reply", &id, "--status", "failed", "--", "yes"]] {
        let run = world.run(&other);
        assert_eq!((run.code, run.stderr.lines().count()), (Some(5), 1), "{}", run.stderr);
        assert!(run.stderr.contains(first["id"].as_str().unwrap()), "{}", run.stderr);
    }
    assert_eq!(world.snapshot(), before, "nothing of these was stored");
    assert_eq!(world.drain("alice"), ["yes"]);
    assert_eq!(world.run(&["reply", &id, "--", "no"]).code, Some(5), "also when the reply was read");
}

#[test]
fn a_reply_says_who_for_whom_and_how_it_ended() {
    let world = World::with_alice_and_bob();
    let id = ask(&world, "ready?");
    world.ok(&["reply", &id, "--status", "failed", "--", "no disk"]);
    let reply = messages(&world.json(&["peek", "alice"]))[0].clone();
    assert_eq!(
        (&reply["kind"], &reply["status"], &reply["in_reply_to"], &reply["thread"]),
        (&json!("reply"), &json!("failed"), &json!(id), &json!(id))
    );
    assert_eq!(
        (&reply["from"], &reply["via"]),
        (&json!(BOB), &json!("cli")),
        "a person replied on bob's behalf"
    );
    let text = world.ok(&["status", &id]);
    assert!(text.starts_with("replied: ") && text.contains("(failed)"), "{text}");
    let run = world.run(&["reply", &id, "--status", "perhaps", "--", "x"]);
    assert_eq!(run.code, Some(64));
}

#[test]
fn only_the_addressee_replies() {
    let world = World::with_alice_and_bob();
    world.start("claude", CAROL, "c", "carol");
    let id = ask(&world, "ready?");
    let note = world.json(&["send", "bob", "--from", "alice", "--json", "--", "fyi"])["id"].clone();
    let run = run_in(&world, "c", &["reply", note.as_str().unwrap(), "--", "forged"]);
    assert_eq!(run.code, Some(5), "also of a note: {}", run.stderr);
    for folder in ["a", "c"] {
        let run = run_in(&world, folder, &["reply", &id, "--", "forged"]);
        assert_eq!(run.code, Some(5), "{}", run.stderr);
        assert!(run.stderr.contains("only bob"), "{}", run.stderr);
        let (done, text) =
            call(&world, folder, "send", json!({"to": "alice", "body": "forged", "in_reply_to": id}));
        assert!(!done && text.contains("only bob"), "{text}");
    }
    assert_eq!(world.pending("alice"), Vec::<String>::new());
    let run = run_in(&world, "b", &["reply", &id, "--", "mine"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let reply = messages(&world.json(&["peek", "alice"]))[0].clone();
    assert_eq!((&reply["from"], reply.get("via")), (&json!(BOB), None), "the session itself");
}

#[test]
fn the_bus_holds_the_same_rules() {
    let world = World::with_alice_and_bob();
    let (done, text) = call(&world, "a", "send", json!({"to": "bob", "body": "ready?", "kind": "request"}));
    assert!(done, "{text}");
    let id = serde_json::from_str::<Value>(&text).unwrap()["id"].as_str().unwrap().to_owned();
    let reply =
        |body: &str, status: &str| json!({"to": "alice", "body": body, "in_reply_to": id, "status": status});
    let (done, text) = call(&world, "b", "send", json!({"to": "bob", "body": "x", "in_reply_to": id}));
    assert!(!done && text.contains("goes to alice"), "{text}");
    let (done, first) = call(&world, "b", "send", reply("yes", "completed"));
    assert!(done, "{first}");
    let (done, again) = call(&world, "b", "send", json!({"to": "alice", "body": "yes", "in_reply_to": id}));
    assert!(done, "{again}");
    let (first, again): (Value, Value) =
        (serde_json::from_str(&first).unwrap(), serde_json::from_str(&again).unwrap());
    assert_eq!((&first["id"], first.get("repeated"), &again["repeated"]), (&again["id"], None, &json!(true)));
    let (done, text) = call(&world, "b", "send", reply("yes", "failed"));
    assert!(!done && text.contains("has its reply already"), "{text}");
    let (done, text) =
        call(&world, "b", "send", json!({"to": "alice", "body": "more", "kind": "note", "in_reply_to": id}));
    assert!(done, "a note may still say more: {text}");
    assert_eq!(world.pending("alice"), ["yes", "more"]);
    let (done, text) = call(&world, "b", "send", json!({"to": "alice", "body": "x", "status": "failed"}));
    assert!(!done && text.contains("request"), "{text}");
}

#[test]
fn a_plain_answer_to_a_note_or_an_unknown_id_goes_on_as_before() {
    let world = World::with_alice_and_bob();
    let note = world.json(&["send", "bob", "--from", "alice", "--json", "--", "fyi"])["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for id in [note.as_str(), "unknown-id"] {
        for body in ["one", "two"] {
            let (done, text) =
                call(&world, "b", "send", json!({"to": "alice", "body": body, "in_reply_to": id}));
            assert!(done, "{text}");
        }
    }
    world.ok(&["reply", &note, "--", "three"]);
    assert_eq!(world.drain("alice"), ["one", "two", "one", "two", "three"]);
    assert_eq!(world.run(&["reply", &note, "--status", "failed", "--", "x"]).code, Some(64));
    assert_eq!(world.run(&["reply", "unknown-id", "--", "x"]).code, Some(4));
    let (done, text) =
        call(&world, "b", "send", json!({"to": "alice", "body": "x", "in_reply_to": "y".repeat(5000)}));
    assert!(!done && text.contains("128"), "{text}");
    assert_eq!(world.pending("alice"), Vec::<String>::new());
}

#[test]
fn a_request_needs_a_mailbox_for_its_reply() {
    let world = World::with_alice_and_bob();
    let run = world.run(&["request", "bob", "--", "anybody?"]);
    assert_eq!(run.code, Some(64));
    assert!(run.stderr.contains("--from"), "{}", run.stderr);
    assert_eq!(world.pending("bob"), Vec::<String>::new());
    let run = run_in(&world, "a", &["request", "bob", "--", "from my own shell"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let request = messages(&world.json(&["peek", "bob"]))[0].clone();
    assert_eq!((&request["from"], request.get("via")), (&json!(ALICE), None));
    let note = world.json(&["send", "bob", "--json", "--", "from nobody"])["id"].as_str().unwrap().to_owned();
    let run = world.run(&["reply", &note, "--", "x"]);
    assert!(run.code == Some(4) && run.stderr.contains("command line"), "{}", run.stderr);
    let run = world.run(&["request", "alice,bob", "--from", "alice", "--", "both?"]);
    assert!(run.code == Some(64) && run.stderr.contains("one session"), "{}", run.stderr);
}

/// `/clear` in the session of this folder.
fn clear(world: &World, host: &str, old: &str, new: &str, folder: &str) {
    world.hook(host, &world.event(old, folder, "SessionEnd", json!({"reason": "clear"})));
    world.hook(host, &world.event(new, folder, "SessionStart", json!({"source": "clear"})));
}

#[test]
fn both_sides_may_go_on_under_new_ids() {
    let world = World::with_alice_and_bob();
    let id = ask(&world, "ready?");
    assert_eq!(world.drain("bob"), ["ready?"]);
    clear(&world, "codex", BOB, CAROL, "b");
    let run = run_in(&world, "b", &["reply", &id, "--", "yes"]);
    assert_eq!(run.code, Some(0), "the successor is the addressee: {}", run.stderr);
    assert_eq!(world.drain("alice"), ["yes"]);
    clear(&world, "claude", ALICE, "44444444-4444-4444-8444-4444444ddddd", "a");
    let other = world.run(&["reply", &id, "--", "no"]);
    assert_eq!(other.code, Some(5), "the reply that was read stands in the old log: {}", other.stderr);
    let again = world.json(&["reply", &id, "--json", "--", "yes"]);
    assert_eq!(again["repeated"], true);
    assert_eq!(world.pending("alice"), Vec::<String>::new());
}

#[test]
fn a_request_has_one_reply_though_its_asker_came_back() {
    let world = World::with_alice_and_bob();
    let id = ask(&world, "ready?");
    clear(&world, "claude", ALICE, CAROL, "a");
    world.ok(&["reply", &id, "--", "yes"]);
    assert_eq!(world.drain("alice"), ["yes"]);
    world.hook("claude", &world.event(ALICE, "a", "SessionStart", json!({"source": "resume"})));
    let other = world.run(&["reply", &id, "--status", "failed", "--", "no"]);
    assert_eq!(other.code, Some(5), "{} {}", other.stdout, other.stderr);
    assert!(world.ok(&["status", &id]).contains("(completed)"));
}

#[test]
fn of_many_replies_at_once_exactly_one_wins() {
    for _ in 0..3 {
        let world = World::with_alice_and_bob();
        let id = ask(&world, "race");
        let children: Vec<_> = (0..24)
            .map(|number| {
                let body = format!("answer {}", number % 12);
                let mut command = world.command(&["reply", &id, "--json", "--", &body]);
                (body, command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
            })
            .collect();
        let mut winners = Vec::new();
        for (body, child) in children {
            let run = Run::of(child.wait_with_output().unwrap());
            match run.code {
                Some(0) => winners.push((body, serde_json::from_str::<Value>(&run.stdout).unwrap())),
                code => assert_eq!(code, Some(5), "{}", run.stderr),
            }
        }
        let replies = messages(&world.json(&["peek", "alice"]));
        assert_eq!(replies.len(), 1);
        assert_eq!(winners.len(), 2, "the one that won, and its repetition");
        for (body, receipt) in &winners {
            assert_eq!((&replies[0]["body"], &replies[0]["id"]), (&json!(body), &receipt["id"]));
        }
        assert_eq!(winners.iter().filter(|(_, receipt)| receipt["repeated"] == false).count(), 1);
    }
}

#[test]
fn a_conversation_reads_in_order_across_mailboxes() {
    let world = World::with_alice_and_bob();
    let id = ask(&world, "which port\nfor the api?");
    world.ok(&["send", "bob", "--", "of another conversation"]);
    world.ok(&["reply", &id, "--", "8080"]);
    let reply = messages(&world.json(&["peek", "alice"]))[0]["id"].as_str().unwrap().to_owned();
    let (done, text) =
        call(&world, "a", "send", json!({"to": "bob", "body": "thanks", "in_reply_to": reply}));
    assert!(done, "{text}");
    for member in [&id, &reply] {
        let thread = world.json(&["log", "--thread", member, "--json"]);
        assert_eq!(harness::bodies(&thread), ["which port\nfor the api?", "8080", "thanks"]);
        assert_eq!(thread["thread"], json!(id));
        let readers: Vec<_> = messages(&thread).iter().map(|m| m["reader"].clone()).collect();
        assert_eq!(readers, ["bob", "alice", "bob"]);
    }
    assert!(messages(&world.json(&["log", "--thread", &id, "--json"]))[0].get("thread").is_none());
    let text = world.ok(&["log", "--thread", &id]);
    assert!(text.contains("    8080\n") && text.contains("-> alice (stored)"), "{text}");
    assert_eq!(world.run(&["log", "--thread", "nothing"]).code, Some(4));
    assert_eq!(world.run(&["log"]).code, Some(64));
}

#[test]
fn the_model_sees_what_a_mail_answers_and_how_to_answer() {
    let world = World::with_alice_and_bob();
    let id = ask(&world, "which port\nfor the api?");
    let prompt = |folder: &str, session: &str| {
        world.event(session, folder, "UserPromptSubmit", json!({"prompt": "x"}))
    };
    let text = injected(world.hook("codex", &prompt("b", BOB)));
    assert!(text.contains("a request that wants one reply") && text.contains("status=failed"), "{text}");
    world.ok(&["reply", &id, "--", "8080"]);
    let text = injected(world.hook("claude", &prompt("a", ALICE)));
    assert!(text.contains(&format!("a reply (completed), answering {id}")), "{text}");
    assert!(text.contains("| > which port for the api?\n| 8080\n"), "{text}");
    assert!(!text.contains("status=failed"), "{text}");
}

#[test]
fn a_receipt_follows_the_mail() {
    let world = World::with_alice_and_bob();
    let id = ask(&world, "ready?");
    let status = || world.json(&["status", &id, "--json"]);
    let stored = status();
    assert_eq!(
        (&stored["state"], &stored["live"], &stored["since"]),
        (&json!("stored"), &json!(true), &stored["sent"])
    );
    assert!(stored["outlook"].as_str().unwrap().contains("next tool call"), "{stored}");
    let event = world.event(BOB, "b", "UserPromptSubmit", json!({"prompt": "x"}));
    assert!(world.hook("codex", &event).is_some());
    let held = status();
    assert_eq!(held["state"], "held");
    assert!(held["held_until"].as_str().unwrap() > held["sent"].as_str().unwrap(), "{held}");
    world.hook("codex", &world.event(BOB, "b", "PostToolUse", json!({"tool_use_id": "t"})));
    let consumed = status();
    assert_eq!((&consumed["state"], consumed.get("since")), (&json!("consumed"), None));
    world.ok(&["reply", &id, "--", "yes"]);
    let replied = status();
    assert_eq!((&replied["state"], &replied["status"]), (&json!("replied"), &json!("completed")));
    assert!(
        replied["since"].as_str().unwrap() >= replied["sent"].as_str().unwrap()
            && replied["reply"].is_string()
    );
    world.hook("codex", &world.event(BOB, "b", "SessionEnd", json!({"reason": "other"})));
    let id = ask(&world, "still there?");
    let dormant = world.json(&["status", &id, "--json"]);
    assert_eq!(dormant["live"], false);
    assert!(dormant["outlook"].as_str().unwrap().contains("relay wake bob"), "{dormant}");
}

#[test]
fn lines_without_the_new_members_are_read_and_unknown_ones_passed_over() {
    let world = World::with_alice_and_bob();
    let line = json!({"id": "old", "to": BOB, "toName": "bob", "from": ALICE, "fromName": "alice",
        "ts": "2026-07-01T10:00:00.000Z", "kind": "request", "body": "from before", "color": "green"});
    std::fs::write(world.session(BOB).join("mail.jsonl"), format!("{line}\n")).unwrap();
    world.ok(&["reply", "old", "--", "answered"]);
    let thread = world.json(&["log", "--thread", "old", "--json"]);
    assert_eq!(harness::bodies(&thread), ["from before", "answered"]);
}

#[test]
fn an_agents_shell_that_relay_cannot_tell_apart_does_not_reply_for_others() {
    let world = World::with_alice_and_bob();
    let id = ask(&world, "ready?");
    let mut command: Command = world.command(&["reply", &id, "--", "forged"]);
    let run = Run::of(command.env("CLAUDECODE", "1").output().unwrap());
    assert_eq!(run.code, Some(4), "{}", run.stderr);
    assert!(run.stderr.contains("cannot tell"), "{}", run.stderr);
}

#[test]
fn a_message_is_found_whatever_the_clock_said() {
    let world = World::with_alice_and_bob();
    let sent = world.json(&["send", "--json", "bob", "--", "hello"]);
    let id = sent["id"].as_str().unwrap();
    assert!(world.ok(&["status", id]).starts_with("stored"));
    // As if the clock had been years ahead when it was sent, and put right before other mail came.
    let year_2001 = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let log = world.session(BOB).join("mail.jsonl");
    std::fs::File::open(log).unwrap().set_modified(year_2001).unwrap();
    assert!(world.ok(&["status", id]).starts_with("stored"));
    assert!(world.ok(&["log", "--thread", id]).contains("hello"));
    assert_eq!(world.run(&["status", "01a1fb09-21cb-7fff-bfff-ffffffffffff"]).code, Some(4));
}
