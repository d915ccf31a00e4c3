//! Pulling the plug: SIGKILL at every system call, and every fault of the seam
//! at every step that changes a file. After each, nothing accepted is lost,
//! nothing is torn, nothing comes twice unmarked, and the next command works.

#[path = "crash/after.rs"]
mod after;
#[path = "crash/before.rs"]
mod before;
#[path = "crash/cases.rs"]
mod cases;
mod harness;

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use cases::{Case, cases};
use harness::{Run, World, feed};

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
                let world = if action == "lose" { world.restarted() } else { world };
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
