//! Work on many things that mostly waits for the system, on two threads.
//!
//! Invariant: the result is that of one thread, in order.

/// From this many things on, a second thread is worth its start.
const TOGETHER: usize = 128;

/// What `look` makes of these things: of each half on a thread of its own where
/// they are many.
pub fn in_two<'a, S: Sync, T: Send>(things: &'a [S], look: impl Fn(&'a [S]) -> Vec<T> + Sync) -> Vec<T> {
    if things.len() < TOGETHER {
        return look(things);
    }
    let (some, others) = things.split_at(things.len() / 2);
    let (mut found, mut rest) = (Vec::new(), Vec::new());
    at_once(&mut || found = look(some), &mut || rest = look(others));
    found.append(&mut rest);
    found
}

fn at_once(here: &mut dyn FnMut(), there: &mut (dyn FnMut() + Send)) {
    std::thread::scope(|scope| {
        scope.spawn(there);
        here();
    });
}
