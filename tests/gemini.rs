//! Gemini CLI: what is its own among the hosts.

mod harness;

use harness::{World, injected};
use serde_json::{Value, json};

const ONE: &str = "5e78750c-57fd-4afe-9ff5-f2d1347b66fc";

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
