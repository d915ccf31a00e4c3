//! Which session is this process: each of DESIGN's steps, and what stays true
//! through `/clear`.

mod harness;

use std::process::Command;

use harness::{ALICE, BOB, World, injected};
use serde_json::{Value, json};

const CLEARED: &str = "33333333-3333-4333-8333-3333333ccccc";

fn whoami_in(world: &World, folder: &str) -> Value {
    let mut command = world.command(&["whoami", "--json"]);
    let output = command.env("RELAY_PROJECT_DIR", world.project(folder)).output().unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| json!({"error": String::from_utf8_lossy(&output.stderr)}))
}

fn clear(world: &World, old: &str, new: &str, folder: &str) -> Option<Value> {
    world.hook("claude", &world.event(old, folder, "SessionEnd", json!({"reason": "clear"})));
    world.hook("claude", &world.event(new, folder, "SessionStart", json!({"source": "clear"})))
}

#[test]
fn a_child_of_the_host_process_is_the_session_its_hook_announced() {
    let world = World::with_alice_and_bob();
    let me = whoami_in(&world, "a");
    assert_eq!((me["id"].as_str(), me["name"].as_str()), (Some(ALICE), Some("alice")));
    assert!(me["identified_by"].as_str().unwrap().contains("hook"));
    assert_eq!(whoami_in(&world, "b")["id"], BOB);
    let elsewhere = whoami_in(&world, "c");
    assert!(elsewhere["error"].as_str().unwrap().contains("cannot tell"), "never a guess: {elsewhere}");
}

#[test]
fn a_shell_between_host_and_relay_does_not_matter() {
    let world = World::with_alice_and_bob();
    let mut command = Command::new("sh");
    world.seal(&mut command);
    let script = format!("true; bash -c 'true; {} whoami; true'; true", env!("CARGO_BIN_EXE_relay"));
    let output = command.args(["-c", &script]).env("RELAY_PROJECT_DIR", world.project("a")).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("alice [claude]"), "{output:?}");
}

#[test]
fn a_bus_without_any_hook_knows_itself_by_the_hosts_variable() {
    let world = World::new();
    let output = world
        .command(&["whoami", "--json"])
        .env("CLAUDE_CODE_SESSION_ID", ALICE)
        .env("CLAUDECODE", "1")
        .output();
    let me: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    assert_eq!(me["id"], ALICE);
    assert!(me["identified_by"].as_str().unwrap().contains("environment"));
}

#[test]
fn an_inherited_variable_of_another_running_session_is_not_believed() {
    let world = World::with_alice_and_bob();
    // A second agent, started from alice's shell, inherits her variable. Its
    // own process (python) is not hers.
    let script = "import subprocess,sys; r=subprocess.run([sys.argv[1],'whoami'],capture_output=True); \
                  print(r.returncode, r.stderr.decode())";
    let mut command = Command::new("python3");
    world.seal(&mut command);
    command.args(["-c", script, env!("CARGO_BIN_EXE_relay")]).env("CLAUDE_CODE_SESSION_ID", ALICE);
    let text = String::from_utf8_lossy(&command.output().unwrap().stdout).into_owned();
    assert!(text.starts_with("4 ") && text.contains("cannot tell"), "{text}");
}

#[test]
fn two_sessions_in_one_directory_are_told_apart_by_their_process() {
    let world = World::new();
    world.start("claude", ALICE, "a", "alice");
    // Another host process in the same directory announces another session.
    let event = world.event(BOB, "a", "SessionStart", json!({"source": "startup"})).to_string();
    let script = "import subprocess,sys; relay=sys.argv[1]\n\
                  subprocess.run([relay,'hook','claude'],input=sys.argv[2].encode(),check=True)\n\
                  print(subprocess.run([relay,'whoami','--json'],capture_output=True,check=True).stdout.decode())";
    let mut command = Command::new("python3");
    world.seal(&mut command);
    command
        .args(["-c", script, env!("CARGO_BIN_EXE_relay"), &event])
        .env("CLAUDE_PROJECT_DIR", world.project("a"));
    let theirs: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    assert_eq!(theirs["id"], BOB);
    assert_eq!(whoami_in(&world, "a")["id"], ALICE);
}

