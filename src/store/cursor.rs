//! How far a mailbox has been read, and who is reading: pure state, no I/O.
//!
//! Invariant: `consumed` only moves forward, to the end of a hold that was
//! acknowledged; there is at most one hold; and what was handed out without
//! proof of arrival is remembered, so that it comes again marked.

use std::borrow::Cow;

use crate::json;
use crate::limits::{CLOCK_SLACK_MS, REDELIVERY_RUNS, SESSION_HOLD_MS};
use crate::mail::text::fnv1a;
use crate::sys::process::Process;

/// What the file has at least, and seldom more: it is read at one go.
const CURSOR_BYTES: usize = 960;
const SUM: &str = ",\"sum\":\"";
/// [`SUM`], sixteen digits, and the end of the text.
const SUM_BYTES: usize = SUM.len() + 18;

/// The state of one mailbox's reader.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Offset in the log: everything before it has been read.
    pub consumed: u64,
    /// Who is reading what right now.
    pub hold: Option<Hold>,
    /// How often the mail after `consumed` has been handed out before: each run
    /// ends at an offset, in rising order.
    runs: Vec<Run>,
    /// How the hold before ended, so that settling it twice is harmless.
    pub settled: Option<Settled>,
    /// Turn ends in a row at which the host was told to go on.
    pub continued: u64,
}

/// A lease on the mail from `from` to `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Random and unguessable; who has it may settle the hold.
    pub token: String,
    pub from: u64,
    pub to: u64,
    /// Wall-clock milliseconds.
    pub expires_ms: u64,
    /// The process whose death ends the hold: the agent's host, or the command.
    pub process: Option<Process>,
    /// The process that took the mail to print it. Until it notes that it has
    /// printed, nothing was shown.
    pub taker: Option<Process>,
    /// The event at which the mail was shown; only another event proves it.
    pub event: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    to: u64,
    times: u64,
}

/// How a hold ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    pub token: String,
    pub consumed: bool,
}

impl Cursor {
    /// The cursor to go on with when its file cannot be read: nothing is lost,
    /// and all that may have been seen comes again marked.
    pub fn unknown(log_bytes: u64) -> Cursor {
        Cursor { runs: vec![Run { to: log_bytes, times: 1 }], ..Cursor::default() }
    }

    /// Where mail that nobody reads begins.
    pub fn unheld(&self) -> u64 {
        self.hold.as_ref().map_or(self.consumed, |hold| hold.to)
    }

    /// How often the message at `offset` has been handed out so far.
    pub fn times_shown(&self, offset: u64) -> u64 {
        self.runs.iter().find(|run| offset < run.to).map_or(0, |run| run.times)
    }

    /// The same with nothing noted of what was handed out.
    pub fn without_shown(&self) -> Cursor {
        Cursor { runs: Vec::new(), ..self.clone() }
    }

    /// Notes that mail up to `to`, from where the last note ends, was handed
    /// out `times` times before it came here.
    pub fn note_shown(&mut self, to: u64, times: u64) {
        match self.runs.last_mut() {
            Some(last) if last.times == times => last.to = to,
            _ => self.runs.push(Run { to, times }),
        }
        self.bound_runs();
    }

    /// Keeps the latest runs; the first of them takes in those before it, and
    /// none says less than was so.
    fn bound_runs(&mut self) {
        while self.runs.len() > REDELIVERY_RUNS {
            let first = self.runs.remove(0);
            self.runs[0].times = self.runs[0].times.max(first.times);
        }
    }

    /// What is before `offset` holds no message.
    pub fn pass_over(&mut self, offset: u64) {
        self.consumed = self.consumed.max(offset);
        self.runs.retain(|run| run.to > offset);
    }

    /// The reader has the mail: it is consumed.
    pub fn acknowledge(&mut self) {
        if let Some(hold) = self.hold.take() {
            self.pass_over(hold.to);
            self.settled = Some(Settled { token: hold.token, consumed: true });
        }
    }

    /// The reader has the mail before `offset`; the rest of the hold comes again.
    pub fn acknowledge_before(&mut self, offset: u64) {
        let Some(hold) = &self.hold else { return };
        let rest = Hold { from: offset.clamp(hold.from, hold.to), ..hold.clone() };
        if let Some(hold) = &mut self.hold {
            hold.to = rest.from;
        }
        self.acknowledge();
        if rest.from < rest.to {
            self.hold = Some(rest);
            self.put_back();
        }
    }

    /// The mail may not have arrived: it comes again, marked.
    pub fn put_back(&mut self) {
        let Some(hold) = self.hold.take() else { return };
        let mut runs = Vec::new();
        let mut start = hold.from;
        for run in std::mem::take(&mut self.runs) {
            if start < hold.to {
                runs.push(Run { to: run.to.min(hold.to), times: run.times + 1 });
            }
            if run.to > hold.to {
                runs.push(run);
            }
            start = run.to;
        }
        if start < hold.to {
            runs.push(Run { to: hold.to, times: 1 });
        }
        self.runs = runs;
        self.bound_runs();
        self.settled = Some(Settled { token: hold.token, consumed: false });
    }

