// relay for omp (oh-my-pi) 18.x: mail between the coding-agent sessions of this machine.
//
// omp runs no commands at its events, so this extension does: it hands each
// event to `relay hook omp` in the form other hosts use, and puts what relay
// prints before the model. relay's tools are omp tools here, in front of one
// `relay bus` for all sessions of the process, which it tells who calls.
//
// Whatever fails here, omp goes on as if there were no relay.
import { spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { existsSync, lstatSync, mkdirSync, readdirSync, realpathSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

// In relay's own repository the binary lies beside; installed, it is on the PATH.
const here = realpathSync(fileURLToPath(import.meta.url))
const beside = join(dirname(here), "../../bin/relay")
const RELAY = here.endsWith("/plugins/omp/relay.js") && existsSync(beside) ? beside : "relay"
const HOOK_MS = 10_000
const START_MS = 3_000
const LINE_CHARS = 65_536

// The sessions that people talk to, by id: what rings each.
const live = new Map()
let bell, bus

// The session that speaks here. A subagent speaks for the one that a person
// talks to: its file lies in a folder whose name ends in that session's id.
function speaker({ sessionManager, agent }) {
  const file = sessionManager.getSessionFile() ?? ""
  const above = /\dZ_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})[/\\]/.exec(file)
  if (above) return above[1]
  if (agent ? agent.kind === "main" : file) return sessionManager.getSessionId()
  return live.size === 1 ? live.keys().next().value : undefined
}

// Runs relay's hook, as a child of omp itself. Returns the text for the model.
function hook(event) {
  return new Promise((resolve) => {
    const child = spawn(RELAY, ["hook", "omp"], { stdio: ["pipe", "pipe", "ignore"] })
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
    child.stdin.end(JSON.stringify(event))
  })
}

