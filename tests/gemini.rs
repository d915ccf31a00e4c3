//! Gemini CLI: what is its own among the hosts.

mod harness;

use std::process::Stdio;

use harness::{World, feed, injected};
use serde_json::{Value, json};

const ONE: &str = "5e78750c-57fd-4afe-9ff5-f2d1347b66fc";
const TWO: &str = "aaaaaaaa-57fd-4afe-9ff5-f2d1347b66fc";

fn event(world: &World, name: &str, more: Value) -> Value {
    world.event(ONE, "app", name, more)
}

fn begun() -> World {
    let world = World::new();
    world.start("gemini", ONE, "app", "one");
    world
}

fn task(name: &str) -> Value {
    json!({"tool_name": "invoke_agent", "tool_input": {"agent_name": "generalist", "prompt": name}})
}

#[test]
fn a_start_says_nothing_and_the_prompt_after_it_does() {
    let world = begun();
    world.ok(&["send", "one", "--", "hello"]);
    for source in ["startup", "resume", "clear"] {
        assert_eq!(world.hook("gemini", &event(&world, "SessionStart", json!({"source": source}))), None);
    }
    let output = world.hook("gemini", &event(&world, "BeforeAgent", json!({"prompt": "hi"}))).unwrap();
    assert_eq!(output["hookSpecificOutput"]["hookEventName"], "BeforeAgent");
    assert!(injected(Some(output)).contains("| hello\n"));
}

#[test]
fn mail_handed_over_at_a_turns_end_is_no_prompt_of_the_users() {
    let world = begun();
    world.hook("gemini", &event(&world, "BeforeAgent", json!({"prompt": "work"})));
    let mut turns = 0;
    for number in 0..20 {
        world.ok(&["send", "one", "--", &format!("again {number}")]);
        let end = json!({"prompt": "work", "prompt_response": format!("done {number}"), "stop_hook_active": number > 0});
        let Some(output) = world.hook("gemini", &event(&world, "AfterAgent", end)) else { break };
        assert_eq!(output["decision"], "block");
        // Gemini CLI announces the reason like a prompt.
        let again = json!({"prompt": output["reason"]});
        assert_eq!(world.hook("gemini", &event(&world, "BeforeAgent", again)), None);
        turns += 1;
    }
    assert_eq!(turns, 7, "a bound, though every hand-over looks like a new prompt");
    let output = world.hook("gemini", &event(&world, "BeforeAgent", json!({"prompt": "and now?"})));
    assert!(injected(output).contains("| again 7\n"), "the rest is there at the next prompt");
    world.ok(&["send", "one", "--", "later"]);
    let end = json!({"prompt": "and now?", "prompt_response": "fine", "stop_hook_active": false});
    assert!(injected(world.hook("gemini", &event(&world, "AfterAgent", end))).contains("| later\n"));
}

#[test]
fn a_subagents_tools_do_not_get_the_sessions_mail() {
    let world = begun();
    world.hook("gemini", &event(&world, "BeforeAgent", json!({"prompt": "delegate"})));
    assert_eq!(world.hook("gemini", &event(&world, "BeforeTool", task("A"))), None);
    assert_eq!(world.hook("gemini", &event(&world, "BeforeTool", task("B"))), None);
    world.ok(&["send", "one", "--", "for the session"]);
    let tool = json!({"tool_name": "run_shell_command", "tool_input": {"command": "true"}, "n": 1});
    assert_eq!(world.hook("gemini", &event(&world, "AfterTool", tool.clone())), None);
    assert_eq!(world.hook("gemini", &event(&world, "AfterTool", task("A"))), None, "B is at work yet");
    assert_eq!(world.pending("one"), ["for the session"]);
    let output = world.hook("gemini", &event(&world, "AfterTool", task("B")));
    assert!(injected(output).contains("| for the session\n"), "at once when it is done");

    // One that is cancelled never comes back: the turn's end does.
    world.hook("gemini", &event(&world, "BeforeTool", task("C")));
    world.ok(&["send", "one", "--", "second"]);
    assert_eq!(world.hook("gemini", &event(&world, "AfterTool", tool)), None);
    let end = json!({"prompt": "delegate", "prompt_response": "stopped", "stop_hook_active": false});
    assert!(injected(world.hook("gemini", &event(&world, "AfterAgent", end))).contains("| second\n"));
    world.ok(&["send", "one", "--", "third"]);
    let tool = json!({"tool_name": "glob", "tool_input": {}});
    assert!(
        injected(world.hook("gemini", &event(&world, "AfterTool", tool))).contains("| third\n"),
        "forgotten"
    );
}

