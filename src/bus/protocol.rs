//! The five revisions of MCP on one pipe.
//!
//! Invariant: a request that claims the stateless revision in its `_meta` is
//! served without looking at anything before it; every other request is served
//! in the revision that `initialize` agreed on. Nothing is touched in the store
//! before the first tool call.

use std::time::Instant;

use super::rpc::{self, Code, INVALID_PARAMS, INVALID_REQUEST, Incoming, METHOD_NOT_FOUND, Request};
use super::shown::Mail;
use super::tools::Outcome;
use super::waiting::Waiting;
use super::{Answer, schema, tools};
use crate::json::{self, Object, Value};
use crate::limits::BATCH_MESSAGES;
use crate::mail::address::shorten;
use crate::ops::Relay;
use crate::ops::identity::Call;
use crate::sys::watch::Watch;

/// The stateless revision.
const MODERN: &str = "2026-07-28";
/// A list of it, as JSON.
const MODERN_ALONE: &str = r#"["2026-07-28"]"#;
/// The revisions with a handshake, oldest first.
const LEGACY: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
/// The one revision that has batches.
const BATCHES: &str = "2025-03-26";

const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES_KEY: &str = "io.modelcontextprotocol/clientCapabilities";
const LOG_LEVEL_KEY: &str = "io.modelcontextprotocol/logLevel";
const LOG_LEVELS: [&str; 8] =
    ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];
const UNSUPPORTED_VERSION: Code = "-32022";
/// How long a client may keep the static tool list, in milliseconds.
const LIST_TTL_MS: u64 = 3_600_000;
/// Errors without an id that one process answers, so that two programs cannot
/// keep each other busy with them.
const UNCORRELATED_ERRORS: usize = 20;

/// Serves one client.
pub struct Server<'a> {
    relay: &'a Relay,
    /// Calls that wait, and in which era each came.
    waiting: Waiting<Era>,
    /// What `initialize` agreed on.
    legacy: Option<&'static str>,
    uncorrelated: usize,
}

