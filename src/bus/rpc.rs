//! JSON-RPC 2.0: what a line asks, and the shape of what it gets.
//!
//! Invariant: an id is echoed as the bytes it came in; a notification never
//! gets an answer; whoever can be answered is, even when the rest is broken.

use crate::json::{self, Document, Fault, Members, Object, Value};

/// What kind of error it is: a number, as JSON has it.
pub type Code = &'static str;

pub const PARSE_ERROR: Code = "-32700";
pub const INVALID_REQUEST: Code = "-32600";
pub const METHOD_NOT_FOUND: Code = "-32601";
pub const INVALID_PARAMS: Code = "-32602";

const TWICE: &str = "Invalid request: a member stands twice";

/// One JSON-RPC message from the host.
pub enum Incoming {
    Request(Request),
    /// A notification, a response, a blank line: nothing to answer.
    Nothing,
    /// The client no longer waits for the request with this id.
    GivenUp(String),
    /// Not a request; answered with the id where one could be read.
    Broken {
        id: Option<String>,
        code: Code,
        message: &'static str,
    },
    /// The texts of a batch's members; revision 2025-03-26 only.
    Batch(Vec<String>),
}

/// A request that wants an answer.
pub struct Request {
    /// The id's JSON text, as it came.
    pub id: String,
    pub method: String,
    document: Document,
}

impl Request {
    /// The request's parameters, an object where there are any.
    pub fn params(&self) -> Option<Value<'_>> {
        self.document.value().get("params")
    }

    /// The JSON of the token under which the client wants to hear of progress.
    pub fn progress_token(&self) -> Option<String> {
        let token = self.params()?.path(&["_meta", "progressToken"])?;
        token.str().map(json::quote).or_else(|| token.u64().map(|number| number.to_string()))
    }
}

/// Reads one line, or one member of a batch.
pub fn parse(line: &[u8]) -> Incoming {
    let broken = |id, code, message| Incoming::Broken { id, code, message };
    let text = match json::bounded(line) {
        Ok(text) => text,
        Err(Fault::Encoding) => return broken(None, PARSE_ERROR, "Parse error: not UTF-8"),
        Err(fault) => {
            let text = String::from_utf8_lossy(line);
            return match (readable_id(&text), fault) {
                (Some(id), Fault::Depth) => {
                    broken(Some(id), INVALID_REQUEST, "Invalid request: nested too deep")
                }
                (id, _) => broken(id, PARSE_ERROR, "Parse error"),
            };
        }
    };
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    if text.is_empty() {
        return Incoming::Nothing;
    }
    let Ok(document) = Document::of(text) else {
        return broken(readable_id(text), PARSE_ERROR, "Parse error");
    };
    if let Some(items) = json::items(text) {
        return Incoming::Batch(items.into_iter().map(str::to_owned).collect());
    }
    let Some(members) = json::members(text) else {
        return broken(None, INVALID_REQUEST, "Invalid request: not an object");
    };
    request(document, &members)
}

fn request(document: Document, members: &Members) -> Incoming {
    let root = document.value();
    let text = |key: &str| root.get(key).and_then(Value::str);
    let (id, method) = (id_of(members), text("method").map(str::to_owned));
    let wrong = if members.count("id") > 1 {
        Some(TWICE)
    } else if members.count("id") == 1 && id.is_none() {
        Some("Invalid request: the id is no string or integer")
    } else if ["jsonrpc", "method", "params"].into_iter().any(|key| members.count(key) > 1) {
        Some(TWICE)
    } else if text("jsonrpc") != Some("2.0") {
        Some("Invalid request: jsonrpc is not \"2.0\"")
    } else if method.is_none() && root.get("result").or(root.get("error")).is_none() {
        Some("Invalid request: no method")
    } else {
        None
    };
    if let Some(message) = wrong {
        return Incoming::Broken { id, code: INVALID_REQUEST, message };
    }
    // What has none is a response.
    let Some(method) = method else { return Incoming::Nothing };
    let Some(id) = id else {
        let request =
            (method == "notifications/cancelled").then(|| request_given_up(members.get("params")?.text));
        return request.flatten().map_or(Incoming::Nothing, Incoming::GivenUp);
    };
    if root.get("params").is_some_and(|params| !params.is_object()) {
        let message = "Invalid params: not an object";
        return Incoming::Broken { id: Some(id), code: INVALID_PARAMS, message };
    }
    Incoming::Request(Request { id, method, document })
}

/// The request that a cancellation names.
fn request_given_up(params: &str) -> Option<String> {
    id_text(json::members(params)?.get("requestId")?.text)
}

/// How an id is echoed: as it came, but never so that it breaks the line or the
/// JSON it stands in. `None`: not a string or an integer.
fn id_text(raw: &str) -> Option<String> {
    let digits = raw.strip_prefix('-').unwrap_or(raw);
    let is_integer = digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || (!digits.is_empty() && !digits.starts_with('0')));
    let text = json::bounded(raw.as_bytes()).ok()?;
    (is_integer || json::is_string(raw)).then(|| json::one_line(&text))
}

/// The id of a line that is broken further on.
fn readable_id(text: &str) -> Option<String> {
    id_of(&json::leading_members(text))
}

/// The id among these members, if there is one.
fn id_of(members: &Members) -> Option<String> {
    if members.count("id") > 1 {
        return None;
    }
    id_text(members.get("id")?.text)
}

/// A response with a result.
pub fn success(id: &str, result: &str) -> String {
    Object::new().str("jsonrpc", "2.0").raw("id", id).raw("result", result).finish()
}

/// What went wrong, as a response has it.
pub fn error(code: Code, message: &str) -> Object {
    Object::new().raw("code", code).str("message", message)
}

/// A response with an error. Without a readable id the member is left out:
/// some clients refuse a null there.
pub fn failure(id: Option<&str>, error: Object) -> String {
    let mut response = Object::new().str("jsonrpc", "2.0");
    if let Some(id) = id {
        response = response.raw("id", id);
    }
    response.raw("error", &error.finish()).finish()
}
