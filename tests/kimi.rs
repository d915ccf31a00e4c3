//! Kimi Code: its prompt's hook speaks in plain words, its other hooks only tell
//! how far it is; its hooks are tables of TOML.

mod harness;

use harness::World;
use serde_json::{Value, json};

const ONE: &str = "session_16e3d514-96cb-497a-a8c5-3fb9934c5afc";

fn hook(world: &World, name: &str, more: Value) -> String {
    let mut event = json!({"hook_event_name": name, "session_id": ONE, "cwd": world.project("app"), "client_type": "kimi_code_cli"});
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let run = world.run_with_input(&["hook", "kimi"], event.to_string().as_bytes());
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    run.stdout
}

#[test]
fn mail_is_plain_words_at_the_prompt_and_nothing_elsewhere() {
    let world = World::new();
    assert_eq!(hook(&world, "SessionStart", json!({"source": "startup", "model": "m"})), "");
    world.ok(&["register", "one", "--id", ONE]);
    world.ok(&["send", "one", "--", "hello"]);
    let prompt = json!({"prompt": [{"type": "text", "text": "hi"}], "is_steer": false});
    let text = hook(&world, "UserPromptSubmit", prompt);
    assert!(text.starts_with("relay: 1 message") && text.contains("\n| hello\n"), "{text}");
    world.ok(&["send", "one", "--", "later"]);
    assert_eq!(hook(&world, "PostToolUse", json!({"tool_name": "Bash", "tool_input": {}})), "");
    assert_eq!(world.pending("one"), ["later"], "a tool's use has proved the first, and takes nothing");
    assert_eq!(hook(&world, "Stop", json!({"stop_hook_active": false})), "");
    assert_eq!(world.pending("one"), ["later"]);
    let prompt = json!({"prompt": [{"type": "text", "text": "on"}]});
    assert!(hook(&world, "UserPromptSubmit", prompt).contains("\n| later\n"));
    assert_eq!(hook(&world, "Stop", json!({"stop_hook_active": false})), "");
    assert!(world.pending("one").is_empty(), "a turn's end is proof, too");
    let row = world.json(&["list", "--json"])[0].clone();
    assert_eq!((&row["live"], &row["reach"]), (&true.into(), &"step".into()));
}

#[test]
fn its_hooks_are_tables_that_come_and_go() {
    let relay = env!("CARGO_BIN_EXE_relay");
    for config in [
        "",
        "# mine\ndefault_model = \"m\" # why\n\n[[hooks]]\nevent = \"Stop\"\ncommand = \"say done\" # mine\n\n[models.m]\nprovider = \"p\"\n",
    ] {
        let world = World::new();
        let path = world.project(".kimi-code").join("config.toml");
        if !config.is_empty() {
            std::fs::write(&path, config).unwrap();
        }
        for _ in 0..2 {
            world.ok(&["install", "kimi"]);
            let now = std::fs::read_to_string(&path).unwrap();
            assert!(now.starts_with(config), "{now}");
            let line = format!("command = \"'{relay}' hook kimi\"\n");
            assert_eq!(now.matches(&line).count(), 5, "{now}");
        }
        // Another relay's hooks are replaced, the user's stay.
        let moved = std::fs::read_to_string(&path).unwrap().replace(relay, "/gone/relay");
        std::fs::write(&path, &moved).unwrap();
        world.ok(&["install", "kimi"]);
        let now = std::fs::read_to_string(&path).unwrap();
        assert!(!now.contains("/gone/") && now.matches(relay).count() == 5, "{now}");
        std::fs::write(&path, format!("{now}# a remark since\n")).unwrap();
        world.ok(&["uninstall", "kimi"]);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{config}# a remark since\n"));
    }
    let world = World::new();
    let path = world.project(".kimi-code").join("config.toml");
    std::fs::write(&path, "hooks = []\n").unwrap();
    let run = world.run(&["install", "kimi"]);
    assert_eq!((run.code, run.stderr.contains("config.toml")), (Some(1), true), "{}", run.stderr);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "hooks = []\n");
}
