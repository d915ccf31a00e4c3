//! JSON at the edges: bounded in, ordered out.
//!
//! Invariant: a tree is made only of text that [`bounded`] has passed (UTF-8, at
//! most [`crate::limits::JSON_DEPTH`] deep), so that no input can overflow the
//! recursion; and everything printed goes through
//! [`Object`], so that keys keep their order and numbers their digits.

pub mod edit;
mod jsonc;
mod scan;
mod string;
pub mod toml;
mod value;
mod write;

pub use scan::{Fault, Members, bounded, each_member, items, leading_members, members};
pub use string::{decode, is_string};
pub use value::{Document, Value, is_number, thousandths};
pub use write::{List, Object, array, list, one_line, quote};
