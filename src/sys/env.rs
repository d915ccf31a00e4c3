//! The environment this process was started with.
//!
//! Invariant: no other file asks the system for a variable or the working
//! directory, and nothing changes either, so a whole run sees one environment.
//! Only what is asked for is copied: hooks run in environments of many variables.

use std::cell::OnceCell;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::file::is_program;

/// The variables and the working directory this process was started with.
#[derive(Default)]
pub struct Env {
    directory: OnceCell<PathBuf>,
}

impl Env {
    /// A variable's value. One that is not UTF-8 counts as absent, too.
    pub fn get(&self, name: &str) -> Option<String> {
        self.value(name)?.into_string().ok()
    }

    /// A variable's value as the system has it: a path need not be text. An empty
    /// one, and one that a host failed to substitute (it still holds `${`), count
    /// as absent.
    fn value(&self, name: &str) -> Option<OsString> {
        let is_raw = |value: &OsString| value.as_encoded_bytes().windows(2).any(|two| two == b"${");
        std::env::var_os(name).filter(|value| !value.is_empty() && !is_raw(value))
    }

    /// Whether what is accepted is to be on the disk. `RELAY_SYNC=off` is there to
    /// time relay without the disk it runs on, and breaks its first promise.
    pub fn syncs(&self) -> bool {
        self.get("RELAY_SYNC").as_deref() != Some("off")
    }

    /// A variable that holds a path, made absolute.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.value(name).map(|value| self.absolute(Path::new(&value)))
    }

    /// The user's home directory; `None` where nobody says which.
    pub fn home(&self) -> Option<PathBuf> {
        self.value("HOME").map(|home| self.seen_from_directory(PathBuf::from(home)))
    }

    /// A path below the home directory; where there is none, one that cannot
    /// exist.
    pub fn below_home(&self, path: &str) -> PathBuf {
        self.home().unwrap_or_else(|| PathBuf::from("/dev/null/no-home")).join(path)
    }

    /// The working directory at start.
    pub fn directory(&self) -> &Path {
        self.directory.get_or_init(|| std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")))
    }

    /// The path, seen from the working directory at start; `~/` is the home.
    pub fn absolute(&self, path: &Path) -> PathBuf {
        match path.strip_prefix("~").ok().and_then(|rest| Some(self.home()?.join(rest))) {
            Some(path) => path,
            None => self.seen_from_directory(path.to_owned()),
        }
    }

    fn seen_from_directory(&self, path: PathBuf) -> PathBuf {
        if path.is_absolute() { path } else { self.directory().join(path) }
    }

    /// The program of this name where programs are looked for; one with a slash
    /// where it says.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let path = match name.contains('/') {
            true => String::new(), // no folder: the name itself
            false => self.get("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".to_owned()),
        };
        path.split(':').map(|folder| Path::new(folder).join(name)).find(|path| is_program(path))
    }
}
