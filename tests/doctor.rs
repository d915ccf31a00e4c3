//! `relay doctor` on the machine below the hosts: locks, the clock, buses of
//! another version. Its findings about hosts are in `install.rs`.

mod harness;

use std::process::{Command, Stdio};

use harness::{ALICE, BOB, World};
use serde_json::{Value, json};

#[test]
fn locks_that_keep_nobody_out_are_a_problem() {
    let world = World::with_alice_and_bob();
    let said = world.ok(&["doctor"]);
    assert!(said.contains("they keep a second writer out"), "{said}");
    // A file system that grants every lock.
    let run = Command::new("strace")
        .args(["-qq", "-f", "-o", "/dev/null", "-e", "trace=flock", "-e", "inject=flock:retval=0"])
        .args([env!("CARGO_BIN_EXE_relay"), "doctor"])
        .env_clear()
        .envs(world.command(&[]).get_envs().filter_map(|(key, value)| Some((key, value?))))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert_eq!(run.status.code(), Some(1), "{said}");
    assert!(said.contains("locks do not work on") && said.contains("set AGENT_RELAY_HOME"), "{said}");
}

#[test]
fn a_clock_that_was_set_back_is_told() {
    let world = World::with_alice_and_bob();
    let said = world.ok(&["doctor"]);
    assert!(said.contains("  clock  ") && !said.contains("was seen"), "{said}");
    let path = world.session(ALICE).join("info.json");
    let record = std::fs::read_to_string(&path).unwrap();
    let value: serde_json::Value = serde_json::from_str(&record).unwrap();
    let seen = value["seen"].as_str().unwrap();
    std::fs::write(&path, record.replace(seen, "2099-01-01T00:00:00.000Z")).unwrap();
    let said = world.ok(&["doctor"]);
    assert!(said.contains("  clock  ") && said.contains("but alice was seen"), "{said}");
}

#[test]
fn a_bus_that_runs_since_before_an_update_is_named() {
    let world = World::new();
    let folder = world.project("x");
    make_pipe(&folder.join("bus"));
    // Any program that waits and says a version, under relay's name.
    let mut old = Command::new("bash")
        .args(["-c", "exec -a relay cat bus"])
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let words = format!("the bus with pid {} is still relay ", old.id());
    // Until bash has become it.
    while !std::fs::read(format!("/proc/{}/cmdline", old.id())).unwrap().starts_with(b"relay\0") {
        std::thread::yield_now();
    }
    let said = world.run(&["doctor"]).stdout;
    old.kill().unwrap();
    old.wait().unwrap();
    assert!(said.contains(&words) && said.contains("start its session anew"), "{said}");
    assert!(!world.run(&["doctor"]).stdout.contains(&words));
}

