//! `relay watch`: wakes sleeping sessions when mail comes.

use super::{Parsed, say_line};
use crate::error::Result;
use crate::ops::Relay;
use crate::ops::standing::{Quiet, stand_watch};

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let quiet = parsed.value("quiet").map(Quiet::parse).transpose()?;
    stand_watch(relay, &parsed.all(), quiet, &say_line)?;
    Ok(0)
}
