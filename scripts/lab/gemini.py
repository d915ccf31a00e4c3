"""Scenarios: Gemini CLI, which nothing rings; its hooks carry all mail."""
import json
import subprocess
import threading
import time

import alone
import terminal
from hosts import RUN_SECONDS, Host, kill, until_file
from model import Step, text, tool
from reading import once, plain, showings

# Longer than relay's bell waits for a hook to take the mail.
IDLE_SECONDS = 4

EVENTS = ["SessionStart", "BeforeAgent", "BeforeTool", "AfterTool", "AfterAgent", "SessionEnd"]


class Gemini(Host):
    name = "gemini"
    tool_name = "mcp_relay_{}"
    session_pattern = r'"session_id":\s*"([0-9a-f-]{36})"'

    def configure(self):
        folder = self.lab.home / ".gemini"
        folder.mkdir(exist_ok=True)
        hook = {"type": "command", "command": f"'{self.lab.relay}' hook gemini", "name": "relay", "timeout": 10_000}
        (folder / "settings.json").write_text(json.dumps({
            "security": {"auth": {"selectedType": "gemini-api-key"}},
            "hooks": {event: [{**({"matcher": "invoke_agent"} if event == "BeforeTool" else {}), "hooks": [hook]}] for event in EVENTS},
            "mcpServers": {"relay": {"command": self.lab.relay, "args": ["bus"]}}}))

    def variables(self):
        return {"GEMINI_API_KEY": "x", "GOOGLE_GEMINI_BASE_URL": f"http://127.0.0.1:{self.model.port}",
                "GEMINI_MODEL": "gemini-2.5-flash", "GEMINI_CLI_TRUST_WORKSPACE": "true"}

    def arguments(self, prompt, resume):
        return [self.lab.programs["gemini"], "--output-format", "json", "--approval-mode", "yolo",
                *(["--resume", resume] if resume else []), f"--prompt={prompt}"]

    @staticmethod
    def shell(command):
        return ("run_shell_command", {"command": command, "description": "work"})

    @classmethod
    def shell_until(cls, path):
        return tool("run_shell_command", command=until_file(path), description="wait")


def gemini_start(stage):
    stage.gemini = Gemini(stage.lab, "g", "gemini-g")
    alone.start(stage, stage.gemini)


def gemini_moments(stage):
    alone.moments(stage, stage.gemini)


def gemini_reply(stage):
    alone.reply(stage, stage.gemini)


def gemini_subagent(stage):
    """Mail is for the session: its subagent does not get it, though Gemini CLI's events do not tell the two apart."""
    host = stage.gemini
    send = lambda: stage.send(host.label, "NOT for a subagent")  # noqa: E731
    finish = tool("complete_task", result={"response": "side task done"})
    host.model.script(tool("invoke_agent", agent_name="generalist", prompt="SIDETASK"), text("done"), text("done"), aside="SIDETASK",
                      aside_steps=[Step(calls=[host.shell("true")], first=send), Step(calls=[host.shell("true")]), finish])
    code, output = host.run("delegate", resume=host.session)
    aside = host.model.seen_aside
    stage.check(host, "subagent: it uses tools and is not shown the session's mail",
                len(aside) == 3 and not any("NOT for a subagent" in request for request in aside), f"{len(aside)} {aside[-1:]} {output[-1500:]}")
    stage.check(host, "subagent: the session's own model is, as soon as it is done",
                code == 0 and once(host.model.at(1), "NOT for a subagent"), output[-1500:])


def gemini_hostile(stage):
    alone.hostile(stage, stage.gemini)


def gemini_killed(stage):
    alone.killed(stage, stage.gemini)


def gemini_endless(stage):
    alone.endless(stage, stage.gemini)


def gemini_same_directory(stage):
    alone.same_directory(stage, [Gemini(stage.lab, "same-g", f"gemini-{number}") for number in (1, 2)])


def gemini_wake(stage):
    """From the shell of another session of Gemini CLI."""
    host = stage.gemini
    alone.wake(stage, host, {"GEMINI_CLI": "1", "GEMINI_SESSION_ID": "x", "GEMINI_CLI_NO_RELAUNCH": "true"})
    host.model.script(text("awake"))
    run = stage.lab.run_relay("wake", host.label, "--", "", environment=host.variables())
    stage.check(host, "wake: an empty message, which would cost the conversation, is not passed on",
                run.returncode == 0 and "You have mail from another session" in plain(host.model.at(0)), run.stdout + run.stderr)
    stage.send(host.label, "NOT in a folder like this")
    stranger = {name: value for name, value in host.variables().items() if name != "GEMINI_CLI_TRUST_WORKSPACE"}
    host.model.script(text("awake"))
    run = stage.lab.run_relay("wake", host.label, "--", "hello", environment=stranger)
    left = stage.peek(host.label)
    stage.check(host, "wake in a folder that its user does not trust: it says why it does not run, the mail waits",
                run.returncode != 0 and "trusted directory" in run.stdout + run.stderr and not host.model.seen and left["count"] == 1,
                f"{left} {run.stdout} {run.stderr}")
    host.model.script(text("seen"))
    host.run("go on", resume=host.session)


