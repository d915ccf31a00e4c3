//! One message to several sessions: lists, `@all`, rooms.

mod harness;

use std::process::Stdio;

use harness::{ALICE, BOB, Run, World, feed, injected};
use serde_json::{Value, json};

const CAROL: &str = "33333333-3333-4333-8333-3333333ccccc";
const NEXT: &str = "44444444-4444-4444-8444-4444444ddddd";

fn three() -> World {
    let world = World::with_alice_and_bob();
    world.start("claude", CAROL, "c", "carol");
    world
}

fn run_in(world: &World, folder: &str, arguments: &[&str]) -> Run {
    let mut command = world.command(arguments);
    Run::of(command.env("RELAY_PROJECT_DIR", world.project(folder)).output().unwrap())
}

/// A tool call through the bus of the session whose project folder this is.
fn call(world: &World, folder: &str, tool: &str, arguments: Value) -> (bool, String) {
    let open = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25"}});
    let call = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": tool, "arguments": arguments}});
    let mut command = world.command(&["bus"]);
    command.env("RELAY_PROJECT_DIR", world.project(folder)).stdin(Stdio::piped());
    let output = feed(&mut command, format!("{open}\n{call}\n").as_bytes());
    let text = String::from_utf8(output.stdout).unwrap();
    let answer: Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    let failed = answer["result"]["isError"] == true;
    (
        !failed,
        answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned(),
    )
}

fn names(sent: &Value) -> Vec<&str> {
    sent["readers"].as_array().unwrap().iter().map(|reader| reader["toName"].as_str().unwrap()).collect()
}

fn first(world: &World, who: &str) -> Value {
    world.json(&["peek", who])["messages"][0].clone()
}

#[test]
fn a_list_reaches_each_once_under_one_id() {
    let world = three();
    let sent = world.json(&["send", "bob,carol,bob", "--json", "--", "frozen"]);
    assert_eq!((names(&sent), &sent["group"]), (vec!["bob", "carol"], &json!("bob,carol,bob")));
    for (who, id) in [("bob", BOB), ("carol", CAROL)] {
        let message = first(&world, who);
        assert_eq!(
            (&message["id"], &message["to"], &message["group"]),
            (&sent["id"], &json!(id), &sent["group"])
        );
    }
    assert_eq!(world.pending("alice"), Vec::<String>::new());
    let text = world.ok(&["send", "bob,carol", "--", "again"]);
    assert!(text.starts_with("queued -> bob, carol\n") && text.contains("bob is live"), "{text}");
}

#[test]
fn one_wrong_name_sends_to_nobody() {
    let world = three();
    for wrong in ["bob,nobody", "bob,,carol", "bob,", "#empty", "#../names", "bob,#no room"] {
        let before = world.snapshot();
        let run = world.run(&["send", wrong, "--", "x"]);
        assert!(matches!(run.code, Some(4 | 64)), "{wrong}: {:?}", run.code);
        assert_eq!(run.stderr.lines().count(), 1);
        assert_eq!(world.snapshot(), before, "{wrong}");
    }
    let long = vec!["bob"; 2000].join(",");
    assert_eq!(world.run(&["send", &long, "--", "x"]).code, Some(9));
    assert_eq!(world.pending("bob"), Vec::<String>::new());
}

#[test]
fn all_means_the_live_sessions_of_this_project_but_the_sender() {
    let world = three();
    world.start("codex", NEXT, "a/deep/inside", "dave");
    std::fs::create_dir_all(world.project("a").join(".git")).unwrap();
    let outside = world.run(&["send", "@all", "--", "x"]);
    assert_eq!(outside.code, Some(4), "nobody works in the home: {}", outside.stderr);
    let sent = world.json(&["send", "@all", "--from", "alice", "--json", "--", "to my project"]);
    assert_eq!(names(&sent), ["dave"]);
    let run = run_in(&world, "a", &["send", "@all", "--json", "--", "from alice's shell"]);
    assert_eq!(names(&serde_json::from_str(&run.stdout).unwrap()), ["dave"], "{}", run.stderr);
    let run = run_in(&world, "a/deep", &["send", "@all", "--json", "--", "from a person's shell"]);
    assert_eq!(names(&serde_json::from_str(&run.stdout).unwrap()), ["alice", "dave"], "{}", run.stderr);
    world.hook("codex", &world.event(NEXT, "a/deep/inside", "SessionEnd", json!({"reason": "other"})));
    assert_eq!(world.run(&["send", "@all", "--from", "alice", "--", "x"]).code, Some(4), "dave is dormant");
}

