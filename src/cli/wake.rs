//! `relay wake`: resumes a dormant session with a message.

use super::{Parsed, remark, say};
use crate::error::{Error, Result};
use crate::mail::address;
use crate::ops::Relay;
use crate::ops::find::{by_id, find};
use crate::ops::wake::{Target, plan};

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let store = relay.existing_store()?;
    let directory = parsed.value("dir").map(|path| relay.env.absolute(path.as_ref()));
    let host = parsed.value("tool");
    let (found, id) = match (parsed.value("id"), parsed.positional(0)) {
        (Some(id), _) => {
            let id = address::check_host_id(id)?;
            let found = store.as_ref().map(|store| by_id(store, &id)).transpose()?;
            (found.filter(|found| found.session.exists()), id)
        }
        (None, Some(who)) => {
            let found = find(&super::store_with_sessions(relay, who)?, who)?;
            let id = found.info.id.clone();
            (Some(found), id)
        }
        (None, None) => return Err(Error::Usage("wake whom? relay wake <who> [-- <message>]".to_owned())),
    };
    let wake = plan(found, Target { id: &id, directory, host }, parsed.message())?;
    if parsed.flag("dry") {
        return say(&(wake.to_json() + "\n"));
    }
    match wake.run()? {
        // Hosts read an exit code of 2 as "block", so relay never passes it on.
        2 => {
            remark(&format!("{} ended with exit code 2, passed on as 1", wake.plan.program));
            Ok(1)
        }
        code => Ok(code),
    }
}
