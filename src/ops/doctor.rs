//! What a worried user needs to know, on one screen. Changes nothing.
//!
//! Invariant: every finding that is not fine says how to mend it.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use super::roster::{Row, roster};
use super::{Relay, install};
use crate::error::{Error, Result};
use crate::host::{HOSTS, Host};
use crate::mail::text::count;
use crate::store::Store;
use crate::sys::{clock, process};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    Fine,
    /// Worth knowing.
    Notice,
    /// Mail is lost, stuck or exposed unless somebody acts.
    Problem,
}

impl Grade {
    pub fn name(self) -> &'static str {
        match self {
            Grade::Fine => "ok",
            Grade::Notice => "note",
            Grade::Problem => "PROBLEM",
        }
    }
}

/// One thing that was looked at.
pub struct Finding {
    pub subject: String,
    pub grade: Grade,
    pub detail: String,
}

/// Looks at the store, the sessions and the hosts.
pub fn examine(relay: &Relay) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    match relay.existing_store() {
        Err(error) => findings.problem("store", error.to_string()),
        Ok(None) => findings.notice(
            "store",
            format!(
                "none yet at {}; it is made when the first session or message comes",
                relay.home().display()
            ),
        ),
        Ok(Some(store)) => {
            findings.fine("store", format!("{}, format 1", store.home().display()));
            permissions(&store, &mut findings);
            sessions(&store, &mut findings);
            last_failure(&store, &mut findings);
        }
    }
    for host in HOSTS {
        wiring(relay, host, &mut findings);
    }
    other_relays(relay, &mut findings);
    findings.0
}

struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, subject: &str, grade: Grade, detail: String) {
        self.0.push(Finding { subject: subject.to_owned(), grade, detail });
    }
    fn fine(&mut self, subject: &str, detail: String) {
        self.add(subject, Grade::Fine, detail);
    }
    fn notice(&mut self, subject: &str, detail: String) {
        self.add(subject, Grade::Notice, detail);
    }
    fn problem(&mut self, subject: &str, detail: String) {
        self.add(subject, Grade::Problem, detail);
    }
}

/// The store is private: nobody else may look into it.
fn permissions(store: &Store, findings: &mut Findings) {
    let home = store.home();
    let Ok(metadata) = home.metadata() else { return };
    let mode = metadata.permissions().mode() & 0o777;
    if metadata.uid() != process::user() {
        findings.problem(
            "permissions",
            format!("{} belongs to another user; give it back with chown", home.display()),
        );
    } else if mode & 0o077 != 0 {
        let path = home.display();
        findings.problem(
            "permissions",
            format!("{path} is open to others (mode {mode:o}); run: chmod -R go= {path}"),
        );
    } else {
        findings.fine("permissions", format!("private (mode {mode:o})"));
    }
}

fn sessions(store: &Store, findings: &mut Findings) {
    let rows = match roster(store) {
        Ok(rows) => rows,
        Err(error) => return findings.problem("sessions", error.to_string()),
    };
    let live = rows.iter().filter(|row| row.live).count();
    findings.fine("sessions", format!("{} ({live} live)", rows.len()));
    mail(&rows, findings);
    strays(store, findings);
    damage(store, findings).unwrap_or_else(|error| findings.problem("records", error.to_string()));
}

fn mail(rows: &[Row], findings: &mut Findings) {
    let waiting: Vec<&Row> = rows.iter().filter(|row| row.has_mail).collect();
    if waiting.is_empty() {
        return findings.fine("mail", "none waits".to_owned());
    }
    let now = clock::now_ms();
    for row in waiting.iter().take(10) {
        let name = row.found.info.label();
        let Ok((cursor, bytes)) = row.found.session.cursor() else { continue };
        let Ok(pending) = row.found.session.read(cursor.consumed, bytes, usize::MAX) else { continue };
        let Some(oldest) = pending.entries.first().map(|entry| entry.message.sent_ms) else { continue };
        let what = format!(
            "{} for {name}, the oldest sent {}",
            count(pending.entries.len(), "message"),
            clock::ago(oldest, now)
        );
        match row.live {
            true if now.saturating_sub(oldest) > 600_000 => findings.notice(
                "mail",
                format!("{what}; it is live but has had no event since: is its hook installed and trusted?"),
            ),
            true => findings.fine("mail", format!("{what}; read at its next event")),
            false => {
                findings.notice("mail", format!("{what}; it is dormant, ring it with: relay wake {name}"))
            }
        }
    }
    if waiting.len() > 10 {
        findings.notice("mail", format!("and mail for {} more", count(waiting.len() - 10, "session")));
    }
}

