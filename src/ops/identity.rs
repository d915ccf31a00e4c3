//! Which session is this process? Asked anew for every call.
//!
//! Invariant: each answer rests on something the host said or a hook of the
//! same host process saw, in the order of DESIGN's identity steps; never on an
//! argument, never on a guess.

use std::path::Path;

use super::Relay;
use super::announce::announce_own;
use super::find::{Found, by_id, keep, latest};
use super::roster::with_rooms;
use crate::error::{Cause, Error, Result};
use crate::host::{self, Host};
use crate::json::{self, Value};
use crate::store::{Info, Store};
use crate::sys::clock;
use crate::sys::process::{Process, host_process};
use crate::sys::watch::Watch;

/// A session and the fact that told it.
pub struct Identity {
    pub found: Found,
    /// Which step answered, in words.
    pub proof: &'static str,
}

impl Identity {
    /// The session as scripts and models see it.
    pub fn members(&self, store: &Store) -> Result<json::Object> {
        let info = &self.found.info;
        let object = json::Object::new()
            .bool("registered", true)
            .str("id", &info.id)
            .nullable("name", info.name.as_deref())
            .str("tool", &info.host)
            .nullable("dir", info.directory.as_ref().map(|path| path.to_string_lossy()).as_deref())
            .str("lastSeen", &clock::rfc3339(info.seen_ms))
            .str("identified_by", self.proof);
        Ok(with_rooms(object, &store.rooms_of(&self.found.session)?))
    }
}

