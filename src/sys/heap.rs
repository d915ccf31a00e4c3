//! The heap, as musl's allocator keeps it.
//!
//! Invariant: what is kept here is never used, only there.

/// Lies in the page that small things are handed out from, and leaves room there.
const KEPT_BYTES: usize = 2000;

/// Keeps one page of the heap to the end of the process. The allocator maps a
/// page for the first small thing and gives it back with the last, again and
/// again while a program makes one short text after the other. Not worth it
/// where few are made: it costs two page faults.
pub fn keep_a_page() {
    std::mem::forget(std::hint::black_box(Vec::<u8>::with_capacity(KEPT_BYTES)));
}
