//! The environment, read once at start.
//!
//! Invariant: no other file asks the system for a variable or the working
//! directory, so a whole run sees one environment.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::file::is_program;

/// The variables and the working directory this process was started with.
pub struct Env {
    variables: HashMap<String, String>,
    directory: PathBuf,
}

impl Env {
    /// Takes the process's environment. Variables that are not UTF-8 are left out.
    pub fn read() -> Env {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Env { variables, directory: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")) }
    }

    /// A variable's value. An empty one, and one that a host failed to
    /// substitute (it still holds `${`), count as absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        let value = self.variables.get(name)?.as_str();
        (!value.is_empty() && !value.contains("${")).then_some(value)
    }

    /// A variable that holds a path, made absolute.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(|value| self.absolute(Path::new(value)))
    }

    /// The user's home directory; `None` where nobody says which.
    pub fn home(&self) -> Option<PathBuf> {
        self.get("HOME").map(|home| self.directory.join(home))
    }

    /// A path below the home directory; where there is none, one that cannot
    /// exist.
    pub fn below_home(&self, path: &str) -> PathBuf {
        self.home().unwrap_or_else(|| PathBuf::from("/dev/null/no-home")).join(path)
    }

    /// The working directory at start.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The path, seen from the working directory at start; `~/` is the home.
    pub fn absolute(&self, path: &Path) -> PathBuf {
        match (path.strip_prefix("~"), self.home()) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => self.directory.join(path),
        }
    }

    /// Where programs are looked for.
    pub fn search_path(&self) -> impl Iterator<Item = PathBuf> {
        self.get("PATH").unwrap_or("/usr/local/bin:/usr/bin:/bin").split(':').map(PathBuf::from)
    }

    /// The program of this name among them; one with a slash where it says.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        match name.contains('/') {
            true => Some(PathBuf::from(name)).filter(|path| is_program(path)),
            false => self.search_path().map(|folder| folder.join(name)).find(|path| is_program(path)),
        }
    }
}
