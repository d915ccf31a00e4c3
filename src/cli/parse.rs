//! From a command line to a verb, its flags, operands and message.
//!
//! Invariant: strict by the verb's own row of the table; after `--` nothing is
//! a flag; a word that could be meant as a flag is never taken for text.

use std::ffi::OsStr;

use clap_lex::ArgCursor;

use super::table::VERBS;
use super::verb::{Need, Operand, Rest, Takes, Verb};
use crate::error::{Error, Result};
use crate::mail::address::{closest, shorten};

/// The words of a command line, argv0 included.
pub use clap_lex::RawArgs as Words;

/// A command line that was understood.
#[derive(Debug)]
pub struct Parsed {
    pub verb: &'static Verb,
    flags: Vec<(&'static str, Option<String>)>,
    operands: Vec<String>,
    message: Option<String>,
}

impl Parsed {
    /// Whether the flag was given.
    pub fn flag(&self, name: &str) -> bool {
        self.flags.iter().any(|(flag, _)| *flag == name)
    }

    /// What was given with the flag.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.flags.iter().find(|(flag, _)| *flag == name)?.1.as_deref()
    }

    /// The operand at this place, if it was given.
    pub fn positional(&self, index: usize) -> Option<&str> {
        self.operands.get(index).map(String::as_str)
    }

    /// The first operand; empty where the verb takes none or was given none.
    pub fn first(&self) -> &str {
        self.positional(0).unwrap_or_default()
    }

    /// The words behind the operands, joined by spaces: the message, or for
    /// [`Rest::More`] further operands. `None` when there were none.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// All operands of a verb with [`Rest::More`].
    pub fn all(&self) -> Vec<&str> {
        let mut all = Vec::from_iter(self.positional(0));
        all.extend(self.message().unwrap_or_default().split_ascii_whitespace());
        all
    }

    /// Whether there may be this operand: no flag stands in for it.
    fn takes(&self, operand: &Operand) -> bool {
        !matches!(operand.need, Need::Unless(flags) if flags.iter().any(|flag| self.flag(flag)))
    }

    /// How many operands there may be.
    fn wanted(&self) -> usize {
        self.verb.operands.iter().filter(|operand| self.takes(operand)).count()
    }
}

/// What a command line asks for.
#[derive(Debug)]
pub enum Invocation {
    /// A verb, with all that it needs.
    Run(Parsed),
    /// The overview, or the help of one verb.
    Help(Option<&'static Verb>),
    Version,
}

/// The row of this verb.
pub fn verb(name: &str) -> Option<&'static Verb> {
    VERBS.iter().find(|verb| verb.name == name)
}

/// Reads a command line. Called `relay-bus`, `relay-hook` or `relay-peek`, relay
/// is that verb.
pub fn parse(words: Words) -> Result<Invocation> {
    let mut cursor = words.cursor();
    let called = words.next_os(&mut cursor).map(program_name).unwrap_or_default();
    let mode = called.strip_prefix("relay-").filter(|mode| ["bus", "hook", "peek"].contains(mode));
    let name = match mode {
        Some(mode) => mode,
        None => match words.next_os(&mut cursor) {
            Some(word) => text(word, "a verb")?,
            None => return Err(Error::usage("usage: relay <verb> [arguments]; see `relay help`")),
        },
    };
    match name {
        "--version" | "-V" => return Ok(Invocation::Version),
        "--help" | "-h" => return Ok(Invocation::Help(None)),
        _ => {}
    }
    let verb = verb(name).ok_or_else(|| unknown_verb(name))?;
    let parsed = sort(verb, &words, &mut cursor)?;
    if parsed.flag("help") {
        return Ok(Invocation::Help(Some(verb)));
    }
    if verb.name == "help" {
        let Some(name) = parsed.positional(0) else { return Ok(Invocation::Help(None)) };
        return match self::verb(name) {
            Some(verb) => Ok(Invocation::Help(Some(verb))),
            None => Err(unknown_verb(name)),
        };
    }
    complete(&parsed)?;
    Ok(Invocation::Run(parsed))
}

