//! Hosts that were not to be had here: relay speaks to them as others document
//! it. That they listen is not proved.

mod harness;

use harness::World;
use serde_json::{Value, json};

const ID: &str = "6f000000-57fd-4afe-9ff5-f2d1347b66fc";

/// Runs the hook and gives what it printed.
fn hook(world: &World, words: &[&str], event: &Value) -> Option<Value> {
    let run = world.run_with_input(&[&["hook"], words].concat(), event.to_string().as_bytes());
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    (!run.stdout.is_empty()).then(|| serde_json::from_str(&run.stdout).unwrap())
}

#[test]
fn cursor_is_spoken_to_in_its_own_words() {
    let world = World::new();
    let event = |name: &str| json!({"conversation_id": ID, "generation_id": name, "hook_event_name": name, "workspace_roots": [world.home()]});
    assert_eq!(hook(&world, &["cursor"], &event("sessionStart")), None);
    world.ok(&["register", "one", "--id", ID]);
    let row = world.json(&["list", "--json"])[0].clone();
    assert_eq!(
        (&row["tool"], &row["dir"], &row["live"]),
        (&"cursor".into(), &world.home().to_str().into(), &true.into())
    );
    world.ok(&["send", "one", "--", "hello"]);
    assert_eq!(hook(&world, &["cursor"], &event("beforeSubmitPrompt")), None, "nothing it could say there");
    let said = hook(&world, &["cursor"], &event("postToolUse")).unwrap();
    assert!(said["additional_context"].as_str().unwrap().contains("| hello\n"), "{said}");
    world.ok(&["send", "one", "--", "again"]);
    let said = hook(&world, &["cursor"], &event("stop")).unwrap();
    assert!(said["followup_message"].as_str().unwrap().contains("| again\n"), "{said}");
    hook(&world, &["cursor"], &event("sessionEnd"));
    assert_eq!(world.json(&["list", "--json"])[0]["live"], false);
}

#[test]
fn antigravity_gets_an_answer_to_everything() {
    let world = World::new();
    let number = std::cell::Cell::new(0);
    let event = || {
        number.set(number.get() + 1);
        json!({"conversationId": ID, "workspacePaths": [world.home()], "invocationNum": number.get()})
    };
    let (before, stop) = (["--event", "PreInvocation", "agy"], ["--event", "Stop", "agy"]);
    assert_eq!(hook(&world, &before, &event()), Some(json!({})));
    assert_eq!(hook(&world, &stop, &event()), Some(json!({"decision": "stop"})));
    assert_eq!(world.json(&["list", "--json"])[0]["live"], true);
    world.ok(&["send", "--id", ID, "--", "hello"]);
    let said = hook(&world, &before, &event()).unwrap();
    assert!(said["injectSteps"][0]["ephemeralMessage"].as_str().unwrap().contains("| hello\n"), "{said}");
    assert_eq!(hook(&world, &before, &event()), Some(json!({})), "it is consumed by the next request");
    assert_eq!(world.pending(ID), Vec::<String>::new());
    world.ok(&["send", "--id", ID, "--", "again"]);
    let said = hook(&world, &stop, &event()).unwrap();
    assert_eq!(said["decision"], "continue");
    assert!(said["reason"].as_str().unwrap().contains("| again\n"), "{said}");
    // Even when relay itself fails.
    std::fs::write(world.store().join("format"), "of the future\n").unwrap();
    assert_eq!(hook(&world, &before, &event()), Some(json!({})));
}

#[test]
fn both_are_wired_and_taken_out_again() {
    let world = World::new();
    let relay = env!("CARGO_BIN_EXE_relay");
    let mine = json!({"mine": {"Stop": [{"type": "command", "command": "say done"}]}}).to_string();
    let cursor = "{\"version\": 1, \"hooks\": {\"stop\": [{\"command\": \"say done\"}]}}";
    let write = |path: &str, text: &str| {
        let path = world.home().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let read = |path: &str| -> Value {
        serde_json::from_str(&std::fs::read_to_string(world.home().join(path)).unwrap()).unwrap()
    };
    write(".gemini/config/hooks.json", &mine);
    write(".cursor/hooks.json", cursor);
    for _ in 0..2 {
        world.ok(&["install", "cursor", "agy"]);
        let hooks = read(".cursor/hooks.json");
        assert_eq!(hooks["version"], 1);
        assert_eq!(hooks["hooks"]["stop"].as_array().unwrap().len(), 2);
        assert_eq!(hooks["hooks"]["stop"][1]["command"], format!("'{relay}' hook cursor"));
        assert_eq!(read(".cursor/mcp.json")["mcpServers"]["relay"]["command"], relay);
        let hooks = read(".gemini/config/hooks.json");
        assert_eq!(hooks["relay"]["enabled"], true);
        let line = format!("'{relay}' hook --event PreInvocation agy");
        assert_eq!(hooks["relay"]["PreInvocation"][0]["command"], line);
        assert_eq!(hooks["relay"]["PreInvocation"].as_array().unwrap().len(), 1);
    }
    // Something else changes the files in between.
    let changed = read(".gemini/config/hooks.json").to_string();
    write(".gemini/config/hooks.json", &changed);
    world.ok(&["uninstall", "cursor", "agy"]);
    assert_eq!(read(".gemini/config/hooks.json").to_string(), mine);
    assert_eq!(std::fs::read_to_string(world.home().join(".cursor/hooks.json")).unwrap(), cursor);
    assert!(!world.home().join(".cursor/mcp.json").exists());
}
