//! Resuming sessions: one at a time, here, in the background, and by itself.
//! The host is a small script that says how it was called.

mod harness;

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use harness::World;
use harness::homes::script;
use harness::waiters::{Started, asleep, wait_for};

const CAROL: &str = "33333333-3333-4333-8333-3333333ccccc";

/// A world with the sleeping Claude Code session carol.
fn with_carol() -> World {
    let world = World::new();
    let bin = world.project("bin");
    // It runs for as long as the file `busy` is there.
    let busy = "echo \"called: $*\"\necho \"in: $PWD, as ${CLAUDE_CODE_SESSION_ID-nobody}\"\necho trouble >&2\n\
                  while [ -e \"$HOME/busy\" ]; do sleep 0.02; done\nexit \"$(cat \"$HOME/code\" 2>/dev/null || echo 0)\"";
    script(&bin.join("claude"), busy);
    let world = world.with("PATH", &format!("{}:/usr/bin:/bin", bin.display()));
    let folder = world.project("c");
    world.ok(&["register", "carol", "--id", CAROL, "--tool", "claude", "--dir", folder.to_str().unwrap()]);
    world
}

fn set(world: &World, name: &str, content: &str) {
    std::fs::write(world.home().join(name), content).unwrap();
}

/// The run's token, from what `wake --detach` printed.
fn token(printed: &str) -> String {
    printed.trim().rsplit(' ').next().unwrap().to_owned()
}

#[test]
fn a_detached_run_goes_on_and_its_output_is_kept() {
    let world = with_carol();
    set(&world, "busy", "");
    set(&world, "code", "7");
    let run = token(&world.ok(&["wake", "carol", "--detach", "--", "--go on"]));
    wait_for("the program runs", || world.ok(&["log", "--run", &run]).contains("trouble"));
    let second = world.run(&["wake", "carol"]);
    assert_eq!((second.code, second.stderr.contains("live")), (Some(3), true), "{}", second.stderr);
    assert_eq!(world.run(&["wake", "carol", "--detach"]).code, Some(3));
    assert_eq!(world.run(&["attach", "carol"]).code, Some(3));
    std::fs::remove_file(world.home().join("busy")).unwrap();
    wait_for("the run ends", || world.ok(&["log", "--run", &run]).contains("ended with exit code 7"));
    let output = world.ok(&["log", "--run", &run]);
    assert!(output.contains("--resume") && output.contains("-- --go on\n"), "{output}");
    assert!(output.contains("/c, as nobody\n"), "{output}");
    assert_eq!(world.run(&["wake", "carol"]).code, Some(7), "then it can be woken again");
}

/// Wakes carol in the background and waits for the end. Returns the run's token.
fn detached_to_its_end(world: &World) -> String {
    let run = token(&world.ok(&["wake", "carol", "--detach"]));
    wait_for("the run ends", || world.ok(&["log", "--run", &run]).contains("ended with"));
    run
}

#[test]
fn a_detached_run_keeps_a_bounded_output() {
    let world = with_carol();
    script(&world.home().join("bin/claude"), "head -c 1000000 /dev/zero | tr '\\0' x");
    let run = detached_to_its_end(&world);
    let output = world.ok(&["log", "--run", &run]);
    assert!(output.len() < 270_000 && output.contains("737856 bytes more were not kept"), "{}", output.len());
    let runs: Vec<String> = (0..9)
        .map(|_| {
            let run = detached_to_its_end(&world);
            wait_for("its lock is free", || {
                world.json(&["wake", "carol", "--dry"])["live"] == false && !locked(&world)
            });
            run
        })
        .collect();
    let gone = world.run(&["log", "--run", &runs[0]]);
    assert_eq!((gone.code, gone.stderr.contains("last 8")), (Some(4), true), "{}", gone.stderr);
    world.ok(&["log", "--run", &runs[1]]);
    for bad in ["x", "../../etc/passwd", &format!("{}.../x", &runs[1][..36])] {
        assert_eq!(world.run(&["log", "--run", bad]).code, Some(4), "{bad}");
    }
}

fn locked(world: &World) -> bool {
    let lock = std::fs::File::open(world.session(CAROL).join("resume")).unwrap();
    lock.try_lock().is_err()
}

#[test]
fn what_cannot_be_started_is_said_at_once() {
    let world = with_carol();
    std::fs::remove_file(world.home().join("bin/claude")).unwrap();
    let run = world.run(&["wake", "carol"]);
    assert_eq!((run.code, run.stderr.contains("'claude'")), (Some(4), true), "{}", run.stderr);
    std::fs::remove_dir(world.home().join("c")).unwrap();
    let run = world.run(&["wake", "carol", "--detach"]);
    assert_eq!((run.code, run.stderr.contains("--dir")), (Some(4), true), "{}", run.stderr);
}

