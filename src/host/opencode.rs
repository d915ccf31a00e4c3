//! opencode 1.x. Measured on 1.18.33; see docs/hosts.md. It has no hooks that
//! run a command: `plugins/opencode/relay.js` runs relay at its events and
//! speaks the other hosts' language on its behalf.

use std::path::PathBuf;

use super::usual::{USUAL, ring_plugin, words};
use super::wiring::{Place, Plugin};
use super::{Host, Listed, Listing, Sessions, Wiring, plugins};
use crate::json::{Document, Value};
use crate::mail::address::is_host_id;
use crate::sys::Env;

pub const HOST: Host = Host {
    name: "opencode",
    title: "opencode",
    program: "opencode",
    oldest: "1.18.33",
    session_variable: Some("RELAY_OPENCODE_SESSION"),
    mark_variable: "OPENCODE",
    inherited_variables: &[
        "OPENCODE",
        "OPENCODE_PID",
        "OPENCODE_PROCESS_ROLE",
        "OPENCODE_RUN_ID",
        "RELAY_OPENCODE_SESSION",
    ],
    call_argument: Some("relay_session"),
    sessions: Sessions::Many,
    resume,
    attach: |id| words(&["--session", id]),
    ring: Some(|env, id, line| ring_plugin(env, "RELAY_OPENCODE_BELL", id, line)),
    listing: Some(&Listing { files, arguments: &LIST, rows }),
    wiring: Wiring::Plugin(&PLUGIN),
    ..USUAL
};

const PLUGIN: Plugin = Plugin {
    folder,
    file: Place { folder, name: "plugins/relay.js" },
    text: plugins::opencode,
    begins: "// relay for opencode",
    then: "sessions that run now get relay when they start anew",
};

fn folder(env: &Env) -> PathBuf {
    let configuration = env.path("XDG_CONFIG_HOME").unwrap_or_else(|| env.below_home(".config"));
    configuration.join("opencode")
}

/// `opencode session list` knows only the project it stands in; this knows all.
/// The newest first, without those of subagents.
const LIST: [&str; 4] = [
    "db",
    "SELECT id, directory, title, time_updated FROM session WHERE parent_id IS NULL ORDER BY time_updated DESC LIMIT 200",
    "--format",
    "json",
];

/// The words of the message are arguments of their own: opencode joins them
/// with spaces, and puts one that has spaces inside into quotation marks.
fn resume(id: &str, message: &str, _in_repository: bool) -> Vec<String> {
    let mut arguments = vec!["run", "--session", id, "--format", "json", "--"];
    arguments.extend(message.split(' '));
    words(&arguments)
}

/// The database, and its log of what is new.
fn files(env: &Env) -> Vec<PathBuf> {
    let data = env.path("XDG_DATA_HOME").unwrap_or_else(|| env.below_home(".local/share"));
    vec![data.join("opencode/opencode.db"), data.join("opencode/opencode.db-wal")]
}

fn rows(output: &str) -> Vec<Listed> {
    let mut found = Vec::new();
    let document = Document::parse(output.as_bytes());
    let Some(rows) = document.as_ref().ok().and_then(|document| document.value().items()) else {
        return found;
    };
    for row in rows {
        let text = |key: &str| row.get(key).and_then(Value::str).map(str::to_owned);
        let id = text("id").filter(|id| is_host_id(id));
        if let (Some(id), Some(active_ms)) = (id, row.get("time_updated").and_then(Value::u64)) {
            found.push(Listed { id, directory: text("directory"), title: text("title"), active_ms });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_many_words_arrives_as_it_was_written() {
        let arguments = resume("ses_12345678", "--dir /x  a \"b\"", false);
        assert_eq!(arguments[..6], ["run", "--session", "ses_12345678", "--format", "json", "--"]);
        assert_eq!(arguments[6..].join(" "), "--dir /x  a \"b\"");
        assert!(arguments[6..].iter().all(|word| !word.contains(' ')), "such a one would be quoted");
    }

    #[test]
    fn the_plugin_is_told_where_relay_is() {
        let text = (PLUGIN.text)("/opt/re\"lay");
        assert!(text.starts_with(PLUGIN.begins) && text.contains("? beside : \"/opt/re\\\"lay\"\n"));
    }

    #[test]
    fn a_listing_is_rows_or_nothing() {
        let good = r#"[{"id":"ses_12345678","directory":"/w","title":"t","time_updated":1795225754102},
                       {"id":"--x","time_updated":1},{"id":"ses_87654321"},7]"#;
        let found: Vec<_> = rows(good).into_iter().map(|row| (row.id, row.active_ms)).collect();
        assert_eq!(found, [("ses_12345678".to_owned(), 1_795_225_754_102)]);
        for bad in ["", "[", "{}", "null", "Error: no such table"] {
            assert!(rows(bad).is_empty(), "{bad}");
        }
    }
}
