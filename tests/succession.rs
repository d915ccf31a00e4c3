//! `/clear`: one conversation goes on under a new id, whatever dies, fails or
//! comes at the same time. No mail is lost, and none is shown twice unmarked.

mod harness;

use std::process::Stdio;
use std::thread;

use harness::waiters::{Started, asleep, signal};
use harness::{ALICE, Run, World, feed, injected};
use serde_json::{Value, json};

const SECOND: &str = "33333333-3333-4333-8333-3333333ccccc";
const THIRD: &str = "44444444-4444-4444-8444-4444444ddddd";
const SENT: [&str; 3] = ["one", "two", "three"];

/// Alice, of whose three messages the first has been shown.
fn before() -> World {
    let world = World::new().with("RELAY_SYNC", "off"); // nothing here cuts the power
    world.start("claude", ALICE, "a", "alice");
    world.ok(&["send", "alice", "--", SENT[0]]);
    let prompt = world.event(ALICE, "a", "UserPromptSubmit", json!({"prompt": "p"}));
    assert_eq!(shown(&world.hook("claude", &prompt)), [("one".to_owned(), false)]);
    SENT[1..].iter().for_each(|body| drop(world.ok(&["send", "alice", "--", body])));
    world
}

fn cleared(world: &World, id: &str) -> Value {
    world.event(id, "a", "SessionStart", json!({"source": "clear"}))
}

fn used_tool(world: &World, id: &str) -> Value {
    world.event(id, "a", "PostToolUse", json!({"tool_use_id": id}))
}

/// What a hook put before its model, and whether it said that it may be a repeat.
fn shown(output: &Option<Value>) -> Vec<(String, bool)> {
    let Some(output) = output.clone() else { return Vec::new() };
    let text = injected(Some(output));
    let lines: Vec<&str> = text.lines().collect();
    let of = |(line, next): (&&str, &&str)| {
        next.strip_prefix("| ").map(|body| (body.to_owned(), line.contains("(REDELIVERED")))
    };
    lines.iter().zip(&lines[1..]).filter_map(of).collect()
}

fn hook(world: &World, event: &Value) -> Vec<(String, bool)> {
    shown(&world.hook("claude", event))
}

/// The same of what a command or a tool printed.
fn taken(mail: &Value) -> Vec<(String, bool)> {
    let messages = mail["messages"].as_array().cloned().unwrap_or_default();
    let of = |message: &Value| (message["body"].as_str().unwrap().to_owned(), message["redelivered"] == true);
    messages.iter().map(of).collect()
}

/// What waits for that session, if there is one.
fn rest(world: &World, id: &str) -> Vec<(String, bool)> {
    let run = world.run(&["inbox", id]);
    if run.code == Some(0) { taken(&serde_json::from_str(&run.stdout).unwrap()) } else { Vec::new() }
}

/// Nothing is lost, and each is told once without a word.
fn check(seen: &[(String, bool)], at: &str) {
    for body in SENT {
        let unmarked = seen.iter().filter(|(seen, marked)| seen == body && !marked).count();
        let all = seen.iter().filter(|(seen, _)| seen == body).count();
        assert!(all > 0, "{at}: {body} is lost: {seen:?}");
        assert!(unmarked <= 1, "{at}: {body} came twice unmarked: {seen:?}");
    }
}

/// What the first start after the clear shows with a fault, and whether that
/// ended it.
fn start_with_fault(world: &World, fault: &str) -> (Vec<(String, bool)>, bool) {
    let mut command = world.command(&["hook", "claude"]);
    command.env("RELAY_FAULT", fault).stdin(Stdio::piped());
    let run = Run::of(feed(&mut command, cleared(world, SECOND).to_string().as_bytes()));
    let output = (!run.stdout.is_empty()).then(|| serde_json::from_str(&run.stdout).unwrap());
    (shown(&output), run.code != Some(0))
}

