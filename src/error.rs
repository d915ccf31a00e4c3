//! The one error vocabulary and the exit codes that scripts may rely on.
//!
//! Invariant: every error reads as one line (what failed, on what, what to do
//! next), and no exit code is 2, which hosts take for "block".

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The process exit codes, as documented in the README.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Something failed; stderr says what.
    Failure = 1,
    /// The session is live, so it must not be resumed elsewhere.
    Live = 3,
    /// No such session, name, message or directory.
    NotFound = 4,
    /// The name, or the answer, belongs to somebody else already.
    Conflict = 5,
    /// Another reader holds this mailbox.
    Held = 6,
    /// The hold token is unknown or has expired.
    Token = 7,
    /// A lock was not to be had in time.
    Busy = 8,
    /// A limit of relay was exceeded; the error names it.
    Limit = 9,
    /// The store was written by a newer relay.
    Format = 10,
    /// The command line was not understood.
    Usage = 64,
}

pub type Result<T> = std::result::Result<T, Error>;

/// Whatever can go wrong, worded for the person who reads it.
#[derive(Debug)]
pub enum Error {
    /// The operating system refused `doing` on `path`.
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    /// The command line, a tool argument or an id was not understood.
    Usage(String),
    /// Nothing of that name; `hint` says what may have been meant.
    NotFound { what: &'static str, name: String, hint: String },
    /// Nothing tells which session is asking.
    Unidentified(String),
    /// The session must not be touched while it is live.
    Live(String),
    /// It belongs to somebody else.
    Conflict(String),
    /// Another reader has the mail.
    Held(String),
    /// The hold token does not (any longer) name a hold.
    Token(String),
    /// A lock was held for longer than [`crate::limits::LOCK_WAIT_MS`].
    Busy { path: PathBuf, holder: Option<String> },
    /// A limit was exceeded.
    Limit { what: &'static str, limit: usize, got: usize, advice: &'static str },
    /// A limit that counts things was reached; the text names it.
    TooMany(String),
    /// The store's format is newer than this binary.
    Format { path: PathBuf, found: String },
    /// Anything else that one sentence tells best.
    Failed(String),
}

impl Error {
    /// Wraps an operating-system error with what was being done to which path.
    pub fn io(doing: &'static str, path: &Path, source: io::Error) -> Error {
        Error::Io { doing, path: path.to_owned(), source }
    }

    /// The exit code that goes with this error.
    pub fn exit(&self) -> Exit {
        match self {
            Error::Io { .. } | Error::Failed(_) => Exit::Failure,
            Error::Usage(_) => Exit::Usage,
            Error::NotFound { .. } | Error::Unidentified(_) => Exit::NotFound,
            Error::Live(_) => Exit::Live,
            Error::Conflict(_) => Exit::Conflict,
            Error::Held(_) => Exit::Held,
            Error::Token(_) => Exit::Token,
            Error::Busy { .. } => Exit::Busy,
            Error::Limit { .. } | Error::TooMany(_) => Exit::Limit,
            Error::Format { .. } => Exit::Format,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io { doing, path, source } => {
                write!(f, "cannot {doing} {}: {}{}", path.display(), reason(source), remedy(source))
            }
            Error::NotFound { what, name, hint } => write!(f, "no {what} '{name}'{hint}"),
            Error::Busy { path, holder } => {
                write!(f, "lock {} is busy (held for over 3 s", path.display())?;
                if let Some(holder) = holder {
                    write!(f, " by {holder}")?;
                }
                write!(f, "); nothing was changed: try again")
            }
            Error::Limit { what, limit, got, advice } => {
                write!(f, "{what} is {got} bytes, the limit is {limit}; {advice}")
            }
            Error::Format { path, found } => write!(
                f,
                "{} says format {found}, newer than this relay reads; update relay (nothing was changed)",
                path.display()
            ),
            Error::Usage(text)
            | Error::Unidentified(text)
            | Error::Live(text)
            | Error::Conflict(text)
            | Error::Held(text)
            | Error::Token(text)
            | Error::TooMany(text)
            | Error::Failed(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Error {}

/// The operating system's words without Rust's "(os error N)".
fn reason(source: &io::Error) -> String {
    let text = source.to_string();
    match text.find(" (os error") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

/// What the user can do about the commonest refusals.
fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; nothing was stored: free some space and try again"
        }
        io::ErrorKind::PermissionDenied => "; check the owner and mode of this path",
        io::ErrorKind::ReadOnlyFilesystem => "; the store needs a writable file system",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_io_error_names_the_path_and_the_remedy() {
        let error = Error::io("append to", Path::new("/s/mail.jsonl"), io::Error::from_raw_os_error(28));
        assert_eq!(
            error.to_string(),
            "cannot append to /s/mail.jsonl: No space left on device; nothing was stored: free some space and try again"
        );
        assert_eq!(error.exit(), Exit::Failure);
    }
}
