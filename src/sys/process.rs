//! Processes: who is alive, and which process of a host started this one.
//!
//! Invariant: a process is named by pid, start time and, in a container, its
//! pid namespace, so that none is ever taken for another; what runs where this
//! process cannot look is not said to have ended.

use std::fmt;
use std::sync::{Mutex, OnceLock};

use crate::error::{Error, Result};
use crate::limits::ANCESTORS;

/// One process of this boot. Its text form, `<pid>-<start>`, is a safe file name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Process {
    pub pid: u32,
    /// When it started, in the system's own words, and its pid namespace where
    /// that is not the machine's own.
    start: String,
}

/// What can be told of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    Runs,
    Ended,
    /// It is, or was, in another pid namespace, or nothing tells of processes here.
    Unknown,
}

/// What the system tells about a process.
struct Facts {
    pid: u32,
    parent: u32,
    start: String,
    is_shell: bool,
    ended: bool,
}

impl Process {
    /// This very process.
    pub fn current() -> Option<Process> {
        static CURRENT: OnceLock<Option<Process>> = OnceLock::new();
        CURRENT.get_or_init(|| own_facts().map(Process::from)).clone()
    }

    /// The process that has this pid now.
    pub fn of(pid: u32) -> Option<Process> {
        facts(pid).filter(|facts| !facts.ended).map(Process::from)
    }

    /// The child of this process that has this pid, in the numbers of this process's
    /// namespace; `None` where `/proc` has others.
    pub fn child(pid: u32) -> Option<Process> {
        has_own_numbers().then(|| Process::of(pid))?
    }

    /// Reads the text form.
    pub fn parse(text: &str) -> Option<Process> {
        let (pid, start) = text.split_once('-')?;
        let safe = !start.is_empty() && start.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (safe && start.len() <= 32).then_some(Process { pid: pid.parse().ok()?, start: start.to_owned() })
    }

    /// Whether it still runs, as far as can be told.
    pub fn life(&self) -> Life {
        match Process::of(self.pid) {
            Some(now) if now == *self => Life::Runs,
            _ if own_namespace().is_some_and(|own| own == self.namespace()) => Life::Ended,
            _ => Life::Unknown,
        }
    }

    /// Whether it still runs, for sure.
    pub fn is_alive(&self) -> bool {
        self.life() == Life::Runs
    }

    /// Whether it runs no more, for sure.
    pub fn has_ended(&self) -> bool {
        self.life() == Life::Ended
    }

    /// Whether this is when it started, in the system's own words as another program
    /// has noted them.
    pub fn started(&self, start: &str) -> bool {
        let own = self.start.strip_suffix(self.namespace()).unwrap_or_default();
        own.bytes().eq(start.bytes().filter(u8::is_ascii_alphanumeric))
    }

    /// Its pid namespace; empty for the machine's own.
    fn namespace(&self) -> &str {
        self.start.find(NAMESPACE).map_or("", |at| &self.start[at..])
    }

    /// Stands for a process of which nothing tells: it is in no namespace.
    pub fn unknown() -> Process {
        Process { pid: 0, start: NAMESPACE.to_string() }
    }
}

impl From<Facts> for Process {
    fn from(facts: Facts) -> Process {
        let start = facts.start + &namespace_of(facts.pid);
        Process { pid: facts.pid, start }
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.pid, self.start)
    }
}

/// The agent host (or other program) that started this process: the nearest
/// ancestor that is not a shell. It stays the same for as long as the parent does,
/// so a process that runs on asks once.
pub fn host_process() -> Option<Process> {
    static HOST: Mutex<Option<(u32, Process)>> = Mutex::new(None);
    let parent = std::os::unix::process::parent_id();
    let mut known = HOST.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    match &*known {
        Some((of, host)) if *of == parent => Some(host.clone()),
        _ => {
            let host = nearest_host()?;
            *known = Some((parent, host.clone()));
            Some(host)
        }
    }
}

