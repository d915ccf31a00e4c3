//! How mail can reach a session now.
//!
//! Invariant: told by what runs and what its host can do, never by a time.

use super::bell::is_spent;
use super::find::Found;
use crate::host;
use crate::mail::address::is_host_id;

/// The soonest way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Live: at its next step, and rung when it is idle.
    Bell,
    /// Live: at its next tool call, turn end or prompt.
    Step,
    /// Dormant: when somebody wakes it.
    Wake,
    /// Nobody knows how: the mail waits for it.
    Unknown,
}

impl Reach {
    /// `live`: whether a process of the session runs.
    pub fn of(found: &Found, live: bool) -> Reach {
        match live {
            true if found.session.has_bell() => Reach::Bell,
            true => Reach::Step,
            false if host::named(&found.info.host).is_some() && is_host_id(&found.info.id) => Reach::Wake,
            false => Reach::Unknown,
        }
    }

    /// As scripts read it.
    pub fn name(self) -> &'static str {
        match self {
            Reach::Bell => "bell",
            Reach::Step => "step",
            Reach::Wake => "wake",
            Reach::Unknown => "unknown",
        }
    }
}

/// When the session will read what is stored for it, in words; `sender` is who
/// asks, as [`crate::mail::Message::sender`] names them.
pub fn outlook(to: &Found, sender: &str) -> String {
    let name = to.info.label();
    match Reach::of(to, to.session.is_live(&to.info)) {
        live @ (Reach::Bell | Reach::Step) => {
            let bell = match live {
                Reach::Step => "",
                _ if is_spent(&to.session, sender) => {
                    "; its bell has rung often enough for this sender within the hour"
                }
                _ => "; if it is idle, it is rung",
            };
            format!("{name} is live and reads it at its next tool call, turn end or prompt{bell}")
        }
        Reach::Wake => format!("{name} is dormant; the mail waits, or ring it with: relay wake {name}"),
        Reach::Unknown if to.session.is_registered() => {
            format!(
                "{name} is a mailbox that no host reads; whoever has it reads it with: relay inbox {name}"
            )
        }
        Reach::Unknown => format!("{name} is not registered yet; the mail waits for it"),
    }
}
