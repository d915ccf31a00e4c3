//! The rules of the house, held: who may call whom, file sizes, dependencies,
//! and the doors to what is dangerous.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms, lowest first; a file calls only into lower floors or its own room.
const FLOORS: [&[&str]; 7] = [
    &["error", "limits"],
    &["sys", "json"],
    &["mail"],
    &["store", "wake", "host"],
    &["ops"],
    &["hook", "bus", "cli"],
    &["main"],
];

/// Longest source file, in lines.
const LINES: usize = 400;

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    collect(Path::new("src"), &mut found);
    assert!(found.len() > 40, "the sources were not found");
    found
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
}

/// The room a file belongs to.
fn room(path: &Path) -> String {
    let first = path.strip_prefix("src").unwrap().iter().next().unwrap().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

fn floor(room: &str) -> usize {
    FLOORS
        .iter()
        .position(|rooms| rooms.contains(&room))
        .unwrap_or_else(|| panic!("'{room}' is no room of the house"))
}

/// The rooms that a text names: `crate::x` and, in braces, `crate::{x, y}`.
fn named_rooms(text: &str) -> Vec<String> {
    let word =
        |text: &str| text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
    let mut rooms = Vec::new();
    for rest in text.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            None => rooms.push(word(rest)),
            Some(list) => {
                let mut depth = 0;
                let mut start = true;
                for (at, c) in list.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        c if start && !c.is_whitespace() => {
                            rooms.push(word(&list[at..]));
                            start = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    rooms
}

/// The code without its unit tests and comments.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn calls_go_down_the_house() {
    for (path, text) in sources() {
        let own = room(&path);
        for callee in named_rooms(&code(&text)) {
            let down = floor(&callee) < floor(&own) || callee == own;
            assert!(down, "{}: {own} calls {callee}", path.display());
        }
    }
}

#[test]
fn the_rule_sees_what_it_must() {
    assert_eq!(
        named_rooms("use crate::cli::x; crate::{bus, hook::{a, b}, sys}"),
        ["cli", "bus", "hook", "sys"]
    );
}

#[test]
fn files_are_short_and_say_their_job() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= LINES, "{} has {lines} lines", path.display());
        assert!(text.starts_with("//! "), "{} does not say its job", path.display());
        let stem = path.file_stem().unwrap().to_str().unwrap();
        assert!(
            !["utils", "util", "helpers", "common", "misc", "manager"].contains(&stem),
            "{}",
            path.display()
        );
    }
}

#[test]
fn run_time_dependencies_are_three() {
    let manifest = fs::read_to_string("Cargo.toml").unwrap();
    let section = manifest.split("[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let names: Vec<&str> =
        section.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name).collect();
    assert_eq!(names, ["clap_lex", "rustix"]);
}

/// A text that may stand in these files only, and why.
const DOORS: [(&str, &[&str], &str); 11] = [
    ("rustix::", &["src/sys/"], "only sys talks to the system"),
    ("clap_lex", &["src/cli/parse.rs"], "only the parser sees clap_lex"),
    ("std::env::var", &["src/sys/env.rs"], "the environment is read once"),
    ("std::env::current_dir", &["src/sys/env.rs"], "the environment is read once"),
    ("current_exe", &["src/sys/process.rs"], "one word for relay's own file"),
    ("SystemTime::now", &["src/sys/clock.rs"], "one clock"),
    ("fs::rename", &["src/sys/"], "one way to make a file visible"),
    ("println!", &[], "a closed stdout must not panic"),
    ("Command::new", &["src/wake/", "src/sys/process.rs"], "only wake starts programs"),
    ("process::exit", &[], "main returns the exit code"),
    ("\"mail.jsonl\"", &["src/store/"], "only store spells a path of the store"),
];

#[test]
fn dangerous_things_have_one_door() {
    for (path, text) in sources() {
        for (needle, allowed, why) in DOORS {
            let here = path.to_str().unwrap();
            let open = allowed.iter().any(|door| here.starts_with(door));
            assert!(open || !code(&text).contains(needle), "{here} has {needle}: {why}");
        }
    }
}

#[test]
fn no_file_names_a_machine() {
    for (path, text) in sources() {
        for needle in ["/root/", "/work/", "/home/u"] {
            assert!(!code(&text).contains(needle), "{} names {needle}", path.display());
        }
    }
}

#[test]
fn only_the_host_room_knows_hosts_by_name() {
    for (path, text) in sources() {
        let here = path.to_str().unwrap();
        // The table of verbs and the demo speak of hosts to people, and
        // session-relay's registry takes one for granted.
        let talks = [
            "src/host/",
            "src/cli/table.rs",
            "src/cli/reference.rs",
            "src/cli/demo.rs",
            "src/cli/man.rs",
            "src/store/legacy.rs",
        ];
        if !talks.iter().any(|door| here.starts_with(door)) {
            for name in [
                "\"claude\"",
                "\"codex\"",
                "\"opencode\"",
                "\"omp\"",
                "CLAUDE_CODE",
                "CODEX_",
                "OPENCODE",
                "OMPCODE",
            ] {
                assert!(!code(&text).contains(name), "{here} knows {name}");
            }
        }
    }
}
