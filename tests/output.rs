//! What relay prints where, and what it says when it cannot: full devices,
//! output that is thrown away, text that would steer a terminal.

mod harness;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use harness::homes::script;
use harness::{ALICE, BOB, Run, World};
use serde_json::json;

/// What nobody wants on a terminal, or in the middle of a line.
const STEERING: &str = "\u{1b}]0;x\u{7}\u{9b}2J\u{85}\r";

/// Runs relay with a stdout that takes nothing.
fn on_a_full_device(world: &World, arguments: &[&str]) -> Run {
    let full = File::options().write(true).open("/dev/full").unwrap();
    Run::of(world.command(arguments).stdout(full).stderr(Stdio::piped()).output().unwrap())
}

#[test]
fn what_was_done_and_cannot_be_printed_is_not_said_to_be_undone() {
    let world = World::with_alice_and_bob();
    for words in [&["send", "bob", "--", "pay 100"][..], &["send", "alice,bob", "--json", "--", "pay 100"]] {
        let run = on_a_full_device(&world, words);
        assert_eq!((run.code, run.stderr.lines().count()), (Some(1), 1), "{}", run.stderr);
        let begin = "relay: the message is stored as ";
        let id = run.stderr.strip_prefix(begin).unwrap_or_else(|| panic!("{}", run.stderr));
        assert!(id.contains(", but cannot print") && !id.contains("nothing was stored"), "{id}");
        world.ok(&["status", id.split(',').next().unwrap()]);
    }
    assert_eq!(world.pending("bob"), ["pay 100", "pay 100"]);
    let run = on_a_full_device(&world, &["register", "carol", "--id", ALICE]);
    assert!(run.stderr.starts_with("relay: registered carol [claude] -> "), "{}", run.stderr);
    assert!(run.stderr.contains(", but cannot print") && !run.stderr.contains("try again"), "{}", run.stderr);
    world.hook("claude", &world.event(ALICE, "a", "SessionEnd", json!({"reason": "other"})));
    script(&world.project("bin").join("claude"), "exit 0");
    let world = world.with("PATH", "bin:/usr/bin:/bin");
    let run = on_a_full_device(&world, &["wake", "carol", "--detach"]);
    assert!(run.stderr.starts_with("relay: started; what it prints: relay log --run "), "{}", run.stderr);
    let run = on_a_full_device(&world, &["list"]);
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (Some(1), "relay: cannot print the result to stdout: No space left on device\n")
    );
}

/// As `relay send bob 0>/dev/null`.
#[test]
fn a_stdin_that_is_open_for_writing_alone_has_nothing_to_say() {
    let world = World::with_alice_and_bob();
    let unreadable = File::options().write(true).open("/dev/null").unwrap();
    let run = Run::of(world.command(&["send", "bob"]).stdin(unreadable).output().unwrap());
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (Some(64), "relay: the message is empty; write something after the recipient\n")
    );
}

#[test]
fn mail_stays_where_stdout_looks_closed_and_goes_where_it_is_thrown_away() {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "bob", "--", "kept"]);
    let both_ways = File::options().read(true).write(true).open("/dev/null").unwrap();
    let run =
        Run::of(world.command(&["inbox", "bob"]).stdout(both_ways).stderr(Stdio::piped()).output().unwrap());
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("use >/dev/null to throw mail away"), "{}", run.stderr);
    assert_eq!(world.pending("bob"), ["kept"]);
    assert_eq!(world.command(&["inbox", "bob"]).stdout(Stdio::null()).status().unwrap().code(), Some(0));
    assert_eq!(world.pending("bob"), Vec::<String>::new());
    // What carries no mail may be thrown away in any way.
    let both_ways = File::options().read(true).write(true).open("/dev/null").unwrap();
    let status = world.command(&["send", "bob", "--", "sent"]).stdout(both_ways).status().unwrap();
    assert_eq!((status.code(), world.pending("bob")), (Some(0), vec!["sent".to_owned()]));
}

#[test]
fn one_message_is_printed_with_its_lines_and_nothing_that_steers() {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "bob", "--", &format!("one\n\ttwo{STEERING}three")]);
    let id = world.json(&["peek", "bob"])["messages"][0]["id"].as_str().unwrap().to_owned();
    let printed = world.ok(&["log", "bob", "--message", &id]);
    assert_eq!(printed, "one\n\ttwo\u{fffd}]0;x\u{fffd}\u{fffd}2J\u{fffd}\u{fffd}three\n");
    let scripted = world.ok(&["log", "bob", "--message", &id, "--json"]);
    assert!(scripted.contains(r"two\u001b]0;x\u0007\u009b2J\u0085\rthree"), "{scripted}");
    let stored = std::fs::read_to_string(world.session(BOB).join("mail.jsonl")).unwrap();
    assert!(!stored.trim_end().chars().any(char::is_control), "{stored}");
}

#[test]
fn paths_and_files_that_are_quoted_steer_no_terminal() {
    let world = World::with_alice_and_bob();
    world.hook("claude", &world.event(ALICE, "a", "SessionEnd", json!({"reason": "other"})));
    let gone = format!("/gone{STEERING}\n/x");
    let harmless = |run: &Run, code: i32| {
        let said = format!("{}{}", run.stdout, run.stderr);
        assert_eq!((run.code, said.lines().count()), (Some(code), 1), "{said}");
        assert!(!said.trim_end_matches('\n').chars().any(char::is_control), "{said:?}");
    };
    harmless(&world.run(&["register", "alice", "--id", ALICE, "--dir", &gone]), 0);
    harmless(&world.run(&["wake", "alice"]), 4);
    harmless(&world.run(&["wake", "alice", "--detach"]), 4);
    harmless(&world.run(&["attach", "alice"]), 4);
    harmless(&world.run(&["wake", "alice", "--dir", &gone]), 4);
    world.ok(&["register", "alice", "--wake", "on"]);
    world.ok(&["send", "alice", "--", "wake up"]);
    let mut watch = world.command(&["watch", "alice"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(watch.stdout.take().unwrap()).read_line(&mut line).unwrap();
    watch.kill().unwrap();
    watch.wait().unwrap();
    assert!(line.ends_with("give another with --dir <path>\n"), "{line:?}");
    assert!(!line.trim_end_matches('\n').chars().any(char::is_control), "{line:?}");
}

#[test]
fn what_doctor_says_steers_no_terminal() {
    let world = World::with_alice_and_bob();
    let program = world.project(&format!("bin{STEERING}\n")).join("relay");
    std::fs::write(&program, "#!/bin/sh\n").unwrap();
    assert!(Command::new("chmod").arg("+x").arg(&program).status().unwrap().success());
    let world = world.with("PATH", &format!("{}:/usr/bin:/bin", program.parent().unwrap().display()));
    let run = world.run(&["doctor"]);
    let said = run.stdout.replace('\n', "");
    assert!(said.contains("another program") && !said.chars().any(char::is_control), "{said:?}");
}
