//! The bell: tells an idle session of mail that no hook has come for.
//!
//! Invariant: a ring is a hint and never the mail; it is counted before it
//! rings, once for the whole unread batch with a back-off, and never more than
//! [`RINGS_PER_HOUR`] an hour for one sender's mail in one mailbox. A session
//! whose turn runs is not rung: its next hook comes by itself.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use super::Relay;
use super::collect::pass_over;
use super::find::Found;
use super::identity::sessions_of_this_host;
use super::turn::turn_runs;
use super::wait::may_be_shown;
use crate::error::Result;
use crate::host::{self, Ring};
use crate::limits::{LOOK_AGAIN_MS, RING_AFTER_MS, RING_AGAIN_MS, RING_MESSAGES, RINGS_PER_HOUR};
use crate::mail::Message;
use crate::mail::fence;
use crate::mail::invitation::invitation;
use crate::store::Session;
use crate::store::rings::Rung;
use crate::sys::clock;
use crate::sys::lock::Lock;
use crate::sys::watch::Watch;
use crate::wake::Plan;
use crate::wake::ring::{self, Ringing};

const HOUR_MS: u64 = 3_600_000;
/// How often a ring under way is looked at, in milliseconds.
const RINGING_MS: u64 = 500;

/// The bell of one host process, kept by its bus.
pub struct Bell {
    enabled: bool,
    stations: Vec<Station>,
    ringing: Option<Ringing>,
    /// When to look again although nothing has changed.
    next: Option<Instant>,
    /// How often a store has been looked for in vain.
    vain: u32,
    watches_processes: bool,
}

/// One session of the host.
struct Station {
    found: Found,
    /// Since when mail waits that no hook has come for.
    waits_since: Option<Instant>,
    /// Not before this.
    due: Option<Instant>,
    _live: Option<Lock>,
    _bell: Option<Lock>,
}

impl Bell {
    pub fn new(relay: &Relay) -> Bell {
        let enabled = relay.env.get("RELAY_BELL").as_deref() != Some("off");
        Bell {
            enabled,
            stations: Vec::new(),
            ringing: None,
            next: Some(Instant::now()),
            vain: 0,
            watches_processes: false,
        }
    }

    /// When to look again even if nothing changes.
    pub fn next(&self) -> Option<Instant> {
        self.next
    }

    /// Looks at the host's sessions and rings where that is due. A failure is
    /// left for `doctor`: the mail waits for the next hook.
    pub fn look(&mut self, relay: &Relay, watch: &mut Watch) {
        self.next = None;
        if let Err(error) = self.try_look(relay, watch) {
            self.look_in(LOOK_AGAIN_MS);
            if let Ok(Some(store)) = relay.existing_store() {
                store.note_failure(&error.to_string());
            }
        }
    }

    fn try_look(&mut self, relay: &Relay, watch: &mut Watch) -> Result<()> {
        self.find_stations(relay, watch)?;
        if self.ringing.as_ref().is_some_and(|ringing| !ringing.is_over()) {
            self.look_in(RINGING_MS);
            return Ok(());
        }
        if let Some(ringing) = self.ringing.take() {
            ringing.outcome()?;
        }
        for index in 0..self.stations.len() {
            let station = &mut self.stations[index];
            station.see_mail()?;
            let Some(due) = station.due else { continue };
            if due > Instant::now() {
                self.look_at(due);
                continue;
            }
            let mut next_ms = RINGING_MS;
            if self.ringing.is_none() {
                let (ringing, wait_ms) = station.ring(relay)?;
                station.due = Some(Instant::now() + Duration::from_millis(wait_ms));
                if ringing.is_none() {
                    next_ms = wait_ms;
                }
                self.ringing = ringing;
            }
            self.look_in(next_ms);
        }
        Ok(())
    }

    /// The sessions that this bus's host runs now.
    fn find_stations(&mut self, relay: &Relay, watch: &mut Watch) -> Result<()> {
        let Some(store) = relay.existing_store()? else {
            // Nothing tells of a store that comes into being.
            self.vain += 1;
            self.look_in(1_000 << self.vain.min(6));
            return Ok(());
        };
        if !self.watches_processes {
            store.watch_processes(watch);
            self.watches_processes = true;
        }
        let sessions = sessions_of_this_host(store, watch)?;
        relay.keep_live_only(&sessions);
        self.stations.retain(|station| sessions.iter().any(|found| found.session == station.found.session));
        for found in sessions {
            match self.stations.iter_mut().find(|station| station.found.session == found.session) {
                Some(station) => station.found = found,
                None => self.stations.push(Station::new(relay, found, self.enabled)),
            }
        }
        Ok(())
    }

