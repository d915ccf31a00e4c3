//! What a hook does at an event: settle what was shown before, show what is new.
//!
//! Invariant: with no mail nothing is written or locked. Mail that an event
//! shows is consumed by the next event of the same host process that comes only
//! after the model went on (a tool's use, a turn's end), never by the same event
//! seen twice, never by a prompt, a start or the session's end.

use super::Relay;
use super::announce::{Sighting, announce, end};
use super::collect::{Batch, CALL, Reader, START, Step, Taken, is_of, is_over, settle_before, take};
use super::succession::{inherit, lock_to_read, succeed_if_cleared};
use super::turn::is_queued;
use crate::error::Result;
use crate::host::{Event, Host, Moment};
use crate::limits::{CONTINUATIONS, SESSION_HOLD_MS, STEP_BYTES};
use crate::mail::address::check_id;
use crate::mail::fence;
use crate::store::session::Guard;
use crate::store::{Cursor, Hold, Session, Store};
use crate::sys::process::{Process, host_process};
use crate::sys::{heap, random};

/// Text for the model, and the mail that is shown with it.
pub struct Injection {
    pub text: String,
    pub taken: Option<Taken>,
}

/// Handles one event. `None`: nothing to say.
pub fn on_event(relay: &Relay, host: &Host, event: &Event) -> Result<Option<Injection>> {
    if event.in_subagent && !event.of_inbox {
        return Ok(None);
    }
    let store = relay.store()?;
    let session = store.session(&check_id(&event.session)?);
    if event.in_subagent {
        // Its model has read what was for the session's own.
        return let_go(&session, host_process().as_ref(), Some(CALL)).map(|()| None);
    }
    if is_in_subagent(host, &session, event) {
        return Ok(None);
    }
    let process = see(relay, store, &session, host, event)?;
    if event.moment == Moment::End {
        let process = host_process();
        let_go(&session, process.as_ref(), None)?;
        end(&session, process.as_ref())?;
        return Ok(None);
    }
    // Nobody goes on after a turn that ended without a word.
    let hears = !host.deaf_at.contains(&event.moment) && event.is_answered;
    if !has_work(&session, event, hears)? {
        return Ok(None);
    }
    let hears = hears && !is_queued(host, event);
    let process = process.or_else(host_process);
    show_pending(store, &session, event, process, hears)
}

/// Whether a subagent is at work, where the host tells only when it begins and
/// ends: mail waits for the session's own model.
fn is_in_subagent(host: &Host, session: &Session, event: &Event) -> bool {
    if host.subagent_tool.is_none() {
        return false;
    }
    match (event.moment, &event.task) {
        (Moment::Delegation, Some(task)) => session.note_subagent(task, true),
        (Moment::ToolUse, Some(task)) => session.note_subagent(task, false),
        (Moment::Prompt | Moment::TurnEnd, _) => session.forget_subagents(),
        _ => {}
    }
    event.moment == Moment::Delegation || (event.moment == Moment::ToolUse && session.has_subagent())
}

/// Lets the store know of the session where this event can tell something new.
/// Returns the host process, if it was looked for.
fn see(
    relay: &Relay,
    store: &Store,
    session: &Session,
    host: &Host,
    event: &Event,
) -> Result<Option<Process>> {
    // A host without these says with each event that it runs.
    let begins = host.moments.iter().any(|(_, moment)| matches!(moment, Moment::Start | Moment::Prompt));
    let tells = match event.moment {
        Moment::Start | Moment::Prompt => true,
        Moment::ToolUse | Moment::TurnEnd => !begins || !session.is_registered(),
        Moment::Delegation | Moment::End => false,
    };
    if !tells {
        return Ok(None);
    }
    let process = host_process();
    let path = |text: &Option<String>| text.as_ref().map(|path| relay.env.absolute(path.as_ref()));
    let sighting = Sighting {
        id: &event.session,
        host,
        directory: path(&event.directory),
        transcript: path(&event.transcript),
        process: process.clone(),
        at_start: event.moment == Moment::Start,
    };
    if sighting.at_start {
        succeed_if_cleared(store, &sighting, event.source.as_deref())?;
    }
    if announce(store, &sighting)?.info.inherits.is_some() {
        inherit(store, session)?;
    }
    Ok(process)
}

