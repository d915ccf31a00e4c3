//! `relay watch`: wakes sleeping sessions when mail comes.

use super::{Parsed, say_line};
use crate::error::Result;
use crate::ops::Relay;
use crate::ops::standing::{Quiet, stand_watch};

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let more = parsed.message().unwrap_or_default();
    let who: Vec<&str> = parsed.positional(0).into_iter().chain(more.split_ascii_whitespace()).collect();
    let quiet = parsed.value("quiet").map(Quiet::parse).transpose()?;
    stand_watch(relay, &who, quiet, say_line)?;
    Ok(0)
}
