//! `relay install` and `relay uninstall`: wires relay into the hosts.

use super::{Parsed, remark, say, say_words};
use crate::error::{Error, Result};
use crate::host::{self, Host};
use crate::ops::Relay;
use crate::ops::install::{Work, hosts_here, plan_install, plan_uninstall};

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let installs = parsed.verb.name == "install";
    let named = parsed.all();
    let mut hosts = if named.is_empty() { hosts_here(relay) } else { Vec::new() };
    for name in &named {
        let host = host::check(name)?;
        if hosts.iter().all(|other| other.name != host.name) {
            hosts.push(host);
        }
    }
    if hosts.is_empty() {
        let purpose = if installs { "prepare it" } else { "take relay out of it" };
        let hint = format!(" on this machine; name one to {purpose} all the same");
        return Err(Error::not_found("agent host", &host::names(), &hint));
    }
    let dry = parsed.flag("dry");
    // What is planned must hold until it is done.
    let _alone = if dry { None } else { Some(relay.store()?.lock_installed()?) };
    let plan = if installs { plan_install } else { plan_uninstall };
    let mut code = 0;
    // A host that nobody named stops none of the others.
    let mut leave_out = |host: &Host, error: Error| {
        if !named.is_empty() {
            return Err(error);
        }
        remark(format_args!("relay: {} is left out: {error}", host.title));
        code = error.exit() as i32;
        Ok(())
    };
    // All of them first: what cannot be done is said before anything is changed.
    let mut planned = Vec::new();
    for host in hosts {
        match plan(relay, host) {
            Ok(work) => planned.push(work),
            Err(error) => leave_out(host, error)?,
        }
    }
    let mut done = Vec::new();
    for work in &planned {
        match carry_out(relay, work, installs, dry) {
            Ok(()) => done.push(work),
            Err(error) => leave_out(work.host, error)?,
        }
    }
    if !done.is_empty() {
        conclude(&done, installs, dry)?;
    }
    Ok(code)
}

fn carry_out(relay: &Relay, work: &Work, installs: bool, dry: bool) -> Result<()> {
    show(work, installs)?;
    match (dry, installs) {
        (true, _) => Ok(()),
        (false, false) => work.uninstall(relay),
        (false, true) => {
            for copy in &work.install(relay)? {
                say_words(format_args!("  the former file is kept as {}\n", copy.display()))?;
            }
            let seen = work.check(relay)?;
            say_words(format_args!("{}: checked, {seen}\n", work.host.title)).map(|_| ())
        }
    }
}

fn conclude(done: &[&Work], installs: bool, dry: bool) -> Result<i32> {
    match (dry, installs) {
        (true, _) => say("nothing was changed (--dry)\n"),
        (false, true) => {
            for work in done.iter().filter(|work| !work.changes.is_empty()) {
                say_words(format_args!("{}: {}\n", work.host.title, work.host.wiring.then()))?;
            }
            say("check it with: relay doctor\n")
        }
        (false, false) => say("done; the store with the mail stays until you remove it\n"),
    }
}

fn show(work: &Work, installs: bool) -> Result<()> {
    let title = work.host.title;
    if let Some(left) = &work.left {
        say_words(format_args!("{title}: {left}\n"))?;
    }
    if work.changes.is_empty() && work.left.is_none() {
        let state = if installs { "is wired already" } else { "has nothing of relay's" };
        return say_words(format_args!("{title} {state}\n")).map(|_| ());
    }
    for change in &work.changes {
        let mut text = format!("{title}: {}, in {}\n", change.what, change.path.display());
        for line in &change.lines {
            text.extend(["  ", line, "\n"]);
        }
        say(&text)?;
    }
    Ok(())
}
