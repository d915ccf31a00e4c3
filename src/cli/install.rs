//! `relay install` and `relay uninstall`: wires relay into the hosts.

use super::{Parsed, say};
use crate::error::{Error, Result};
use crate::host;
use crate::ops::Relay;
use crate::ops::install::{Work, hosts_here, plan_install, plan_uninstall};

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let installs = parsed.verb.name == "install";
    let named: Vec<&str> = parsed
        .positional(0)
        .into_iter()
        .chain(parsed.message().unwrap_or_default().split_ascii_whitespace())
        .collect();
    let hosts = match named.as_slice() {
        [] => hosts_here(relay),
        names => names.iter().map(|name| host::check(name)).collect::<Result<_>>()?,
    };
    if hosts.is_empty() {
        return Err(Error::not_found(
            "agent host",
            &host::names(),
            " on this machine; name one to prepare it all the same",
        ));
    }
    let plan = if installs { plan_install } else { plan_uninstall };
    // All of them first: what cannot be done is said before anything is changed.
    let work: Vec<Work> = hosts.into_iter().map(|host| plan(relay, host)).collect::<Result<_>>()?;
    for work in &work {
        show(work, installs)?;
        if parsed.flag("dry") {
            continue;
        }
        match installs {
            true => {
                for copy in work.install(relay)? {
                    say(&format!("  the former file is kept as {}\n", copy.display()))?;
                }
                check(relay, work)?;
            }
            false => work.uninstall(relay)?,
        }
    }
    match (parsed.flag("dry"), installs) {
        (true, _) => say("nothing was changed (--dry)\n"),
        (false, true) => {
            work.iter().filter(|work| !work.changes.is_empty()).try_for_each(|work| {
                say(&format!("{}: {}\n", work.host.title, work.host.wiring.then())).map(|_| ())
            })?;
            say("check it with: relay doctor\n")
        }
        (false, false) => say("done; the store with the mail stays until you remove it\n"),
    }
}

/// Says that the host has it; takes out again what it does not understand.
fn check(relay: &Relay, work: &Work) -> Result<()> {
    match work.check(relay) {
        Ok(seen) => say(&format!("{}: checked, {seen}\n", work.host.title)).map(|_| ()),
        Err(error) if work.changes.is_empty() => Err(error),
        Err(error) => {
            plan_uninstall(relay, work.host)?.uninstall(relay)?;
            Err(Error::failed(format!("{error}; what was added is taken out again")))
        }
    }
}

fn show(work: &Work, installs: bool) -> Result<()> {
    let title = work.host.title;
    if work.changes.is_empty() {
        let state = if installs { "is wired already" } else { "has nothing of relay's" };
        return say(&format!("{title} {state}\n")).map(|_| ());
    }
    for change in &work.changes {
        let lines: String = change.lines.iter().map(|line| format!("  {line}\n")).collect();
        say(&format!("{title}: {}, in {}\n{lines}", change.what, change.path.display()))?;
    }
    Ok(())
}
