//! Small edits of a user's JSON file: adds an element or a member, or takes
//! elements out, and leaves every other byte as it is.
//!
//! Invariant: pure text; comments, trailing commas, line ends and indentation are
//! kept; a text that is not understood gives `None`, never a guess.

use super::scan::decode;

/// A value's place in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: usize,
    end: usize,
}

/// A member of an object, or an element of an array (whose key is empty).
struct Child {
    key: String,
    whole: Span,
    value: Span,
}

/// Takes the elements of the array at `path` out of which `is_meant` says so,
/// and the array and its parents where that leaves them empty.
pub fn remove(text: &str, path: &[&str], is_meant: impl Fn(&str) -> bool) -> Option<String> {
    let mut text = text.to_owned();
    loop {
        let Some(array) = find(&text, path)? else { return Some(text) };
        let items = children(&text, array)?;
        let meant = items.iter().position(|item| is_meant(&text[item.value.start..item.value.end]));
        let Some(index) = meant else { break };
        text = without(&text, array, &items, index);
    }
    for depth in (1..=path.len()).rev() {
        let (parent, key) = (&path[..depth - 1], path[depth - 1]);
        let Some(own) = find(&text, &path[..depth])? else { continue };
        if !children(&text, own)?.is_empty() || has_comment(&text[own.start..own.end]) {
            break;
        }
        let Some(span) = find(&text, parent)? else { break };
        let members = children(&text, span)?;
        let index = members.iter().position(|member| member.key == key)?;
        text = without(&text, span, &members, index);
    }
    Some(text)
}

/// The elements of the array at `path`, as text; none where there is no such array.
pub fn elements(text: &str, path: &[&str]) -> Option<Vec<String>> {
    let Some(span) = find(text, path)? else { return Some(Vec::new()) };
    Some(
        children(text, span)?
            .iter()
            .map(|child| text[child.value.start..child.value.end].to_owned())
            .collect(),
    )
}

/// Appends `item` to the array at `path`, making what is missing on the way.
/// An empty text counts as `{}`.
pub fn append(text: &str, path: &[&str], item: &str) -> Option<String> {
    let text = if text.trim().is_empty() { "{}\n" } else { text };
    let nl = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let unit = indentation(text);
    let mut span = root(text)?;
    for (depth, key) in path.iter().enumerate() {
        if !text[span.start..].starts_with('{') {
            return None;
        }
        let members = children(text, span)?;
        match members.iter().filter(|member| member.key == *key).collect::<Vec<_>>()[..] {
            [member] => span = member.value,
            [] => {
                // What is missing is made from the inside out.
                let indent =
                    |levels: usize| format!("{}{}", line_indent(text, span.start), unit.repeat(levels));
                let missing = &path[depth..];
                let levels = missing.len();
                let mut value = format!("[{nl}{}{item}{nl}{}]", indent(levels + 1), indent(levels));
                for (level, key) in missing.iter().enumerate().skip(1).rev() {
                    let key = super::quote(key);
                    value = format!("{{{nl}{}{key}: {value}{nl}{}}}", indent(level + 1), indent(level));
                }
                return Some(add(text, span, &format!("{}: {value}", super::quote(key)), unit, nl));
            }
            _ => return None,
        }
    }
    if !text[span.start..].starts_with('[') {
        return None;
    }
    children(text, span)?;
    Some(add(text, span, item, unit, nl))
}

/// Adds a child behind the last one of a container.
fn add(text: &str, container: Span, child: &str, unit: &str, nl: &str) -> String {
    let outer = line_indent(text, container.start);
    let close = container.end - 1;
    let Some(last) = children(text, container).and_then(|mut all| all.pop()) else {
        let inside = text[container.start + 1..close].trim_end();
        let (before, after) = (&text[..container.start + 1], &text[close..]);
        return format!("{before}{inside}{nl}{outer}{unit}{child}{nl}{outer}{after}");
    };
    let behind = &text[last.whole.end..close];
    let comma = after_space(text, last.whole.end).filter(|at| text[*at..].starts_with(','));
    let in_lines = text[container.start..close].contains('\n');
    let glue = if in_lines { format!("{nl}{outer}{unit}") } else { " ".to_owned() };
    if let Some(comma) = comma {
        return format!("{}{glue}{child}{}", &text[..comma + 1], &text[comma + 1..]);
    }
    // A remark on the last child's line stays with it.
    let rest = behind.find('\n').map(|length| behind[..length].trim_end_matches('\r'));
    let remark = rest
        .filter(|rest| in_lines && after_space(text, last.whole.end) >= Some(last.whole.end + rest.len()));
    let keep = last.whole.end + remark.map_or(0, str::len);
    format!("{},{}{glue}{child}{}", &text[..last.whole.end], &text[last.whole.end..keep], &text[keep..])
}

