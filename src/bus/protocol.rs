//! The five revisions of MCP on one pipe.
//!
//! Invariant: a request that claims the stateless revision in its `_meta` is
//! served without looking at anything before it; every other request is served
//! in the revision that `initialize` agreed on. Nothing is touched in the store
//! before the first tool call.

use std::time::Instant;

use super::rpc::{self, INVALID_PARAMS, INVALID_REQUEST, Incoming, METHOD_NOT_FOUND, Request};
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
/// The revisions with a handshake, oldest first.
const LEGACY: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
/// The one revision that has batches.
const BATCHES: &str = "2025-03-26";

const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES_KEY: &str = "io.modelcontextprotocol/clientCapabilities";
const LOG_LEVEL_KEY: &str = "io.modelcontextprotocol/logLevel";
const LOG_LEVELS: [&str; 8] =
    ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];
const UNSUPPORTED_VERSION: i32 = -32022;
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

/// An answer that is not a result.
struct Refusal {
    code: i32,
    message: String,
    data: Option<String>,
}

impl<'a> Server<'a> {
    pub fn new(relay: &'a Relay) -> Server<'a> {
        Server { relay, waiting: Waiting::new(), legacy: None, uncorrelated: 0 }
    }

    /// When a call that waits wants to be looked at.
    pub fn next(&self) -> Option<Instant> {
        self.waiting.next()
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
            answers.push(tool_answer(&request, outcome, era));
        }
        let notes = self.waiting.notes(now).into_iter();
        answers.extend(notes.map(|line| Answer { line: Some(line), ..Answer::default() }));
        answers
    }

    /// Answers one line.
    pub fn answer(&mut self, line: &[u8]) -> Answer {
        match rpc::parse(line) {
            Incoming::Batch(items) => self.answer_batch(&items),
            incoming => self.answer_one(incoming, true),
        }
    }

    /// Answers a line that was over the limit.
    pub fn refuse_long_line(&mut self) -> Answer {
        self.refuse(None, INVALID_REQUEST, "Invalid request: the line is too long")
    }

    fn answer_one(&mut self, incoming: Incoming, may_wait: bool) -> Answer {
        match incoming {
            Incoming::Nothing => Answer::default(),
            Incoming::GivenUp(id) => {
                self.waiting.give_up(&id);
                Answer { given_up: vec![id], ..Answer::default() }
            }
            Incoming::Batch(_) => {
                self.refuse(None, INVALID_REQUEST, "Invalid request: a batch inside a batch")
            }
            Incoming::Broken { id, code, message } => self.refuse(id.as_deref(), code, message),
            Incoming::Request(request) => match self.serve(&request) {
                Ok(Served::Result(result)) => {
                    Answer { line: Some(rpc::success(&request.id, &result)), ..Answer::default() }
                }
                Ok(Served::Tool(outcome, era)) => {
                    let token = request.progress_token();
                    let now = match may_wait {
                        true => self.waiting.add(&request.id, era, outcome, token),
                        false => Some(outcome),
                    };
                    now.map_or(Answer::default(), |outcome| tool_answer(&request.id, outcome, era))
                }
                Err(Refusal { code, message, data }) => {
                    let line = rpc::failure(Some(&request.id), code, &message, data.as_deref());
                    Answer { line: Some(line), ..Answer::default() }
                }
            },
        }
    }

    fn answer_batch(&mut self, items: &[String]) -> Answer {
        if self.legacy != Some(BATCHES) {
            return self.refuse(None, INVALID_REQUEST, "Invalid request: this revision has no batches");
        }
        if items.is_empty() {
            return self.refuse(None, INVALID_REQUEST, "Invalid request: an empty batch");
        }
        if items.len() > BATCH_MESSAGES {
            let message = format!("Invalid request: a batch of more than {BATCH_MESSAGES} messages");
            return self.refuse(None, INVALID_REQUEST, &message);
        }
        let mut lines = Vec::new();
        let (mut mail, mut given_up) = (Vec::new(), Vec::new());
        for item in items {
            let answer = match rpc::parse(item.as_bytes()) {
                Incoming::Request(request) if request.method == "initialize" => self.refuse(
                    Some(&request.id),
                    INVALID_REQUEST,
                    "Invalid request: initialize inside a batch",
                ),
                incoming => self.answer_one(incoming, false),
            };
            lines.extend(answer.line);
            mail.extend(answer.mail);
            given_up.extend(answer.given_up);
        }
        Answer { line: (!lines.is_empty()).then(|| json::array(lines)), mail, given_up }
    }

    fn refuse(&mut self, id: Option<&str>, code: i32, message: &str) -> Answer {
        if id.is_none() {
            self.uncorrelated += 1;
            if self.uncorrelated > UNCORRELATED_ERRORS {
                return Answer::default();
            }
        }
        Answer { line: Some(rpc::failure(id, code, message, None)), ..Answer::default() }
    }

