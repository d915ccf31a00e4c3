//! What a message, an address and the fence are: values, no I/O.
//!
//! Invariant: nothing here reads a file, the clock or the environment.

pub mod address;
pub mod delivery;
pub mod fence;
pub mod invitation;
pub mod message;
pub mod text;

pub use delivery::Delivery;
pub use message::{Kind, Message, Status};
