//! `relay install` and `uninstall`: the user's files keep everything that is the
//! user's. Small scripts play the hosts' programs; the lab has the real ones.

mod harness;

use std::os::unix::fs::PermissionsExt;

use harness::homes::{commands, files, read, script, with_hosts, write};
use serde_json::Value;

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
fn equal_groups_at_two_events_each_keep_the_users_hook() {
    let relay = env!("CARGO_BIN_EXE_relay");
    let hook = |program: &str| format!("{{\"type\": \"command\", \"command\": \"{program}\"}}");
    let hooks =
        |group: &str| format!("{{\"hooks\": {{\"Stop\": [{group}], \"SessionStart\": [{group}]}}}}\n");
    let group = |hooks: &[String]| format!("{{\"hooks\": [{}]}}", hooks.join(", "));
    let mine = group(&[hook("/home/u/mine.sh")]);
    for program in [relay, "/gone/relay"] {
        let world = with_hosts();
        let both = group(&[hook("/home/u/mine.sh"), hook(&format!("'{program}' hook codex"))]);
        let path = write(&world, ".codex/hooks.json", &hooks(&both));
        world.ok(&["uninstall", "codex"]);
        assert_eq!(read(&world, ".codex/hooks.json"), hooks(&mine));

        std::fs::write(&path, hooks(&both)).unwrap();
        world.ok(&["install", "codex"]);
        let now = read(&world, ".codex/hooks.json");
        assert_eq!(now.matches("mine.sh").count(), 2, "{now}");
        assert_eq!((now.matches(relay).count(), now.matches("/gone/").count()), (5, 0), "{now}");
    }
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
fn a_host_named_twice_is_one_host() {
    let world = with_hosts();
    let before = files(&world);
    for verb in ["install", "uninstall"] {
        let said = world.ok(&[verb, "codex", "claude", "codex"]);
        assert_eq!(said.matches("Codex: the server relay").count(), 1, "{said}");
    }
    let after: Vec<_> =
        files(&world).into_iter().filter(|(path, _)| !path.ends_with(".claude.json")).collect();
    assert_eq!(after, before);
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
fn a_host_that_cannot_be_wired_keeps_nobody_else_from_it() {
    let world = with_hosts();
    std::fs::remove_file(world.home().join("bin/claude")).unwrap();
    let before = files(&world);
    let why = "relay: Claude Code is left out: no program 'claude' on the PATH; Claude Code adds servers with it, so install it first\n";
    let dry = world.run(&["install", "--dry"]);
    assert_eq!((dry.code, dry.stderr.as_str()), (Some(4), why));
    assert!(dry.stdout.contains("Codex: the server relay"), "{}", dry.stdout);
    let named = world.run(&["install", "codex", "claude"]);
    assert_eq!((named.code, named.stdout.as_str()), (Some(4), ""), "all that were named, or none");
    assert_eq!(files(&world), before);

    let run = world.run(&["install"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(4), why));
    assert!(run.stdout.contains("Codex: checked") && run.stdout.ends_with("check it with: relay doctor\n"));
    assert_eq!(commands(&read(&world, ".codex/hooks.json")).len(), 5);
    assert!(!world.home().join(".claude/settings.json").exists());
    let said = world.ok(&["doctor"]);
    assert!(
        said.contains("note     Claude Code") && said.contains("no program 'claude' on the PATH"),
        "{said}"
    );

    // One whose program fails, and one whose file cannot be read.
    let world = with_hosts();
    script(&world.home().join("bin/claude"), "exit 1");
    let run = world.run(&["install"]);
    assert_eq!((run.code, run.stdout.contains("Codex: checked")), (Some(1), true), "{}", run.stderr);
    assert!(run.stderr.starts_with("relay: Claude Code is left out: claude mcp add "), "{}", run.stderr);
    write(&world, ".claude/settings.json", "not JSON");
    let run = world.run(&["uninstall"]);
    assert_eq!((run.code, run.stderr.contains("Claude Code is left out")), (Some(1), true), "{}", run.stderr);
    assert!(!world.home().join(".codex/hooks.json").exists(), "Codex is rid of it");
}