/// Whether a command line, understood or not, was meant for the hook.
pub fn asks_for_hook(words: &Words) -> bool {
    let mut cursor = words.cursor();
    let called = words.next_os(&mut cursor).map(program_name);
    called == Some("relay-hook") || words.next_os(&mut cursor).is_some_and(|word| word == "hook")
}

/// Sorts the words after the verb into flags, operands and message.
fn sort(verb: &'static Verb, words: &Words, cursor: &mut ArgCursor) -> Result<Parsed> {
    let mut parsed = Parsed { verb, flags: Vec::new(), operands: Vec::new(), message: None };
    // How many operands there are at most: what stands behind `--` is none.
    let mut most = usize::MAX;
    while let Some(word) = words.next(cursor) {
        let wanted = parsed.wanted();
        let takes_message = verb.rest == Rest::Message;
        let in_message = takes_message && parsed.operands.len() > wanted;
        if word.is_escape() {
            most = parsed.operands.len();
            while let Some(word) = words.next_os(cursor) {
                parsed.operands.push(text(word, "the message")?.to_owned());
            }
        } else if let Some((name, given)) = word.to_long() {
            let name =
                name.map_err(|_| Error::usage(format!("a flag of `relay {}` is not UTF-8", verb.name)))?;
            // These would turn what was meant as text into another command.
            let replaced = verb.replaced_by(name);
            if let Some(last) = parsed.operands.last() {
                if let (Some(operand), false) = (replaced, takes_message) {
                    return Err(Error::usage(format!(
                        "`relay {}` takes <{}> or --{name}, not both",
                        verb.name, operand.name
                    )));
                }
                if (name == "help" && in_message) || replaced.is_some() {
                    return Err(Error::usage(format!(
                        "--{name} stands behind '{}'; put it first, or put -- before the message",
                        shorten(last)
                    )));
                }
            }
            flag(&mut parsed, name, given, words, cursor)?;
        } else if word.to_value_os() == "-h" && !in_message {
            parsed.flags.push(("help", None));
        } else if word.is_short() && (!takes_message || parsed.operands.len() < wanted) {
            return Err(unknown_flag(verb, &word.to_value_os().to_string_lossy()));
        } else {
            parsed.operands.push(text(word.to_value_os(), "an argument")?.to_owned());
        }
    }
    let wanted = parsed.wanted();
    if verb.rest == Rest::Nothing {
        if let Some(extra) = parsed.positional(wanted) {
            return Err(Error::usage(format!(
                "`relay {}` takes no '{}'; see `relay help {0}`",
                verb.name,
                shorten(extra)
            )));
        }
    } else if let Some(message @ [_, ..]) = parsed.operands.get(wanted.min(most)..) {
        parsed.message = Some(message.join(" "));
        parsed.operands.truncate(wanted.min(most));
    }
    Ok(parsed)
}

/// Reads one flag, and its value where it takes one.
fn flag(
    parsed: &mut Parsed,
    name: &str,
    given: Option<&OsStr>,
    words: &Words,
    cursor: &mut ArgCursor,
) -> Result<()> {
    let verb = parsed.verb;
    if name == "help" && given.is_none() {
        parsed.flags.push(("help", None));
        return Ok(());
    }
    let Some(flag) = verb.flags.iter().find(|flag| flag.name == name) else {
        return Err(unknown_flag(verb, &format!("--{name}")));
    };
    let value = match (flag.takes, given) {
        (Takes::Nothing, Some(_)) => return Err(Error::usage(format!("--{name} takes no value"))),
        (Takes::Nothing, None) => None,
        (_, Some(given)) => Some(given),
        // A required value is the next word whatever it looks like, so that
        // what checks it can name it; only `--` ends the flags.
        (Takes::Value(what), None) => match words.next_os(cursor).filter(|word| *word != "--") {
            Some(word) => Some(word),
            None => {
                return Err(Error::usage(format!(
                    "--{name} needs a <{what}>; see `relay help {}`",
                    verb.name
                )));
            }
        },
        (Takes::Perhaps(_), None) => match words.peek_os(cursor).and_then(OsStr::to_str) {
            Some(word) if is_amount(word) => words.next_os(cursor),
            _ => None,
        },
    };
    let value = match value {
        Some(word) => Some(text(word, "a flag's value")?.to_owned()),
        None => None,
    };
    if parsed.flag(flag.name) {
        return Err(Error::usage(format!("--{name} stands twice; give it once")));
    }
    parsed.flags.push((flag.name, value));
    Ok(())
}

