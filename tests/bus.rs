//! The bus on the wire: whatever a client sends, in every revision.

mod harness;

use std::process::Stdio;

use harness::{ALICE, BOB, World, feed};
use serde_json::{Value, json};

const M: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
const LEGACY: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
const PING: &str = r#"{"jsonrpc":"2.0","id":"alive","method":"ping"}"#;

fn init(revision: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{"protocolVersion":"{revision}","capabilities":{{}},"clientInfo":{{"name":"t","version":"1"}}}}}}"#
    )
}

fn call(id: u64, tool: &str, arguments: Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}).to_string()
}

/// What the bus prints for these lines: raw, one string a line. It must live to
/// the end and leave quietly.
fn raw(world: &World, input: &[u8]) -> Vec<String> {
    let mut command = world.command(&["bus"]);
    let output = feed(command.env("RELAY_PROJECT_DIR", world.project("a")).stdin(Stdio::piped()), input);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(str::to_owned).collect()
}

fn bus(lines: &[&str]) -> Vec<Value> {
    let world = World::new();
    let answers = raw(&world, format!("{}\n", lines.join("\n")).as_bytes());
    answers.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn one(line: &str) -> Value {
    let answers = bus(&[line]);
    assert_eq!(answers.len(), 1, "{line}: {answers:?}");
    answers.into_iter().next().unwrap()
}

fn code(answer: &Value) -> i64 {
    answer["error"]["code"].as_i64().unwrap_or_else(|| panic!("an error: {answer}"))
}

fn tool_json(answer: &Value) -> Value {
    let text = answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"));
    serde_json::from_str(text).unwrap_or_else(|_| panic!("{text}"))
}

#[test]
fn initialize_agrees_on_the_clients_revision_or_the_newest() {
    for revision in LEGACY {
        let answer = one(&init(revision));
        assert_eq!(
            (answer["id"].as_u64(), &answer["result"]["protocolVersion"]),
            (Some(0), &json!(revision))
        );
        assert!(answer["result"].get("resultType").is_none());
        assert!(answer["result"]["capabilities"]["tools"].is_object());
        assert_eq!(answer["result"]["serverInfo"].get("title").is_some(), revision >= "2025-06-18");
    }
    for unknown in ["2026-07-28", "2099-01-01", "1999-01-01", ""] {
        assert_eq!(one(&init(unknown))["result"]["protocolVersion"], "2025-11-25");
    }
    for broken in [
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":5}}"#,
    ] {
        assert_eq!(code(&one(broken)), -32602);
    }
}

#[test]
fn a_client_that_opens_like_session_relays_is_served() {
    let open = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#;
    let answers = bus(&[open, &call(2, "whoami", json!({}))]);
    assert_eq!(tool_json(&answers[1])["registered"], false);
}

#[test]
fn ids_come_back_digit_for_digit() {
    for id in ["9007199254740993", "-7", "0", "\"\"", "\"ünï\"", "18446744073709551616", "\"a\\u0062\""] {
        let world = World::new();
        let line = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        assert_eq!(raw(&world, line.as_bytes()), [format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#)]);
    }
    for id in ["null", "1.5", "true", "{}", "[1]", "1e400"] {
        let answer = one(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#));
        assert_eq!((code(&answer), answer.get("id")), (-32600, None), "{id}");
    }
}

/// Lines that cannot be JSON, or are read as two by some readers, are never printed.
fn assert_one_json_a_line(lines: &[String]) {
    for line in lines {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "not JSON: {line}");
        assert!(!line.contains(['\u{7f}', '\u{85}', '\u{2028}', '\u{2029}']), "may be split: {line}");
    }
}

#[test]
fn no_id_breaks_the_line_it_is_echoed_in() {
    let world = World::new();
    let deep = format!(r#""\q","x":{}"#, "[".repeat(100));
    for id in [
        "01",
        "-01",
        "00",
        "-",
        r#""\q""#,
        r#""\u00""#,
        r#""\u 0 0 4 1""#,
        "\"a\tb\"",
        "\"\u{1}\"",
        r#""\ud83d""#,
        &deep,
    ] {
        let answers = raw(
            &world,
            format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"ping\"}}\n{PING}").as_bytes(),
        );
        assert_eq!(answers.len(), 2, "{id}: {answers:?}");
        assert_one_json_a_line(&answers);
    }
    for (id, echoed) in [("\"ü\u{2028}\"", r#""ü\u2028""#), ("\"\u{7f}\u{85}\"", r#""\u007f\u0085""#)] {
        let answers =
            raw(&world, format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"ping\"}}").as_bytes());
        assert_eq!(answers, [format!(r#"{{"jsonrpc":"2.0","id":{echoed},"result":{{}}}}"#)]);
    }
    let cut = raw(&world, br#"{"jsonrpc":"2.0","id":12"#);
    assert!(!cut[0].contains("\"id\""), "12 may be the beginning of 1234: {cut:?}");
}

#[test]
fn two_requests_with_one_id_are_two_requests() {
    let ping = r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#;
    let answers = raw(&World::new(), format!("\u{feff}{ping}\r\n{ping}\r\n").as_bytes());
    assert_eq!(answers, [r#"{"jsonrpc":"2.0","id":2,"result":{}}"#; 2]);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    /// Requests with bytes cut out, put in, and mixed up.
    #[test]
    fn damaged_lines_get_json_or_nothing(
        edits in proptest::collection::vec((0..7usize, 0..PIECES.len(), 0..500usize, 0..12usize), 1..60),
    ) {
        let list = format!(r#"{{"jsonrpc":"2.0","id":"a\\u0062","method":"tools/list","params":{{{M}}}}}"#);
        let lines = [
            PING.to_owned(),
            init("2025-03-26"),
            list,
            call(7, "send", json!({"to": "x", "body": "\u{2028}"})),
            call(8, "inbox", json!({"offset": 1})),
            format!("[{PING},{PING}]"),
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":8}}"#.to_owned(),
        ];
        let mut input = Vec::new();
        for (line, piece, at, cut) in edits {
            let mut line = lines[line].clone().into_bytes();
            let at = at % line.len();
            let end = (at + cut).min(line.len());
            line.splice(at..end, PIECES[piece].iter().copied());
            input.extend(line);
            input.push(b'\n');
        }
        assert_one_json_a_line(&raw(&World::new(), &input));
    }
}

const PIECES: [&[u8]; 20] = [
    b"",
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\\u",
    b"\\ud83d",
    b"\\u 0 0 4 1",
    b"0",
    b"-",
    b"\"id\":01,",
    b"\x00",
    b"\xff",
    b"\xe2\x80\xa8",
    b"\x7f",
    b"\t",
];

#[test]
fn broken_lines_are_answered_and_survived() {
    let deep = "[".repeat(100_000);
    let deep_params = format!(
        r#"{{"jsonrpc":"2.0","id":3,"method":"ping","params":{{"x":{}1{}}}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let long = format!(r#"{{"jsonrpc":"2.0","id":4,"method":"ping","x":"{}"}}"#, "y".repeat(10_000_000));
    let cases: [(&str, i64, Value); 16] = [
        ("{nope", -32700, Value::Null),
        ("5", -32600, Value::Null),
        ("\"x\"", -32600, Value::Null),
        ("[]", -32600, Value::Null),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, -32600, Value::Null),
        (r#"{"id":1,"method":"ping"}"#, -32600, json!(1)),
        (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, -32600, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1}"#, -32600, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}"#, -32602, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#, -32600, Value::Null),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"x"}"#, -32600, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{},"params":{}}"#, -32600, json!(1)),
        (r#"{"jsonrpc":"2.0","id":9,"method":"#, -32700, json!(9)),
        (&deep, -32700, Value::Null),
        (&deep_params, -32600, json!(3)),
        (&long, -32600, Value::Null),
    ];
    for (line, expected, id) in cases {
        let answers = bus(&[line, PING]);
        let shown = &line[..line.len().min(60)];
        assert_eq!(answers.len(), 2, "{shown}");
        assert_eq!(code(&answers[0]), expected, "{shown}: {}", answers[0]);
        assert_eq!(answers[0].get("id").cloned().unwrap_or(Value::Null), id, "{shown}");
        assert_eq!(answers[1]["id"], "alive");
    }
}

#[test]
fn bytes_that_are_no_text_are_survived() {
    let world = World::new();
    let mut input = b"\xff\xfe\x00binary\xc3\x28\n".to_vec();
    input.extend(b"\x00\x01\x02\n");
    input.extend(PING.as_bytes());
    input.extend(b"\n{\"jsonrpc\":\"2.0\",\"id\":5,\"meth");
    let answers = raw(&world, &input);
    assert_eq!(answers.len(), 4);
    assert!(answers[0].contains("-32700") && answers[2].contains("alive"));
    assert!(answers[3].contains("\"id\":5"), "the end came in the middle of a line: {}", answers[3]);
}

#[test]
fn what_needs_no_answer_gets_none() {
    for line in [
        r#"{"jsonrpc":"2.0","method":"notifications/whatever"}"#,
        r#"{"jsonrpc":"2.0","method":"tools/list"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}"#,
        "",
        "   ",
        "\r",
    ] {
        assert_eq!(bus(&[line, PING]).len(), 1, "{line:?}");
    }
}

#[test]
fn errors_without_an_id_are_not_answered_for_ever() {
    let lines = vec!["{nope"; 100];
    let mut lines: Vec<&str> = lines;
    lines.push(PING);
    assert_eq!(bus(&lines).len(), 21);
}

#[test]
fn stateless_requests_are_served_at_any_time() {
    let discover = format!(
        r#"{{"jsonrpc":"2.0","id":"server-discover-probe-1","method":"server/discover","params":{{{M}}}}}"#
    );
    let answer = one(&discover);
    let result = &answer["result"];
    assert_eq!(answer["id"], "server-discover-probe-1");
    assert_eq!(
        (&result["resultType"], &result["supportedVersions"]),
        (&json!("complete"), &json!(["2026-07-28"]))
    );
    assert!(
        result["ttlMs"].is_u64()
            && result["cacheScope"] == "public"
            && result["capabilities"]["tools"].is_object()
    );
    let list = format!(r#"{{"jsonrpc":"2.0","id":"a","method":"tools/list","params":{{{M}}}}}"#);
    let legacy_list = r#"{"jsonrpc":"2.0","id":3,"method":"tools/list"}"#;
    let answers = bus(&[&list, &init("2025-06-18"), legacy_list, &list, &discover]);
    for (index, modern) in [(0, true), (2, false), (3, true)] {
        let result = &answers[index]["result"];
        assert_eq!(result["tools"].as_array().unwrap().len(), 6);
        assert_eq!(result.get("resultType").is_some(), modern);
        assert_eq!(result.get("ttlMs").is_some(), modern);
    }
}

#[test]
fn a_stateless_request_must_say_what_it_is() {
    let with = |meta: &str, method: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{"_meta":{meta}}}}}"#)
    };
    let (version, capabilities) =
        ("io.modelcontextprotocol/protocolVersion", "io.modelcontextprotocol/clientCapabilities");
    for meta in [
        "{}".to_owned(),
        format!(r#"{{"{version}":"2026-07-28"}}"#),
        format!(r#"{{"{capabilities}":{{}}}}"#),
        format!(r#"{{"{version}":5,"{capabilities}":{{}}}}"#),
    ] {
        assert_eq!(code(&one(&with(&meta, "server/discover"))), -32602, "{meta}");
    }
    assert_eq!(code(&one(r#"{"jsonrpc":"2.0","id":1,"method":"server/discover"}"#)), -32602);
    for unsupported in ["1900-01-01", "2025-11-25"] {
        let meta = format!(r#"{{"{version}":"{unsupported}","{capabilities}":{{}}}}"#);
        for method in ["tools/list", "foo/bar"] {
            let answer = one(&with(&meta, method));
            assert_eq!(code(&answer), -32022);
            assert_eq!(
                answer["error"]["data"],
                json!({"supported": ["2026-07-28"], "requested": unsupported})
            );
        }
    }
    for removed in ["ping", "initialize", "logging/setLevel", "resources/subscribe", "foo/bar"] {
        let line = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{removed}","params":{{{M}}}}}"#);
        assert_eq!(code(&one(&line)), -32601, "{removed}");
    }
    let first = one(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
    assert_eq!(code(&first), -32602);
    assert!(first["error"]["message"].as_str().unwrap().contains("initialize"));
}

#[test]
fn batches_are_read_in_their_one_revision() {
    let ping = |id: u64| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
    let note = r#"{"jsonrpc":"2.0","method":"notifications/x"}"#;
    let batch = format!("[{},{note},{}]", ping(2), ping(3));
    let answers = bus(&[&init("2025-03-26"), &batch, &format!("[{note}]"), "[]", "[1,{}]", &ping(4)]);
    assert_eq!(answers.len(), 5, "{answers:?}");
    assert_eq!(
        answers[1],
        json!([{"jsonrpc":"2.0","id":2,"result":{}}, {"jsonrpc":"2.0","id":3,"result":{}}])
    );
    assert_eq!(code(&answers[2]), -32600);
    assert_eq!(answers[3].as_array().unwrap().iter().map(code).collect::<Vec<_>>(), [-32600, -32600]);
    assert_eq!(code(&bus(&[&init("2025-11-25"), &batch])[1]), -32600);
    let with_initialize = format!("[{},{}]", init("2025-11-25"), ping(2));
    let broken = r#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#;
    let answers = bus(&[&init("2025-03-26"), &with_initialize, broken, &batch]);
    assert_eq!((code(&answers[1][0]), answers[1][1]["id"].as_u64()), (-32600, Some(2)));
    assert_eq!(answers[3].as_array().unwrap().len(), 2, "neither has changed the revision");
    let of = |count: usize| format!("[{}]", vec![ping(2); count].join(","));
    let answers = bus(&[&init("2025-03-26"), &of(100), &of(101)]);
    assert_eq!((answers[1].as_array().unwrap().len(), code(&answers[2])), (100, -32600));
}

#[test]
fn tools_are_told_from_their_mistakes() {
    for open in [init("2025-11-25"), PING.to_owned()] {
        let modern = open == PING;
        let wrap = |id: u64, params: &str| match modern {
            true => {
                format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{{M},{params}}}}}"#)
            }
            false => format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{{params}}}}}"#),
        };
        for params in [
            r#""name":"nosuch""#,
            r#""name":"whoami","arguments":null"#,
            r#""name":"whoami","arguments":[]"#,
            r#""arguments":{}"#,
        ] {
            assert_eq!(code(&bus(&[&open, &wrap(1, params)])[1]), -32602, "{params}");
        }
        for (params, hint) in [
            (r#""name":"whoami","arguments":{"x":1}"#, "unknown argument 'x'"),
            (r#""name":"send","arguments":{"to":"bob"}"#, "'body' is missing"),
            (r#""name":"send","arguments":{"to":5,"body":"x"}"#, "'to' must be a string"),
            (r#""name":"send","arguments":{"to":"b","body":"x","kind":"order"}"#, "'kind' must be"),
            (r#""name":"inbox","arguments":{"offset":-1}"#, "'offset' must be"),
            (r#""name":"discover","arguments":{"activeWithinMin":"x"}"#, "'activeWithinMin' must be"),
        ] {
            let answer = &bus(&[&open, &wrap(1, params)])[1];
            assert_eq!(answer["result"]["isError"], true, "{answer}");
            assert!(answer["result"]["content"][0]["text"].as_str().unwrap().contains(hint), "{answer}");
            assert_eq!(answer["result"].get("resultType").is_some(), modern);
        }
        assert!(bus(&[&open, &wrap(1, r#""name":"whoami""#)])[1]["result"].get("isError").is_none());
    }
    let listed = bus(&[
        &init("2025-11-25"),
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"zzz"}}"#,
    ]);
    assert_eq!(code(&listed[1]), -32602);
}

#[test]
fn the_tool_list_is_the_same_from_every_process_and_fits_the_revision() {
    let lines = format!("{}\n{}\n", init("2025-11-25"), r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
    assert_eq!(raw(&World::new(), lines.as_bytes())[1], raw(&World::new(), lines.as_bytes())[1]);
    for (revision, annotated) in [("2024-11-05", false), ("2025-03-26", true)] {
        let answers = bus(&[&init(revision), r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#]);
        for tool in answers[1]["result"]["tools"].as_array().unwrap() {
            assert_eq!(tool.get("annotations").is_some(), annotated);
        }
    }
}

#[test]
fn nothing_is_touched_before_the_first_tool_call() {
    let world = World::new();
    let discover = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{{{M}}}}}"#);
    raw(&world, format!("{}\n{discover}\n{PING}\n", init("2025-06-18")).as_bytes());
    assert!(!world.store().exists());
}

#[test]
fn a_closed_stdout_ends_the_bus_quietly_and_keeps_the_mail() {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "alice", "--", "kept"]);
    let mut command = world.command(&["bus"]);
    command
        .env("RELAY_PROJECT_DIR", world.project("a"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let lines = format!("{}\n{}\n", init("2025-06-18"), call(1, "inbox", json!({})));
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
    assert_eq!(world.pending("alice"), ["kept"]);
}

/// A conversation through two buses.
fn as_session(world: &World, folder: &str, calls: &[(&str, Value)]) -> Vec<Value> {
    let mut lines = init("2025-11-25") + "\n";
    for (index, (tool, arguments)) in calls.iter().enumerate() {
        lines += &(call(index as u64 + 1, tool, arguments.clone()) + "\n");
    }
    let mut command = world.command(&["bus"]);
    let output =
        feed(command.env("RELAY_PROJECT_DIR", world.project(folder)).stdin(Stdio::piped()), lines.as_bytes());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn six_tools_work_together() {
    let world = World::with_alice_and_bob();
    let answers = as_session(
        &world,
        "a",
        &[
            ("whoami", json!({})),
            ("register", json!({"name": "alicia"})),
            ("roster", json!({})),
            ("send", json!({"to": "bob", "body": "hello\u{2028}\u{0}🦀", "kind": "request"})),
            ("send", json!({"to": "bbo", "body": "x"})),
            ("register", json!({"name": "bob"})),
            ("discover", json!({})),
        ],
    );
    let me = tool_json(&answers[0]);
    assert_eq!((&me["id"], &me["name"], &me["tool"]), (&json!(ALICE), &json!("alice"), &json!("claude")));
    assert_eq!(tool_json(&answers[1])["name"], "alicia");
    let agents = tool_json(&answers[2])["agents"].as_array().unwrap().clone();
    assert_eq!(agents.len(), 2);
    assert!(agents.iter().all(|agent| agent["live"] == true && agent["lastSeen"].is_string()));
    assert_eq!(agents.iter().find(|agent| agent["self"] == true).unwrap()["id"], ALICE);
    let sent = tool_json(&answers[3]);
    assert_eq!((&sent["ok"], &sent["delivered_to"]), (&json!(true), &json!("bob")));
    assert_eq!(sent["recipient_dir"], world.project("b").to_str().unwrap());
    assert!(answers[4]["result"]["content"][0]["text"].as_str().unwrap().contains("did you mean 'bob'?"));
    assert_eq!(
        (&answers[4]["result"]["isError"], &answers[5]["result"]["isError"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(tool_json(&answers[6])["count"], 0);
    let mail = tool_json(&as_session(&world, "b", &[("inbox", json!({}))])[0]);
    assert_eq!(mail["count"], 1);
    let message = &mail["messages"][0];
    assert_eq!(
        (&message["from"], &message["fromName"], &message["body"]),
        (&json!(ALICE), &json!("alicia"), &json!("hello\u{2028}\u{0}🦀"))
    );
    assert_eq!(message["id"], sent["id"]);
    let reply = ("send", json!({"to": "alicia", "body": "hi", "in_reply_to": message["id"]}));
    as_session(&world, "b", &[reply]);
    assert!(world.ok(&["status", sent["id"].as_str().unwrap()]).starts_with("replied"));
}

#[test]
fn a_body_cut_inside_an_emoji_arrives() {
    let world = World::with_alice_and_bob();
    let send = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"send","arguments":{"to":"bob","body":"cut \ud83d"}}}"#;
    let answers = raw(&world, format!("{}\n{send}\n", init("2025-11-25")).as_bytes());
    assert_eq!(tool_json(&serde_json::from_str(&answers[1]).unwrap())["ok"], true);
    assert_eq!(world.pending("bob"), ["cut \u{fffd}"]);
}

#[test]
fn the_next_call_proves_that_the_mail_arrived() {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "bob", "--", "one"]);
    as_session(&world, "b", &[("inbox", json!({}))]);
    assert_eq!(world.json(&["peek", "bob"])["held"], 1);
    assert_eq!(tool_json(&as_session(&world, "b", &[("inbox", json!({}))])[0])["count"], 0);
    assert!(world.json(&["peek", "bob"]).get("held").is_none());
    world.ok(&["send", "bob", "--", "two"]);
    as_session(&world, "b", &[("inbox", json!({}))]);
    world.hook("codex", &world.event(BOB, "b", "PostToolUse", json!({"tool_name": "inbox"})));
    assert!(world.json(&["peek", "bob"]).get("held").is_none(), "the hook after the call proves it too");
}

#[test]
fn a_long_message_comes_in_parts_and_a_full_box_in_pages() {
    let world = World::with_alice_and_bob();
    let body: String = (0..20_000).map(|n| format!("{n:05}🦀")).collect();
    assert_eq!(world.run_with_input(&["send", "bob"], body.as_bytes()).code, Some(0));
    let answer = &as_session(&world, "b", &[("inbox", json!({}))])[0];
    assert!(answer.to_string().len() < 64 * 1024);
    let first = tool_json(answer)["messages"][0].clone();
    assert_eq!(first["body_bytes"], body.len());
    let mut read = first["body"].as_str().unwrap().to_owned();
    let mut next = Some(json!(read.len()));
    while let Some(offset) = next {
        let part = tool_json(
            &as_session(&world, "b", &[("inbox", json!({"id": first["id"], "offset": offset}))])[0],
        );
        read += part["body"].as_str().unwrap();
        next = part.get("next_offset").cloned();
    }
    assert_eq!(read, body);
    for number in 0..300 {
        world.ok(&["send", "bob", "--", &format!("{number} {}", "x".repeat(500))]);
    }
    let mut seen = 0;
    loop {
        let answer = &as_session(&world, "b", &[("inbox", json!({}))])[0];
        assert!(answer.to_string().len() < 64 * 1024);
        let mail = tool_json(answer);
        if mail["count"] == 0 {
            break;
        }
        for message in mail["messages"].as_array().unwrap() {
            assert!(message["body"].as_str().unwrap().starts_with(&format!("{seen} ")));
            seen += 1;
        }
    }
    assert_eq!(seen, 300);
}

#[test]
fn the_host_may_name_the_session_in_the_call() {
    let world = World::new();
    let id = "0199aaaa-1111-7111-8111-111111111111";
    let line = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"whoami","arguments":{{}},"_meta":{{"sessionId":"{id}","threadId":"{id}","progressToken":0}}}}}}"#
    );
    let answers = raw(&world, format!("{}\n{line}\n", init("2025-06-18")).as_bytes());
    let me = tool_json(&serde_json::from_str(&answers[1]).unwrap());
    assert_eq!((&me["id"], &me["tool"]), (&json!(id), &json!("codex")));
    assert!(me["name"].as_str().unwrap().starts_with("a-"), "it has a name at once: {me}");
}
