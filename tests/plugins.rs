//! The repository as a plugin: every manifest has this version, every file it
//! names is there, and the hooks are those of the table of hosts.

use serde_json::Value;

fn json(path: &str) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn manifests_have_this_version_and_name_files_that_are_there() {
    for path in [".claude-plugin/plugin.json", ".codex-plugin/plugin.json"] {
        let manifest = json(path);
        assert_eq!(
            (&manifest["name"], &manifest["version"]),
            (&"relay".into(), &env!("CARGO_PKG_VERSION").into()),
            "{path}"
        );
        for key in ["hooks", "mcpServers", "skills"] {
            if let Some(named) = manifest[key].as_str() {
                assert!(std::path::Path::new(named).exists(), "{path} names {named}");
            }
        }
    }
    for path in [".claude-plugin/marketplace.json", ".agents/plugins/marketplace.json"] {
        assert_eq!(json(path)["plugins"][0]["name"], "relay", "{path}");
    }
}

#[test]
fn hooks_start_the_launcher_of_the_clone() {
    for (path, host) in [("plugins/claude/hooks.json", "claude"), ("plugins/codex/hooks.json", "codex")] {
        let hooks = json(path);
        let events: Vec<&String> = hooks["hooks"].as_object().unwrap().keys().collect();
        assert_eq!(
            events,
            ["SessionStart", "UserPromptSubmit", "PostToolUse", "Stop", "SessionEnd"],
            "{path}"
        );
        for (event, groups) in hooks["hooks"].as_object().unwrap() {
            let hook = groups[0]["hooks"][0].to_string();
            assert!(hook.contains("PLUGIN_ROOT}/bin/relay") && hook.contains(host), "{path}: {event}");
        }
    }
}

#[test]
fn the_skill_is_short_and_says_when() {
    let text = std::fs::read_to_string("skills/relay/SKILL.md").unwrap();
    assert!(text.lines().count() < 120);
    let head = text.split("---").nth(1).unwrap();
    assert!(head.contains("\nname: relay\n") && head.contains("\ndescription: "), "{head}");
    for tool in ["whoami", "register", "roster", "send", "inbox", "discover"] {
        assert!(text.contains(&format!("`{tool}`")), "{tool}");
    }
}
