//! relay: durable mail between the coding-agent sessions of one machine.
//!
//! `main` picks a door and nothing else; see docs/architecture.md.
#![forbid(unsafe_code)]
#![allow(dead_code)]

mod error;
mod json;
mod limits;

fn main() {
    println!("relay {}", env!("CARGO_PKG_VERSION"));
}
