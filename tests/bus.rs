//! The bus on the wire: whatever a client sends, in every revision.

mod harness;

use std::process::Stdio;

use harness::World;
use harness::wire::{LEGACY, M, PING, bus, call, code, init, one, raw, tool_json};
use serde_json::{Value, json};

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