#[test]
fn a_room_reaches_its_members_but_the_sender() {
    let world = three();
    for who in ["alice", "bob", "carol"] {
        world.ok(&["join", "team", who]);
    }
    let text = world.ok(&["join", "#team", "bob"]);
    assert_eq!(text, "bob is in #team; members: alice, bob, carol\n");
    let sent = world.json(&["send", "#team", "--from", "bob", "--json", "--", "hello"]);
    assert_eq!(names(&sent), ["alice", "carol"]);
    assert_eq!((world.pending("alice"), world.pending("bob")), (vec!["hello".to_owned()], vec![]));
    world.ok(&["leave", "team", "carol"]);
    world.ok(&["leave", "team", "carol"]);
    assert_eq!(names(&world.json(&["send", "#team", "--from", "bob", "--json", "--", "two"])), ["alice"]);
    assert_eq!(world.drain("carol"), ["hello"], "mail that it has stays");
    world.ok(&["leave", "team", "alice"]);
    let alone = world.run(&["send", "#team", "--from", "bob", "--", "echo"]);
    assert_eq!(alone.code, Some(4), "{}", alone.stderr);
    let both = world.json(&["send", "#team,carol", "--json", "--", "a room and a name"]);
    assert_eq!(names(&both), ["bob", "carol"]);
}

#[test]
fn rooms_show_in_list_and_whoami_and_a_model_can_join() {
    let world = three();
    let (done, text) = call(&world, "b", "register", json!({"join": "#team"}));
    assert!(done, "{text}");
    let me: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&me["rooms"], &me["name"]), (&json!(["#team"]), &json!("bob")));
    assert!(run_in(&world, "a", &["join", "team"]).stdout.contains("alice, bob"));
    assert_eq!(world.run(&["join", "team"]).code, Some(64), "a shell of no session names one");
    let list = world.json(&["list", "--json"]);
    let rooms: Vec<_> = list.as_array().unwrap().iter().map(|row| row.get("rooms").cloned()).collect();
    assert_eq!(rooms, [Some(json!(["#team"])), Some(json!(["#team"])), None]);
    assert_eq!(world.ok(&["list"]).matches(", in #team").count(), 2);
    assert!(run_in(&world, "a", &["whoami"]).stdout.contains("in #team\n"));
    let (done, text) = call(&world, "a", "send", json!({"to": "#team", "body": "hi"}));
    assert!(done && text.contains("bob is live") && !text.contains("alice"), "{text}");
    let (done, _) = call(&world, "b", "register", json!({"leave": "team"}));
    assert!(
        done && !world.ok(&["list"]).lines().any(|line| line.starts_with("bob") && line.contains("#team"))
    );
    let (done, text) = call(&world, "b", "register", json!({}));
    assert!(!done && text.contains("'name' is missing"), "{text}");
}

#[test]
fn list_shows_who_is_in_a_room_and_changes_nothing() {
    let world = three();
    for who in ["carol", "bob"] {
        world.ok(&["join", "team", who]);
    }
    world.ok(&["join", "ops", "alice"]);
    let before = world.snapshot();
    for room in ["#team", "team"] {
        let text = world.ok(&["list", room]);
        assert!(text.lines().count() == 2 && text.starts_with("bob "), "{text}");
        assert_eq!(world.ok(&["list", room, "--names"]), "bob\ncarol\n");
        let rows = world.json(&["list", room, "--json"]);
        let seen: Vec<_> = rows.as_array().unwrap().iter().map(|row| (&row["name"], &row["rooms"])).collect();
        assert_eq!(seen, [(&json!("bob"), &json!(["#team"])), (&json!("carol"), &json!(["#team"]))]);
    }
    assert_eq!(world.snapshot(), before);
    let empty = world.run(&["list", "#empty"]);
    assert_eq!((empty.code, empty.stdout.as_str()), (Some(4), ""));
    assert!(empty.stderr.contains("no room '#empty'"), "{}", empty.stderr);
    assert_eq!(world.run(&["list", "#no room"]).code, Some(64));
}

