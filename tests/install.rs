//! `relay install` and `uninstall`: the user's files keep everything that is the
//! user's. Small scripts play the hosts' programs; the lab has the real ones.

mod harness;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use harness::World;
use serde_json::Value;

const EVENTS: [&str; 5] = ["SessionStart", "UserPromptSubmit", "PostToolUse", "Stop", "SessionEnd"];

/// Adds its server, removes it and prints it, as Claude Code does.
const CLAUDE: &str = r#"case "$2" in
add) printf '{\n  "mcpServers": {"relay": {"command": "%s", "args": ["bus"]}}\n}\n' "$7" >"$HOME/.claude.json" ;;
remove) printf '{\n  "mcpServers": {}\n}\n' >"$HOME/.claude.json" ;;
get) cat "$HOME/.claude.json" ;;
esac"#;

/// A home with both hosts on the PATH, each with its folder.
fn with_hosts() -> World {
    let world = World::new();
    let bin = world.project("bin");
    script(&bin.join("claude"), CLAUDE);
    script(&bin.join("codex"), "grep '^command' \"$HOME/.codex/config.toml\"");
    world.project(".claude");
    world.project(".codex");
    world.with("PATH", &format!("{}:/usr/bin:/bin", bin.display()))
}

fn script(path: &Path, text: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

fn read(world: &World, path: &str) -> String {
    std::fs::read_to_string(world.home().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn write(world: &World, path: &str, text: &str) -> PathBuf {
    let path = world.home().join(path);
    std::fs::write(&path, text).unwrap();
    path
}

/// Everything below the home but the store: path and content.
fn files(world: &World) -> Vec<(PathBuf, Vec<u8>)> {
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

/// The command of each event's only hook group.
fn commands(hooks: &str) -> Vec<String> {
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

#[test]
fn both_hosts_are_wired_and_taken_out_again() {
    let world = with_hosts();
    write(&world, ".codex/config.toml", "# mine\nmodel = \"x\"\n");
    let before = files(&world);
    let dry = world.ok(&["install", "--dry"]);
    assert_eq!(files(&world), before, "--dry changes nothing");
    assert!(!world.store().join("installed").exists());
    let said = world.ok(&["install"]);
    for line in dry.lines().filter(|line| line.starts_with("  + ")) {
        assert!(said.contains(line), "--dry had shown what is done: {line}");
    }
    assert!(said.contains("Claude Code: checked, `claude mcp get relay` shows it\n"), "{said}");
    assert!(said.contains("Codex: checked, `codex mcp get relay` shows it\n"), "{said}");
    assert!(said.contains("/hooks and trust") && said.ends_with("check it with: relay doctor\n"), "{said}");
    let relay = env!("CARGO_BIN_EXE_relay");
    assert_eq!(commands(&read(&world, ".claude/settings.json")), vec![format!("{relay} hook claude"); 5]);
    assert_eq!(commands(&read(&world, ".codex/hooks.json")), vec![format!("'{relay}' hook codex"); 5]);
    assert!(
        read(&world, ".claude.json").contains(relay) && read(&world, ".codex/config.toml").contains(relay)
    );

    let wired = files(&world);
    let again = world.ok(&["install"]);
    assert!(again.contains("Claude Code is wired already\n") && again.contains("Codex is wired already\n"));
    assert_eq!(files(&world), wired, "twice changes nothing");

    world.ok(&["uninstall"]);
    assert_eq!(files(&world), before, "byte for byte");
    assert!(world.ok(&["uninstall"]).contains("Claude Code has nothing of relay's"));
    assert_eq!(files(&world), before);
}

#[test]
fn what_the_user_wrote_stays_as_it_is() {
    for settings in [
        "",
        "{}",
        "{\n  // my own\n  \"model\": \"opus\", /* x */\n  \"hooks\": {\n    \"Stop\": [\n      {\"hooks\": [{\"type\": \"command\", \"command\": \"say done\"}]} // mine\n    ]\n  },\n}\n",
        "{\r\n\t\"a\": [1,2,\r\n3]\r\n}",
        "{\"hooks\":{\"Stop\":[],\"PreToolUse\":[{\"hooks\":[]}]},\"z\":\"\\u00fc \\\"[{\"}",
    ] {
        let world = with_hosts();
        let path = write(&world, ".claude/settings.json", settings);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        world.ok(&["install", "claude"]);
        let now = read(&world, ".claude/settings.json");
        assert!(now.matches("relay").count() >= 5, "{now}");
        let mut rest = now.as_str();
        for word in settings.split_ascii_whitespace().flat_map(|word| word.split([',', '[', ']', '{', '}'])) {
            let at = rest.find(word).unwrap_or_else(|| panic!("'{word}' is gone from {now}"));
            rest = &rest[at + word.len()..];
        }
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640, "the mode stays");
        assert_eq!(read(&world, ".claude/settings.json.relay-backup"), settings);
        world.ok(&["uninstall", "claude"]);
        assert_eq!(read(&world, ".claude/settings.json"), settings, "byte for byte");
        assert!(!world.home().join(".claude/settings.json.relay-backup").exists());
    }
}

#[test]
fn a_file_that_changed_since_only_loses_what_is_relays() {
    let world = with_hosts();
    write(&world, ".claude/settings.json", "{\n  \"model\": \"opus\"\n}\n");
    world.ok(&["install", "claude"]);
    let now = read(&world, ".claude/settings.json").replace("opus", "sonnet");
    write(&world, ".claude/settings.json", &now);
    world.ok(&["uninstall", "claude"]);
    assert_eq!(read(&world, ".claude/settings.json"), "{\n  \"model\": \"sonnet\"\n}\n");
}

#[test]
fn what_the_user_changed_after_the_install_is_never_undone() {
    let world = with_hosts();
    write(&world, ".claude/settings.json", "{}\n");
    world.ok(&["install", "claude"]);
    let now = read(&world, ".claude/settings.json");
    let edited = now.replacen("{", "{\n  \"permissions\": {\"deny\": [\"x\"]},", 1).replacen(
        "\"Stop\"",
        "\"Other\"",
        1,
    );
    write(&world, ".claude/settings.json", &edited);
    world.ok(&["install", "claude"]);
    world.ok(&["uninstall", "claude"]);
    let left = read(&world, ".claude/settings.json");
    assert!(left.contains("\"deny\": [\"x\"]"), "{left}");
}

#[test]
fn a_hook_of_the_users_beside_relays_stays() {
    let world = with_hosts();
    world.ok(&["install", "claude"]);
    let mine = "{\"type\": \"command\", \"command\": \"/home/u/mine.sh\"}";
    let now =
        read(&world, ".claude/settings.json").replacen("{\"hooks\":[", &format!("{{\"hooks\":[{mine}, "), 1);
    assert!(now.contains("mine.sh"), "{now}");
    write(&world, ".claude/settings.json", &now);
    world.ok(&["uninstall", "claude"]);
    let left = read(&world, ".claude/settings.json");
    assert!(left.contains("mine.sh") && !left.contains("relay"), "{left}");
    serde_json::from_str::<Value>(&left).unwrap();
}

#[test]
fn a_program_with_a_name_like_relays_is_not_relays() {
    let world = with_hosts();
    let hook = "{\"hooks\": {\"Stop\": [{\"hooks\": [{\"type\": \"command\", \"command\": \"/home/u/relay-webhook-claude.sh\"}]}]}}\n";
    write(&world, ".claude/settings.json", hook);
    assert!(world.ok(&["uninstall", "claude"]).contains("has nothing of relay's"));
    assert_eq!(read(&world, ".claude/settings.json"), hook);
    assert!(world.ok(&["install", "claude"]).contains("Stop"));
    world.ok(&["uninstall", "claude"]);
    assert_eq!(read(&world, ".claude/settings.json"), hook);
}

#[test]
fn a_server_that_the_user_wrote_stays() {
    let world = with_hosts();
    let config = "[mcp_servers.relay]\ncommand = \"relay\"\nargs = [\"bus\"]\n";
    write(&world, ".codex/config.toml", config);
    world.ok(&["install", "codex"]);
    world.ok(&["uninstall", "codex"]);
    assert_eq!(read(&world, ".codex/config.toml"), config);
}

#[test]
fn what_the_user_wrote_beside_relays_table_stays() {
    let world = with_hosts();
    let config = "# mine\nmodel = \"x\" # why\n\n[mcp_servers.other]   # my server\n# a note\nargs = [\n  \"a\", # one\n]\n";
    write(&world, ".codex/config.toml", config);
    world.ok(&["install", "codex"]);
    let wired = read(&world, ".codex/config.toml");
    let relay = env!("CARGO_BIN_EXE_relay");
    assert_eq!(wired, format!("{config}\n[mcp_servers.relay]\ncommand = \"{relay}\"\nargs = [\"bus\"]\n"));
    // The user trusts the hooks: Codex writes that down.
    let trust = format!("\n[hooks.state.\"{}:stop:0:0\"]\ntrusted_hash = \"x\"\n", world.home().display());
    write(&world, ".codex/config.toml", &(wired + &trust));
    world.ok(&["uninstall", "codex"]);
    assert_eq!(read(&world, ".codex/config.toml"), format!("{config}{trust}"));
}

#[test]
fn entries_that_start_another_relay_or_none_are_replaced() {
    let relay = env!("CARGO_BIN_EXE_relay");
    for wired_by_hand in [false, true] {
        let world = with_hosts();
        if wired_by_hand {
            write(
                &world,
                ".codex/config.toml",
                "[mcp_servers.relay]\ncommand = \"/gone/relay\"\nargs = [\"bus\"]\n# x\n",
            );
            write(
                &world,
                ".claude.json",
                "{\"mcpServers\": {\"relay\": {\"command\": \"/gone/relay\", \"args\": [\"bus\"]}}}",
            );
        } else {
            world.ok(&["install"]);
            for path in [".claude.json", ".claude/settings.json", ".codex/config.toml", ".codex/hooks.json"] {
                write(&world, path, &read(&world, path).replace(relay, "/gone/relay"));
            }
            let doctor = world.run(&["doctor"]);
            for host in ["claude", "codex"] {
                let words = format!(
                    "it starts /gone/relay, which is not there or cannot be run; mend it with: relay install {host}"
                );
                assert!(doctor.code == Some(1) && doctor.stdout.contains(&words), "{}", doctor.stdout);
            }
        }
        world.ok(&["install"]);
        for path in [".claude.json", ".claude/settings.json", ".codex/config.toml", ".codex/hooks.json"] {
            let now = read(&world, path);
            assert!(now.contains(relay) && !now.contains("/gone/"), "{path}: {now}");
        }
        assert_eq!(commands(&read(&world, ".claude/settings.json")), vec![format!("{relay} hook claude"); 5]);
        assert_eq!(world.run(&["doctor"]).code, Some(0), "{}", world.run(&["doctor"]).stdout);
    }
}

#[test]
fn another_server_of_that_name_is_left_alone() {
    let world = with_hosts();
    let config = "[mcp_servers.relay]\ncommand = \"/opt/graphql/relay\"\nargs = [\"serve\"]\n";
    write(&world, ".codex/config.toml", config);
    let run = world.run(&["install", "codex"]);
    assert_eq!(
        (run.code, run.stderr.contains("another server named relay")),
        (Some(1), true),
        "{}",
        run.stderr
    );
    assert_eq!(read(&world, ".codex/config.toml"), config);
    assert!(!world.home().join(".codex/hooks.json").exists());
}

#[test]
fn a_host_that_did_not_add_the_server_is_not_believed() {
    for says in ["true", "case $2 in get) ;; *) true;; esac"] {
        let world = with_hosts();
        write(&world, ".claude/settings.json", "{}\n");
        script(&world.home().join("bin/claude"), says);
        let run = world.run(&["install", "claude"]);
        assert_eq!(run.code, Some(1));
        assert!(
            run.stderr.contains("does not have all that was added; what was added is taken out"),
            "{}",
            run.stderr
        );
        assert_eq!(read(&world, ".claude/settings.json"), "{}\n", "it is as it was");
    }
    // Codex does not take its changed file.
    let world = with_hosts();
    write(&world, ".codex/config.toml", "x = 1\n");
    script(&world.home().join("bin/codex"), "echo 'Error: bad configuration' >&2; exit 1");
    let run = world.run(&["install", "codex"]);
    assert_eq!(
        (run.code, run.stderr.contains("does not know the server")),
        (Some(1), true),
        "{}",
        run.stderr
    );
    assert_eq!(read(&world, ".codex/config.toml"), "x = 1\n");
    assert!(!world.home().join(".codex/hooks.json").exists());
}

#[test]
fn a_copy_never_takes_another_files_place() {
    let world = with_hosts();
    write(&world, ".claude/settings.json", "{}\n");
    write(&world, ".claude/settings.json.relay-backup", "the user's own\n");
    assert!(world.ok(&["install", "claude"]).contains("settings.json.relay-backup-2"));
    world.ok(&["uninstall", "claude"]);
    assert_eq!(read(&world, ".claude/settings.json.relay-backup"), "the user's own\n");
    assert!(!world.home().join(".claude/settings.json.relay-backup-2").exists());
}

#[test]
fn what_is_not_understood_is_left_alone_and_named() {
    for settings in [
        "{",
        "[]",
        "not JSON",
        "{\"a\": {\"b\":: 1}}",
        "{\"hooks\": []}",
        "{\"hooks\": {\"Stop\": {}}}",
        "\u{fffd}{}",
    ] {
        let world = with_hosts();
        write(&world, ".claude/settings.json", settings);
        let before = files(&world);
        let run = world.run(&["install"]);
        assert_eq!(run.code, Some(1), "{settings}");
        assert!(
            run.stderr.contains(".claude/settings.json") && run.stderr.contains("left alone"),
            "{}",
            run.stderr
        );
        assert_eq!(files(&world), before, "nothing at all was changed: {settings}");
    }
}

#[test]
fn a_linked_file_stays_a_link() {
    let world = with_hosts();
    let real = world.project("dotfiles").join("settings.json");
    std::fs::write(&real, "{}\n").unwrap();
    let link = world.home().join(".claude/settings.json");
    std::os::unix::fs::symlink(&real, &link).unwrap();
    world.ok(&["install", "claude"]);
    assert!(link.is_symlink() && std::fs::read_to_string(&real).unwrap().contains("hook"));
    world.ok(&["uninstall", "claude"]);
    assert!(link.is_symlink());
    assert_eq!(std::fs::read_to_string(&real).unwrap(), "{}\n");

    std::fs::remove_file(&real).unwrap();
    let run = world.run(&["install", "claude"]);
    assert_eq!(run.code, Some(1), "a link to nowhere: {}", run.stderr);
    assert!(link.is_symlink());
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let world = with_hosts();
    write(&world, ".codex/config.toml", "");
    let folder = world.home().join(".codex/hooks.json");
    std::fs::create_dir(&folder).unwrap();
    let run = world.run(&["install", "codex"]);
    assert_eq!((run.code, run.stderr.contains("hooks.json")), (Some(1), true), "{}", run.stderr);
    for config in [
        "mcp_servers = {}\n",
        "mcp_servers.a.command = \"x\"\n",
        "[mcp_servers]\na = {}\n",
        "x = [\n",
        "[x\n",
    ] {
        let world = with_hosts();
        write(&world, ".codex/config.toml", config);
        let run = world.run(&["install", "codex"]);
        assert_eq!(
            (run.code, run.stderr.contains("config.toml")),
            (Some(1), true),
            "{config}: {}",
            run.stderr
        );
        assert_eq!(read(&world, ".codex/config.toml"), config);
    }
}

#[test]
fn a_folder_that_is_read_only_is_named_and_nothing_is_lost() {
    let world = with_hosts();
    write(&world, ".claude/settings.json", "{}\n");
    let before = files(&world);
    // Root may write anywhere, so the system refuses instead.
    let program = ["-qq", "-f", "-o", "/dev/null", "-e", "trace=?open,openat", "-P"];
    let draft = world.home().join(".claude/settings.json.relay-draft");
    let run = std::process::Command::new("strace")
        .args(program)
        .arg(&draft)
        .args(["-e", "inject=?open,openat:error=EROFS", env!("CARGO_BIN_EXE_relay"), "install", "claude"])
        .envs(world.command(&[]).get_envs().filter_map(|(key, value)| Some((key, value?))))
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(1), "{error}");
    assert!(error.contains("cannot write") && error.contains(".claude/settings.json"), "{error}");
    world.ok(&["uninstall", "claude"]);
    let after: Vec<_> =
        files(&world).into_iter().filter(|(path, _)| !path.ends_with(".claude.json")).collect();
    assert_eq!(after, before);
}

#[test]
fn gemini_gets_server_and_hooks_in_one_file() {
    let relay = env!("CARGO_BIN_EXE_relay");
    for settings in [
        "",
        "{\n  // mine\n  \"security\": {\"auth\": {\"selectedType\": \"x\"}}, /* one line */\n  \"mcpServers\": {\"a\": {\"command\": \"b\"}}\n}\n",
        "{\"hooks\": {\"BeforeTool\": [{\"matcher\": \"x\", \"hooks\": [{\"type\": \"command\", \"command\": \"mine\"}]}]}}",
    ] {
        let world = World::new();
        world.project(".gemini");
        let bin = world.project("bin");
        // It answers people on stderr.
        script(&bin.join("gemini"), "cat \"$HOME/.gemini/settings.json\" >&2");
        let world = world.with("PATH", &format!("{}:/usr/bin:/bin", bin.display()));
        if !settings.is_empty() {
            write(&world, ".gemini/settings.json", settings);
        }
        let said = world.ok(&["install"]);
        assert!(said.contains("Gemini CLI: checked, `gemini mcp list` shows it"), "{said}");
        let now = read(&world, ".gemini/settings.json");
        let plain: String =
            now.lines().map(|line| line.split("//").next().unwrap().replace("/* one line */", "")).collect();
        let value: Value = serde_json::from_str(&plain).unwrap();
        assert_eq!(
            (&value["mcpServers"]["relay"]["command"], &value["mcpServers"]["relay"]["args"][0]),
            (&relay.into(), &"bus".into())
        );
        for event in ["SessionStart", "BeforeAgent", "BeforeTool", "AfterTool", "AfterAgent", "SessionEnd"] {
            let group = value["hooks"][event].as_array().unwrap().last().unwrap();
            assert_eq!(group["hooks"][0]["command"], format!("'{relay}' hook gemini"), "{event}");
            assert_eq!(group["hooks"][0]["timeout"], 10_000);
            assert_eq!(
                group["matcher"],
                if event == "BeforeTool" { "invoke_agent".into() } else { Value::Null }
            );
        }
        assert!(world.run(&["doctor"]).stdout.contains("bin/gemini; relay's server and hooks are wired"));
        write(
            &world,
            ".gemini/settings.json",
            &now.replacen("{", "{\"hooksConfig\": {\"disabled\": [\"relay\"]},", 1),
        );
        assert!(world.run(&["doctor"]).stdout.contains("switch all hooks off"));
        write(&world, ".gemini/settings.json", &now);
        assert!(world.ok(&["install"]).contains("is wired already"));
        world.ok(&["uninstall"]);
        match settings {
            "" => assert!(!world.home().join(".gemini/settings.json").exists()),
            _ => assert_eq!(read(&world, ".gemini/settings.json"), settings),
        }
    }
}

#[test]
fn copilot_gets_two_files_and_qwen_one() {
    let relay = env!("CARGO_BIN_EXE_relay");
    let world = World::new();
    world.project(".copilot");
    world.project(".qwen");
    write(&world, ".copilot/mcp-config.json", "{\"mcpServers\": {}}");
    let before = files(&world);
    world.ok(&["install"]);
    let json = |path: &str| serde_json::from_str::<Value>(&read(&world, path)).unwrap();
    let server = &json(".copilot/mcp-config.json")["mcpServers"]["relay"];
    assert_eq!(
        (&server["command"], &server["type"], &server["tools"][0]),
        (&relay.into(), &"local".into(), &"*".into())
    );
    let (copilot, qwen) = (json(".copilot/settings.json"), json(".qwen/settings.json"));
    assert_eq!(qwen["mcpServers"]["relay"]["args"][0], "bus");
    for event in EVENTS {
        let hook = &copilot["hooks"][event][0]["hooks"][0];
        assert_eq!((&hook["exec"], &hook["args"][1]), (&relay.into(), &"copilot".into()), "{event}");
        let hook = &qwen["hooks"][event][0]["hooks"][0];
        assert_eq!(
            (&hook["command"], &hook["timeout"]),
            (&format!("'{relay}' hook qwen").into(), &10_000.into())
        );
    }
    let again = world.ok(&["install"]);
    assert!(
        again.contains("Copilot CLI is wired already") && again.contains("Qwen Code is wired already"),
        "{again}"
    );
    world.ok(&["uninstall"]);
    assert_eq!(files(&world), before);
}

#[test]
fn opencode_gets_its_plugin() {
    let world = World::new();
    let folder = world.project(".config/opencode");
    let plugin = folder.join("plugins/relay.js");
    let said = world.ok(&["install"]);
    assert!(
        said.contains("opencode: relay's plugin") && !said.contains("Claude"),
        "only who is here: {said}"
    );
    let text = std::fs::read_to_string(&plugin).unwrap();
    assert!(
        text.contains(&format!("? beside : {:?}", env!("CARGO_BIN_EXE_relay"))),
        "it knows where relay is"
    );
    assert!(world.ok(&["install", "opencode"]).contains("opencode is wired already"));
    std::fs::write(&plugin, text.replace("HOOK_MS = 10_000", "HOOK_MS = 1")).unwrap();
    assert!(world.ok(&["install", "opencode"]).contains("+ "), "another version is replaced");
    assert_eq!(std::fs::read_to_string(&plugin).unwrap(), text);
    world.ok(&["uninstall", "opencode"]);
    assert!(!plugin.exists());

    std::fs::write(&plugin, "// mine\n").unwrap();
    let run = world.run(&["install", "opencode"]);
    assert_eq!((run.code, run.stderr.contains("is not relay's plugin")), (Some(1), true), "{}", run.stderr);
    std::fs::remove_file(&plugin).unwrap();
    std::os::unix::fs::symlink(concat!(env!("CARGO_MANIFEST_DIR"), "/plugins/opencode/relay.js"), &plugin)
        .unwrap();
    assert!(world.ok(&["install", "opencode"]).contains("opencode is wired already"), "linked from a clone");
}

#[test]
fn a_store_elsewhere_is_told_to_codex() {
    let world = with_hosts().with("AGENT_RELAY_HOME", "/tmp/none/of it");
    let said = world.ok(&["install", "codex", "--dry"]);
    assert!(said.contains("+ env = { AGENT_RELAY_HOME = \"/tmp/none/of it\" }"), "{said}");
}

#[test]
fn the_path_that_people_start_is_the_one_that_is_wired() {
    let world = with_hosts();
    let named = world.home().join("bin/relay");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_relay"), &named).unwrap();
    let said = world.ok(&["install", "--dry", "claude"]);
    assert!(said.contains(&format!("-- {} bus", named.display())), "{said}");
}

#[test]
fn without_hosts_there_is_nothing_to_wire() {
    let world = World::new();
    let run = world.run(&["install"]);
    assert_eq!((run.code, run.stderr.contains("claude, codex")), (Some(4), true), "{}", run.stderr);
    let run = world.run(&["install", "emacs"]);
    assert_eq!(run.code, Some(64), "{}", run.stderr);
    let run = world.run(&["install", "claude"]);
    assert_eq!((run.code, run.stderr.contains("'claude'")), (Some(4), true), "{}", run.stderr);
}

#[test]
fn a_crash_at_any_step_leaves_files_that_hosts_can_read() {
    for step in 1..200 {
        let world = with_hosts();
        write(&world, ".claude/settings.json", "{\"a\": 1}\n");
        write(&world, ".codex/config.toml", "x = 1\n");
        let mut command = world.command(&["install"]);
        let run = harness::Run::of(command.env("RELAY_FAULT", format!("crash:{step}")).output().unwrap());
        for path in [".claude/settings.json", ".codex/hooks.json"] {
            if world.home().join(path).exists() {
                serde_json::from_str::<Value>(&read(&world, path))
                    .unwrap_or_else(|e| panic!("{step}: {path}: {e}"));
            }
        }
        world.ok(&["install"]);
        assert_eq!(commands(&read(&world, ".claude/settings.json")).len(), 5);
        world.ok(&["uninstall"]);
        assert_eq!(read(&world, ".claude/settings.json"), "{\"a\": 1}\n", "{step}");
        assert_eq!(read(&world, ".codex/config.toml"), "x = 1\n", "{step}");
        if run.code == Some(0) {
            assert!(step > 10, "the seam was passed");
            return;
        }
    }
    panic!("it never came to its end");
}

#[test]
fn doctor_names_what_is_wrong_with_the_wiring() {
    let world = with_hosts();
    let says = |world: &World, words: &str| {
        let text = world.run(&["doctor"]).stdout;
        assert!(text.contains(words), "'{words}' is not in:\n{text}");
    };
    says(&world, "relay is not wired into it; wire it with: relay install claude");
    assert_eq!(world.run(&["doctor"]).code, Some(0), "not wanted is no fault");
    world.ok(&["install"]);
    says(&world, "bin/claude; relay's server and hooks are wired");
    says(&world, "5 hooks not trusted yet");
    let hooks = world.home().join(".codex/hooks.json");
    let trusted: String = (0..5)
        .map(|n| format!("[hooks.state.\"{}:stop:0:{n}\"]\ntrusted_hash = \"x\"\n", hooks.display()))
        .collect();
    let config = read(&world, ".codex/config.toml") + &trusted;
    write(&world, ".codex/config.toml", &config);
    says(&world, "bin/codex; relay's server and hooks are wired");
    assert_eq!(world.run(&["doctor"]).code, Some(0));

    let good = read(&world, ".claude/settings.json");
    let broken = |from: &str, to: &str, words: &str, code: i32| {
        assert!(good.contains(from), "{good}");
        write(&world, ".claude/settings.json", &good.replacen(from, to, 1));
        says(&world, words);
        assert_eq!(world.run(&["doctor"]).code, Some(code), "{words}");
    };
    broken("\"PostToolUse\"", "\"Else\"", "no hook of relay's for PostToolUse", 1);
    broken("\"hooks\": {\n", "\"disableAllHooks\": true, \"hooks\": {\n", "switch all hooks off", 1);
    broken(env!("CARGO_BIN_EXE_relay"), "/nowhere/relay", "starts /nowhere/relay, which is not there", 1);
    let entry = format!(
        "{{\"hooks\":[{{\"command\":\"{}\",\"args\":[\"hook\",\"claude\"]}}]}},",
        env!("CARGO_BIN_EXE_relay")
    );
    broken("\"Stop\": [", &format!("\"Stop\": [{entry}"), "wired twice", 0);
    broken("{", "[", "left alone", 1);
    broken("{", "{ // mine\n\"disableAllHooks\": true,", "switch all hooks off", 1);
    broken("{", "{\"enabledPlugins\": {\"relay@relay\": true},", "wired twice", 0);
    for plugin in ["\"relay@relay\": false", "\"my-relay@relay\": true", "\"relay@other\": true"] {
        broken(
            "{",
            &format!("{{\"enabledPlugins\": {{{plugin}}},"),
            "claude; relay's server and hooks are wired",
            0,
        );
    }
    write(&world, ".claude/settings.json", "{\"enabledPlugins\": {\"relay@relay\": true}}");
    write(&world, ".claude.json", "{}");
    says(&world, "claude; its plugin of relay is on");
    write(&world, ".claude/settings.json", &good);
    let of_project = "{\"projects\": {\"/p\": {\"mcpServers\": {\"relay\": {\"command\": \"relay\", \"args\": [\"bus\"]}}}}}";
    write(&world, ".claude.json", of_project);
    says(&world, "relay's hooks are there, its server is not; mend it with: relay install claude");
}

#[test]
fn doctor_names_a_bus_that_uses_another_store_or_version() {
    let world = with_hosts();
    world.ok(&["install"]);
    let config = read(&world, ".codex/config.toml") + "env = { AGENT_RELAY_HOME = \"/elsewhere\" }\n";
    write(&world, ".codex/config.toml", &config);
    let doctor = world.run(&["doctor"]);
    let words = format!("its bus uses the store /elsewhere, its hooks {}", world.store().display());
    assert!(doctor.code == Some(1) && doctor.stdout.contains(&words), "{}", doctor.stdout);
    let elsewhere = world.home().join("s");
    let world = world.with("AGENT_RELAY_HOME", elsewhere.to_str().unwrap());
    assert!(world.run(&["doctor"]).stdout.contains("its bus uses the store /elsewhere"));
    world.ok(&["install"]);
    assert!(read(&world, ".codex/config.toml").contains(&format!("{:?}", elsewhere.display().to_string())));
    assert!(!world.run(&["doctor"]).stdout.contains("its bus uses the store"));

    let old = world.project("old").join("relay");
    script(&old, "echo relay 0.0.7");
    let settings =
        read(&world, ".claude/settings.json").replace(env!("CARGO_BIN_EXE_relay"), old.to_str().unwrap());
    write(&world, ".claude/settings.json", &settings);
    let own = env!("CARGO_PKG_VERSION");
    let words =
        format!("it starts {} relay 0.0.7; this is {own}: mend it with: relay install claude", old.display());
    let said = world.run(&["doctor"]).stdout;
    assert!(said.contains(&words), "{said}");
    script(
        &world.home().join("bin/codex"),
        "case $1 in --version) echo codex-cli 0.9.1;; *) cat \"$HOME/.codex/config.toml\";; esac",
    );
    let said = world.run(&["doctor"]).stdout;
    assert!(said.contains("is version 0.9.1; relay was tried with 0.169.0 and later"), "{said}");
}
