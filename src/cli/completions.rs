//! Completions for bash, zsh and fish, made from the table.
//!
//! Invariant: a script only ever calls `relay list --names`, which looks and
//! changes nothing.

use std::fmt::Write;

use super::table::VERBS;
use super::verb::{Completes, Rest, Takes};
use super::{Parsed, say};
use crate::error::{Error, Result};
use crate::host;
use crate::mail::address::shorten;
use crate::ops::Relay;

/// The shells that it knows.
const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

/// Prints the script for a shell.
pub fn run(_: &Relay, parsed: &Parsed) -> Result<i32> {
    let shell = parsed.first();
    match shell {
        "bash" => say(&bash()),
        "zsh" => say(&zsh()),
        "fish" => say(&fish()),
        _ => Err(Error::usage(format!(
            "no completions for '{}'; relay knows {}",
            shorten(shell),
            SHELLS.join(", ")
        ))),
    }
}

/// How a shell's script says what it offers for a word.
struct Offers {
    /// What stands before and behind words that are fixed.
    fixed: (&'static str, &'static str),
    sessions: &'static str,
    directories: &'static str,
    nothing: &'static str,
}

impl Offers {
    fn of(&self, completes: Completes) -> String {
        let words = match completes {
            Completes::Host => host::names().replace(',', ""),
            Completes::Verb => verb_names(),
            Completes::Shell => SHELLS.join(" "),
            Completes::Session => return self.sessions.to_owned(),
            Completes::Directory => return self.directories.to_owned(),
            Completes::Nothing => return self.nothing.to_owned(),
        };
        format!("{}{words}{}", self.fixed.0, self.fixed.1)
    }
}

fn verb_names() -> String {
    VERBS.iter().map(|verb| verb.name).collect::<Vec<_>>().join(" ")
}

/// What the bash script begins with. Names are compared, never evaluated, and
/// behind `--` nothing is offered.
const BASH_HEAD: &str = r#"# relay completions for bash
_relay_sessions() {
    local name
    while IFS= read -r name; do
        [[ $name == "$1"* ]] && COMPREPLY+=("$name")
    done < <(relay list --names 2>/dev/null)
}
_relay() {
    local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" word
    COMPREPLY=()
    for word in "${COMP_WORDS[@]:0:COMP_CWORD}"; do
        [[ $word == -- ]] && return
    done
    if ((COMP_CWORD == 1)); then
        COMPREPLY=($(compgen -W "VERBS --help --version" -- "$current"))
        return
    fi
    case "${COMP_WORDS[1]}" in
"#;

fn bash() -> String {
    let offers = Offers {
        fixed: ("COMPREPLY=($(compgen -W \"", "\" -- \"$current\"))"),
        sessions: "_relay_sessions \"$current\"",
        directories: "COMPREPLY=($(compgen -d -- \"$current\"))",
        nothing: ":",
    };
    let mut text = BASH_HEAD.replace("VERBS", &verb_names());
    for verb in VERBS {
        let _ = write!(text, "    {})\n        case \"$previous\" in\n", verb.name);
        for flag in verb.flags.iter().filter(|flag| matches!(flag.takes, Takes::Value(_))) {
            let _ = writeln!(text, "        --{}) {}; return ;;", flag.name, offers.of(flag.completes));
        }
        text.push_str(
            "        esac\n        if [[ $current == -* ]]; then\n            COMPREPLY=($(compgen -W \"",
        );
        for flag in verb.shown_flags() {
            text.extend(["--", flag.name, " "]);
        }
        let operand = verb.operands.first().map_or(Completes::Nothing, |operand| operand.completes);
        let _ = write!(
            text,
            "--help\" -- \"$current\"))\n        else\n            {}\n        fi\n        ;;\n",
            offers.of(operand)
        );
    }
    text.push_str("    esac\n}\ncomplete -F _relay relay\n");
    text
}

fn zsh() -> String {
    let offers =
        Offers { fixed: ("(", ")"), sessions: "_relay_sessions", directories: "_files -/", nothing: " " };
    let mut text = String::from(
        "#compdef relay\n_relay_sessions() {\n    local -a names\n    names=(${(f)\"$(relay list --names 2>/dev/null)\"})\n    \
         compadd -a names\n}\n_relay() {\n    local -a verbs\n    verbs=(\n",
    );
    for verb in VERBS {
        let _ = writeln!(text, "        '{}:{}'", verb.name, quote(verb.summary));
    }
    text.push_str(
        "    )\n    if (( CURRENT == 2 )); then\n        _describe 'verb' verbs\n        return\n    fi\n    \
         local verb=$words[2]\n    shift words\n    (( CURRENT-- ))\n    case $verb in\n",
    );
    for verb in VERBS {
        let _ = write!(text, "    {})\n        _arguments '--help[help on {0}]'", verb.name);
        for flag in verb.shown_flags() {
            let _ = write!(text, " \\\n            '--{}[{}]", flag.name, quote(flag.help));
            if let Takes::Value(value) = flag.takes {
                let _ = write!(text, ":{value}:{}", offers.of(flag.completes));
            }
            text.push('\'');
        }
        let many = if verb.rest == Rest::More { "*" } else { "" };
        for operand in verb.operands {
            let offer = offers.of(operand.completes);
            let _ = write!(text, " \\\n            '{many}:{}:{offer}'", operand.name);
        }
        text.push_str("\n        ;;\n");
    }
    text.push_str("    esac\n}\nif [[ ${funcstack[1]} == _relay ]]; then _relay \"$@\"; else compdef _relay relay; fi\n");
    text
}

/// Text inside single quotes and brackets of a zsh specification.
fn quote(text: &str) -> String {
    text.replace('\'', "'\\''").replace('[', "\\[").replace(']', "\\]").replace(':', "\\:")
}

fn fish() -> String {
    let offers = Offers {
        fixed: ("-a '", "'"),
        sessions: "-a '(relay list --names 2>/dev/null)'",
        directories: "-a '(__fish_complete_directories)'",
        nothing: "",
    };
    let escape = |text: &str| text.replace('\\', "\\\\").replace('\'', "\\'");
    let mut text = String::from("# relay completions for fish\ncomplete -c relay -f\n");
    for verb in VERBS {
        let summary = escape(verb.summary);
        let _ = writeln!(text, "complete -c relay -n __fish_use_subcommand -a {} -d '{summary}'", verb.name);
    }
    for verb in VERBS {
        let when = format!("complete -c relay -n '__fish_seen_subcommand_from {}'", verb.name);
        if let Some(operand) = verb.operands.first().filter(|operand| operand.completes != Completes::Nothing)
        {
            let _ = writeln!(text, "{when} {}", offers.of(operand.completes));
        }
        for flag in verb.shown_flags() {
            let _ = write!(text, "{when} -l {}", flag.name);
            if let Takes::Value(_) = flag.takes {
                let _ = write!(text, " -x {}", offers.of(flag.completes));
            }
            let _ = writeln!(text, " -d '{}'", escape(flag.help));
        }
    }
    text
}
