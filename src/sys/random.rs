//! Random bytes from the operating system.
//!
//! Invariant: never a weaker source; where the system gives none, an error.

use std::io;

use crate::error::{Error, Result};

/// `N` bytes nobody can guess.
pub fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut buffer = [0u8; N];
    fill(&mut buffer).map_err(|e| Error::failed(format!("no random numbers from the system: {e}")))?;
    Ok(buffer)
}

/// `N` bytes as lower-case hexadecimal digits.
pub fn hex<const N: usize>() -> Result<String> {
    Ok(to_hex(&bytes::<N>()?))
}

/// Bytes as lower-case hexadecimal digits.
pub fn to_hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 0xf));
    }
    text
}

#[cfg(target_os = "linux")]
fn fill(mut buffer: &mut [u8]) -> io::Result<()> {
    while !buffer.is_empty() {
        let got = rustix::rand::getrandom(&mut *buffer, rustix::rand::GetRandomFlags::empty())?;
        buffer = &mut buffer[got..];
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn fill(buffer: &mut [u8]) -> io::Result<()> {
    use std::io::Read;
    std::fs::File::open("/dev/urandom")?.read_exact(buffer)
}
