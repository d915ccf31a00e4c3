//! The store: names, addresses, privacy, damage, limits, and its forerunner.

mod harness;

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, UNIX_EPOCH};

use harness::{ALICE, BOB, World, feed};
use serde_json::json;

#[test]
fn everything_is_private() {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "bob", "--", "secret"]);
    assert_eq!(world.store().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    for (path, _) in world.snapshot() {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
        assert_eq!(path.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
}

#[test]
fn a_name_has_one_owner() {
    let world = World::with_alice_and_bob();
    let run = world.run(&["register", "alice", "--id", BOB]);
    assert_eq!(run.code, Some(5), "{}", run.stderr);
    assert!(run.stderr.contains(ALICE) && run.stderr.lines().count() == 1, "{}", run.stderr);
    world.ok(&["register", "anna", "--id", ALICE]);
    world.ok(&["register", "alice", "--id", BOB]);
    let names = world.ok(&["list", "--names"]);
    assert_eq!(names.lines().collect::<Vec<_>>(), ["alice", "anna"]);
    assert_eq!(world.run(&["register", BOB, "--id", ALICE]).code, Some(64), "an id is no name");
    assert_eq!(world.run(&["register", "../x", "--id", ALICE]).code, Some(64));
    assert_eq!(world.run(&["register", "carl", "--id", ALICE, "--tool", "nosuch"]).code, Some(64));
}

#[test]
fn many_processes_claim_one_name_and_one_gets_it() {
    let world = World::new();
    let ids: Vec<String> = (0..16).map(|n| format!("{n:08}-1111-4111-8111-111111111111")).collect();
    let children: Vec<_> =
        ids.iter().map(|id| world.command(&["register", "boss", "--id", id]).spawn().unwrap()).collect();
    let winners: Vec<bool> = children.into_iter().map(|mut child| child.wait().unwrap().success()).collect();
    assert_eq!(winners.iter().filter(|won| **won).count(), 1);
    let owner = world.json(&["list", "--json"])[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(ids[winners.iter().position(|won| *won).unwrap()], owner);
}

#[test]
fn unnamed_sessions_are_addressable_by_default_name_and_prefix() {
    let world = World::new();
    world.hook("claude", &world.event(ALICE, "my app", "SessionStart", json!({"source": "startup"})));
    world.ok(&["send", "my-app-aaaa", "--", "by default name"]);
    world.ok(&["send", "1111", "--", "by prefix"]);
    assert_eq!(world.pending(ALICE), ["by default name", "by prefix"]);
    let run = world.run(&["send", "my-ap-aaaa", "--", "x"]);
    assert_eq!(run.code, Some(4));
    assert!(run.stderr.contains("did you mean 'my-app-aaaa'?"), "{}", run.stderr);
    world
        .hook("claude", &world.event("11112222-1111-4111-8111-1111111eeeee", "b", "SessionStart", json!({})));
    assert!(world.run(&["send", "1111", "--", "x"]).stderr.contains("several"));
}

#[test]
fn no_id_leaves_the_store() {
    let world = World::with_alice_and_bob();
    world.ok(&["register", "evil", "--id", "../../../../etc/passwd"]);
    world.ok(&["send", "evil", "--", "nope"]);
    assert_eq!(world.pending("evil"), ["nope"]);
    let outside: Vec<_> = std::fs::read_dir(world.home()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(outside.len(), 3, "{outside:?}");
    assert!(world.run(&["send", "--id", "../x", "--", "y"]).stderr.contains("must be a session UUID"));
    assert_eq!(world.run(&["register", "long", "--id", &"é".repeat(60)]).code, Some(64));
}

#[test]
fn a_damaged_line_costs_itself_alone() {
    let world = World::with_alice_and_bob();
    for body in ["one", "two", "three"] {
        world.ok(&["send", "bob", "--", body]);
    }
    let log = world.session(BOB).join("mail.jsonl");
    let mut bytes = std::fs::read(&log).unwrap();
    let at = bytes.windows(3).position(|window| window == b"two").unwrap();
    bytes[at] = 0xff;
    std::fs::write(&log, &bytes).unwrap();
    assert_eq!(world.pending("bob"), ["one", "three"]);
    let doctor = world.run(&["doctor"]);
    assert!(doctor.stdout.contains("1 damaged line") && doctor.code == Some(1), "{}", doctor.stdout);
    assert_eq!(world.drain("bob"), ["one", "three"]);
    assert_eq!(std::fs::read(&log).unwrap(), bytes, "the damaged line is kept");
}

#[test]
fn a_long_damaged_line_does_not_hold_up_what_comes_after() {
    for take in [&["inbox", "bob"][..], &["hook", "codex"]] {
        let world = World::with_alice_and_bob();
        std::fs::write(world.session(BOB).join("mail.jsonl"), "?".repeat(20 << 20) + "\n").unwrap();
        world.ok(&["send", "bob", "--", "after it"]);
        let event =
            json!({"session_id": BOB, "cwd": "/", "hook_event_name": "UserPromptSubmit", "prompt": "go on"});
        let taken = world.run_with_input(take, event.to_string().as_bytes());
        assert!(taken.stdout.contains("after it"), "{take:?}: {}", taken.stdout);
    }
}

#[test]
fn a_torn_line_does_not_swallow_the_next() {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "bob", "--", "whole"]);
    let log = world.session(BOB).join("mail.jsonl");
    std::fs::File::options().append(true).open(&log).unwrap().write_all(b"{\"id\":\"torn\",\"bo").unwrap();
    assert_eq!(world.pending("bob"), ["whole"]);
    world.ok(&["send", "bob", "--", "next"]);
    assert_eq!(world.drain("bob"), ["whole", "next"]);
}

#[test]
fn a_damaged_cursor_loses_nothing_and_marks_what_comes_again() {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "bob", "--", "read"]);
    assert_eq!(world.drain("bob"), ["read"]);
    std::fs::write(world.session(BOB).join("cursor.json"), b"{\"consumed\":").unwrap();
    assert_eq!(world.run(&["doctor"]).code, Some(1));
    world.ok(&["send", "bob", "--", "new"]);
    let mail = world.json(&["inbox", "bob"]);
    assert_eq!(mail["messages"][0]["redelivered"], true);
    assert_eq!(mail["messages"].as_array().unwrap().len(), 2);
    assert_eq!(world.run(&["doctor"]).code, Some(0), "mended by the next reader");
}