#[test]
fn what_a_fault_interrupts_is_finished_by_whatever_comes_next() {
    type Next = fn(&World) -> Vec<(String, bool)>;
    let nexts: [(&str, Next); 4] = [
        ("a tool's use", |world| hook(world, &used_tool(world, SECOND))),
        ("another clear", |world| hook(world, &cleared(world, THIRD))),
        ("a look by name", |world| taken(&world.json(&["inbox", "alice"]))),
        ("the old one's late event", |world| {
            let late = hook(world, &used_tool(world, ALICE));
            [late, hook(world, &cleared(world, THIRD))].concat()
        }),
    ];
    let dies = |step: &usize| start_with_fault(&before(), &format!("crash:{step}")).1;
    let steps = (1..).take_while(dies).count();
    assert!(steps > 10, "only {steps} steps");
    for (next, come) in nexts {
        for action in ["crash", "fail", "fail-from"] {
            for step in 1..=steps {
                let world = before();
                let mut seen = vec![("one".to_owned(), false)];
                seen.extend(start_with_fault(&world, &format!("{action}:{step}")).0);
                seen.extend(come(&world));
                // Whoever it is now reads the rest.
                for id in [ALICE, SECOND, THIRD] {
                    let end = world.event(id, "a", "Stop", json!({}));
                    seen.extend(hook(&world, &end));
                    seen.extend(rest(&world, id));
                }
                check(&seen, &format!("{next} after {action}:{step}"));
            }
        }
    }
}

/// Runs two things at once, many times, and then all that may still come.
fn at_once(other: impl Fn(&World) -> Vec<(String, bool)> + Sync, last: &str) {
    for round in 0..20 {
        let world = before();
        let mut seen = vec![("one".to_owned(), false)];
        let pause = std::time::Duration::from_micros(500 * round);
        let (first, second) = thread::scope(|scope| {
            let first = scope.spawn(|| hook(&world, &cleared(&world, SECOND)));
            thread::sleep(pause);
            (other(&world), first.join().unwrap())
        });
        seen.extend(first);
        seen.extend(second);
        for name in ["UserPromptSubmit", "PostToolUse", "Stop"] {
            seen.extend(hook(&world, &world.event(last, "a", name, json!({}))));
        }
        seen.extend(taken(&world.json(&["inbox", "alice"])));
        check(&seen, &format!("round {round}"));
        world.ok(&["send", "alice", "--", "later"]);
        assert_eq!(world.pending("alice"), ["later"], "round {round}");
    }
}

#[test]
fn the_old_ones_late_step_takes_nothing_that_is_moved() {
    at_once(|world| hook(world, &used_tool(world, ALICE)), SECOND);
}

#[test]
fn a_command_reads_while_the_conversation_moves() {
    at_once(|world| taken(&world.json(&["inbox", "alice"])), SECOND);
}

#[test]
fn two_clears_at_once() {
    at_once(|world| hook(world, &cleared(world, THIRD)), THIRD);
}

#[test]
fn mail_that_comes_while_the_conversation_moves_goes_with_it() {
    let send = |world: &World| {
        world.ok(&["send", "alice", "--", "four"]);
        Vec::new()
    };
    at_once(send, SECOND);
}

#[test]
fn coming_back_to_a_cleared_conversation_opens_it_again() {
    let world = before();
    assert_eq!(hook(&world, &cleared(&world, SECOND)).len(), 3);
    let resumed = world.event(ALICE, "a", "SessionStart", json!({"source": "resume"}));
    assert_eq!(hook(&world, &resumed), []);
    world.ok(&["send", ALICE, "--", "by its id"]);
    world.ok(&["send", "alice", "--", "by the name that went on"]);
    let prompt = |id| world.event(id, "a", "UserPromptSubmit", json!({"prompt": "p"}));
    assert_eq!(hook(&world, &prompt(ALICE)), [("by its id".to_owned(), false)]);
    assert!(hook(&world, &prompt(SECOND)).contains(&("by the name that went on".to_owned(), false)));
    assert_eq!(world.ok(&["list", "--names"]).lines().count(), 2, "alice and the one that came back");
}

