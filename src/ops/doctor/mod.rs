//! What a worried user needs to know, on one screen.
//!
//! Invariant: nothing is changed; every finding that is not fine says how to
//! mend it.

mod hosts;
mod store;

use std::fmt;

use super::Relay;
use crate::error::{Error, Result};
use crate::host::HOSTS;
use crate::mail::text::count;

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
    pub subject: &'static str,
    pub grade: Grade,
    pub detail: String,
}

/// Looks at the store, the sessions and the hosts.
pub fn examine(relay: &Relay) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    store::examine(relay, &mut findings);
    for host in HOSTS {
        hosts::examine(relay, host, &mut findings);
    }
    hosts::running_buses(relay, &mut findings);
    hosts::other_relays(relay, &mut findings);
    findings.0
}

struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, subject: &'static str, grade: Grade, detail: fmt::Arguments) {
        self.0.push(Finding { subject, grade, detail: detail.to_string() });
    }
    fn fine(&mut self, subject: &'static str, detail: fmt::Arguments) {
        self.add(subject, Grade::Fine, detail);
    }
    fn notice(&mut self, subject: &'static str, detail: fmt::Arguments) {
        self.add(subject, Grade::Notice, detail);
    }
    fn problem(&mut self, subject: &'static str, detail: fmt::Arguments) {
        self.add(subject, Grade::Problem, detail);
    }
}

/// An error when something needs mending, for the exit status.
pub fn verdict(findings: &[Finding]) -> Result<()> {
    let problems = findings.iter().filter(|finding| finding.grade == Grade::Problem).count();
    match problems {
        0 => Ok(()),
        _ => Err(Error::failed(format!(
            "{} found; each line above says what to do",
            count(problems, "problem")
        ))),
    }
}
