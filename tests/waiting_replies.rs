//! Waiting for the reply to a request: on the command line and on the bus.

mod harness;

use std::io::{BufRead, BufReader};
use std::process::ChildStdout;

use harness::waiters::{Bus, Started, asleep, mail, signal, start};
use harness::{World, bodies};
use serde_json::{Value, json};

/// Alice's request to bob waits for its reply; what it prints.
fn ask_and_wait(world: &World) -> (Started, BufReader<ChildStdout>, String) {
    ask_and_wait_for(world, "60")
}

fn ask_and_wait_for(world: &World, seconds: &str) -> (Started, BufReader<ChildStdout>, String) {
    let ask = ["request", "bob", "--from", "alice", "--wait", seconds, "--", "shall I?"];
    let (asking, output) = start(world, &ask);
    asleep(&asking.0);
    let id = world.json(&["peek", "bob"])["messages"][0]["id"].as_str().unwrap().to_owned();
    (asking, output, id)
}

#[test]
fn a_request_waits_for_its_reply_and_takes_it() {
    let world = World::with_alice_and_bob();
    let (mut asking, output, id) = ask_and_wait(&world);
    world.ok(&["send", "alice", "--", "something else"]);
    asleep(&asking.0);
    world.ok(&["send", "alice", "--from", "bob", "--", "not the reply"]);
    asleep(&asking.0);
    reply(&world, &id, "yes");
    let text: String = output.lines().map(|line| line.unwrap()).collect();
    let taken: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(bodies(&taken), ["something else", "not the reply", "yes"]);
    assert_eq!(asking.0.wait().unwrap().code(), Some(0));
    assert_eq!(world.json(&["peek", "alice"])["count"], 0, "it was taken");
}

#[test]
fn a_reply_behind_more_mail_than_one_batch_is_taken_with_all_of_it() {
    let world = World::with_alice_and_bob().with("RELAY_SYNC", "off");
    let long = "x".repeat(256 * 1024);
    for _ in 0..65 {
        assert_eq!(world.run_with_input(&["send", "alice"], long.as_bytes()).code, Some(0));
    }
    let (mut asking, output, id) = ask_and_wait(&world);
    reply(&world, &id, "yes");
    let text: String = output.lines().map(|line| line.unwrap()).collect();
    let pages: Vec<Value> =
        serde_json::Deserializer::from_str(&text).into_iter().map(|page| page.unwrap()).collect();
    assert!(pages.len() > 1, "one batch holds 16 MiB");
    assert_eq!(pages.iter().map(|page| bodies(page).len()).sum::<usize>(), 66);
    assert_eq!(bodies(pages.last().unwrap()).last().unwrap(), "yes");
    assert_eq!(asking.0.wait().unwrap().code(), Some(0));
}

#[test]
fn a_reply_behind_mail_that_another_reader_holds_is_said_to_be_there() {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "alice", "--", "before"]);
    world.ok(&["inbox", "alice", "--hold=600"]);
    let (mut asking, _output, id) = ask_and_wait_for(&world, "5");
    reply(&world, &id, "yes");
    assert_eq!(asking.0.wait().unwrap().code(), Some(6));
    assert_eq!(world.json(&["peek", "alice"])["count"], 1, "it is not taken");
}

/// Bob's reply, as his bus would send it.
fn reply(world: &World, id: &str, body: &str) {
    let mut bus = Bus::open(world, "b");
    let arguments = json!({"to": "alice", "body": body, "kind": "reply", "in_reply_to": id});
    let params = json!({"name": "send", "arguments": arguments});
    bus.tell(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}));
    let heard = bus.hear();
    assert_eq!(heard["result"].get("isError"), None, "{heard}");
}

#[test]
fn a_reply_that_somebody_else_was_shown_is_said_to_be_shown() {
    let world = World::with_alice_and_bob();
    let (asking, output, id) = ask_and_wait(&world);
    signal(&asking.0, "STOP"); // so that another reader comes first
    reply(&world, &id, "yes");
    assert_eq!(world.drain("alice"), ["yes"]);
    signal(&asking.0, "CONT");
    let text: String = output.lines().map(|line| line.unwrap()).collect();
    let shown: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (bodies(&shown), &shown["messages"][0]["redelivered"]),
        (vec!["yes".to_owned()], &json!(true))
    );
}

#[test]
fn a_request_on_the_bus_waits_for_its_reply() {
    let world = World::with_alice_and_bob();
    let mut alice = Bus::open(&world, "a");
    let ask = |kind: &str, wait: u64| {
        let arguments = json!({"to": "bob", "body": "shall I?", "kind": kind, "wait": wait});
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "send", "arguments": arguments}})
    };
    alice.tell(ask("note", 5));
    assert_eq!(alice.hear()["result"]["isError"], true, "nothing to wait for");
    alice.tell(ask("request", 1));
    assert_eq!(mail(&alice.hear())["state"], "stored", "no reply in time");
    alice.tell(ask("request", 50));
    alice.ping(2);
    let pending = world.json(&["peek", "bob"]);
    let id = pending["messages"].as_array().unwrap().last().unwrap()["id"].as_str().unwrap().to_owned();
    world.ok(&["send", "alice", "--", "something else"]);
    alice.ping(3);
    reply(&world, &id, "yes");
    assert_eq!(bodies(&mail(&alice.hear())), ["something else", "yes"]);
}
