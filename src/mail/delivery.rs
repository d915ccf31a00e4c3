//! A message on its way to a reader, and what relay knows of the times before.
//!
//! Invariant: what may have been handed out before says so, to models, people
//! and scripts alike.

use super::Message;
use crate::json;

/// A message that is handed out.
pub struct Delivery<'a> {
    pub message: Message<'a>,
    /// How often it has been, this time included, as far as relay knows.
    pub deliveries: u64,
    /// It was sent before the machine started: relay may have forgotten that it
    /// was handed out then.
    pub before_restart: bool,
}

impl Delivery<'_> {
    /// Adds the message as users see it.
    pub fn add_to(&self, object: json::Object) -> json::Object {
        let object = self.message.add_to(object);
        match (self.deliveries, self.before_restart) {
            (2.., _) => object.bool("redelivered", true).u64("deliveries", self.deliveries),
            (_, true) => object.bool("before_restart", true),
            _ => object,
        }
    }

    /// The same, no longer bound to the line it was read from.
    pub fn into_owned(self) -> Delivery<'static> {
        Delivery { message: self.message.into_owned(), ..self }
    }
}