#[test]
fn a_hook_that_fails_says_nothing_at_all() {
    // Where stdout is empty Gemini CLI takes stderr for the hook's answer.
    let world = World::new();
    let good = event(&world, "BeforeAgent", json!({"prompt": "hi"})).to_string();
    let file = world.home().join("a-file");
    std::fs::write(&file, "").unwrap();
    let homes =
        [world.store(), file.clone(), file.join("below"), "/proc/relay".into(), "/proc/relay/below".into()];
    for home in homes {
        for input in [&good, "", "no JSON", "{\"hook_event_name\":\"BeforeAgent\"}"] {
            let mut hook = world.command(&["hook", "gemini"]);
            hook.env("AGENT_RELAY_HOME", &home)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            let output = feed(&mut hook, input.as_bytes());
            assert!(output.status.success(), "{home:?} {input}: {output:?}");
            assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{home:?} {input}: {output:?}");
        }
    }
}

/// Who a child of this test's process is, in the folder.
fn whoami(world: &World, folder: &str) -> String {
    let mut command = world.command(&["whoami", "--json"]);
    command.env("GEMINI_CLI", "1").env("RELAY_PROJECT_DIR", world.project(folder));
    let output = command.output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn live(world: &World) -> Vec<String> {
    let rows = world.json(&["list", "--json"]);
    let rows = rows.as_array().unwrap().iter().filter(|row| row["live"] == true);
    rows.map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn another_conversation_at_the_same_prompt_ends_the_one_before() {
    let world = begun();
    let prompt =
        |id: &str| world.hook("gemini", &world.event(id, "app", "BeforeAgent", json!({"prompt": "hi"})));
    // `/resume` in a terminal fires no event; the next prompt comes under another id.
    for id in [TWO, ONE, TWO] {
        prompt(id);
        assert_eq!(live(&world), [id]);
        assert!(whoami(&world, "app").contains(&format!("\"id\":\"{id}\"")), "{}", whoami(&world, "app"));
    }
    // The other's late events bring it back no more.
    world.hook("gemini", &event(&world, "AfterAgent", json!({"prompt": "hi", "prompt_response": "late"})));
    assert_eq!(live(&world), [TWO]);
    let note = std::fs::read_dir(world.store().join("processes")).unwrap().next().unwrap().unwrap().path();
    let many = std::fs::read_to_string(&note).unwrap() + &format!("{TWO}\n").repeat(1000);
    std::fs::write(&note, many).unwrap();
    prompt(ONE);
    assert_eq!(live(&world), [ONE], "also when the note of them all is begun anew");
    assert!(std::fs::metadata(&note).unwrap().len() < 1000);
    prompt(TWO);
    assert_eq!(live(&world), [TWO]);
}

#[test]
fn sessions_that_an_editor_runs_in_one_process_are_not_taken_for_each_other() {
    let world = World::new();
    let prompt = |id: &str, app: &str| {
        world.hook("gemini", &world.event(id, app, "BeforeAgent", json!({"prompt": "hi"})))
    };
    // Driven by an editor it fires no SessionStart.
    prompt(ONE, "app");
    assert!(whoami(&world, "app").contains(ONE));
    prompt(TWO, "app");
    let answer = whoami(&world, "app");
    assert!(answer.contains("cannot tell") && answer.contains(" or "), "{answer}");
    world.ok(&["send", "--id", ONE, "--", "for one"]);
    world.ok(&["send", "--id", TWO, "--", "for two"]);
    assert!(injected(prompt(ONE, "app")).contains("| for one\n"));
    assert!(injected(prompt(TWO, "app")).contains("| for two\n"));
    assert!(whoami(&world, "app").contains("cannot tell"), "whoever spoke last");
    assert_eq!(live(&world).len(), 2);
    // In a directory of its own each is known.
    let world = World::new();
    world.hook("gemini", &world.event(ONE, "app", "BeforeAgent", json!({"prompt": "hi"})));
    world.hook("gemini", &world.event(TWO, "elsewhere", "BeforeAgent", json!({"prompt": "hi"})));
    assert!(whoami(&world, "app").contains(ONE) && whoami(&world, "elsewhere").contains(TWO));
}

#[test]
fn sessions_are_found_by_what_their_files_say() {
    let world = World::new();
    let chats = world.project(".gemini/tmp/app/chats");
    let file = |name: &str, line: &str| {
        std::fs::write(chats.join(name), format!("{line}\n{{\"$set\":{{}}}}\n")).unwrap()
    };
    file(
        "session-2026-11-21T05-07-5e78750c.jsonl",
        &format!(
            r#"{{"sessionId":"{ONE}","projectHash":"x","startTime":"2026-11-21T05:07:00Z","kind":"main"}}"#
        ),
    );
    file(
        "session-2026-11-21T05-08-aaaaaaaa.jsonl",
        r#"{"sessionId":"aaaaaaaa-57fd-4afe-9ff5-f2d1347b66fc","kind":"subagent"}"#,
    );
    file("session-2026-11-21T05-09-bbbbbbbb.jsonl", r#"{"sessionId":"../../etc","kind":"main"}"#);
    file("session-2026-11-21T05-10-cccccccc.jsonl", "no JSON");
    file("notes.jsonl", &format!(r#"{{"sessionId":"{ONE}","kind":"main"}}"#));
    std::os::unix::fs::symlink("/etc/passwd", chats.join("session-2026-11-21T05-11-dddddddd.jsonl")).unwrap();
    std::fs::write(chats.join("../.project_root"), "/w/app").unwrap();
    let found = world.json(&["discover", "--tool", "gemini", "--json"]);
    assert_eq!(found.as_array().unwrap().len(), 1, "{found}");
    assert_eq!((&found[0]["id"], &found[0]["cwd"]), (&ONE.into(), &"/w/app".into()));
    assert_eq!(found[0].get("title"), None);
    let path = chats.join("session-2026-11-21T05-07-5e78750c.jsonl");
    let summaries = ["first", "mend\n the  \u{1b}[31mbuild", &"x".repeat(500)];
    for (summary, shown) in
        summaries.iter().zip(["first", "mend the [31mbuild", &format!("{}...", "x".repeat(60))])
    {
        let line = json!({"$set": {"summary": summary}});
        let text = std::fs::read_to_string(&path).unwrap() + &line.to_string() + "\nno JSON {\n";
        std::fs::write(&path, text).unwrap();
        assert_eq!(
            world.json(&["discover", "--tool", "gemini", "--json"])[0]["title"],
            shown,
            "the last one holds"
        );
    }

    // A link in the place of the file that names the directory is not followed.
    std::fs::remove_file(chats.join("../.project_root")).unwrap();
    std::fs::write(world.home().join("elsewhere"), "/secret").unwrap();
    std::os::unix::fs::symlink(world.home().join("elsewhere"), chats.join("../.project_root")).unwrap();
    assert_eq!(world.json(&["discover", "--tool", "gemini", "--json"])[0]["cwd"], Value::Null);
}
