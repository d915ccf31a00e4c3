//! File systems that know less than ext4: no hard links, no case, no sync of a
//! folder; and files that cannot be read right now.

mod harness;

use std::fs;
use std::process::{Command, Stdio};

use harness::{ALICE, BOB, Run, World, feed};
use serde_json::json;

/// Relay, with these system calls failing at this path (empty: at every path).
fn failing(world: &World, path: &str, calls: &str, error: &str, arguments: &[&str], input: &str) -> Run {
    let mut strace = Command::new("strace");
    world.seal(&mut strace);
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("inject={calls}:error={error}")]);
    if !path.is_empty() {
        strace.args(["-P", path]);
    }
    strace.arg(env!("CARGO_BIN_EXE_relay")).args(arguments).stdin(Stdio::piped());
    Run::of(feed(&mut strace, input.as_bytes()))
}

#[test]
fn a_record_that_cannot_be_read_now_is_not_taken_for_none() {
    let world = World::with_alice_and_bob();
    let record = world.session(BOB).join("info.json");
    let before = fs::read_to_string(&record).unwrap();
    let prompt = world.event(BOB, "b", "UserPromptSubmit", json!({"prompt": "x"})).to_string();
    let calls = "open,openat,openat2";
    let unreadable = |arguments: &[&str], input: &str| {
        failing(&world, record.to_str().unwrap(), calls, "EMFILE", arguments, input)
    };
    assert_eq!(unreadable(&["hook", "codex"], &prompt).code, Some(0));
    assert_eq!(fs::read_to_string(&record).unwrap(), before);
    for arguments in [&["send", "bob", "--", "hello"][..], &["register", "bobby", "--id", BOB]] {
        let run = unreadable(arguments, "");
        assert_eq!(run.code, Some(1), "{}", run.stderr);
        assert!(run.stderr.contains("cannot read") && run.stderr.contains("info.json"), "{}", run.stderr);
    }
    assert_eq!(fs::read_to_string(&record).unwrap(), before);
    assert_eq!(world.pending("bob"), Vec::<String>::new());
}

#[test]
fn a_name_whose_case_alone_changes_is_kept_where_case_does_not_count() {
    let world = World::with_alice_and_bob();
    let names = world.store().join("names");
    // One file of two names, as such a file system has it.
    fs::hard_link(names.join("bob"), names.join("Bob")).unwrap();
    world.ok(&["register", "Bob", "--id", BOB]);
    world.ok(&["gc"]);
    for name in ["Bob", "bob"] {
        world.ok(&["send", name, "--", name]);
    }
    assert_eq!(world.pending("Bob"), ["Bob", "bob"]);
    // Where it counts, the former name is free again.
    fs::remove_file(names.join("bob")).unwrap();
    world.ok(&["register", "BOB", "--id", BOB]);
    assert_eq!(world.run(&["send", "Bob", "--", "x"]).code, Some(4));
}

#[test]
fn a_file_system_without_hard_links_has_names_all_the_same() {
    let world = World::with_alice_and_bob();
    let register =
        |name, id| failing(&world, "", "link,linkat", "EPERM", &["register", name, "--id", id], "");
    let run = register("robert", BOB);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    world.ok(&["send", "robert", "--", "hello"]);
    assert_eq!(world.pending("robert"), ["hello"]);
    let run = register("robert", ALICE);
    assert_eq!(run.code, Some(5), "a name has one owner: {}", run.stderr);
    assert_eq!(fs::read_dir(world.store().join("names")).unwrap().count(), 2);
}

#[test]
fn a_folder_that_cannot_be_synced_takes_mail_all_the_same() {
    let world = World::with_alice_and_bob();
    let folder = world.session(BOB);
    let run =
        failing(&world, folder.to_str().unwrap(), "fsync", "EINVAL", &["send", "bob", "--", "hello"], "");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(world.pending("bob"), ["hello"]);
    // What the disk itself fails at is not passed over.
    fs::remove_file(folder.join("mail.jsonl")).unwrap();
    let run = failing(&world, folder.to_str().unwrap(), "fsync", "EIO", &["send", "bob", "--", "again"], "");
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("nothing was stored"), "{}", run.stderr);
}

#[test]
fn sessions_are_of_one_project_whatever_links_lead_there() {
    let world = World::new();
    fs::create_dir_all(world.project("real")).unwrap();
    std::os::unix::fs::symlink(world.project("real"), world.home().join("linked")).unwrap();
    world.start("claude", ALICE, "real", "alice");
    let event = json!({"session_id": BOB, "cwd": world.home().join("linked"), "hook_event_name": "SessionStart",
        "source": "startup"});
    world.hook("codex", &event);
    world.ok(&["register", "bob", "--id", BOB]);
    let mut send = world.command(&["send", "@all", "--", "hello"]);
    let run = Run::of(send.current_dir(world.project("real")).output().unwrap());
    // The shell's own session is bob's, whom a hook announced last.
    assert!(run.stdout.starts_with("queued -> alice\n"), "{} {}", run.stdout, run.stderr);
    // Of two that one process announced, it is the one of this directory.
    world.start("codex", "33333333-3333-4333-8333-333333333333", "elsewhere", "carol");
    let mut whoami = world.command(&["whoami"]);
    let run = Run::of(whoami.env("RELAY_PROJECT_DIR", world.project("real")).output().unwrap());
    assert!(run.stdout.contains(BOB), "{} {}", run.stdout, run.stderr);
}
