//! The doctor's look at the hosts: how relay is wired into each, and which relay
//! they start.
//!
//! Invariant: see [`super`]; programs are only asked for their version.

use std::time::Duration;

use super::Findings;
use crate::host::Host;
use crate::limits::{CHECK_BYTES, VERSION_MS};
use crate::mail::text::count;
use crate::ops::{Relay, entries, wiring};
use crate::sys::process;
use crate::wake::{self, Plan};

/// Whether the host is here, and whether relay is wired into it well.
pub fn examine(relay: &Relay, host: &'static Host, findings: &mut Findings) {
    let Some(program) = relay.env.program(host.program) else {
        return findings.fine(host.title, "not on this machine's PATH".to_owned());
    };
    let at = program.display();
    let wire = format!("wire it with: relay install {}", host.name);
    let mend = format!("mend it with: relay install {}", host.name);
    let state = match wiring::examine(relay, host) {
        Ok(state) => state,
        Err(error) => return findings.problem(host.title, error.to_string()),
    };
    if state.servers.is_empty() && state.missing.len() == host.moments.len() && !state.by_plugin {
        return findings.notice(host.title, format!("{at}; relay is not wired into it; {wire}"));
    }
    let before = findings.0.len();
    let problem = |findings: &mut Findings, what: String| findings.problem(host.title, what);
    if !state.by_plugin && state.servers.is_empty() {
        findings.notice(host.title, format!("relay's hooks are there, its server is not; {mend}"));
    }
    if !state.by_plugin && !state.missing.is_empty() {
        let missing = state.missing.join(", ");
        problem(findings, format!("no hook of relay's for {missing}, so mail waits there; {mend}"));
    }
    if state.twice {
        let what =
            "relay is wired twice (plugin and install, or two entries); mail still comes once, remove one";
        findings.notice(host.title, what.to_owned());
    }
    if state.disabled {
        problem(findings, "its settings switch all hooks off, so no mail comes by itself".to_owned());
    }
    if state.untrusted > 0 {
        let hooks = count(state.untrusted, "hook");
        findings
            .notice(host.title, format!("{hooks} not trusted yet, so they do not run; trust them at /hooks"));
    }
    for program in &state.broken {
        problem(findings, format!("it starts {program}, which is not there or cannot be run; {mend}"));
    }
    for store in &state.elsewhere {
        let (store, own) = (store.display(), relay.home().display());
        problem(findings, format!("its bus uses the store {store}, its hooks {own}; {mend}"));
    }
    for program in state.programs.iter().filter(|program| !state.broken.contains(program)) {
        other_version(relay, program, &format!("it starts {program}"), host.title, &mend, findings);
    }
    if let Some(version) = version(relay, &program.to_string_lossy())
        && number(&version) < number(host.oldest)
    {
        let oldest = host.oldest;
        let what = format!(
            "{at} is version {version}; relay was tried with {oldest} and later: update it if mail does not come"
        );
        findings.notice(host.title, what);
    }
    if findings.0.len() == before {
        let how =
            if state.by_plugin { "its plugin of relay is on" } else { "relay's server and hooks are wired" };
        findings.fine(host.title, format!("{at}; {how}"));
    }
}

/// Buses that run since before an update.
pub fn running_buses(relay: &Relay, findings: &mut Findings) {
    for (pid, program) in process::running("bus") {
        let who = format!("the bus with pid {pid} is still");
        other_version(relay, &program.to_string_lossy(), &who, "buses", "start its session anew", findings);
    }
}

/// Says so when a program of relay's is not of this version.
fn other_version(
    relay: &Relay,
    program: &str,
    who: &str,
    subject: &str,
    mend: &str,
    findings: &mut Findings,
) {
    if process::executable().is_ok_and(|own| entries::is_same(relay, program, &own.to_string_lossy())) {
        return;
    }
    let own = env!("CARGO_PKG_VERSION");
    if let Some(version) = version(relay, program).filter(|version| version != own) {
        findings.notice(subject, format!("{who} relay {version}; this is {own}: {mend}"));
    }
}

/// The first thing that looks like a version in what a program says of itself.
fn version(relay: &Relay, program: &str) -> Option<String> {
    let plan = Plan {
        program: program.to_owned(),
        arguments: vec!["--version".to_owned()],
        directory: relay.env.directory().to_owned(),
        without: Vec::new(),
    };
    let said = wake::answer(&plan, CHECK_BYTES, Duration::from_millis(VERSION_MS))?;
    let is_version = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.');
    let word = said.split(|c: char| c.is_whitespace() || matches!(c, '/' | 'v')).find(is_version);
    word.map(str::to_owned)
}

/// A version's numbers, to be compared.
fn number(version: &str) -> Vec<u64> {
    let digits = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>();
    version.split('.').map(|part| digits(part).parse().unwrap_or(0)).collect()
}

/// Another program called relay that a host would start instead.
pub fn other_relays(relay: &Relay, findings: &mut Findings) {
    let me = std::env::current_exe().and_then(|path| path.canonicalize());
    let Some(first) = relay.env.program("relay") else {
        return findings.notice("PATH", "no `relay` on the PATH; hosts need its full path then".to_owned());
    };
    let launcher = first.canonicalize();
    let same = match (&me, &launcher) {
        (Ok(me), Ok(launcher)) => me == launcher || me.parent() == launcher.parent(),
        _ => false,
    };
    match same {
        true => findings.fine("PATH", format!("`relay` is {}", first.display())),
        false => {
            findings.notice("PATH", format!("`relay` on the PATH is another program: {}", first.display()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert!(number("2.1.329") > number("2.1.197"));
        assert!(number("0.9.0") < number("0.10.0"));
        assert!(number("18.3.4-beta") >= number("18.3.4"));
    }
}