/// Whether a word was meant as a number, perhaps with a unit of time; the verb
/// says which numbers it takes.
fn is_amount(word: &str) -> bool {
    let unit = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    word.starts_with(|c: char| c.is_ascii_digit()) && ["", "ms", "s", "sec", "m", "min", "h"].contains(&unit)
}

/// Checks that nothing that must be there is missing.
fn complete(parsed: &Parsed) -> Result<()> {
    let verb = parsed.verb;
    for (index, operand) in verb.operands.iter().enumerate() {
        let needed = operand.need != Need::Optional && parsed.takes(operand);
        if needed && parsed.positional(index).is_none() {
            return Err(Error::usage(format!(
                "`relay {}` needs a <{}>; see `relay help {0}`",
                verb.name, operand.name
            )));
        }
    }
    Ok(())
}

fn unknown_verb(name: &str) -> Error {
    let mut known = VERBS.iter().map(|verb| verb.name).chain(["--version", "--help"]);
    let hint = match likely(name, &mut known) {
        Some(known) => format!("did you mean '{known}'?"),
        None if name.starts_with('-') => "flags come after the verb; see `relay help`".to_owned(),
        None => "see `relay help`".to_owned(),
    };
    Error::usage(format!("no verb '{}'; {hint}", shorten(name)))
}

fn unknown_flag(verb: &Verb, flag: &str) -> Error {
    let mut known = verb.shown_flags().map(|flag| flag.name);
    let hint = match likely(flag.trim_start_matches('-'), &mut known) {
        Some(known) => format!("did you mean --{known}?"),
        None if verb.rest == Rest::Message => {
            format!("see `relay help {}`, or put -- before the message", verb.name)
        }
        None => format!("see `relay help {}`", verb.name),
    };
    Error::usage(format!("unknown flag '{}' for `relay {}`; {hint}", shorten(flag), verb.name))
}

/// The known word that was meant, if it is a slip of one.
fn likely(word: &str, known: &mut dyn Iterator<Item = &'static str>) -> Option<&'static str> {
    closest(word, known)
}

fn text<'a>(word: &'a OsStr, what: &str) -> Result<&'a str> {
    let shown = || shorten(&word.to_string_lossy());
    word.to_str().ok_or_else(|| Error::usage(format!("{what} is not UTF-8 text: '{}'", shown())))
}

