//! Pulling the plug: SIGKILL at every system call, and every fault of the seam
//! at every step that changes a file. After each, nothing accepted is lost,
//! nothing is torn, nothing comes twice unmarked, and the next command works.

mod harness;

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use harness::{ALICE, BOB, Run, World, feed};
use serde_json::{Value, json};

const FRESH: &str = "33333333-3333-4333-8333-3333333ccccc";

/// A verb under test: its world before, the command, its stdin, and what must
/// hold afterwards, given what the command printed.
struct Case {
    name: &'static str,
    prepare: fn() -> World,
    arguments: &'static [&'static str],
    /// A last argument that only the world knows.
    last: fn(&World) -> Option<String>,
    input: fn(&World) -> String,
    check: fn(&World, &Run),
}

fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "send",
            prepare: one_waiting,
            arguments: &["send", "bob", "--", "new"],
            input: nothing,
            last: none,
            check: sent,
        },
        Case {
            name: "first send",
            prepare: none_waiting,
            arguments: &["send", "bob", "--", "new"],
            input: nothing,
            last: none,
            check: first_sent,
        },
        Case {
            name: "inbox",
            prepare: two_waiting,
            arguments: &["inbox", "bob"],
            input: nothing,
            last: none,
            check: taken,
        },
        Case {
            name: "inbox --hold",
            prepare: two_waiting,
            arguments: &["inbox", "--hold", "1", "bob"],
            input: nothing,
            last: none,
            check: held,
        },
        Case {
            name: "hook",
            prepare: two_waiting,
            arguments: &["hook", "codex"],
            input: prompt,
            last: none,
            check: shown,
        },
        Case {
            name: "hook that acknowledges",
            prepare: one_shown_one_waiting,
            arguments: &["hook", "codex"],
            input: tool_use,
            last: none,
            check: acknowledged,
        },
        Case {
            name: "hook of a new session",
            prepare: World::with_alice_and_bob,
            arguments: &["hook", "claude"],
            input: start_fresh,
            last: none,
            check: started,
        },
        Case {
            name: "hook after /clear",
            prepare: cleared,
            arguments: &["hook", "claude"],
            input: start_cleared,
            last: none,
            check: succeeded,
        },
        Case {
            name: "register",
            prepare: World::with_alice_and_bob,
            arguments: &["register", "robert", "--id", BOB],
            input: nothing,
            last: none,
            check: renamed,
        },
        Case {
            name: "ack",
            prepare: two_held,
            arguments: &["ack"],
            input: nothing,
            last: token,
            check: acked,
        },
        Case {
            name: "rollback",
            prepare: two_held,
            arguments: &["rollback"],
            input: nothing,
            last: token,
            check: rolled_back,
        },
        Case {
            name: "bus: inbox",
            prepare: two_waiting_for_the_bus,
            arguments: &["bus"],
            input: bus_inbox,
            last: none,
            check: shown_by_bus,
        },
        Case {
            name: "gc that trims",
            prepare: outdated,
            arguments: &["gc"],
            input: nothing,
            last: none,
            check: trimmed,
        },
        Case {
            name: "gc that folds",
            prepare: forgotten,
            arguments: &["gc"],
            input: nothing,
            last: none,
            check: folded,
        },
        Case {
            name: "reply",
            prepare: asked,
            arguments: &["reply"],
            input: yes,
            last: request,
            check: replied,
        },
        Case {
            name: "reply again",
            prepare: answered,
            arguments: &["reply"],
            input: yes,
            last: request,
            check: replied,
        },
        Case {
            name: "send to two",
            prepare: none_waiting,
            arguments: &["send", "alice,bob", "--", "new"],
            input: nothing,
            last: none,
            check: sent_to_two,
        },
        Case {
            name: "join",
            prepare: none_waiting,
            arguments: &["join", "team", "bob"],
            input: nothing,
            last: none,
            check: joined,
        },
        Case {
            name: "import",
            prepare: session_relay_home,
            arguments: &["list"],
            input: nothing,
            last: none,
            check: imported,
        },
    ]
}

