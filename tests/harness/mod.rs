//! A sealed world for one test: an empty home, the real binary, no inherited
//! environment. The test process plays the agent host.
#![allow(dead_code)]

pub mod homes;
pub mod waiters;
pub mod wire;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

pub const ALICE: &str = "11111111-1111-4111-8111-1111111aaaaa";
pub const BOB: &str = "22222222-2222-4222-8222-2222222bbbbb";

/// A home with nothing in it, and relay to run there.
pub struct World {
    home: TempDir,
    variables: Vec<(String, String)>,
}

/// What a run of relay did.
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl World {
    pub fn new() -> World {
        World { home: TempDir::new().unwrap(), variables: Vec::new() }
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The store's folder.
    pub fn store(&self) -> PathBuf {
        self.home().join(".agent-relay")
    }

    /// The folder of a session.
    pub fn session(&self, id: &str) -> PathBuf {
        self.store().join("sessions").join(id)
    }

    /// A project folder below the home.
    pub fn project(&self, name: &str) -> PathBuf {
        let path = self.home().join(name);
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    /// Sets a variable for every run from here on.
    pub fn with(mut self, name: &str, value: &str) -> World {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// For every run from here on, the machine has just started.
    pub fn restarted(self) -> World {
        self.with("RELAY_FAULT", "restarted:0")
    }

    /// A command that runs relay here.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_relay"));
        self.seal(&mut command);
        command.args(arguments);
        command
    }

    /// Gives a command this world's environment and nothing else.
    pub fn seal(&self, command: &mut Command) {
        command.env_clear().env("HOME", self.home()).env("PATH", "/usr/local/bin:/usr/bin:/bin");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.home()).stdin(Stdio::null());
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.command(arguments).output().unwrap())
    }

    /// Runs relay and expects success.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let run = self.run(arguments);
        assert_eq!(run.code, Some(0), "relay {arguments:?}: {}", run.stderr);
        run.stdout
    }

    /// Runs relay, expects success and reads its JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let text = self.ok(arguments);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    pub fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Run {
        Run::of(feed(self.command(arguments).stdin(Stdio::piped()), input))
    }

    /// Hands an event to `relay hook` as this test's process's session. Checks
    /// what every hook call owes its host.
    pub fn hook(&self, host: &str, event: &Value) -> Option<Value> {
        let run = self.run_with_input(&["hook", host], event.to_string().as_bytes());
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "a hook exits 0 and is silent");
        if run.stdout.is_empty() { None } else { Some(serde_json::from_str(&run.stdout).unwrap()) }
    }

    /// An event of a session in the project folder `folder`.
    pub fn event(&self, session: &str, folder: &str, name: &str, more: Value) -> Value {
        let mut event = json!({
            "session_id": session,
            "transcript_path": null,
            "cwd": self.project(folder),
            "hook_event_name": name,
        });
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event
    }

    /// The session starts; nothing is expected to be said.
    pub fn start(&self, host: &str, session: &str, folder: &str, name: &str) {
        let event = self.event(session, folder, "SessionStart", json!({"source": "startup"}));
        assert_eq!(self.hook(host, &event), None);
        self.ok(&["register", name, "--id", session]);
    }

    /// Two sessions, `alice` (Claude Code) and `bob` (Codex), each in its folder.
    pub fn with_alice_and_bob() -> World {
        let world = World::new();
        world.start("claude", ALICE, "a", "alice");
        world.start("codex", BOB, "b", "bob");
        world
    }

    /// The bodies that wait for `who`.
    pub fn pending(&self, who: &str) -> Vec<String> {
        bodies(&self.json(&["peek", who]))
    }

    /// Takes the mail of `who` and gives the bodies.
    pub fn drain(&self, who: &str) -> Vec<String> {
        bodies(&self.json(&["inbox", who]))
    }

    /// Every file below the store with its content: equal before and after
    /// means nothing was written.
    pub fn snapshot(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        collect_files(&self.store(), &mut files);
        files.sort();
        files
    }
}

impl Run {
    pub fn of(output: Output) -> Run {
        Run {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Starts a command, feeds its stdin and waits for its end.
pub fn feed(command: &mut Command, input: &[u8]) -> Output {
    let mut child: Child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

pub fn bodies(mail: &Value) -> Vec<String> {
    mail["messages"].as_array().unwrap().iter().map(|m| m["body"].as_str().unwrap().to_owned()).collect()
}

/// The text that a hook put before the model.
pub fn injected(output: Option<Value>) -> String {
    let output = output.expect("the hook says something");
    let text = output["hookSpecificOutput"]["additionalContext"].as_str().or(output["reason"].as_str());
    let text = text.or(output["additionalContext"].as_str());
    text.expect("a form that hosts read").to_owned()
}

fn collect_files(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_files(&path, files);
        } else {
            files.push((path.clone(), std::fs::read(&path).unwrap()));
        }
    }
}