#[test]
fn attach_opens_the_session_in_this_terminal() {
    let world = with_carol();
    script(&world.home().join("bin/claude"), "echo \"called: $*\"\ncat\nexit 2");
    let run = world.run_with_input(&["attach", "carol"], b"typed\n");
    assert_eq!(run.stdout, format!("called: --resume {CAROL}\ntyped\n"));
    assert_eq!(run.code, Some(1), "2 is never passed on");
    let plain = world.json(&["wake", "carol", "--dry"])["args"].clone();
    assert_eq!(world.json(&["wake", "carol", "--dry", "--", " "])["args"], plain, "an empty message is none");
    assert!(world.ok(&["attach", "carol", "--dry"]).contains(r#""args":["--resume","#));
}

#[test]
fn a_run_ends_with_its_program_whatever_that_leaves_running() {
    let world = with_carol();
    script(&world.home().join("bin/claude"), "echo begun\nsleep 40 &");
    let output = world.ok(&["log", "--run", &detached_to_its_end(&world)]);
    assert!(output.contains("begun") && output.contains("ended with exit code 0"), "{output}");
    world.ok(&["wake", "carol", "--detach"]);
}

#[test]
fn watch_wakes_only_whom_its_user_gave_it() {
    let world = with_carol();
    let refused = world.run(&["watch", "carol"]);
    assert_eq!((refused.code, refused.stderr.contains("--wake on")), (Some(64), true), "{}", refused.stderr);
    world.ok(&["register", "carol", "--wake", "on"]);
    world.ok(&["send", "carol", "--", "before the watch"]);
    let mut command = world.command(&["watch", "carol"]);
    let mut child = Started(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
    let woken = lines.next().unwrap().unwrap();
    assert!(woken.contains("woke carol for 1 message from cli"), "{woken}");
    let run = token(&woken);
    wait_for("it ran", || world.ok(&["log", "--run", &run]).contains("ended with exit code 0"));
    assert_eq!(world.drain("carol"), ["before the watch"]);
    world.ok(&["send", "carol", "--", "during the watch"]);
    let woken = lines.next().unwrap().unwrap();
    assert!(woken.contains("woke carol for 1 message"), "{woken}");
    world.ok(&["register", "carol", "--wake", "off"]);
    world.drain("carol");
    world.ok(&["send", "carol", "--", "no more"]);
    let refused = lines.next().unwrap().unwrap();
    assert!(refused.contains("must not be woken"), "{refused}");
    assert!(lines.next().is_none(), "it is said once, and there is nobody left to watch");
    assert!(child.0.wait().unwrap().success());
}

#[test]
fn watch_keeps_quiet_hours() {
    let world = with_carol();
    world.ok(&["register", "carol", "--wake", "on"]);
    assert_eq!(world.run(&["watch", "carol", "--quiet", "25-3"]).code, Some(64));
    let hour = std::process::Command::new("date").arg("+%H").env_clear().output().unwrap().stdout;
    let hour: u32 = String::from_utf8(hour).unwrap().trim().parse().unwrap();
    let quiet = format!("{hour}-{}", (hour + 2) % 24);
    world.ok(&["send", "carol", "--", "at night"]);
    let mut command = world.command(&["watch", "--quiet", &quiet, "carol"]);
    let child = Started(command.stdout(Stdio::piped()).spawn().unwrap());
    asleep(&child.0);
    assert!(!world.session(CAROL).join("rings.json").exists() && !world.session(CAROL).join("runs").exists());
}

#[test]
fn a_host_that_outlives_its_waker_keeps_the_session_live() {
    let world = with_carol();
    set(&world, "busy", "");
    let mut waker = Started(world.command(&["wake", "carol"]).stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(waker.0.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("called"));
    wait_for("it is noted", || world.json(&["wake", "carol", "--dry"])["live"] == true);
    waker.0.kill().unwrap();
    waker.0.wait().unwrap();
    assert_eq!(world.run(&["wake", "carol"]).code, Some(3), "its host still runs");
    std::fs::remove_file(world.home().join("busy")).unwrap();
    wait_for("the host ends", || world.json(&["wake", "carol", "--dry"])["live"] == false);
    assert_eq!(world.run(&["wake", "carol"]).code, Some(0));
}

#[test]
fn a_host_that_is_not_installed_is_neither_started_nor_counted() {
    let world = with_carol();
    std::fs::remove_file(world.home().join("bin/claude")).unwrap();
    let run = world.run(&["wake", "carol", "--detach"]);
    assert_eq!((run.code, run.stderr.contains("'claude'")), (Some(4), true), "{}", run.stderr);
    world.ok(&["register", "carol", "--wake", "on"]);
    world.ok(&["send", "carol", "--", "hello"]);
    let mut child = Started(world.command(&["watch", "carol"]).stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
    let said = lines.next().unwrap().unwrap();
    assert!(said.contains("no program 'claude'"), "{said}");
    assert!(!world.session(CAROL).join("rings.json").exists(), "nobody was woken");
}

#[test]
fn watch_wakes_for_mail_that_a_dead_reader_had() {
    let world = with_carol();
    world.ok(&["register", "carol", "--wake", "on"]);
    world.ok(&["send", "carol", "--", "hello"]);
    world.ok(&["inbox", "carol", "--hold", "600"]);
    // The reader is dead: its process never was.
    let path = world.session(CAROL).join("cursor.json");
    let cursor: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let mut hold = cursor["hold"].clone();
    hold["process"] = "999999999-1".into();
    std::fs::write(&path, serde_json::json!({"consumed": 0, "hold": hold}).to_string() + "\n").unwrap();
    assert_eq!(world.pending("carol"), ["hello"]);
    let mut child = Started(world.command(&["watch", "carol"]).stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
    let woken = lines.next().unwrap().unwrap();
    assert!(woken.contains("woke carol for 1 message"), "{woken}");
}

/// Claude Code's own record of a process that runs a session.
fn note_running(folder: &std::path::Path, pid: u32, start: &str, session: &str) {
    std::fs::create_dir_all(folder).unwrap();
    let record = serde_json::json!({"pid": pid, "sessionId": session, "procStart": start, "status": "busy"});
    std::fs::write(folder.join(format!("{pid}.json")), record.to_string()).unwrap();
}

/// Field 22 of proc(5)'s stat.
fn start_time(pid: u32) -> String {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().to_owned()
}

#[test]
fn a_live_session_that_relay_has_not_met_is_left_alone() {
    const DAVE: &str = "44444444-4444-4444-8444-4444444ddddd";
    let elsewhere = tempfile::TempDir::new().unwrap();
    let settings = elsewhere.path().to_str().unwrap().to_owned();
    for (world, folder) in [
        (with_carol(), None),
        (with_carol().with("CLAUDE_CONFIG_DIR", &settings), Some(elsewhere.path().join("sessions"))),
    ] {
        let records = folder.unwrap_or_else(|| world.home().join(".claude/sessions"));
        let own = std::process::id();
        let dir = world.project("c");
        let wake =
            |id: &str| world.run(&["wake", "--id", id, "--tool", "claude", "--dir", dir.to_str().unwrap()]);
        // What makes no sense, and what tells of a process that has ended, is nothing.
        note_running(&records, own, "1", DAVE);
        note_running(&records, 999_999_999, "1", DAVE);
        std::fs::write(records.join("1.json"), "no record").unwrap();
        std::fs::write(records.join("2.json"), vec![b' '; 100_000]).unwrap();
        std::os::unix::fs::symlink("/dev/zero", records.join("3.json")).unwrap();
        assert_eq!(wake(DAVE).code, Some(0));
        note_running(&records, own, &start_time(own), DAVE);
        for refused in [wake(DAVE), world.run(&["attach", "--id", DAVE, "--dir", dir.to_str().unwrap()])] {
            assert_eq!(
                (refused.code, refused.stderr.contains("is live")),
                (Some(3), true),
                "{}",
                refused.stderr
            );
        }
        assert_eq!(wake(CAROL).code, Some(0), "another session");
        // One that relay knows, asleep as far as its hooks have seen.
        note_running(&records, own, &start_time(own), CAROL);
        assert_eq!(world.run(&["wake", "carol"]).code, Some(3));
        assert_eq!(world.json(&["wake", "carol", "--dry"])["live"], true);
    }
}

#[test]
fn watch_says_nothing_while_the_host_itself_runs_the_session() {
    let world = with_carol();
    world.ok(&["register", "carol", "--wake", "on"]);
    world.ok(&["send", "carol", "--", "hello"]);
    let records = world.home().join(".claude/sessions");
    note_running(&records, std::process::id(), &start_time(std::process::id()), CAROL);
    let mut child = Started(world.command(&["watch", "carol"]).stdout(Stdio::piped()).spawn().unwrap());
    asleep(&child.0);
    assert!(!world.session(CAROL).join("rings.json").exists(), "nobody was woken");
    std::fs::remove_dir_all(records).unwrap();
    let woken = BufReader::new(child.0.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    assert!(woken.contains("woke carol for 1 message"), "{woken}");
}
