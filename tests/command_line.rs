//! The command line as people meet it: help, man page, completions, mistakes.

mod harness;

use std::io::Write;
use std::process::{Command, Stdio};

use harness::{ALICE, BOB, World};

/// Every verb, as the overview names them.
fn verbs(world: &World) -> Vec<String> {
    let overview = world.ok(&["help"]);
    let listed =
        overview.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next().map(str::to_owned));
    let inline = overview
        .lines()
        .filter(|line| line.contains(": ") && !line.starts_with("relay") && !line.starts_with("More"));
    let inline = inline.flat_map(|line| line.split_once(": ").unwrap().1.split(", ").map(str::to_owned));
    let verbs: Vec<String> = listed.chain(inline).collect();
    assert!(
        verbs.len() > 15 && verbs.contains(&"send".to_owned()) && verbs.contains(&"bus".to_owned()),
        "{verbs:?}"
    );
    verbs
}

/// The flags that a verb's help names.
fn flags(help: &str) -> Vec<String> {
    help.lines()
        .filter_map(|line| line.strip_prefix("  --")?.split([' ', '=']).next().map(str::to_owned))
        .collect()
}

/// Whether a program is here; says so when a check must be skipped.
fn installed(program: &str) -> bool {
    let found =
        Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        println!("skipped: {program} is not installed");
    }
    found
}

