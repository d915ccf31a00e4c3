//! Processes of relay that wait, and whoever talks to them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::World;

/// A child that is killed when the test is over.
pub struct Started(pub Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn start(world: &World, arguments: &[&str]) -> (Started, BufReader<ChildStdout>) {
    let mut child = world.command(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (Started(child), output)
}

/// Waits until the condition holds.
pub fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::yield_now();
    }
}

/// Waits until the process sleeps in poll(2): the one place where relay waits.
pub fn asleep(child: &Child) {
    let path = format!("/proc/{}/syscall", child.id());
    wait_for("the process sleeps", || {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let number = text.split_ascii_whitespace().next().unwrap_or_default();
        ["7", "73", "271"].contains(&number) // poll and ppoll on x86-64, ppoll on aarch64
    });
}

/// How often the process has been given the processor so far.
pub fn switches(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let count = |line: &str| line.split_ascii_whitespace().nth(1).unwrap().parse::<u64>().unwrap();
    status.lines().filter(|line| line.contains("ctxt_switches")).map(count).sum()
}

pub fn signal(child: &Child, name: &str) {
    let sent =
        std::process::Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

pub fn answer(output: &mut BufReader<ChildStdout>) -> Value {
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
}

/// A session's bus that is spoken to line by line.
pub struct Bus {
    pub child: Started,
    pub output: BufReader<ChildStdout>,
}

impl Bus {
    pub fn open(world: &World, folder: &str) -> Bus {
        let mut command = world.command(&["bus"]);
        command.env("RELAY_PROJECT_DIR", world.project(folder)).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut bus = Bus { child: Started(child), output };
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        bus.tell(json!({"jsonrpc": "2.0", "id": "init", "method": "initialize", "params": params}));
        assert_eq!(bus.hear()["id"], "init");
        bus
    }

    pub fn tell(&mut self, line: Value) {
        writeln!(self.child.0.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    pub fn hear(&mut self) -> Value {
        answer(&mut self.output)
    }

    pub fn inbox(&mut self, id: u64, wait: u64, token: Option<&str>) {
        let meta = token.map_or(json!({}), |token| json!({"progressToken": token}));
        let params = json!({"name": "inbox", "arguments": {"wait": wait}, "_meta": meta});
        self.tell(json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}));
    }

    pub fn ping(&mut self, id: u64) {
        self.tell(json!({"jsonrpc": "2.0", "id": id, "method": "ping"}));
        assert_eq!(self.hear(), json!({"jsonrpc": "2.0", "id": id, "result": {}}));
    }
}

/// What a tool's result says, as JSON.
pub fn mail(answer: &Value) -> Value {
    serde_json::from_str(answer["result"]["content"][0]["text"].as_str().unwrap()).unwrap()
}