#[test]
fn a_damaged_record_is_mended_by_the_next_event() {
    let world = World::with_alice_and_bob();
    std::fs::write(world.session(BOB).join("info.json"), b"{\"id\"").unwrap();
    assert_eq!(world.run(&["doctor"]).code, Some(1));
    world.hook("codex", &world.event(BOB, "b", "SessionStart", json!({"source": "resume"})));
    assert_eq!(world.run(&["doctor"]).code, Some(0));
    world.ok(&["send", BOB, "--", "still here"]);
}

#[test]
fn bodies_up_to_the_limit_and_not_beyond() {
    let world = World::with_alice_and_bob();
    let largest = "é\n\"\u{1}".repeat(256 * 1024 / 5);
    assert_eq!(world.run_with_input(&["send", "bob"], largest.as_bytes()).code, Some(0));
    assert_eq!(world.drain("bob"), vec![largest]);
    let run = world.run_with_input(&["send", "bob"], "x".repeat(256 * 1024 + 1).as_bytes());
    assert_eq!(run.code, Some(9));
    assert!(run.stderr.contains("262144"), "{}", run.stderr);
    assert_eq!(world.run_with_input(&["send", "bob", "-"], b"\xff\xfe").code, Some(64));
    assert_eq!(world.run_with_input(&["send", "bob"], b" \n").code, Some(64));
    assert_eq!(world.pending("bob"), Vec::<String>::new());
}

