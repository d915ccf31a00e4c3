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
    for host in ["claude", "codex", "copilot", "gemini", "qwen"] {
        for (name, event) in recorded(host) {
            let world = World::new();
            let session = event["session_id"].as_str().unwrap();
            world.ok(&["send", "--id", session, "--", "hello"]);
            let output = world.hook(host, &event);
            let name_of_event = event["hook_event_name"].as_str().unwrap();
            // What is printed at the start of these does not last.
            let forgets = ["copilot", "gemini", "qwen"].contains(&host) && name_of_event == "SessionStart";
            let silent = name_of_event == "SessionEnd" || forgets;
            if event.get("agent_id").is_some() || silent {
                assert_eq!(output, None, "{name}");
                assert_eq!(world.pending(session), ["hello"], "{name}");
            } else {
                let output = output.unwrap_or_else(|| panic!("{name}: nothing is said"));
                // The one host that reads it at the top.
                let at_top = output.get("additionalContext").is_some();
                assert_eq!(at_top, host == "copilot" && name_of_event != "Stop", "{name}");
                assert!(injected(Some(output)).contains("| hello\n"), "{name}");
                let row = world.json(&["list", "--json"])[0].clone();
                assert_eq!(
                    (&row["id"], &row["tool"], &row["live"]),
                    (&session.into(), &host.into(), &true.into())
                );
            }
        }
    }
}
