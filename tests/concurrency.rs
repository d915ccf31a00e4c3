//! Many processes at once: nothing is lost, doubled, torn or out of order.

mod harness;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use harness::World;

const SENDERS: usize = 8;
const EACH: usize = 200;

#[test]
fn eight_senders_and_two_readers_deliver_each_message_once_in_order() {
    let world = World::with_alice_and_bob();
    let done = AtomicBool::new(false);
    let mut lanes: Vec<Vec<String>> = Vec::new();
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut read = Vec::new();
                    loop {
                        let last = done.load(Ordering::SeqCst);
                        let run = world.run(&["inbox", "bob"]);
                        assert_eq!(run.code, Some(0), "{}", run.stderr);
                        let mail: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
                        let messages = mail["messages"].as_array().unwrap();
                        assert!(messages.iter().all(|message| message.get("redelivered").is_none()));
                        read.extend(harness::bodies(&mail));
                        if last && messages.is_empty() && mail.get("held").is_none() {
                            return read;
                        }
                    }
                })
            })
            .collect();
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let world = &world;
                scope.spawn(move || {
                    for number in 0..EACH {
                        world.ok(&["send", "bob", "--", &format!("{sender} {number}")]);
                    }
                })
            })
            .collect();
        for sender in senders {
            sender.join().unwrap();
        }
        done.store(true, Ordering::SeqCst);
        lanes.extend(readers.into_iter().map(|reader| reader.join().unwrap()));
    });
    let mut times: HashMap<&str, usize> = HashMap::new();
    for lane in &lanes {
        let mut latest: HashMap<&str, usize> = HashMap::new();
        for body in lane {
            *times.entry(body).or_default() += 1;
            let (sender, number) = body.split_once(' ').unwrap();
            let number: usize = number.parse().unwrap();
            assert!(
                latest.insert(sender, number).is_none_or(|before| before < number),
                "{sender} out of order"
            );
        }
    }
    assert_eq!(times.len(), SENDERS * EACH);
    assert!(times.values().all(|count| *count == 1), "doubled");
    assert_eq!(world.run(&["doctor"]).code, Some(0));
}

#[test]
fn who_looks_while_a_cursor_is_written_sees_one_before_or_after() {
    let world = World::with_alice_and_bob();
    for _ in 0..5 {
        world.ok(&["send", "bob", "--", "history"]);
    }
    world.drain("bob");
    world.ok(&["send", "bob", "--", "waits"]);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let looks = scope.spawn(|| {
            let mut looks = 0;
            while !done.load(Ordering::SeqCst) {
                let seen = world.pending("bob");
                assert!(seen.is_empty() || seen == ["waits"], "{seen:?}");
                looks += 1;
            }
            looks
        });
        for _ in 0..EACH {
            let held = world.json(&["inbox", "--hold", "60", "bob"]);
            world.ok(&["rollback", held["token"].as_str().unwrap()]);
        }
        done.store(true, Ordering::SeqCst);
        assert!(looks.join().unwrap() > EACH / 10);
    });
}

#[test]
fn sixteen_processes_register_at_once() {
    let world = World::new();
    let children: Vec<_> = (0..16)
        .map(|n| {
            let id = format!("{n:08}-1111-4111-8111-111111111111");
            world
                .command(&["register", &format!("n{n}"), "--id", &id])
                .stdout(std::process::Stdio::null())
                .spawn()
        })
        .collect();
    for child in children {
        assert!(child.unwrap().wait().unwrap().success());
    }
    assert_eq!(world.ok(&["list", "--names"]).lines().count(), 16);
}
