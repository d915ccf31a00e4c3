//! A client of the bus: lines in, answers out.

use std::process::Stdio;

use serde_json::{Value, json};

use super::{World, feed};

pub const M: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

pub const LEGACY: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

pub const PING: &str = r#"{"jsonrpc":"2.0","id":"alive","method":"ping"}"#;

pub fn init(revision: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{"protocolVersion":"{revision}","capabilities":{{}},"clientInfo":{{"name":"t","version":"1"}}}}}}"#
    )
}

pub fn call(id: u64, tool: &str, arguments: Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}).to_string()
}

/// What the bus prints for these lines: raw, one string a line. It must live to
/// the end and leave quietly.
pub fn raw(world: &World, input: &[u8]) -> Vec<String> {
    let mut command = world.command(&["bus"]);
    let output = feed(command.env("RELAY_PROJECT_DIR", world.project("a")).stdin(Stdio::piped()), input);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(str::to_owned).collect()
}

pub fn bus(lines: &[&str]) -> Vec<Value> {
    let world = World::new();
    let answers = raw(&world, format!("{}\n", lines.join("\n")).as_bytes());
    answers.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub fn one(line: &str) -> Value {
    let answers = bus(&[line]);
    assert_eq!(answers.len(), 1, "{line}: {answers:?}");
    answers.into_iter().next().unwrap()
}

pub fn code(answer: &Value) -> i64 {
    answer["error"]["code"].as_i64().unwrap_or_else(|| panic!("an error: {answer}"))
}

pub fn tool_json(answer: &Value) -> Value {
    let text = answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"));
    serde_json::from_str(text).unwrap_or_else(|_| panic!("{text}"))
}
