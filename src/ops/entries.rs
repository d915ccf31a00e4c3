//! Which entries in a host's configuration are relay's.
//!
//! Invariant: an entry is relay's by its program's name and its exact words, never
//! by a likeness; what stands beside it is left.

use crate::host::wiring::{Entries, Form, Listed};
use crate::json::edit;
use crate::json::toml::{self, Table};

/// The programs that relay's hooks for an event start, as a file's text has them;
/// `None`: it is not understood.
pub fn programs_at(wiring: &Entries, text: &str, event: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    match wiring.form {
        Form::Json(under) => {
            for group in edit::elements(text, &[under, event])? {
                for hook in hooks_of(group) {
                    found.extend(own_program(wiring, hook));
                }
            }
        }
        Form::Toml => {
            for table in toml::tables(text)? {
                if has_other_hooks(&table) {
                    return None;
                }
                if is_hook_at(&table, event) {
                    found.extend(own_program(wiring, table.text));
                }
            }
        }
    }
    Some(found)
}

/// The file's text with one more hook; `None`: it is not understood.
pub fn with(wiring: &Entries, text: &str, event: &str, program: &str) -> Option<String> {
    let item = (wiring.hook)(event, program);
    match wiring.form {
        Form::Json(under) => edit::append(text, &[under, event], &item),
        Form::Toml => Some(toml::append(text, &item)),
    }
}

/// Whether it makes `hooks` anything but a list of plain tables.
fn has_other_hooks(table: &Table) -> bool {
    match &table.name[..] {
        [] => table.values.iter().any(|(key, _)| key[0] == "hooks"),
        [top] => top == "hooks" && !table.is_element(),
        [top, ..] => top == "hooks",
    }
}

fn is_hook_at(table: &Table, event: &str) -> bool {
    table.name == ["hooks"] && table.get("event").and_then(toml::string).as_deref() == Some(event)
}

/// The hooks of a group; some hosts have none, only hooks.
fn hooks_of(group: &str) -> Vec<&str> {
    let hooks = edit::elements(group, &["hooks"]).unwrap_or_default();
    if hooks.is_empty() { vec![group] } else { hooks }
}

/// The program of a hook that is relay's: it has relay's name and is started
/// with relay's words, whatever its folder.
fn own_program(wiring: &Entries, hook: &str) -> Option<String> {
    (wiring.program)(hook).filter(|program| has_relays_name(program))
}

/// Whether a server is relay's bus.
pub fn is_bus(server: &Listed) -> bool {
    has_relays_name(&server.program) && server.words == ["bus"]
}

fn has_relays_name(program: &str) -> bool {
    let name = program.rsplit('/').next().unwrap_or(program);
    name == "relay" || ["relay-x86_64-", "relay-aarch64-"].iter().any(|start| name.starts_with(start))
}

/// The file's text without those hooks of relay's for this event whose program
/// is meant: a group goes only when it holds nothing else.
pub fn without(wiring: &Entries, text: &str, event: &str, is_meant: &dyn Fn(&str) -> bool) -> Option<String> {
    let meant = |hook: &str| own_program(wiring, hook).is_some_and(|program| is_meant(&program));
    let Form::Json(under) = wiring.form else {
        return toml::without(text, &|table| is_hook_at(table, event) && meant(table.text));
    };
    let place = [under, event];
    let text = edit::change(text, &place, &|group| {
        let hooks = hooks_of(group);
        match hooks.iter().any(|hook| meant(hook)) && !hooks.iter().all(|hook| meant(hook)) {
            true => edit::remove(group, &["hooks"], &meant),
            false => Some(group.to_owned()),
        }
    })?;
    edit::remove(&text, &place, &|group| hooks_of(group).iter().any(|hook| meant(hook)))
}
