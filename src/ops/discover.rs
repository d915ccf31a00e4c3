//! Finds sessions from the transcripts that the hosts keep; a host that keeps
//! them in a database is asked.
//!
//! Invariant: only regular files below a host's own root are read, a bounded
//! number of bytes each, never through a link; a file that makes no sense costs
//! nothing but itself. No host is started whose files have not changed lately.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Relay;
use super::find::latest;
use crate::error::Result;
use crate::host::{HOSTS, Host};
use crate::json;
use crate::limits::{
    DISCOVER_ROWS, LISTING_BYTES, LISTING_MS, SCAN_ENTRIES, STATE_FILE_BYTES, TITLE_LINES, TRANSCRIPT_BYTES,
    TRANSCRIPT_TAIL_BYTES,
};
use crate::mail::address::{is_place, shorten};
use crate::sys::folder::{self, Kind};
use crate::sys::{clock, file};
use crate::wake::{self, Plan};

/// What to look for.
pub struct Query {
    /// Active within this many milliseconds.
    pub within_ms: u64,
    pub host: Option<String>,
    /// A session id to leave out: the caller's own.
    pub exclude: Option<String>,
    /// Sessions of this directory come first.
    pub near: Option<PathBuf>,
}

/// A session that its host knows.
pub struct Discovered {
    pub host: &'static Host,
    pub id: String,
    pub directory: Option<String>,
    /// What its host calls it, on one line and cut.
    pub title: Option<String>,
    /// Its name in relay's store.
    pub name: Option<String>,
    pub registered: bool,
    pub active_ms: u64,
}

/// Sessions by their transcripts, the most recently active first.
pub fn discover(relay: &Relay, query: &Query) -> Result<Vec<Discovered>> {
    let now = clock::now_ms();
    let mut candidates = Vec::new();
    for host in HOSTS.iter().filter(|host| query.host.as_deref().is_none_or(|name| name == host.name)) {
        let mut budget = SCAN_ENTRIES;
        let oldest = now.saturating_sub(query.within_ms);
        let root = (host.transcripts)(&relay.env);
        scan(&root, host, host.transcript_depth, oldest, &mut budget, &mut candidates);
        candidates.extend(listed(relay, host, oldest));
    }
    candidates.sort_unstable_by(|a, b| (b.active_ms, &b.id).cmp(&(a.active_ms, &a.id)));
    let store = relay.existing_store()?;
    let mut rows: Vec<Discovered> = Vec::new();
    for mut candidate in candidates {
        if let (Some(read), Named::In(path)) = (candidate.host.id_in_transcript, &candidate.named) {
            let Some(id) = first_of_lines(path, |line| Some(read(line))).flatten() else { continue };
            candidate.id = id;
        }
        let is_listed = rows.iter().any(|row| row.id == candidate.id);
        if is_listed || query.exclude.as_ref() == Some(&candidate.id) {
            continue;
        }
        if rows.len() == DISCOVER_ROWS {
            break;
        }
        let known = match &store {
            Some(store) => latest(store, store.session(&candidate.id)).ok(),
            None => None,
        };
        let registered = known.as_ref().is_some_and(|found| !found.info.host.is_empty());
        let recorded = known.as_ref().and_then(|found| found.info.directory.clone());
        let (named, title) = match candidate.named {
            Named::Listed(directory, title) => (directory, title),
            Named::In(path) => (directory_in(&path, candidate.host), title_in(&path, candidate.host)),
        };
        let named = named.filter(|path| is_place(path));
        let directory = named.or_else(|| recorded.map(|path| path.to_string_lossy().into_owned()));
        rows.push(Discovered {
            host: candidate.host,
            id: candidate.id,
            directory,
            title: title.as_deref().map(plain_title).filter(|title| !title.is_empty()),
            name: known.and_then(|found| found.info.name),
            registered,
            active_ms: candidate.active_ms,
        });
    }
    if let Some(near) = query.near.as_deref().and_then(Path::to_str) {
        rows.sort_by_key(|row| row.directory.as_deref() != Some(near));
    }
    Ok(rows)
}

struct Candidate {
    host: &'static Host,
    id: String,
    named: Named,
    active_ms: u64,
}

/// What names a session's directory and title.
enum Named {
    In(PathBuf),
    Listed(Option<String>, Option<String>),
}