    /// The result of a request.
    fn serve(&mut self, request: &Request) -> Result<Served, Refusal> {
        let method = request.method.as_str();
        let meta = request.params().and_then(|params| params.get("_meta"));
        let claims = |key: &str| meta.is_some_and(|meta| meta.get(key).is_some());
        let era = if claims(VERSION_KEY) || claims(CAPABILITIES_KEY) || method == "server/discover" {
            check_claim(meta)?;
            Era::Modern
        } else {
            match (method, self.legacy) {
                ("initialize", _) => return self.initialize(request.params()).map(Served::Result),
                ("ping", _) => return Ok(Served::Result("{}".to_owned())),
                (_, Some(revision)) => Era::Legacy(revision),
                ("tools/list" | "tools/call", None) => return Err(no_era()),
                (_, None) => return Err(unknown_method(method)),
            }
        };
        match (method, era) {
            ("server/discover", Era::Modern) => Ok(Served::Result(discovery())),
            ("tools/list", _) => list_tools(request.params(), era).map(Served::Result),
            ("tools/call", _) => {
                let (name, arguments) = call_params(request.params())?;
                let outcome =
                    tools::call(self.relay, &Call::new(self.relay, meta, arguments), name, arguments)
                        .ok_or_else(|| {
                            Refusal::new(INVALID_PARAMS, format!("Unknown tool: {}", shorten(name)))
                        })?;
                Ok(Served::Tool(outcome, era))
            }
            _ => Err(unknown_method(method)),
        }
    }

    fn initialize(&mut self, params: Option<Value>) -> Result<String, Refusal> {
        let newest = LEGACY[LEGACY.len() - 1];
        let Some(asked) = params.and_then(|params| params.get("protocolVersion")).and_then(Value::str) else {
            // session-relay's clients opened like that and were served.
            self.legacy.get_or_insert(newest);
            return Err(Refusal::new(INVALID_PARAMS, "Invalid params: no protocolVersion".to_owned()));
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

impl Refusal {
    fn new(code: i32, message: String) -> Refusal {
        Refusal { code, message, data: None }
    }
}

/// Checks what a stateless request must say about itself.
fn check_claim(meta: Option<Value>) -> Result<(), Refusal> {
    let field = |key: &str| meta.and_then(|meta| meta.get(key));
    let missing = |key: &str| Refusal::new(INVALID_PARAMS, format!("Invalid params: _meta needs {key}"));
    let version = field(VERSION_KEY).and_then(Value::str).ok_or_else(|| missing(VERSION_KEY))?;
    field(CAPABILITIES_KEY).filter(|value| value.is_object()).ok_or_else(|| missing(CAPABILITIES_KEY))?;
    if version != MODERN {
        let data = Object::new()
            .raw("supported", &json::array([json::quote(MODERN)]))
            .str("requested", &shorten(version))
            .finish();
        let message = "Unsupported protocol version".to_owned();
        return Err(Refusal { code: UNSUPPORTED_VERSION, message, data: Some(data) });
    }
    match field(LOG_LEVEL_KEY).map(Value::str) {
        Some(level) if !level.is_some_and(|level| LOG_LEVELS.contains(&level)) => {
            Err(Refusal::new(INVALID_PARAMS, "Invalid params: unknown log level".to_owned()))
        }
        _ => Ok(()),
    }
}

fn no_era() -> Refusal {
    Refusal::new(
        INVALID_PARAMS,
        format!(
            "Invalid params: send initialize first ({}), or put {VERSION_KEY} ({MODERN}) and {CAPABILITIES_KEY} into \
             params._meta",
            LEGACY.join(", ")
        ),
    )
}

fn unknown_method(method: &str) -> Refusal {
    Refusal::new(METHOD_NOT_FOUND, format!("Method not found: {}", shorten(method)))
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
        .raw("supportedVersions", &json::array([json::quote(MODERN)]))
        .raw("capabilities", r#"{"tools":{}}"#)
        .str("instructions", schema::INSTRUCTIONS)
        .finish()
}

fn list_tools(params: Option<Value>, era: Era) -> Result<String, Refusal> {
    if params.and_then(|params| params.get("cursor")).is_some_and(|cursor| !cursor.is_null()) {
        return Err(Refusal::new(
            INVALID_PARAMS,
            "Invalid cursor: all tools stand on the first page".to_owned(),
        ));
    }
    let with_annotations = !matches!(era, Era::Legacy("2024-11-05"));
    let tools = Object::new().raw("tools", &schema::tools(with_annotations));
    Ok(match era {
        Era::Modern => cacheable(tools).finish(),
        Era::Legacy(_) => tools.finish(),
    })
}

/// The tool and its arguments.
fn call_params(params: Option<Value<'_>>) -> Result<(&str, Option<Value<'_>>), Refusal> {
    let name = params.and_then(|params| params.get("name")).and_then(Value::str);
    let arguments = params.and_then(|params| params.get("arguments"));
    match name {
        None => Err(Refusal::new(INVALID_PARAMS, "Invalid params: no tool name".to_owned())),
        Some(_) if arguments.is_some_and(|arguments| !arguments.is_object()) => {
            Err(Refusal::new(INVALID_PARAMS, "Invalid params: arguments is not an object".to_owned()))
        }
        Some(name) => Ok((name, arguments)),
    }
}

fn tool_answer(request: &str, outcome: Outcome, era: Era) -> Answer {
    let result = tool_result(&outcome.text, outcome.is_error, era);
    let mail = outcome.taken.map(|taken| Mail { request: request.to_owned(), taken });
    Answer {
        line: Some(rpc::success(request, &result)),
        mail: mail.into_iter().collect(),
        ..Answer::default()
    }
}

fn tool_result(text: &str, is_error: bool, era: Era) -> String {
    let content = Object::new().str("type", "text").str("text", text).finish();
    let mut result = Object::new().raw("content", &json::array([content]));
    if is_error {
        result = result.bool("isError", true);
    }
    match era {
        Era::Modern => complete(result).finish(),
        Era::Legacy(_) => result.finish(),
    }
}