/// What this event says about mail that was shown before it.
fn step(event: &Event) -> Step<'_> {
    match event.moment {
        Moment::TurnEnd if !event.is_answered => Step::Anew(&event.fingerprint),
        Moment::ToolUse | Moment::TurnEnd => Step::After(&event.fingerprint),
        Moment::Prompt if !event.is_continuation => Step::Anew(&event.fingerprint),
        Moment::Start | Moment::Prompt | Moment::Delegation | Moment::End => Step::Before,
    }
}

/// Whether its user has said something.
fn begins_turn(event: &Event) -> bool {
    event.moment == Moment::Prompt && !event.is_continuation
}

/// Looks, without a lock, whether this event has anything to settle or show.
fn has_work(session: &Session, event: &Event, hears: bool) -> Result<bool> {
    let (cursor, bytes) = session.cursor()?;
    let settles = match (step(event), &cursor.hold) {
        (_, None) => false,
        (Step::After(event), Some(hold)) => hold.event.as_deref() != Some(event),
        (step, Some(hold)) => {
            is_over(hold, step) || session.shown(&hold.token).is_none_or(|shown| shown < hold.to)
        }
    };
    let resets = cursor.continued > 0 && begins_turn(event);
    Ok((hears && bytes > cursor.unheld()) || settles || resets || !is_current(&cursor))
}

/// Whether the hold, if there is one, can still be this host's.
fn is_current(cursor: &Cursor) -> bool {
    !cursor.hold.as_ref().is_some_and(|hold| hold.process.as_ref().is_some_and(Process::has_ended))
}

/// Settles the hold of the event before and takes what is pending now, if the
/// host hears it.
fn show_pending(
    store: &Store,
    session: &Session,
    event: &Event,
    process: Option<Process>,
    hears: bool,
) -> Result<Option<Injection>> {
    heap::keep_a_page();
    let Some((guard, info)) = lock_to_read(store, session)? else { return Ok(None) };
    let (mut cursor, bytes) = session.cursor()?;
    let before = cursor.clone();
    if !settle_before(session, &mut cursor, process.as_ref(), step(event)) {
        return Ok(None); // somebody else reads this mailbox right now
    }
    if begins_turn(event) || event.moment == Moment::Start {
        cursor.continued = 0;
    }
    if !hears || (event.moment == Moment::TurnEnd && cursor.continued >= CONTINUATIONS) {
        // The host would not listen: keep the mail for the next prompt.
        return write_if_changed(&guard, &before, &cursor).map(|()| None);
    }
    if event.moment == Moment::TurnEnd {
        cursor.continued += 1;
    }
    let shown_at = if event.moment == Moment::Start { START } else { &event.fingerprint };
    let reader = Reader { process, event: Some(shown_at.to_owned()), life_ms: SESSION_HOLD_MS };
    let batch = take(&guard, (&mut cursor, bytes), reader, STEP_BYTES, &fence::fitting)?;
    if batch.deliveries.is_empty() {
        if event.moment == Moment::TurnEnd {
            cursor.continued = 0;
        }
        return write_if_changed(&guard, &before, &cursor).map(|()| None);
    }
    drop(guard);
    let text = render(&batch, info.label())?;
    Ok(Some(Injection { text, taken: Taken::new(session, &batch) }))
}

/// What the session was shown last, at that event if one is named, has no proof and
/// will have none.
fn let_go(session: &Session, process: Option<&Process>, shown_at: Option<&str>) -> Result<()> {
    let there = |hold: &Hold| shown_at.is_none_or(|event| hold.event.as_deref() == Some(event));
    let ours = |cursor: &Cursor| cursor.hold.as_ref().is_some_and(|hold| is_of(hold, process) && there(hold));
    if !ours(&session.cursor()?.0) {
        return Ok(());
    }
    let guard = session.lock()?;
    let (mut cursor, _) = session.cursor()?;
    if ours(&cursor) {
        cursor.put_back();
        guard.note_cursor(&cursor)?;
    }
    Ok(())
}

fn write_if_changed(guard: &Guard, before: &Cursor, now: &Cursor) -> Result<()> {
    if before == now { Ok(()) } else { guard.note_cursor(now) }
}

fn render(batch: &Batch, name: &str) -> Result<String> {
    let mark = random::hex::<4>()?;
    Ok(fence::render(name, &batch.deliveries, batch.waiting, &mark))
}
