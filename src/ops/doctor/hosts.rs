//! The doctor's look at the hosts: how relay is wired into each, and which relay
//! they start.
//!
//! Invariant: see [`super`]; programs are only asked for their version.

use std::path::Path;
use std::time::Duration;

use super::Findings;
use crate::host::Host;
use crate::limits::{CHECK_BYTES, VERSION_MS};
use crate::mail::text::count;
use crate::ops::wiring::{self, State};
use crate::ops::{Relay, own};
use crate::sys::process;
use crate::wake::{self, Plan};

/// Whether the host is here, and whether relay is wired into it well.
pub fn examine(relay: &Relay, host: &'static Host, findings: &mut Findings) {
    let Some(program) = relay.env.program(host.program) else {
        return without_program(relay, host, findings);
    };
    let at = program.display();
    let state = match wiring::examine(relay, host) {
        Ok(state) => state,
        Err(error) => return findings.problem(host.title, format_args!("{error}")),
    };
    if state.servers.is_empty() && state.missing.len() == host.moments.len() && !state.by_plugin {
        let wire = format!("wire it with: relay install {}", host.name);
        return findings.notice(host.title, format_args!("{at}; relay is not wired into it; {wire}"));
    }
    let before = findings.0.len();
    examine_entries(host, &state, findings);
    examine_programs(relay, host, &state, findings);
    examine_age(relay, host, &program, findings);
    if findings.0.len() == before {
        let how =
            if state.by_plugin { "its plugin of relay is on" } else { "relay's server and hooks are wired" };
        findings.fine(host.title, format_args!("{at}; {how}"));
    }
}

fn without_program(relay: &Relay, host: &Host, findings: &mut Findings) {
    let folder = host.wiring.folder(&relay.env);
    if !folder.is_dir() {
        return findings.fine(host.title, format_args!("not on this machine's PATH"));
    }
    let (folder, program) = (folder.display(), host.program);
    let what = format_args!(
        "{folder} is here, but no program '{program}' on the PATH; relay needs it there to start it"
    );
    findings.notice(host.title, what);
}

fn mend(host: &Host) -> String {
    format!("mend it with: relay install {}", host.name)
}

/// Whether all entries are there, once, and in force.
fn examine_entries(host: &Host, state: &State, findings: &mut Findings) {
    if !state.by_plugin && state.servers.is_empty() {
        let what = format_args!("relay's hooks are there, its server is not; {}", mend(host));
        findings.notice(host.title, what);
    }
    if !state.by_plugin && !state.missing.is_empty() {
        let missing = state.missing.join(", ");
        let what = format_args!("no hook of relay's for {missing}, so mail waits there; {}", mend(host));
        findings.problem(host.title, what);
    }
    if state.twice {
        let what = format_args!(
            "relay is wired twice (plugin and install, or two entries); mail still comes once, remove one"
        );
        findings.notice(host.title, what);
    }
    if state.disabled {
        let what = format_args!("its settings switch all hooks off, so no mail comes by itself");
        findings.problem(host.title, what);
    }
    if state.untrusted > 0 {
        let hooks = count(state.untrusted, "hook");
        let what = format_args!("{hooks} not trusted yet, so they do not run; trust them at /hooks");
        findings.notice(host.title, what);
    }
}

/// Whether what the entries start is this relay, with this store.
fn examine_programs(relay: &Relay, host: &Host, state: &State, findings: &mut Findings) {
    let mend = mend(host);
    for program in &state.broken {
        let what = format_args!("it starts {program}, which is not there or cannot be run; {mend}");
        findings.problem(host.title, what);
    }
    for store in &state.elsewhere {
        let (store, own) = (store.display(), relay.home().display());
        findings.problem(host.title, format_args!("its bus uses the store {store}, its hooks {own}; {mend}"));
    }
    for program in &state.programs {
        other_version(relay, program, &format!("it starts {program}"), host.title, &mend, findings);
    }
}

/// Whether the host is older than any that relay was tried with.
fn examine_age(relay: &Relay, host: &Host, program: &Path, findings: &mut Findings) {
    let version = version(relay, &program.to_string_lossy());
    if let Some(version) = version.filter(|version| number(version) < number(host.oldest)) {
        let (at, oldest) = (program.display(), host.oldest);
        let what = format_args!(
            "{at} is version {version}; relay was tried with {oldest} and later: update it if mail does not come"
        );
        findings.notice(host.title, what);
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
    subject: &'static str,
    mend: &str,
    findings: &mut Findings,
) {
    if own::starts_own(relay, program) {
        return;
    }
    let this = env!("CARGO_PKG_VERSION");
    if let Some(version) = version(relay, program).filter(|version| version != this) {
        findings.notice(subject, format_args!("{who} relay {version}; this is {this}: {mend}"));
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
    let digits = |part: &str| part.bytes().take_while(u8::is_ascii_digit).count();
    let mut numbers = Vec::new();
    for part in version.split('.') {
        numbers.push(part[..digits(part)].parse().unwrap_or(0));
    }
    numbers
}

/// Another program called relay that a host would start instead.
pub fn other_relays(relay: &Relay, findings: &mut Findings) {
    let Some(first) = relay.env.program("relay") else {
        return findings
            .notice("PATH", format_args!("no `relay` on the PATH; hosts need its full path then"));
    };
    let at = first.display();
    match own::is_own(&first) {
        true => findings.fine("PATH", format_args!("`relay` is {at}")),
        false => findings.notice("PATH", format_args!("`relay` on the PATH is another program: {at}")),
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