fn program_name(argv0: &OsStr) -> &str {
    std::path::Path::new(argv0).file_name().and_then(OsStr::to_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(words: &[&str]) -> Result<Parsed> {
        let words = Words::new(std::iter::once(&"relay").chain(words));
        match parse(words)? {
            Invocation::Run(parsed) => Ok(parsed),
            _ => panic!("help or version"),
        }
    }

    #[test]
    fn after_the_dashes_nothing_is_a_flag() {
        let parsed = run(&["send", "bob", "--", "please", "--id", "x", "--json", "--", "-h"]).unwrap();
        assert_eq!(parsed.message(), Some("please --id x --json -- -h"));
        assert!(!parsed.flag("id") && !parsed.flag("json") && !parsed.flag("help"));
    }

    #[test]
    fn declared_flags_may_stand_anywhere_before_the_dashes() {
        for words in [
            &["wake", "x", "--dry", "ping"][..],
            &["wake", "--dry", "x", "ping"],
            &["wake", "x", "ping", "--dry"],
        ] {
            let parsed = run(words).unwrap();
            assert!(parsed.flag("dry"));
            assert_eq!((parsed.positional(0), parsed.message()), (Some("x"), Some("ping")));
        }
        let error = run(&["send", "bob", "use", "--force"]).unwrap_err().to_string();
        assert!(error.contains("put -- before the message"), "{error}");
    }

    #[test]
    fn with_an_id_every_word_is_message() {
        let parsed = run(&["send", "--id", "abc", "hello", "there"]).unwrap();
        assert_eq!(
            (parsed.value("id"), parsed.positional(0), parsed.message()),
            (Some("abc"), None, Some("hello there"))
        );
    }

    #[test]
    fn nothing_inside_a_message_becomes_another_command() {
        for words in [
            &["send", "bob", "what", "does", "--help", "do"][..],
            &["send", "bob", "please", "--id", "x", "now"],
            &["send", "bob", "--id", "x", "now"],
            &["wake", "bob", "see", "--help"],
        ] {
            let error = run(words).unwrap_err().to_string();
            assert!(error.contains("put -- before the message"), "{words:?}: {error}");
        }
        for (words, message) in [
            (&["send", "bob", "use", "ls", "-h", "please"][..], "use ls -h please"),
            (&["send", "bob", "- item one"], "- item one"),
            (&["send", "bob", "-5", "degrees"], "-5 degrees"),
        ] {
            assert_eq!(run(words).unwrap().message(), Some(message), "{words:?}");
        }
        assert!(run(&["peek", "-x"]).is_err() && run(&["send", "-x", "bob"]).is_err());
        assert_eq!(run(&["peek", "--", "-odd"]).unwrap().positional(0), Some("-odd"));
    }

    #[test]
    fn a_value_may_look_like_a_flag() {
        let parsed = run(&["wake", "--id", "--config=evil", "--dir=/w", "--tool", "codex", "--dry"]).unwrap();
        assert_eq!((parsed.value("id"), parsed.value("dir")), (Some("--config=evil"), Some("/w")));
    }

    #[test]
    fn a_number_after_hold_is_its_value() {
        assert_eq!(run(&["inbox", "--hold", "60", "bob"]).unwrap().value("hold"), Some("60"));
        let parsed = run(&["inbox", "--hold", "bob"]).unwrap();
        assert_eq!(
            (parsed.flag("hold"), parsed.value("hold"), parsed.positional(0)),
            (true, None, Some("bob"))
        );
    }

    #[test]
    fn mistakes_are_named() {
        for (words, hint) in [
            (&["sned", "x"][..], "did you mean 'send'?"),
            (&["list", "--jsno"], "did you mean --json?"),
            (&["whoami", "extra"], "takes no 'extra'"),
            (&["log", "--thread", "x", "extra"], "takes no 'extra'"),
            (&["peek"], "needs a <who>"),
            (&["send"], "needs a <to>"),
            (&["send", "--id"], "--id needs a <session-id>"),
            (&["list", "--json", "--json"], "stands twice"),
            (&["list", "--json=1"], "takes no value"),
            (&["list", "-x"], "unknown flag '-x'"),
            (&[], "relay help"),
        ] {
            let error = run(words).unwrap_err();
            assert!(error.to_string().contains(hint), "{words:?}: {error}");
            assert_eq!(error.exit() as u8, 64);
        }
    }

    #[test]
    fn argv0_chooses_the_mode() {
        let words = Words::new(["/usr/bin/relay-peek", "bob"]);
        assert!(matches!(parse(words), Ok(Invocation::Run(parsed)) if parsed.verb.name == "peek"));
    }
}