fn nearest_host() -> Option<Process> {
    let mut pid = parent()?;
    for _ in 0..ANCESTORS {
        let facts = facts(pid)?;
        if !facts.is_shell {
            return Some(facts.into());
        }
        pid = facts.parent;
    }
    None
}

/// The file of this very program.
pub fn executable() -> Result<std::path::PathBuf> {
    std::env::current_exe().map_err(|e| Error::failed(format!("cannot tell where relay itself is: {e}")))
}

/// The processes of this user that run a program named after relay with `verb`
/// as their first word, and the file of each, even one that was replaced; none
/// where the system has no `/proc`.
pub fn running(verb: &str) -> Vec<(u32, std::path::PathBuf)> {
    let mut pids: Vec<u32> = Vec::new();
    let _ = super::file::open("/proc".as_ref()).and_then(|proc| {
        super::folder::each(&proc, &mut |entry| {
            pids.extend(entry.name.parse::<u32>());
            true
        })
    });
    let mut found = Vec::new();
    for pid in pids {
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let mut words = command.split(|byte| *byte == 0);
        let name = words.next().and_then(|program| program.rsplit(|byte| *byte == b'/').next());
        let is_relay = name.is_some_and(|name| name.starts_with(b"relay"));
        let program = std::path::PathBuf::from(format!("/proc/{pid}/exe"));
        // The link of another user's process cannot be read.
        if is_relay && words.next() == Some(verb.as_bytes()) && program.read_link().is_ok() {
            found.push((pid, program));
        }
    }
    found
}

/// Leaves the terminal: what ends there does not end this process.
pub fn leave_terminal() {
    // It fails for a leader of a process group, which has left already.
    let _ = rustix::process::setsid();
}

/// The user this process runs as.
pub fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Hosts run hooks and commands through these.
fn is_shell(command: &str) -> bool {
    let name = command.rsplit('/').next().unwrap_or(command).trim_start_matches('-');
    matches!(
        name,
        "sh" | "bash" | "dash" | "zsh" | "fish" | "ksh" | "mksh" | "ash" | "busybox" | "env" | "timeout"
    )
}

/// What begins a namespace behind a start time; no letter of a month or day.
const NAMESPACE: char = 'x';

/// The machine's own pid namespace: `PROC_PID_INIT_INO` of Linux.
#[cfg(target_os = "linux")]
const MACHINE: u64 = 0xefff_fffc;

/// The pid namespace of a process, behind [`NAMESPACE`]; empty for the machine's
/// own. One that may not be looked at is taken to be in this process's.
#[cfg(target_os = "linux")]
fn namespace_of(pid: u32) -> String {
    if is_in_machine() {
        return String::new();
    }
    match namespace_number(&pid.to_string()).or_else(|_| namespace_number("self")) {
        Ok(MACHINE) | Err(_) => String::new(),
        Ok(other) => format!("{NAMESPACE}{other}"),
    }
}

/// Whether this process is in the machine's own namespace, as nearly always: then
/// nothing needs a look but this.
#[cfg(target_os = "linux")]
fn is_in_machine() -> bool {
    static IS: OnceLock<bool> = OnceLock::new();
    *IS.get_or_init(|| namespace_number("self").is_ok_and(|number| number == MACHINE))
}

/// This process's own; `None` where nothing tells of processes.
#[cfg(target_os = "linux")]
fn own_namespace() -> Option<String> {
    match is_in_machine() {
        true => Some(String::new()),
        false => Process::current().map(|own| own.namespace().to_owned()),
    }
}

#[cfg(not(target_os = "linux"))]
fn own_namespace() -> Option<String> {
    Process::current().map(|_| String::new())
}

#[cfg(target_os = "linux")]
fn namespace_number(who: &str) -> rustix::io::Result<u64> {
    rustix::fs::stat(format!("/proc/{who}/ns/pid")).map(|found| found.st_ino)
}

#[cfg(not(target_os = "linux"))]
fn namespace_of(_pid: u32) -> String {
    String::new()
}

