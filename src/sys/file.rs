//! Durable files: read whole, replace whole, create once.
//!
//! Invariant: whatever a function here reports as written has been synced, the
//! directory entry included; a failure leaves the old content. No other file of
//! relay makes a store file visible.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::{Env, clock, fault};

/// What one read asks for, in bytes: more than most files of a store hold.
const READ_AT_ONCE: usize = 1024;
const PRIVATE_DIRECTORY: u32 = 0o700;
/// To write a file from its start.
pub(super) const ANEW: OFlags = OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::TRUNC);

/// The content of a file of at most `limit` bytes; `None` when there is none.
/// A larger one is an error, not a cut.
pub fn read(path: &Path, limit: usize) -> io::Result<Option<Vec<u8>>> {
    with_content(path, limit, <[u8]>::to_vec)
}

/// What `look` makes of that content.
pub fn with_content<T>(path: &Path, limit: usize, look: fn(&[u8]) -> T) -> io::Result<Option<T>> {
    let mut seen = None;
    match open(path).and_then(|file| look_into(file, limit, &mut |content| seen = Some(look(content)))) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(seen),
    }
}

/// Shows an open file's content. A short file is read onto the stack: a heap
/// that gives and takes pages for each file costs more than reading it.
pub(super) fn look_into(file: File, limit: usize, look: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    let mut head = [0; READ_AT_ONCE];
    let mut file = file.take(limit as u64 + 1);
    let length = file.read(&mut head)?;
    // A file that is shorter than what was asked for has been read whole.
    if length < READ_AT_ONCE && length <= limit {
        look(&head[..length]);
        return Ok(());
    }
    let mut content = head[..length].to_vec();
    file.read_to_end(&mut content)?;
    if content.len() > limit {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("larger than {limit} bytes")));
    }
    look(&content);
    Ok(())
}

/// The path of what is called so in a folder, made at once: `join` makes it twice.
pub fn below(folder: &Path, name: &str) -> PathBuf {
    let mut path = PathBuf::with_capacity(folder.as_os_str().len() + 1 + name.len());
    path.push(folder);
    path.push(name);
    path
}

/// Opens a file or folder for reading.
pub fn open(path: &Path) -> io::Result<File> {
    open_with(path, OFlags::RDONLY)
}

/// Opens a file, a private one where it is made, in one system call: musl's own
/// `open` adds a second.
pub(super) fn open_with(path: &Path, flags: OFlags) -> io::Result<File> {
    let mode = Mode::RUSR | Mode::WUSR;
    let opened = rustix::io::retry_on_intr(|| rustix::fs::open(path, flags | OFlags::CLOEXEC, mode));
    Ok(File::from(opened?))
}

/// The last `limit` bytes of a regular file; `None` when there is none.
pub fn read_tail(path: &Path, limit: usize) -> io::Result<Option<Vec<u8>>> {
    let bytes = match path.metadata() {
        Ok(metadata) if metadata.is_file() => metadata.len(),
        _ => return Ok(None),
    };
    let mut file = open(path)?;
    file.seek(SeekFrom::Start(bytes.saturating_sub(limit as u64)))?;
    let mut content = Vec::with_capacity(limit.min(bytes as usize) + 1);
    file.take(limit as u64).read_to_end(&mut content)?;
    Ok(Some(content))
}

/// Makes a private directory; it may exist already.
pub fn make_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    match make_one_directory(path) {
        // Once: some places, as /proc, say this of whatever one makes there.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_directory(path.parent().ok_or(error)?)?;
            make_one_directory(path)
        }
        made => made,
    }
}

