//! What the real hosts said to their hooks, recorded by the lab and replayed.

mod harness;

use harness::{World, injected};
use serde_json::Value;

/// The recorded events of a host: file name and event.
fn recorded(host: &str) -> Vec<(String, Value)> {
    let mut events: Vec<(String, Value)> = std::fs::read_dir("tests/fixtures/hooks")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path))
        .filter(|(name, _)| name.starts_with(host))
        .map(|(name, path)| (name, serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()))
        .collect();
    events.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(events.len() >= 8, "{host}: {}", events.len());
    events
}

#[test]
fn mail_is_shown_at_every_recorded_event_but_in_subagents_and_at_the_end() {
    for host in ["claude", "codex"] {
        for (name, event) in recorded(host) {
            let world = World::new();
            let session = event["session_id"].as_str().unwrap();
            world.ok(&["send", "--id", session, "--", "hello"]);
            let output = world.hook(host, &event);
            if event.get("agent_id").is_some() || event["hook_event_name"] == "SessionEnd" {
                assert_eq!(output, None, "{name}");
                assert_eq!(world.pending(session), ["hello"], "{name}");
            } else {
                assert!(injected(output).contains("| hello\n"), "{name}");
                let row = world.json(&["list", "--json"])[0].clone();
                assert_eq!(
                    (&row["id"], &row["tool"], &row["live"]),
                    (&session.into(), &host.into(), &true.into())
                );
            }
        }
    }
}

#[test]
fn the_readme_names_the_versions_that_the_lab_runs() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let pins: Value = serde_json::from_slice(&std::fs::read("scripts/lab/hosts.json").unwrap()).unwrap();
    let titles = [
        ("claude", "Claude Code"),
        ("codex", "Codex"),
        ("gemini", "Gemini CLI"),
        ("omp", "omp"),
        ("opencode", "opencode"),
    ];
    for (name, pin) in pins.as_object().unwrap() {
        let title = titles.iter().find(|(known, _)| known == name).unwrap().1;
        let row = format!("| {title} {} |", pin["version"].as_str().unwrap());
        assert!(readme.lines().any(|line| line.starts_with(&row)), "the table of hosts lacks '{row}'");
    }
}