/// Carol's mailbox with old mail: 200 messages read, `unread` more not. Nobody
/// has seen her for years.
fn long_ago(unread: usize) -> World {
    let world = World::with_alice_and_bob();
    world.ok(&["register", "carol", "--id", FRESH, "--dir", "/"]);
    let folder = world.session(FRESH);
    let line = |id: usize| {
        json!({"id": format!("m{id}"), "to": FRESH, "ts": "2020-01-01T00:00:00Z", "body": "x".repeat(500)})
            .to_string()
            + "\n"
    };
    let read: String = (0..200).map(line).collect();
    let rest: String = (200..200 + unread).map(line).collect();
    std::fs::write(folder.join("mail.jsonl"), format!("{read}{rest}")).unwrap();
    std::fs::write(folder.join("cursor.json"), json!({"consumed": read.len()}).to_string()).unwrap();
    let record = std::fs::read_to_string(folder.join("info.json")).unwrap();
    let mut info: Value = serde_json::from_str(&record).unwrap();
    info["seen"] = json!("2020-01-01T00:00:00Z");
    std::fs::write(folder.join("info.json"), info.to_string()).unwrap();
    let files = ["mail.jsonl", "cursor.json"].map(|name| folder.join(name));
    assert!(Command::new("touch").args(["-d", "2020-01-01"]).args(files).status().unwrap().success());
    world
}

fn outdated() -> World {
    long_ago(2)
}

fn forgotten() -> World {
    long_ago(0)
}

fn trimmed(world: &World, _: &Run) {
    assert_eq!(world.pending("carol").len(), 2, "unread mail stays");
    world.ok(&["gc"]);
    assert_eq!(world.ok(&["gc"]), "nothing to clear away\n");
    assert_eq!(world.json(&["log", "--json", "carol"])["total"], 2);
    world.ok(&["send", "carol", "--", "new"]);
    assert_eq!(world.drain("carol").len(), 3);
}

fn folded(world: &World, _: &Run) {
    world.ok(&["gc"]);
    assert_eq!(world.ok(&["gc"]), "nothing to clear away\n");
    assert!(!world.session(FRESH).exists());
    assert_eq!(std::fs::read_dir(world.store().join("folded")).map_or(0, |left| left.count()), 0);
    world.ok(&["register", "carol", "--id", BOB]);
}

fn none(_: &World) -> Option<String> {
    None
}

/// The token of the hold that stands.
fn token(world: &World) -> Option<String> {
    let cursor = std::fs::read(world.session(BOB).join("cursor.json")).unwrap();
    serde_json::from_slice::<Value>(&cursor).unwrap()["hold"]["token"].as_str().map(str::to_owned)
}

fn two_held() -> World {
    let world = two_waiting();
    world.ok(&["inbox", "--hold", "600", "bob"]);
    world
}

/// A world whose bus is bob's.
fn two_waiting_for_the_bus() -> World {
    let world = two_waiting();
    let project = world.project("b");
    world.with("RELAY_PROJECT_DIR", project.to_str().unwrap())
}

fn bus_inbox(_: &World) -> String {
    let open = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#;
    let call = r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"inbox","arguments":{}}}"#;
    format!("{open}\n{call}\n")
}

/// Alice has asked bob.
fn asked() -> World {
    let world = World::with_alice_and_bob();
    world.ok(&["request", "bob", "--from", "alice", "--", "ready?"]);
    world
}

fn answered() -> World {
    let world = asked();
    world.ok(&["reply", &request(&world).unwrap(), "--", "yes"]);
    world
}

fn yes(_: &World) -> String {
    "yes".to_owned()
}

/// The id of the request.
fn request(world: &World) -> Option<String> {
    world.json(&["peek", "bob"])["messages"][0]["id"].as_str().map(str::to_owned)
}

fn replied(world: &World, run: &Run) {
    let id = request(world).unwrap();
    let replies = world.pending("alice");
    assert!(replies.is_empty() || replies == ["yes"], "{replies:?}");
    assert!(run.code != Some(0) || replies == ["yes"], "accepted and lost");
    // The same reply again is always fine, another only if there is none.
    let other = world.run(&["reply", &id, "--", "no"]).code;
    assert_eq!(other, Some(if replies.is_empty() { 0 } else { 5 }));
    let same = if replies.is_empty() { "no" } else { "yes" };
    world.ok(&["reply", &id, "--", same]);
    assert_eq!(world.drain("alice"), [same]);
}