#[test]
fn who_waits_for_mail_follows_the_conversation() {
    let world = World::with_alice_and_bob();
    let mut waiting = world.command(&["inbox", "alice", "--wait", "20"]);
    let mut following = world.command(&["peek", "alice", "--follow"]);
    let waiting = waiting.stdout(Stdio::piped()).spawn().unwrap();
    let mut following = Started(following.stdout(Stdio::piped()).spawn().unwrap());
    // Both watch alice's folder before she goes on under another id.
    for child in [&waiting, &following.0] {
        asleep(child);
    }
    assert_eq!(hook(&world, &cleared(&world, SECOND)), []);
    world.ok(&["send", "alice", "--", "here"]);
    let mail: Value = serde_json::from_slice(&waiting.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(taken(&mail), [("here".to_owned(), false)]);
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(following.0.stdout.take().unwrap()), &mut line)
        .unwrap();
    assert!(line.contains("\"here\""), "{line}");
}

/// The follower sleeps while all of it happens, as on a busy machine.
#[test]
fn who_follows_sees_what_another_read_after_the_move() {
    let world = World::with_alice_and_bob();
    let mut following = world.command(&["peek", "alice", "--follow"]);
    let mut following = Started(following.stdout(Stdio::piped()).spawn().unwrap());
    asleep(&following.0);
    signal(&following.0, "STOP");
    hook(&world, &cleared(&world, SECOND));
    world.ok(&["send", "alice", "--", "here"]);
    world.ok(&["inbox", "alice"]);
    world.ok(&["send", "alice", "--", "later"]);
    signal(&following.0, "CONT");
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(following.0.stdout.take().unwrap()));
    for body in ["here", "later"] {
        let line = lines.next().unwrap().unwrap();
        assert!(line.contains(&format!("\"{body}\"")), "{line}");
    }
}

#[test]
fn who_follows_sees_nothing_twice_because_it_moved() {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "alice", "--", "before"]);
    let mut following = world.command(&["peek", "alice", "--follow"]);
    let mut following = Started(following.stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(following.0.stdout.take().unwrap()));
    let mut next = || lines.next().unwrap().unwrap();
    assert!(next().contains("\"before\""));
    hook(&world, &cleared(&world, SECOND));
    world.ok(&["send", "alice", "--", "after"]);
    let line = next();
    assert!(line.contains("\"after\""), "{line}");
}

#[test]
fn gc_finishes_a_move_and_folds_none_of_it() {
    let dies = |step: &usize| start_with_fault(&before(), &format!("crash:{step}")).1;
    for step in 1..=(1..).take_while(dies).count() {
        let world = before();
        start_with_fault(&world, &format!("crash:{step}"));
        for id in [ALICE, SECOND] {
            long_ago(&world, id);
        }
        world.ok(&["gc"]);
        let mut seen = vec![("one".to_owned(), false)];
        for id in [ALICE, SECOND] {
            let end = world.event(id, "a", "Stop", json!({}));
            seen.extend(hook(&world, &end));
            seen.extend(rest(&world, id));
        }
        check(&seen, &format!("crash:{step}"));
    }
}

/// Nobody has seen the session for years.
fn long_ago(world: &World, id: &str) {
    let folder = world.session(id);
    let path = folder.join("info.json");
    let Ok(record) = std::fs::read(&path) else { return };
    let mut info: Value = serde_json::from_slice(&record).unwrap();
    info["seen"] = json!("2020-01-01T00:00:00.000Z");
    info.as_object_mut().unwrap().remove("process");
    std::fs::write(&path, info.to_string() + "\n").unwrap();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let file = std::fs::File::options().append(true).open(entry.unwrap().path()).unwrap();
        file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_577_836_800)).unwrap();
    }
}

#[test]
fn a_conversation_may_be_cleared_very_often() {
    let world = before();
    let id = |n: usize| format!("55555555-5555-4555-8555-{n:012}");
    (0..70).for_each(|n| drop(world.hook("claude", &cleared(&world, &id(n)))));
    let to = world.json(&["send", ALICE, "--json", "--", "to the first id"]);
    assert_eq!(to["to"], id(69), "{to}");
    world.ok(&["status", to["id"].as_str().unwrap()]);
}

#[test]
fn the_users_choice_to_be_woken_goes_on() {
    let world = before();
    world.ok(&["register", "alice", "--wake", "on"]);
    hook(&world, &cleared(&world, SECOND));
    let record = std::fs::read_to_string(world.session(SECOND).join("info.json")).unwrap();
    assert!(record.contains("\"wake"), "{record}");
}
