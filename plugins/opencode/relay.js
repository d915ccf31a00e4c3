// relay for opencode 1.x: mail between the coding-agent sessions of this machine.
//
// opencode runs no commands at its events, so this plugin does: it hands each
// event to `relay hook opencode` in the form other hosts use, and puts what
// relay prints before the model. It also starts relay's tools (`relay bus`),
// unless the user's configuration does, and tells them which session calls.
//
// Whatever fails here, opencode goes on as if there were no relay.
import { spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

// In relay's own repository the binary lies beside; installed, it is on the PATH.
const beside = fileURLToPath(new URL("../../bin/relay", import.meta.url))
const RELAY = import.meta.url.endsWith("/plugins/opencode/relay.js") && existsSync(beside) ? beside : "relay"
const HOOK_MS = 10_000
const LINE_CHARS = 65_536
const TOOLS = /_(whoami|register|roster|send|inbox|discover)$/

// Listens for relay's tools, which ring when mail waits: a line of JSON for each
// connection, {"session": id, "text": what to say}. Returns the socket's path, in
// a folder that is open to the user alone.
function listen(ring) {
  try {
    const folder = join(tmpdir(), `relay-opencode-${process.getuid()}`)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const found = lstatSync(folder)
    if (!found.isDirectory() || found.uid !== process.getuid() || found.mode & 0o077) return
    for (const name of readdirSync(folder)) if (!runs(name.split("-")[0])) rmSync(join(folder, name), { force: true })
    const path = join(folder, `${process.pid}-${randomUUID().slice(0, 8)}`)
    const server = createServer((caller) => {
      let line = ""
      caller.setEncoding("utf8").on("error", () => {})
      caller.on("data", (text) => (line += text).length > LINE_CHARS && caller.destroy())
      caller.on("end", () => ring(line))
    })
    server.on("error", () => {}).listen(path)
    server.unref()
    return path
  } catch {} // then nobody can ring
}

function runs(pid) {
  try {
    return process.kill(Number(pid), 0)
  } catch (error) {
    return error.code === "EPERM"
  }
}

export const Relay = async ({ client, directory }) => {
  const sessions = new Map()
  let servers = []

  // What is known of a session. `speaker` is the session whose mail it may
  // read and send: itself, or for a subagent the one that a person talks to.
  async function lookup(id) {
    if (!sessions.has(id)) {
      const { data } = await client.session.get({ path: { id } })
      const speaker = data.parentID ? (await lookup(data.parentID)).speaker : id
      sessions.set(id, { id, speaker, directory: data.directory ?? directory, met: false, unsent: "" })
    }
    return sessions.get(id)
  }

  // Runs relay's hook, as a child of opencode itself. Returns the text for the model.
  function hook(session, event, more) {
    return new Promise((resolve) => {
      const child = spawn(RELAY, ["hook", "opencode"], { cwd: directory, stdio: ["pipe", "pipe", "ignore"] })
      const timer = setTimeout(() => child.kill(), HOOK_MS)
      let printed = ""
      child.stdout.setEncoding("utf8").on("data", (text) => (printed += text))
      child.stdin.on("error", () => {})
      child.on("error", () => resolve(""))
      child.on("close", () => {
        clearTimeout(timer)
        try {
          const answer = JSON.parse(printed)
          resolve(answer.hookSpecificOutput?.additionalContext ?? answer.reason ?? "")
        } catch {
          resolve("")
        }
      })
      child.stdin.end(JSON.stringify({ session_id: session.id, cwd: session.directory, hook_event_name: event, ...more }))
    })
  }

  // The mail for this session at this event; a subagent gets none.
  async function mail(id, event, more) {
    const session = await lookup(id)
    if (session.speaker !== id) return ""
    const unsent = session.unsent
    session.unsent = ""
    // With that, it is no new turn for relay, at which it would give the same again.
    return unsent + (await hook(session, event, unsent ? { ...more, prompt: "" } : more))
  }

  const isOurs = (tool) => TOOLS.test(tool) && servers.some((name) => tool.startsWith(name + "_"))
  // `synthetic`: opencode does not pass it off as the user's words.
  const part = (text, relay) => ({ type: "text", text, synthetic: true, metadata: { relay } })

  // A message of relay's own: the text for the model, its first line for the person.
  const message = (session, text, relay) => ({
    ...session.voice,
    parts: [part(text, relay), { type: "text", text: text.split("\n")[0], ignored: true }],
  })

  // Starts a turn in an idle session; its mail comes by `chat.message` below. A
  // busy one looks for mail itself, at its next step.
  async function ring(line) {
    const { session: id, text } = JSON.parse(line)
    const session = await lookup(id)
    if (session.busy) return
    const query = { directory: session.directory }
    await client.session.promptAsync({ path: { id }, query, body: message(session, text, "bell") })
  }

  const bell = listen((line) => ring(line).catch(() => {}))

  const hooks = {
    async config(config) {
      const isRelay = ([, { command = [] }]) => command.includes("bus") && command.some((word) => /(^|\/)relay[^/]*$/.test(word))
      const named = Object.entries(config.mcp ?? {}).filter(isRelay).map(([name]) => name)
      if (!named.length) config.mcp = { ...config.mcp, relay: { type: "local", command: [RELAY, "bus"] } }
      for (const name of named.length ? named : ["relay"]) {
        const server = config.mcp[name]
        server.environment = { ...server.environment, ...(bell && { RELAY_OPENCODE_BELL: bell }) }
      }
      servers = (named.length ? named : ["relay"]).map((name) => name.replace(/[^a-zA-Z0-9_-]/g, "_"))
    },

    async "chat.message"({ sessionID }, { message, parts }) {
      const last = parts.at(-1)
      if (!last || parts.some((part) => part.metadata?.relay === "mail")) return
      const session = await lookup(sessionID)
      const { providerID, modelID, variant } = message.model ?? {}
      session.voice = { agent: message.agent, variant, ...(modelID && { model: { providerID, modelID } }) }
      const event = session.met ? "UserPromptSubmit" : "SessionStart"
      session.met = true
      // What is said while a turn runs is one more of it.
      const text = await mail(sessionID, event, { prompt_id: message.id, ...(session.busy && { prompt: "" }) })
      // Parts stand in the order of their ids: this comes right after the last.
      if (text) parts.push({ ...part(text, "mail"), id: last.id + "r", messageID: message.id, sessionID })
    },

    async "tool.execute.before"({ tool, sessionID }, { args }) {
      delete args?.relay_session // a model does not say who it is
      if (isOurs(tool)) args.relay_session = (await lookup(sessionID)).speaker
    },

    // opencode keeps that in the conversation; its model need not see it.
    async "experimental.chat.messages.transform"(_, { messages }) {
      for (const { parts } of messages) for (const part of parts) delete part.state?.input?.relay_session
    },

    async "tool.execute.after"({ tool, sessionID, callID }, output) {
      const text = await mail(sessionID, "PostToolUse", { tool_use_id: callID, tool_name: tool })
      if (!text) return
      // A long result of an MCP tool will be cut at its end.
      if (Array.isArray(output.content)) output.content.unshift({ type: "text", text })
      else output.output += "\n\n" + text
    },

    // The model has said something and may be about to stop: with a newer
    // message in the conversation, opencode asks it again instead.
    async "experimental.text.complete"({ sessionID, partID }) {
      const text = await mail(sessionID, "Stop", { message_id: partID })
      if (!text) return
      const session = await lookup(sessionID)
      const body = { noReply: true, ...message(session, text, "mail") }
      const sent = await client.session.prompt({ path: { id: sessionID }, body }).catch((error) => ({ error }))
      if (sent.error) session.unsent = text
    },

    // relay's command line in the session's shell is that session.
    async "shell.env"({ sessionID }, { env }) {
      if (sessionID) env.RELAY_OPENCODE_SESSION = (await lookup(sessionID)).speaker
    },

    async event({ event }) {
      if (event.type === "session.status" && sessions.has(event.properties.sessionID))
        sessions.get(event.properties.sessionID).busy = event.properties.status.type !== "idle"
      const id = event.type === "session.deleted" && event.properties.info?.id
      if (!id || !sessions.has(id)) return
      await mail(id, "SessionEnd", { reason: "deleted" })
      sessions.delete(id)
    },
  }

  const guarded = (run) => (...given) => run(...given).catch(() => {})
  return Object.fromEntries(Object.entries(hooks).map(([name, run]) => [name, guarded(run)]))
}