fn sent_to_two(world: &World, run: &Run) {
    let got = [world.pending("alice"), world.pending("bob")];
    assert!(got.iter().all(|mail| mail.is_empty() || *mail == ["new"]), "{got:?}");
    let count = got.iter().filter(|mail| !mail.is_empty()).count();
    assert!(!got[0].is_empty() || got[1].is_empty(), "in the order of the address");
    assert!(run.code != Some(0) || count == 2, "accepted and lost");
    if run.code == Some(1) {
        let says_part = run.stderr.contains("stored for alice (id ") && run.stderr.contains("not for bob:");
        assert_eq!((says_part, count), if says_part { (true, 1) } else { (false, 0) }, "{}", run.stderr);
    }
    world.ok(&["send", "alice,bob", "--", "after"]);
    for (who, before) in [("alice", &got[0]), ("bob", &got[1])] {
        assert_eq!(world.drain(who), [before.clone(), vec!["after".to_owned()]].concat());
    }
}

fn joined(world: &World, run: &Run) {
    let list = world.ok(&["list"]);
    let is_in = list.contains(", in #team");
    assert!(run.code != Some(0) || is_in, "{list}");
    assert_eq!(world.run(&["send", "#team", "--", "x"]).code, Some(if is_in { 0 } else { 4 }));
    world.ok(&["join", "team", "bob"]);
    world.ok(&["send", "#team", "--", "after"]);
    assert_eq!(world.drain("bob").last().unwrap(), "after");
}

fn acked(world: &World, run: &Run) {
    if run.stdout.contains("acknowledged") {
        assert_eq!(world.pending("bob"), Vec::<String>::new());
    }
    settled_or_held(world, "ack");
}

fn rolled_back(world: &World, run: &Run) {
    if run.stdout.contains("rolled back") {
        assert_eq!(world.pending("bob"), ["one", "two"]);
    }
    settled_or_held(world, "rollback");
}

/// Either the hold stands and can be settled again, or it has been settled.
fn settled_or_held(world: &World, verb: &str) {
    if let Some(token) = token(world) {
        world.ok(&[verb, &token]);
    }
    let left = world.json(&["inbox", "bob"]);
    match verb {
        "ack" => assert_eq!(left["count"], 0),
        _ => assert!(
            left["messages"].as_array().unwrap().iter().all(|m| m["redelivered"] == true)
                && left["count"] == 2
        ),
    }
}

fn shown_by_bus(world: &World, run: &Run) {
    let answer = run.stdout.lines().find(|line| line.contains("\"id\":2")).unwrap_or_default();
    let mail = serde_json::from_str::<Value>(answer).ok();
    let text = mail.and_then(|mail| mail["result"]["content"][0]["text"].as_str().map(str::to_owned));
    let printed =
        text.and_then(|text| serde_json::from_str::<Value>(&text).ok()).map(|mail| harness::bodies(&mail));
    let printed = printed.unwrap_or_default();
    // The host goes on: what was printed is proved, what was not comes again.
    let event = world.event(BOB, "b", "PostToolUse", json!({"tool_use_id": "inbox"}));
    let again = world.hook("codex", &event).map(|output| output.to_string()).unwrap_or_default();
    for body in ["one", "two"] {
        let now = read_by_model(&again).iter().any(|seen| seen == body);
        let before = printed.iter().any(|seen| seen == body);
        assert!(before || now, "{body} is lost");
        assert!(!(before && now) || again.contains("REDELIVERED"), "{body} came twice unmarked");
    }
}

fn nothing(_: &World) -> String {
    String::new()
}

fn none_waiting() -> World {
    World::with_alice_and_bob()
}

fn one_waiting() -> World {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "bob", "--", "one"]);
    world
}

fn two_waiting() -> World {
    let world = one_waiting();
    world.ok(&["send", "bob", "--", "two"]);
    world
}

fn one_shown_one_waiting() -> World {
    let world = one_waiting();
    let event = world.event(BOB, "b", "SessionStart", json!({"source": "resume"}));
    assert!(world.hook("codex", &event).is_some());
    world.ok(&["send", "bob", "--", "two"]);
    world
}

fn cleared() -> World {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "alice", "--", "one"]);
    world.ok(&["send", "alice", "--", "two"]);
    world.ok(&["join", "team", "alice"]);
    world.hook("claude", &world.event(ALICE, "a", "SessionEnd", json!({"reason": "clear"})));
    world
}

