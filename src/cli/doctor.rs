//! `relay doctor`: what a worried user needs to know.

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
                .str("subject", &finding.subject)
                .str("grade", finding.grade.name())
                .str("detail", &finding.detail)
        });
        say_json(list)?;
    } else {
        let width = findings.iter().map(|finding| finding.subject.len()).max().unwrap_or(0);
        let lines = findings.iter().map(|finding| {
            let detail = visible(&finding.detail);
            format!("{:7}  {:width$}  {detail}\n", finding.grade.name(), finding.subject)
        });
        say(&lines.collect::<String>())?;
    }
    verdict(&findings).map(|()| 0)
}
