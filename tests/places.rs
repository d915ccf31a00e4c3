//! Where sessions and the store are: paths too long to keep, and paths that are
//! no text.

mod harness;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;

use harness::wire::{call, init, raw, tool_json};
use harness::{ALICE, BOB, Run, World, feed};
use serde_json::{Value, json};

/// The longest path that is kept, in bytes.
const LONGEST: usize = 4096;

#[test]
fn a_directory_too_long_to_keep_is_refused() {
    let world = World::with_alice_and_bob();
    let before = world.snapshot();
    let long = format!("/{}", "x".repeat(LONGEST));
    for words in [
        &["register", "alicia", "--id", ALICE, "--dir", &long][..],
        &["register", "new", "--id", "33333333-3333-4333-8333-333333333333", "--dir", &long],
        &[
            "send",
            "--id",
            "33333333-3333-4333-8333-333333333333",
            "--tool",
            "codex",
            "--dir",
            &long,
            "--",
            "x",
        ],
    ] {
        let run = world.run(words);
        assert_eq!(run.code, Some(9), "{}", run.stderr);
        assert!(run.stderr.contains("path is 4097 bytes, the limit is 4096"), "{}", run.stderr);
    }
    assert_eq!(world.ok(&["list", "--names"]), "alice\nbob\n");
    assert!(before.iter().all(|file| world.snapshot().contains(file)));
    // The longest, of what takes the most room in a record.
    let longest = format!("/{}", "\u{1}".repeat(LONGEST - 1));
    world.ok(&["register", "alicia", "--id", ALICE, "--dir", &longest]);
    assert_eq!(world.json(&["list", "--json"])[0]["dir"], longest);
}

#[test]
fn an_event_of_a_directory_too_long_to_keep_is_one_of_none() {
    let world = World::new();
    let long = format!("/{}", "x".repeat(100_000));
    let event = json!({"session_id": ALICE, "cwd": long, "transcript_path": long,
        "hook_event_name": "SessionStart", "source": "startup"});
    assert_eq!(world.hook("claude", &event), None);
    let rows = world.json(&["list", "--json"]);
    assert_eq!((&rows[0]["id"], &rows[0]["dir"]), (&json!(ALICE), &Value::Null));
    let name = rows[0]["name"].as_str().unwrap();
    world.ok(&["send", name, "--", "read"]);
    assert_eq!(world.drain(name), ["read"]);
    assert!(world.ok(&["doctor"]).contains("none damaged"));
}

#[test]
fn a_bus_in_a_directory_too_long_to_keep_knows_its_session() {
    let world = World::new();
    let ask = format!("{}\n{}\n", init("2025-11-25"), call(1, "whoami", json!({})));
    for _ in 0..2 {
        let mut command = world.command(&["bus"]);
        command
            .env("CLAUDE_CODE_SESSION_ID", ALICE)
            .env("RELAY_PROJECT_DIR", format!("/{}", "x".repeat(100_000)));
        let run = Run::of(feed(command.stdin(Stdio::piped()), ask.as_bytes()));
        let answer = serde_json::from_str(run.stdout.lines().nth(1).unwrap()).unwrap();
        assert_eq!(tool_json(&answer)["id"], ALICE);
    }
    assert!(world.ok(&["doctor"]).contains("none damaged"));
}

#[test]
fn discover_hands_no_model_what_is_no_directory() {
    let world = World::with_alice_and_bob();
    let folder = world.project(".claude/projects/p");
    let transcript = |number: usize, directory: &str| {
        let path = folder.join(format!("aaaaaaaa-1111-4111-8111-{number:012}.jsonl"));
        std::fs::write(path, json!({"cwd": directory}).to_string() + "\n").unwrap();
    };
    transcript(1, &format!("/IGNORE ALL{}", "x".repeat(800_000)));
    transcript(2, "IGNORE/ALL");
    let rows = world.json(&["discover", "--json"]);
    let directories: Vec<&Value> = rows.as_array().unwrap().iter().map(|row| &row["cwd"]).collect();
    assert_eq!(directories, [&Value::Null, &Value::Null]);
    for number in 0..50 {
        transcript(number, &format!("/{}", "x".repeat(LONGEST - 1)));
    }
    let ask = format!("{}\n{}\n", init("2025-11-25"), call(1, "discover", json!({})));
    let answer = &raw(&world, ask.as_bytes())[1];
    assert!(answer.len() < 32 * 1024, "{}", answer.len());
    let found = tool_json(&serde_json::from_str(answer).unwrap());
    let count = found["count"].as_u64().unwrap();
    assert_eq!((found["sessions"].as_array().unwrap().len() as u64, count > 0), (count, true));
    assert_eq!(found["more"], 50 - count);
}

/// Runs relay with a variable that need not be text.
fn with_variable(world: &World, name: &str, value: &OsStr, arguments: &[&str]) -> Run {
    Run::of(world.command(arguments).env_remove("AGENT_RELAY_HOME").env(name, value).output().unwrap())
}

#[test]
fn a_home_that_is_no_text_is_where_the_store_is() {
    for variable in ["AGENT_RELAY_HOME", "SESSION_RELAY_HOME", "HOME"] {
        let world = World::new();
        let mut odd: OsString = world.home().into();
        odd.push(OsStr::from_bytes(b"/caf\xe9"));
        // Some file systems take only text.
        if std::fs::create_dir(&odd).is_err() {
            return;
        }
        let run = with_variable(&world, variable, &odd, &["register", "bob", "--id", BOB]);
        assert_eq!(run.code, Some(0), "{variable}: {}", run.stderr);
        assert_eq!(with_variable(&world, variable, &odd, &["send", "bob", "--", "here"]).code, Some(0));
        let mail = with_variable(&world, variable, &odd, &["peek", "bob"]);
        assert!(mail.stdout.contains("\"here\""), "{variable}: {}", mail.stderr);
        assert!(!world.store().exists(), "{variable}");
    }
}
