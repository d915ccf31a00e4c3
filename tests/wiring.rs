//! What `relay install` writes for the other hosts, and what `relay doctor` says
//! of anybody's wiring.

mod harness;

use harness::World;
use harness::homes::{EVENTS, commands, copy_program, files, read, script, with_hosts, write};
use serde_json::Value;

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
fn what_is_taken_out_leaves_the_comments_around_it() {
    let relay = env!("CARGO_BIN_EXE_relay");
    let world = World::new();
    world.project(".gemini");
    let hook =
        |program: &str| format!("{{\"hooks\": [{{\"type\": \"command\", \"command\": \"{program}\"}}]}}");
    let ours = hook(&format!("'{relay}' hook gemini"));
    let mine = hook("/home/u/mine.sh");
    for (before, after) in [
        (format!("{ours},\n      // my own hook\n      {mine}"), format!("// my own hook\n      {mine}")),
        (format!("{mine}, // my own hook\n      {ours}"), format!("{mine} // my own hook")),
    ] {
        let settings = |stop: &str| {
            format!("{{\n  \"hooks\": {{\n    \"AfterAgent\": [\n      {stop}\n    ]\n  }}\n}}\n")
        };
        write(&world, ".gemini/settings.json", &settings(&before));
        world.ok(&["uninstall", "gemini"]);
        assert_eq!(read(&world, ".gemini/settings.json"), settings(&after));
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
fn another_program_called_relay_is_not_this_one() {
    for is_launcher in [false, true] {
        let world = with_hosts();
        let folder = world.project("tools");
        let (named, own) = (folder.join("relay"), folder.join("relay-x86_64-unknown-linux-musl"));
        copy_program(env!("CARGO_BIN_EXE_relay"), &own);
        if is_launcher {
            copy_program(concat!(env!("CARGO_MANIFEST_DIR"), "/bin/relay"), &named);
        } else {
            script(&named, "echo relay 1.2.3");
        }
        let wired = if is_launcher { &named } else { &own };
        for path in ["/usr/bin:/bin".to_owned(), format!("{}:/usr/bin:/bin", folder.display())] {
            let run = |arguments: &[&str]| {
                let mut command = std::process::Command::new(&own);
                world.seal(&mut command);
                harness::Run::of(command.env("PATH", &path).args(arguments).output().unwrap()).stdout
            };
            let said = run(&["install", "--dry", "codex"]);
            assert!(said.contains(&format!("command = \"{}\"", wired.display())), "{said}");
            if path.contains("tools") {
                let said = run(&["doctor"]);
                let words =
                    if is_launcher { "`relay` is " } else { "`relay` on the PATH is another program: " };
                assert!(said.contains(&format!("{words}{}\n", named.display())), "{said}");
            }
        }
    }
}

#[test]
fn without_hosts_there_is_nothing_to_wire() {
    let world = World::new();
    let run = world.run(&["install"]);
    assert_eq!((run.code, run.stderr.contains("claude, codex")), (Some(4), true), "{}", run.stderr);
    let run = world.run(&["uninstall"]);
    let words = "on this machine; name one to take relay out of it all the same";
    assert_eq!((run.code, run.stderr.contains(words)), (Some(4), true), "{}", run.stderr);
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
        let rest = files(&world).into_iter().find(|(path, _)| path.to_string_lossy().contains(".relay-"));
        assert_eq!(rest, None, "no copy or draft is left: {step}");
        if run.code == Some(0) {
            assert!(step > 10, "the seam was passed");
            return;
        }
    }
    panic!("it never came to its end");
}

#[test]
fn a_crash_while_relay_is_taken_out_is_made_good() {
    for step in 1..100 {
        let world = with_hosts();
        write(&world, ".codex/config.toml", "x = 1\n");
        let before = files(&world);
        world.ok(&["install", "codex"]);
        let mut command = world.command(&["uninstall", "codex"]);
        let run = harness::Run::of(command.env("RELAY_FAULT", format!("crash:{step}")).output().unwrap());
        if step % 2 == 0 {
            world.ok(&["install", "codex"]);
        }
        world.ok(&["uninstall", "codex"]);
        assert_eq!(files(&world), before, "{step}");
        if run.code == Some(0) {
            assert!(step > 5, "the seam was passed");
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
