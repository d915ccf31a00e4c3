//! What stands in a folder.
//!
//! Invariant: each entry is shown once, with its own kind and not that of what
//! it links to; the names `.` and `..` are not, nor those that are no text.

use std::fs::File;
use std::io;

use rustix::fs::{AtFlags, FileType};

/// What one read of a folder asks for, in bytes.
#[cfg(target_os = "linux")]
const READ_AT_ONCE: usize = 32 * 1024;

/// What stands under a name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    File,
    Folder,
    Other,
}

/// What stands under one name of a folder.
pub struct Entry<'a> {
    pub name: &'a str,
    folder: &'a File,
    said: FileType,
}

impl Entry<'_> {
    /// Its kind; some file systems do not say it with the name.
    pub fn kind(&self) -> Kind {
        let looked = || rustix::fs::statat(self.folder, self.name, AtFlags::SYMLINK_NOFOLLOW).ok();
        let known = match self.said {
            FileType::Unknown => looked().map(|found| FileType::from_raw_mode(found.st_mode)),
            said => Some(said),
        };
        match known {
            Some(FileType::RegularFile) => Kind::File,
            Some(FileType::Directory) => Kind::Folder,
            _ => Kind::Other,
        }
    }
}

/// Shows what stands in an open folder, for as long as `show` wants more. Makes
/// no string of a name: there may be tens of thousands.
pub fn each(folder: &File, show: &mut dyn FnMut(&Entry) -> bool) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    let mut buffer = [const { std::mem::MaybeUninit::uninit() }; READ_AT_ONCE];
    #[cfg(target_os = "linux")]
    let mut entries = rustix::fs::RawDir::new(folder, &mut buffer);
    #[cfg(not(target_os = "linux"))]
    let mut entries = rustix::fs::Dir::read_from(folder)?;
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let Ok(name) = entry.file_name().to_str() else { continue };
        if !matches!(name, "." | "..") && !show(&Entry { name, folder, said: entry.file_type() }) {
            break;
        }
    }
    Ok(())
}