    /// The file's content: one line of JSON whose last member is the sum of what
    /// is before it, and blanks, so that a shorter one covers a longer one.
    pub fn to_text(&self) -> String {
        let text = |process: &Option<Process>| process.as_ref().map(Process::to_string);
        let mut object = json::Object::new().u64("consumed", self.consumed);
        if let Some(hold) = &self.hold {
            let held = json::Object::new()
                .str("token", &hold.token)
                .u64("from", hold.from)
                .u64("to", hold.to)
                .u64("expires_ms", hold.expires_ms)
                .optional("process", text(&hold.process).as_deref())
                .optional("taker", text(&hold.taker).as_deref())
                .optional("event", hold.event.as_deref());
            object = object.raw("hold", &held.finish());
        }
        if !self.runs.is_empty() {
            let runs: Vec<String> =
                self.runs.iter().map(|run| format!("[{},{}]", run.to, run.times)).collect();
            object = object.raw("shown", &json::array(&runs));
        }
        if let Some(settled) = &self.settled {
            let how = json::Object::new().str("token", &settled.token).bool("consumed", settled.consumed);
            object = object.raw("settled", &how.finish());
        }
        if self.continued > 0 {
            object = object.u64("continued", self.continued);
        }
        let mut text = object.finish();
        text.pop();
        text += &sum(&text);
        text.push('\n');
        let blanks = CURSOR_BYTES.saturating_sub(text.len()).max(1);
        text.push_str(&" ".repeat(blanks));
        text
    }

    /// Reads the file's content; `None` when it is damaged. A file that was made
    /// and not written yet says nothing; one without blanks is of an earlier
    /// relay, which knew no sum.
    pub fn parse(content: &[u8]) -> Option<Cursor> {
        if content.is_empty() {
            return Some(Cursor::default());
        }
        let end = content.iter().position(|byte| *byte == b'\n').unwrap_or(content.len());
        let text = std::str::from_utf8(&content[..end]).ok()?;
        if end + 1 < content.len() {
            let (summed, last) = text.split_at_checked(text.len().checked_sub(SUM_BYTES)?)?;
            if last != sum(summed) {
                return None;
            }
        }
        let mut cursor = Cursor::default();
        let (mut consumed, mut intact) = (None, true);
        json::each_member(text, &mut |key, raw| match key.as_ref() {
            "consumed" => consumed = raw.text.parse().ok(),
            "hold" => {
                cursor.hold = parse_hold(raw.text);
                intact &= cursor.hold.is_some();
            }
            "shown" => match parse_runs(raw.text) {
                Some(runs) => cursor.runs = runs,
                None => intact = false,
            },
            "settled" => cursor.settled = parse_settled(raw.text),
            "continued" => cursor.continued = raw.text.parse().unwrap_or(0),
            _ => {}
        })?;
        cursor.consumed = consumed?;
        intact.then_some(cursor)
    }
}

impl Hold {
    /// Whether the hold still stands: not expired (a clock that jumped back
    /// cannot stretch it much), and its process, if it names one, has not ended.
    pub fn stands(&self, now_ms: u64) -> bool {
        let in_time =
            now_ms < self.expires_ms && self.expires_ms - now_ms <= SESSION_HOLD_MS + CLOCK_SLACK_MS;
        in_time && !self.process.as_ref().is_some_and(Process::has_ended)
    }
}

/// The last member of a cursor that begins with this text.
fn sum(text: &str) -> String {
    format!("{SUM}{:016x}\"}}", fnv1a(text.as_bytes()))
}

fn parse_hold(hold: &str) -> Option<Hold> {
    let members = json::members(hold)?;
    let number = |key: &str| members.get(key)?.text.parse().ok();
    let process = |key: &str| Process::parse(&members.str(key)?);
    let (from, to, expires_ms) = (number("from")?, number("to")?, number("expires_ms")?);
    Some(Hold {
        token: members.str("token")?.into_owned(),
        from,
        to,
        expires_ms,
        process: process("process"),
        taker: process("taker"),
        event: members.str("event").map(Cow::into_owned),
    })
}

fn parse_runs(runs: &str) -> Option<Vec<Run>> {
    let mut found = Vec::new();
    for run in json::items(runs)? {
        let [to, times] = json::items(run)?[..] else { return None };
        found.push(Run { to: to.parse().ok()?, times: times.parse().ok()? });
    }
    Some(found)
}

