//! Small edits of a JSON text that is the user's: what is not touched stays as
//! it is, byte for byte.
//!
//! Invariant: pure text; comments, trailing commas, line ends and indentation are
//! kept; a text that is not understood gives `None`, never a guess.

use super::jsonc::{Child, Span, after_space, children, find, line_end, member, root, walk};
use super::quote;

/// The value at a path of member names, as text; the outer `None` is a text that
/// is not understood.
pub fn value<'a>(text: &'a str, path: &[&str]) -> Option<Option<&'a str>> {
    Some(find(text, path)?.map(|span| span.of(text)))
}

/// The members of the object at `path`, or the elements of the array there (their
/// keys are empty), as text; none where there is nothing.
pub fn entries<'a>(text: &'a str, path: &[&str]) -> Option<Vec<(String, &'a str)>> {
    let Some(span) = find(text, path)? else { return Some(Vec::new()) };
    let mut found = Vec::new();
    walk(text, span.start, 0, &mut |child| found.push((child.key, child.value.of(text))))?;
    Some(found)
}

/// The elements of the array at `path`, as text; none where there is no such array.
pub fn elements<'a>(text: &'a str, path: &[&str]) -> Option<Vec<&'a str>> {
    let Some(span) = find(text, path)? else { return Some(Vec::new()) };
    let mut found = Vec::new();
    walk(text, span.start, 0, &mut |child| found.push(child.value.of(text)))?;
    Some(found)
}

/// Gives each element of the array at `path` the text that `change` makes of it,
/// in the element's own place.
pub fn change(text: &str, path: &[&str], change: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut changed = text.to_owned();
    let Some(array) = find(text, path)? else { return Some(changed) };
    // From the last on, so that the places of those before stay true.
    for Child { value, .. } in children(text, array)?.iter().rev() {
        changed.replace_range(value.start..value.end, &change(value.of(text))?);
    }
    Some(changed)
}

/// Takes out of the array at `path` each element that `is_meant` accepts. An
/// array that becomes empty by this goes too, and so do its parents.
pub fn remove(text: &str, path: &[&str], is_meant: &dyn Fn(&str) -> bool) -> Option<String> {
    let former = text;
    let mut text = text.to_owned();
    loop {
        let Some(array) = find(&text, path)? else { return Some(text) };
        let items = children(&text, array)?;
        let meant = items.iter().position(|item| is_meant(item.value.of(&text)));
        let Some(index) = meant else { break };
        take_out(&mut text, array, &items, index);
    }
    if text == former { Some(text) } else { prune(text, path) }
}

/// Takes the member at `path` out, and its parents where that leaves them empty.
pub fn unset(text: &str, path: &[&str]) -> Option<String> {
    let (key, parent) = path.split_last()?;
    let mut text = text.to_owned();
    let Some(object) = find(&text, parent)? else { return Some(text) };
    take_out_member(&mut text, object, key)?;
    prune(text, parent)
}

/// Takes out what is empty at `path` and above.
fn prune(mut text: String, path: &[&str]) -> Option<String> {
    for depth in (1..=path.len()).rev() {
        let Some(own) = find(&text, &path[..depth])? else { continue };
        if !children(&text, own)?.is_empty() || has_comment(own.of(&text)) {
            break;
        }
        let Some(parent) = find(&text, &path[..depth - 1])? else { break };
        take_out_member(&mut text, parent, path[depth - 1])?;
    }
    Some(text)
}

fn take_out_member(text: &mut String, object: Span, key: &str) -> Option<()> {
    let members = children(text, object)?;
    if let Some(index) = members.iter().position(|member| member.key == key) {
        take_out(text, object, &members, index);
    }
    Some(())
}

/// Appends `item` to the array at `path`, making what is missing on the way.
/// An empty text counts as `{}`.
pub fn append(text: &str, path: &[&str], item: &str) -> Option<String> {
    insert(text, path, "[]", item)
}

/// Adds a member to the object above `path`, making what is missing on the way;
/// `None` also where it has that member. An empty text counts as `{}`.
pub fn set(text: &str, path: &[&str], value: &str) -> Option<String> {
    let (key, parent) = path.split_last()?;
    let is_there = find(text, path)?.is_some();
    if is_there { None } else { insert(text, parent, "{}", &format!("{}: {value}", quote(key))) }
}

