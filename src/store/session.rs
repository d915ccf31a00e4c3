//! One session's folder: its record, its lock, and whether it is live.
//!
//! Invariant: the record changes only under the session's lock (a [`Guard`]),
//! and a session is live because a process of it runs, never because of a time.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{make_folder, write};
use crate::error::{Cause, Error, Result};
use crate::json;
use crate::limits::{STATE_FILE_BYTES, UNSEEN_LIVE_MS};
use crate::sys::clock;
use crate::sys::file;
use crate::sys::lock::Lock;
use crate::sys::process::{Life, Process};
use crate::sys::watch::Watch;

/// Tries to lock a folder that others fold away meanwhile.
const LOCK_TRIES: usize = 8;

/// The folder of one session, which need not exist yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    folder: Arc<Path>,
}

/// The session's lock, and with it the right to change its folder.
pub struct Guard<'a> {
    session: &'a Session,
    _lock: Lock,
}

/// What is known of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// The id its host gave it.
    pub id: String,
    /// The host's name in relay's table: `claude`, `codex`.
    pub host: String,
    /// Its handle; unique in the store.
    pub name: Option<String>,
    /// Whether somebody chose that name.
    pub named: bool,
    /// Its project's directory.
    pub directory: Option<PathBuf>,
    pub transcript: Option<PathBuf>,
    /// The host process that runs it, as a hook saw it.
    pub process: Option<Process>,
    /// Whether its user lets `relay watch` wake it.
    pub wakes: bool,
    /// When a host or person last announced it, in milliseconds since 1970.
    pub seen_ms: u64,
    /// The session this one goes on from, until all of its mail has moved here.
    pub inherits: Option<String>,
    /// The session that goes on from this one: its mail goes there.
    pub successor: Option<String>,
    /// The one that went on from this before its user came back to it.
    pub formerly: Option<String>,
}

impl Session {
    pub(super) fn at(folder: PathBuf) -> Session {
        Session { folder: folder.into() }
    }

    /// A file of this session's folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        file::below(&self.folder, name)
    }

    /// The folder's name.
    pub fn key(&self) -> &str {
        self.folder.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// What a file says that leads to the session.
    pub(super) fn key_line(&self) -> String {
        format!("{}\n", self.key())
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn exists(&self) -> bool {
        self.folder.is_dir()
    }

    /// Watches this session's files.
    pub fn watch(&self, watch: &mut Watch) {
        watch.add(&self.folder);
    }

    /// Whether somebody registered it: a mailbox can exist before its session.
    pub fn is_registered(&self) -> bool {
        self.record().exists()
    }

    /// The record's path.
    pub fn record(&self) -> PathBuf {
        self.file("info.json")
    }

    /// The record; `None` when it was never registered, an error when the file
    /// is damaged.
    pub fn info(&self) -> Result<Option<Box<Info>>> {
        match self.read_record()? {
            Some(None) => Err(Error::failed(format!(
                "{} is damaged; register the session again to mend it",
                self.record().display()
            ))),
            record => Ok(record.flatten()),
        }
    }

    /// What is known of the session: a damaged record counts as none, for the
    /// mailbox is there all the same. One that cannot be read now may say anything,
    /// so that is an error.
    pub fn known(&self) -> Result<Option<Box<Info>>> {
        self.read_record().map(Option::flatten)
    }

    /// `Some(None)`: it is there and damaged.
    fn read_record(&self) -> Result<Option<Option<Box<Info>>>> {
        let path = self.record();
        match file::with_content(&path, STATE_FILE_BYTES, Info::parse) {
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => Ok(Some(None)),
            read => read.map_err(|e| Error::io("read", &path, e)),
        }
    }

    /// Takes the session's lock, making its folder where there is none.
    pub fn lock(&self) -> Result<Guard<'_>> {
        match self.lock_file("lock", |path| Lock::exclusive(path).map(Some))? {
            Some(lock) => Ok(Guard { session: self, _lock: lock }),
            None => Err(Error::busy(&self.file("lock"), None)),
        }
    }

    /// Takes a lock of the folder, which is made where there is none.
    fn lock_file(&self, name: &str, take: fn(&Path) -> Result<Option<Lock>>) -> Result<Option<Lock>> {
        let path = self.file(name);
        for _ in 0..LOCK_TRIES {
            match take(&path) {
                Err(error) if error.is(Cause::Io(std::io::ErrorKind::NotFound)) => {
                    make_folder(&self.folder)?;
                }
                // While we waited, the folder may have been folded away.
                Ok(Some(lock)) if !lock.is_of(&path) => {}
                taken => return taken,
            }
        }
        Err(Error::busy(&path, None))
    }

    /// Changes the record, if there is one and it is `still` one to be changed.
    pub fn update(&self, still: &dyn Fn(&Info) -> bool, change: &mut dyn FnMut(&mut Info)) -> Result<()> {
        let guard = self.lock()?;
        let Some(mut info) = self.known()?.filter(|info| still(info)) else { return Ok(()) };
        change(&mut info);
        guard.write_info(&info)
    }

    /// Marks the session live for as long as the returned lock is kept.
    pub fn live_lock(&self) -> Result<Option<Lock>> {
        Lock::try_shared(&self.file("live"))
    }

    /// Takes the right to resume the session; `None` while somebody has it.
    pub fn resume_lock(&self) -> Result<Option<Lock>> {
        self.lock_file("resume", Lock::try_exclusive)
    }

    /// Whether a `relay wake` or `attach` resumes it right now.
    pub fn is_resumed(&self) -> bool {
        Lock::is_held(&self.file("resume"))
    }

    /// Whether somebody changes it right now.
    pub fn is_locked(&self) -> bool {
        Lock::is_held(&self.file("lock"))
    }

    /// Whether a process of this session runs.
    pub fn is_live(&self, info: &Info) -> bool {
        info.runs() || self.is_kept_live()
    }

    /// Whether somebody has its [`Session::live_lock`].
    pub fn is_kept_live(&self) -> bool {
        Lock::is_held(&self.file("live"))
    }
}

