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
/// Largest file of a host's configuration that `install` reads, in bytes.
pub const CONFIGURATION_BYTES: usize = 64 * 1024 * 1024;
/// Largest registry of a session-relay home that is imported, in bytes.
pub const LEGACY_REGISTRY_BYTES: usize = 64 * 1024 * 1024;

/// Longest name a person may choose, in characters.
pub const NAME_CHARS: usize = 64;
/// Longest session id, in bytes of its folder's name.
pub const ID_BYTES: usize = 128;
/// Longest path of a session's directory or transcript, in bytes: what the system
/// opens at most.
pub const PATH_BYTES: usize = 4096;
/// Shortest id prefix that addresses a session, in characters.
pub const ID_PREFIX_CHARS: usize = 4;

/// Longest wait for a lock, in milliseconds.
pub const LOCK_WAIT_MS: u64 = 3_000;
/// Life of a hold that a hook or the bus took, in milliseconds: the session's
/// next event normally settles it long before.
pub const SESSION_HOLD_MS: u64 = 15 * 60 * 1000;
/// Life of a hold taken on the command line, in milliseconds.
pub const COMMAND_HOLD_MS: u64 = 30 * 1000;
/// Longest life of a hold that the command line may ask for, in seconds.
pub const COMMAND_HOLD_SECONDS: u64 = 900;
/// How often a wait looks for itself where the system cannot tell of changes, in
/// milliseconds.
pub const LOOK_MS: u64 = 250;
/// Longest wait on the command line, in seconds: a day.
pub const COMMAND_WAIT_SECONDS: u64 = 86_400;
/// Longest wait of a tool call, in seconds: below the shortest time after which
/// a host gives up on a tool (Codex once did after 60).
pub const CALL_WAIT_SECONDS: u64 = 50;
/// Tool calls that wait at once on one bus.
pub const WAITING_CALLS: usize = 32;
/// Time between two notes of progress of a waiting tool call, in milliseconds.
pub const PROGRESS_MS: u64 = 10_000;

/// How long mail waits for a hook before its host is rung, in milliseconds.
pub const RING_AFTER_MS: u64 = 1_500;
/// Time to the second ring for the same mail, in milliseconds; four times as
/// long to each further one.
pub const RING_AGAIN_MS: u64 = 60_000;
/// Time until the bell looks again at a session whose turn runs, in milliseconds.
pub const LOOK_AGAIN_MS: u64 = 5_000;
/// Rings within an hour for the mail of one sender in one mailbox.
pub const RINGS_PER_HOUR: usize = 6;
/// Longest time a host's program may take to ring, in milliseconds.
pub const RING_MS: u64 = 30_000;
/// Rings that a mailbox remembers.
pub const RINGS_KEPT: usize = 64;
/// What is kept of a detached run's output, in bytes.
pub const RUN_BYTES: usize = 256 * 1024;
/// Detached runs of a session whose output is kept.
pub const RUNS_KEPT: usize = 8;
/// Bytes at the end of a transcript that mostly show whether a turn runs, or its
/// title.
pub const TRANSCRIPT_TAIL_BYTES: usize = 64 * 1024;
/// Bytes at its end that are read to find out whether a turn runs where fewer do not
/// tell: one tool's output can be longer than the tail above.
pub const TRANSCRIPT_TURN_BYTES: usize = 8 * 1024 * 1024;
/// Of a transcript that may tell that a prompt's turn has begun before it, the bytes
/// looked at, from its end.
pub const TRANSCRIPT_MARK_BYTES: usize = 1024 * 1024;
/// How long a transcript that ends with a prompt stands still before the prompt
/// counts as taken back, in milliseconds: longer than a model mostly thinks
/// before it says anything.
pub const STILL_TURN_MS: u64 = 5 * 60 * 1000;

/// Days for which read mail is kept, unless the user says otherwise.
pub const KEEP_DAYS: u64 = 30;
/// Mebibytes of read mail that a mailbox keeps, unless the user says otherwise.
pub const KEEP_MIB: u64 = 16;
/// Less than this is not worth rewriting a log for, in bytes.
pub const TRIM_BYTES: u64 = 64 * 1024;
/// Days after which a session that nobody has seen, with nothing unread, is
/// folded away.
pub const FOLD_DAYS: u64 = 60;
/// Time between two sweeps of the store, in milliseconds.
pub const SWEEP_MS: u64 = 86_400_000;
/// Age at which a bus first looks whether a sweep is due, in milliseconds.
pub const SWEEP_AFTER_MS: u64 = 5_000;
/// Sessions that one piece of a sweep looks at.
pub const SWEEP_SESSIONS: usize = 64;

/// Runs of redelivered mail that a cursor tells apart; older ones are merged.
pub const REDELIVERY_RUNS: usize = 16;

