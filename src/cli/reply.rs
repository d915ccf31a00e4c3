//! `relay reply`: answers a message.

use super::Parsed;
use super::send::{body, report_json, report_sent};
use crate::error::{Error, Result};
use crate::json;
use crate::mail::Status;
use crate::ops::Relay;
use crate::ops::reply::reply;

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let id = parsed.first();
    let status = match parsed.value("status") {
        None => None,
        Some(name) => {
            Some(Status::parse(name).ok_or_else(|| Error::usage("--status takes completed or failed"))?)
        }
    };
    let sent = reply(relay, id, status, body(parsed)?)?;
    if parsed.flag("json") {
        let object = json::Object::new()
            .str("id", &sent.message.id)
            .str("to", &sent.message.to)
            .nullable("toName", sent.message.to_name.as_deref())
            .optional("status", sent.message.status.map(Status::name))
            .bool("repeated", sent.repeated)
            .str("outlook", &sent.outlook);
        return report_json(&sent, object);
    }
    report_sent(&sent, if sent.repeated { "sent before" } else { "queued" })
}