fn session_relay_home() -> World {
    let world = World::new();
    let home = world.store();
    std::fs::create_dir_all(home.join("mailbox")).unwrap();
    let agent = |id: &str, name: &str| json!({"id": id, "name": name, "dir": "/w", "tool": "codex", "lastSeen": null});
    let registry = json!({"agents": {ALICE: agent(ALICE, "alice"), BOB: agent(BOB, "bob")}, "names": {}});
    std::fs::write(home.join("registry.json"), registry.to_string()).unwrap();
    for (id, body) in [(ALICE, "for alice"), (BOB, "for bob")] {
        let line = json!({"id": body, "ts": "2026-07-01T10:00:00.000Z", "from": null, "fromName": "cli", "to": id, "body": body});
        std::fs::write(home.join(format!("mailbox/{id}.jsonl")), format!("{line}\n")).unwrap();
    }
    world
}

fn prompt(world: &World) -> String {
    world.event(BOB, "b", "UserPromptSubmit", json!({"prompt": "p"})).to_string()
}

fn tool_use(world: &World) -> String {
    world.event(BOB, "b", "PostToolUse", json!({"tool_use_id": "t"})).to_string()
}

fn start_fresh(world: &World) -> String {
    world.event(FRESH, "c", "SessionStart", json!({"source": "startup"})).to_string()
}

fn start_cleared(world: &World) -> String {
    world.event(FRESH, "a", "SessionStart", json!({"source": "clear"})).to_string()
}

fn sent(world: &World, run: &Run) {
    let pending = world.pending("bob");
    assert!(pending == ["one"] || pending == ["one", "new"], "{pending:?}");
    assert!(!run.stdout.contains("queued") || pending.len() == 2, "accepted and lost");
    world.ok(&["send", "bob", "--", "after"]);
    let drained = world.drain("bob");
    assert_eq!((&drained[0], drained.last().unwrap().as_str()), (&"one".to_owned(), "after"));
    assert_eq!(drained.len(), pending.len() + 1);
}

fn first_sent(world: &World, run: &Run) {
    let pending = world.pending("bob");
    assert!(pending.is_empty() || pending == ["new"], "{pending:?}");
    assert!(!run.stdout.contains("queued") || pending == ["new"], "accepted and lost");
    world.ok(&["send", "bob", "--", "after"]);
    assert_eq!(world.drain("bob").len(), pending.len() + 1);
}

/// Both messages came, in order, now or before; before means: marked now.
fn all_seen_once_unmarked(before: &[String], now: &Value) {
    let messages = now["messages"].as_array().unwrap();
    for body in ["one", "two"] {
        let again = messages.iter().find(|message| message["body"] == body);
        let printed = before.iter().any(|seen| seen == body);
        match again {
            Some(message) => {
                assert!(!printed || message["redelivered"] == true, "{body} came twice unmarked")
            }
            None => assert!(printed, "{body} is lost"),
        }
    }
    let order: Vec<_> = messages.iter().map(|message| message["body"].as_str().unwrap()).collect();
    assert!(["one", "two"].ends_with(&order) || order.is_empty(), "{order:?}");
}

fn taken(world: &World, run: &Run) {
    let printed =
        serde_json::from_str::<Value>(&run.stdout).map(|mail| harness::bodies(&mail)).unwrap_or_default();
    all_seen_once_unmarked(&printed, &world.json(&["inbox", "bob"]));
    assert_eq!(world.drain("bob"), Vec::<String>::new());
}

fn held(world: &World, run: &Run) {
    // Nobody acknowledges: both come, at the latest when the hold has expired.
    let printed =
        serde_json::from_str::<Value>(&run.stdout).map(|mail| harness::bodies(&mail)).unwrap_or_default();
    if world.pending("bob").is_empty() {
        let cursor = std::fs::read(world.session(BOB).join("cursor.json")).unwrap();
        let token =
            serde_json::from_slice::<Value>(&cursor).unwrap()["hold"]["token"].as_str().unwrap().to_owned();
        world.ok(&["rollback", &token]);
    }
    let now = world.json(&["inbox", "bob"]);
    assert_eq!(now["count"], 2);
    all_seen_once_unmarked(&printed, &now);
}

