//! Names, session ids and places: what is valid, and what file name stands for it.
//!
//! Invariant: whatever text comes in, [`key`] gives one safe path component,
//! and different ids give different keys.

use std::path::Path;

use crate::error::{Error, Result};
use crate::limits::{ID_BYTES, NAME_CHARS, PATH_BYTES};
use crate::mail::text::changed;

/// Checks a name that a person or a model chose: 1 to 64 letters, digits, `.`,
/// `_` or `-`, beginning with a letter or digit, and not in the form of a
/// session id.
pub fn check_name(name: &str) -> Result<()> {
    let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if name.len() > NAME_CHARS {
        return Err(Error::limit("the name", NAME_CHARS, name.len(), "choose a shorter one"));
    }
    if !letters || !begins {
        return Err(Error::usage(format!(
            "'{}' cannot be a name: use letters, digits, '.', '_' and '-', beginning with a letter or digit",
            shorten(name)
        )));
    }
    if is_host_id(name) {
        return Err(Error::usage(format!("'{name}' cannot be a name: it has the form of a session id")));
    }
    Ok(())
}

/// Checks a session id as a person or a host gave it, and settles its case.
pub fn check_id(id: &str) -> Result<String> {
    let is_text = is_file_name(id) || !id.chars().any(|c| c.is_control() || c.is_whitespace());
    if id.is_empty() || key(id).len() > ID_BYTES || !is_text {
        return Err(Error::usage(format!(
            "'{}' cannot be a session id: at most {ID_BYTES} letters, digits and signs, without spaces",
            shorten(id)
        )));
    }
    Ok(if is_uuid(id) { id.to_ascii_lowercase() } else { id.to_owned() })
}

/// Checks an id that will be handed to a host's command line: only forms that
/// hosts really use, so that it can never be taken for an option.
pub fn check_host_id(id: &str) -> Result<String> {
    match is_host_id(id) {
        true => check_id(id),
        false => Err(Error::usage(format!(
            "'{}' is not a session id: it must be a session UUID (or opencode's ses_...)",
            shorten(id)
        ))),
    }
}

/// Whether the text has the form of an id that a host gives its sessions.
pub fn is_host_id(text: &str) -> bool {
    let opencode = text.strip_prefix("ses_").is_some_and(|rest| {
        (8..=64).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric())
    });
    is_uuid(text.strip_prefix("session_").unwrap_or(text)) || opencode
}

/// Whether the text can say where a session works or what it writes to: an
/// absolute path that a record has room for.
pub fn is_place(text: &str) -> bool {
    text.starts_with('/') && text.len() <= PATH_BYTES
}

/// Checks a directory that a person gave, made absolute already.
pub fn check_directory(path: &Path) -> Result<()> {
    // As a record holds it.
    match path.to_string_lossy().len() {
        0..=PATH_BYTES => Ok(()),
        bytes => Err(Error::limit("the directory's path", PATH_BYTES, bytes, "nothing was changed")),
    }
}

/// Whether the text is a UUID in its usual form.
pub fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// The folder name of a session: the id itself where it is a safe file name,
/// else with every other byte written as `%XX`.
pub fn key(id: &str) -> String {
    if is_file_name(id) {
        return id.to_owned();
    }
    let mut key = String::with_capacity(id.len());
    for (at, byte) in id.bytes().enumerate() {
        match is_safe(at, byte) {
            true => key.push(char::from(byte)),
            false => key += &format!("%{byte:02X}"),
        }
    }
    key
}

/// Whether an id is a safe file name as it is.
fn is_file_name(id: &str) -> bool {
    id.bytes().enumerate().all(|(at, byte)| is_safe(at, byte))
}

fn is_safe(at: usize, byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') || byte == b'.' && at > 0
}

