//! opencode: its plugin's events, and one process that runs several sessions.

mod harness;

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use harness::{World, feed, injected};
use serde_json::{Value, json};

const ONE: &str = "ses_e0427901dffeTINq23G4aU5Qh1";
const TWO: &str = "ses_e04279011ffevwMiwWXl4q82tb";

/// Two sessions of this test's process, in one directory, with a name each.
fn two_sessions() -> World {
    let world = World::new();
    world.start("opencode", ONE, "app", "one");
    world.start("opencode", TWO, "app", "two");
    world
}

/// What the bus of the two sessions' directory answers to one tool call.
fn call(world: &World, host_variable: &str, tool: &str, arguments: Value) -> String {
    let init = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}});
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}});
    let mut command = world.command(&["bus"]);
    command.env(host_variable, "1").env("RELAY_PROJECT_DIR", world.project("app"));
    let output = feed(command.stdin(Stdio::piped()), format!("{init}\n{call}\n").as_bytes());
    let text = String::from_utf8(output.stdout).unwrap();
    let answer: Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    answer["result"]["content"][0]["text"].as_str().unwrap().to_owned()
}

#[test]
fn mail_is_shown_at_every_recorded_event_but_the_end() {
    let mut names = Vec::new();
    for entry in std::fs::read_dir("tests/fixtures/hooks").unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if !name.starts_with("opencode-") {
            continue;
        }
        let event: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let (world, session) = (World::new(), event["session_id"].as_str().unwrap());
        world.ok(&["send", "--id", session, "--", "hello"]);
        let output = world.hook("opencode", &event);
        match event["hook_event_name"] == "SessionEnd" {
            true => assert_eq!(output, None, "{name}"),
            false => assert!(injected(output).contains("| hello\n"), "{name}"),
        }
        names.push(name);
    }
    assert_eq!(names.len(), 6, "{names:?}");
}

#[test]
fn one_process_and_directory_do_not_tell_which_session_calls() {
    let world = two_sessions();
    let answer = call(&world, "OPENCODE", "whoami", json!({}));
    assert!(answer.contains("\"registered\":false") && answer.contains("one or two"), "{answer}");
    let answer = call(&world, "OPENCODE", "send", json!({"to": "one", "body": "x"}));
    assert!(answer.contains("cannot tell"), "{answer}");
    assert!(world.pending("one").is_empty());
}

#[test]
fn the_plugin_names_the_session_of_each_call() {
    let world = two_sessions();
    for (session, name) in [(ONE, "one"), (TWO, "two")] {
        let answer = call(&world, "OPENCODE", "whoami", json!({"relay_session": session}));
        assert!(answer.contains(&format!("\"name\":\"{name}\"")), "{answer}");
    }
    call(&world, "OPENCODE", "send", json!({"to": "one", "body": "hi", "relay_session": TWO}));
    assert_eq!(world.json(&["peek", "one"])["messages"][0]["from"], TWO);
}

#[test]
fn a_session_that_this_process_did_not_announce_is_not_believed() {
    let world = two_sessions();
    let elsewhere = "ses_e0420000000000000000000000";
    let event = world.event(elsewhere, "app", "SessionStart", json!({})).to_string();
    let script = "import subprocess,sys; subprocess.run([sys.argv[1],'hook','opencode'],input=sys.argv[2].encode(),check=True)";
    let mut other = Command::new("python3");
    world.seal(&mut other);
    assert!(other.args(["-c", script, env!("CARGO_BIN_EXE_relay"), &event]).status().unwrap().success());
    for claim in [elsewhere, "ses_nobodynobody", "", "../../x"] {
        let answer =
            call(&world, "OPENCODE", "send", json!({"to": "one", "body": "x", "relay_session": claim}));
        assert!(answer.contains("cannot tell"), "{claim}: {answer}");
    }
    // Where the caller is no child of opencode, the argument means nothing.
    let answer = call(&world, "CLAUDECODE", "whoami", json!({"relay_session": ONE}));
    assert!(answer.contains("unknown argument 'relay_session'"), "{answer}");
    world.start("claude", harness::ALICE, "app", "alice");
    let answer = call(&world, "OPENCODE", "whoami", json!({"relay_session": harness::ALICE}));
    assert!(answer.contains("\"registered\":false"), "only a host that speaks so is believed: {answer}");
}