/// What the host's model has read: the host takes only whole output.
fn read_by_model(output: &str) -> Vec<String> {
    let Ok(output) = serde_json::from_str::<Value>(output) else { return Vec::new() };
    harness::injected(Some(output))
        .lines()
        .filter_map(|line| line.strip_prefix("| ").map(str::to_owned))
        .collect()
}

fn shown(world: &World, run: &Run) {
    let seen = read_by_model(&run.stdout);
    let event = world.event(BOB, "b", "PostToolUse", json!({"tool_use_id": "next"}));
    let mut again = Vec::new();
    let mut marked = false;
    if let Some(output) = world.hook("codex", &event) {
        let text = harness::injected(Some(output));
        marked = text.contains("REDELIVERED");
        again = text.lines().filter_map(|line| line.strip_prefix("| ").map(str::to_owned)).collect();
    }
    world.hook("codex", &world.event(BOB, "b", "Stop", json!({"stop_hook_active": true})));
    for body in ["one", "two"] {
        let (before, now) = (seen.iter().any(|b| b == body), again.iter().any(|b| b == body));
        assert!(before || now, "{body} is lost");
        assert!(!(before && now) || marked, "{body} came twice unmarked");
    }
    assert_eq!(world.drain("bob"), Vec::<String>::new());
}

fn acknowledged(world: &World, run: &Run) {
    let mut seen = read_by_model(&run.stdout);
    assert!(!seen.contains(&"one".to_owned()), "proved by this event, yet shown again");
    for id in ["next", "last"] {
        let event = world.event(BOB, "b", "PostToolUse", json!({"tool_use_id": id}));
        if let Some(output) = world.hook("codex", &event) {
            seen.extend(read_by_model(&output.to_string()));
        }
    }
    assert!(seen.contains(&"two".to_owned()), "{seen:?}");
    assert_eq!(world.drain("bob"), Vec::<String>::new());
}

fn started(world: &World, _: &Run) {
    let event: Value = serde_json::from_str(&start_fresh(world)).unwrap();
    world.hook("claude", &event);
    world.ok(&["send", "c-cccc", "--", "hello"]);
    assert_eq!(world.pending(FRESH), ["hello"]);
}

fn succeeded(world: &World, run: &Run) {
    let mut seen = read_by_model(&run.stdout);
    let event: Value = serde_json::from_str(&start_cleared(world)).unwrap();
    for event in [event, world.event(FRESH, "a", "PostToolUse", json!({"tool_use_id": "t"}))] {
        if let Some(output) = world.hook("claude", &event) {
            seen.extend(read_by_model(&output.to_string()));
        }
    }
    for body in ["one", "two"] {
        assert!(seen.iter().any(|seen| seen == body), "{body} is lost");
    }
    world.ok(&["send", "alice", "--", "by name"]);
    world.ok(&["send", "--id", ALICE, "--", "by old id"]);
    world.ok(&["send", "#team", "--", "by room"]);
    assert_eq!(world.pending(FRESH), ["by name", "by old id", "by room"]);
}

fn renamed(world: &World, _: &Run) {
    world.ok(&["send", BOB, "--", "by id"]);
    world.ok(&["register", "robert", "--id", BOB]);
    world.ok(&["send", "robert", "--", "by name"]);
    assert_eq!(world.pending(BOB), ["by id", "by name"]);
    let names = world.ok(&["list", "--names"]);
    assert_eq!(names.lines().collect::<Vec<_>>(), ["alice", "robert"]);
}

fn imported(world: &World, _: &Run) {
    assert_eq!(world.pending("alice"), ["for alice"]);
    assert_eq!(world.pending("bob"), ["for bob"]);
    world.ok(&["send", "bob", "--", "after"]);
    assert_eq!(world.drain("bob"), ["for bob", "after"]);
}

/// No half message anywhere, and the store works.
fn check(case: &Case, world: &World, run: &Run, at: &str) {
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        (case.check)(world, run);
        let doctor = world.run(&["doctor"]);
        assert_eq!(doctor.code, Some(0), "{}", doctor.stdout);
    }));
    if outcome.is_err() {
        panic!("{} {at}: stdout {:?}, stderr {:?}", case.name, run.stdout, run.stderr);
    }
}