#[test]
fn status_and_thread_tell_of_each_reader() {
    let world = three();
    let id = world.json(&["send", "bob,carol", "--from", "alice", "--json", "--", "who can?"])["id"].clone();
    let id = id.as_str().unwrap();
    world.drain("bob");
    let (done, text) = call(&world, "c", "send", json!({"to": "alice", "body": "I can", "in_reply_to": id}));
    assert!(done, "{text}");
    let status = world.json(&["status", id, "--json"]);
    let states: Vec<_> = status["readers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (r["toName"].clone(), r["state"].clone()))
        .collect();
    assert_eq!(states, [(json!("bob"), json!("consumed")), (json!("carol"), json!("replied"))]);
    assert!(world.ok(&["status", id]).contains("consumed  bob has it\n"));
    let text = world.ok(&["log", "--thread", id]);
    assert_eq!(text.matches("who can?").count(), 1, "{text}");
    assert!(text.contains("-> bob (consumed), carol (stored)") && text.contains("    I can\n"), "{text}");
    let ambiguous = world.run(&["reply", id, "--", "me too"]);
    assert!(ambiguous.code == Some(64) && ambiguous.stderr.contains("several"), "{}", ambiguous.stderr);
}

#[test]
fn each_readers_cursor_is_its_own_and_the_model_sees_the_group() {
    let world = three();
    world.ok(&["join", "team", "bob"]);
    world.ok(&["join", "team", "carol"]);
    world.ok(&["send", "#team", "--from", "alice", "--", "hello"]);
    assert_eq!(world.drain("bob"), ["hello"]);
    let event = world.event(CAROL, "c", "UserPromptSubmit", json!({"prompt": "x"}));
    let text = injected(world.hook("claude", &event));
    assert!(text.contains(", to #team, id ") && text.contains("| hello\n"), "{text}");
}

#[test]
fn the_successor_is_in_the_rooms_of_the_session_before() {
    let world = three();
    for room in ["team", "ops"] {
        world.ok(&["join", room, "alice"]);
    }
    world.hook("claude", &world.event(ALICE, "a", "SessionEnd", json!({"reason": "clear"})));
    world.hook("claude", &world.event(NEXT, "a", "SessionStart", json!({"source": "clear"})));
    for room in ["team", "ops"] {
        let members: Vec<_> = std::fs::read_dir(world.store().join("rooms").join(room))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(members, [NEXT]);
    }
    assert_eq!(names(&world.json(&["send", "#team", "--json", "--", "still there?"])), ["alice"]);
    assert_eq!(world.pending(NEXT), ["still there?"]);
}

#[test]
fn rooms_are_bounded_also_when_many_join_at_once() {
    let world = three();
    for number in 0..16 {
        world.ok(&["join", &format!("r{number}"), "bob"]);
    }
    let run = world.run(&["join", "r16", "bob"]);
    assert!(run.code == Some(9) && run.stderr.contains("16"), "{}", run.stderr);
    world.ok(&["join", "r3", "bob"]);
    let folder = world.store().join("rooms/r0");
    for number in 0..62 {
        std::fs::write(folder.join(format!("member-{number}")), "x\n").unwrap();
    }
    world.ok(&["join", "r0", "alice"]);
    let run = world.run(&["join", "r0", "carol"]);
    assert!(run.code == Some(9) && run.stderr.contains("full"), "{}", run.stderr);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 64);
    for bad in ["", "#", "a/b", "..", "#a b", ALICE] {
        assert_eq!(world.run(&["join", bad, "bob"]).code, Some(if bad.len() > 64 { 9 } else { 64 }), "{bad}");
    }
}

#[test]
fn when_one_copy_cannot_be_stored_the_error_names_who_got_it() {
    let world = three();
    // Carol's log cannot be opened for writing.
    std::fs::create_dir(world.session(CAROL).join("mail.jsonl")).unwrap();
    let run = world.run(&["send", "bob,carol,alice", "--", "x"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert!(
        run.stderr.contains("stored for bob (id ") && run.stderr.contains("not for carol, alice"),
        "{}",
        run.stderr
    );
    assert_eq!((world.pending("bob"), world.pending("alice")), (vec!["x".to_owned()], vec![]));
}

#[test]
fn eight_write_to_a_room_at_once_and_each_reader_gets_all() {
    let world = three();
    for who in ["alice", "bob", "carol"] {
        world.ok(&["join", "team", who]);
    }
    let children: Vec<_> = (0..8)
        .map(|number| {
            world.command(&["send", "#team", "--", &format!("m{number}")]).stdout(Stdio::null()).spawn()
        })
        .collect();
    for child in children {
        assert!(child.unwrap().wait().unwrap().success());
    }
    for who in ["alice", "bob", "carol"] {
        let mut bodies = world.drain(who);
        bodies.sort();
        assert_eq!(bodies, (0..8).map(|number| format!("m{number}")).collect::<Vec<_>>());
    }
}

#[test]
fn a_room_is_gone_with_its_last_member() {
    let world = three();
    world.ok(&["join", "dev", "alice"]);
    world.ok(&["join", "dev", "bob"]);
    world.ok(&["leave", "dev", "alice"]);
    assert_eq!(std::fs::read_dir(world.store().join("rooms")).unwrap().count(), 1);
    world.ok(&["leave", "dev", "bob"]);
    assert_eq!(std::fs::read_dir(world.store().join("rooms")).unwrap().count(), 0);
    world.ok(&["join", "dev", "bob"]);
    assert_eq!(names(&world.json(&["send", "#dev", "--json", "--", "hello"])), ["bob"]);
}