#[test]
fn looking_never_takes() {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "bob", "--", "stays"]);
    let before = world.snapshot();
    let id = world.json(&["peek", "bob"])["messages"][0]["id"].as_str().unwrap().to_owned();
    for arguments in
        [&["list"][..], &["log", "bob"], &["doctor"], &["discover"], &["status", &id], &["peek", "bob"]]
    {
        world.ok(arguments);
    }
    assert_eq!(world.snapshot(), before);
    let empty = World::new();
    for arguments in [&["list"][..], &["doctor"], &["discover"]] {
        empty.ok(arguments);
    }
    assert_eq!(empty.run(&["peek", "nobody"]).code, Some(4));
    assert!(!empty.store().exists(), "looking does not even make a store");
}

#[test]
fn an_inbox_that_cannot_print_keeps_the_mail() {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "bob", "--", "kept"]);
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let code =
        world.command(&["inbox", "bob"]).stdout(full).stderr(std::process::Stdio::null()).status().unwrap();
    assert_eq!(code.code(), Some(1));
    let mut command = std::process::Command::new("sh");
    world.seal(&mut command);
    let script = format!("{} inbox bob >&-", env!("CARGO_BIN_EXE_relay"));
    command.args(["-c", &script]).status().unwrap();
    let mail = world.json(&["inbox", "bob"]);
    assert_eq!(mail["messages"][0]["body"], "kept");
    assert_eq!(mail["messages"][0]["redelivered"], true);
}

#[test]
fn holds_are_settled_by_their_token() {
    let world = World::with_alice_and_bob();
    let hold = |seconds: &str| world.json(&["inbox", "--hold", seconds, "bob"]);
    assert_eq!(hold("30")["token"], json!(null));
    world.ok(&["send", "bob", "--", "one"]);
    let first = hold("30");
    let token = first["token"].as_str().unwrap().to_owned();
    assert_eq!(first["count"], 1);
    assert_eq!(world.run(&["inbox", "--hold", "30", "bob"]).code, Some(6), "one hold at a time");
    world.ok(&["send", "bob", "--", "two"]);
    world.ok(&["rollback", &token]);
    world.ok(&["rollback", &token]);
    assert_eq!(world.run(&["ack", &token]).code, Some(7));
    let second = hold("30");
    let counts: Vec<_> =
        second["messages"].as_array().unwrap().iter().map(|m| m["deliveries"].clone()).collect();
    assert_eq!(counts, [json!(2), json!(null)]);
    let token = second["token"].as_str().unwrap().to_owned();
    world.ok(&["ack", &token]);
    world.ok(&["ack", &token]);
    assert_eq!(world.run(&["rollback", &token]).code, Some(7));
    assert_eq!(world.run(&["ack", "0000.nothing"]).code, Some(7));
    assert_eq!(world.run(&["ack", "0000.../../x"]).code, Some(7));
    assert_eq!(hold("30")["token"], json!(null));
}

#[test]
fn a_newer_store_is_refused_and_left_alone() {
    let world = World::with_alice_and_bob();
    std::fs::write(world.store().join("format"), "2\n").unwrap();
    let before = world.snapshot();
    for arguments in [&["send", "bob", "--", "x"][..], &["list"], &["inbox", "bob"]] {
        let run = world.run(arguments);
        assert_eq!(run.code, Some(10));
        assert!(run.stderr.contains("update relay"), "{}", run.stderr);
    }
    assert_eq!(world.hook("codex", &world.event(BOB, "b", "Stop", json!({}))), None);
    assert_eq!(world.snapshot(), before);
}

