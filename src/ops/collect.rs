//! Takes pending mail under a hold, or only looks at it.
//!
//! Invariant: mail is taken under the mailbox's lock, in order, by one reader
//! at a time; taking moves nothing for good, only settling does.

use super::settle::{Settlement, settle_in};
use super::succession::lock_to_read;
use crate::error::Result;
use crate::limits::{COMMAND_BYTES, SESSION_HOLD_MS, STEP_BYTES, WAITING_COUNTED};
use crate::mail::Delivery;
use crate::store::mailbox::Entry;
use crate::store::session::Guard;
use crate::store::{Cursor, Hold, Session, Store};
use crate::sys::process::{Process, host_process};
use crate::sys::{clock, random};

/// The event at which a tool call shows mail; no host's fingerprint.
pub const CALL: &str = "call";
/// The event of a session's start, whatever its fingerprint.
pub const START: &str = "start";

/// Who takes mail.
#[derive(Clone)]
pub struct Reader {
    /// The process whose death returns the mail.
    pub process: Option<Process>,
    /// The event at which the mail is shown, where its own session takes it.
    pub event: Option<String>,
    /// How long the hold stands, in milliseconds.
    pub life_ms: u64,
}

/// Mail taken under a hold, or seen.
#[derive(Default)]
pub struct Batch {
    /// Settles the hold; empty when nothing was taken.
    pub token: String,
    /// Where the hold ends in the log.
    pub to: u64,
    pub expires_ms: u64,
    pub deliveries: Vec<Delivery<'static>>,
    /// Pending messages beyond these, of which no more than
    /// [`WAITING_COUNTED`] are counted.
    pub waiting: usize,
    /// Messages that another reader holds.
    pub held: usize,
}

/// Mail beyond what was shown.
#[derive(Default)]
pub struct Beyond {
    /// See [`Batch::waiting`].
    pub waiting: usize,
    /// See [`Batch::held`].
    pub held: usize,
}

/// Shows pending mail that nobody holds, the first `most` messages. Changes
/// nothing.
pub fn look(session: &Session, most: usize, show: &mut dyn FnMut(Delivery)) -> Result<Beyond> {
    let (cursor, bytes) = session.cursor()?;
    let standing = cursor.hold.clone().filter(|hold| hold.stands(clock::now_ms()));
    let mut seen = cursor;
    if standing.is_none() {
        seen.put_back();
    }
    let mut beyond = Beyond::default();
    if let Some(hold) = standing {
        beyond.held = session.count(hold.from, hold.to)?;
    }
    let (mut left, started_ms) = (most, clock::started_ms());
    session.each(seen.unheld(), bytes, &mut |entry| {
        match left {
            0 => beyond.waiting += 1,
            _ => {
                left -= 1;
                show(delivery(&seen, started_ms, entry));
            }
        }
        beyond.waiting < WAITING_COUNTED
    })?;
    Ok(beyond)
}

