//! `relay attach`: opens a dormant session in this terminal.

use super::wake::{finish, target};
use super::{Parsed, say_json};
use crate::error::Result;
use crate::ops::Relay;
use crate::ops::wake::Mode;
use crate::wake::Input;

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let attach = target(relay, parsed, Mode::Terminal)?;
    match parsed.flag("dry") {
        true => say_json(attach.to_json(relay)),
        false => attach.run(relay, Input::Terminal).map(|code| finish(&attach, code)),
    }
}
