//! Mail that went out with answers, until it is known how the answers fared.
//!
//! Invariant: mail is noted as shown only once its answer is out and every
//! request that had been sent before is read, because such a request proves
//! nothing about that answer; an answer that its client gave up showed nothing.

use super::Answer;
use crate::ops::collect::Taken;
use crate::sys::stdio;

/// The mail in the answer to one request.
pub struct Mail {
    /// The request's id, as it is echoed.
    pub request: String,
    pub taken: Taken,
}

/// The mail of the answers that went out last.
#[derive(Default)]
pub struct Shown {
    out: Vec<Mail>,
    noted: Vec<Mail>,
}

impl Shown {
    /// Writes one answer, a whole line at a time: the one way to stdout.
    /// `more_is_here`: whether the host has sent something that is not read
    /// yet. `false`: nobody reads the answer, and its mail waits again.
    pub fn write(&mut self, answer: Answer, more_is_here: &dyn Fn() -> bool) -> bool {
        let crossed = (self.is_open() || !answer.mail.is_empty()) && more_is_here();
        let written = answer.line.is_none_or(|line| stdio::deliver(&(line + "\n")).is_ok());
        match written {
            true => self.out.extend(answer.mail),
            false => answer.mail.iter().for_each(put_back),
        }
        if !crossed {
            self.note();
        }
        written
    }

    /// Whether mail went out that is not noted yet.
    pub fn is_open(&self) -> bool {
        !self.out.is_empty()
    }

    /// What the host sends from here on, it sends after these answers.
    pub fn note(&mut self) {
        if self.out.is_empty() {
            return; // what was noted last may still be given up
        }
        self.noted = std::mem::take(&mut self.out);
        for mail in &self.noted {
            // What cannot be noted is shown again, marked: the safe side.
            let _ = mail.taken.printed();
        }
    }

    /// The client drops the answer to this request: its mail waits again.
    pub fn give_up(&mut self, request: &str) {
        for list in [&mut self.out, &mut self.noted] {
            list.retain(|mail| {
                let is_given_up = mail.request == request;
                if is_given_up {
                    put_back(mail);
                }
                !is_given_up
            });
        }
    }
}

/// The answer did not get out or was dropped.
fn put_back(mail: &Mail) {
    // A hold that cannot be ended now ends by itself and the mail comes again.
    let _ = mail.taken.not_printed();
}
