//! Which entries in a host's hooks are relay's.
//!
//! Invariant: an entry is relay's by its program's name and its exact words, never
//! by a likeness; what stands beside it is left.

use crate::host::Entries;
use crate::json::edit;

/// The programs that relay's hooks in this group start.
pub fn programs(wiring: &Entries, group: &str) -> Vec<String> {
    let hooks = edit::elements(group, &["hooks"]).unwrap_or_default();
    hooks.iter().filter_map(|hook| own_program(wiring, hook)).collect()
}

/// Whether the group has a hook of relay's.
pub fn has_ours(wiring: &Entries, group: &str) -> bool {
    !programs(wiring, group).is_empty()
}

/// The program of a hook that is relay's: it has relay's name and is started
/// with relay's words, whatever its folder.
fn own_program(wiring: &Entries, hook: &str) -> Option<String> {
    let program = (wiring.program)(hook)?;
    let name = program.rsplit('/').next().unwrap_or(&program);
    let ours =
        name == "relay" || ["relay-x86_64-", "relay-aarch64-"].iter().any(|start| name.starts_with(start));
    ours.then_some(program)
}

/// The file's text without relay's hooks for this event: a group goes only when
/// it holds nothing else.
pub fn without_ours(wiring: &Entries, text: String, event: &str) -> Option<String> {
    let ours = |hook: &str| own_program(wiring, hook).is_some();
    let mut text = text;
    for group in edit::elements(&text, &["hooks", event])? {
        let hooks = edit::elements(&group, &["hooks"]).unwrap_or_default();
        if hooks.iter().any(|hook| ours(hook)) && !hooks.iter().all(|hook| ours(hook)) {
            text = text.replacen(&group, &edit::remove(&group, &["hooks"], ours)?, 1);
        }
    }
    edit::remove(&text, &["hooks", event], |group| has_ours(wiring, group))
}