fn make_one_directory(path: &Path) -> io::Result<()> {
    fault::step()?;
    match DirBuilder::new().mode(PRIVATE_DIRECTORY).create(path) {
        Ok(()) => sync_directory_of(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Closes a directory that may be open to others.
pub fn make_private(path: &Path) -> io::Result<()> {
    let mode = path.metadata()?.permissions().mode() & 0o777;
    if mode == PRIVATE_DIRECTORY {
        return Ok(());
    }
    fault::step()?;
    fs::set_permissions(path, fs::Permissions::from_mode(PRIVATE_DIRECTORY))
}

/// Replaces a file whole: a reader, or a crash, sees the old or the new content.
/// The caller holds the lock that makes it the only writer of `path`.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    replace_from(path, &path.with_extension("tmp"), content)
}

/// As [`replace`], with the draft where the caller says.
pub fn replace_from(path: &Path, draft: &Path, content: &[u8]) -> io::Result<()> {
    write_draft(draft, content)?;
    fault::unsynced(path);
    fault::step()?;
    fs::rename(draft, path)?;
    sync_directory_of(path)?;
    fault::synced(path);
    Ok(())
}

/// Whether this file can be run.
pub fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// What tells a file from every other, whatever it is called; `None` where there is
/// none.
pub fn number(path: &Path) -> Option<(u64, u64)> {
    path.metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

/// The kind of the file system at `path`, where it is one that machines share.
pub fn network_file_system(path: &Path) -> Option<&'static str> {
    match kind_of_file_system(path)? {
        0x6969 => Some("NFS"),
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => Some("SMB"),
        0x0102_1997 => Some("9p"),
        0x5346_414f => Some("AFS"),
        0x00c3_6400 => Some("Ceph"),
        _ => None,
    }
}

/// Whether a program serves the file system at `path`: then two ways to the same
/// files may know nothing of each other's locks.
pub fn is_served_by_program(path: &Path) -> bool {
    kind_of_file_system(path) == Some(0x6573_5546)
}

/// Its number: statfs(2) lists them.
#[cfg(target_os = "linux")]
fn kind_of_file_system(path: &Path) -> Option<u32> {
    u32::try_from(rustix::fs::statfs(path).ok()?.f_type).ok()
}

#[cfg(not(target_os = "linux"))]
fn kind_of_file_system(_path: &Path) -> Option<u32> {
    None
}

/// Creates a file with this content unless the path exists: `false` then. The
/// caller holds the lock that makes it the only user of `draft`, a path on the
/// same file system.
pub fn create(path: &Path, draft: &Path, content: &[u8]) -> io::Result<bool> {
    write_draft(draft, content)?;
    fault::unsynced(path);
    fault::step()?;
    let created = match link(draft, path) {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
        Err(error) => return Err(error),
    };
    sync_directory_of(path)?;
    fault::synced(path);
    remove(draft)?;
    Ok(created)
}

/// Gives a file a second name that is free; on a file system without hard links,
/// as vfat is, another name.
fn link(draft: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(draft, path) {
        Err(error)
            if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported) =>
        {
            match rustix::fs::renameat_with(CWD, draft, CWD, path, RenameFlags::NOREPLACE) {
                Ok(()) => Ok(()),
                Err(Errno::EXIST) => Err(Errno::EXIST.into()),
                Err(_) => Err(error),
            }
        }
        linked => linked,
    }
}

/// When what stands at `path`, seen from an open folder, last changed, itself
/// and not what it links to: milliseconds since 1970, 0 where nothing is.
#[allow(clippy::unnecessary_cast)] // signed on macOS
pub fn changed_in(folder: &File, path: &str) -> u64 {
    rustix::fs::statat(folder, path, AtFlags::SYMLINK_NOFOLLOW).map_or(0, |found| {
        u64::try_from(found.st_mtime).unwrap_or(0) * 1000 + found.st_mtime_nsec as u64 / 1_000_000
    })
}

/// Says of a folder that something happened in it, unless it says so of less
/// than `exact_ms` ago: a look costs less than a change. Where that fails, it
/// does not say so.
pub fn touch(folder: &Path, exact_ms: u64) {
    let Ok(changed) = folder.metadata().and_then(|data| data.modified()) else { return };
    let now = clock::now();
    if now.duration_since(changed).is_ok_and(|passed| passed.as_millis() < exact_ms.into()) {
        return;
    }
    let _ = set_changed(folder, now);
}

/// Says when a file or folder last changed.
pub fn set_changed(path: &Path, time: SystemTime) -> io::Result<()> {
    open(path)?.set_modified(time)
}

/// What a file occupies on the disk, in bytes; 0 when there is none.
pub fn occupied(path: &Path) -> u64 {
    path.metadata().map_or(0, |metadata| metadata.blocks() * 512)
}

/// Removes a folder of files, as deep as a session's; it may be gone already.
pub fn remove_folder(path: &Path) -> io::Result<()> {
    fault::step()?;
    or_gone(fs::remove_dir_all(path))
}

/// Removes a file; it may be gone already.
pub fn remove(path: &Path) -> io::Result<()> {
    fault::step()?;
    or_gone(fs::remove_file(path))
}

fn or_gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Renames a file or folder and makes the new name last.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fault::step()?;
    fs::rename(from, to)?;
    sync_directory_of(to)?;
    sync_directory_of(from)
}

