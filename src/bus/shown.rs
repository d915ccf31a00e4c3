//! Mail that went out with answers, until it is known how the answers fared.
//!
//! Invariant: mail is noted as shown only once its answer is out and every
//! request that had been sent before is read, because such a request proves
//! nothing about that answer; an answer that its client gave up showed nothing.

use crate::ops::collect::Taken;

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
    /// The answer with this mail is out.
    pub fn add(&mut self, mail: Vec<Mail>) {
        self.out.extend(mail);
    }

    /// What the host sends from here on, it sends after these answers.
    pub fn note(&mut self) {
        if self.out.is_empty() {
            return;
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
            for mail in list.extract_if(.., |mail| mail.request == request) {
                put_back(&mail);
            }
        }
    }
}

/// The answer did not get out or was dropped.
pub fn put_back(mail: &Mail) {
    // A hold that cannot be ended now ends by itself and the mail comes again.
    let _ = mail.taken.not_printed();
}
