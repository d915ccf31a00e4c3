//! Mail through the bus when the client or its pipes misbehave: what was not
//! seen is never consumed.

mod harness;

use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use harness::{World, feed};
use serde_json::{Value, json};

fn init(revision: &str) -> String {
    let params =
        json!({"protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}).to_string()
}

fn call(id: u64, tool: &str) -> String {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "arguments": {}}})
        .to_string()
}

fn cancel(id: Value) -> String {
    json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}}).to_string()
}

/// Two sessions, with one mail for bob.
fn mail_for_bob() -> World {
    let world = World::with_alice_and_bob();
    world.ok(&["send", "bob", "--", "one"]);
    world
}

fn bobs_bus(world: &World) -> Command {
    let mut command = world.command(&["bus"]);
    command.env("RELAY_PROJECT_DIR", world.project("b")).stdin(Stdio::piped());
    command
}

/// What the tool calls in these lines, all sent at once, are answered.
fn at_once(world: &World, lines: &[String]) -> Vec<Value> {
    let output = feed(&mut bobs_bus(world), (lines.join("\n") + "\n").as_bytes());
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn mail(answer: &Value) -> Value {
    serde_json::from_str(answer["result"]["content"][0]["text"].as_str().unwrap()).unwrap()
}

/// A client that waits for each answer before it goes on.
struct Client {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Client {
    fn open(world: &World) -> Client {
        let mut child = bobs_bus(world).stdout(Stdio::piped()).spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut client = Client { child, input, output };
        client.ask(&init("2025-11-25"));
        client
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    fn ask(&mut self, line: &str) -> Value {
        self.tell(line);
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap()
    }

    fn close(mut self) {
        drop(self.input);
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn a_stdout_that_was_never_there_takes_no_mail() {
    let world = mail_for_bob();
    let mut command = Command::new("sh");
    world.seal(&mut command);
    command.env("RELAY_PROJECT_DIR", world.project("b")).stdin(Stdio::piped());
    command.args(["-c", "exec \"$0\" bus >&-", env!("CARGO_BIN_EXE_relay")]);
    let lines = [init("2025-11-25"), call(1, "inbox"), call(2, "inbox"), call(3, "inbox")].join("\n");
    let output = feed(&mut command, (lines + "\n").as_bytes());
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
    assert_eq!(world.pending("bob"), ["one"]);
}

#[test]
fn a_call_that_was_sent_before_the_answer_proves_nothing() {
    let world = mail_for_bob();
    let answers = at_once(&world, &[init("2025-11-25"), call(1, "inbox"), call(2, "inbox")]);
    assert_eq!(mail(&answers[0])["count"], 1);
    assert_eq!(mail(&answers[1]), json!({"count": 0, "messages": [], "held": 1}));
    assert_eq!(world.json(&["peek", "bob"])["held"], 1, "nothing has proved that it arrived");
    assert_eq!(mail(&at_once(&world, &[init("2025-11-25"), call(1, "inbox")])[0])["count"], 0);
    assert!(world.json(&["peek", "bob"]).get("held").is_none(), "a later call proves it");
}

#[test]
fn a_call_in_the_same_batch_proves_nothing() {
    let world = mail_for_bob();
    let batch = format!("[{},{}]", call(1, "inbox"), call(2, "inbox"));
    let answers = at_once(&world, &[init("2025-03-26"), batch]);
    assert_eq!(
        (mail(&answers[0][0])["count"].clone(), mail(&answers[0][1])["count"].clone()),
        (json!(1), json!(0))
    );
    assert_eq!(world.json(&["peek", "bob"])["held"], 1);
}

#[test]
fn a_call_after_the_answer_proves_that_it_arrived() {
    let world = mail_for_bob();
    let mut client = Client::open(&world);
    assert_eq!(mail(&client.ask(&call(1, "inbox")))["count"], 1);
    assert_eq!(mail(&client.ask(&call(2, "inbox"))), json!({"count": 0, "messages": []}));
    client.tell(&cancel(json!(1)));
    assert_eq!(mail(&client.ask(&call(3, "inbox")))["count"], 0, "too late to give it up");
    client.close();
}

#[test]
fn a_call_that_the_client_gave_up_has_shown_nothing() {
    let world = mail_for_bob();
    let again = |answer: &Value| {
        let mail = mail(answer);
        (mail["count"].clone(), mail["messages"][0]["redelivered"].clone())
    };
    let mut client = Client::open(&world);
    client.ask(&call(1, "inbox"));
    client.tell(&cancel(json!(1)));
    assert_eq!(again(&client.ask(&call(2, "inbox"))), (json!(1), json!(true)));
    for other in [json!("2"), json!(1), json!(99), json!(null)] {
        client.tell(&cancel(other));
    }
    assert_eq!(mail(&client.ask(&call(3, "inbox")))["count"], 0, "another request was given up, not this");
    client.close();

    let world = mail_for_bob();
    let answers =
        at_once(&world, &[init("2025-11-25"), call(1, "inbox"), cancel(json!(1)), call(2, "inbox")]);
    assert_eq!(again(&answers[1]), (json!(1), json!(true)), "also when it was given up before the answer");
}

#[test]
fn pipes_that_were_left_not_to_wait_are_waited_for() {
    let world = World::new();
    let (ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    let mut child = world
        .command(&["bus"])
        .stdin(OwnedFd::from(theirs.try_clone().unwrap()))
        .stdout(OwnedFd::from(theirs))
        .spawn()
        .unwrap();
    ours.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut writer = ours.try_clone().unwrap();
    const LISTS: usize = 500; // more than the socket holds of the answers
    let sender = std::thread::spawn(move || {
        writeln!(writer, "{}", init("2025-11-25")).unwrap();
        for id in 0..LISTS {
            writeln!(writer, "{}", json!({"jsonrpc": "2.0", "id": id, "method": "tools/list"})).unwrap();
        }
        writer.shutdown(std::net::Shutdown::Write).unwrap();
    });
    std::thread::sleep(Duration::from_millis(100)); // it must wait for us, in vain to read and to write
    let answers: Vec<Value> =
        BufReader::new(ours).lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    sender.join().unwrap();
    assert_eq!(answers.len(), LISTS + 1);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_roster_of_many_sessions_is_cut_and_says_so() {
    let world = World::with_alice_and_bob();
    const MANY: usize = 150;
    for number in 0..MANY {
        let id = format!("44444444-4444-4444-8444-{number:012}");
        world.hook("claude", &world.event(&id, "many", "SessionStart", json!({"source": "startup"})));
    }
    let answer = &at_once(&world, &[init("2025-11-25"), call(1, "roster")])[0];
    assert!(answer.to_string().len() < 32 * 1024, "{}", answer.to_string().len());
    let roster = mail(answer);
    let shown = roster["agents"].as_array().unwrap().len();
    assert_eq!(shown as u64 + roster["more"].as_u64().unwrap(), MANY as u64 + 2);
    assert!(roster["next"].is_string());
    let two = mail(&at_once(&World::with_alice_and_bob(), &[init("2025-11-25"), call(1, "roster")])[0]);
    assert!(two.get("more").is_none() && two.get("next").is_none());
}

#[test]
fn an_answer_between_two_calls_that_crossed_proves_nothing() {
    let world = mail_for_bob();
    let ping = json!({"jsonrpc": "2.0", "id": 2, "method": "ping"}).to_string();
    let answers = at_once(&world, &[init("2025-11-25"), call(1, "inbox"), ping, call(3, "inbox")]);
    assert_eq!((mail(&answers[0])["count"].clone(), mail(&answers[2])["held"].clone()), (json!(1), json!(1)));
    assert_eq!(world.json(&["peek", "bob"])["held"], 1, "nobody is known to have read it");
}

#[test]
fn a_call_given_up_in_a_batch_has_shown_nothing_either() {
    let world = mail_for_bob();
    let batch = format!("[{}]", cancel(json!(1)));
    let answers = at_once(&world, &[init("2025-03-26"), call(1, "inbox"), batch, call(2, "inbox")]);
    assert_eq!(mail(answers.last().unwrap())["messages"][0]["body"], "one", "{answers:?}");
}
