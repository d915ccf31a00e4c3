//! Which programs are the relay that runs here, and which of them hosts start.
//!
//! Invariant: a program's name and folder alone prove nothing; no program is run
//! to find out.

use std::path::Path;

use super::Relay;
use crate::error::{Error, Result};
use crate::limits::LAUNCHER_BYTES;
use crate::sys::{file, process};

/// How `bin/relay` begins, which starts the binary that lies beside it.
const LAUNCHER: &[u8] =
    b"#!/bin/sh\n# Runs the relay binary that fits this machine; it stands next to this file.\n";

/// Whether this program, by its name or path, is the relay that runs here.
pub fn starts_own(relay: &Relay, program: &str) -> bool {
    relay.env.program(program).is_some_and(|path| is_own(&path))
}

/// Whether this file is the relay that runs here, or the launcher beside it.
pub fn is_own(path: &Path) -> bool {
    let own = process::executable().map(|own| own.canonicalize());
    let (Ok(path), Ok(Ok(own))) = (path.canonicalize(), own) else { return false };
    path == own || (path.parent() == own.parent() && is_launcher(&path))
}

fn is_launcher(path: &Path) -> bool {
    // To read a pipe might wait for ever.
    if !file::is_program(path) {
        return false;
    }
    let begins = file::with_content(path, LAUNCHER_BYTES, |text| text.starts_with(LAUNCHER));
    matches!(begins, Ok(Some(true)))
}

/// How hosts are to start relay: as the PATH has it where that is this program,
/// because that outlives an update; else the launcher beside this file; else
/// this very file.
pub fn own_path(relay: &Relay) -> Result<String> {
    let own = process::executable()?;
    let own = own.canonicalize().unwrap_or(own);
    let on_the_path = relay.env.program("relay").filter(|path| is_own(path));
    let beside = || Some(own.with_file_name("relay")).filter(|path| is_own(path));
    let path = on_the_path.or_else(beside).unwrap_or(own);
    path.to_str()
        .map(str::to_owned)
        .ok_or_else(|| Error::failed(format!("relay's own path is not UTF-8: {}; move it", path.display())))
}