#[test]
fn the_only_live_session_here_may_run_in_another_process() {
    // An agent without hooks, started beside one, or from its shell.
    for (host, session, variable) in [("opencode", ONE, "OPENCODE"), ("claude", harness::ALICE, "CLAUDECODE")]
    {
        let world = World::new();
        let event = world.event(session, "app", "SessionStart", json!({})).to_string();
        let script = "import subprocess,sys; subprocess.run([sys.argv[1],'hook',sys.argv[3]],input=sys.argv[2].encode(),check=True)\n\
                      print('announced', flush=True); sys.stdin.read()";
        let mut other = Command::new("python3");
        world.seal(&mut other);
        other.args(["-c", script, env!("CARGO_BIN_EXE_relay"), &event, host]);
        let mut other = other.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(other.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(world.json(&["list", "--json"])[0]["live"], true);
        let answer = call(&world, variable, "whoami", json!({}));
        assert!(answer.contains("\"registered\":false"), "{host}: {answer}");
        drop(other.stdin.take());
        other.wait().unwrap();
    }
}

#[test]
fn the_shell_of_a_session_is_that_session() {
    let world = two_sessions();
    let whoami = |session: &str| {
        let mut command = world.command(&["whoami", "--json"]);
        command.env("RELAY_PROJECT_DIR", world.project("app")).env("OPENCODE", "1");
        let output = command.env("RELAY_OPENCODE_SESSION", session).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    };
    assert!(whoami(ONE).contains("\"name\":\"one\"") && whoami(TWO).contains("\"name\":\"two\""));
    assert!(whoami("ses_e0420000000000000000000000").contains("cannot tell"), "nobody announced that one");
}

#[test]
fn calls_of_the_bus_keep_no_session_live() {
    let world = two_sessions();
    let ended = world.event(TWO, "app", "SessionEnd", json!({"reason": "deleted"}));
    let mut bus = world.command(&["bus"]);
    bus.env("OPENCODE", "1").env("RELAY_PROJECT_DIR", world.project("app"));
    let mut bus = bus.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "whoami", "arguments": {"relay_session": TWO}, "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}}});
    writeln!(bus.stdin.as_mut().unwrap(), "{request}").unwrap();
    let mut line = String::new();
    BufReader::new(bus.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("two"), "{line}");
    world.hook("opencode", &ended);
    let list = world.json(&["list", "--json"]);
    let two = list.as_array().unwrap().iter().find(|row| row["name"] == "two").unwrap();
    assert_eq!(two["live"], false, "the bus serves on, for the others");
    drop(bus.stdin.take());
    bus.wait().unwrap();
}

/// A world with an `opencode` on its PATH that prints `output` and notes that
/// it ran, and a database that was changed so long ago.
fn with_opencode(output: &str, changed: Option<Duration>) -> World {
    let world = World::new();
    let bin = world.project("bin");
    let program = bin.join("opencode");
    let ran = world.home().join("ran");
    std::fs::write(bin.join("output"), output).unwrap();
    // Not a shell: that would set PWD by itself.
    let script = format!(
        "#!/usr/bin/env python3\nimport os, sys\nwith open({ran:?}, 'w') as ran:\n    \
         ran.write(' '.join(sys.argv[1:]) + '\\n' + ''.join(f'{{n}}={{v}}\\n' for n, v in os.environ.items()))\n\
         sys.stdout.write(open({:?}).read())\n",
        bin.join("output")
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    if let Some(age) = changed {
        let data = world.project(".local/share/opencode");
        let file = std::fs::File::create(data.join("opencode.db")).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", bin.display());
    world.with("PATH", &path).with("OPENCODE_PID", "1")
}

fn row(id: &str, directory: &str) -> Value {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64;
    json!({"id": id, "directory": directory, "title": "t", "time_updated": now - 60_000})
}

#[test]
fn discover_asks_opencode_for_its_sessions() {
    let output =
        json!([row(ONE, "/w/app"), {"id": TWO, "directory": "/w/old", "time_updated": 1_000}, {"id": "--x"}]);
    let world = with_opencode(&output.to_string(), Some(Duration::ZERO));
    let rows = world.json(&["discover", "--json"]);
    assert_eq!(rows.as_array().unwrap().len(), 1, "{rows}");
    assert_eq!((&rows[0]["tool"], &rows[0]["id"]), (&json!("opencode"), &json!(ONE)));
    assert_eq!((&rows[0]["cwd"], &rows[0]["registered"]), (&json!("/w/app"), &json!(false)));
    let ran = std::fs::read_to_string(world.home().join("ran")).unwrap();
    assert!(ran.starts_with("db SELECT ") && !ran.contains("OPENCODE_PID"), "{ran}");
}

#[test]
fn opencode_is_not_started_for_nothing_and_may_print_anything() {
    for age in [None, Some(Duration::from_secs(7_200))] {
        let world = with_opencode("[]", age);
        assert_eq!(world.json(&["discover", "--json"]), json!([]));
        assert!(!world.home().join("ran").exists(), "{age:?}");
    }
    let endless = "x".repeat(1_000_000);
    for output in ["", "[", "Error: no such table", "[[]]", &endless] {
        let world = with_opencode(output, Some(Duration::ZERO));
        assert_eq!(world.json(&["discover", "--json"]), json!([]));
        assert!(world.home().join("ran").exists());
    }
}

#[test]
fn a_woken_opencode_stands_in_the_session_s_directory() {
    let world = with_opencode("{}", None).with("PWD", "/elsewhere").with("OLDPWD", "/before");
    let folder = world.project("app");
    world.ok(&["wake", "--id", ONE, "--tool", "opencode", "--dir", folder.to_str().unwrap(), "--", "-x y"]);
    let ran = std::fs::read_to_string(world.home().join("ran")).unwrap();
    assert!(ran.starts_with(&format!("run --session {ONE} --format json -- -x y\n")), "{ran}");
    assert!(ran.contains(&format!("\nPWD={}\n", folder.display())), "opencode goes by it: {ran}");
    assert!(!ran.contains("OLDPWD=") && !ran.contains("OPENCODE_PID"), "{ran}");
}

#[test]
fn doctor_sees_the_plugin() {
    let world = with_opencode("[]", None);
    let line = || {
        let text = world.run(&["doctor"]).stdout;
        text.lines().find(|line| line.contains("opencode")).unwrap().to_owned()
    };
    assert!(line().contains("not wired"), "{}", line());
    let plugins = world.project(".config/opencode/plugins");
    std::fs::copy("plugins/opencode/relay.js", plugins.join("relay.js")).unwrap();
    assert!(line().contains("its plugin of relay is on"), "{}", line());
}

#[test]
fn the_plugin_needs_nothing_but_the_host() {
    let text = std::fs::read_to_string("plugins/opencode/relay.js").unwrap();
    let imports: Vec<&str> = text.lines().filter(|line| line.starts_with("import ")).collect();
    assert!(imports.iter().all(|line| line.contains(" from \"node:")), "{imports:?}");
    assert_eq!(text.matches("\nexport ").count(), 1, "opencode takes every export for a plugin");
}