// Listens for the bus, which rings when mail waits: a line of JSON for each
// connection, {"session": id, "text": what to say}; it is closed when that has
// been done. Returns the socket's path, in a folder that is open to the user alone.
function listen() {
  try {
    const folder = join(tmpdir(), `relay-omp-${process.getuid()}`)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const found = lstatSync(folder)
    if (!found.isDirectory() || found.uid !== process.getuid() || found.mode & 0o077) return
    for (const name of readdirSync(folder)) if (!runs(name.split("-")[0])) rmSync(join(folder, name), { force: true })
    const path = join(folder, `${process.pid}-${randomUUID().slice(0, 8)}`)
    const server = createServer({ allowHalfOpen: true }, (caller) => {
      let line = ""
      caller.setEncoding("utf8").on("error", () => {})
      caller.on("data", (text) => (line += text).length > LINE_CHARS && caller.destroy())
      caller.on("end", () => ring(line).catch(() => {}).then(() => caller.end()))
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

async function ring(line) {
  const { session, text } = JSON.parse(line)
  await live.get(session)?.(text)
}

// The one bus of this process, started when there is none: `ask` sends it a
// request and gives the answer.
function connect() {
  if (bus) return bus
  bell ??= listen()
  const env = { ...process.env, OMPCODE: "1", ...(bell && { RELAY_OMP_BELL: bell }) }
  const child = spawn(RELAY, ["bus"], { stdio: ["pipe", "pipe", "ignore"], env })
  const open = new Map()
  let number = 0
  let rest = ""
  const say = (message) => child.stdin.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n")
  const over = () => {
    if (bus === mine) bus = undefined
    for (const give of open.values()) give({ error: { message: "relay has ended" } })
  }
  const mine = {
    ask(method, params, signal) {
      const id = ++number
      return new Promise((resolve) => {
        const cancel = () => {
          say({ method: "notifications/cancelled", params: { requestId: id } })
          give({ error: { message: "cancelled" } })
        }
        const awake = setInterval(() => {}, START_MS) // while somebody waits omp does not end
        const give = (answer) => {
          clearInterval(awake)
          open.delete(id)
          signal?.removeEventListener("abort", cancel)
          resolve(answer)
        }
        open.set(id, give)
        signal?.addEventListener("abort", cancel)
        if (signal?.aborted) cancel()
        else say({ id, method, params })
      })
    },
  }
  child.stdin.on("error", () => {})
  child.on("error", over).on("close", over)
  child.stdout.setEncoding("utf8").on("data", (text) => {
    const lines = (rest + text).split("\n")
    rest = lines.pop()
    for (const line of lines) {
      try {
        const answer = JSON.parse(line)
        open.get(answer.id)?.(answer)
      } catch {} // no answer to anybody
    }
  })
  // omp ends although the bus runs: that ends with its input.
  for (const part of [child, child.stdin, child.stdout]) part.unref?.()
  const clientInfo = { name: "omp", version: "18" }
  mine.ready = mine.ask("initialize", { protocolVersion: "2025-06-18", capabilities: {}, clientInfo })
  say({ method: "notifications/initialized" })
  return (bus = mine)
}

// relay's tools as the bus tells them; none if it does not in time.
async function tools() {
  const signal = AbortSignal.timeout(START_MS)
  const { ask, ready } = connect()
  const { result } = await ask("tools/list", {}, signal)
  const about = result && (await ready).result?.instructions
  // omp has no other place for what is to be known about all of them.
  return (result?.tools ?? []).map((tool, at) => (at ? tool : { ...tool, description: `${tool.description} ${about}` }))
}

function asTool({ name, description, inputSchema, annotations }) {
  return {
    name: `relay_${name}`,
    label: `relay ${name}`,
    description,
    parameters: inputSchema,
    loadMode: "essential", // else the model finds it only behind another tool
    approval: annotations?.readOnlyHint ? "read" : "write",
    async execute(_call, given, signal, _update, ctx) {
      // omp adds arguments of its own; and a model does not say who it is.
      const known = Object.entries(given ?? {}).filter(([key]) => key in inputSchema.properties)
      const call = { name, arguments: { ...Object.fromEntries(known), relay_session: speaker(ctx) } }
      const { result, error } = await connect().ask("tools/call", call, signal)
      const content = result?.content ?? [{ type: "text", text: `relay: ${error?.message ?? "no answer"}` }]
      return { content, isError: !result || result.isError === true }
    },
  }
}

export default async function relay(pi) {
  // The session that this binding serves; omp makes one for each subagent, too.
  const fresh = (id) => ({ id, calls: new Map(), shown: false, unsent: "", said: "" })
  let session = fresh()

  // The mail for this session at this event; a subagent gets none.
  async function mail(ctx, event, more) {
    const id = ctx.sessionManager.getSessionId()
    if (speaker(ctx) !== id) return ""
    return hook({ session_id: id, cwd: ctx.cwd, hook_event_name: event, ...more })
  }

  // The mail at a prompt. Where text is left that was not sent, it is no new turn for
  // relay, at which it would give the same again.
  const mailAtPrompt = (ctx, unsent) =>
    mail(ctx, "UserPromptSubmit", { prompt_id: randomUUID(), ...(unsent && { prompt: "" }) })

  // The conversation here is this one now. `source`: what it was before.
  async function begin(ctx, source) {
    const id = ctx.sessionManager.getSessionId()
    if (speaker(ctx) !== id || session.id === id) return
    const old = session.id
    if (live.delete(old)) await hook({ session_id: old, cwd: ctx.cwd, hook_event_name: "SessionEnd", reason: source })
    session = fresh(id)
    live.set(id, (text) => wake(ctx, text))
    session.unsent = await mail(ctx, "SessionStart", { source })
  }

  // Starts a turn with the mail that waits, if the session is idle; a busy one
  // looks for mail itself, at its next step.
  async function wake(ctx, text) {
    if (!ctx.isIdle() || ctx.hasPendingMessages()) return
    const waiting = await mailAtPrompt(ctx, session.unsent)
    session.unsent += waiting
    if (!session.unsent) return
    const content = `${text}\n\n${session.unsent}`
    pi.sendMessage({ customType: "relay", content, display: true, attribution: "agent" }, { triggerTurn: true })
  }

  const handlers = {
    session_start: (_, ctx) => begin(ctx, "startup"),
    // Whoever starts anew goes on under another id (to clear or rewind leaves it as it
    // is); whoever chooses another conversation, or forks one, leaves this one behind.
    session_switch: ({ reason }, ctx) => begin(ctx, reason === "new" ? "clear" : "resume"),
    session_branch: (_, ctx) => begin(ctx, "resume"),

    // Also before the turn that mail at a turn's end starts: that has been given then.
    async before_agent_start({ prompt }, ctx) {
      await begin(ctx, "startup")
      const turn = session
      const given = turn.said && prompt === turn.said
      turn.said = ""
      const text = given ? "" : await mailAtPrompt(ctx, turn.unsent)
      turn.unsent = given ? "" : turn.unsent + text
      const content = turn.unsent
      if (!bus) connect()
      return content ? { message: { customType: "relay", content, display: false, attribution: "agent" } } : undefined
    },

    // The model is asked now: it has what was given before, and its calls are new ones.
    turn_start() {
      Object.assign(session, { calls: new Map(), shown: false, unsent: "" })
    },

    tool_execution_start({ toolCallId, toolName }) {
      session.calls.set(toolCallId, toolName)
    },

    // Once a step: a second look before the model is asked would take the first
    // for read. Not at tools that a tool calls: their results are a program's.
    async tool_result({ toolCallId, toolName, content, isError }, ctx) {
      const turn = session
      if (turn.shown || turn.calls.get(toolCallId) !== toolName) return
      turn.shown = true
      const text = await mail(ctx, "PostToolUse", { tool_use_id: toolCallId, tool_name: toolName })
      turn.shown = text !== ""
      return text ? { content: [...content, { type: "text", text }], isError } : undefined
    },

    // If somebody is quicker with a prompt, omp drops the answer: it goes with that prompt then.
    async session_stop({ turn_id: turn, last_assistant_message: last }, ctx) {
      const reason = await mail(ctx, "Stop", { message_id: `${turn}-${last?.timestamp}` })
      if (!reason) return
      Object.assign(session, { said: reason, unsent: reason })
      return { decision: "block", reason }
    },

    async session_shutdown(_, ctx) {
      if (live.delete(ctx.sessionManager.getSessionId())) await mail(ctx, "SessionEnd", { reason: "exit" })
    },
  }

  for (const [event, run] of Object.entries(handlers))
    pi.on(event, async (...given) => {
      try {
        return await run(...given)
      } catch {} // omp goes on
    })
  for (const tool of await tools().catch(() => [])) pi.registerTool(asTool(tool))
}
