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
use crate::host::{HOSTS, Host, Listed, inherited_variables, words};
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
    /// Empty until its transcript is read, where that alone tells it.
    pub id: String,
    pub directory: Option<String>,
    /// What its host calls it, on one line and cut.
    pub title: Option<String>,
    /// Its name in relay's store.
    pub name: Option<String>,
    pub registered: bool,
    pub active_ms: u64,
    /// What is still to be asked for its directory and title.
    transcript: Option<PathBuf>,
}

/// Sessions by their transcripts, the most recently active first.
pub fn discover(relay: &Relay, query: &Query) -> Result<Vec<Discovered>> {
    let oldest = clock::now_ms().saturating_sub(query.within_ms);
    let mut candidates = Vec::new();
    for host in HOSTS.iter().filter(|host| query.host.as_deref().is_none_or(|name| name == host.name)) {
        let mut budget = SCAN_ENTRIES;
        let root = (host.transcripts)(&relay.env);
        scan(&root, host, host.transcript_depth, oldest, &mut budget, &mut candidates);
        list(relay, host, oldest, &mut candidates);
    }
    candidates.sort_unstable_by(|a, b| (b.active_ms, &b.id).cmp(&(a.active_ms, &a.id)));
    let store = relay.existing_store()?;
    let near = query.near.as_deref().and_then(Path::to_str);
    let (mut rows, mut rows_near) = (Vec::<Discovered>::new(), 0);
    for mut row in candidates {
        if let (Some(read), Some(path)) = (row.host.id_in_transcript, &row.transcript) {
            let Some(id) = first_of_lines(path, 1, read) else { continue };
            row.id = id;
        }
        let is_listed = rows.iter().any(|other| other.id == row.id);
        if is_listed || query.exclude.as_ref() == Some(&row.id) {
            continue;
        }
        if rows.len() == DISCOVER_ROWS {
            break;
        }
        if let Some(path) = row.transcript.take() {
            row.directory = directory_in(&path, row.host);
            row.title = title_in(&path, row.host);
        }
        if !row.directory.as_deref().is_some_and(is_place) {
            row.directory = None;
        }
        row.title = row.title.as_deref().and_then(plain_title);
        if let Some(store) = &store
            && let Ok(known) = latest(store, store.session(&row.id))
        {
            row.registered = !known.info.host.is_empty();
            if let (None, Some(path)) = (&row.directory, &known.info.directory) {
                row.directory = Some(path.to_string_lossy().into_owned());
            }
            row.name = known.info.name;
        }
        let is_near = near.is_some() && row.directory.as_deref() == near;
        let place = if is_near { rows_near } else { rows.len() };
        rows_near += usize::from(is_near);
        rows.insert(place, row);
    }
    Ok(rows)
}

/// Collects the sessions that a host lists itself, if any of them was active lately.
fn list(relay: &Relay, host: &'static Host, oldest_ms: u64, candidates: &mut Vec<Discovered>) {
    let Some(listing) = host.listing else { return };
    let changed = |path: &PathBuf| {
        path.metadata().and_then(|data| data.modified()).is_ok_and(|time| clock::file_ms(time) >= oldest_ms)
    };
    if !(listing.files)(&relay.env).iter().any(changed) {
        return;
    }
    let plan = Plan {
        program: host.program.to_owned(),
        arguments: words(listing.arguments),
        directory: relay.env.below_home(""),
        without: inherited_variables(),
    };
    let printed = wake::output(&plan, LISTING_BYTES, Duration::from_millis(LISTING_MS)).unwrap_or_default();
    for Listed { id, directory, title, active_ms } in (listing.rows)(&printed) {
        if active_ms >= oldest_ms {
            candidates.push(Discovered { directory, title, ..candidate(host, id, active_ms) });
        }
    }
}

/// A session of which no more is known yet.
fn candidate(host: &'static Host, id: String, active_ms: u64) -> Discovered {
    let registered = false;
    Discovered { host, id, directory: None, title: None, name: None, registered, active_ms, transcript: None }
}

/// Collects the transcripts `depth` folders below `folder`.
fn scan(
    folder: &Path,
    host: &'static Host,
    depth: usize,
    oldest_ms: u64,
    budget: &mut usize,
    candidates: &mut Vec<Discovered>,
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
                let transcript = Some(folder.join(name));
                candidates.push(Discovered { transcript, ..candidate(host, id, active_ms) });
            }
        }
        true
    });
}

/// The directory a transcript names, in its first lines or in the file beside it.
fn directory_in(path: &Path, host: &Host) -> Option<String> {
    let Some(name) = host.directory_file else {
        return first_of_lines(path, usize::MAX, host.transcript_directory);
    };
    let file = path.parent()?.join(name);
    let is_file = file.symlink_metadata().is_ok_and(|data| data.is_file());
    let content = is_file.then(|| file::read(&file, STATE_FILE_BYTES).ok().flatten()).flatten()?;
    String::from_utf8(content).ok().map(|text| text.trim_end().to_owned())
}

/// The last title in the end of a transcript, else the first in its first lines.
fn title_in(path: &Path, host: &Host) -> Option<String> {
    let tail = file::read_tail(path, TRANSCRIPT_TAIL_BYTES).ok().flatten()?;
    let tail = String::from_utf8_lossy(&tail);
    let last = tail.lines().rev().find_map(host.transcript_title);
    last.or_else(|| first_of_lines(path, TITLE_LINES, host.transcript_title))
}

/// A title as one short line, if it says anything: somebody wrote it.
fn plain_title(title: &str) -> Option<String> {
    let mut line = String::new();
    for c in title.chars() {
        if !c.is_whitespace() && !c.is_control() {
            line.push(c);
        } else if !line.is_empty() && !line.ends_with(' ') {
            line.push(' ');
        }
    }
    let line = line.trim_end();
    (!line.is_empty()).then(|| shorten(line))
}

/// What the first line of a file tells that tells anything, if it is one of so many.
fn first_of_lines(path: &Path, mut most: usize, read: fn(&str) -> Option<String>) -> Option<String> {
    let mut lines = BufReader::new(file::open(path).ok()?.take(TRANSCRIPT_BYTES as u64));
    let mut line = Vec::new();
    while most > 0 {
        line.clear();
        if lines.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        if let Ok(text) = std::str::from_utf8(&line) {
            let told = read(text);
            if told.is_some() {
                return told;
            }
            most -= 1;
        }
    }
    None
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
