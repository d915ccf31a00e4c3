//! What `relay install` has changed in a host's configuration, so that it can
//! be taken back.
//!
//! Invariant: a file is noted, with its copy, before it is changed.

use std::path::{Path, PathBuf};

use super::{Store, make_folder, read, remove, write};
use crate::error::Result;
use crate::json::{self, Document, Value};
use crate::sys::lock::Lock;

/// A file as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    pub path: PathBuf,
    /// Where its former content is kept; `None`: there was no such file.
    pub copy: Option<PathBuf>,
    /// A digest of what relay made of it; 0 until that is done.
    pub after: u64,
}

/// The files of one host that relay has changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Installed {
    pub files: Vec<Before>,
    /// Whether the server is relay's doing, not the user's.
    pub server: bool,
}

impl Installed {
    pub fn before(&self, path: &Path) -> Option<&Before> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Notes what relay made of a file.
    pub fn note_after(&mut self, path: &Path, digest: u64) {
        self.files.iter_mut().filter(|file| file.path == path).for_each(|file| file.after = digest);
    }

    fn to_text(&self) -> String {
        let files = self.files.iter().map(|file| {
            json::Object::new()
                .str("path", &file.path.to_string_lossy())
                .optional("copy", file.copy.as_ref().map(|copy| copy.to_string_lossy()).as_deref())
                .str("after", &format!("{:016x}", file.after))
                .finish()
        });
        json::Object::new().raw("files", &json::array(files)).bool("server", self.server).finish() + "\n"
    }

    fn parse(content: &[u8]) -> Option<Installed> {
        let document = Document::parse(content).ok()?;
        // The first notes did not say: then it was.
        let server = document.value().get("server").and_then(Value::bool).unwrap_or(true);
        let mut installed = Installed { files: Vec::new(), server };
        for file in document.value().get("files")?.items()? {
            let text = |key: &str| file.get(key).and_then(Value::str);
            installed.files.push(Before {
                path: text("path")?.into(),
                copy: text("copy").map(PathBuf::from),
                after: u64::from_str_radix(text("after")?, 16).ok()?,
            });
        }
        Some(installed)
    }
}

impl Store {
    /// What relay has changed of this host; nothing where the note is damaged.
    pub fn installed(&self, host: &str) -> Result<Installed> {
        let path = self.installed_file(host);
        Ok(read(&path)?.and_then(|content| Installed::parse(&content)).unwrap_or_default())
    }

    /// Keeps every other install and uninstall out for as long as it is held. They
    /// alone write the notes.
    pub fn lock_installed(&self) -> Result<Lock> {
        let folder = self.home().join("installed");
        make_folder(&folder)?;
        Lock::exclusive(&folder.join("lock"))
    }

    /// Replaces the note; an empty one is removed.
    pub fn write_installed(&self, host: &str, installed: &Installed) -> Result<()> {
        let path = self.installed_file(host);
        match installed.files.is_empty() {
            true => remove(&path),
            false => write(&path, &installed.to_text()),
        }
    }

    fn installed_file(&self, host: &str) -> PathBuf {
        self.path("installed", &format!("{host}.json"))
    }
}