/// Most text that one hook event puts before a model, in bytes. Claude Code
/// cuts at 10,000 characters, Codex at about 2,500 tokens.
pub const INJECT_BYTES: usize = 7_500;
/// What a hook shows of a mail too long to show whole, in bytes.
pub const INJECT_HEAD_BYTES: usize = 1_500;
/// Most text that one `inbox` call of the bus returns, in bytes; half of it is the
/// most of one body.
pub const ANSWER_BYTES: usize = 32 * 1024;
/// The same for a host that hands its model less of a tool's answer: Codex 10,000
/// bytes, at times.
pub const CUT_ANSWER_BYTES: usize = 9_000;
/// Most text of sessions that one `roster` or `discover` call of the bus returns,
/// in bytes.
pub const SESSIONS_BYTES: usize = 16 * 1024;
/// Turn ends in a row at which a host is told to go on with mail. Claude Code
/// stops listening after 8.
pub const CONTINUATIONS: u64 = 7;
/// Log that one hook event or tool call considers, in bytes; at least a message.
pub const STEP_BYTES: u64 = 64 * 1024;
/// Log that one `relay inbox` takes, in bytes; at least a message.
pub const COMMAND_BYTES: u64 = 16 * 1024 * 1024;
/// Messages that one ring speaks of.
pub const RING_MESSAGES: usize = 64;
/// Pending messages beyond those shown that are counted; where it is all of
/// them, there may be more.
pub const WAITING_COUNTED: usize = 20;
/// Sessions that `list` shows people, unless they ask for all: what reads like
/// a list, and takes a moment also where a store has tens of thousands.
pub const LIST_SESSIONS: usize = 200;
/// How exactly it is known when something last happened to a session, in
/// milliseconds: an hour, to choose those that a long list shows.
pub const ACTIVE_MS: u64 = 60 * 60 * 1000;
/// Messages that `peek` prints unless asked for more.
pub const PEEK_MESSAGES: usize = 1_000;
/// Messages that `log` prints unless asked for more.
pub const LOG_MESSAGES: usize = 50;

/// What an answer keeps and shows of the message it answers, in bytes.
pub const QUESTION_BYTES: usize = 100;
/// Longest message id that a message may answer, in bytes.
pub const MESSAGE_ID_BYTES: usize = 128;
/// Sessions in one room.
pub const ROOM_MEMBERS: usize = 64;
/// Rooms that one session is in.
pub const SESSION_ROOMS: usize = 16;
/// Readers of one message.
pub const GROUP_READERS: usize = 256;
/// Longest address of several readers, in bytes.
pub const GROUP_BYTES: usize = 4 * 1024;

/// Transcripts that `discover` lists at most.
pub const DISCOVER_ROWS: usize = 50;
/// Bytes that `discover` reads of one transcript in search of its directory.
pub const TRANSCRIPT_BYTES: usize = 1024 * 1024;
/// Its first lines in which `discover` looks for a title, when its end has none.
pub const TITLE_LINES: usize = 8;
/// Directory entries that one scan of a host's transcripts looks at.
pub const SCAN_ENTRIES: usize = 200_000;
/// Files in a host's folder of records of what runs now that are looked at.
pub const RUNNING_RECORDS: usize = 1_000;
/// Largest such record, in bytes.
pub const RUNNING_RECORD_BYTES: usize = 16 * 1024;
/// How long a host may take to list its sessions, in milliseconds.
pub const LISTING_MS: u64 = 5_000;
/// Bytes that are read of such a list.
pub const LISTING_BYTES: usize = 256 * 1024;
/// How long a host's program may take to add relay's server or take it out, in
/// milliseconds.
pub const CHANGE_MS: u64 = 60_000;
/// How long date(1) may take to say the hour, in milliseconds.
pub const DATE_MS: u64 = 5_000;
/// What is read of a program that may be relay's launcher, in bytes.
pub const LAUNCHER_BYTES: usize = 16 * 1024;
/// How long `install` waits for a host's program to say what it has, in milliseconds.
pub const CHECK_MS: u64 = 20_000;
/// How long `doctor` waits for a program to say its version, in milliseconds.
pub const VERSION_MS: u64 = 5_000;
/// Free space below which `doctor` calls a file system full, in bytes.
pub const FULL_BYTES: u64 = 16 * 1024;
/// How far the clock may be set back before a hold counts as one of another time,
/// and `doctor` doubts the clock, in milliseconds.
pub const CLOCK_SLACK_MS: u64 = 5 * 60 * 1000;
/// How far a clock may have been put back since a message was made before it is
/// looked for in every mailbox, in milliseconds.
pub const CLOCK_BACK_MS: u64 = 86_400_000;
/// What is read of what a host's program says.
pub const CHECK_BYTES: usize = 64 * 1024;
/// Ancestors that a search for the host process climbs.
pub const ANCESTORS: usize = 16;
/// Sessions that one host process is remembered for.
pub const PROCESS_SESSIONS: usize = 32;
/// A day in milliseconds.
pub const DAY_MS: u64 = 86_400_000;
/// How old a record's note of when its session was seen gets while it is in use,
/// in milliseconds.
pub const SEEN_MS: u64 = DAY_MS;
/// How long a session counts as live after it was seen, in milliseconds, where its
/// host's process cannot be looked at: in another container, or without `/proc`.
pub const UNSEEN_LIVE_MS: u64 = 2 * SEEN_MS;
/// Successors followed from a session id before giving up on a cycle: each
/// `/clear` of a conversation adds one.
pub const SUCCESSIONS: usize = 10_000;
/// Unfinished moves of mail that a reader finishes before its own, and how often
/// a reader or sender that meets a move begins anew.
pub const MOVES: usize = 64;
/// Longest failure note a hook leaves for `doctor`, in bytes.
pub const FAILURE_NOTE_BYTES: usize = 2_000;

const _: () =
    assert!(BODY_BYTES * 6 + GROUP_BYTES * 6 + 16 * 1024 <= RECORD_BYTES, "an escaped body fits a record");
const _: () =
    assert!(2 * PATH_BYTES * 6 + 8 * 1024 <= STATE_FILE_BYTES, "escaped paths fit a session's record");
const _: () = assert!(INJECT_HEAD_BYTES * 2 < INJECT_BYTES, "a head never fills an injection");
const _: () = assert!(COMMAND_HOLD_MS <= COMMAND_HOLD_SECONDS * 1000);
const _: () = assert!(COMMAND_HOLD_SECONDS * 1000 <= SESSION_HOLD_MS);
const _: () = assert!(TRANSCRIPT_TAIL_BYTES <= TRANSCRIPT_TURN_BYTES);