/// Mail for ids that no host has announced: a slip, or a session yet to come.
fn strays(store: &Store, findings: &mut Findings) {
    for session in store.sessions().unwrap_or_default().iter().filter(|session| !session.is_registered()) {
        let pending =
            session.cursor().and_then(|(cursor, bytes)| session.read(cursor.consumed, bytes, usize::MAX));
        let waiting = pending.map_or(0, |pending| pending.entries.len());
        if waiting > 0 {
            let what = format!("{} for {}", count(waiting, "message"), session.key());
            findings
                .notice("mail", format!("{what}, a session that no host has announced; is the id right?"));
        }
    }
}

fn damage(store: &Store, findings: &mut Findings) -> Result<()> {
    let mut found = false;
    for session in store.sessions()? {
        if let Err(error) = session.info() {
            found = true;
            findings.problem("records", error.to_string());
        }
        if session.cursor_is_damaged() {
            found = true;
            let folder = session.folder().display();
            findings
                .problem("records", format!("{folder}/cursor.json is damaged; its mail comes again, marked"));
        }
        let bytes = session.log().metadata().map_or(0, |metadata| metadata.len());
        let lines = session.read(0, bytes, usize::MAX)?.damaged;
        if lines > 0 {
            found = true;
            let what =
                format!("{} in {}: skipped and kept", count(lines, "damaged line"), session.log().display());
            findings
                .problem("records", format!("{what}; look at the file to see what the sender may repeat"));
        }
    }
    if !found {
        findings.fine("records", "none damaged".to_owned());
    }
    Ok(())
}

fn last_failure(store: &Store, findings: &mut Findings) {
    match store.last_failure() {
        None => findings.fine("hooks", "no failure noted".to_owned()),
        Some((when, what)) => {
            let note = store.home().join("hook-failures");
            let when = clock::ago(when, clock::now_ms());
            findings
                .notice("hooks", format!("the last failure was {when}: {what} (all in {})", note.display()));
        }
    }
}

/// Whether the host is here, and whether its configuration names relay.
fn wiring(relay: &Relay, host: &'static Host, findings: &mut Findings) {
    let Some(program) = find_program(relay, host.program) else {
        return findings.fine(host.title, "not on this machine's PATH".to_owned());
    };
    let at = program.display();
    let by_hand = format!("wire it with: relay install {}", host.name);
    let state = match install::examine(relay, host) {
        Ok(state) => state,
        Err(error) => return findings.problem(host.title, error.to_string()),
    };
    if !state.server && state.missing.len() == host.moments.len() && !state.by_plugin {
        return findings.notice(host.title, format!("{at}; relay is not wired into it; {by_hand}"));
    }
    let before = findings.0.len();
    if !state.by_plugin && !state.server {
        findings.notice(host.title, format!("relay's hooks are there, its server is not; {by_hand}"));
    }
    if !state.by_plugin && !state.missing.is_empty() {
        findings.problem(
            host.title,
            format!("no hook of relay's for {}, so mail waits there; {by_hand}", state.missing.join(", ")),
        );
    }
    if state.twice {
        findings.notice(
            host.title,
            "relay is wired twice (plugin and install, or two entries); mail still comes once, remove one"
                .to_owned(),
        );
    }
    if state.disabled {
        findings
            .problem(host.title, "its settings switch all hooks off, so no mail comes by itself".to_owned());
    }
    if state.untrusted > 0 {
        findings.notice(
            host.title,
            format!(
                "{} not trusted yet, so they do not run; trust them at /hooks",
                count(state.untrusted, "hook")
            ),
        );
    }
    for program in &state.broken {
        findings.problem(
            host.title,
            format!("it starts {program}, which is not there or cannot be run; {by_hand}"),
        );
    }
    if findings.0.len() == before {
        findings.fine(host.title, format!("{at}; relay's server and hooks are wired"));
    }
}

/// Another program called relay that a host would start instead.
fn other_relays(relay: &Relay, findings: &mut Findings) {
    let me = std::env::current_exe().and_then(|path| path.canonicalize());
    let Some(first) = find_program(relay, "relay") else {
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

/// The program of this name on the PATH.
pub fn find_program(relay: &Relay, name: &str) -> Option<std::path::PathBuf> {
    relay.env.search_path().map(|folder| folder.join(name)).find(|path| is_program(path))
}

/// Whether this file can be run.
pub fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// An error when something needs mending, for the exit status.
pub fn verdict(findings: &[Finding]) -> Result<()> {
    let problems = findings.iter().filter(|finding| finding.grade == Grade::Problem).count();
    match problems {
        0 => Ok(()),
        _ => Err(Error::Failed(format!(
            "{} found; each line above says what to do",
            count(problems, "problem")
        ))),
    }
}