#[test]
fn a_session_relay_home_is_imported_once() {
    let world = World::new();
    let home = world.store();
    std::fs::create_dir_all(home.join("mailbox")).unwrap();
    std::fs::create_dir_all(home.join("markers")).unwrap();
    std::fs::create_dir(home.join(".lock")).unwrap();
    let odd = "../../etc/passwd";
    let registry = json!({
        "agents": {
            ALICE: {"id": ALICE, "name": "alice", "dir": "/w/a", "tool": "claude", "lastSeen": "2026-07-01T10:00:00.000Z"},
            BOB: {"id": BOB, "name": "no such name!", "dir": null, "tool": "codex", "lastSeen": "x"},
            odd: {"id": odd, "name": null, "dir": "/w/c", "lastSeen": "2026-07-01T10:00:00.000Z"},
        },
        "names": {"alice": ALICE}
    });
    std::fs::write(home.join("registry.json"), registry.to_string()).unwrap();
    let line = |to: &str, body: &str| {
        json!({"id": "u", "ts": "2026-07-01T10:00:00.000Z", "from": null, "fromName": "cli", "to": to, "toName": null, "body": body})
            .to_string()
    };
    std::fs::write(home.join("mailbox").join(format!("{ALICE}.jsonl")), line(ALICE, "old mail") + "\n{torn")
        .unwrap();
    std::fs::write(home.join("mailbox/..-..-etc-passwd.jsonl"), line(odd, "odd mail") + "\n").unwrap();
    assert_eq!(world.pending("alice"), ["old mail"]);
    assert_eq!(world.pending(odd), ["odd mail"]);
    assert_eq!(world.json(&["list", "--json"]).as_array().unwrap().len(), 3);
    assert!(home.join("legacy/registry.json").exists() && !home.join("registry.json").exists());
    world.ok(&["send", "alice", "--", "new mail"]);
    assert_eq!(world.drain("alice"), ["old mail", "new mail"]);
    assert_eq!(world.pending("alice"), Vec::<String>::new());
}

#[test]
fn a_busy_lock_is_named_with_its_holder_within_the_limit() {
    let world = World::with_alice_and_bob();
    let lock = std::fs::File::options().write(true).open(world.session(BOB).join("lock")).unwrap();
    lock.lock().unwrap();
    let run = world.run(&["send", "bob", "--", "x"]);
    assert_eq!(run.code, Some(8));
    assert!(
        run.stderr.contains("lock") && run.stderr.contains(&std::process::id().to_string()),
        "{}",
        run.stderr
    );
    drop(lock);
    world.ok(&["send", "bob", "--", "x"]);
}

#[test]
fn without_a_home_nothing_is_written_anywhere() {
    let world = World::new();
    let mut command = world.command(&["send", "--id", ALICE, "--", "x"]);
    let run = harness::Run::of(command.env_remove("HOME").output().unwrap());
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("neither AGENT_RELAY_HOME nor HOME"), "{}", run.stderr);
    assert_eq!(std::fs::read_dir(world.home()).unwrap().count(), 0);
}

#[test]
fn doctor_tells_of_mail_that_nobody_may_ever_read() {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "--id", "99999999-9999-4999-8999-999999999999", "--", "x"]);
    assert!(world.ok(&["doctor"]).contains("no host has announced"));
}

