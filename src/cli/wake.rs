//! `relay wake`: resumes a dormant session with a message.

use super::{Parsed, find_session, path, remark, report, say_json, say_line};
use crate::error::Result;
use crate::mail::address;
use crate::ops::Relay;
use crate::ops::find::by_id;
use crate::ops::wake::{Mode, Target, Wake, plan};
use crate::wake::Input;

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let wake = target(relay, parsed, Mode::Headless(parsed.message()))?;
    if parsed.flag("dry") {
        return say_json(wake.to_json(relay));
    }
    if let Some(run) = parsed.value("record") {
        return wake.run_recorded(relay, run, say_line);
    }
    if parsed.flag("detach") {
        let run = wake.detach(relay)?;
        let done = format!("started; what it prints: relay log --run {run}");
        return report(&done, &format!("{done}\n"));
    }
    wake.run(relay, Input::Nothing).map(|code| finish(&wake, code))
}

/// The session that the words and flags name.
pub fn target(relay: &Relay, parsed: &Parsed, mode: Mode) -> Result<Box<Wake>> {
    let directory = path(relay, parsed, "dir");
    let host = parsed.value("tool");
    let (found, id) = match parsed.value("id") {
        Some(id) => {
            let store = relay.existing_store()?;
            let id = address::check_host_id(id)?;
            let found = match &store {
                Some(store) => Some(by_id(store, &id)?).filter(|found| found.session.exists()),
                None => None,
            };
            (found, id)
        }
        None => {
            let (_, found) = find_session(relay, parsed.first())?;
            let id = found.info.id.clone();
            (Some(found), id)
        }
    };
    plan(found, Target { id: &id, directory, host }, mode)
}

/// The host's exit code. Hosts read 2 as "block", so relay never passes it on.
pub fn finish(wake: &Wake, code: i32) -> i32 {
    if code == 2 {
        remark(format_args!("{} ended with exit code 2, passed on as 1", wake.plan.program));
        return 1;
    }
    code
}