/// Takes what is pending in the log's `bytes`: of the first messages, which
/// together take about `most` bytes of it, as many as `fits` says. `cursor` is as
/// it should be before, and is written with the new hold.
pub fn take(
    guard: &Guard,
    (cursor, bytes): (&mut Cursor, u64),
    reader: Reader,
    most: u64,
    fits: &dyn Fn(&[Delivery]) -> usize,
) -> Result<Batch> {
    let from = cursor.unheld();
    let (mut deliveries, mut ends, mut beyond) = (Vec::new(), Vec::new(), 0);
    let (mut first, started_ms) = (None, clock::started_ms());
    let passed = guard.session().each(from, bytes, &mut |entry| {
        // Counted from the first message: before it may stand what holds none.
        match entry.start - *first.get_or_insert(entry.start) < most {
            true => {
                ends.push(entry.end);
                deliveries.push(delivery(cursor, started_ms, entry).into_owned());
            }
            false => beyond += 1,
        }
        beyond < WAITING_COUNTED
    })?;
    let total = deliveries.len() + beyond;
    deliveries.truncate(fits(&deliveries));
    let taken = deliveries.len();
    if taken == 0 {
        pass_over(guard, cursor, bytes)?;
        return Ok(Batch::default());
    }
    let to = if taken == total { passed.end } else { ends[taken - 1] };
    let mut hold = match cursor.hold.take() {
        Some(mut earlier) => {
            // What a turn showed is over with it, whatever a start showed besides.
            if earlier.event.as_deref() == Some(START) {
                earlier.event = reader.event;
            }
            earlier
        }
        None => {
            let token = begin(guard.session(), from)?;
            let Reader { process, event, .. } = reader;
            Hold { token, from, to, expires_ms: 0, process, taker: None, event }
        }
    };
    (hold.to, hold.expires_ms, hold.taker) = (to, clock::now_ms() + reader.life_ms, Process::current());
    let (token, expires_ms) = (hold.token.clone(), hold.expires_ms);
    cursor.hold = Some(hold);
    guard.note_cursor(cursor)?;
    Ok(Batch { token, to, expires_ms, deliveries, waiting: total - taken, held: 0 })
}

/// Where nobody reads and the rest of the log holds no message, only what a
/// sender that died left of a line, that is not looked at again.
pub fn pass_over(guard: &Guard, cursor: &mut Cursor, bytes: u64) -> Result<()> {
    if cursor.hold.is_some() || cursor.consumed == bytes {
        return Ok(());
    }
    // So that no power cut makes the log shorter than the cursor says.
    guard.sync_log()?;
    cursor.pass_over(bytes);
    guard.note_cursor(cursor)
}

/// Takes pending mail for a command, unless somebody reads it right now.
pub fn take_for_command(store: &Store, session: &Session, reader: &Reader) -> Result<Batch> {
    if !session.exists() {
        return Ok(Batch::default());
    }
    let Some((guard, _)) = lock_to_read(store, session)? else { return Ok(Batch::default()) };
    let (mut cursor, bytes) = session.cursor()?;
    if cursor.hold.as_ref().is_some_and(|hold| hold.stands(clock::now_ms())) {
        return held(session, &cursor);
    }
    cursor.put_back();
    take(&guard, (&mut cursor, bytes), reader.clone(), COMMAND_BYTES, &|all| all.len())
}

/// Nothing is taken while another reader holds the mail.
fn held(session: &Session, cursor: &Cursor) -> Result<Batch> {
    let held = cursor.hold.as_ref().map_or(Ok(0), |hold| session.count(hold.from, hold.to))?;
    Ok(Batch { held, ..Batch::default() })
}

/// Mail that a call of the bus answers with.
pub struct Taken {
    session: Session,
    token: String,
    to: u64,
}

impl Taken {
    /// The batch's hold, if anything was taken.
    pub fn new(session: &Session, batch: &Batch) -> Option<Taken> {
        let taken = || Taken { session: session.clone(), token: batch.token.clone(), to: batch.to };
        (!batch.token.is_empty()).then(taken)
    }

    /// The answer is with the host: the session's next step may consume it.
    pub fn printed(&self) -> Result<()> {
        self.session.mark_shown(&self.token, self.to)
    }

    /// The answer did not get out: the mail waits again.
    pub fn not_printed(&self) -> Result<()> {
        settle_in(&self.session, &self.token, Settlement::PutBack)
    }
}

