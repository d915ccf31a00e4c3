//! The tables of a TOML text that is the user's, as far as one entry needs them:
//! found, added at the end, taken out.
//!
//! Invariant: pure text; what is not touched stays byte for byte; a text whose
//! lines are not understood gives `None`, never a guess.

/// Dotted keys, unquoted, and their value, as it is written.
pub type Member<'a> = (Vec<String>, &'a str);

/// A table that a header begins, up to the next header.
#[derive(Debug, PartialEq, Eq)]
pub struct Table<'a> {
    /// The header's keys, unquoted.
    pub name: Vec<String>,
    pub values: Vec<Member<'a>>,
    /// All of it, header and comments included.
    pub text: &'a str,
}

/// The tables of a text; the first has no name and holds what stands before
/// every header.
pub fn tables(text: &str) -> Option<Vec<Table<'_>>> {
    let mut found = vec![Table { name: Vec::new(), values: Vec::new(), text }];
    let mut at = 0;
    while at < text.len() {
        let rest = text[at..].trim_start_matches([' ', '\t']);
        at = if matches!(rest.as_bytes().first(), None | Some(b'#' | b'\r' | b'\n')) {
            text.len() - rest.len()
        } else if let Some(header) = rest.strip_prefix('[') {
            let inner = header.strip_prefix('[').unwrap_or(header);
            let (name, behind) = keys(inner)?;
            let close = if inner.len() < header.len() { "]]" } else { "]" };
            let behind = behind.strip_prefix(close)?;
            found.push(Table { name, values: Vec::new(), text: &text[at..] });
            text.len() - behind.len()
        } else {
            let (name, behind) = keys(rest)?;
            let value = behind.strip_prefix('=')?.trim_start_matches([' ', '\t']);
            let from = text.len() - value.len();
            let to = value_end(text, from, 0)?;
            found.last_mut()?.values.push((name, &text[from..to]));
            to
        };
        // Only a comment may follow on the line.
        if !text[at..].lines().next().is_none_or(says_nothing) {
            return None;
        }
        at += text[at..].find('\n').map_or(text.len() - at, |newline| newline + 1);
    }
    for index in 1..found.len() {
        let next = found[index].text.len();
        let table = &mut found[index - 1].text;
        *table = &table[..table.len() - next];
    }
    Some(found)
}

/// Whether a line, or the rest of one, has at most a comment.
fn says_nothing(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

impl<'a> Table<'a> {
    /// Whether it is one more of a list of tables.
    pub fn is_element(&self) -> bool {
        self.text.trim_start().starts_with("[[")
    }

    /// The value of a key, as it is written.
    pub fn get(&self, key: &str) -> Option<&'a str> {
        self.values.iter().find(|(name, _)| name == &[key]).map(|(_, value)| *value)
    }
}

/// The first table of this name.
pub fn find<'t, 'a>(tables: &'t [Table<'a>], name: &[&str]) -> Option<&'t Table<'a>> {
    tables.iter().find(|table| table.name == name)
}

/// The text with a table at its end.
pub fn append(text: &str, table: &str) -> String {
    let nl = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let glue = match text {
        "" => "",
        text if text.ends_with('\n') => nl,
        _ => &nl.repeat(2),
    };
    format!("{text}{glue}{}", table.replace('\n', nl))
}

/// The text without the tables that are meant, and without one empty line
/// before each.
pub fn without(text: &str, is_meant: &dyn Fn(&Table) -> bool) -> Option<String> {
    let mut kept = String::new();
    for (index, table) in tables(text)?.iter().enumerate() {
        let own = table.text;
        if index == 0 || !is_meant(table) {
            kept.push_str(own);
            continue;
        }
        let gap = ["\r\n", "\n"].iter().find_map(|nl| {
            let before = kept.strip_suffix(nl)?;
            (before.is_empty() || before.ends_with('\n')).then_some(before.len())
        });
        kept.truncate(gap.unwrap_or(kept.len()));
        // Comments at its end are not the table's.
        let last = own.split_inclusive('\n').rev().take_while(|line| says_nothing(line));
        let keep = own.len() - last.map(str::len).sum::<usize>();
        kept.push_str(&own[keep..]);
    }
    Some(kept)
}