fn make_pipe(path: &std::path::Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_place_where_no_folder_can_be_made_is_an_error() {
    let world = World::new().with("AGENT_RELAY_HOME", "/proc/none/of it");
    let run = world.run(&["send", "a", "--", "b"]);
    assert_eq!((run.code, run.stderr.contains("/proc/none")), (Some(1), true), "{}", run.stderr);
}

/// What doctor says of one subject, and whether it is a problem.
fn finding(world: &World, subject: &str) -> (String, bool) {
    let list: Value = serde_json::from_str(&world.run(&["doctor", "--json"]).stdout).unwrap();
    let found: Vec<&Value> =
        list.as_array().unwrap().iter().filter(|one| one["subject"] == subject).collect();
    let detail = found.iter().map(|one| one["detail"].as_str().unwrap()).collect::<Vec<_>>().join("\n");
    (detail, found.iter().any(|one| one["grade"] == "PROBLEM"))
}

/// Runs the command that an advice ends with.
fn follow(world: &World, advice: &str, begin: &str) {
    let line = &advice[advice.find(begin).unwrap_or_else(|| panic!("{advice}"))..];
    let mut shell = Command::new("sh");
    world.seal(&mut shell);
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_relay")).parent().unwrap();
    shell.env("PATH", format!("{}:/usr/bin:/bin", folder.display()));
    let output = shell.args(["-c", line]).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Changes a session's record.
fn note(world: &World, id: &str, key: &str, value: &str) {
    let path = world.session(id).join("info.json");
    let mut record: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    record[key] = json!(value);
    std::fs::write(path, record.to_string() + "\n").unwrap();
}

#[test]
fn successors_that_go_in_a_circle_are_named_and_mended() {
    let world = World::with_alice_and_bob();
    world.ok(&["register", "bob", "--id", BOB, "--dir", "/it's/a dir"]);
    world.ok(&["send", "bob", "--", "before"]);
    assert_eq!(finding(&world, "successors"), (String::new(), false));
    note(&world, ALICE, "successor", BOB);
    note(&world, BOB, "successor", ALICE);
    let run = world.run(&["send", "alice", "--", "lost?"]);
    assert!(run.code == Some(1) && run.stderr.contains("run `relay doctor`"), "{}", run.stderr);
    let (detail, is_problem) = finding(&world, "successors");
    assert!(is_problem && detail.lines().count() == 1 && detail.contains(BOB), "{detail}");
    follow(&world, &detail, "rm ");
    world.ok(&["send", "alice", "--", "after"]);
    assert_eq!(world.pending("bob"), ["before", "after"]);
    let bob = &world.json(&["list", "--json"])[0];
    assert_eq!((&bob["tool"], &bob["dir"]), (&json!("codex"), &json!("/it's/a dir")));
    assert_eq!(finding(&world, "successors"), (String::new(), false));
}

#[test]
fn advice_about_a_home_with_a_space_can_be_run() {
    let world = World::new();
    let home = world.project("my store");
    let world = world.with("AGENT_RELAY_HOME", home.to_str().unwrap());
    world.ok(&["register", "bob", "--id", BOB]);
    std::fs::set_permissions(&home, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let (detail, is_problem) = finding(&world, "permissions");
    assert!(is_problem, "{detail}");
    follow(&world, &detail, "chmod ");
    assert!(!finding(&world, "permissions").1);
}

#[test]
fn a_format_that_says_nothing_is_damaged_and_not_newer() {
    let world = World::with_alice_and_bob();
    for text in ["", "\n", "x\u{1b}", "1 1", "-1"] {
        std::fs::write(world.store().join("format"), text).unwrap();
        let run = world.run(&["list"]);
        assert_eq!(run.code, Some(10));
        assert!(run.stderr.contains("is damaged") && !run.stderr.contains("update"), "{}", run.stderr);
        let (detail, is_problem) = finding(&world, "store");
        assert!(is_problem && detail.contains("write 1 into it"), "{detail}");
    }
    std::fs::write(world.store().join("format"), "1").unwrap();
    assert!(world.ok(&["list"]).contains("alice"));
}

#[test]
fn what_cannot_be_read_is_not_called_damaged() {
    let world = World::with_alice_and_bob();
    std::fs::remove_dir_all(world.session(BOB)).unwrap();
    // As little to be opened as a folder without permissions, for anybody.
    std::os::unix::fs::symlink(world.session(BOB), world.session(BOB)).unwrap();
    let (detail, is_problem) = finding(&world, "records");
    assert!(is_problem && detail.contains("cannot read") && detail.contains(BOB), "{detail}");
    assert!(!detail.contains("damaged"), "{detail}");
}

#[test]
fn without_a_home_it_is_said_what_to_do() {
    let world = World::new();
    for verb in [&["list"][..], &["peek", "bob"], &["doctor"]] {
        let run = harness::Run::of(world.command(verb).env_remove("HOME").output().unwrap());
        let said = run.stdout + &run.stderr;
        assert_eq!(run.code, Some(1), "{said}");
        assert!(said.contains("HOME is set; set one of them") && !said.contains("no-home"), "{said}");
    }
}

#[test]
fn mail_in_a_mailbox_that_no_host_reads_is_not_to_be_rung_for() {
    let world = World::new();
    world.ok(&["register", "b", "--id", "scripted"]);
    world.ok(&["send", "b", "--", "x"]);
    let (detail, _) = finding(&world, "mail");
    assert!(detail.ends_with("no host reads; whoever has it reads it with: relay inbox b"), "{detail}");
    follow(&world, &detail, "relay inbox");
    assert_eq!(finding(&world, "mail"), ("none waits".to_owned(), false));
}

#[test]
fn a_retention_that_is_no_number_is_told() {
    let world = World::with_alice_and_bob().with("RELAY_KEEP_MIB", "32");
    assert_eq!(finding(&world, "retention"), (String::new(), false));
    let world = world.with("RELAY_KEEP_DAYS", "365d");
    let (detail, is_problem) = finding(&world, "retention");
    assert!(detail.contains("RELAY_KEEP_DAYS=365d is no whole number") && !is_problem, "{detail}");
}
