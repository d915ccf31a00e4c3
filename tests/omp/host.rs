//! omp, played by node: it loads the extension, and takes steps to play.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::harness::{World, feed};

pub const ONE: &str = "01a1fc69-f66b-7267-9a72-a8884d17fec1";
pub const TWO: &str = "01a1fc69-f66b-7267-9a72-a8884d17fec2";

/// The host: loads the extension, plays the steps on its stdin one by one, and
/// prints what each gave. `$name` in a step is what that earlier step gave.
const HOST: &str = r#"
import { createConnection } from "node:net"
import { execFileSync } from "node:child_process"
import { readdirSync } from "node:fs"
import { tmpdir } from "node:os"
const [, , extension, relay] = process.argv
const bound = {}, said = []
// A binding for the session that a person talks to, and one for each subagent.
async function bind({ file, agent } = {}) {
  const name = file?.includes("Side") || agent ? (file ?? "clone") : "main"
  if (bound[name]) return bound[name]
  const handlers = {}, tools = {}
  const pi = { on: (event, run) => (handlers[event] = run), registerTool: (tool) => (tools[tool.name] = tool) }
  pi.sendMessage = (message, options) => said.push({ ...message, ...options })
  await (await import(extension)).default(pi)
  return (bound[name] = { handlers, tools })
}
const context = ({ id, file, agent, cwd, idle = true }) => ({
  sessionManager: { getSessionId: () => id, getSessionFile: () => file }, agent, cwd,
  isIdle: () => idle, hasPendingMessages: () => false })
async function ring(line) {
  const folder = `${tmpdir()}/relay-omp-${process.getuid()}`
  const [door] = readdirSync(folder)
  const caller = createConnection(`${folder}/${door}`).on("error", () => {}) // a line too long is refused
  await new Promise((done) => caller.on("close", done).end(line))
}
async function play({ on, call, run, rung, tools: wanted, ...more }) {
  const { handlers, tools } = await bind(more.at)
  if (on) return await handlers[on]({ type: on, ...more.event }, more.broken ? undefined : context(more.at))
  if (call) return await tools[call].execute("c1", more.given, undefined, undefined, context(more.at))
  if (run) return execFileSync(relay, run, { encoding: "utf8" })
  if (rung) return await ring(typeof rung === "string" ? rung : JSON.stringify(rung) + "\n")
  if (wanted) return Object.values(tools).map(({ execute, ...tool }) => tool)
  return said
}
let input = ""
for await (const part of process.stdin) input += part
const gave = []
for (const step of JSON.parse(input)) gave.push((await play(step)) ?? null)
console.log(JSON.stringify(gave))
process.exit(0)
"#;

/// A world where `relay install omp` was run and node can play the host;
/// `None`: there is no node here.
pub fn with_omp() -> Option<World> {
    let world = World::new();
    if world_command(&world, "node").arg("--version").output().is_err() {
        eprintln!("skipped: node is not installed");
        return None;
    }
    world.project(".omp/agent");
    world.project("app");
    let temporary = world.project("tmp");
    let world = world.with("TMPDIR", temporary.to_str().unwrap());
    world.ok(&["install", "omp"]);
    Some(world)
}

pub fn world_command(world: &World, program: &str) -> Command {
    let mut command = Command::new(program);
    world.seal(&mut command);
    command
}

pub fn extension(world: &World) -> PathBuf {
    world.home().join(".omp/agent/extensions/relay.js")
}

/// Plays the steps in one process, with the extension's text changed so.
pub fn play_changed(world: &World, steps: Value, change: impl Fn(String) -> String) -> Vec<Value> {
    let text = change(std::fs::read_to_string(extension(world)).unwrap());
    let (host, module) = (world.home().join("host.mjs"), world.home().join("relay.mjs"));
    std::fs::write(&host, HOST).unwrap();
    std::fs::write(&module, text).unwrap();
    let mut command = world_command(world, "node");
    command.arg(&host).arg(&module).arg(env!("CARGO_BIN_EXE_relay"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = feed(&mut command, steps.to_string().as_bytes());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

pub fn play(world: &World, steps: Value) -> Vec<Value> {
    play_changed(world, steps, |text| text)
}

/// Where a session is: its file lies where omp keeps them.
pub fn at(world: &World, id: &str) -> Value {
    let file = world.home().join(format!(".omp/agent/sessions/-app/2026-11-21T04-42-45-227Z_{id}.jsonl"));
    json!({"id": id, "file": file, "cwd": world.home().join("app")})
}

/// A subagent of that session.
pub fn below(world: &World, id: &str) -> Value {
    let folder = format!(".omp/agent/sessions/-app/2026-11-21T04-42-45-227Z_{id}/Side.jsonl");
    json!({"id": TWO, "file": world.home().join(folder), "cwd": world.home().join("app")})
}

pub fn send(id: &str, body: &str) -> Value {
    json!({"run": ["send", "--id", id, "--", body]})
}

pub fn prompt(at: &Value, words: &str) -> Value {
    json!({"on": "before_agent_start", "event": {"prompt": words}, "at": at})
}

pub fn on(event: &str, at: &Value) -> Value {
    json!({"on": event, "event": {}, "at": at})
}

/// The host runs a tool; `known` to the loop, or called by a program.
pub fn tool(at: &Value, known: bool, id: &str) -> Vec<Value> {
    let started =
        json!({"on": "tool_execution_start", "event": {"toolCallId": id, "toolName": "bash"}, "at": at});
    let event = json!({"toolCallId": id, "toolName": "bash", "isError": true, "content": [{"type": "text", "text": "out"}]});
    let result = json!({"on": "tool_result", "event": event, "at": at});
    if known { vec![started, result] } else { vec![result] }
}

pub fn stop(at: &Value, turn: u64) -> Value {
    json!({"on": "session_stop", "at": at, "event": {"turn_id": turn, "last_assistant_message": {"timestamp": turn}}})
}

/// A turn's end that always says the same, so that a test can say it back.
pub fn with_one_reason(text: String) -> String {
    let parse = "const answer = JSON.parse(printed)";
    text.replace(parse, &format!("{parse}; if (answer.reason) answer.reason = 'REASON'"))
}

pub fn has(given: &Value, body: &str) -> bool {
    given.to_string().contains(&format!("| {body}\\n"))
}
