//! Files that are the user's: read, copied beside themselves, replaced whole.
//!
//! Invariant: a pipe or a device is neither read nor replaced; a file keeps its
//! mode and owner; a draft is written only where nothing is, so that no link
//! leads it elsewhere.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::fault;
use super::file::{look_into, make_directory, make_last, open_with, remove, sync_directory_of};
use crate::limits::CONFIGURATION_BYTES;

/// The content of a file; `None` when there is none.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    // To open a pipe might wait for ever.
    let file = match open_with(path, OFlags::RDONLY | OFlags::NONBLOCK) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if !file.metadata()?.is_file() {
        return Err(not_regular());
    }
    let mut whole = None;
    look_into(file, CONFIGURATION_BYTES, &mut |content| whole = Some(content.to_vec()))?;
    Ok(whole)
}

/// What is replaced when the file at `path` is: what it leads to where it is a
/// link, or this path where nothing is yet. What must not be replaced is an error.
pub fn target(path: &Path) -> io::Result<PathBuf> {
    let target = match path.canonicalize() {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut missing = path.ancestors().take_while(|above| !above.exists());
            return match missing.any(Path::is_symlink) {
                true => Err(io::Error::new(error.kind(), "it is behind a link that leads to nothing")),
                false => Ok(path.to_owned()),
            };
        }
        Err(error) => return Err(error),
    };
    let metadata = target.metadata()?;
    if !metadata.is_file() {
        return Err(not_regular());
    }
    let user = rustix::process::geteuid();
    if !user.is_root() && metadata.uid() != user.as_raw() {
        // The new file would be this user's.
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it belongs to another user"));
    }
    Ok(target)
}

/// Replaces a file whole; where it is a link, what it leads to is replaced and
/// the link stays.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let target = target(path)?;
    target.parent().map_or(Ok(()), make_directory)?;
    put(&target, &target, content)
}

/// Where a copy of the file at `path` can be kept, beside it; `None` when there
/// is no such file.
pub fn name_of_copy(path: &Path) -> Option<PathBuf> {
    if !path.exists() {
        return None;
    }
    let mut copy = with_ending(path, ".relay-backup");
    let mut number = 1;
    while copy.symlink_metadata().is_ok() {
        number += 1;
        copy = with_ending(path, &format!(".relay-backup-{number}"));
    }
    Some(copy)
}

/// Keeps a copy of the file at `path`.
pub fn copy(path: &Path, copy: &Path) -> io::Result<()> {
    let content = read(path)?.ok_or(io::ErrorKind::NotFound)?;
    put(copy, path, &content)
}

/// Makes or replaces the file at `path`, with mode and owner of the one at `like`.
fn put(path: &Path, like: &Path, content: &[u8]) -> io::Result<()> {
    let draft = with_ending(path, ".relay-draft");
    // A crash may have left one.
    remove(&draft)?;
    let written = write(&draft, like, content).and_then(|()| {
        fault::step()?;
        fs::rename(&draft, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written?;
    sync_directory_of(path)
}

fn write(draft: &Path, like: &Path, content: &[u8]) -> io::Result<()> {
    fault::step()?;
    let mut file = open_with(draft, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL)?;
    liken(&file, like)?;
    fault::step()?;
    file.write_all(content)?;
    fault::step()?;
    make_last(&file, File::sync_all)
}

/// Gives a draft the mode and owner of the file at `like`. Where there is none
/// and root makes it, it is to be whose the folder is.
fn liken(draft: &File, like: &Path) -> io::Result<()> {
    let now = draft.metadata()?;
    let Ok(former) = like.metadata() else {
        if let Some(Ok(folder)) = like.parent().map(Path::metadata).filter(|_| now.uid() == 0) {
            // Where it may not be given away, it can still be used by root.
            let _ = fchown(draft, Some(folder.uid()), Some(folder.gid()));
        }
        return Ok(());
    };
    if (now.uid(), now.gid()) != (former.uid(), former.gid()) {
        fchown(draft, Some(former.uid()), Some(former.gid()))
            .map_err(|error| io::Error::new(error.kind(), "its owner and group cannot be kept"))?;
    }
    draft.set_permissions(former.permissions())
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn not_regular() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file")
}
