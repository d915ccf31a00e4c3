//! What is damaged costs only itself: one record, one line, one file.

mod harness;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use harness::{ALICE, BOB, World};
use serde_json::json;

fn damage(world: &World, id: &str) {
    fs::write(world.session(id).join("info.json"), "{\"id\":").unwrap();
}

#[test]
fn a_damaged_record_costs_no_other_session_anything() {
    let world = World::with_alice_and_bob();
    world.start("claude", "33333333-3333-4333-8333-3333333ccccc", "c", "carol");
    world.ok(&["join", "team", "alice"]);
    world.ok(&["join", "team", "bob"]);
    damage(&world, BOB);
    world.ok(&["send", "#team", "--", "to the room"]);
    world.ok(&["send", "bob", "--", "by name"]);
    assert_eq!(world.pending("alice"), ["to the room"]);
    assert_eq!(world.pending("bob"), ["to the room", "by name"], "its mailbox is whole");
    // Both were announced by this process: who is asked for is told apart all the same.
    let mut whoami = world.command(&["whoami"]);
    let output = whoami.env("RELAY_PROJECT_DIR", world.project("a")).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("alice "), "{output:?}");
    let start = world.event(ALICE, "a", "SessionStart", json!({"source": "startup"}));
    assert!(world.hook("claude", &start).is_some());
    let doctor = world.run(&["doctor"]).stdout;
    assert!(doctor.contains("register the session again to mend it"), "{doctor}");
    world.ok(&["register", "bob", "--id", BOB, "--tool", "codex"]);
    assert!(!world.run(&["doctor"]).stdout.contains("is damaged"));
}

#[test]
fn a_torn_line_is_looked_at_once() {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "bob", "--", "whole"]);
    world.drain("bob");
    let mut log = fs::OpenOptions::new().append(true).open(world.session(BOB).join("mail.jsonl")).unwrap();
    log.write_all(b"{\"id\":\"1\",\"to\":").unwrap();
    let doctor = world.run(&["doctor"]).stdout;
    assert!(doctor.contains("1 damaged line"), "{doctor}");
    let step = |number: &str| world.event(BOB, "b", "PostToolUse", json!({"tool_use_id": number}));
    assert_eq!(world.hook("codex", &step("1")), None);
    assert!(!world.ok(&["list"]).contains("mail waits"));
    let before = world.snapshot();
    assert_eq!(world.hook("codex", &step("2")), None);
    assert_eq!(world.snapshot(), before, "nothing is left to do");
    world.ok(&["send", "bob", "--", "after"]);
    assert_eq!(world.drain("bob"), ["after"]);
}

#[test]
fn a_hold_of_a_hook_that_could_not_tell_its_host_blocks_nobody() {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "bob", "--", "shown"]);
    let end = fs::metadata(world.session(BOB).join("mail.jsonl")).unwrap().len();
    let hold = json!({"token": "t", "from": 0, "to": end, "expires_ms": u64::MAX >> 12, "event": "e"});
    let cursor = json!({"consumed": 0, "hold": hold});
    fs::write(world.session(BOB).join("cursor.json"), cursor.to_string()).unwrap();
    let step = world.event(BOB, "b", "PostToolUse", json!({"tool_use_id": "1"}));
    let text = harness::injected(world.hook("codex", &step));
    assert!(text.contains("(REDELIVERED") && text.contains("| shown\n"), "{text}");
}

#[test]
fn gc_clears_the_others_and_says_what_it_could_not() {
    let world = World::with_alice_and_bob().with("RELAY_KEEP_MIB", "1");
    fs::create_dir(world.session(ALICE).join("mail.jsonl")).unwrap();
    fs::write(world.session(ALICE).join("cursor.json"), "{\"consumed\":1}").unwrap();
    for _ in 0..9 {
        world.ok(&["send", "bob", "--", &"x".repeat(120_000)]);
    }
    let read = world.json(&["inbox", "bob"]);
    assert_eq!(read["count"], 9);
    let run = world.run(&["gc"]);
    assert!(run.stdout.contains("trimmed bob"), "{} {}", run.stdout, run.stderr);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("mail.jsonl") && run.stderr.lines().count() == 1, "{}", run.stderr);
}

