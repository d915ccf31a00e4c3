//! Random histories of one mailbox, against a model of a few lines. A history
//! that differs is shrunk to its shortest form and printed.

mod harness;

use harness::{ALICE, BOB, World};
use proptest::prelude::*;
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug)]
enum Act {
    Send,
    Peek,
    Inbox,
    Hold,
    Acknowledge,
    RollBack,
    Start,
    Prompt,
    ToolUse,
    End,
    /// Alice asks bob.
    Ask,
    /// The last request is answered: in the first words, or in others.
    Answer(bool),
}

fn histories() -> impl Strategy<Value = Vec<Act>> {
    use Act::*;
    let act = prop_oneof![
        4 => Just(Send), 1 => Just(Peek), 1 => Just(Inbox), 2 => Just(Hold), 2 => Just(Acknowledge),
        2 => Just(RollBack), 1 => Just(Start), 2 => Just(Prompt), 2 => Just(ToolUse), 1 => Just(End),
        2 => Just(Ask), 3 => any::<bool>().prop_map(Answer),
    ];
    prop::collection::vec(act, 1..30)
}

/// Who reads the first `count` pending messages.
enum Reader {
    Command,
    /// A hook; in a turn or at a start.
    Hook {
        in_turn: bool,
    },
}

/// What must be true of the mailbox.
#[derive(Default)]
struct Model {
    /// Each message and how often it has been shown without proof.
    pending: Vec<(String, u64)>,
    hold: Option<(Reader, usize)>,
    sent: usize,
    /// How the hold of the last `inbox --hold` ended; `None`: not, or too long ago.
    settled: Option<bool>,
    /// The last request's id, and its reply.
    asked: Option<(String, Option<&'static str>)>,
    /// What alice has been answered.
    replies: Vec<String>,
}

impl Model {
    fn held(&self) -> usize {
        self.hold.as_ref().map_or(0, |(_, count)| *count)
    }

    fn consume(&mut self) {
        self.pending.drain(..self.held());
        self.hold = None;
    }

    fn put_back(&mut self) {
        let held = self.held();
        self.pending[..held].iter_mut().for_each(|(_, times)| *times += 1);
        self.hold = None;
    }

