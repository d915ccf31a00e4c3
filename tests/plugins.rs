//! The repository as a plugin: every manifest has this version, every file it
//! names is there, and the hooks are those of the table of hosts.

use serde_json::Value;

fn json(path: &str) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn manifests_have_this_version_and_name_files_that_are_there() {
    for path in [".claude-plugin/plugin.json", ".codex-plugin/plugin.json", "gemini-extension.json"] {
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

/// Gemini CLI takes an extension's hooks from `hooks/hooks.json` alone, and Claude
/// Code's plugin runs what it finds there, too: so there the command does nothing.
#[test]
fn the_extensions_hooks_do_nothing_in_another_host() {
    let hooks = json("hooks/hooks.json");
    let events: Vec<&String> = hooks["hooks"].as_object().unwrap().keys().collect();
    assert_eq!(
        events,
        ["SessionStart", "BeforeAgent", "BeforeTool", "AfterTool", "AfterAgent", "SessionEnd"]
    );
    assert_eq!(hooks["hooks"]["BeforeTool"][0]["matcher"], "invoke_agent");
    let folder = tempfile::tempdir().unwrap();
    let relay = folder.path().join("bin/relay");
    std::fs::create_dir(folder.path().join("bin")).unwrap();
    std::os::unix::fs::symlink("/bin/echo", &relay).unwrap();
    for (event, groups) in hooks["hooks"].as_object().unwrap() {
        let line = groups[0]["hooks"][0]["command"].as_str().unwrap();
        let run = |line: &str| std::process::Command::new("sh").args(["-c", line]).output().unwrap();
        let elsewhere = run(line);
        assert!(elsewhere.status.success() && elsewhere.stdout.is_empty(), "{event}: {elsewhere:?}");
        let here = run(&line.replace("${extensionPath}", folder.path().to_str().unwrap()));
        assert_eq!(String::from_utf8_lossy(&here.stdout), "hook gemini\n", "{event}");
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
