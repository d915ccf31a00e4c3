//! Looking at mail and taking it waits for no disk. What a power cut takes back
//! of that comes again, and says that the machine has restarted since.

mod harness;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use harness::{BOB, Run, World, feed, injected, wire};
use serde_json::{Value, json};

const SAYS_SO: &str = "(SENT BEFORE THIS MACHINE RESTARTED: you may have seen it already)";

fn prompt(world: &World, text: &str) -> Value {
    world.event(BOB, "b", "UserPromptSubmit", json!({"turn_id": text, "prompt": text}))
}

fn tool_use(world: &World, id: &str) -> Value {
    world.event(BOB, "b", "PostToolUse", json!({"tool_use_id": id}))
}

/// The files that an event changes without a sync, as they are.
fn unsynced(world: &World) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let files = ["cursor.json", "shown"].map(|name| world.session(BOB).join(name));
    files.map(|path| (path.clone(), std::fs::read(path).ok())).into()
}

/// The power goes before they are on the disk, and comes back.
fn cut(world: World, before: Vec<(PathBuf, Option<Vec<u8>>)>) -> World {
    for (path, content) in before {
        match content {
            Some(content) => std::fs::write(path, content).unwrap(),
            None => drop(std::fs::remove_file(path)),
        }
    }
    world.restarted()
}

#[test]
fn what_a_hook_showed_before_the_cut_comes_again_and_says_so() {
    for shown_before in [false, true] {
        let world = World::with_alice_and_bob();
        if shown_before {
            world.ok(&["send", "bob", "--", "earlier"]);
            injected(world.hook("codex", &prompt(&world, "one")));
            assert_eq!(world.hook("codex", &tool_use(&world, "a")), None);
        }
        world.ok(&["send", "bob", "--", "news"]);
        let durable = unsynced(&world);
        let first = injected(world.hook("codex", &prompt(&world, "two")));
        assert!(first.contains("| news\n") && !first.contains("RESTARTED"), "{first}");
        // The model went on: it would not come again.
        assert_eq!(world.hook("codex", &tool_use(&world, "b")), None);
        let world = cut(world, durable);
        world.ok(&["send", "bob", "--", "later"]);
        let again = injected(world.hook("codex", &prompt(&world, "three")));
        let told: Vec<_> = again.lines().filter(|line| line.contains("from cli")).collect();
        assert_eq!(told.len(), 2, "{again}");
        assert!(told[0].ends_with(SAYS_SO), "{again}");
        assert!(again.contains("| news\n") && again.contains("| later\n") && !again.contains("| earlier\n"));
        assert_eq!(world.hook("codex", &tool_use(&world, "c")), None);
        assert_eq!(world.drain("bob"), Vec::<String>::new(), "proved, and gone");
    }
}

#[test]
fn commands_and_the_bus_say_so_too() {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "alice,bob", "--", "news"]);
    assert_eq!(world.json(&["peek", "bob"])["messages"][0].get("before_restart"), None);
    let world = world.restarted();
    for look in ["peek", "inbox"] {
        let mail = world.json(&[look, "alice"]);
        assert_eq!(mail["messages"][0]["before_restart"], true);
        assert_eq!(
            mail["messages"][0].get("redelivered"),
            None,
            "as far as relay knows it is the first time"
        );
    }
    let mut call: Value = serde_json::from_str(&wire::call(1, "inbox", json!({}))).unwrap();
    call["params"]["_meta"] = json!({"sessionId": BOB});
    let answers = wire::raw(&world, format!("{}\n{call}\n", wire::init("2025-06-18")).as_bytes());
    let mail = wire::tool_json(&serde_json::from_str(&answers[1]).unwrap());
    assert_eq!(mail["messages"][0]["before_restart"], true);
}