#[test]
fn a_long_list_shows_people_what_runs_and_what_was_active_last() {
    let world = World::with_alice_and_bob();
    let key = |number: usize| format!("{number:08x}-0000-4000-8000-000000000000");
    let record = std::fs::read_to_string(world.session(BOB).join("info.json")).unwrap();
    let mut record: serde_json::Value = serde_json::from_str(&record).unwrap();
    record.as_object_mut().unwrap().remove("process");
    for number in 0..600 {
        std::fs::create_dir(world.session(&key(number))).unwrap();
        record["id"] = key(number).into();
        record["name"] = format!("old-{number}").into();
        std::fs::write(world.session(&key(number)).join("info.json"), record.to_string()).unwrap();
    }
    world.ok(&["send", "--id", &key(7), "--", "mail for an old one"]);
    // Long ago, alice's, too.
    for id in (0..450).map(key).chain([ALICE.to_owned()]) {
        let year_2001 = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        File::open(world.session(&id)).unwrap().set_modified(year_2001).unwrap();
    }
    world.ok(&["send", "--id", &key(7), "--", "and new mail"]);
    let run = world.run(&["list"]);
    let said = "relay: 200 of 602 sessions, those that run and the last active; `relay list --all` shows every one\n";
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), said));
    let shown: Vec<&str> = run.stdout.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!((shown.len(), &shown[..2]), (200, &["alice", "bob"][..]), "live ones first");
    assert!(shown.contains(&"old-7") && (450..600).all(|n| shown.contains(&format!("old-{n}").as_str())));
    let all = world.run(&["list", "--all"]);
    assert_eq!((all.stdout.lines().count(), all.stderr.as_str()), (602, ""));
    assert_eq!(world.json(&["list", "--json"]).as_array().unwrap().len(), 602, "scripts get all");
    assert_eq!(world.ok(&["list", "--names"]).lines().count(), 602);
}

#[cfg(target_os = "linux")] // elsewhere a shell cannot bound the memory
#[test]
fn looking_into_a_long_log_takes_no_more_memory() {
    let world = World::with_alice_and_bob();
    let body = "x".repeat(2048);
    let line = |number: usize| {
        format!(
            "{{\"id\":\"m{number}\",\"to\":\"{BOB}\",\"ts\":\"2026-01-01T00:00:00Z\",\"from\":\"{ALICE}\",\"body\":\"{body}\"}}\n"
        )
    };
    let log: String = (0..20_000).map(line).collect();
    std::fs::write(world.session(BOB).join("mail.jsonl"), &log).unwrap();
    let within_32_mib_given = |arguments: &[&str], input: &str| {
        let mut shell = std::process::Command::new("sh");
        shell
            .args(["-c", "ulimit -v 32768 && exec \"$@\"", "sh", env!("CARGO_BIN_EXE_relay")])
            .args(arguments);
        world.seal(&mut shell);
        shell.stdin(std::process::Stdio::piped());
        let run = harness::Run::of(feed(&mut shell, input.as_bytes()));
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        run.stdout
    };
    let within_32_mib = |arguments: &[&str]| within_32_mib_given(arguments, "");
    let read_up_to = |offset: usize| {
        let cursor = format!("{{\"consumed\":{offset}}}\n");
        std::fs::write(world.session(BOB).join("cursor.json"), cursor).unwrap();
    };
    for consumed in [0, log.len()] {
        read_up_to(consumed);
        assert!(within_32_mib(&["log", "--limit", "1", "bob"]).contains("m19999"));
        assert!(within_32_mib(&["log", "--message", "m19998", "bob"]).starts_with("xxx"));
        assert!(within_32_mib(&["log", "--thread", "m19997"]).contains("m19997"));
        assert!(within_32_mib(&["status", "m19996"]).contains("sent "));
        assert_eq!(within_32_mib(&["peek", "bob"]).contains("\"m0\""), consumed == 0);
        assert!(within_32_mib(&["doctor"]).contains("none damaged"));
        assert!(within_32_mib(&["gc", "--dry"]).contains("trim") || consumed == 0);
    }
    read_up_to(0);
    let event =
        json!({"session_id": BOB, "cwd": "/", "hook_event_name": "UserPromptSubmit", "prompt": "go on"});
    let shown = within_32_mib_given(&["hook", "codex"], &event.to_string());
    assert!(shown.contains("id m0") && shown.contains("or more further messages waiting"), "{shown}");
    read_up_to(0);
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "inbox", "arguments": {}, "_meta": {"sessionId": BOB}}});
    let initialize = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}});
    let answers = within_32_mib_given(&["bus"], &format!("{initialize}\n{call}\n"));
    assert!(answers.contains("m0") && answers.contains("waiting"), "{answers}");
}
