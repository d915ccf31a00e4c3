//! `relay peek`: shows pending mail as JSON and changes nothing.

use super::inbox::to_json;
use super::{Parsed, say, store_with_sessions};
use crate::error::Result;
use crate::ops::Relay;
use crate::ops::collect::look;
use crate::ops::find::find;

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let who = parsed.positional(0).unwrap_or_default();
    let session = find(&store_with_sessions(relay, who)?, who)?.session;
    say(&to_json(&look(&session, usize::MAX)?))
}