impl Guard<'_> {
    pub fn session(&self) -> &Session {
        self.session
    }

    /// Replaces the record.
    pub fn write_info(&self, info: &Info) -> Result<()> {
        write(&self.session.record(), &info.to_text())
    }
}

impl Info {
    fn to_text(&self) -> String {
        json::Object::new()
            .str("id", &self.id)
            .str("host", &self.host)
            .optional("name", self.name.as_deref())
            .bool("named", self.named)
            .optional("directory", path_text(&self.directory).as_deref())
            .optional("transcript", path_text(&self.transcript).as_deref())
            .optional("process", self.process.as_ref().map(Process::to_string).as_deref())
            .optional("wakes", self.wakes.then_some("on"))
            .str("seen", &clock::rfc3339(self.seen_ms))
            .optional("inherits", self.inherits.as_deref())
            .optional("successor", self.successor.as_deref())
            .optional("formerly", self.formerly.as_deref())
            .finish()
            + "\n"
    }

    fn parse(content: &[u8]) -> Option<Box<Info>> {
        let (mut info, mut host) = (Box::<Info>::default(), None);
        json::each_member(std::str::from_utf8(content).ok()?.trim(), &mut |key, raw| {
            let text = raw.str().map(Cow::into_owned);
            match key.as_ref() {
                "id" => info.id = text.unwrap_or_default(),
                "host" => host = text,
                "name" => info.name = text,
                "named" => info.named = raw.text == "true",
                "directory" => info.directory = text.map(PathBuf::from),
                "transcript" => info.transcript = text.map(PathBuf::from),
                "process" => info.process = text.and_then(|text| Process::parse(&text)),
                "wakes" => info.wakes = true,
                "seen" => info.seen_ms = text.and_then(|text| clock::parse_rfc3339(&text)).unwrap_or(0),
                "inherits" => info.inherits = text,
                "successor" => info.successor = text,
                "formerly" => info.formerly = text,
                _ => {}
            }
        })?;
        info.host = host?;
        (!info.id.is_empty()).then_some(info)
    }

    /// Whether its host process runs; one that cannot be looked at is believed to
    /// for some time.
    pub fn runs(&self) -> bool {
        match self.process.as_ref().map(Process::life) {
            Some(Life::Unknown) => clock::now_ms().saturating_sub(self.seen_ms) < UNSEEN_LIVE_MS,
            life => life == Some(Life::Runs),
        }
    }

    /// What to call it: its name, else its id.
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }
}

fn path_text(path: &Option<PathBuf>) -> Option<Cow<'_, str>> {
    path.as_ref().map(|path| path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back() {
        let info = Info {
            id: "11111111-1111-1111-1111-111111111111".into(),
            host: "claude".into(),
            name: Some("alice".into()),
            named: true,
            directory: Some("/w/app \"x\"".into()),
            transcript: None,
            process: Process::current(),
            wakes: true,
            seen_ms: 1_795_213_042_123,
            inherits: None,
            formerly: Some("33333333-3333-3333-3333-333333333333".into()),
            successor: Some("x".into()),
        };
        assert_eq!(Info::parse(info.to_text().as_bytes()), Some(Box::new(info)));
        assert_eq!(Info::parse(b"{}"), None);
    }
}
