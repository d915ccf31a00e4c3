//! What must hold afterwards, whatever happened to the verb.

use super::before::{FRESH, request, start_cleared, start_fresh, token};
use super::harness::{self, ALICE, BOB, Run, World};
use serde_json::{Value, json};

/// Whether it says that it may have been handed out before.
fn marked(message: &Value) -> bool {
    message["redelivered"] == true || message["before_restart"] == true
}

/// The same of the text for a model.
fn says_so(text: &str) -> bool {
    text.contains("(REDELIVERED") || text.contains("(SENT BEFORE THIS MACHINE RESTARTED")
}

pub fn trimmed(world: &World, _: &Run) {
    assert_eq!(world.pending("carol").len(), 2, "unread mail stays");
    world.ok(&["gc"]);
    assert_eq!(world.ok(&["gc"]), "nothing to clear away\n");
    assert_eq!(world.json(&["log", "--json", "carol"])["total"], 2);
    world.ok(&["send", "carol", "--", "new"]);
    assert_eq!(world.drain("carol").len(), 3);
}

pub fn folded(world: &World, _: &Run) {
    world.ok(&["gc"]);
    assert_eq!(world.ok(&["gc"]), "nothing to clear away\n");
    assert!(!world.session(FRESH).exists());
    assert_eq!(std::fs::read_dir(world.store().join("folded")).map_or(0, |left| left.count()), 0);
    world.ok(&["register", "carol", "--id", BOB]);
}

pub fn replied(world: &World, run: &Run) {
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

pub fn sent_to_two(world: &World, run: &Run) {
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

pub fn joined(world: &World, run: &Run) {
    let list = world.ok(&["list"]);
    let is_in = list.contains(", in #team");
    assert!(run.code != Some(0) || is_in, "{list}");
    assert_eq!(world.run(&["send", "#team", "--", "x"]).code, Some(if is_in { 0 } else { 4 }));
    world.ok(&["join", "team", "bob"]);
    world.ok(&["send", "#team", "--", "after"]);
    assert_eq!(world.drain("bob").last().unwrap(), "after");
}

pub fn acked(world: &World, run: &Run) {
    if run.stdout.contains("acknowledged") {
        assert_eq!(world.pending("bob"), Vec::<String>::new());
    }
    settled_or_held(world, "ack");
}

pub fn rolled_back(world: &World, run: &Run) {
    if run.stdout.contains("rolled back") {
        assert_eq!(world.pending("bob"), ["one", "two"]);
    }
    settled_or_held(world, "rollback");
}

/// Either the hold stands and can be settled again, or it has been settled.
pub fn settled_or_held(world: &World, verb: &str) {
    if let Some(token) = token(world) {
        world.ok(&[verb, &token]);
    }
    let left = world.json(&["inbox", "bob"]);
    match verb {
        "ack" => assert_eq!(left["count"], 0),
        _ => assert!(left["messages"].as_array().unwrap().iter().all(marked) && left["count"] == 2),
    }
}

pub fn shown_by_bus(world: &World, run: &Run) {
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
        assert!(!(before && now) || says_so(&again), "{body} came twice unmarked");
    }
}

pub fn sent(world: &World, run: &Run) {
    let pending = world.pending("bob");
    assert!(pending == ["one"] || pending == ["one", "new"], "{pending:?}");
    assert!(!run.stdout.contains("queued") || pending.len() == 2, "accepted and lost");
    world.ok(&["send", "bob", "--", "after"]);
    let drained = world.drain("bob");
    assert_eq!((&drained[0], drained.last().unwrap().as_str()), (&"one".to_owned(), "after"));
    assert_eq!(drained.len(), pending.len() + 1);
}

pub fn first_sent(world: &World, run: &Run) {
    let pending = world.pending("bob");
    assert!(pending.is_empty() || pending == ["new"], "{pending:?}");
    assert!(!run.stdout.contains("queued") || pending == ["new"], "accepted and lost");
    world.ok(&["send", "bob", "--", "after"]);
    assert_eq!(world.drain("bob").len(), pending.len() + 1);
}

/// Both messages came, in order, now or before; before means: marked now.
pub fn all_seen_once_unmarked(before: &[String], now: &Value) {
    let messages = now["messages"].as_array().unwrap();
    for body in ["one", "two"] {
        let again = messages.iter().find(|message| message["body"] == body);
        let printed = before.iter().any(|seen| seen == body);
        match again {
            Some(message) => {
                assert!(!printed || marked(message), "{body} came twice unmarked")
            }
            None => assert!(printed, "{body} is lost"),
        }
    }
    let order: Vec<_> = messages.iter().map(|message| message["body"].as_str().unwrap()).collect();
    assert!(["one", "two"].ends_with(&order) || order.is_empty(), "{order:?}");
}

pub fn taken(world: &World, run: &Run) {
    let printed =
        serde_json::from_str::<Value>(&run.stdout).map(|mail| harness::bodies(&mail)).unwrap_or_default();
    all_seen_once_unmarked(&printed, &world.json(&["inbox", "bob"]));
    assert_eq!(world.drain("bob"), Vec::<String>::new());
}

pub fn held(world: &World, run: &Run) {
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
pub fn read_by_model(output: &str) -> Vec<String> {
    let Ok(output) = serde_json::from_str::<Value>(output) else { return Vec::new() };
    harness::injected(Some(output))
        .lines()
        .filter_map(|line| line.strip_prefix("| ").map(str::to_owned))
        .collect()
}

pub fn shown(world: &World, run: &Run) {
    let seen = read_by_model(&run.stdout);
    let event = world.event(BOB, "b", "PostToolUse", json!({"tool_use_id": "next"}));
    let mut again = Vec::new();
    let mut marked = false;
    if let Some(output) = world.hook("codex", &event) {
        let text = harness::injected(Some(output));
        marked = says_so(&text);
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

pub fn acknowledged(world: &World, run: &Run) {
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

pub fn started(world: &World, _: &Run) {
    let event: Value = serde_json::from_str(&start_fresh(world)).unwrap();
    world.hook("claude", &event);
    world.ok(&["send", "c-cccc", "--", "hello"]);
    assert_eq!(world.pending(FRESH), ["hello"]);
}

pub fn succeeded(world: &World, run: &Run) {
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

pub fn renamed(world: &World, _: &Run) {
    world.ok(&["send", BOB, "--", "by id"]);
    world.ok(&["register", "robert", "--id", BOB]);
    world.ok(&["send", "robert", "--", "by name"]);
    assert_eq!(world.pending(BOB), ["by id", "by name"]);
    let names = world.ok(&["list", "--names"]);
    assert_eq!(names.lines().collect::<Vec<_>>(), ["alice", "robert"]);
}

pub fn imported(world: &World, _: &Run) {
    assert_eq!(world.pending("alice"), ["for alice"]);
    assert_eq!(world.pending("bob"), ["for bob"]);
    world.ok(&["send", "bob", "--", "after"]);
    assert_eq!(world.drain("bob"), ["for bob", "after"]);
}