fn parse_settled(settled: &str) -> Option<Settled> {
    let (mut token, mut consumed) = (None, None);
    json::each_member(settled, &mut |key, raw| match key.as_ref() {
        "token" => token = raw.str().map(Cow::into_owned),
        "consumed" => consumed = raw.text.parse().ok(),
        _ => {}
    })?;
    Some(Settled { token: token?, consumed: consumed? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold(from: u64, to: u64) -> Hold {
        Hold {
            token: format!("t{from}-{to}"),
            from,
            to,
            expires_ms: 1_000,
            process: None,
            taker: None,
            event: None,
        }
    }

    #[test]
    fn text_and_back() {
        let mut cursor = Cursor { hold: Some(hold(0, 10)), ..Cursor::default() };
        cursor.put_back();
        cursor.hold = Some(Hold { process: Process::current(), event: Some("e".into()), ..hold(0, 20) });
        cursor.continued = 3;
        assert_eq!(Cursor::parse(cursor.to_text().as_bytes()), Some(cursor));
        assert_eq!(Cursor::parse(b"{\"consumed\":-1}"), None);
        assert_eq!(Cursor::parse(b"{\"consumed\":1"), None);
        assert_eq!(Cursor::parse(b"{\"consumed\":1}"), Some(Cursor { consumed: 1, ..Cursor::default() }));
        assert_eq!(Cursor::parse(b"{\"consumed\":1}\n "), None);
        assert_eq!(Cursor::parse(b"{\"consumed\":1,\"sum\":\"0123456789abcdef\"}\n "), None);
        assert_eq!(Cursor::parse(b""), Some(Cursor::default()));
    }

    proptest::proptest! {
        #[test]
        fn of_two_cursors_torn_into_one_neither_is_mistaken(
            (older, newer) in ((0u64..99, 0u64..999_999), (0u64..99, 0u64..999_999)), cut in 0usize..1_000, forth: bool
        ) {
            let cursor = |(shown, consumed): (u64, u64)| {
                let mut cursor = Cursor { consumed, ..Cursor::default() };
                (0..shown % 20).for_each(|run| cursor.note_shown(consumed + run + 1, 1));
                cursor.hold = (shown > 50).then(|| hold(consumed, consumed + shown));
                cursor
            };
            let (older, newer) = (cursor(older), cursor(newer));
            let (old, new) = (older.to_text(), newer.to_text());
            let (head, tail) = if forth { (&new, &old) } else { (&old, &new) };
            let mut torn = head.as_bytes()[..cut.min(head.len())].to_vec();
            torn.extend(tail.as_bytes().get(cut..).unwrap_or_default());
            if let Some(read) = Cursor::parse(&torn) {
                proptest::prop_assert!(read == older || read == newer, "{}", String::from_utf8_lossy(&torn));
            }
        }
    }

    #[test]
    fn a_shorter_cursor_covers_a_longer_one_for_an_earlier_relay_too() {
        let mut cursor = Cursor { hold: Some(hold(0, 10)), ..Cursor::default() };
        let mut file = cursor.to_text().into_bytes();
        cursor.acknowledge();
        let shorter = cursor.to_text();
        file.splice(..shorter.len(), shorter.bytes());
        assert_eq!(Cursor::parse(&file), Some(cursor));
        // It read the whole file as one JSON text, whatever members it did not know.
        let whole: serde_json::Value = serde_json::from_slice(&file).unwrap();
        assert_eq!(whole["consumed"], 10);
    }

    #[test]
    fn each_message_knows_how_often_it_was_shown() {
        let mut cursor = Cursor { hold: Some(hold(0, 10)), ..Cursor::default() };
        cursor.put_back();
        cursor.hold = Some(hold(0, 30));
        cursor.put_back();
        cursor.hold = Some(hold(0, 5));
        cursor.put_back();
        let shown: Vec<u64> = [0, 5, 10, 29, 30].map(|offset| cursor.times_shown(offset)).to_vec();
        assert_eq!(shown, [3, 2, 1, 1, 0]);
        cursor.hold = Some(hold(0, 10));
        cursor.acknowledge();
        assert_eq!((cursor.consumed, cursor.times_shown(10), cursor.times_shown(30)), (10, 1, 0));
    }

    #[test]
    fn runs_are_bounded_and_never_undercount() {
        let mut cursor = Cursor::default();
        for to in 1..100 {
            cursor.hold = Some(hold(0, to));
            cursor.put_back();
        }
        assert!(cursor.runs.len() <= REDELIVERY_RUNS);
        assert!((0..99).all(|offset| cursor.times_shown(offset) >= 99 - offset));
    }

    #[test]
    fn what_was_not_shown_of_a_hold_comes_again() {
        let mut cursor = Cursor { hold: Some(hold(0, 30)), ..Cursor::default() };
        cursor.acknowledge_before(10);
        assert_eq!((cursor.consumed, cursor.hold.is_none(), cursor.times_shown(10)), (10, true, 1));
        cursor.hold = Some(hold(10, 30));
        cursor.acknowledge_before(99);
        assert_eq!((cursor.consumed, cursor.times_shown(30)), (30, 0));
    }

    #[test]
    fn a_clock_that_jumps_cannot_stretch_a_hold() {
        let hold = Hold { expires_ms: 1_000 + SESSION_HOLD_MS, ..hold(0, 1) };
        assert!(hold.stands(1_000));
        assert!(!hold.stands(1_000 + SESSION_HOLD_MS));
        assert!(hold.stands(0), "a clock is set right by a little");
        let later = Hold { expires_ms: 1_001 + SESSION_HOLD_MS + CLOCK_SLACK_MS, ..hold };
        assert!(!later.stands(1_000), "the clock went back to long before the hold was taken");
    }
}
