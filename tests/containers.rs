//! Sessions in containers and sandboxes that share a store: processes that others
//! cannot see, and places where nothing tells of processes.

mod harness;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use harness::waiters::Started;
use harness::{ALICE, BOB, Run, World, bodies, feed, injected};
use serde_json::json;

/// `program` in namespaces of its own; `None`, and a word why, where there are none.
fn apart(world: &World, flags: &[&str], program: &[&str]) -> Option<Command> {
    let mut command = Command::new("unshare");
    world.seal(&mut command);
    command.args(["--map-root-user", "--mount"]).args(flags);
    let mut test = Command::new("unshare");
    world.seal(&mut test);
    test.args(["--map-root-user", "--mount"]).args(flags).arg("true");
    if !test.output().is_ok_and(|output| output.status.success()) {
        println!("skipped: no namespaces are to be had here (unshare {} refused)", flags.join(" "));
        return None;
    }
    command.args(program).env("RELAY", env!("CARGO_BIN_EXE_relay"));
    Some(command)
}

/// A host in a container of its own, which has announced the session. xargs plays
/// it: it is the container's first process, and no shell.
fn container(world: &World, session: &str, folder: &str) -> Option<Started> {
    container_with(world, session, folder, &["--mount-proc"])
}

fn container_with(world: &World, session: &str, folder: &str, proc: &[&str]) -> Option<Started> {
    let event = world.home().join(format!("{folder}.json"));
    let start = world.event(session, folder, "SessionStart", json!({"source": "startup"}));
    std::fs::write(&event, start.to_string()).unwrap();
    let script = r#""$RELAY" hook claude <"$0"; echo announced; exec sleep 600"#;
    let flags = [&["--pid", "--fork", "--kill-child"], proc].concat();
    let mut command = apart(world, &flags, &["xargs", "sh", "-c", script])?;
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), event.as_os_str().as_encoded_bytes())
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "announced\n");
    Some(Started(child))
}

/// The session's record says that it was last seen long ago.
fn seen_long_ago(world: &World, session: &str) {
    let path = world.session(session).join("info.json");
    let mut record: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    record["seen"] = json!("2026-01-01T00:00:00.000Z");
    std::fs::write(path, record.to_string() + "\n").unwrap();
}

/// The host's process, as the session's record has it.
fn process(world: &World, session: &str) -> String {
    let record = std::fs::read(world.session(session).join("info.json")).unwrap();
    let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
    record["process"].as_str().unwrap().to_owned()
}

fn is_live(world: &World, session: &str) -> bool {
    let rows = world.json(&["list", "--json"]);
    let row = rows.as_array().unwrap().iter().find(|row| row["id"] == session);
    row.unwrap()["live"].as_bool().unwrap()
}

#[test]
fn a_session_in_another_container_is_not_said_to_have_ended() {
    let world = World::new();
    let Some(alice) = container(&world, ALICE, "a") else { return };
    assert!(is_live(&world, ALICE));
    let wake = world.run(&["wake", ALICE]);
    assert_eq!(wake.code, Some(3), "{}", wake.stderr);
    assert!(wake.stderr.contains("another container"), "{}", wake.stderr);
    world.start("codex", BOB, "b", "bob"); // a process that is new clears away notes of ended ones
    assert_eq!(std::fs::read_dir(world.store().join("processes")).unwrap().count(), 2);
    drop(alice);
    assert!(is_live(&world, ALICE), "nobody can tell from here");
    seen_long_ago(&world, ALICE);
    assert!(!is_live(&world, ALICE), "it is not believed for ever");
}

#[test]
fn hosts_of_two_containers_are_two_though_both_are_process_1() {
    let world = World::new();
    let (Some(_alice), Some(_bob)) = (container(&world, ALICE, "a"), container(&world, BOB, "b")) else {
        return;
    };
    let space = |process: &str| process.split_once('x').map(|(_, space)| space.to_owned());
    let (one, other) = (process(&world, ALICE), process(&world, BOB));
    assert!(one.starts_with("1-") && other.starts_with("1-"), "{one} {other}");
    assert_ne!(space(&one).expect("a namespace"), space(&other).expect("a namespace"));
}

