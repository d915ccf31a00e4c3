//! Tool calls that wait for mail while the pipe goes on.
//!
//! Invariant: a call that waits holds nothing and has shown nothing; it is
//! answered once, when its mail comes or its time is over, unless its client
//! gave it up.

use std::time::{Duration, Instant};

use super::tools::{Outcome, Wait};
use crate::json::Object;
use crate::limits::{PROGRESS_MS, WAITING_CALLS};
use crate::ops::Relay;
use crate::ops::wait::HELD_LOOK;
use crate::sys::watch::Watch;

/// A call that waits.
struct Call<T> {
    /// The request's id, as it is echoed.
    request: String,
    /// What its answer needs to know of it.
    about: T,
    wait: Wait,
    /// Said when the time is over.
    otherwise: String,
    since: Instant,
    /// The JSON of the token that asks for notes of progress.
    token: Option<String>,
    notes: u32,
}

/// The calls that wait, the longest waiting first.
pub struct Waiting<T> {
    calls: Vec<Call<T>>,
    /// Calls from here on are not watched for yet.
    watched: usize,
    /// When to look again at mail that other readers hold.
    held: Option<Instant>,
}

impl<T> Waiting<T> {
    pub fn new() -> Waiting<T> {
        Waiting { calls: Vec::new(), watched: 0, held: None }
    }

    /// Watches for what the calls wait for. `true`: there is a new one, to be
    /// looked at again now that its folder is watched.
    pub fn watch(&mut self, watch: &mut Watch) -> bool {
        let new = &self.calls[self.watched.min(self.calls.len())..];
        new.iter().for_each(|call| call.wait.watch(watch));
        let any = !new.is_empty();
        self.watched = self.calls.len();
        any
    }

    /// Lets a call wait; gives its outcome back where it cannot.
    pub fn add(
        &mut self,
        request: &str,
        about: T,
        mut outcome: Outcome,
        token: Option<String>,
    ) -> Option<Outcome> {
        let Some(wait) = outcome.wait.take().filter(|_| self.calls.len() < WAITING_CALLS) else {
            return Some(outcome);
        };
        self.calls.push(Call {
            request: request.to_owned(),
            about,
            wait,
            otherwise: outcome.text,
            since: Instant::now(),
            token,
            notes: 0,
        });
        None
    }

    /// The client no longer waits for this call.
    pub fn give_up(&mut self, request: &str) {
        self.calls.retain(|call| call.request != request);
        self.watched = self.watched.min(self.calls.len());
    }

    /// When the next call's time is over, its client wants to hear of it, or a
    /// hold may have ended; `latest` where that is earlier.
    pub fn next(&self, latest: Instant) -> Instant {
        let mut next = self.held.unwrap_or(latest).min(latest);
        for call in &self.calls {
            next = next.min(call.ends()).min(call.next_note());
        }
        next
    }

    /// Takes the first call that can be answered now.
    pub fn ready(&mut self, relay: &Relay, now: Instant) -> Option<(String, T, Outcome)> {
        for index in 0..self.calls.len() {
            let outcome = self.calls[index].wait.look(relay);
            if outcome.is_some() || self.calls[index].ends() <= now {
                let call = self.calls.remove(index);
                self.watched = self.watched.min(self.calls.len());
                return Some((call.request, call.about, outcome.unwrap_or(call.otherwise.into())));
            }
        }
        let held = self.calls.iter().any(|call| call.wait.is_held());
        self.held = held.then(|| now + HELD_LOOK);
        None
    }

    /// Notes of progress that are due, as lines.
    pub fn notes(&mut self, now: Instant) -> Vec<String> {
        let mut lines = Vec::new();
        for call in &mut self.calls {
            if call.next_note() <= now {
                lines.extend(call.note());
            }
        }
        lines
    }
}

impl<T> Call<T> {
    fn ends(&self) -> Instant {
        self.since + Duration::from_secs(self.wait.seconds)
    }

    fn next_note(&self) -> Instant {
        match self.token {
            Some(_) => self.since + Duration::from_millis(PROGRESS_MS) * (self.notes + 1),
            None => self.ends(),
        }
    }

    fn note(&mut self) -> Option<String> {
        self.notes += 1;
        let params = Object::new()
            .raw("progressToken", self.token.as_ref()?)
            .u64("progress", self.since.elapsed().as_secs())
            .u64("total", self.wait.seconds)
            .str("message", "no mail yet")
            .finish();
        Some(
            Object::new()
                .str("jsonrpc", "2.0")
                .str("method", "notifications/progress")
                .raw("params", &params)
                .finish(),
        )
    }
}
