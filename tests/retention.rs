//! What is kept of the past: read mail is trimmed, forgotten sessions are folded
//! away, unread mail stays whatever its age.

mod harness;

use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};

use harness::{ALICE, BOB, Run, World, bodies};
use serde_json::{Value, json};

const CAROL: &str = "33333333-3333-4333-8333-3333333ccccc";
const OLD: &str = "2020-01-01T00:00:00.000Z";

/// A line of a log.
fn line(id: usize, when: &str, body: &str) -> String {
    json!({"id": format!("m{id}"), "to": CAROL, "ts": when, "from": null, "fromName": "cli", "body": body})
        .to_string()
        + "\n"
}

fn now() -> String {
    let now = Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%SZ"]).output().unwrap().stdout;
    String::from_utf8(now).unwrap().trim().to_owned()
}

/// A session that was registered long ago, with `read` old messages of 1 KiB that
/// were read and `unread` that were not.
fn with_carol(read: usize, unread: usize) -> World {
    let world = World::new();
    world.ok(&["register", "carol", "--id", CAROL, "--dir", "/"]);
    age_record(&world, CAROL);
    let body = "x".repeat(1024);
    let past: String = (0..read).map(|id| line(id, OLD, &body)).collect();
    let present: String = (read..read + unread).map(|id| line(id, OLD, "unread")).collect();
    let folder = world.session(CAROL);
    std::fs::write(folder.join("mail.jsonl"), format!("{past}{present}")).unwrap();
    std::fs::write(folder.join("cursor.json"), json!({"consumed": past.len()}).to_string() + "\n").unwrap();
    age_files(&folder);
    world
}

fn age_record(world: &World, id: &str) {
    let path = world.session(id).join("info.json");
    let mut info: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    info["seen"] = json!(OLD);
    std::fs::write(&path, info.to_string() + "\n").unwrap();
}

fn age_files(folder: &Path) {
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let aged = Command::new("touch").args(["-d", "2020-01-01"]).args(files).arg(folder).status();
    assert!(aged.unwrap().success());
}

fn gc(world: &World) -> Value {
    world.json(&["gc", "--json"])
}

