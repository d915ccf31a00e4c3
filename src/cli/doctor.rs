//! `relay doctor`: what a worried user needs to know.

use std::fmt::Write;

use super::{Parsed, say, say_json};
use crate::error::Result;
use crate::json;
use crate::mail::text::visible;
use crate::ops::Relay;
use crate::ops::doctor::{examine, verdict};

pub fn run(relay: &Relay, parsed: &Parsed) -> Result<i32> {
    let findings = examine(relay);
    if parsed.flag("json") {
        let list = json::list(0, &findings, |object, finding| {
            object
                .str("subject", finding.subject)
                .str("grade", finding.grade.name())
                .str("detail", &finding.detail)
        });
        say_json(list)?;
    } else {
        let width = findings.iter().map(|finding| finding.subject.len()).max().unwrap_or(0);
        let mut text = String::new();
        for finding in &findings {
            let detail = visible(&finding.detail);
            let _ = writeln!(text, "{:7}  {:width$}  {detail}", finding.grade.name(), finding.subject);
        }
        say(&text)?;
    }
    verdict(&findings).map(|()| 0)
}