/// This process, by the numbers of `/proc`, which may be that of another namespace.
#[cfg(target_os = "linux")]
fn own_facts() -> Option<Facts> {
    facts_of("self")
}

#[cfg(not(target_os = "linux"))]
fn own_facts() -> Option<Facts> {
    facts(std::process::id())
}

/// This process's parent, by the same numbers.
fn parent() -> Option<u32> {
    match has_own_numbers() {
        true => Some(std::os::unix::process::parent_id()),
        false => own_facts().map(|facts| facts.parent),
    }
}

/// Whether `/proc` is that of this process's own namespace.
#[cfg(target_os = "linux")]
fn has_own_numbers() -> bool {
    let own = || std::fs::read_link("/proc/self");
    is_in_machine() || own().is_ok_and(|own| own.as_os_str() == &*std::process::id().to_string())
}

#[cfg(not(target_os = "linux"))]
fn has_own_numbers() -> bool {
    true
}

#[cfg(target_os = "linux")]
fn facts(pid: u32) -> Option<Facts> {
    facts_of(&pid.to_string())
}

/// `/proc/<pid>/stat`: proc(5). The command may hold anything, so fields are
/// counted from the last closing parenthesis.
#[cfg(target_os = "linux")]
fn facts_of(who: &str) -> Option<Facts> {
    use std::io::Read;
    let mut line = [0u8; 1024]; // always longer than the line, which comes whole
    let length = super::file::open(format!("/proc/{who}/stat").as_ref()).ok()?.read(&mut line).ok()?;
    let stat = String::from_utf8_lossy(&line[..length]);
    let (head, tail) = stat.rsplit_once(')')?;
    let (pid, command) = head.split_once(" (")?;
    let mut fields = tail.split_ascii_whitespace();
    let ended = matches!(fields.next()?, "Z" | "X");
    let parent = fields.next()?.parse().ok()?;
    let start = fields.nth(17)?.to_owned();
    Some(Facts { pid: pid.parse().ok()?, parent, start, is_shell: is_shell(command), ended })
}

/// `ps` is the one way to a start time without unsafe code. Without `-ww` it cuts
/// the command.
#[cfg(not(target_os = "linux"))]
fn facts(pid: u32) -> Option<Facts> {
    let output = std::process::Command::new("/bin/ps")
        .args(["-ww", "-o", "ppid=,state=,lstart=,comm=", "-p", &pid.to_string()])
        .env_clear()
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .stdin(std::process::Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut words = text.split_ascii_whitespace();
    let parent = words.next()?.parse().ok()?;
    let ended = words.next()?.starts_with('Z');
    let start: String =
        words.by_ref().take(5).flat_map(str::chars).filter(char::is_ascii_alphanumeric).collect();
    let command = words.collect::<Vec<_>>().join(" ");
    (!start.is_empty()).then_some(Facts { pid, parent, start, is_shell: is_shell(&command), ended })
}

/// Lets go of children that have ended, where nobody waits for one.
pub fn reap() {
    while let Ok(Some(_)) = rustix::process::wait(rustix::process::WaitOptions::NOHANG) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive_and_its_text_form_reads_back() {
        let me = Process::current().unwrap();
        assert!(me.is_alive());
        assert_eq!(Process::parse(&me.to_string()), Some(me.clone()));
        let earlier = Process { pid: me.pid, start: "1".to_owned() };
        assert!(!earlier.is_alive(), "same pid, other start: another process");
        let contained = Process { pid: 1, start: "387528x4026532178".to_owned() };
        assert!(contained.started("387528") && !contained.started("38752") && !contained.started(""));
        for bad in ["", "1", "x-1", "1-", "1-../x", "1-a b"] {
            assert_eq!(Process::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_zombie_is_dead() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        while facts(pid).is_some_and(|facts| !facts.ended) {
            std::thread::yield_now();
        }
        assert!(Process::of(pid).is_none());
        child.wait().unwrap();
    }
}