#[test]
fn the_kernel_tells_when_the_machine_started() {
    let up = std::fs::read_to_string("/proc/uptime").unwrap_or_default();
    let Some(up) = up.split('.').next().and_then(|seconds| seconds.parse::<u64>().ok()) else {
        return println!("skipped: no /proc/uptime here");
    };
    // A time namespace in which the machine is up for a second.
    let namespace = ["-rT", "--boottime", &format!("-{}", up.saturating_sub(1)), "--fork"];
    let works = Command::new("unshare").args(namespace).arg("true").output();
    if !works.is_ok_and(|run| run.status.success()) {
        return println!("skipped: no time namespace to be had here");
    }
    let world = World::with_alice_and_bob();
    world.ok(&["send", "bob", "--", "news"]);
    let ago = Command::new("date").args(["-u", "-d", "-60 seconds", "+%FT%TZ"]).output().unwrap();
    let log = world.session(BOB).join("mail.jsonl");
    let mut line: Value = serde_json::from_slice(&std::fs::read(&log).unwrap()).unwrap();
    line["ts"] = json!(String::from_utf8(ago.stdout).unwrap().trim());
    std::fs::write(log, format!("{line}\n")).unwrap();
    let mut peek = Command::new("unshare");
    world.seal(&mut peek);
    peek.args(namespace).arg(env!("CARGO_BIN_EXE_relay")).args(["peek", "bob"]);
    let told = peek.output().unwrap();
    let told: Value = serde_json::from_slice(&told.stdout).unwrap_or_else(|_| panic!("{told:?}"));
    assert_eq!(told["messages"][0]["before_restart"], true, "{told}");
    assert_eq!(world.json(&["peek", "bob"])["messages"][0].get("before_restart"), None);
}

/// The calls by which a run waits for the disk.
fn syncs(world: &World, arguments: &[&str], input: &str) -> usize {
    let trace = world.home().join("trace");
    let mut strace = Command::new("strace");
    world.seal(&mut strace);
    strace
        .args(["-f", "-q", "-e", "trace=fsync,fdatasync,sync_file_range,syncfs,msync,sync", "-o"])
        .arg(&trace);
    strace.arg(env!("CARGO_BIN_EXE_relay")).args(arguments).stdin(Stdio::piped());
    let run = Run::of(feed(&mut strace, input.as_bytes()));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    std::fs::read_to_string(trace).unwrap().lines().filter(|line| line.contains("sync")).count()
}

#[test]
fn a_hook_that_delivers_waits_for_no_disk_and_an_ack_does() {
    if Command::new("strace").arg("-V").output().is_err() {
        return println!("skipped: strace is not installed");
    }
    let world = World::with_alice_and_bob();
    assert!(syncs(&world, &["send", "bob", "--", "one"], "") >= 1);
    world.ok(&["send", "bob", "--", "two"]);
    // The event of a tool tells the store nothing new of its session.
    let event = tool_use(&world, "a").to_string();
    assert_eq!(syncs(&world, &["hook", "codex"], &event), 0);
    // strace was the host, and is gone.
    assert_eq!(world.json(&["peek", "bob"])["messages"][0]["redelivered"], true, "it was shown");
    world.ok(&["send", "alice", "--", "three"]);
    let held = world.json(&["inbox", "--hold", "60", "alice"]);
    assert!(syncs(&world, &["ack", held["token"].as_str().unwrap()], "") >= 1);
}

#[test]
fn a_benchmark_can_do_without_the_disk_and_doctor_objects() {
    let world = World::with_alice_and_bob().with("RELAY_SYNC", "off");
    if Command::new("strace").arg("-V").output().is_ok() {
        assert_eq!(syncs(&world, &["send", "bob", "--", "one"], ""), 0);
    } else {
        println!("skipped: strace is not installed");
    }
    let doctor = world.run(&["doctor"]);
    assert_eq!(doctor.code, Some(1));
    assert!(doctor.stdout.contains("RELAY_SYNC=off: a power cut takes accepted mail; unset it"));
}
