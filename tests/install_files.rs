//! `relay install` and `uninstall` where a file is a link, is in the way, cannot be
//! read or cannot be written: nothing is lost, and what is wrong is named.

mod harness;

use harness::World;
use harness::homes::{files, read, with_hosts, write};

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
        let run = world.run(&["install", "codex", "claude"]);
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
fn a_comment_over_several_lines_stays_whole() {
    for settings in [
        "{\n  \"a\": 1 /* x\n  y */\n}",
        "{ \"hooks\": {} /* mine\n more */ }",
        "{\n  \"hooks\": { /* mine\n more */ }\n}\n",
    ] {
        let world = World::new();
        for (host, path) in [("gemini", ".gemini/settings.json"), ("cursor", ".cursor/hooks.json")] {
            world.project(&format!(".{host}"));
            write(&world, path, settings);
            world.ok(&["install", host]);
            let wired = read(&world, path);
            assert!(world.ok(&["install", host]).contains("is wired already"), "{wired}");
            assert_eq!(read(&world, path), wired);
            let comment = &settings[settings.find("/*").unwrap()..settings.find("*/").unwrap() + 2];
            assert!(wired.contains(comment), "{wired}");
            // Changed since, so that the entries are taken out one by one.
            write(&world, path, &(wired + "\n"));
            world.ok(&["uninstall", host]);
            let left = read(&world, path);
            assert!(left.contains(comment) && !left.contains("relay"), "{left}");
        }
    }
}