/// The text without one child of a container.
fn without(text: &str, container: Span, all: &[Child], index: usize) -> String {
    let (from, to) = match (index, all.get(index + 1)) {
        (_, Some(next)) => (all[index].whole.start, next.whole.start),
        (0, None) if has_comment(&text[all[0].whole.end..container.end]) => {
            (all[0].whole.start, all[0].whole.end)
        }
        (0, None) => (container.start + 1, container.end - 1),
        (_, None) => (all[index - 1].whole.end, all[index].whole.end),
    };
    format!("{}{}", &text[..from], &text[to..])
}

/// The value at a path of member names; the outer `None` is a text that is not
/// understood.
fn find(text: &str, path: &[&str]) -> Option<Option<Span>> {
    if text.trim().is_empty() {
        return Some(None);
    }
    let mut span = root(text)?;
    for key in path {
        if !text[span.start..].starts_with('{') {
            return None;
        }
        let members = children(text, span)?;
        match members.iter().filter(|member| member.key == *key).collect::<Vec<_>>()[..] {
            [member] => span = member.value,
            [] => return Some(None),
            _ => return None,
        }
    }
    Some(Some(span))
}

/// The whole value of the text, behind which only space and comments stand.
fn root(text: &str) -> Option<Span> {
    let start = after_space(text, if text.starts_with('\u{feff}') { 3 } else { 0 })?;
    let end = value_end(text, start, 0)?;
    (after_space(text, end)? == text.len()).then_some(Span { start, end })
}

/// The members or elements of a container.
fn children(text: &str, container: Span) -> Option<Vec<Child>> {
    let bytes = text.as_bytes();
    let is_object = match bytes.get(container.start)? {
        b'{' => true,
        b'[' => false,
        _ => return None,
    };
    let close = container.end - 1;
    let mut found = Vec::new();
    let mut at = after_space(text, container.start + 1)?;
    while at < close {
        let start = at;
        let key = match is_object {
            false => String::new(),
            true => {
                let end = string_end(bytes, at)?;
                let key = decode(&text[at..end])?.into_owned();
                at = after_space(text, end)?;
                if bytes.get(at) != Some(&b':') {
                    return None;
                }
                at = after_space(text, at + 1)?;
                key
            }
        };
        let end = value_end(text, at, 0)?;
        found.push(Child { key, whole: Span { start, end }, value: Span { start: at, end } });
        at = after_space(text, end)?;
        match bytes.get(at) {
            Some(b',') => at = after_space(text, at + 1)?,
            _ if at == close => {}
            _ => return None,
        }
    }
    (at == close).then_some(found)
}

/// Behind the value that begins at `at`.
fn value_end(text: &str, at: usize, depth: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    match bytes.get(at)? {
        b'"' => string_end(bytes, at),
        open @ (b'{' | b'[') => {
            if depth > crate::limits::JSON_DEPTH {
                return None;
            }
            let close = if *open == b'{' { b'}' } else { b']' };
            let mut at = after_space(text, at + 1)?;
            loop {
                match bytes.get(at)? {
                    byte if *byte == close => return Some(at + 1),
                    b',' | b':' => at += 1,
                    b'}' | b']' => return None,
                    _ => at = value_end(text, at, depth + 1)?,
                }
                at = after_space(text, at)?;
            }
        }
        _ => {
            let word = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
            let length = bytes[at..].iter().take_while(word).count();
            (length > 0).then_some(at + length)
        }
    }
}

fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes.get(at) != Some(&b'"') {
        return None;
    }
    let mut at = at + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Behind the space and comments at `at`; `None`: a comment does not end.
fn after_space(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = at;
    loop {
        match (bytes.get(at), bytes.get(at + 1)) {
            (Some(b' ' | b'\t' | b'\r' | b'\n'), _) => at += 1,
            (Some(b'/'), Some(b'/')) => at += text[at..].find('\n').unwrap_or(text.len() - at),
            (Some(b'/'), Some(b'*')) => at += 4 + text[at + 2..].find("*/")?,
            _ => return Some(at),
        }
    }
}

fn has_comment(inside: &str) -> bool {
    inside.contains("//") || inside.contains("/*")
}

