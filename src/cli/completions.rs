//! Completions for bash, zsh and fish, made from the table.
//!
//! Invariant: a script only ever calls `relay list --names`, which looks and
//! changes nothing.

use super::table::VERBS;
use super::verb::{Completes, Flag, Rest, Takes, Verb};
use super::{Parsed, say};
use crate::error::{Error, Result};
use crate::host::HOSTS;
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

/// The words a shell offers, where they are fixed.
fn fixed(completes: Completes) -> Option<String> {
    match completes {
        Completes::Host => Some(HOSTS.iter().map(|host| host.name).collect::<Vec<_>>().join(" ")),
        Completes::Verb => Some(verb_names()),
        Completes::Shell => Some(SHELLS.join(" ")),
        Completes::Nothing | Completes::Session | Completes::Directory => None,
    }
}

fn verb_names() -> String {
    VERBS.iter().map(|verb| verb.name).collect::<Vec<_>>().join(" ")
}

fn flag_words(verb: &Verb) -> String {
    let flags = verb.shown_flags();
    flags.map(|flag| format!("--{}", flag.name)).chain(["--help".to_owned()]).collect::<Vec<_>>().join(" ")
}

/// Flags whose value a shell can offer.
fn valued(verb: &Verb) -> impl Iterator<Item = &'static Flag> {
    verb.flags.iter().copied().filter(|flag| matches!(flag.takes, Takes::Value(_)))
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
    let offer = |completes: Completes| match (fixed(completes), completes) {
        (Some(words), _) => format!("COMPREPLY=($(compgen -W \"{words}\" -- \"$current\"))"),
        (None, Completes::Session) => "_relay_sessions \"$current\"".to_owned(),
        (None, Completes::Directory) => "COMPREPLY=($(compgen -d -- \"$current\"))".to_owned(),
        (None, _) => ":".to_owned(),
    };
    let mut text = BASH_HEAD.replace("VERBS", &verb_names());
    for verb in VERBS {
        text.push_str(&format!("    {})\n        case \"$previous\" in\n", verb.name));
        for flag in valued(verb) {
            text.push_str(&format!("        --{}) {}; return ;;\n", flag.name, offer(flag.completes)));
        }
        text.push_str("        esac\n        if [[ $current == -* ]]; then\n");
        text.push_str(&format!(
            "            COMPREPLY=($(compgen -W \"{}\" -- \"$current\"))\n",
            flag_words(verb)
        ));
        let operand = verb.operands.first().map_or(Completes::Nothing, |operand| operand.completes);
        text.push_str(&format!("        else\n            {}\n        fi\n        ;;\n", offer(operand)));
    }
    text.push_str("    esac\n}\ncomplete -F _relay relay\n");
    text
}

fn zsh() -> String {
    let action = |completes: Completes| match (fixed(completes), completes) {
        (Some(words), _) => format!("({words})"),
        (None, Completes::Session) => "_relay_sessions".to_owned(),
        (None, Completes::Directory) => "_files -/".to_owned(),
        (None, _) => " ".to_owned(),
    };
    let mut text = String::from(
        "#compdef relay\n_relay_sessions() {\n    local -a names\n    names=(${(f)\"$(relay list --names 2>/dev/null)\"})\n    \
         compadd -a names\n}\n_relay() {\n    local -a verbs\n    verbs=(\n",
    );
    for verb in VERBS {
        text.push_str(&format!("        '{}:{}'\n", verb.name, quote(verb.summary)));
    }
    text.push_str(
        "    )\n    if (( CURRENT == 2 )); then\n        _describe 'verb' verbs\n        return\n    fi\n    \
         local verb=$words[2]\n    shift words\n    (( CURRENT-- ))\n    case $verb in\n",
    );
    for verb in VERBS {
        text.push_str(&format!("    {})\n        _arguments '--help[help on {0}]'", verb.name));
        for flag in verb.shown_flags() {
            let help = quote(flag.help);
            match flag.takes {
                Takes::Value(value) => {
                    text.push_str(&format!(
                        " \\\n            '--{}[{help}]:{value}:{}'",
                        flag.name,
                        action(flag.completes)
                    ));
                }
                _ => text.push_str(&format!(" \\\n            '--{}[{help}]'", flag.name)),
            }
        }
        let many = if verb.rest == Rest::More { "*" } else { "" };
        for operand in verb.operands {
            text.push_str(&format!(
                " \\\n            '{many}:{}:{}'",
                operand.name,
                action(operand.completes)
            ));
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
    let mut text = String::from("# relay completions for fish\ncomplete -c relay -f\n");
    let escape = |text: &str| text.replace('\\', "\\\\").replace('\'', "\\'");
    for verb in VERBS {
        let summary = escape(verb.summary);
        text.push_str(&format!(
            "complete -c relay -n __fish_use_subcommand -a {} -d '{summary}'\n",
            verb.name
        ));
    }
    for verb in VERBS {
        let when = format!("-n '__fish_seen_subcommand_from {}'", verb.name);
        let offer = |completes: Completes| match (fixed(completes), completes) {
            (Some(words), _) => format!("-a '{words}'"),
            (None, Completes::Session) => "-a '(relay list --names 2>/dev/null)'".to_owned(),
            (None, Completes::Directory) => "-a '(__fish_complete_directories)'".to_owned(),
            (None, _) => String::new(),
        };
        if let Some(operand) = verb.operands.first().filter(|operand| operand.completes != Completes::Nothing)
        {
            text.push_str(&format!("complete -c relay {when} {}\n", offer(operand.completes)));
        }
        for flag in verb.shown_flags() {
            let value = match flag.takes {
                Takes::Value(_) => format!(" -x {}", offer(flag.completes)),
                _ => String::new(),
            };
            text.push_str(&format!(
                "complete -c relay {when} -l {}{value} -d '{}'\n",
                flag.name,
                escape(flag.help)
            ));
        }
    }
    text
}
