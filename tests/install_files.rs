//! `relay install` and `uninstall` where a file is a link, is in the way, cannot be
//! read or cannot be written: nothing is lost, and what is wrong is named.

mod harness;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::process::Command;

use harness::homes::{copy_program, files, read, refused, script, with_hosts, write};
use harness::{Run, World};

/// A home with Gemini CLI in it, whose settings are these.
fn with_gemini(settings: &str) -> World {
    let world = World::new();
    world.project(".gemini");
    let bin = world.project("bin");
    script(&bin.join("gemini"), "cat \"$HOME/.gemini/settings.json\"");
    write(&world, ".gemini/settings.json", settings);
    world.with("PATH", &format!("{}:/usr/bin:/bin", bin.display()))
}

const SETTINGS: &str = "{\n  \"a\": 1\n}\n";

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
        refused(&world, &["install", "codex", "claude"], &[".claude/settings.json", "left alone"]);
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
        refused(&world, &["install", "codex"], &["config.toml"]);
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
    let mut strace = Command::new("strace");
    world.seal(&mut strace);
    strace.args(program).arg(&draft).args([
        "-e",
        "inject=?open,openat:error=EROFS",
        env!("CARGO_BIN_EXE_relay"),
        "install",
        "claude",
    ]);
    let Run { code, stderr, .. } = Run::of(strace.output().unwrap());
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("cannot write") && stderr.contains(".claude/settings.json"), "{stderr}");
    world.ok(&["uninstall", "claude"]);
    let after: Vec<_> =
        files(&world).into_iter().filter(|(path, _)| !path.ends_with(".claude.json")).collect();
    assert_eq!(after, before);
}

#[test]
fn a_pipe_is_neither_waited_for_nor_replaced() {
    for (path, host, is_link) in [
        (".gemini/settings.json", "gemini", false),
        (".gemini/settings.json", "gemini", true),
        (".claude.json", "claude", false),
        (".config/opencode/plugins/relay.js", "opencode", true),
    ] {
        let world = with_hosts();
        script(&world.home().join("bin").join(host), "true");
        let path = world.home().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let pipe = if is_link { world.home().join("pipe") } else { path.clone() };
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        if is_link {
            symlink(&pipe, &path).unwrap();
        }
        let before = files(&world);
        for words in [&["install", host][..], &["install", "--dry", host], &["uninstall", host], &["doctor"]]
        {
            let mut command = Command::new("timeout");
            world.seal(&mut command);
            let run =
                Run::of(command.args(["20", env!("CARGO_BIN_EXE_relay")]).args(words).output().unwrap());
            let said = format!("{}{}", run.stdout, run.stderr);
            assert_eq!(run.code, Some(1), "{words:?}: {said}");
            let line = said.lines().find(|line| line.contains("it is no regular file"));
            assert!(line.is_some_and(|line| line.contains(path.to_str().unwrap())), "{words:?}: {said}");
        }
        assert_eq!(files(&world), before);
        assert!(fs::metadata(&path).is_ok_and(|data| !data.is_file()) && path.is_symlink() == is_link);
    }
}

#[test]
fn a_link_where_relay_puts_a_draft_or_a_copy_is_not_followed() {
    let world = with_gemini(SETTINGS);
    let mine = write(&world, "mine", "the user's own\n");
    let at = |ending: &str| world.home().join(format!(".gemini/settings.json{ending}"));
    symlink(&mine, at(".relay-draft")).unwrap();
    symlink(&mine, at(".relay-backup-2.relay-draft")).unwrap();
    symlink(world.home().join("none"), at(".relay-backup")).unwrap();
    let said = world.ok(&["install", "gemini"]);
    assert!(said.contains("settings.json.relay-backup-2"), "{said}");
    assert_eq!(
        (read(&world, "mine").as_str(), world.home().join("none").exists()),
        ("the user's own\n", false)
    );
    assert!(fs::symlink_metadata(at("")).unwrap().is_file());
    world.ok(&["uninstall", "gemini"]);
    assert_eq!(read(&world, ".gemini/settings.json"), SETTINGS);
    assert!(at(".relay-backup").is_symlink());
}

#[test]
fn a_copy_of_the_users_own_stays_even_when_it_is_the_same() {
    let world = with_gemini(SETTINGS);
    write(&world, ".gemini/settings.json.relay-backup", SETTINGS);
    let before = files(&world);
    world.ok(&["install", "gemini"]);
    world.ok(&["uninstall", "gemini"]);
    assert_eq!(files(&world), before);
}

