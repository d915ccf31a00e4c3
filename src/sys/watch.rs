//! Waits until files in some folders change, or input comes.
//!
//! Invariant: between [`Watch::add`] and [`Watch::wait`] no change goes unseen,
//! and nothing runs while nothing changes. Where the system cannot tell of
//! changes, or has no more of what it needs for that (a user has 128 inotify
//! instances), `wait` wakes its caller every [`LOOK_MS`] to look for itself.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::limits::LOOK_MS;

/// What ended a wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Woken {
    /// Something can be read from the input, or it has ended.
    pub input: bool,
    /// A file may have changed.
    pub changed: bool,
}

/// A set of folders that are watched.
pub struct Watch {
    notifier: Option<notify::Notifier>,
}

impl Watch {
    pub fn new() -> Watch {
        Watch { notifier: notify::Notifier::new() }
    }

    /// Watches the folder's files from now on. One that is watched already
    /// stays so; one that cannot be watched makes `wait` look by itself.
    pub fn add(&mut self, folder: &Path) {
        if self.notifier.as_ref().is_some_and(|notifier| notifier.add(folder).is_err()) {
            self.notifier = None;
        }
    }

    /// Sleeps until a file changes, `input` has something, or the time is over
    /// (`None`: never).
    pub fn wait(&self, input: Option<BorrowedFd>, timeout: Option<Duration>) -> io::Result<Woken> {
        let look = Duration::from_millis(LOOK_MS);
        let timeout = match &self.notifier {
            Some(_) => timeout,
            None => Some(timeout.map_or(look, |timeout| timeout.min(look))),
        };
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let watched = self.notifier.as_ref().map(AsFd::as_fd);
        let mut sources = Vec::new();
        sources.extend(input.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        sources.extend(watched.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        match poll(&mut sources, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut ready = sources.iter().map(|source| !source.revents().is_empty());
        let input = input.is_some() && ready.next().unwrap_or(false);
        let changed = match &self.notifier {
            Some(notifier) => ready.next().unwrap_or(false) && notifier.drain(),
            None => true,
        };
        Ok(Woken { input, changed })
    }
}

/// inotify(7).
#[cfg(target_os = "linux")]
mod notify {
    use std::io;
    use std::mem::MaybeUninit;
    use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
    use std::path::Path;

    use rustix::fs::inotify::{self, CreateFlags, WatchFlags};

    pub struct Notifier(OwnedFd);

    impl Notifier {
        pub fn new() -> Option<Notifier> {
            inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok().map(Notifier)
        }

        pub fn add(&self, folder: &Path) -> io::Result<()> {
            let changes =
                WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::ONLYDIR;
            inotify::add_watch(&self.0, folder, changes)?;
            Ok(())
        }

        /// Reads all events. Whether there was one.
        pub fn drain(&self) -> bool {
            let mut buffer = [MaybeUninit::uninit(); 4096];
            let mut events = inotify::Reader::new(&self.0, &mut buffer);
            let mut any = false;
            while events.next().is_ok() {
                any = true;
            }
            any
        }
    }

    impl AsFd for Notifier {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }
    }
}

/// kqueue(2) is out of reach without unsafe code.
#[cfg(not(target_os = "linux"))]
mod notify {
    use std::convert::Infallible;
    use std::io;
    use std::os::fd::{AsFd, BorrowedFd};
    use std::path::Path;

    pub struct Notifier(Infallible);

    impl Notifier {
        pub fn new() -> Option<Notifier> {
            None
        }

        pub fn add(&self, _folder: &Path) -> io::Result<()> {
            match self.0 {}
        }

        pub fn drain(&self) -> bool {
            match self.0 {}
        }
    }

    impl AsFd for Notifier {
        fn as_fd(&self) -> BorrowedFd<'_> {
            match self.0 {}
        }
    }
}