/// The name an unnamed session can be addressed by: its directory's name and
/// the last `digits` letters or digits of its id.
pub fn default_name(directory: &Path, id: &str, digits: usize) -> String {
    let folder = directory.file_name().unwrap_or_default().to_string_lossy();
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') { c } else { '-' };
    let stem = changed(&folder, 40, plain);
    let stem = stem.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let mut suffix: String = id.chars().filter(char::is_ascii_alphanumeric).collect();
    suffix.drain(..suffix.len().saturating_sub(digits));
    match stem {
        "" => format!("session-{suffix}"),
        stem => format!("{stem}-{suffix}"),
    }
}

/// The candidate most like `word`, if one is close enough to be a slip.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (distance(&word.to_ascii_lowercase(), &candidate.to_ascii_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Edit distance, a swap of neighbours counting as one.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(80).collect(), b.chars().take(80).collect());
    // Of each beginning of the one to each of the other, row by row.
    let width = b.len() + 1;
    let mut costs: Vec<usize> = Vec::new();
    for i in 0..=a.len() {
        for j in 0..width {
            let cost = |up: usize, left: usize| costs[(i - up) * width + j - left];
            costs.push(match (i, j) {
                (0, _) | (_, 0) => i + j,
                _ if a[i - 1] == b[j - 1] => cost(1, 1),
                _ => {
                    let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                    let swap = if swapped { cost(2, 2) } else { cost(1, 1) };
                    1 + swap.min(cost(1, 1)).min(cost(1, 0)).min(cost(0, 1))
                }
            });
        }
    }
    costs[costs.len() - 1]
}

/// Untrusted text, short enough and plain enough for an error message.
pub fn shorten(text: &str) -> String {
    let plain = changed(text, 60, |c| if c.is_control() { '?' } else { c });
    if text.chars().nth(60).is_some() { plain + "..." } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_a_person_would_type() {
        for good in ["a", "agent-A", "my_app.v2", "7", &"x".repeat(64)] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        let id = "11111111-1111-1111-1111-111111111111";
        for bad in ["", ".", "..", "-x", "a/b", "a b", "a\n", "é", &"x".repeat(65), id, "ses_0123456789"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn keys_are_safe_and_distinct() {
        assert_eq!(key("11111111-1111-1111-1111-111111111111"), "11111111-1111-1111-1111-111111111111");
        assert_eq!(key("../../etc/passwd"), "%2E.%2F..%2Fetc%2Fpasswd");
        assert_eq!(key("%2E."), "%252E.");
        for id in ["..", ".", "a/b", "a\\b", "é", "a:b", "%41"] {
            let key = key(id);
            assert!(!key.contains('/') && !key.starts_with('.') && key.is_ascii(), "{key}");
        }
    }

    #[test]
    fn only_real_ids_reach_a_host() {
        assert!(check_host_id("019F0000-0000-7000-8000-000000000000").is_ok());
        assert!(check_host_id("ses_4a1b2c3d4e5f6a7b8c9d").is_ok());
        let error = check_host_id("--config=evil").unwrap_err();
        assert!(error.to_string().contains("must be a session UUID"));
    }

    #[test]
    fn default_names_are_valid_names() {
        let id = "8d0c5e7a-1111-4222-8333-94445555abcd";
        assert_eq!(default_name(Path::new("/w/my app"), id, 4), "my-app-abcd");
        assert_eq!(default_name(Path::new("/"), id, 4), "session-abcd");
        assert_eq!(default_name(Path::new("/w/.hidden-"), id, 6), "hidden-55abcd");
        let long = default_name(Path::new(&format!("/{}", "é".repeat(100))), id, 8);
        assert!(check_name(&long).is_ok(), "{long}");
    }

    #[test]
    fn slips_are_recognised() {
        let names = ["alice", "bob", "reviewer"];
        assert_eq!(closest("alcie", names), Some("alice"));
        assert_eq!(closest("reviwer", names), Some("reviewer"));
        assert_eq!(closest("carol", names), None);
    }
}