/// The system calls a command makes, by name.
fn system_calls(world: &World, case: &Case) -> BTreeMap<String, usize> {
    let trace = world.home().join("trace");
    let mut strace = Command::new("strace");
    world.seal(&mut strace);
    strace
        .args(["-D", "-f", "-q", "-o"])
        .arg(&trace)
        .arg(env!("CARGO_BIN_EXE_relay"))
        .args(case.arguments)
        .args((case.last)(world));
    feed(strace.stdin(Stdio::piped()), (case.input)(world).as_bytes());
    // Detached (-D), strace writes its last line shortly after the command ended.
    let ended = || std::fs::read_to_string(&trace).ok().filter(|text| text.contains("+++ exited"));
    let text = std::iter::repeat_with(ended).find_map(|text| text).unwrap();
    let mut calls = BTreeMap::new();
    for line in text.lines() {
        let name = line.split_whitespace().nth(1).and_then(|call| call.split_once('(')).map(|(name, _)| name);
        if let Some(name) = name.filter(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')) {
            *calls.entry(name.to_owned()).or_insert(0) += 1;
        }
    }
    calls
}

#[test]
fn killed_at_every_system_call() {
    if Command::new("strace").arg("-V").output().is_err() {
        println!("skipped: strace is not installed");
        return;
    }
    for case in cases() {
        let calls = system_calls(&(case.prepare)(), &case);
        assert!(calls.values().sum::<usize>() > 20, "{}: {calls:?}", case.name);
        for (call, count) in calls {
            for number in 1..=count {
                let world = (case.prepare)();
                let mut strace = Command::new("strace");
                world.seal(&mut strace);
                let inject = format!("inject={call}:signal=SIGKILL:when={number}");
                // Detached, so that this test stays the parent that plays the host.
                strace.args(["-D", "-f", "-qq", "-o", "/dev/null", "-e", &inject]);
                strace.arg(env!("CARGO_BIN_EXE_relay")).args(case.arguments).args((case.last)(&world));
                let run = Run::of(feed(strace.stdin(Stdio::piped()), (case.input)(&world).as_bytes()));
                check(&case, &world, &run, &format!("killed at {call} {number}"));
            }
        }
    }
}

#[test]
fn faults_at_every_step() {
    for case in cases() {
        for action in ["crash", "lose", "fail", "fail-from"] {
            for step in 1.. {
                let world = (case.prepare)();
                let mut command = world.command(case.arguments);
                command.args((case.last)(&world));
                command.env("RELAY_FAULT", format!("{action}:{step}")).stdin(Stdio::piped());
                let output = feed(&mut command, (case.input)(&world).as_bytes());
                let run = Run::of(output);
                let hook = ["hook", "bus"].contains(&case.arguments[0]); // both keep failures off stderr
                if run.code == Some(0) && action.starts_with("fail") && !hook {
                    assert_eq!(run.stderr, "", "{} {action}:{step}", case.name);
                }
                if action.starts_with("fail") && run.code != Some(0) {
                    assert_eq!(run.stderr.lines().count(), 1, "{}: {}", case.name, run.stderr);
                    assert!(run.stderr.contains('/'), "the error names the path: {}", run.stderr);
                    assert_ne!(run.code, Some(2));
                }
                check(&case, &world, &run, &format!("{action}:{step}"));
                if step >= steps_of(&case) {
                    break;
                }
            }
        }
    }
}

/// How many steps the seam counts in an undisturbed run: the first number at
/// which a crash no longer happens.
fn steps_of(case: &Case) -> usize {
    use std::sync::Mutex;
    static KNOWN: Mutex<BTreeMap<&str, usize>> = Mutex::new(BTreeMap::new());
    if let Some(steps) = KNOWN.lock().unwrap().get(case.name) {
        return *steps;
    }
    let steps = (1..500)
        .find(|step| {
            let world = (case.prepare)();
            let mut command = world.command(case.arguments);
            command.args((case.last)(&world));
            command.env("RELAY_FAULT", format!("crash:{step}")).stdin(Stdio::piped());
            feed(&mut command, (case.input)(&world).as_bytes()).status.code().is_some()
        })
        .expect("the run ends");
    KNOWN.lock().unwrap().insert(case.name, steps);
    steps
}