def gemini_discover(stage):
    alone.discover(stage, stage.gemini)


def gemini_bell(stage):
    """Nothing wakes it at its prompt: `list` says how mail reaches it instead."""
    row = stage.listed(stage.gemini.label)
    stage.check(stage.gemini, "idle bell: not supported by the host; list names another way", row.get("reach") == "wake", str(row))


def in_terminal(stage, label, play):
    """Plays in a real terminal: `play(host, screen)`."""
    host = Gemini(stage.lab, label, label)
    if not terminal.available():
        return stage.sheet.skip(host.name, f"{label}: in a terminal", "tmux is not installed")
    screen = terminal.gemini(stage.lab, host)
    try:
        play(host, screen)
    finally:
        screen.close()


def turn(host, screen, words, *steps):
    """A person's prompt; waits for the answer to the last of these steps."""
    host.model.script(*steps)
    screen.say(words)
    return host.model.wait_for_request(len(steps)) and screen.wait(lambda: steps[-1].text in screen.screen())


def gemini_terminal(stage):
    """In a real terminal: who it is, mail at its prompt and at its turn's end, idle, `/clear`, and its end."""
    def play(host, screen):
        turn(host, screen, "name yourself", host.bus("register", name=host.label), text("registered"))
        row = stage.listed(host.label)
        stage.check(host, "in a terminal: the bus registers the right session, which is live", row.get("live"), f"{row}\n{screen.screen()}")
        before = row.get("id")
        stage.send(host.label, "TYPED before")
        shell = tool("run_shell_command", command=f"'{stage.lab.relay}' whoami --json", description="ask")
        turn(host, screen, "go on", shell, text("second answer", first=lambda: stage.send(host.label, "AT THE end")), text("third answer"))
        stage.check(host, "in a terminal: mail is there at the prompt", once(host.model.at(0), "TYPED before"), screen.screen())
        said = plain(host.model.at(1))
        stage.check(host, "in a terminal: the command line in its shell knows the session by its host process",
                    f'"id":"{before}"' in said and "a hook of the same host process" in said, said[-1500:])
        stage.check(host, "in a terminal: mail at the turn's end goes to the model, and the person sees it",
                    once(host.model.at(2), "AT THE end") and "| AT THE end" in screen.screen(), screen.screen())
        screen.wait(lambda: stage.peek(host.label)["count"] == 0)
        host.model.script(text("woken"))
        stage.send(host.label, "WHILE idle")
        time.sleep(IDLE_SECONDS)
        row = stage.listed(host.label)
        stage.check(host, "in a terminal: idle bell: not supported by the host; mail waits, list says when it comes",
                    not host.model.seen and row.get("reach") == "step" and row.get("mail"), str(row))
        screen.say("/clear")
        screen.wait(lambda: stage.listed(host.label).get("id") not in (None, before))
        # It clears the screen last, and a line that is typed then.
        screen.wait(lambda: "third answer" not in screen.screen())
        time.sleep(screen.pause)
        after = stage.listed(host.label).get("id")
        turn(host, screen, "who are you", host.bus("whoami"), text("fourth answer"))
        stage.check(host, "/clear in a terminal: name and unread mail go to the new session",
                    after not in (None, before) and once(host.model.at(0), "WHILE idle"), f"{before} {after}\n{screen.screen()}")
        stage.check(host, "/clear in a terminal: the bus, started before, knows the new id", f'"id":"{after}"' in plain(host.model.at(1)))
        screen.say("/quit")
        ended = screen.wait(lambda: not stage.listed(host.label).get("live"))
        stage.check(host, "in a terminal: it is live no more when its person leaves", ended, str(stage.listed(host.label)))
    in_terminal(stage, "gemini-t", play)


def gemini_other_conversation(stage):
    """`/resume` puts another conversation at the prompt of the same process, and says nothing of it: back and forth."""
    def choose_other(screen):
        screen.say("/resume ")
        screen.wait(lambda: "Chat Sessions (2" in screen.screen())
        time.sleep(screen.pause)
        for key in ("Down", "Enter"):
            screen.tmux("send-keys", "-t", "host", key)
            time.sleep(screen.pause)
        screen.wait(lambda: "Type your message" in screen.screen() and "Chat Sessions" not in screen.screen())

    stage.lab.run_relay("register", "keeper-r", "--id", "aaaaaaaa-0000-4000-8000-000000000006", "--dir", str(stage.lab.home))
    # Before the terminal: a start clears away the files of sessions here in which nobody has said anything yet.
    stage.meet(Gemini(stage.lab, "gemini-r", "gemini-first"))

    def play(host, screen):
        turn(host, screen, "name yourself", host.bus("register", name="gemini-second"), text("the second"))
        choose_other(screen)
        turn(host, screen, "say so", host.bus("send", to="keeper-r", body="I AM first"), text("the first again"))
        choose_other(screen)
        stage.send("gemini-first", "FOR first")
        stage.send("gemini-second", "FOR second")
        turn(host, screen, "say so", host.bus("send", to="keeper-r", body="I AM second"), text("the second again"))
        ids = [stage.listed(name).get("id") for name in ("gemini-first", "gemini-second")]
        senders = {message["body"]: message["from"] for message in stage.peek("keeper-r")["messages"]}
        stage.check(host, "another conversation is chosen in a terminal, and back: each mail has the right sender",
                    None not in ids and senders == dict(zip(("I AM first", "I AM second"), ids)), f"{ids} {senders}\n{screen.screen()}")
        stage.check(host, "another conversation is chosen in a terminal: its mail is there, none of the other's",
                    once(host.model.at(0), "FOR second") and not showings(host.model.last(), "FOR first"), screen.screen())
        live = [stage.listed(name).get("live") for name in ("gemini-first", "gemini-second")]
        stage.check(host, "another conversation is chosen in a terminal: only that is live", live == [False, True], str(live))
    in_terminal(stage, "gemini-r", play)


