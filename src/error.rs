//! The one error vocabulary and the exit codes that scripts may rely on.
//!
//! Invariant: every error reads as one line (what failed, on what, what to do
//! next), and no exit code is 2, which hosts take for "block".

use std::fmt;
use std::io;
use std::path::Path;

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

/// Whatever can go wrong, worded for the person who reads it. One pointer wide:
/// nearly every function hands it on.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    cause: Cause,
    /// What failed, on what.
    what: String,
    /// What to do next, where that is not said already.
    next: String,
}

/// What an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The operating system refused something.
    Io(io::ErrorKind),
    /// The command line, a tool argument or an id was not understood.
    Usage,
    /// Nothing of that name.
    NotFound,
    /// Nothing tells which session is asking.
    Unidentified,
    /// The session must not be touched while it is live.
    Live,
    /// It belongs to somebody else.
    Conflict,
    /// Another reader has the mail.
    Held,
    /// The hold token does not (any longer) name a hold.
    Token,
    /// A lock was held for longer than [`crate::limits::LOCK_WAIT_MS`].
    Busy,
    /// A limit was exceeded.
    Limit,
    /// The store's format is newer than this binary.
    Format,
    /// Anything else that one sentence tells best.
    Failed,
}

impl Error {
    /// An error of that kind; `what` is one line.
    pub fn new(cause: Cause, what: impl Into<String>) -> Error {
        Error(Box::new(Inner { cause, what: what.into(), next: String::new() }))
    }

    /// The same, and what to do next.
    fn advise(mut self, next: impl Into<String>) -> Error {
        self.0.next = next.into();
        self
    }

    /// Wraps an operating-system error with what was being done to which path.
    pub fn io(doing: &str, path: &Path, source: io::Error) -> Error {
        let what = format!("cannot {doing} {}: {}", path.display(), reason(&source));
        Error::new(Cause::Io(source.kind()), what).advise(remedy(&source))
    }

    /// The same of a message that was to be stored.
    pub fn not_stored(path: &Path, source: io::Error) -> Error {
        let error = Error::io("append to", path, source);
        let next = match error.0.next.as_str() {
            "" => "nothing was stored: try again".to_owned(),
            next => format!("nothing was stored: {next}"),
        };
        error.advise(next)
    }

    /// `what` cannot be printed: nothing about the store, and nothing to be mended there.
    pub fn unprinted(what: &str, source: &io::Error) -> Error {
        let text = format!("cannot print {what} to stdout: {}", reason(source));
        Error::new(Cause::Io(source.kind()), text)
    }

    /// There is no `what` of that name; `hint` goes on from there.
    pub fn not_found(what: &str, name: &str, hint: &str) -> Error {
        Error::new(Cause::NotFound, format!("no {what} '{name}'{hint}"))
    }

    /// The lock at `path` was not to be had in time.
    pub fn busy(path: &Path, holder: Option<String>) -> Error {
        let holder = holder.map(|holder| format!(" by {holder}")).unwrap_or_default();
        let path = path.display();
        Error::new(Cause::Busy, format!("lock {path} is busy (held for over 3 s{holder})"))
            .advise("nothing was changed: try again")
    }

    /// `what` is `got` bytes long.
    pub fn limit(what: &str, limit: usize, got: usize, advice: &str) -> Error {
        Error::new(Cause::Limit, format!("{what} is {got} bytes, the limit is {limit}")).advise(advice)
    }

    /// [`Cause::Usage`].
    pub fn usage(text: impl Into<String>) -> Error {
        Error::new(Cause::Usage, text)
    }

    /// [`Cause::Failed`].
    pub fn failed(text: impl Into<String>) -> Error {
        Error::new(Cause::Failed, text)
    }

    /// What failed, without what to do about it.
    pub fn what(&self) -> &str {
        &self.0.what
    }

    /// An error of the same kind, in other words.
    pub fn reworded(&self, what: String) -> Error {
        Error::new(self.0.cause, what)
    }

    /// Whether it is of that kind.
    pub fn is(&self, cause: Cause) -> bool {
        self.0.cause == cause
    }

    /// The exit code that goes with this error.
    pub fn exit(&self) -> Exit {
        match self.0.cause {
            Cause::Io(_) | Cause::Failed => Exit::Failure,
            Cause::Usage => Exit::Usage,
            Cause::NotFound | Cause::Unidentified => Exit::NotFound,
            Cause::Live => Exit::Live,
            Cause::Conflict => Exit::Conflict,
            Cause::Held => Exit::Held,
            Cause::Token => Exit::Token,
            Cause::Busy => Exit::Busy,
            Cause::Limit => Exit::Limit,
            Cause::Format => Exit::Format,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.what)?;
        match self.0.next.as_str() {
            "" => Ok(()),
            next => write!(f, "; {next}"),
        }
    }
}

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
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free some space and try again",
        io::ErrorKind::PermissionDenied => {
            "check the owner and mode of this path (in an agent's sandbox, use relay's tools)"
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            "the store needs a writable file system (in an agent's sandbox, use relay's tools)"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_io_error_names_the_path_and_the_remedy() {
        let full = || io::Error::from_raw_os_error(28);
        let error = Error::io("write", Path::new("/s/cursor.json"), full());
        assert_eq!(
            error.to_string(),
            "cannot write /s/cursor.json: No space left on device; free some space and try again"
        );
        let error = Error::not_stored(Path::new("/s/mail.jsonl"), full());
        assert_eq!(error.what(), "cannot append to /s/mail.jsonl: No space left on device");
        assert_eq!(
            error.to_string(),
            "cannot append to /s/mail.jsonl: No space left on device; nothing was stored: free some space and try again"
        );
        assert_eq!(error.exit(), Exit::Failure);
    }
}
