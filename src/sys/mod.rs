//! The operating system: files, locks, processes, the clock, the environment.
//!
//! Invariant: only this room names rustix, and every call that changes a file
//! passes [`fault`], so that tests can stop the program at each of them.

pub mod clock;
pub mod disk;
pub mod env;
pub mod fault;
pub mod file;
pub mod folder;
pub mod heap;
pub mod lock;
pub mod log;
pub mod packed;
pub mod process;
pub mod random;
pub mod stdio;
pub mod threads;
pub mod user_file;
pub mod watch;

pub use env::Env;