#[test]
fn without_its_copy_a_file_still_loses_what_is_relays() {
    let world = with_gemini(SETTINGS);
    let before = files(&world);
    for installs in 1..3 {
        for _ in 0..installs {
            world.ok(&["install", "gemini"]);
        }
        fs::remove_file(world.home().join(".gemini/settings.json.relay-backup")).unwrap();
        world.ok(&["uninstall", "gemini"]);
        assert_eq!(files(&world), before);
    }
}

#[test]
fn a_link_to_nothing_is_told_before_anything_is_changed() {
    for (link, host) in [
        (".claude/settings.json", "claude"),
        (".claude", "claude"),
        (".claude.json", "claude"),
        (".codex", "codex"),
    ] {
        let world = with_hosts();
        let path = world.home().join(link);
        let _ = fs::remove_dir(&path);
        symlink(world.home().join("none"), &path).unwrap();
        let before = files(&world);
        for words in [&["install", "--dry", host][..], &["install", host]] {
            refused(&world, words, &[link, "a link that leads to nothing"]);
        }
        world.ok(&["uninstall", host]);
        assert!(path.is_symlink() && files(&world) == before);
    }
}

#[test]
fn a_file_keeps_its_owner() {
    const OWNER: u32 = 12_345;
    let world = with_gemini(SETTINGS);
    let folder = world.home().join(".gemini");
    let path = folder.join("settings.json");
    if chown(&path, Some(OWNER), Some(OWNER)).is_err() {
        return println!("skipped: only root can give a file away");
    }
    let owner = |path: &std::path::Path| (path.metadata().unwrap().uid(), path.metadata().unwrap().gid());
    fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    world.ok(&["install", "gemini"]);
    assert_eq!(owner(&path), (OWNER, OWNER));
    assert_eq!(owner(&folder.join("settings.json.relay-backup")), (OWNER, OWNER));
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    world.ok(&["uninstall", "gemini"]);
    assert_eq!(owner(&path), (OWNER, OWNER));

    // A file that is made is the folder's owner's.
    fs::remove_file(&path).unwrap();
    chown(&folder, Some(OWNER), Some(OWNER)).unwrap();
    world.ok(&["install", "gemini"]);
    assert_eq!(owner(&path), (OWNER, OWNER));
    world.ok(&["uninstall", "gemini"]);
    write(&world, ".gemini/settings.json", SETTINGS);
    chown(&path, Some(OWNER), None).unwrap();

    // Where root may not do that either.
    let before = files(&world);
    let mut strace = Command::new("strace");
    world.seal(&mut strace);
    strace
        .args(["-qq", "-f", "-o", "/dev/null", "-e", "trace=fchown", "-e", "inject=fchown:error=EPERM"])
        .args([env!("CARGO_BIN_EXE_relay"), "install", "gemini"]);
    let Run { code, stderr, .. } = Run::of(strace.output().unwrap());
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("settings.json: its owner and group cannot be kept"), "{stderr}");
    assert_eq!(files(&world), before);
}

#[test]
fn another_users_file_is_left_alone() {
    const USER: u32 = 12_345;
    let world = with_gemini(SETTINGS);
    let relay = world.home().join("bin/relay");
    copy_program(env!("CARGO_BIN_EXE_relay"), &relay);
    if [world.home(), &world.home().join(".gemini")].iter().any(|path| chown(path, Some(USER), None).is_err())
    {
        return println!("skipped: only root can be somebody else");
    }
    let before = files(&world);
    for words in [&["install", "--dry", "gemini"][..], &["install", "gemini"]] {
        let mut command = Command::new(&relay);
        world.seal(&mut command);
        let run = Run::of(command.args(words).uid(USER).gid(USER).output().unwrap());
        assert_eq!(run.code, Some(1), "{}", run.stdout);
        assert!(run.stderr.contains("settings.json: it belongs to another user"), "{}", run.stderr);
    }
    assert_eq!(files(&world), before);
}

#[test]
fn many_at_once_do_it_once() {
    let world = with_gemini(SETTINGS);
    let before = files(&world);
    for verb in ["install", "uninstall"] {
        let start =
            |_| world.command(&[verb, "gemini"]).stderr(std::process::Stdio::piped()).spawn().unwrap();
        let all: Vec<_> = (0..8).map(start).collect();
        for one in all {
            let run = Run::of(one.wait_with_output().unwrap());
            assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{verb}");
        }
        let copies =
            files(&world).iter().filter(|(path, _)| path.to_string_lossy().contains("relay-")).count();
        assert_eq!(copies, usize::from(verb == "install"));
    }
    assert_eq!(files(&world), before);
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
