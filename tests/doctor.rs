//! `relay doctor` on the machine below the hosts: locks, the clock, buses of
//! another version. Its findings about hosts are in `install.rs`.

mod harness;

use std::process::{Command, Stdio};

use harness::{ALICE, World};

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
