//! Wakes sleeping sessions when mail comes, by their user's standing choice.
//!
//! Invariant: only sessions with that choice, only while they are dormant,
//! never in quiet hours, and within the bell's bound.

use std::time::Duration;

use super::Relay;
use super::bell::{Counted, count_ring};
use super::find::{Found, find, latest};
use super::wait::{State, state};
use super::wake::{Mode, Target, plan};
use crate::error::{Error, Result};
use crate::limits::{CHECK_BYTES, DATE_MS, LOOK_AGAIN_MS};
use crate::store::Store;
use crate::sys::watch::Watch;
use crate::sys::{clock, process};
use crate::wake::{self, Plan};

/// How often quiet hours are looked at while mail waits, in milliseconds.
const QUIET_LOOK_MS: u64 = 60_000;

/// Hours of the day, local time, in which nobody is woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    from: u32,
    to: u32,
}

impl Quiet {
    /// Reads `22-7`: from 22:00 until 7:00.
    pub fn parse(text: &str) -> Result<Quiet> {
        let hour = |text: &str| text.parse::<u32>().ok().filter(|hour| *hour < 24);
        let hours = text.split_once('-').and_then(|(from, to)| Some((hour(from)?, hour(to)?)));
        match hours {
            Some((from, to)) if from != to => Ok(Quiet { from, to }),
            _ => Err(Error::usage("--quiet takes two hours of the day, as 22-7")),
        }
    }

    fn covers(self, hour: u32) -> bool {
        match self.from < self.to {
            true => (self.from..self.to).contains(&hour),
            false => hour >= self.from || hour < self.to,
        }
    }
}

/// Watches until it is ended, or none of these may be woken any more. `say` gets
/// a line for each thing done.
pub fn stand_watch(relay: &Relay, who: &[&str], quiet: Option<Quiet>, say: &dyn Fn(&str)) -> Result<()> {
    let store = relay.store()?;
    let mut watch = Watch::new();
    let mut watched = Vec::new();
    for name in who {
        let found = find(store, name)?;
        check(&found)?;
        found.session.watch(&mut watch);
        watched.push(found);
    }
    loop {
        process::reap();
        let mut next: Option<u64> = None;
        watched.retain_mut(|found| {
            let again_ms = look(relay, store, found, quiet, &mut watch, say).unwrap_or_else(|error| {
                say(&format!("{}: {error}", found.info.label()));
                Some(LOOK_AGAIN_MS)
            });
            next = next.into_iter().chain(again_ms).min();
            found.info.wakes
        });
        if watched.is_empty() {
            return Ok(());
        }
        watch.wait(None, next.map(Duration::from_millis)).map_err(|e| Error::io("watch", store.home(), e))?;
    }
}

fn check(found: &Found) -> Result<()> {
    match found.info.wakes {
        true => Ok(()),
        false => Err(Error::usage(format!(
            "{0} must not be woken automatically; its user allows it with: relay register {0} --wake on",
            found.info.label()
        ))),
    }
}

/// Looks at one session and wakes it where that is due. Returns when to look again
/// although nothing changes, in milliseconds.
fn look(
    relay: &Relay,
    store: &Store,
    found: &mut Found,
    quiet: Option<Quiet>,
    watch: &mut Watch,
    say: &dyn Fn(&str),
) -> Result<Option<u64>> {
    let now = latest(store, found.session.clone())?;
    if now.session != found.session {
        now.session.watch(watch);
    }
    *found = now;
    check(found)?;
    match state(&found.session)? {
        State::Ready | State::Held { more: true } => {}
        // Nothing tells of a reader's death.
        State::Held { more: false } => return Ok(Some(LOOK_AGAIN_MS)),
        State::Empty => return Ok(None),
    }
    if found.session.is_live(&found.info) || found.session.is_resumed() {
        // A crash of its host tells nobody.
        return Ok(Some(LOOK_AGAIN_MS));
    }
    if quiet.is_some_and(|quiet| local_hour(relay).is_some_and(|hour| quiet.covers(hour))) {
        return Ok(Some(QUIET_LOOK_MS));
    }
    let target = Target { id: &found.info.id, directory: None, host: None };
    let wake = plan(Some(found.clone()), target, Mode::Headless(None))?;
    if wake.is_live(relay) {
        // Its host says so, though no hook of relay's does.
        return Ok(Some(LOOK_AGAIN_MS));
    }
    wake.check(relay)?;
    let (messages, senders) = match count_ring(&found.session)? {
        Counted::Wait(wait_ms) => return Ok(Some(wait_ms)),
        Counted::Ring { messages, senders, .. } => (messages, senders),
    };
    let run = wake.detach(relay)?;
    say(&format!(
        "{} woke {} for {} from {}; what it prints: relay log --run {run}",
        &clock::rfc3339(clock::now_ms())[11..16],
        found.info.label(),
        crate::mail::text::count(messages, "message"),
        senders.join(", ")
    ));
    Ok(Some(LOOK_AGAIN_MS))
}

/// The hour of the day where the user lives: only date(1) knows without a
/// library. `None`: it does not say, and then no hour is quiet.
fn local_hour(relay: &Relay) -> Option<u32> {
    let plan = Plan::new("date", &["+%H"], relay.env.directory());
    wake::output(&plan, CHECK_BYTES, Duration::from_millis(DATE_MS))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_may_span_midnight() {
        let night = Quiet::parse("22-7").unwrap();
        let covered: Vec<u32> = (0..24).filter(|hour| night.covers(*hour)).collect();
        assert_eq!(covered, [0, 1, 2, 3, 4, 5, 6, 22, 23]);
        let noon = Quiet::parse("12-13").unwrap();
        assert_eq!((0..24).filter(|hour| noon.covers(*hour)).collect::<Vec<_>>(), [12]);
        for bad in ["", "22", "22-", "24-7", "7-7", "a-b", "22:00-7"] {
            assert!(Quiet::parse(bad).is_err(), "{bad}");
        }
    }
}