#[test]
fn a_mailbox_that_cannot_be_read_is_not_taken_for_one_without_the_message() {
    let world = World::with_alice_and_bob();
    let sent = world.json(&["send", "--json", "bob", "--", "hello"]);
    let id = sent["id"].as_str().unwrap();
    let unreadable = world.session(ALICE).join("mail.jsonl");
    fs::create_dir(&unreadable).unwrap();
    assert!(world.ok(&["status", id]).starts_with("stored"), "what can be found, is");
    fs::rename(world.session(BOB).join("mail.jsonl"), world.home().join("elsewhere")).unwrap();
    let run = world.run(&["status", id]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains(unreadable.to_str().unwrap()), "{}", run.stderr);
}

#[test]
fn gc_lets_go_of_a_name_that_a_dead_register_left() {
    let world = World::with_alice_and_bob();
    fs::write(world.store().join("names/robert"), format!("{BOB}\n")).unwrap();
    fs::write(world.store().join("names/nobody"), "33333333-3333-4333-8333-3333333ccccc\n").unwrap();
    assert_eq!(world.run(&["register", "robert", "--id", ALICE]).code, Some(5));
    assert!(world.ok(&["gc", "--dry"]).contains("would remove 2 names"));
    assert!(world.ok(&["gc"]).contains("removed 2 names"));
    world.ok(&["register", "robert", "--id", ALICE]);
    assert_eq!(world.ok(&["gc"]), "nothing to clear away\n");
    world.ok(&["send", "bob", "--", "still there"]);
}

#[test]
fn a_damaged_name_takes_no_mail_and_is_given_anew() {
    for content in [&BOB.replace('b', "c")[..], "", "\u{1}\n", "../x\n"] {
        let world = World::with_alice_and_bob();
        let sessions = || fs::read_dir(world.store().join("sessions")).unwrap().count();
        fs::write(world.store().join("names/bob"), content).unwrap();
        let run = world.run(&["send", "bob", "--", "x"]);
        assert_eq!(run.code, Some(4), "{}", run.stderr);
        assert!(run.stderr.contains("run `relay doctor`"), "{}", run.stderr);
        let run = world.run(&["register", "bob"]);
        assert!(run.code == Some(64) && run.stderr.contains("needs --id"), "{}", run.stderr);
        let doctor = world.run(&["doctor"]);
        assert_eq!(doctor.code, Some(1));
        let advice = format!("'bob' leads to no session; mend it with: relay register bob --id {BOB}\n");
        assert!(doctor.stdout.contains(&advice), "{}", doctor.stdout);
        assert!(world.ok(&["gc", "--dry"]).contains("would remove 1 name"));
        world.ok(&["register", "bob", "--id", BOB]);
        world.ok(&["send", "bob", "--", "there"]);
        assert_eq!(world.pending(BOB), ["there"]);
        assert_eq!((sessions(), world.run(&["doctor"]).code), (2, Some(0)), "nothing is left of it");
    }
}

#[test]
fn a_damaged_name_that_many_want_goes_to_one() {
    let world = World::with_alice_and_bob();
    for round in 0..10 {
        let name = format!("n{round}");
        fs::write(world.store().join("names").join(&name), "nobody\n").unwrap();
        let claim =
            |id| world.command(&["register", &name, "--id", id]).stderr(Stdio::null()).spawn().unwrap();
        let codes = [claim(ALICE), claim(BOB)].map(|mut child| child.wait().unwrap().code().unwrap());
        assert!(codes == [0, 5] || codes == [5, 0], "{codes:?}");
        let owner = if codes[0] == 0 { ALICE } else { BOB };
        let key = fs::read_to_string(world.store().join("names").join(&name)).unwrap();
        assert_eq!(key.trim(), owner);
    }
}

#[test]
fn a_folder_that_is_not_relays_keeps_its_mode() {
    let world = World::new();
    let folder = world.project("shared");
    fs::write(folder.join("other"), "").unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let world = world.with("AGENT_RELAY_HOME", folder.to_str().unwrap());
    world.ok(&["register", "carol", "--id", ALICE]);
    assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(folder.join("sessions").metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn asking_who_one_is_makes_no_store() {
    let world = World::new();
    assert_eq!(world.run(&["whoami"]).code, Some(4));
    assert!(!world.store().exists());
}

#[test]
fn a_folder_cannot_write_on_the_terminal() {
    let world = World::new();
    world.ok(&["register", "carol", "--id", ALICE, "--dir", "/tmp/\u{1b}[2J\nforged  [codex]\u{202e}"]);
    let list = world.ok(&["list"]);
    assert_eq!((list.lines().count(), list.contains('\u{1b}')), (1, false), "{list:?}");
}