/// Opens a private file that need not survive a power cut, to be written to.
pub fn open_note(path: &Path) -> io::Result<File> {
    fault::step()?;
    open_with(path, OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE)
}

/// Makes what stands in a file, and its name, last.
pub fn sync(path: &Path) -> io::Result<()> {
    fault::step()?;
    make_last(&open(path)?, File::sync_data)?;
    sync_directory_of(path)?;
    fault::synced(path);
    Ok(())
}

/// Appends one short line to a note that need not survive a power cut.
pub fn append_note(path: &Path, line: &str) -> io::Result<()> {
    open_note(path)?.write_all(line.as_bytes())
}

/// Replaces a short note that need not survive a power cut. One write; a reader
/// must be able to tell a torn one.
pub fn write_note(path: &Path, line: &str) -> io::Result<()> {
    fault::step()?;
    let mut note = open_with(path, ANEW)?;
    fault::step()?;
    note.write_all(line.as_bytes())
}

/// Writes over the beginning of a file, or makes it, in one write. Until it is
/// synced, a power cut leaves the old content, the new, or an empty file where
/// there was none. A reader must be able to tell a torn one. The caller holds the
/// lock that makes it the only writer.
pub fn overwrite(path: &Path, content: &[u8]) -> io::Result<()> {
    fault::unsynced(path);
    fault::step()?;
    let mut file = open_with(path, OFlags::WRONLY | OFlags::CREATE)?;
    fault::step()?;
    file.write_all(content)
}

/// Opens a file, made where there is none.
pub(super) fn open_or_create(path: &Path, flags: OFlags) -> io::Result<File> {
    match open_with(path, flags) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fault::step()?;
            open_with(path, flags | OFlags::CREATE)
        }
        opened => opened,
    }
}

/// Opens (and creates) a file that only serves to be locked.
pub fn open_lock(path: &Path) -> io::Result<File> {
    open_or_create(path, OFlags::RDWR)
}

fn write_draft(draft: &Path, content: &[u8]) -> io::Result<()> {
    fault::step()?;
    let mut file = open_with(draft, ANEW)?;
    fault::step()?;
    file.write_all(content)?;
    fault::step()?;
    make_last(&file, File::sync_all)
}

/// Makes the entry of `path` in its directory durable, where the file system
/// knows of such a thing.
pub(super) fn sync_directory_of(path: &Path) -> io::Result<()> {
    let parent = path.parent().unwrap_or(Path::new("/"));
    fault::step()?;
    match make_last(&open(parent)?, File::sync_all) {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        synced => synced,
    }
}

/// Syncs a file or folder, unless [`Env::syncs`] says otherwise.
pub(super) fn make_last(file: &File, sync: fn(&File) -> io::Result<()>) -> io::Result<()> {
    if !Env::default().syncs() {
        return Ok(());
    }
    match sync(file) {
        // macOS: std asks the disk itself (F_FULLFSYNC), which not every file system can.
        Err(error) if cfg!(target_os = "macos") && Errno::from_io_error(&error) != Some(Errno::IO) => {
            Ok(rustix::fs::fsync(file)?)
        }
        synced => synced,
    }
}
