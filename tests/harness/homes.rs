//! Homes with agent hosts in them: small scripts play the hosts' programs.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::World;

pub const EVENTS: [&str; 5] = ["SessionStart", "UserPromptSubmit", "PostToolUse", "Stop", "SessionEnd"];

/// Adds its server, removes it and prints it, as Claude Code does.
pub const CLAUDE: &str = r#"case "$2" in
add) printf '{\n  "mcpServers": {"relay": {"command": "%s", "args": ["bus"]}}\n}\n' "$7" >"$HOME/.claude.json" ;;
remove) printf '{\n  "mcpServers": {}\n}\n' >"$HOME/.claude.json" ;;
get) cat "$HOME/.claude.json" ;;
esac"#;

/// A home with both hosts on the PATH, each with its folder.
pub fn with_hosts() -> World {
    let world = World::new();
    let bin = world.project("bin");
    script(&bin.join("claude"), CLAUDE);
    script(&bin.join("codex"), "grep '^command' \"$HOME/.codex/config.toml\"");
    world.project(".claude");
    world.project(".codex");
    world.with("PATH", &format!("{}:/usr/bin:/bin", bin.display()))
}

/// Copies a program that is run then. Another process does it: one that this starts
/// meanwhile would have the copy open for writing, and it could not be run.
pub fn copy_program(from: &str, to: &Path) {
    assert!(std::process::Command::new("cp").arg(from).arg(to).status().unwrap().success());
}

pub fn script(path: &Path, text: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

pub fn read(world: &World, path: &str) -> String {
    std::fs::read_to_string(world.home().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub fn write(world: &World, path: &str, text: &str) -> PathBuf {
    let path = world.home().join(path);
    std::fs::write(&path, text).unwrap();
    path
}

/// Everything below the home but the store: path and content.
pub fn files(world: &World) -> Vec<(PathBuf, Vec<u8>)> {
    fn collect(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with(".agent-relay") {
                collect(&path, found);
            } else if path.is_file() {
                found.push((path.clone(), std::fs::read(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    collect(world.home(), &mut found);
    found.sort();
    found
}

/// Runs relay, which says all of `why` on stderr, ends with 1 and changes no file.
pub fn refused(world: &World, arguments: &[&str], why: &[&str]) {
    let before = files(world);
    let run = world.run(arguments);
    assert_eq!(run.code, Some(1), "{arguments:?}: {}", run.stdout);
    assert!(why.iter().all(|word| run.stderr.contains(word)), "{why:?}: {}", run.stderr);
    assert_eq!(files(world), before, "{arguments:?}: nothing at all was changed");
}

/// The command of each event's only hook group.
pub fn commands(hooks: &str) -> Vec<String> {
    let settings: Value = serde_json::from_str(hooks).unwrap();
    let command = |event: &&str| {
        let groups = settings["hooks"][event].as_array().unwrap();
        let hook = &groups.last().unwrap()["hooks"][0];
        let words = hook["args"].as_array().map_or(String::new(), |args| {
            format!(" {} {}", args[0].as_str().unwrap(), args[1].as_str().unwrap())
        });
        format!("{}{words}", hook["command"].as_str().unwrap())
    };
    EVENTS.iter().map(command).collect()
}
