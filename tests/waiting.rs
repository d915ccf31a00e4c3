//! Waiting for mail: on the command line and on the bus, without doing anything
//! meanwhile.

mod harness;

use std::io::BufRead;

use harness::waiters::{Bus, answer, asleep, mail, signal, start, switches};
use harness::{BOB, World, bodies, injected};
use serde_json::{Value, json};

const CAROL: &str = "33333333-3333-4333-8333-3333333ccccc";

#[test]
fn inbox_sleeps_until_mail_comes() {
    let world = World::with_alice_and_bob();
    let (mut waiter, output) = start(&world, &["inbox", "--wait", "60", "bob"]);
    asleep(&waiter.0);
    let before = switches(&waiter.0);
    world.ok(&["send", "alice", "--", "not for bob"]);
    assert_eq!(switches(&waiter.0), before, "another mailbox's mail wakes nobody");
    world.ok(&["send", "bob", "--", "now"]);
    let text: String = output.lines().map(|line| line.unwrap()).collect();
    assert_eq!(bodies(&serde_json::from_str(&text).unwrap()), ["now"]);
    assert_eq!(waiter.0.wait().unwrap().code(), Some(0));
    assert_eq!(world.json(&["inbox", "bob"])["count"], 0, "it was taken");
}

#[test]
fn a_wait_that_is_over_says_that_there_is_nothing() {
    let world = World::with_alice_and_bob();
    assert_eq!(world.json(&["inbox", "--wait", "0", "bob"])["count"], 0);
    assert_eq!(world.json(&["inbox", "--wait", "1", "bob"])["count"], 0);
    assert_eq!(world.json(&["inbox", "--wait", "0", "--hold", "5", "bob"])["token"], Value::Null);
    let run = world.run(&["inbox", "--wait", "86401", "bob"]);
    assert_eq!((run.code, run.stderr.contains("86400")), (Some(64), true), "{}", run.stderr);
}

#[test]
fn a_waiter_waits_for_mail_that_another_reader_gives_back() {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "bob", "--", "lent"]);
    let token = world.json(&["inbox", "--hold", "60", "bob"])["token"].as_str().unwrap().to_owned();
    let (waiter, output) = start(&world, &["inbox", "--wait", "60", "bob"]);
    asleep(&waiter.0);
    world.ok(&["rollback", &token]);
    let text: String = output.lines().map(|line| line.unwrap()).collect();
    let mail: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((bodies(&mail), &mail["messages"][0]["redelivered"]), (vec!["lent".to_owned()], &json!(true)));
}

#[test]
fn of_two_waiters_one_gets_the_mail() {
    let world = World::with_alice_and_bob();
    let mut waiters: Vec<_> = (0..2).map(|_| start(&world, &["inbox", "--wait", "60", "bob"])).collect();
    waiters.iter().for_each(|(waiter, _)| asleep(&waiter.0));
    world.ok(&["send", "bob", "--", "one"]);
    world.ok(&["send", "bob", "--", "two"]);
    let mut seen = Vec::new();
    for (waiter, output) in &mut waiters {
        let text: String = output.lines().map(|line| line.unwrap()).collect();
        seen.extend(bodies(&serde_json::from_str(&text).unwrap()));
        assert_eq!(waiter.0.wait().unwrap().code(), Some(0));
        if seen.len() == 2 {
            break; // the other one still waits
        }
    }
    seen.sort();
    assert_eq!(seen, ["one", "two"], "each once, whoever got it");
}

#[test]
fn follow_shows_what_waits_and_what_comes_and_takes_nothing() {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "bob", "--", "early"]);
    let (_follower, mut output) = start(&world, &["peek", "--follow", "bob"]);
    assert_eq!(answer(&mut output)["body"], "early");
    world.ok(&["send", "bob", "--", "late"]);
    assert_eq!(answer(&mut output)["body"], "late");
    assert_eq!(world.drain("bob"), ["early", "late"]);
    world.ok(&["send", "bob", "--", "later"]);
    assert_eq!(answer(&mut output)["body"], "later");
}

#[test]
fn a_call_that_waits_lets_others_pass() {
    let world = World::with_alice_and_bob();
    let mut bus = Bus::open(&world, "b");
    bus.inbox(1, 50, None);
    bus.ping(2);
    world.ok(&["register", "carol", "--id", "33333333-3333-4333-8333-3333333ccccc"]);
    asleep(&bus.child.0);
    let before = switches(&bus.child.0);
    world.ok(&["send", "carol", "--", "not for bob"]);
    assert_eq!(switches(&bus.child.0), before, "another mailbox's mail wakes nobody");
    world.ok(&["send", "bob", "--", "now"]);
    let heard = bus.hear();
    assert_eq!((&heard["id"], bodies(&mail(&heard))), (&json!(1), vec!["now".to_owned()]));
    assert_eq!(world.json(&["peek", "bob"])["held"], 1, "not proven yet");
    bus.inbox(3, 0, None);
    assert_eq!(mail(&bus.hear())["count"], 0);
    assert!(world.json(&["peek", "bob"]).get("held").is_none(), "the next call proves it");
}