    /// What nobody holds, each with the count of this delivery.
    fn free(&self) -> Vec<(String, u64)> {
        self.pending[self.held()..].iter().map(|(body, times)| (body.clone(), times + 1)).collect()
    }
}

/// The bodies and delivery counts of a command's JSON.
fn told(mail: &Value) -> Vec<(String, u64)> {
    let messages = mail["messages"].as_array().unwrap().iter();
    messages
        .map(|m| (m["body"].as_str().unwrap().to_owned(), m["deliveries"].as_u64().unwrap_or(1)))
        .collect()
}

/// The bodies and delivery counts of a hook's text.
fn shown(output: Option<Value>) -> Vec<(String, u64)> {
    let Some(output) = output else { return Vec::new() };
    let text = harness::injected(Some(output));
    let mut found = Vec::new();
    let mut count = 1;
    for line in text.lines() {
        if let Some(body) = line.strip_prefix("| ") {
            found.push((body.to_owned(), count));
        } else if line.starts_with('[') {
            let marked =
                line.split_once("; time ").map(|(_, rest)| rest.trim_end_matches(')').parse().unwrap());
            count = marked.unwrap_or(1);
        }
    }
    found
}

fn play(history: &[Act]) {
    let world = World::with_alice_and_bob();
    // This process plays bob's host, not alice's: only bob may reply here.
    world.hook("claude", &world.event(ALICE, "a", "SessionEnd", json!({"reason": "other"})));
    let mut model = Model::default();
    let mut token = String::from("none");
    for (step, act) in history.iter().enumerate() {
        let event = |name: &str| world.event(BOB, "b", name, json!({"prompt_id": step, "tool_use_id": step}));
        match act {
            Act::Send => {
                model.sent += 1;
                let body = format!("m{}", model.sent);
                world.ok(&["send", "bob", "--", &body]);
                model.pending.push((body, 0));
            }
            Act::Ask => {
                model.sent += 1;
                let body = format!("m{}", model.sent);
                let sent = world.json(&["request", "bob", "--from", "alice", "--json", "--", &body]);
                model.asked = Some((sent["id"].as_str().unwrap().to_owned(), None));
                model.pending.push((body, 0));
            }
            Act::Answer(yes) => {
                let Some((id, reply)) = &mut model.asked else { continue };
                let body = if *yes { "yes" } else { "no" };
                let code = world.run(&["reply", id, "--", body]).code;
                assert_eq!(code, Some(if reply.is_none_or(|first| first == body) { 0 } else { 5 }));
                if reply.is_none() {
                    *reply = Some(body);
                    model.replies.push(body.to_owned());
                }
            }
            Act::Peek => {
                let mail = world.json(&["peek", "bob"]);
                assert_eq!(told(&mail), model.free());
                assert_eq!(mail["held"].as_u64().unwrap_or(0) as usize, model.held());
            }
            Act::Inbox => {
                let mail = world.json(&["inbox", "bob"]);
                if model.hold.is_some() {
                    assert_eq!(told(&mail), []);
                } else {
                    assert_eq!(told(&mail), model.free());
                    if !model.pending.is_empty() {
                        model.settled = None;
                        token.clear();
                    }
                    model.pending.clear();
                }
            }
            Act::Hold => {
                let run = world.run(&["inbox", "--hold", "600", "bob"]);
                if model.hold.is_some() {
                    assert_eq!(run.code, Some(6));
                } else {
                    let mail: Value = serde_json::from_str(&run.stdout).unwrap();
                    assert_eq!(told(&mail), model.free());
                    assert_eq!(mail["token"].is_null(), model.pending.is_empty());
                    if let Some(new) = mail["token"].as_str() {
                        token = new.to_owned();
                        model.hold = Some((Reader::Command, model.pending.len()));
                        model.settled = None;
                    }
                }
            }
            Act::Acknowledge | Act::RollBack => {
                let acknowledges = matches!(act, Act::Acknowledge);
                let code = world.run(&[if acknowledges { "ack" } else { "rollback" }, &token]).code;
                if matches!(model.hold, Some((Reader::Command, _))) {
                    assert_eq!(code, Some(0));
                    if acknowledges {
                        model.consume()
                    } else {
                        model.put_back()
                    }
                    model.settled = Some(acknowledges);
                } else {
                    assert_eq!(code == Some(0), model.settled == Some(acknowledges), "{code:?}");
                    assert!(matches!(code, Some(0 | 7 | 64)), "{code:?}");
                }
            }
            Act::Start | Act::Prompt | Act::ToolUse => {
                let name = match act {
                    Act::Start => "SessionStart",
                    Act::Prompt => "UserPromptSubmit",
                    _ => "PostToolUse",
                };
                let said = shown(world.hook("codex", &event(name)));
                if matches!(model.hold, Some((Reader::Command, _))) {
                    assert_eq!(said, []);
                } else {
                    match act {
                        Act::ToolUse if model.hold.is_some() => {
                            model.consume();
                            model.settled = None;
                        }
                        // The turn in which it was shown is over without proof.
                        Act::Prompt if matches!(model.hold, Some((Reader::Hook { in_turn: true }, _))) => {
                            model.put_back();
                            model.settled = None;
                        }
                        _ => {}
                    }
                    assert_eq!(said, model.free());
                    let before = matches!(model.hold, Some((Reader::Hook { in_turn: true }, _)));
                    let is_new = !said.is_empty() && !matches!(act, Act::Start);
                    if !model.pending.is_empty() {
                        let in_turn = before || is_new;
                        model.hold = Some((Reader::Hook { in_turn }, model.pending.len()));
                    }
                }
            }
            Act::End => {
                world.hook("codex", &event("SessionEnd"));
                if matches!(model.hold, Some((Reader::Hook { .. }, _))) {
                    model.put_back();
                    model.settled = None;
                }
            }
        }
    }
    model.put_back();
    let mail = world.json(&["peek", "bob"]);
    let left: Vec<String> = told(&mail).into_iter().map(|(body, _)| body).collect();
    let held = mail["held"].as_u64().unwrap_or(0) as usize;
    let pending: Vec<String> = model.pending.iter().map(|(body, _)| body.clone()).collect();
    assert_eq!(left, pending[held..], "what is left at the end");
    assert_eq!(world.pending("alice"), model.replies, "one reply a request");
    assert_eq!(world.run(&["doctor"]).code, Some(0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_history_agrees_with_the_model(history in histories()) {
        play(&history);
    }
}