/// The space at the beginning of the line that holds `at`.
fn line_indent(text: &str, at: usize) -> &str {
    let line = &text[text[..at].rfind('\n').map_or(0, |newline| newline + 1)..];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// What one level is indented by: what the first indented line has.
fn indentation(text: &str) -> &str {
    let mut indents =
        text.lines().map(|line| &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]);
    indents.find(|indent| !indent.is_empty()).unwrap_or("  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: [&str; 2] = ["hooks", "Stop"];

    #[test]
    fn what_is_missing_is_made() {
        for (before, after) in [
            ("", "{\n  \"hooks\": {\n    \"Stop\": [\n      {\"x\": 1}\n    ]\n  }\n}\n"),
            ("{}", "{\n  \"hooks\": {\n    \"Stop\": [\n      {\"x\": 1}\n    ]\n  }\n}"),
            (
                "{\n\t\"a\": 1\n}\n",
                "{\n\t\"a\": 1,\n\t\"hooks\": {\n\t\t\"Stop\": [\n\t\t\t{\"x\": 1}\n\t\t]\n\t}\n}\n",
            ),
            (
                "{\r\n  \"hooks\": {}\r\n}\r\n",
                "{\r\n  \"hooks\": {\r\n    \"Stop\": [\r\n      {\"x\": 1}\r\n    ]\r\n  }\r\n}\r\n",
            ),
            (
                "{\n  \"hooks\": {\n    \"Stop\": [] // none yet\n  }\n}",
                "{\n  \"hooks\": {\n    \"Stop\": [\n      {\"x\": 1}\n    ] // none yet\n  }\n}",
            ),
        ] {
            assert_eq!(append(before, &PATH, "{\"x\": 1}").as_deref(), Some(after), "{before:?}");
            assert_eq!(elements(after, &PATH), Some(vec!["{\"x\": 1}".to_owned()]));
        }
    }

    #[test]
    fn what_is_there_stays_as_it_is() {
        for (before, after) in [
            ("{\"hooks\":{\"Stop\":[1]}}", "{\"hooks\":{\"Stop\":[1, 2]}}"),
            ("{\"hooks\":{\"Stop\":[\n  1 // one\n]}}", "{\"hooks\":{\"Stop\":[\n  1, // one\n  2\n]}}"),
            ("{\"hooks\":{\"Stop\":[\n  1,\n]}}", "{\"hooks\":{\"Stop\":[\n  1,\n  2\n]}}"),
            (
                "/* mine */ {\"a\": [{\"]\": \"\\\"}\"}], \"hooks\": {\"Stop\": [\"//\"]}} // end",
                "/* mine */ {\"a\": [{\"]\": \"\\\"}\"}], \"hooks\": {\"Stop\": [\"//\", 2]}} // end",
            ),
        ] {
            assert_eq!(append(before, &PATH, "2").as_deref(), Some(after), "{before:?}");
        }
    }

    #[test]
    fn what_is_not_understood_is_left_alone() {
        for text in [
            "{",
            "[]",
            "5",
            "{\"hooks\": 5}",
            "{\"hooks\": {\"Stop\": {}}}",
            "{\"hooks\": {\"Stop\": [}}",
            "{} {}",
            "{\"hooks\": {}, \"hooks\": {}}",
            "{/* }",
            "{'a': 1}",
            "{\"a\" 1}",
            "{\"hooks\": {\"Stop\": [1 2]}}",
        ] {
            assert_eq!(append(text, &PATH, "2"), None, "{text}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(append(&format!("{{\"a\":{deep}"), &PATH, "2"), None);
    }

    #[test]
    fn what_was_added_can_be_taken_out() {
        let ours = |item: &str| item == "2";
        for (before, after) in [
            ("{\"hooks\":{\"Stop\":[1, 2, 3]}}", "{\"hooks\":{\"Stop\":[1, 3]}}"),
            ("{\"hooks\":{\"Stop\":[2, 2]}, \"a\": 1}", "{\"a\": 1}"),
            (
                "{\n  \"a\": 1,\n  \"hooks\": {\n    \"Stop\": [\n      2\n    ]\n  }\n}\n",
                "{\n  \"a\": 1\n}\n",
            ),
            ("{\"hooks\":{\"Stop\":[2], \"Start\":[2]}}", "{\"hooks\":{\"Start\":[2]}}"),
            ("{\"hooks\":{\"Stop\":[2] /* keep */}}", "{\"hooks\":{\"Stop\":[2] /* keep */}}"),
            ("{\"a\": 1}", "{\"a\": 1}"),
        ] {
            let result = remove(before, &PATH, ours).unwrap();
            if before.contains("keep") {
                assert!(result.contains("/* keep */") && !result.contains('2'), "{result}");
            } else {
                assert_eq!(result, after, "{before:?}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_gives_a_text_or_nothing(text in "[\\[\\]{}\",:/* \\n\\\\a1]{0,40}") {
            let _ = (append(&text, &PATH, "2"), remove(&text, &PATH, |item| item == "2"), elements(&text, &PATH));
        }

        #[test]
        fn adding_and_taking_out_gives_what_was_there(
            values in proptest::collection::vec("(\\{\"a\": 1\\}|\\[\\]|\"x\"|true)", 1..4),
            pretty in proptest::bool::ANY,
        ) {
            let (open, glue, close) = if pretty { ("[\n    ", ",\n    ", "\n  ]") } else { ("[", ", ", "]") };
            let text = format!("{{\n  \"hooks\": {{\"Stop\": {open}{}{close}}}\n}}\n", values.join(glue));
            let added = append(&text, &PATH, "{\"relay\": 2}").unwrap();
            proptest::prop_assert_eq!(elements(&added, &PATH).unwrap().len(), values.len() + 1);
            proptest::prop_assert_eq!(remove(&added, &PATH, |item| item.contains("relay")).unwrap(), text);
        }
    }
}