/// What a door knows about one call.
#[derive(Default)]
pub struct Call {
    /// The session that the host named in the call itself.
    pub named: Option<(&'static Host, String)>,
    /// The session that the host's plugin named in the call's arguments.
    pub claimed: Option<(&'static Host, String)>,
    /// Whether a subagent of the session makes it, as far as the host says.
    pub in_subagent: bool,
}

impl Call {
    /// Reads a tool call's `_meta` and arguments.
    pub fn new(relay: &Relay, meta: Option<Value>, arguments: Option<Value>) -> Call {
        Call {
            named: meta.and_then(host::session_in_meta),
            claimed: arguments.and_then(|arguments| host::session_in_arguments(&relay.env, arguments)),
            in_subagent: meta.is_some_and(host::subagent_in_meta),
        }
    }
}

/// The calling session. An error says why there is none and what would help.
pub fn identify(relay: &Relay, call: &Call) -> Result<Identity> {
    let identity = told(relay, call)?;
    // Who of many called last says nothing about who still runs.
    if !runs_many(&identity.found.info) {
        relay.keep_live(&identity.found.session);
    }
    Ok(identity)
}

/// The session by the first of the steps that tells.
fn told(relay: &Relay, call: &Call) -> Result<Identity> {
    let by_environment = host::session_in_environment(&relay.env);
    let store = match call.named.is_some() || by_environment.is_some() {
        true => relay.store()?,
        false => relay.existing_store()?.ok_or_else(|| unknown(&[]))?,
    };
    if let Some((host, id)) = &call.named {
        let found = latest(store, announce_own(relay, store, host, id)?.session)?;
        return Ok(Identity { found, proof: "the host named it in this call" });
    }
    let process = host_process();
    let directory = host::project_directory(&relay.env);
    let mut one_of = Vec::new();
    if let Some(process) = &process {
        one_of = announced_and_running(store, process)?;
        if let Some((_, id)) = &call.claimed {
            return claimed(one_of, id);
        }
        if one_of.len() > 1 {
            keep(&mut one_of, &|found| is_in(&found.info, &directory));
        }
        if (one_of.len() == 1 || !one_of.iter().any(|found| runs_many(&found.info)))
            && let Some(found) = one_of.pop()
        {
            return Ok(Identity { found, proof: "a hook of the same host process announced it" });
        }
    }
    if let Some((host, id)) = by_environment {
        let found = by_id(store, &id)?;
        if may_be_ours(host, &found.info, process.as_ref()) {
            let found = match found.info.host.is_empty() {
                true => announce_own(relay, store, host, &id)?,
                false => found,
            };
            return Ok(Identity { found, proof: "the host put its id into the environment" });
        }
    }
    if one_of.is_empty() {
        one_of = live_in_directory(store, &relay.env, &directory, process.as_ref())?;
        if one_of.len() == 1 {
            let proof = "it is the only live session of this host in this directory";
            return Ok(Identity { found: one_of.remove(0), proof });
        }
    }
    Err(unknown(&one_of))
}

/// The sessions that hooks of this process's host announced and that it still
/// runs. All that it announced are watched, because what it runs shows in them.
pub fn sessions_of_this_host(store: &Store, watch: &mut Watch) -> Result<Vec<Found>> {
    let Some(process) = host_process() else { return Ok(Vec::new()) };
    store.announced_by(&process)?.iter().for_each(|session| session.watch(watch));
    announced_and_running(store, &process)
}

fn announced_and_running(store: &Store, process: &Process) -> Result<Vec<Found>> {
    let mut here: Vec<Found> = Vec::new();
    for session in store.announced_by(process)? {
        let found = latest(store, session)?;
        keep(&mut here, &|earlier| earlier.session != found.session);
        if found.info.process.as_ref() == Some(process) {
            here.push(found);
        }
    }
    Ok(here)
}

/// The session that the host's plugin named in the call. It is believed when a
/// hook of our own host process announced it: so the plugin runs there, and the
/// plugin overwrites whatever a model puts into that argument.
fn claimed(mut announced: Vec<Found>, id: &str) -> Result<Identity> {
    let named = announced.iter().position(|found| found.info.id == id && runs_many(&found.info));
    let found = announced.swap_remove(named.ok_or_else(|| unknown(&[]))?);
    Ok(Identity { found, proof: "the host's plugin named it in this call" })
}

/// Whether the session's host runs several sessions in one process.
fn runs_many(info: &Info) -> bool {
    host::named(&info.host).is_some_and(|host| host.runs_many())
}

/// Whether an inherited variable can be right: not when that session is known
/// to run in another process than the one that started us.
fn may_be_ours(host: &Host, info: &Info, process: Option<&Process>) -> bool {
    match &info.process {
        Some(theirs) if Some(theirs) == process => true,
        // Its plugin sets the variable, and announces the session before.
        _ if host.runs_many() => false,
        Some(theirs) => !theirs.is_alive(),
        None => true,
    }
}

/// Live sessions of the host that started this process, in this directory.
fn live_in_directory(
    store: &Store,
    env: &crate::sys::Env,
    directory: &Path,
    process: Option<&Process>,
) -> Result<Vec<Found>> {
    let Some(host) = host::in_environment(env) else { return Ok(Vec::new()) };
    let mut candidates = Vec::new();
    for session in store.sessions()? {
        let Ok(Some(info)) = session.info() else { continue };
        let fits = info.successor.is_none()
            && info.host == host.name
            && may_be_ours(host, &info, process)
            && session.is_live(&info)
            && is_in(&info, directory);
        if fits {
            candidates.push(Found { session, info });
        }
    }
    Ok(candidates)
}

/// Whether the session is in this directory, whatever links lead there.
fn is_in(info: &Info, directory: &Path) -> bool {
    info.directory.as_deref().is_some_and(|known| {
        known == directory
            || known.canonicalize().ok().is_some_and(|real| directory.canonicalize().ok() == Some(real))
    })
}

fn unknown(candidates: &[Found]) -> Error {
    let names: Vec<&str> = candidates.iter().map(|found| found.info.label()).collect();
    Error::new(Cause::Unidentified, match names.as_slice() {
        [] => "relay cannot tell which session this is: its hook has not seen it yet (it does at the session's first \
               prompt, once the hook is installed and trusted); see `relay doctor`"
            .to_owned(),
        names => format!(
            "relay cannot tell which session this is: it could be {}; relay's hook tells them apart once it runs",
            names.join(" or ")
        ),
    })
}