/// What a string says, however it is quoted.
pub fn string(raw: &str) -> Option<String> {
    if let Some(inside) = raw.strip_prefix('\'').and_then(|raw| raw.strip_suffix('\'')) {
        return (!inside.contains('\'')).then(|| inside.to_owned());
    }
    super::decode(raw).map(|text| text.into_owned())
}

/// The strings of an array.
pub fn strings(raw: &str) -> Option<Vec<String>> {
    raw.strip_prefix('[')?;
    let mut found = Vec::new();
    for (_, value) in &parts(raw, 0, 0)?.0 {
        found.push(string(value)?);
    }
    Some(found)
}

/// The members of an inline table.
pub fn members(raw: &str) -> Option<Vec<Member<'_>>> {
    raw.strip_prefix('{')?;
    Some(parts(raw, 0, 0)?.0)
}

/// The elements of the array at `at`, without keys, or the members of the inline
/// table there, and where it ends.
fn parts(text: &str, at: usize, depth: usize) -> Option<(Vec<Member<'_>>, usize)> {
    if depth > crate::limits::JSON_DEPTH {
        return None;
    }
    let close = if text[at..].starts_with('[') { b']' } else { b'}' };
    let mut found = Vec::new();
    let mut at = at + 1;
    loop {
        at = after_space(text, at);
        match text.as_bytes().get(at)? {
            byte if *byte == close => return Some((found, at + 1)),
            b',' => at += 1,
            _ => {
                let mut name = Vec::new();
                if close == b'}' {
                    let behind;
                    (name, behind) = keys(&text[at..])?;
                    at = text.len() - behind.strip_prefix('=')?.trim_start().len();
                }
                let end = value_end(text, at, depth + 1)?;
                found.push((name, &text[at..end]));
                at = end;
            }
        }
    }
}

/// Dotted keys, and what stands behind them and their space.
fn keys(text: &str) -> Option<(Vec<String>, &str)> {
    let mut names = Vec::new();
    let mut rest = text.trim_start_matches([' ', '\t']);
    loop {
        let bare =
            rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        let length = match rest.as_bytes().first()? {
            b'"' | b'\'' => value_end(rest, 0, 0)?,
            _ => bare.count(),
        };
        let key = &rest[..length];
        names.push(if key.starts_with(['"', '\'']) { string(key)? } else { key.to_owned() });
        rest = rest[length..].trim_start_matches([' ', '\t']);
        match rest.strip_prefix('.') {
            Some(more) if length > 0 => rest = more.trim_start_matches([' ', '\t']),
            None if length > 0 => return Some((names, rest)),
            _ => return None,
        }
    }
}

/// Behind the value that begins at `at`.
fn value_end(text: &str, at: usize, depth: usize) -> Option<usize> {
    let rest = &text[at..];
    match rest.as_bytes().first()? {
        b'"' | b'\'' => string_end(text.as_bytes(), at),
        b'[' | b'{' => parts(text, at, depth).map(|(_, end)| end),
        _ => {
            let part =
                |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.' | b':' | b'_');
            let length = rest.as_bytes().iter().take_while(|byte| part(byte)).count();
            // A date and its time may have a space between them.
            let is_date = length == 10 && rest[..length].matches('-').count() == 2;
            let time = rest[length..].strip_prefix(' ').filter(|_| is_date);
            let more = time.map_or(0, |time| 1 + time.bytes().take_while(part).count());
            (length > 0).then_some(at + length + more)
        }
    }
}