/// Adds a child to the container at `path`, which has these brackets.
fn insert(text: &str, path: &[&str], brackets: &str, child: &str) -> Option<String> {
    let text = if text.trim().is_empty() { "{}\n" } else { text };
    let nl = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let unit = indentation(text);
    let mut span = root(text)?;
    for (depth, key) in path.iter().enumerate() {
        if let Some(value) = member(text, span, key)? {
            span = value;
            continue;
        }
        // What is missing is made from the inside out.
        let indent = |levels| line_indent(text, span.start).to_owned() + &unit.repeat(levels);
        let mut made = child.to_owned();
        let mut around = brackets;
        for (level, key) in path[depth..].iter().enumerate().rev() {
            let ((open, close), key) = (around.split_at(1), quote(key));
            made = format!("{key}: {open}{nl}{}{made}{nl}{}{close}", indent(level + 2), indent(level + 1));
            around = "{}";
        }
        return Some(add(text, span, &made, unit, nl));
    }
    text[span.start..].starts_with(&brackets[..1]).then(|| add(text, span, child, unit, nl))
}

/// Adds a child behind the last one of a container.
fn add(text: &str, container: Span, child: &str, unit: &str, nl: &str) -> String {
    let outer = line_indent(text, container.start);
    let close = container.end - 1;
    let mut added = text.to_owned();
    let line = format!("{nl}{outer}{unit}{child}");
    let Some(end) = children(text, container).and_then(|all| Some(all.last()?.whole.end)) else {
        let inside = text[..close].trim_end().len();
        added.replace_range(inside..close, &format!("{line}{nl}{outer}"));
        return added;
    };
    let more = if container.of(text).contains('\n') { line } else { format!(" {child}") };
    match after_space(text, end).filter(|at| text[*at..].starts_with(',')) {
        Some(comma) => added.insert_str(comma + 1, &more),
        None => {
            // A remark on the last child's line stays with it.
            added.insert_str(line_end(&text[..close], end).unwrap_or(end), &more);
            added.insert(end, ',');
        }
    }
    added
}

/// Takes one child of a container out, and one comma; comments stay.
fn take_out(text: &mut String, container: Span, all: &[Child], index: usize) {
    let child = all[index].whole;
    let from = if index == 0 { container.start + 1 } else { all[index - 1].whole.end };
    let next = all.get(index + 1);
    let to = next.map_or(container.end - 1, |next| next.whole.start);
    let (before, after) = (&text[from..child.start], &text[child.end..to]);
    let commented = has_comment(before) || has_comment(after);
    // The comma is the child's own, or else the one before it.
    let (before, after) = match without_comma(after) {
        Some(after) => (before.to_owned(), after),
        None => (without_comma(before).unwrap_or(before.to_owned()), after.to_owned()),
    };
    let ends_line = after.find('\n').is_some_and(|end| after[..end].trim().is_empty());
    let gap = match next {
        Some(_) => before + after.trim_start(),
        None if all.len() == 1 && !commented => String::new(),
        // A comment to the line's end must not swallow what follows.
        None if commented && !ends_line => before + &after,
        None => before.trim_end().to_owned() + &after,
    };
    text.replace_range(from..to, &gap);
}

/// What stands between two children, without the comma; `None`: it has none.
fn without_comma(gap: &str) -> Option<String> {
    let comma = after_space(gap, 0)?;
    Some(gap[..comma].to_owned() + gap[comma..].strip_prefix(',')?)
}

fn has_comment(inside: &str) -> bool {
    inside.contains("//") || inside.contains("/*")
}

/// The space at the beginning of the line that holds `at`.
fn line_indent(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    space_before(&text[start..])
}

/// What one level is indented by: what the first indented line has.
fn indentation(text: &str) -> &str {
    text.lines().map(space_before).find(|indent| !indent.is_empty()).unwrap_or("  ")
}

