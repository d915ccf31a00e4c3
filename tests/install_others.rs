//! `relay install` and `uninstall` where servers, hooks and programs are somebody
//! else's, or may be: they stay, and what cannot be told is said.

mod harness;

use harness::homes::{files, read, refused, with_hosts, write};

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
fn another_server_of_that_name_is_left_alone() {
    let world = with_hosts();
    let config = "[mcp_servers.relay]\ncommand = \"/opt/graphql/relay\"\nargs = [\"serve\"]\n";
    write(&world, ".codex/config.toml", config);
    refused(&world, &["install", "codex"], &["another server named relay"]);
    assert_eq!(read(&world, ".codex/config.toml"), config);
    assert!(!world.home().join(".codex/hooks.json").exists());
}

#[test]
fn a_server_without_a_plain_command_is_another_one() {
    for config in [
        "[mcp_servers.relay]\nurl = \"https://relay.example/mcp\"\n",
        "[mcp_servers.relay]\ncommand = \"\"\"relay\"\"\"\nargs = [\"bus\"]\n",
        "[mcp_servers.relay]\ncommand = '''relay'''\nargs = [\"bus\"]\n",
        "[mcp_servers.relay]\ncommand = \"\\U00000072elay\"\nargs = [\"bus\"]\n",
        "[mcp_servers.relay.env]\nA = \"b\"\n",
    ] {
        let world = with_hosts();
        write(&world, ".codex/config.toml", config);
        let before = files(&world);
        let why = "has another server named relay; it was left alone: rename it and try again";
        refused(&world, &["install", "codex"], &[why]);
        assert!(world.ok(&["uninstall", "codex"]).contains("has nothing of relay's"));
        assert_eq!(files(&world), before);

        // It took the place of relay's.
        write(&world, ".codex/config.toml", "");
        world.ok(&["install", "codex"]);
        write(&world, ".codex/config.toml", config);
        world.ok(&["uninstall", "codex"]);
        assert_eq!(read(&world, ".codex/config.toml"), config);
    }
    let world = with_hosts();
    let config =
        "{\"mcpServers\": {\"relay\": {\"type\": \"http\", \"url\": \"https://relay.example/mcp\"}}}";
    write(&world, ".claude.json", config);
    refused(&world, &["install", "claude"], &["another server named relay;"]);
}

#[test]
fn hooks_of_another_form_are_left_alone() {
    for config in [
        "[hooks]\n",
        "[hooks]\nx = 1\n",
        "[hooks.pre]\ncommand = \"a\"\n",
        "hooks.x = 1\n",
        "hooks = []\n",
        "[[hooks.pre]]\ncommand = \"a\"\n",
    ] {
        let world = with_hosts();
        world.project(".kimi-code");
        write(&world, ".kimi-code/config.toml", config);
        let before = files(&world);
        refused(&world, &["install", "kimi"], &["config.toml", "left alone"]);
        world.ok(&["uninstall", "kimi"]);
        assert_eq!(files(&world), before);
    }
    let world = with_hosts();
    world.project(".kimi-code");
    let config = "[[hooks]]\nevent = \"Stop\"\ncommand = \"mine\"\n\n[ hooksx ]\nhooks = 1\n";
    write(&world, ".kimi-code/config.toml", config);
    world.ok(&["install", "kimi"]);
    world.ok(&["uninstall", "kimi"]);
    assert_eq!(read(&world, ".kimi-code/config.toml"), config);
}

#[test]
fn without_a_note_the_server_goes_by_its_program() {
    let world = with_hosts();
    world.project(".gemini");
    let settings = "{\n  \"a\": 1\n}\n";
    write(&world, ".gemini/settings.json", settings);
    world.ok(&["install", "gemini", "codex", "claude"]);
    std::fs::remove_dir_all(world.store()).unwrap();
    let said = world.ok(&["uninstall", "gemini", "codex", "claude"]);
    assert!(!said.contains("it stays"), "{said}");
    assert_eq!(read(&world, ".gemini/settings.json"), settings);
    assert!(!read(&world, ".codex/config.toml").contains("relay"));
    assert!(!read(&world, ".claude.json").contains("relay"));

    // Another program of that name may be the user's.
    let server = "{\"mcpServers\": {\"relay\": {\"command\": \"/gone/relay\", \"args\": [\"bus\"]}}}\n";
    for (host, path, way) in [
        ("gemini", ".gemini/settings.json", "remove it by hand"),
        ("claude", ".claude.json", "remove it with: claude mcp remove --scope user relay"),
    ] {
        write(&world, path, server);
        let said = world.ok(&["uninstall", host]);
        let line = said.lines().find(|line| line.contains("/gone/relay")).unwrap_or_else(|| panic!("{said}"));
        assert!(line.contains("it stays") && line.ends_with(way), "{line}");
        assert!(!said.contains("has nothing of relay's"), "{said}");
        assert_eq!(read(&world, path), server);
    }
}

#[test]
fn a_note_that_the_server_is_the_users_is_believed() {
    let world = with_hosts();
    world.project(".gemini");
    let server =
        format!("\"relay\": {{\"command\": {:?}, \"args\": [\"bus\"]}}", env!("CARGO_BIN_EXE_relay"));
    write(&world, ".gemini/settings.json", &format!("{{\"mcpServers\": {{{server}}}}}\n"));
    world.ok(&["install", "gemini"]);
    let changed = read(&world, ".gemini/settings.json") + "\n";
    write(&world, ".gemini/settings.json", &changed);
    world.ok(&["uninstall", "gemini"]);
    let left = read(&world, ".gemini/settings.json");
    assert!(left.contains(&server) && !left.contains("hook"), "{left}");
}