#[test]
fn a_call_that_waited_proves_nothing_about_mail_shown_meanwhile() {
    let world = World::with_alice_and_bob();
    let mut bus = Bus::open(&world, "b");
    bus.inbox(1, 50, None);
    bus.ping(2);
    signal(&bus.child.0, "STOP"); // so that the hook comes first
    world.ok(&["send", "bob", "--", "by the hook"]);
    let event = world.event(BOB, "b", "PostToolUse", json!({"tool_name": "Bash"}));
    assert!(injected(world.hook("codex", &event)).contains("by the hook"));
    signal(&bus.child.0, "CONT");
    world.ok(&["send", "bob", "--", "by the call"]);
    assert_eq!(bodies(&mail(&bus.hear())), ["by the call"]);
    assert_eq!(world.json(&["peek", "bob"])["held"], 2, "neither is proven");
    bus.inbox(3, 0, None);
    bus.hear();
    assert!(world.json(&["peek", "bob"]).get("held").is_none(), "a new call proves both");
}

#[test]
fn a_call_gets_mail_that_another_reader_let_go_of() {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "bob", "--", "held"]);
    assert_eq!(world.json(&["inbox", "bob", "--hold", "1"])["count"], 1);
    let mut bus = Bus::open(&world, "b");
    bus.inbox(1, 15, None);
    let mail = mail(&bus.hear());
    assert_eq!(
        (bodies(&mail), mail["messages"][0]["redelivered"].clone()),
        (vec!["held".to_owned()], json!(true))
    );
}

#[test]
fn a_call_that_is_given_up_takes_nothing() {
    let world = World::with_alice_and_bob();
    let mut bus = Bus::open(&world, "b");
    bus.inbox(7, 50, None);
    bus.tell(json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}}));
    bus.ping(8);
    world.ok(&["send", "bob", "--", "kept"]);
    bus.ping(9);
    assert_eq!(world.pending("bob"), ["kept"]);
}

#[test]
fn a_call_whose_time_is_over_is_answered_and_notes_progress_where_asked() {
    let world = World::with_alice_and_bob();
    let mut bus = Bus::open(&world, "b");
    bus.inbox(1, 1, Some("tok"));
    let heard = bus.hear();
    assert_eq!((&heard["id"], &mail(&heard)["count"]), (&json!(1), &json!(0)));
    bus.inbox(2, 12, Some("tok"));
    let note = bus.hear();
    assert_eq!(
        (&note["method"], &note["params"]["progressToken"]),
        (&json!("notifications/progress"), &json!("tok"))
    );
    assert_eq!((&note["params"]["progress"], &note["params"]["total"]), (&json!(10), &json!(12)));
    assert_eq!(bus.hear()["id"], 2);
}

#[test]
fn calls_that_wait_are_bounded() {
    let world = World::with_alice_and_bob();
    let mut bus = Bus::open(&world, "b");
    for id in 0..40 {
        bus.inbox(id, 50, None);
    }
    let answered: Vec<Value> = (0..8).map(|_| bus.hear()["id"].clone()).collect();
    assert_eq!(answered, (32..40).map(|id| json!(id)).collect::<Vec<_>>(), "the last ones do not wait");
    world.ok(&["send", "bob", "--", "one"]);
    assert_eq!(bodies(&mail(&bus.hear())), ["one"], "one of them gets it");
    bus.ping(99);
}

#[test]
fn a_host_that_closes_the_pipe_ends_the_bus_though_calls_wait() {
    let world = World::with_alice_and_bob();
    let mut bus = Bus::open(&world, "b");
    bus.inbox(1, 50, None);
    bus.ping(2);
    drop(bus.child.0.stdin.take());
    assert_eq!(bus.child.0.wait().unwrap().code(), Some(0));
}

#[test]
fn a_waiter_gets_mail_though_its_mailbox_was_folded_away_meanwhile() {
    let world = World::new();
    let register = || world.ok(&["register", "carol", "--id", CAROL, "--dir", "/"]);
    register();
    let (waiter, mut output) = start(&world, &["peek", "--follow", "carol"]);
    asleep(&waiter.0);
    std::fs::remove_dir_all(world.session(CAROL)).unwrap();
    asleep(&waiter.0);
    register();
    world.ok(&["send", "carol", "--", "hello again"]);
    assert_eq!(answer(&mut output)["body"], "hello again");
}