#[test]
fn help_fits_a_terminal_and_reaches_every_verb() {
    let world = World::new();
    let overview = world.ok(&["help"]);
    assert!(
        overview.lines().count() <= 36 && overview.lines().all(|line| line.chars().count() <= 80),
        "{overview}"
    );
    assert_eq!(world.ok(&["--help"]), overview);
    for verb in verbs(&world) {
        let help = world.ok(&["help", &verb]);
        assert!(help.starts_with(&format!("relay {verb}")), "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
        assert_eq!(world.ok(&[&verb, "--help"]), help);
        assert_eq!(world.ok(&[&verb, "-h"]), help);
    }
    assert!(!world.store().exists(), "help touches nothing");
}

#[test]
fn every_verb_and_flag_stands_in_the_man_page_and_the_completions() {
    let world = World::new();
    let scripts: Vec<String> =
        ["bash", "zsh", "fish"].map(|shell| world.ok(&["completions", shell])).to_vec();
    let man = world.ok(&["man"]).replace("\\-", "-");
    for verb in verbs(&world) {
        assert!(man.contains(&format!(".SS {verb}\n")), "{verb}");
        let flags = flags(&world.ok(&["help", &verb]));
        for text in &scripts {
            assert!(text.contains(&verb), "{verb}");
            assert!(flags.iter().all(|flag| text.contains(flag.as_str())), "{verb}: {flags:?}");
        }
        assert!(flags.iter().all(|flag| man.contains(&format!("--{flag}"))), "{verb}: {flags:?}");
    }
    assert_eq!(world.run(&["completions", "tcsh"]).code, Some(64));
}

#[test]
fn the_man_page_is_clean_roff() {
    if !installed("groff") {
        return;
    }
    let mut groff = Command::new("groff");
    groff.args(["-man", "-ww", "-z", "-Kutf8"]).stdin(Stdio::piped());
    let output = harness::feed(&mut groff, World::new().ok(&["man"]).as_bytes());
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_usage_line_breaks_between_its_parts() {
    let world = World::new();
    let man = world.ok(&["man"]);
    for verb in verbs(&world) {
        let help = world.ok(&["help", &verb]);
        for line in help.split("\n\n").next().unwrap().lines() {
            let count = |sign: char| line.matches(sign).count();
            assert!(count('[') == count(']') && count('<') == count('>'), "{help}");
        }
    }
    assert!(world.ok(&["help", "log"]).starts_with("relay log <who> | --thread <id> | --run <run> "));
    assert!(world.ok(&["help", "install"]).starts_with("relay install [host...] [--dry]\n"));
    assert!(world.ok(&["help", "watch"]).starts_with("relay watch <who>... [--quiet"));
    assert!(man.contains("[\\-\\-tool\\ <host>]") && !man.contains("\n    "), "roff breaks the lines");
}

#[test]
fn help_names_every_host_that_relay_knows() {
    let world = World::new();
    let known = world.run(&["install", "nosuch"]).stderr;
    let known = known.trim_end().split("it knows ").nth(1).unwrap();
    assert!(known.split(", ").count() > 5, "{known}");
    for verb in ["send", "discover", "install", "uninstall", "wake"] {
        let help = world.ok(&["help", verb]).replace('\n', " ");
        assert!(help.contains(&format!("Hosts: {known}")), "{help}");
    }
    let man = world.ok(&["man"]);
    assert!(known.split(", ").all(|host| man.contains(&format!("\n.B {host}\n"))), "{man}");
}

/// Loads the completions into the real shell and asks for what follows `line`.
fn complete(world: &World, shell: &str, probe: &str) -> String {
    let script = world.home().join(format!("relay.{shell}"));
    std::fs::write(&script, world.ok(&["completions", shell])).unwrap();
    let bin = world.project("bin");
    let link = bin.join("relay");
    let _ = std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_relay"), &link);
    let mut command = Command::new(shell);
    world.seal(&mut command);
    command.env("PATH", format!("{}:/usr/bin:/bin", bin.display())).env("SCRIPT", &script);
    let output = command.args(["-c", probe]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn bash_completes_verbs_flags_and_names() {
    if !installed("bash") {
        return;
    }
    let world = World::with_alice_and_bob();
    let ask = |words: &str| {
        let probe = format!(
            "source $SCRIPT; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}}-1)); _relay; echo ${{COMPREPLY[@]}}"
        );
        complete(&world, "bash", &probe)
    };
    assert_eq!(ask("relay se").trim(), "send");
    assert_eq!(ask("relay send --fr").trim(), "--from");
    assert_eq!(ask("relay send al").trim(), "alice");
    assert_eq!(ask("relay register x --tool co").trim(), "codex copilot");
    assert_eq!(ask("relay completions z").trim(), "zsh");
    assert_eq!(ask("relay send bob -- al").trim(), "", "behind the dashes all is message");
}

#[test]
fn fish_completes_verbs_flags_and_names() {
    if !installed("fish") {
        return;
    }
    let world = World::with_alice_and_bob();
    let ask = |line: &str| complete(&world, "fish", &format!("source $SCRIPT; complete -C '{line}'"));
    assert!(ask("relay se").starts_with("send"), "{}", ask("relay se"));
    assert!(ask("relay send --fr").starts_with("--from"));
    assert!(ask("relay send al").starts_with("alice"));
}

#[test]
fn zsh_loads_its_completions() {
    if !installed("zsh") {
        return;
    }
    let world = World::with_alice_and_bob();
    // Zsh completes only at a terminal; here the script is loaded and checked.
    let probe =
        "autoload -U compinit; compinit -u -D; source $SCRIPT && echo ${_comps[relay]} && functions _relay";
    let said = complete(&world, "zsh", probe);
    assert!(
        said.starts_with("_relay\n")
            && said.contains("--from[write in this session")
            && said.contains("_relay_sessions"),
        "{said}"
    );
}

#[test]
fn mistakes_are_one_line_and_never_exit_code_2() {
    let world = World::with_alice_and_bob();
    for arguments in [
        &[][..],
        &["sned"],
        &["send"],
        &["send", "bob"],
        &["send", "bob", "--frm", "x", "--", "y"],
        &["send", "nobody", "--", "x"],
        &["register", "x"],
        &["register", "x/y", "--id", ALICE],
        &["inbox"],
        &["inbox", "nobody"],
        &["inbox", "--hold", "99999", "bob"],
        &["wake", "--id", "--config=evil", "--dir", "/", "--tool", "codex", "--dry"],
        &["wake", "--id", BOB, "--dir", "/nonexistent", "--tool", "codex"],
        &["wake", "--id", BOB, "--dir", "/", "--tool", "nosuch", "--dry"],
        &["send", "--id", BOB, "--tool", "nosuch", "--", "x"],
        &["send", "bob", "--tool", "codex", "--", "x"],
        &["send", "bob", "please", "--id", ALICE, "now"],
        &["send", "bob", "what", "does", "--help", "do"],
        &["discover", "--within", "soon"],
        &["discover", "--tool", "nosuch"],
        &["log", "bob", "--limit", "x"],
        &["log", "bob", "--limit", "0"],
        &["peek", "bob", "--limit", "0"],
        &["log", "--thread", "x", "bob"],
        &["list", "#nobody"],
        &["log", "bob", "--message", "x"],
        &["status", "x"],
        &["ack", "x"],
        &["help", "x"],
    ] {
        let run = world.run(arguments);
        assert!(!matches!(run.code, Some(0 | 2) | None), "{arguments:?}: {:?}", run.code);
        assert_eq!(run.stderr.lines().count(), 1, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.starts_with("relay: ") && run.stdout.is_empty(), "{arguments:?}: {}", run.stderr);
    }
}

#[test]
fn mistakes_are_told_in_words_that_fit_them() {
    let world = World::with_alice_and_bob();
    for (arguments, hint) in [
        (&["install", "--force"][..], "unknown flag '--force' for `relay install`; see `relay help install`"),
        (&["watch", "bob", "--force"], "; see `relay help watch`"),
        (&["send", "--to", "bob", "hi"], "; see `relay help send`, or put -- before the message"),
        (&["log", "bob", "--thread", "x"], "`relay log` takes <who> or --thread, not both"),
        (&["log", "--thread", "x", "bob"], "takes no 'bob'"),
        (&["log", "bob", "--limit", "0"], "--limit takes a number of messages, 1 or more"),
        (&["peek", "bob", "--limit", "0"], "--limit takes a number of messages, 1 or more"),
        (&["inbox", "bob", "--wait", "5s"], "--wait takes a number of seconds, 0 to 86400"),
        (&["inbox", "--wait", "5s", "bob"], "--wait takes a number of seconds, 0 to 86400"),
        (&["inbox", "bob", "--wait", "1.5"], "--wait takes a number of seconds, 0 to 86400"),
        (&["inbox", "bob", "--hold", "1m"], "--hold takes a number of seconds, 1 to 900"),
        (&["version"], "did you mean '--version'?"),
        (&["--json", "list"], "flags come after the verb"),
    ] {
        let run = world.run(arguments);
        assert_eq!(run.code, Some(64), "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.trim_end().ends_with(hint) || run.stderr.contains(hint), "{}", run.stderr);
        assert!(
            run.stderr.contains("before the message") == (arguments[0] == "send"),
            "{arguments:?}: {}",
            run.stderr
        );
    }
    assert!(world.ok(&["install", "codex", "omp", "--help"]).starts_with("relay install"));
}

#[test]
fn a_request_with_a_wait_that_cannot_be_is_not_sent() {
    let world = World::with_alice_and_bob();
    for wait in [&["--wait=99999"][..], &["--wait", "5s"]] {
        let words = [&["request", "bob", "--from", "alice"], wait, &["--", "is it?"]].concat();
        let run = world.run(&words);
        assert!(run.code == Some(64) && run.stderr.contains("--wait takes"), "{}", run.stderr);
        assert_eq!(world.pending("bob"), Vec::<String>::new());
    }
}

#[test]
fn too_much_on_stdin_is_told_as_that() {
    let world = World::with_alice_and_bob();
    for body in ["\u{20ac}".repeat(100_000), "x".repeat(1_000_000)] {
        let run = world.run_with_input(&["send", "bob"], body.as_bytes());
        assert_eq!(run.code, Some(9), "{}", run.stderr);
        assert!(run.stderr.contains("is over 262144 bytes"), "{}", run.stderr);
    }
    let run = world.run_with_input(&["send", "bob"], b"a\xff");
    assert!(run.code == Some(64) && run.stderr.contains("not UTF-8"), "{}", run.stderr);
    world.run_with_input(&["send", "bob"], "x".repeat(262_144).as_bytes());
    assert_eq!(world.pending("bob"), ["x".repeat(262_144)]);
}

#[test]
fn a_flag_inside_the_message_is_message() {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "bob", "--", "please", "--id", ALICE, "now"]);
    assert_eq!(world.pending("bob"), [format!("please --id {ALICE} now")]);
    assert_eq!(world.pending("alice"), Vec::<String>::new());
    let run = world.run(&["wake", "bob", "--dir", "/nonexistent", "--", "explain", "--dry"]);
    assert_ne!(run.code, Some(0), "it did not run dry");
}

#[test]
fn wake_plans_what_hosts_understand() {
    let world = World::with_alice_and_bob();
    let plan = world.json(&["wake", "bob", "--dry", "--", "--evil"]);
    let arguments: Vec<&str> = plan["args"].as_array().unwrap().iter().map(|a| a.as_str().unwrap()).collect();
    assert_eq!(plan["tool"], "codex");
    assert_eq!(arguments[..4], ["exec", "resume", BOB, "--json"]);
    assert_eq!(arguments[arguments.len() - 2..], ["--", "--evil"]);
    let plan = world.json(&["wake", "alice", "--dry", "two words\nand a line"]);
    let arguments: Vec<&str> = plan["args"].as_array().unwrap().iter().map(|a| a.as_str().unwrap()).collect();
    assert_eq!(
        arguments,
        ["-p", "--resume", ALICE, "--output-format", "json", "--", "two words\nand a line"]
    );
    assert_eq!(
        (&plan["cmd"], &plan["cwd"]),
        (&"claude".into(), &world.project("a").to_str().unwrap().into())
    );
    let run = world.run(&["wake", "alice"]);
    assert_eq!(run.code, Some(3), "alice is live: {}", run.stderr);
}

#[test]
fn a_woken_host_gets_a_clean_environment_and_its_exit_code_counts() {
    let world = World::with_alice_and_bob();
    world.hook("claude", &world.event(ALICE, "a", "SessionEnd", serde_json::json!({"reason": "other"})));
    let bin = world.project("bin");
    let script = "#!/bin/sh\nenv > $HOME/env; pwd > $HOME/pwd; cat > $HOME/stdin; echo out; echo err >&2; exit ${CODE:-0}\n";
    let program = bin.join("claude");
    let mut file = std::fs::File::create(&program).unwrap();
    file.write_all(script.as_bytes()).unwrap();
    drop(file);
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for (code, expected) in [("0", 0), ("7", 7), ("2", 1)] {
        let mut command = world.command(&["wake", "alice", "--", "hello"]);
        command.env("PATH", format!("{}:/usr/bin:/bin", bin.display())).env("CODE", code);
        command
            .env("CLAUDE_CODE_SESSION_ID", BOB)
            .env("CLAUDECODE", "1")
            .env("CODEX_THREAD_ID", "x")
            .env("KEPT", "yes");
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(expected));
        assert_eq!(output.stdout, b"out\n");
        assert!(output.stderr.starts_with(b"err\n"));
    }
    let variables = std::fs::read_to_string(world.home().join("env")).unwrap();
    assert!(
        variables.contains("KEPT=yes") && !variables.contains("CLAUDE") && !variables.contains("CODEX"),
        "{variables}"
    );
    let directory = std::fs::read_to_string(world.home().join("pwd")).unwrap();
    assert_eq!(std::path::Path::new(directory.trim()), world.project("a"));
    assert_eq!(std::fs::read(world.home().join("stdin")).unwrap(), b"");
}

#[test]
fn called_by_another_name_it_is_in_that_mode() {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "bob", "--", "hi"]);
    for (name, arguments, input, expected) in [
        ("relay-peek", &["bob"][..], "", "\"body\": \"hi\""),
        ("relay-bus", &[], "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n", "\"result\":{}"),
        ("relay-hook", &["codex"], "{}", ""),
    ] {
        let link = world.home().join(name);
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_relay"), &link).unwrap();
        let mut command = Command::new(&link);
        world.seal(&mut command);
        let output = harness::feed(command.args(arguments).stdin(Stdio::piped()), input.as_bytes());
        assert_eq!(output.status.code(), Some(0), "{name}");
        assert!(String::from_utf8_lossy(&output.stdout).contains(expected), "{name}");
    }
}

#[test]
fn the_demo_shows_mail_both_ways_and_leaves_nothing() {
    let world = World::new();
    let before: Vec<_> =
        std::fs::read_dir(std::env::temp_dir()).unwrap().flatten().map(|e| e.file_name()).collect();
    let shown = world.ok(&["demo"]);
    assert!(
        shown.contains("| Does GET /users page by cursor") && shown.contains("| By cursor: pass next_cursor")
    );
    assert!(!world.store().exists());
    let left = std::fs::read_dir(std::env::temp_dir()).unwrap().flatten().map(|e| e.file_name());
    let left: Vec<_> =
        left.filter(|n| n.to_string_lossy().starts_with("relay-demo-") && !before.contains(n)).collect();
    assert!(left.is_empty(), "{left:?}");
}
