//! Every bound of the program, named, with its unit, in one place.
//!
//! Invariant: nothing else in `src` carries a size, count or duration that a
//! user, a peer or a host could push against.

/// Largest message body, in bytes. Larger is refused, never cut.
pub const BODY_BYTES: usize = 256 * 1024;
/// Largest line in a mailbox log, in bytes: a body with every byte escaped,
/// plus the other fields.
pub const RECORD_BYTES: usize = 2 * 1024 * 1024;
/// Largest line the bus accepts from its host, in bytes.
pub const FRAME_BYTES: usize = 2 * 1024 * 1024;
/// Largest event a hook reads from its host, in bytes. A larger one is cut: the
/// fields relay needs stand before the tool's output in every host seen.
pub const EVENT_BYTES: usize = 8 * 1024 * 1024;
/// Messages in one batch of the bus.
pub const BATCH_MESSAGES: usize = 100;
/// Deepest nesting of any JSON that relay parses.
pub const JSON_DEPTH: usize = 64;
/// Largest small file of the store (record, cursor, name), in bytes.
pub const STATE_FILE_BYTES: usize = 64 * 1024;
/// Largest registry of a session-relay home that is imported, in bytes.
pub const LEGACY_REGISTRY_BYTES: usize = 64 * 1024 * 1024;

/// Longest name a person may choose, in characters.
pub const NAME_CHARS: usize = 64;
/// Longest session id, in bytes of its folder's name.
pub const ID_BYTES: usize = 128;
/// Shortest id prefix that addresses a session, in characters.
pub const ID_PREFIX_CHARS: usize = 4;

/// Longest wait for a lock, in milliseconds.
pub const LOCK_WAIT_MS: u64 = 3_000;
/// Life of a hold that a hook or the bus took, in milliseconds: the session's
/// next event normally settles it long before.
pub const SESSION_HOLD_MS: u64 = 15 * 60 * 1000;
/// Life of a hold taken on the command line, in milliseconds.
pub const COMMAND_HOLD_MS: u64 = 30 * 1000;
/// Runs of redelivered mail that a cursor tells apart; older ones are merged.
pub const REDELIVERY_RUNS: usize = 16;

/// Most text that one hook event puts before a model, in bytes. Claude Code
/// cuts at 10,000 characters, Codex at about 2,500 tokens.
pub const INJECT_BYTES: usize = 7_500;
/// What a hook shows of a mail too long to show whole, in bytes.
pub const INJECT_HEAD_BYTES: usize = 1_500;
/// Most text that one `inbox` call of the bus returns, in bytes.
pub const INBOX_BYTES: usize = 32 * 1024;
/// Most of one body that one `inbox` call of the bus returns, in bytes.
pub const INBOX_BODY_BYTES: usize = 16 * 1024;
/// Most text of sessions that one `roster` call of the bus returns, in bytes.
pub const ROSTER_BYTES: usize = 16 * 1024;
/// Turn ends in a row at which a host is told to go on with mail. Claude Code
/// stops listening after 8.
pub const CONTINUATIONS: u64 = 7;
/// Messages that one hook event considers.
pub const HOOK_MESSAGES: usize = 64;
/// Messages that `log` prints unless asked for more.
pub const LOG_MESSAGES: usize = 50;

/// Transcripts that `discover` lists at most.
pub const DISCOVER_ROWS: usize = 50;
/// Bytes that `discover` reads of one transcript in search of its directory.
pub const TRANSCRIPT_BYTES: usize = 1024 * 1024;
/// Directory entries that one scan of a host's transcripts looks at.
pub const SCAN_ENTRIES: usize = 200_000;
/// How long a host may take to list its sessions, in milliseconds.
pub const LISTING_MS: u64 = 5_000;
/// Bytes that are read of such a list.
pub const LISTING_BYTES: usize = 256 * 1024;
/// Ancestors that a search for the host process climbs.
pub const ANCESTORS: usize = 16;
/// Sessions that one host process is remembered for.
pub const PROCESS_SESSIONS: usize = 32;
/// Successors followed from a session id before giving up on a cycle.
pub const SUCCESSIONS: usize = 64;
/// Longest failure note a hook leaves for `doctor`, in bytes.
pub const FAILURE_NOTE_BYTES: usize = 2_000;

const _: () = assert!(BODY_BYTES * 6 + 4096 <= RECORD_BYTES, "an escaped body fits a record");
const _: () = assert!(INJECT_HEAD_BYTES * 2 < INJECT_BYTES, "a head never fills an injection");
const _: () = assert!(COMMAND_HOLD_MS < SESSION_HOLD_MS);