/// Takes pending mail for a tool call of the session itself. A call that has
/// just come is also proof that what was shown before it has arrived
/// ([`Step::Call`]); one that has waited here since is not ([`Step::Before`]).
pub fn take_for_call(
    store: &Store,
    session: &Session,
    step: Step,
    fits: &dyn Fn(&[Delivery]) -> usize,
) -> Result<Batch> {
    let process = host_process();
    let Some((guard, _)) = lock_to_read(store, session)? else { return Ok(Batch::default()) };
    let (mut cursor, bytes) = session.cursor()?;
    let before = cursor.clone();
    if !settle_before(session, &mut cursor, process.as_ref(), step) {
        return held(session, &cursor);
    }
    let reader = Reader { process, event: Some(CALL.to_owned()), life_ms: SESSION_HOLD_MS };
    let batch = take(&guard, (&mut cursor, bytes), reader, STEP_BYTES, fits)?;
    if batch.token.is_empty() && cursor != before {
        guard.note_cursor(&cursor)?;
    }
    Ok(batch)
}

/// Where a session is when it comes for mail.
#[derive(Clone, Copy)]
pub enum Step<'a> {
    /// An event that says nothing about what the model has read: a start, more of
    /// the same turn.
    Before,
    /// An event at which a turn is over that proved nothing: its user's next prompt,
    /// or its end without a word of the model. What was shown in it may have been
    /// taken back.
    Anew(&'a str),
    /// An event that comes only after the model went on: a tool's use, a turn's
    /// end.
    After(&'a str),
    /// A tool call of the model itself.
    Call,
}

/// Ends the hold that stands from before, as far as the session's being at this
/// step says something about it. `false`: another reader has the mailbox.
pub fn settle_before(session: &Session, cursor: &mut Cursor, process: Option<&Process>, step: Step) -> bool {
    let Some(hold) = &cursor.hold else { return true };
    if !is_of(hold, process) {
        if hold.stands(clock::now_ms()) {
            return false;
        }
        cursor.put_back();
        return true;
    }
    let shown = session.shown(&hold.token);
    let complete = shown.is_some_and(|shown| shown >= hold.to);
    let over = is_over(hold, step);
    let printing =
        !complete && hold.taker.as_ref().is_some_and(Process::is_alive) && hold.stands(clock::now_ms());
    if printing {
        return false;
    }
    let proved = match step {
        Step::Before | Step::Anew(_) => false,
        Step::After(event) => hold.event.as_deref() != Some(event),
        Step::Call => true,
    };
    match (proved, complete) {
        (true, _) => cursor.acknowledge_before(shown.unwrap_or(0)),
        (false, true) if !over => {} // it goes on, and takes in what is new
        (false, _) => cursor.put_back(),
    }
    true
}

/// Whether the turn in which the hold's mail was shown is over at this step. What a
/// start showed stands before the turn; a hook that runs twice sees one event twice;
/// some hosts announce a prompt that is typed while a turn runs as one more of it.
pub fn is_over(hold: &Hold, step: Step) -> bool {
    let (Step::Anew(event), Some(shown_at)) = (step, hold.event.as_deref()) else {
        return matches!(step, Step::Anew(_));
    };
    let turn = |event: &str| event.split_once('-').map(|(_, turn)| turn.to_owned());
    let same_turn = turn(event).is_some() && turn(event) == turn(shown_at);
    shown_at != event && shown_at != START && !same_turn
}

/// Whether a hold is of the session's own host, which this process is. A hook
/// that could not tell its host is of the session's host all the same.
pub fn is_of(hold: &Hold, process: Option<&Process>) -> bool {
    match &hold.process {
        Some(holder) => Some(holder) == process,
        None => hold.event.is_some(),
    }
}

/// `started_ms`: when the machine was started.
fn delivery<'a>(cursor: &Cursor, started_ms: u64, entry: Entry<'a>) -> Delivery<'a> {
    Delivery {
        deliveries: cursor.times_shown(entry.start) + 1,
        before_restart: entry.message.sent_ms < started_ms,
        message: entry.message,
    }
}

/// A token that names its mailbox and cannot be guessed. Nothing of its hold has
/// been printed: where that cannot be noted now, it could not be noted later.
fn begin(session: &Session, from: u64) -> Result<String> {
    let secret = random::hex::<8>()?;
    let token = format!("{secret}.{}", session.key());
    session.mark_shown(&token, from)?;
    Ok(token)
}