/// The sessions that a host lists itself, if any of them was active lately.
fn listed(relay: &Relay, host: &'static Host, oldest_ms: u64) -> Vec<Candidate> {
    let Some(listing) = &host.listing else { return Vec::new() };
    let changed = |path: &PathBuf| {
        path.metadata().and_then(|data| data.modified()).is_ok_and(|time| clock::file_ms(time) >= oldest_ms)
    };
    if !(listing.files)(&relay.env).iter().any(changed) {
        return Vec::new();
    }
    let plan = Plan {
        program: host.program.to_owned(),
        arguments: listing.arguments.iter().map(|argument| (*argument).to_owned()).collect(),
        directory: relay.env.below_home(""),
        without: HOSTS.iter().flat_map(|host| host.inherited_variables).copied().collect(),
    };
    let printed = wake::output(&plan, LISTING_BYTES, Duration::from_millis(LISTING_MS)).unwrap_or_default();
    (listing.rows)(&printed)
        .into_iter()
        .filter(|row| row.active_ms >= oldest_ms)
        .map(|row| Candidate {
            host,
            id: row.id,
            named: Named::Listed(row.directory, row.title),
            active_ms: row.active_ms,
        })
        .collect()
}

/// Collects the transcripts `depth` folders below `folder`.
fn scan(
    folder: &Path,
    host: &'static Host,
    depth: usize,
    oldest_ms: u64,
    budget: &mut usize,
    candidates: &mut Vec<Candidate>,
) {
    let Ok(opened) = file::open(folder) else { return };
    // What cannot be listed to its end is listed as far as it can.
    let _ = folder::each(&opened, &mut |entry| {
        if *budget == 0 {
            return false;
        }
        *budget -= 1;
        let (name, kind) = (entry.name, entry.kind());
        if depth > 0 && kind == Kind::Folder {
            scan(&folder.join(name), host, depth - 1, oldest_ms, budget, candidates);
        } else if depth == 0 && kind == Kind::File {
            let active_ms = file::changed_in(&opened, name);
            if active_ms >= oldest_ms
                && let Some(id) = (host.transcript_id)(name)
            {
                candidates.push(Candidate { host, id, named: Named::In(folder.join(name)), active_ms });
            }
        }
        true
    });
}

/// The directory a transcript names, in its first lines or in the file beside it.
fn directory_in(path: &Path, host: &Host) -> Option<String> {
    let Some(name) = host.directory_file else { return first_of_lines(path, host.transcript_directory) };
    let file = path.parent()?.join(name);
    let is_file = file.symlink_metadata().is_ok_and(|data| data.is_file());
    let content = is_file.then(|| file::read(&file, STATE_FILE_BYTES).ok().flatten()).flatten()?;
    String::from_utf8(content).ok().map(|text| text.trim_end().to_owned())
}

/// The last title in the end of a transcript, else the first in its first lines.
fn title_in(path: &Path, host: &Host) -> Option<String> {
    let tail = file::read_tail(path, TRANSCRIPT_TAIL_BYTES).ok().flatten()?;
    let tail = String::from_utf8_lossy(&tail);
    tail.lines().rev().find_map(host.transcript_title).or_else(|| {
        let mut lines = 0;
        first_of_lines(path, |line| {
            lines += 1;
            if lines > TITLE_LINES { Some(None) } else { (host.transcript_title)(line).map(Some) }
        })
        .flatten()
    })
}

/// A title as one short line: it may be anything that somebody wrote.
fn plain_title(title: &str) -> String {
    let words: String = title.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    shorten(words.split_whitespace().collect::<Vec<_>>().join(" ").as_str())
}

/// What the first line of a file tells that tells anything.
fn first_of_lines<T>(path: &Path, mut read: impl FnMut(&str) -> Option<T>) -> Option<T> {
    let file = crate::sys::file::open(path).ok()?;
    let mut lines = BufReader::new(file.take(TRANSCRIPT_BYTES as u64));
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        let told = std::str::from_utf8(&line).ok().and_then(&mut read);
        if told.is_some() {
            return told;
        }
    }
}

/// The row as scripts and models see it.
pub fn members(object: json::Object, row: &Discovered, now_ms: u64) -> json::Object {
    object
        .str("tool", row.host.name)
        .str("id", &row.id)
        .nullable("cwd", row.directory.as_deref())
        .nullable("name", row.name.as_deref())
        .optional("title", row.title.as_deref())
        .bool("registered", row.registered)
        .str("lastActivity", &clock::rfc3339(row.active_ms))
        .u64("ageSec", now_ms.saturating_sub(row.active_ms) / 1000)
        .bool("active", true)
}