fn log_ids(world: &World, who: &str) -> Vec<String> {
    let log = world.json(&["log", "--json", "--limit", "100000", who]);
    log["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn old_read_mail_goes_and_unread_mail_stays_at_any_age() {
    let world = with_carol(200, 3);
    let log = world.session(CAROL).join("mail.jsonl");
    let before = std::fs::metadata(&log).unwrap();
    let dry = world.snapshot();
    let said = world.ok(&["gc", "--dry"]);
    assert!(said.starts_with("would trim carol: "), "{said}");
    assert_eq!(world.snapshot(), dry, "--dry changes nothing");
    assert_eq!(gc(&world)["trimmed"][0]["session"], "carol");
    let after = std::fs::metadata(&log).unwrap();
    assert_eq!(after.len(), before.len(), "offsets stay as they are");
    assert!(after.blocks() < before.blocks() / 4, "{} of {} blocks", after.blocks(), before.blocks());
    assert_eq!(world.ok(&["gc"]), "nothing to clear away\n");

    assert_eq!(log_ids(&world, "carol"), ["m200", "m201", "m202"]);
    assert!(world.ok(&["status", "m200"]).starts_with("stored"));
    assert_eq!(world.run(&["status", "m199"]).code, Some(4));
    assert_eq!(world.pending("carol").len(), 3);
    world.ok(&["send", "carol", "--", "new"]);
    assert_eq!(world.drain("carol"), ["unread", "unread", "unread", "new"]);
    assert!(world.run(&["doctor"]).stdout.contains("none damaged"));
    assert_eq!(gc(&world)["trimmed"], json!([]), "what is left is too young, or not worth it");
}

#[test]
fn all_of_a_mailbox_can_go_and_it_works_on() {
    let world = with_carol(3, 0);
    let report = world.json(&["gc", "--dry", "--json"]);
    assert_eq!((&report["trimmed"], &report["folded"]), (&json!([]), &json!(["carol"])));
    // Seen today, it is trimmed instead.
    world.ok(&["register", "carol", "--id", CAROL]);
    assert!(gc(&world)["trimmed"][0]["bytes"].as_u64().unwrap() > 3_000);
    assert_eq!(world.ok(&["log", "carol"]), "(no mail yet)\n");
    assert_eq!(world.json(&["peek", "carol"])["count"], 0);
    world.ok(&["send", "carol", "--", "first of the new"]);
    assert_eq!(log_ids(&world, "carol").len(), 1);
    assert_eq!(world.drain("carol"), ["first of the new"]);
}

#[test]
fn young_mail_is_kept_up_to_a_size() {
    let world = with_carol(0, 0);
    let (body, when) = ("y".repeat(1024), now());
    let past: String = (0..3_000).map(|id| line(id, &when, &body)).collect();
    let folder = world.session(CAROL);
    std::fs::write(folder.join("mail.jsonl"), &past).unwrap();
    std::fs::write(folder.join("cursor.json"), json!({"consumed": past.len()}).to_string()).unwrap();
    assert_eq!(gc(&world)["trimmed"], json!([]), "3 MiB are no more than 16");
    let world = world.with("RELAY_KEEP_MIB", "1");
    let cut = gc(&world)["trimmed"][0]["bytes"].as_u64().unwrap();
    let kept = past.len() as u64 - cut;
    assert!((1024 * 1024 - 2_048..=1024 * 1024).contains(&kept), "{kept}");
    let ids = log_ids(&world, "carol");
    assert_eq!(
        (ids.last().unwrap().as_str(), ids.len() as u64),
        ("m2999", kept / (past.len() as u64 / 3_000))
    );
    let world = world.with("RELAY_KEEP_MIB", "0").with("RELAY_KEEP_DAYS", "0");
    assert_eq!(gc(&world)["trimmed"], json!([]), "0 keeps for ever");
}

#[test]
fn a_hold_is_not_trimmed() {
    let world = with_carol(100, 2);
    let token = world.json(&["inbox", "--hold", "60", "carol"])["token"].as_str().unwrap().to_owned();
    gc(&world);
    assert_eq!(world.json(&["peek", "carol"])["held"], 2);
    world.ok(&["rollback", &token]);
    assert_eq!(bodies(&world.json(&["inbox", "carol"])), ["unread", "unread"]);
}

#[test]
fn sending_keeps_a_busy_mailbox_within_its_size() {
    let world = with_carol(3_000, 0).with("RELAY_KEEP_MIB", "1").with("RELAY_KEEP_DAYS", "0");
    let log = world.session(CAROL).join("mail.jsonl");
    assert!(std::fs::metadata(&log).unwrap().blocks() * 512 > 3_000_000);
    world.ok(&["send", "carol", "--", "one more"]);
    assert!(std::fs::metadata(&log).unwrap().blocks() * 512 < 1_200_000);
    assert_eq!(world.drain("carol"), ["one more"]);
}

#[test]
fn a_forgotten_session_is_folded_away_and_its_name_is_free() {
    let world = with_carol(2, 0);
    world.ok(&["register", "dave", "--id", BOB]);
    world.ok(&["join", "team", "carol"]);
    world.ok(&["join", "team", "dave"]);
    assert_eq!(gc(&world)["folded"], json!(["carol"]));
    assert_eq!(world.json(&["send", "--json", "#team", "--", "x"])["readers"].as_array().unwrap().len(), 1);
    assert!(!world.session(CAROL).exists() && !world.store().join("folded").join(CAROL).exists());
    assert_eq!(world.run(&["peek", "carol"]).code, Some(4));
    world.ok(&["register", "carol", "--id", ALICE]);
    world.ok(&["send", "--id", CAROL, "--", "to the old id"]);
    assert_eq!(world.pending(CAROL), ["to the old id"], "it begins anew");
}

#[test]
fn who_has_mail_or_lives_or_was_seen_is_not_forgotten() {
    let unread = with_carol(2, 1);
    assert_eq!(gc(&unread)["folded"], json!([]));
    let read_lately = with_carol(2, 0);
    std::fs::write(read_lately.session(CAROL).join("cursor.json"), r#"{"consumed":0}"#).unwrap();
    read_lately.drain("carol");
    assert_eq!(gc(&read_lately)["folded"], json!([]));
    let live = with_carol(2, 0);
    let lock = std::fs::File::create(live.session(CAROL).join("live")).unwrap();
    lock.lock_shared().unwrap();
    assert_eq!(gc(&live)["folded"], json!([]));
}

#[test]
fn an_old_id_leads_on_for_as_long_as_its_successor_is_there() {
    let world = with_carol(2, 0);
    world.ok(&["register", "next", "--id", ALICE]);
    let path = world.session(CAROL).join("info.json");
    let mut info: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    info["successor"] = json!(ALICE);
    std::fs::write(&path, info.to_string()).unwrap();
    assert_eq!(gc(&world)["folded"], json!([]));
    world.ok(&["send", CAROL, "--", "follow"]);
    assert_eq!(world.drain("next"), ["follow"]);
    std::fs::remove_dir_all(world.session(ALICE)).unwrap();
    // The name is the successor's.
    assert_eq!(gc(&world)["folded"], json!([CAROL]));
}

#[test]
fn mail_that_comes_while_its_mailbox_is_folded_finds_a_new_one() {
    let world = with_carol(2, 0);
    let mut slow = Command::new("strace");
    world.seal(&mut slow);
    let delay = "inject=rename,renameat,renameat2:delay_enter=500000";
    slow.args(["-f", "-o", "/dev/null", "-e", delay, env!("CARGO_BIN_EXE_relay"), "gc"])
        .stdout(Stdio::null());
    let mut clearing = slow.spawn().unwrap();
    let lock = std::fs::File::open(world.session(CAROL).join("lock")).unwrap();
    while lock.try_lock().is_ok() {
        lock.unlock().unwrap();
        std::thread::yield_now();
    }
    // The lock they wait for is folded away with the mailbox.
    let send = |n: usize| {
        world.command(&["send", "--id", CAROL, "--", &n.to_string()]).stdout(Stdio::null()).spawn()
    };
    for sender in (0..4).map(send).collect::<Vec<_>>() {
        assert!(sender.unwrap().wait().unwrap().success());
    }
    assert!(clearing.wait().unwrap().success());
    let mut there = world.pending(CAROL);
    there.sort();
    assert_eq!(there, ["0", "1", "2", "3"]);
}

#[test]
fn an_idle_bus_sweeps_once_a_day() {
    let world = with_carol(200, 0);
    world.ok(&["register", "carol", "--id", CAROL]);
    // The note says that a sweep stopped half-way; the next piece goes on there.
    std::fs::write(world.store().join("swept"), format!("{OLD} 0\n")).unwrap();
    let mut bus = world.command(&["bus"]);
    bus.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut bus = bus.spawn().unwrap();
    writeln!(bus.stdin.as_mut().unwrap(), r#"{{"jsonrpc":"2.0","id":1,"method":"ping"}}"#).unwrap();
    let note = world.store().join("swept");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while std::fs::read_to_string(&note).unwrap_or_default().starts_with("2020") {
        assert!(std::time::Instant::now() < deadline);
        std::thread::yield_now();
    }
    drop(bus.stdin.take());
    bus.wait().unwrap();
    assert!(!std::fs::read_to_string(&note).unwrap().trim().contains(' '), "done");
    assert_eq!(log_ids(&world, "carol"), Vec::<String>::new());
}

#[test]
fn whoever_comes_back_to_a_half_folded_session_can_be_written_to() {
    let folds = |world: &World, fault: &str| {
        let run = Run::of(world.command(&["gc"]).env("RELAY_FAULT", fault).output().unwrap());
        run.code == Some(0)
    };
    for action in ["crash", "fail-from"] {
        let steps = (1..).take_while(|step| !folds(&with_carol(2, 0), &format!("{action}:{step}"))).count();
        assert!(steps > 2, "only {steps} steps");
        for step in 1..=steps {
            let world = with_carol(2, 0);
            world.ok(&["join", "dev", "carol"]);
            age_files(&world.session(CAROL));
            folds(&world, &format!("{action}:{step}"));
            world.hook("claude", &world.event(CAROL, "c", "SessionStart", json!({"source": "resume"})));
            let rows = world.json(&["list", "--json"]);
            let name = rows[0]["name"].as_str().unwrap();
            world.ok(&["send", name, "--", "welcome back"]);
            assert_eq!(world.pending(CAROL), ["welcome back"], "{action}:{step}");
            let other = world.run(&["register", name, "--id", ALICE]);
            assert_eq!(other.code, Some(5), "{action}:{step}: its name is its own");
        }
    }
}

#[test]
fn a_trim_that_fails_leaves_nothing_on_the_disk() {
    let mut step = 0;
    loop {
        step += 1;
        let world = with_carol(200, 2);
        let run =
            Run::of(world.command(&["gc"]).env("RELAY_FAULT", format!("fail-from:{step}")).output().unwrap());
        let draft = world.session(CAROL).join("mail.tmp");
        assert!(!draft.exists(), "step {step}");
        if run.code == Some(0) {
            break;
        }
        assert_eq!(run.stdout, "", "nothing else was said to be done");
    }
    assert!(step > 3, "only {step} steps");
}

#[test]
fn what_is_in_use_is_seen_though_nothing_about_it_changes() {
    let world = with_carol(2, 0);
    let used = world.event(CAROL, "c", "UserPromptSubmit", json!({"prompt": "p"}));
    world.hook("claude", &used);
    age_record(&world, CAROL);
    world.hook("claude", &used);
    let record = std::fs::read_to_string(world.session(CAROL).join("info.json")).unwrap();
    assert!(!record.contains("2020"), "{record}");
}