/// A revision that answers one request.
#[derive(Clone, Copy)]
enum Era {
    Legacy(&'static str),
    Modern,
}

/// What a request led to.
enum Served {
    Result(String),
    /// A tool was called; perhaps it waits.
    Tool(Outcome, Era),
}

impl<'a> Server<'a> {
    pub fn new(relay: &'a Relay) -> Server<'a> {
        Server { relay, waiting: Waiting::new(), legacy: None, uncorrelated: 0 }
    }

    /// When a call that waits wants to be looked at; `latest` where that is earlier.
    pub fn next(&self, latest: Instant) -> Instant {
        self.waiting.next(latest)
    }

    /// Watches for what calls wait for. `true`: look at them again.
    pub fn watch(&mut self, watch: &mut Watch) -> bool {
        self.waiting.watch(watch)
    }

    /// What has become of the calls that wait.
    pub fn look_again(&mut self) -> Vec<Answer> {
        let now = Instant::now();
        let mut answers = Vec::new();
        while let Some((request, era, outcome)) = self.waiting.ready(self.relay, now) {
            let mut answer = Answer::default();
            answer.line = Some(tool_answer(&request, outcome, era, &mut answer.mail));
            answers.push(answer);
        }
        let notes = self.waiting.notes(now).into_iter();
        answers.extend(notes.map(|line| Answer { line: Some(line), ..Answer::default() }));
        answers
    }

    /// Answers one line.
    pub fn answer(&mut self, line: &[u8]) -> Answer {
        let mut answer = Answer::default();
        answer.line = match rpc::parse(line) {
            Incoming::Batch(items) => self.answer_batch(&items, &mut answer),
            incoming => self.answer_one(incoming, true, &mut answer),
        };
        answer
    }

    /// Answers a line that was over the limit.
    pub fn refuse_long_line(&mut self) -> Answer {
        let line = self.invalid("Invalid request: the line is too long");
        Answer { line, ..Answer::default() }
    }

    /// The response to one message, if it gets one. What else it leads to is added to
    /// `answer`.
    fn answer_one(&mut self, incoming: Incoming, may_wait: bool, answer: &mut Answer) -> Option<String> {
        let request = match incoming {
            Incoming::Request(request) => request,
            Incoming::Nothing => return None,
            Incoming::GivenUp(id) => {
                self.waiting.give_up(&id);
                answer.given_up.push(id);
                return None;
            }
            Incoming::Batch(_) => {
                return self.invalid("Invalid request: a batch inside a batch");
            }
            Incoming::Broken { id, code, message } => return self.refuse(id.as_deref(), code, message),
        };
        Some(match self.serve(&request) {
            Ok(Served::Result(result)) => rpc::success(&request.id, &result),
            Ok(Served::Tool(mut outcome, era)) => {
                if may_wait {
                    outcome = self.waiting.add(&request.id, era, outcome, request.progress_token())?;
                }
                tool_answer(&request.id, outcome, era, &mut answer.mail)
            }
            Err(error) => rpc::failure(Some(&request.id), error),
        })
    }

    fn answer_batch(&mut self, items: &[String], answer: &mut Answer) -> Option<String> {
        if self.legacy != Some(BATCHES) {
            return self.invalid("Invalid request: this revision has no batches");
        }
        if items.is_empty() {
            return self.invalid("Invalid request: an empty batch");
        }
        if items.len() > BATCH_MESSAGES {
            let message = format!("Invalid request: a batch of more than {BATCH_MESSAGES} messages");
            return self.invalid(&message);
        }
        let mut lines = Vec::new();
        for item in items {
            lines.extend(match rpc::parse(item.as_bytes()) {
                Incoming::Request(request) if request.method == "initialize" => self.refuse(
                    Some(&request.id),
                    INVALID_REQUEST,
                    "Invalid request: initialize inside a batch",
                ),
                incoming => self.answer_one(incoming, false, answer),
            });
        }
        (!lines.is_empty()).then(|| json::array(&lines))
    }

    /// Refuses what is no request and has no id.
    fn invalid(&mut self, message: &str) -> Option<String> {
        self.refuse(None, INVALID_REQUEST, message)
    }

    fn refuse(&mut self, id: Option<&str>, code: Code, message: &str) -> Option<String> {
        if id.is_none() {
            self.uncorrelated += 1;
            if self.uncorrelated > UNCORRELATED_ERRORS {
                return None;
            }
        }
        Some(rpc::failure(id, rpc::error(code, message)))
    }

    /// The result of a request, or the error that it gets.
    fn serve(&mut self, request: &Request) -> Result<Served, Object> {
        let (method, params) = (request.method.as_str(), request.params());
        let meta = params.and_then(|params| params.get("_meta"));
        let claims = |key: &str| meta.is_some_and(|meta| meta.get(key).is_some());
        let era = if claims(VERSION_KEY) || claims(CAPABILITIES_KEY) || method == "server/discover" {
            check_claim(meta)?;
            Era::Modern
        } else {
            match (method, self.legacy) {
                ("initialize", _) => return self.initialize(params).map(Served::Result),
                ("ping", _) => return Ok(Served::Result("{}".to_owned())),
                (_, Some(revision)) => Era::Legacy(revision),
                ("tools/list" | "tools/call", None) => return Err(no_era()),
                (_, None) => return Err(unknown_method(method)),
            }
        };
        match (method, era) {
            ("server/discover", Era::Modern) => Ok(Served::Result(discovery())),
            ("tools/list", _) => list_tools(params, era).map(Served::Result),
            ("tools/call", _) => {
                let (name, arguments) = call_params(params)?;
                let outcome =
                    tools::call(self.relay, &Call::new(self.relay, meta, arguments), name, arguments)
                        .ok_or_else(|| invalid_params(&format!("Unknown tool: {}", shorten(name))))?;
                Ok(Served::Tool(outcome, era))
            }
            _ => Err(unknown_method(method)),
        }
    }

    fn initialize(&mut self, params: Option<Value>) -> Result<String, Object> {
        let newest = LEGACY[LEGACY.len() - 1];
        let Some(asked) = params.and_then(|params| params.get("protocolVersion")).and_then(Value::str) else {
            // session-relay's clients opened like that and were served.
            self.legacy.get_or_insert(newest);
            return Err(invalid_params("Invalid params: no protocolVersion"));
        };
        let revision = LEGACY.into_iter().find(|revision| *revision == asked).unwrap_or(newest);
        self.legacy = Some(revision);
        Ok(Object::new()
            .str("protocolVersion", revision)
            .raw("capabilities", r#"{"tools":{}}"#)
            .raw("serverInfo", &server_info(revision >= "2025-06-18"))
            .str("instructions", schema::INSTRUCTIONS)
            .finish())
    }
}

fn invalid_params(message: &str) -> Object {
    rpc::error(INVALID_PARAMS, message)
}

/// Checks what a stateless request must say about itself.
fn check_claim(meta: Option<Value>) -> Result<(), Object> {
    let field = |key: &str| meta.and_then(|meta| meta.get(key));
    let missing = |key: &str| invalid_params(&format!("Invalid params: _meta needs {key}"));
    let version = field(VERSION_KEY).and_then(Value::str).ok_or_else(|| missing(VERSION_KEY))?;
    field(CAPABILITIES_KEY).filter(|value| value.is_object()).ok_or_else(|| missing(CAPABILITIES_KEY))?;
    if version != MODERN {
        let data = Object::new().raw("supported", MODERN_ALONE).str("requested", &shorten(version)).finish();
        return Err(rpc::error(UNSUPPORTED_VERSION, "Unsupported protocol version").raw("data", &data));
    }
    match field(LOG_LEVEL_KEY).map(Value::str) {
        Some(level) if !level.is_some_and(|level| LOG_LEVELS.contains(&level)) => {
            Err(invalid_params("Invalid params: unknown log level"))
        }
        _ => Ok(()),
    }
}

fn no_era() -> Object {
    invalid_params(&format!(
        "Invalid params: send initialize first ({}), or put {VERSION_KEY} ({MODERN}) and {CAPABILITIES_KEY} into \
         params._meta",
        LEGACY.join(", ")
    ))
}

fn unknown_method(method: &str) -> Object {
    rpc::error(METHOD_NOT_FOUND, &format!("Method not found: {}", shorten(method)))
}

fn server_info(with_title: bool) -> String {
    // session-relay's name, which its users' checks look for.
    Object::new()
        .str("name", "session-relay-bus")
        .optional("title", with_title.then_some("relay"))
        .str("version", env!("CARGO_PKG_VERSION"))
        .finish()
}

/// What every stateless result begins with and ends with.
fn complete(members: Object) -> Object {
    let meta = Object::new().raw("io.modelcontextprotocol/serverInfo", &server_info(true)).finish();
    members.str("resultType", "complete").raw("_meta", &meta)
}

fn cacheable(members: Object) -> Object {
    complete(members).u64("ttlMs", LIST_TTL_MS).str("cacheScope", "public")
}

fn discovery() -> String {
    cacheable(Object::new())
        .raw("supportedVersions", MODERN_ALONE)
        .raw("capabilities", r#"{"tools":{}}"#)
        .str("instructions", schema::INSTRUCTIONS)
        .finish()
}

fn list_tools(params: Option<Value>, era: Era) -> Result<String, Object> {
    if params.and_then(|params| params.get("cursor")).is_some_and(|cursor| !cursor.is_null()) {
        return Err(invalid_params("Invalid cursor: all tools stand on the first page"));
    }
    let with_annotations = !matches!(era, Era::Legacy("2024-11-05"));
    let tools = Object::new().raw("tools", &schema::tools(with_annotations));
    Ok(match era {
        Era::Modern => cacheable(tools).finish(),
        Era::Legacy(_) => tools.finish(),
    })
}

/// The tool and its arguments.
fn call_params(params: Option<Value<'_>>) -> Result<(&str, Option<Value<'_>>), Object> {
    let name = params.and_then(|params| params.get("name")).and_then(Value::str);
    let arguments = params.and_then(|params| params.get("arguments"));
    match name {
        None => Err(invalid_params("Invalid params: no tool name")),
        Some(_) if arguments.is_some_and(|arguments| !arguments.is_object()) => {
            Err(invalid_params("Invalid params: arguments is not an object"))
        }
        Some(name) => Ok((name, arguments)),
    }
}

/// The response that says what a tool says. Mail that is shown with it is added to
/// `mail`.
fn tool_answer(request: &str, outcome: Outcome, era: Era, mail: &mut Vec<Mail>) -> String {
    mail.extend(outcome.taken.map(|taken| Mail { request: request.to_owned(), taken }));
    let content = Object::new().str("type", "text").str("text", &outcome.text).finish();
    let mut result = Object::new().raw("content", &json::array([content]));
    if outcome.is_error {
        result = result.bool("isError", true);
    }
    if let Era::Modern = era {
        result = complete(result);
    }
    rpc::success(request, &result.finish())
}