fn space_before(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
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
            assert_eq!(elements(after, &PATH), Some(vec!["{\"x\": 1}"]));
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
            "{\"a\": {\"b\" \"c\"}}",
            "{\"a\": [{\"b\":: 1}]}",
            "{\"a\": [1,, 2]}",
            "{\"a\": {\"b\": yes}}",
            "{\"a\": \"one\ntwo\"}",
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
            ("{\"hooks\":{\"Stop\":[]}}", "{\"hooks\":{\"Stop\":[]}}"),
        ] {
            let result = remove(before, &PATH, &ours).unwrap();
            if before.contains("keep") {
                assert!(result.contains("/* keep */") && !result.contains('2'), "{result}");
            } else {
                assert_eq!(result, after, "{before:?}");
            }
        }
    }

    #[test]
    fn comments_around_what_is_taken_out_stay() {
        for (before, after) in [
            ("[2, /* a */ 1]", "[/* a */ 1]"),
            ("[2 /* a */, 1]", "[/* a */ 1]"),
            ("[\n  2, // a\n  // b\n  1\n]", "[\n  // a\n  // b\n  1\n]"),
            ("[\n  // a\n  2,\n  1\n]", "[\n  // a\n  1\n]"),
            ("[\n  1, // a\n  2\n]", "[\n  1 // a\n]"),
            ("[\n  1, // a\n  2 ]", "[\n  1 // a\n   ]"),
            ("[\n  1, // a\n  2, // b\n]", "[\n  1, // a\n   // b\n]"),
            ("[1, /* a */ 2 /* b */]", "[1 /* a */  /* b */]"),
            ("[2, /* a */]", "[ /* a */]"),
            ("[\n  // a\n  2\n]", "[\n  // a\n]"),
            ("[1, 2,]", "[1,]"),
        ] {
            let text = |array: &str| format!("{{\"hooks\": {{\"Stop\": {array}}}}}");
            assert_eq!(remove(&text(before), &PATH, &|item| item == "2"), Some(text(after)), "{before:?}");
        }
    }

    #[test]
    fn a_member_is_set_and_taken_out_again() {
        for (before, after) in [
            ("", "{\n  \"servers\": {\n    \"relay\": 1\n  }\n}\n"),
            (
                "{\n  \"servers\": {\"x\": 2}, // two\n}\n",
                "{\n  \"servers\": {\"x\": 2, \"relay\": 1}, // two\n}\n",
            ),
            ("{\"servers\": {\"relay\": 2}}", "none"),
            ("{\"servers\": [2]}", "none"),
        ] {
            let path = ["servers", "relay"];
            let set = set(before, &path, "1");
            assert_eq!(set.as_deref().unwrap_or("none"), after);
            if let Some(set) = set {
                let out = unset(&set, &path).unwrap();
                assert_eq!(out, if before.is_empty() { "{}\n" } else { before });
            }
        }
        assert_eq!(unset("{\"a\": 1}", &["servers", "relay"]).as_deref(), Some("{\"a\": 1}"));
    }

    /// What may stand between the parts of [`commented`].
    const GAP: &str = "(|\n|/\\*c\\*/|/\\*c\n c//\n\\*/| /\\*c\n\\*/ //c\n|//c\n| //c\n  //c\n|//\\*c\n)";

    /// A text with these values at [`PATH`] and comments around them.
    fn commented(values: &[String], gaps: &[String], trailing: bool) -> String {
        let mut array = gaps[0].clone();
        for (index, value) in values.iter().enumerate() {
            let comma = if trailing || index + 1 < values.len() { "," } else { "" };
            array += &format!("{value}{}{comma}{}", gaps[index * 2 + 1], gaps[index * 2 + 2]);
        }
        format!("{{\"hooks\": {{\"Stop\": [{array}], \"a\": 1}}}}")
    }

    proptest::proptest! {
        #[test]
        fn any_text_gives_a_text_or_nothing(text in "[\\[\\]{}\",:/* \\n\\\\a1]{0,40}") {
            let _ = (append(&text, &PATH, "2"), remove(&text, &PATH, &|item| item == "2"), elements(&text, &PATH));
        }

        #[test]
        fn taking_out_keeps_every_comment_and_everything_else(
            values in proptest::collection::vec("[12]", 1..5),
            gaps in proptest::collection::vec(GAP, 10),
            trailing in proptest::bool::ANY,
        ) {
            let text = commented(&values, &gaps, trailing);
            let left = remove(&text, &PATH, &|item| item == "2").unwrap();
            proptest::prop_assert_eq!(left.matches('c').count(), text.matches('c').count(), "{}", left);
            let kept: Vec<String> = values.into_iter().filter(|value| value == "1").collect();
            proptest::prop_assert_eq!(elements(&left, &PATH).expect(&left), kept);
        }

        #[test]
        fn adding_keeps_every_comment_and_everything_else(
            values in proptest::collection::vec("[12]", 0..5),
            gaps in proptest::collection::vec(GAP, 10),
            trailing in proptest::bool::ANY,
        ) {
            let text = commented(&values, &gaps, trailing);
            let added = append(&text, &PATH, "3").unwrap();
            proptest::prop_assert_eq!(added.matches('c').count(), text.matches('c').count(), "{}", added);
            let all: Vec<String> = values.into_iter().chain(["3".to_owned()]).collect();
            proptest::prop_assert_eq!(elements(&added, &PATH).expect(&added), all, "{}", added);
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
            proptest::prop_assert_eq!(remove(&added, &PATH, &|item| item.contains("relay")).unwrap(), text);
        }
    }
}