/// Behind the string that begins at `at`; over several lines where three marks begin it.
fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mark = bytes[at];
    let marks = |at: usize| bytes[at..].iter().take_while(|byte| **byte == mark).count();
    let has_lines = marks(at) > 2;
    let mut at = if has_lines { at + 3 } else { at + 1 };
    loop {
        match bytes.get(at)? {
            b'\n' if !has_lines => return None,
            b'\\' if mark == b'"' => at += 2,
            byte if *byte != mark => at += 1,
            _ if !has_lines => return Some(at + 1),
            // Up to two marks may stand before the closing three.
            _ if marks(at) > 2 => return Some(at + marks(at).min(5)),
            _ => at += 1,
        }
    }
}

/// Behind the space, line ends and comments at `at`.
fn after_space(text: &str, mut at: usize) -> usize {
    loop {
        match text.as_bytes().get(at) {
            Some(b' ' | b'\t' | b'\r' | b'\n') => at += 1,
            Some(b'#') => at += text[at..].find('\n').unwrap_or(text.len() - at),
            _ => return at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# mine
model = "x" # why
notify = ["a", # [b]
  "[c]",
]
long = """
[not.a.table]
"""
raw = '''
"[nor.this]"'''
when = 1979-05-27 07:32:00Z

[ mcp_servers . other ] # theirs
command = 'foo'
env = { A = "1", "B.c" = 'd' }

[[list]]
x = -1.5e3
[mcp_servers."a.b"]
args = [ "bus", ]
"#;

    #[test]
    fn tables_are_found_wherever_they_begin() {
        let found = tables(TEXT).unwrap();
        let names: Vec<String> = found.iter().map(|table| table.name.join("/")).collect();
        assert_eq!(names, ["", "mcp_servers/other", "list", "mcp_servers/a.b"]);
        assert_eq!(found[1].get("command").and_then(string).as_deref(), Some("foo"));
        assert_eq!(found[3].get("args").and_then(strings), Some(vec!["bus".to_owned()]));
        let environment = members(found[1].get("env").unwrap()).unwrap();
        assert_eq!(environment, [(vec!["A".to_owned()], "\"1\""), (vec!["B.c".to_owned()], "'d'")]);
        assert_eq!(found[0].values.len(), 5);
    }

    #[test]
    fn what_is_no_toml_is_not_understood() {
        for text in [
            "x",
            "= 1",
            "x = ",
            "x = 1 2",
            "[a",
            "[a] b",
            "x = [1",
            "x = \"a\nb\"",
            "x = \"\"\"a",
            "x = {a}",
            "a..b = 1",
            "[]",
        ] {
            assert_eq!(tables(text), None, "{text}");
        }
        assert_eq!(tables(&format!("x = {}", "[".repeat(100_000))), None);
    }

    fn of_relay(table: &Table) -> bool {
        table.name.len() >= 2 && table.name[..2] == ["mcp_servers", "relay"]
    }

    #[test]
    fn what_was_added_comes_out_without_a_trace() {
        let table = "[mcp_servers.relay]\ncommand = \"/r\"\n\n[mcp_servers.relay.env]\nA = \"b\"\n";
        for text in [TEXT, "", "x = 1\n", "x = 1\r\ny = 2\r\n", "# only this\n"] {
            let added = append(text, table);
            assert_eq!(tables(&added).unwrap().len(), tables(text).unwrap().len() + 2, "{added}");
            assert_eq!(without(&added, &of_relay).as_deref(), Some(text));
            let more = format!("{added}\n# of the next\n[next]\nz = 1\n");
            let left = without(&more, &of_relay).unwrap();
            assert!(left.starts_with(text) && left.ends_with("# of the next\n[next]\nz = 1\n"), "{left}");
        }
        assert_eq!(without(TEXT, &of_relay).as_deref(), Some(TEXT));
    }

    proptest::proptest! {
        #[test]
        fn any_text_gives_tables_or_nothing(text in "[\\[\\]{}\"'=.,# \\n\\\\a1é]{0,40}") {
            if let Some(found) = tables(&text) {
                proptest::prop_assert!(!found.is_empty());
                proptest::prop_assert_eq!(without(&text, &|_| false), Some(text));
            }
        }
    }
}