class Editor:
    """Gemini CLI as an editor drives it (ACP): one process, JSON-RPC, a session for each of its threads."""

    def __init__(self, host):
        self.process = host.lab.start([host.lab.programs["gemini"], "--acp"], host.folder, host.variables(), stdin=subprocess.PIPE)
        self.folder, self.answers, self.lock, self.number = str(host.folder), {}, threading.Condition(), 0
        threading.Thread(target=self.read, daemon=True).start()
        self.ask("initialize", protocolVersion=1, clientCapabilities={"fs": {"readTextFile": False, "writeTextFile": False}})

    def read(self):
        for line in self.process.stdout:
            answer = json.loads(line)
            if "method" not in answer:
                with self.lock:
                    self.answers[answer["id"]] = answer
                    self.lock.notify_all()

    def send(self, method, **parameters):
        self.number += 1
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": self.number, "method": method, "params": parameters}) + "\n")
        self.process.stdin.flush()
        return self.number

    def wait(self, number):
        with self.lock:
            self.lock.wait_for(lambda: number in self.answers, RUN_SECONDS)
            return self.answers[number].get("result", self.answers[number])

    def ask(self, method, **parameters):
        return self.wait(self.send(method, **parameters))

    def new_session(self):
        session = self.ask("session/new", cwd=self.folder, mcpServers=[])["sessionId"]
        self.ask("session/set_mode", sessionId=session, modeId="yolo")
        return session

    def prompt(self, session, words):
        return self.send("session/prompt", sessionId=session, prompt=[{"type": "text", "text": words}])


def gemini_editor(stage):
    """Driven by an editor, one process runs several sessions at once in one directory: none is taken for another."""
    host = Gemini(stage.lab, "editor", "gemini-e")
    stage.lab.run_relay("register", "keeper-e", "--id", "aaaaaaaa-0000-4000-8000-000000000007", "--dir", str(stage.lab.home))
    editor = Editor(host)
    one = editor.new_session()
    host.model.script(host.bus("send", to="keeper-e", body="I AM alone"), text("done"))
    editor.wait(editor.prompt(one, "send"))
    two = editor.new_session()
    for session, body in ((one, "FOR ONE"), (two, "FOR TWO")):
        stage.lab.run_relay("send", "--id", session, "--", body)
    flag = stage.flag("editor-one")
    host.model.script(host.bus("send", when=flag, to="keeper-e", body="I AM one"), text("done"), aside="SECOND",
                      aside_steps=[host.bus("send", to="keeper-e", body="I AM two"), text("done")])
    at_work = editor.prompt(one, "FIRST")
    host.model.wait_for_request(1)
    editor.wait(editor.prompt(two, "SECOND"))
    open(flag, "w").close()
    editor.wait(at_work)
    senders = {message["body"]: message["from"] for message in stage.peek("keeper-e")["messages"]}
    stage.check(host, "driven by an editor: its one session is known by the bus", senders.get("I AM alone") == one, f"{senders} {one}")
    answers = {one: plain(host.model.at(1)), two: plain((host.model.seen_aside[1:] or [""])[0])}
    known = [senders.get(body) == session or (body not in senders and "cannot tell which session" in answers[session])
             for body, session in (("I AM one", one), ("I AM two", two))]
    stage.check(host, "driven by an editor, two sessions at work at once: neither passes for the other", all(known),
                f"{senders} {one} {two}")
    first, second = host.model.at(0), (host.model.seen_aside or [""])[0]
    stage.check(host, "driven by an editor, two sessions at work at once: each is shown its own mail by its hooks",
                once(first, "FOR ONE") and once(second, "FOR TWO") and not showings(first, "FOR TWO") and not showings(second, "FOR ONE"))
    kill(editor.process)


ALL = [gemini_start, gemini_moments, gemini_reply, gemini_subagent, gemini_hostile, gemini_killed, gemini_endless, gemini_same_directory, gemini_wake,
       gemini_discover, gemini_bell, gemini_terminal, gemini_other_conversation, gemini_editor]
