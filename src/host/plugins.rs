//! The plugins that relay brings along for hosts that run no command at their events.
//!
//! Invariant: they stand in `plugins/` as they are installed, but for the path of relay.

use super::wiring::plugin_text;
use crate::sys::packed::{pack, unpack};

const OMP: &str = include_str!("../../plugins/omp/relay.js");
/// Both as one text: much of one stands in the other.
const BOTH: &str =
    concat!(include_str!("../../plugins/omp/relay.js"), include_str!("../../plugins/opencode/relay.js"));
const PACKED: ([u8; BOTH.len()], usize) = pack(BOTH);
static PLUGINS: [u8; PACKED.1] = *PACKED.0.first_chunk().unwrap();

/// The plugin for omp that runs this relay.
pub fn omp(program: &str) -> String {
    plugin_text(&unpack(&PLUGINS)[..OMP.len()], program)
}

/// The plugin for opencode that runs this relay.
pub fn opencode(program: &str) -> String {
    plugin_text(&unpack(&PLUGINS)[OMP.len()..], program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_its_file() {
        assert_eq!(omp("relay"), OMP);
        assert_eq!(opencode("relay"), include_str!("../../plugins/opencode/relay.js"));
    }
}