#[test]
fn a_container_that_sees_the_machines_processes_has_their_numbers() {
    let world = World::new();
    let inside = |session, folder| container_with(&world, session, folder, &[]);
    let (Some(alice), Some(_bob)) = (inside(ALICE, "a"), inside(BOB, "b")) else { return };
    let children = format!("/proc/{0}/task/{0}/children", alice.0.id());
    let host = std::fs::read_to_string(children).unwrap().trim().to_owned();
    let (one, other) = (process(&world, ALICE), process(&world, BOB));
    assert!(one.starts_with(&format!("{host}-")), "{one}: the host is {host}");
    assert_ne!(one, other);
    assert!(is_live(&world, ALICE));
    drop(alice);
    assert!(is_live(&world, BOB));
}

#[test]
fn a_process_is_not_looked_up_by_the_numbers_of_another_namespace() {
    let world = World::new();
    let bin = world.project("bin");
    harness::homes::script(&bin.join("claude"), "true");
    let world = world.with("PATH", &format!("{}:/usr/bin:/bin", bin.display()));
    let folder = world.project("a");
    world.ok(&["register", "alice", "--id", ALICE, "--tool", "claude", "--dir", folder.to_str().unwrap()]);
    let script = r#""$RELAY" wake alice; true"#; // in a shell that stays: its child is no first process
    let Some(mut wake) = apart(&world, &["--pid", "--fork"], &["sh", "-c", script]) else { return };
    let run = Run::of(wake.output().unwrap());
    assert_eq!(run.stderr, "", "{}", run.stdout);
    let record = std::fs::read_to_string(world.session(ALICE).join("info.json")).unwrap();
    assert!(!record.contains("process"), "what has that number here is another: {record}");
    assert!(!is_live(&world, ALICE));
}

/// Relay where nothing tells of processes, as in a sandbox.
fn blind(world: &World, arguments: &[&str], input: &str) -> Option<Run> {
    let script = r#"mount -t tmpfs none /proc && exec "$RELAY" "$@""#;
    let mut command = apart(world, &[], &["sh", "-c", script, "relay"])?;
    Some(Run::of(feed(command.args(arguments).stdin(Stdio::piped()), input.as_bytes())))
}

#[test]
fn a_session_whose_host_cannot_be_told_is_live_until_it_ends_and_gets_its_mail() {
    let world = World::new();
    let event = |name: &str, more| world.event(ALICE, "a", name, more).to_string();
    let hook = |event: &str| blind(&world, &["hook", "claude"], event);
    let Some(run) = hook(&event("SessionStart", json!({"source": "startup"}))) else { return };
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(is_live(&world, ALICE));
    assert_eq!(world.run(&["wake", ALICE]).code, Some(3));
    world.ok(&["send", ALICE, "--", "one"]);
    // Its bus shows it; a hook, which cannot tell its host either, proves it.
    let world = world.with("CLAUDE_CODE_SESSION_ID", ALICE).with("CLAUDECODE", "1");
    let lines = [harness::wire::init("2025-11-25"), harness::wire::call(2, "inbox", json!({}))];
    let said = blind(&world, &["bus"], &(lines.join("\n") + "\n")).unwrap().stdout;
    let answer: serde_json::Value = serde_json::from_str(said.lines().nth(1).unwrap()).unwrap();
    assert_eq!(bodies(&harness::wire::tool_json(&answer)), ["one"]);
    world.ok(&["send", ALICE, "--", "two"]);
    let hook = |event: &str| blind(&world, &["hook", "claude"], event).unwrap().stdout;
    let said = hook(&world.event(ALICE, "a", "PostToolUse", json!({"tool_use_id": "t"})).to_string());
    let text = injected(serde_json::from_str(&said).ok());
    assert!(text.contains("| two") && !text.contains("| one"), "{text}");
    hook(&world.event(ALICE, "a", "SessionEnd", json!({"reason": "other"})).to_string());
    assert!(!is_live(&world, ALICE));
}