    fn look_in(&mut self, wait_ms: u64) {
        self.look_at(Instant::now() + Duration::from_millis(wait_ms));
    }

    fn look_at(&mut self, when: Instant) {
        self.next = Some(self.next.map_or(when, |next| next.min(when)));
    }
}

impl Station {
    fn new(relay: &Relay, found: Found, enabled: bool) -> Station {
        let rings = enabled && how_to_ring(relay, &found, "").is_some();
        // A process that runs many sessions says nothing about one of them.
        let many = host::named(&found.info.host).is_some_and(|host| host.runs_many());
        let live = if many { None } else { found.session.live_lock().ok().flatten() };
        let bell = if rings { found.session.bell_lock().ok().flatten() } else { None };
        Station { found, waits_since: None, due: None, _live: live, _bell: bell }
    }

    /// Notes whether mail waits that nobody has come for.
    fn see_mail(&mut self) -> Result<()> {
        if self._bell.is_none() || !may_be_shown(&self.found.session)? {
            (self.waits_since, self.due) = (None, None);
        } else if self.waits_since.is_none() {
            let now = Instant::now();
            self.waits_since = Some(now);
            self.due = Some(now + Duration::from_millis(RING_AFTER_MS));
        }
        Ok(())
    }

    /// Rings if it may. Returns the ring under way, if there is one, and after how many
    /// milliseconds to try again.
    fn ring(&self, relay: &Relay) -> Result<(Option<Ringing>, u64)> {
        if turn_runs(&self.found.info) {
            return Ok((None, LOOK_AGAIN_MS));
        }
        let line = match count_ring(&self.found.session)? {
            Counted::Wait(wait_ms) => return Ok((None, wait_ms)),
            Counted::Ring { line, .. } => line,
        };
        let ringing = match how_to_ring(relay, &self.found, &line) {
            None => return Ok((None, LOOK_AGAIN_MS)),
            Some(Ring::Socket { path, lines }) => ring::post(path, lines)?,
            Some(Ring::Program { program, arguments }) => {
                let directory = relay.env.directory().to_owned();
                ring::run(Plan { program: program.to_owned(), arguments, directory, without: Vec::new() })?
            }
        };
        Ok((Some(ringing), RING_AGAIN_MS))
    }
}

/// Whether the bell may ring for what waits in a mailbox.
pub enum Counted {
    /// Not before so many milliseconds.
    Wait(u64),
    /// Yes, and it is counted.
    Ring { line: String, messages: usize, senders: Vec<String> },
}

/// Counts a ring for the unread mail of this session, if there may be one now.
pub fn count_ring(session: &Session) -> Result<Counted> {
    let guard = session.lock()?;
    let (mut cursor, bytes) = session.cursor()?;
    if cursor.hold.as_ref().is_some_and(|hold| !hold.stands(clock::now_ms())) {
        cursor.put_back();
    }
    let mut messages = Vec::new();
    session.each(cursor.unheld(), bytes, &mut |mut entry| {
        // What it says may be long, and no ring says it.
        entry.message.body = Cow::Borrowed("");
        messages.push(entry.message.into_owned());
        messages.len() < RING_MESSAGES
    })?;
    if messages.is_empty() {
        pass_over(&guard, &mut cursor, bytes)?;
        return Ok(Counted::Wait(LOOK_AGAIN_MS));
    }
    let mut rings = session.rings()?;
    let now = clock::now_ms();
    let senders = distinct(&messages, |message| message.sender().to_owned());
    if let Some(wait_ms) = must_wait(&rings, cursor.unheld(), &senders, now) {
        return Ok(Counted::Wait(wait_ms));
    }
    rings.push(Rung { at_ms: now, through: bytes, senders });
    guard.write_rings(&rings)?;
    let senders = distinct(&messages, fence::sender);
    Ok(Counted::Ring { line: invitation(&messages), messages: messages.len(), senders })
}