#[test]
fn a_conversation_keeps_name_mail_and_identity_through_clear() {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "alice", "--", "before the clear"]);
    let text = injected(clear(&world, ALICE, CLEARED, "a"));
    assert!(text.contains("| before the clear\n") && text.contains("(alice)"), "{text}");
    assert!(!text.contains("REDELIVERED"));
    let me = whoami_in(&world, "a");
    assert_eq!((me["id"].as_str(), me["name"].as_str()), (Some(CLEARED), Some("alice")));
    world.ok(&["send", "alice", "--", "by name"]);
    world.ok(&["send", "--id", ALICE, "--", "by the old id"]);
    assert_eq!(world.pending(CLEARED), ["by name", "by the old id"]);
    assert_eq!(world.pending(ALICE), ["by name", "by the old id"], "the old id leads to the new session");
    let list = world.json(&["list", "--json"]);
    assert_eq!(list.as_array().unwrap().len(), 2, "one conversation, one row: {list}");
    let output = world.command(&["whoami", "--json"]).env("CLAUDE_CODE_SESSION_ID", ALICE).output().unwrap();
    let stale: Value = serde_json::from_slice(&output.stdout).unwrap_or(json!(null));
    assert!(stale["id"] != ALICE, "the environment of an old child is followed to the successor");
}

#[test]
fn mail_that_was_shown_before_the_clear_comes_again_marked() {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "alice", "--", "shown"]);
    let event = world.event(ALICE, "a", "UserPromptSubmit", json!({"prompt": "p"}));
    assert!(world.hook("claude", &event).is_some());
    world.ok(&["send", "alice", "--", "unseen"]);
    let text = injected(clear(&world, ALICE, CLEARED, "a"));
    let lines: Vec<&str> = text.lines().collect();
    let shown = lines.iter().position(|line| *line == "| shown").unwrap();
    let unseen = lines.iter().position(|line| *line == "| unseen").unwrap();
    assert!(lines[shown - 1].contains("REDELIVERED") && !lines[unseen - 1].contains("REDELIVERED"), "{text}");
}

#[test]
fn clearing_twice_leads_all_the_way() {
    let world = World::with_alice_and_bob();
    clear(&world, ALICE, CLEARED, "a");
    let third = "44444444-4444-4444-8444-4444444ddddd";
    clear(&world, CLEARED, third, "a");
    world.ok(&["send", "--id", ALICE, "--", "to the first id"]);
    assert_eq!(world.pending(third), ["to the first id"]);
    assert_eq!(whoami_in(&world, "a")["id"], third);
    assert_eq!(whoami_in(&world, "a")["name"], "alice");
}

#[test]
fn resuming_another_conversation_takes_nothing_from_the_one_before() {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "alice", "--", "for alice"]);
    world.hook("claude", &world.event(ALICE, "a", "SessionEnd", json!({"reason": "resume"})));
    let output =
        world.hook("claude", &world.event(CLEARED, "a", "SessionStart", json!({"source": "resume"})));
    assert_eq!(output, None);
    assert_eq!(world.pending("alice"), ["for alice"]);
    assert_eq!(whoami_in(&world, "a")["id"], CLEARED);
}

#[test]
fn the_late_end_of_an_earlier_process_does_not_end_what_runs_now() {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "bob", "--", "shown"]);
    let prompt = world.event(BOB, "b", "UserPromptSubmit", json!({"prompt": "x"}));
    assert!(world.hook("codex", &prompt).is_some());
    let end = world.event(BOB, "b", "SessionEnd", json!({"reason": "other"}));
    // strace is no shell, so relay takes it for another host process.
    let mut other = std::process::Command::new("strace");
    world.seal(&mut other);
    other
        .args(["-o", "/dev/null", env!("CARGO_BIN_EXE_relay"), "hook", "codex"])
        .stdin(std::process::Stdio::piped());
    let output = harness::feed(&mut other, end.to_string().as_bytes());
    assert!(output.status.success());
    let bob = || {
        world
            .json(&["list", "--json"])
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["id"] == BOB)
            .unwrap()
            .clone()
    };
    assert_eq!(bob()["live"], true);
    assert_eq!(world.json(&["peek", "bob"])["held"], 1, "what it was shown stays shown");
    assert_eq!(world.run(&["wake", "bob", "--", "x"]).code, Some(3));
    assert_eq!(world.hook("codex", &end), None);
    assert_eq!((bob()["live"].clone(), world.pending("bob")), (json!(false), vec!["shown".to_owned()]));
}