fn how_to_ring(relay: &Relay, found: &Found, line: &str) -> Option<Ring> {
    host::named(&found.info.host)?.ring?(&relay.env, &found.info.id, line)
}

/// What the senders of these messages are called, each once, in order.
fn distinct(messages: &[Message], called: fn(&Message) -> String) -> Vec<String> {
    let mut senders: Vec<String> = messages.iter().map(called).collect();
    senders.sort_unstable();
    senders.dedup();
    senders
}

/// For how long the bell must be silent, in milliseconds, if it must: it rang
/// for this batch a short while ago, or each of the senders has had its rings.
fn must_wait(rings: &[Rung], unread: u64, senders: &[String], now_ms: u64) -> Option<u64> {
    // What a clock that was ahead put into the future tells nothing.
    let since = |ring: &Rung| now_ms.checked_sub(ring.at_ms);
    let (mut pause, mut left) = (RING_AGAIN_MS, None);
    for ring in rings.iter().filter(|ring| ring.through > unread) {
        let Some(since) = since(ring) else { continue };
        left = pause.checked_sub(since).filter(|left| *left > 0);
        pause = (pause * 4).min(RING_AGAIN_MS << 12);
    }
    if left.is_some() {
        return left;
    }
    for sender in senders {
        let of_sender =
            |ring: &&Rung| ring.senders.contains(sender) && since(ring).is_some_and(|since| since < HOUR_MS);
        let oldest = rings.iter().rev().filter(of_sender).nth(RINGS_PER_HOUR - 1)?;
        let wait = oldest.at_ms + HOUR_MS - now_ms;
        left = Some(left.map_or(wait, |left| wait.min(left)));
    }
    left
}

/// Whether this sender's mail has used up the session's rings of this hour.
pub fn is_spent(session: &Session, sender: &str) -> bool {
    let rings = session.rings().unwrap_or_default();
    must_wait(&rings, u64::MAX, &[sender.to_owned()], clock::now_ms()).is_some()
}

/// When the session was last rung for mail that was stored at `sent_ms`.
pub fn rung_ms(session: &Session, sent_ms: u64) -> Option<u64> {
    let rings = session.rings().unwrap_or_default();
    rings.iter().rev().map(|ring| ring.at_ms).find(|at_ms| *at_ms >= sent_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rung(at_ms: u64, through: u64, sender: &str) -> Rung {
        Rung { at_ms, through, senders: vec![sender.to_owned()] }
    }

    #[test]
    fn one_batch_rings_with_a_back_off() {
        let from = ["a".to_owned()];
        assert_eq!(must_wait(&[], 0, &from, 5), None);
        let once = [rung(1_000, 10, "a")];
        assert_eq!(must_wait(&once, 0, &from, 1_000), Some(RING_AGAIN_MS));
        assert_eq!(must_wait(&once, 0, &from, 1_000 + RING_AGAIN_MS), None);
        let twice = [rung(1_000, 10, "a"), rung(70_000, 20, "a")];
        assert_eq!(must_wait(&twice, 0, &from, 70_000), Some(4 * RING_AGAIN_MS));
        assert_eq!(must_wait(&twice, 20, &from, 70_000), None, "that mail was read; this is new");
    }

    #[test]
    fn a_ring_of_a_clock_that_was_ahead_silences_nobody() {
        let from = ["a".to_owned()];
        assert_eq!(must_wait(&[rung(9_000_000, 10, "a")], 0, &from, 1_000), None);
    }

    #[test]
    fn a_sender_has_so_many_rings_an_hour() {
        let from = ["a".to_owned()];
        let rings: Vec<Rung> = (0..RINGS_PER_HOUR as u64).map(|n| rung(n * 1_000, n, "a")).collect();
        assert_eq!(must_wait(&rings[1..], 99, &from, 10_000), None);
        assert_eq!(must_wait(&rings, 99, &from, 10_000), Some(HOUR_MS - 10_000));
        assert_eq!(must_wait(&rings, 99, &from, HOUR_MS), None);
        assert_eq!(
            must_wait(&rings, 99, &["a".to_owned(), "b".to_owned()], 10_000),
            None,
            "b has rings left"
        );
    }
}
