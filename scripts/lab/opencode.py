"""Scenarios: opencode, whose hooks are relay's plugin. One server process may run several sessions."""
import http.client
import json
import pathlib
import re
import shutil
import urllib.parse

import alone
import terminal
from hosts import RUN_SECONDS, Host, kill, until_file
from model import Step, text, tool
from ringing import RING
from reading import once, plain, showings

PLUGIN = pathlib.Path(__file__).resolve().parents[2] / "plugins/opencode/relay.js"


class Opencode(Host):
    """Set up by nothing but the plugin's file and a `relay` on the PATH."""
    name = "opencode"
    tool_name = "relay_{}"
    session_pattern = r'"sessionID":\s*"(ses_[0-9A-Za-z]+)"'

    def configure(self):
        folder = self.lab.home / ".config/opencode"
        (folder / "plugins").mkdir(parents=True, exist_ok=True)
        shutil.copy(PLUGIN, folder / "plugins/relay.js")
        (self.lab.home / "bin").mkdir(exist_ok=True)
        relay = self.lab.home / "bin/relay"
        if not relay.exists():
            relay.symlink_to(self.lab.relay)
        # opencode installs a package of types beside plugins, and waits until that has failed.
        (self.lab.home / ".npmrc").write_text("fetch-retries=0\n")

    def variables(self):
        # One that was killed meanwhile leaves its lock behind, and the next waits a minute for it.
        shutil.rmtree(self.lab.home / ".local/state/opencode/locks", ignore_errors=True)
        provider = {"npm": "@ai-sdk/openai-compatible", "name": "mock", "models": {"scripted": {"name": "scripted"}},
                    "options": {"baseURL": f"http://127.0.0.1:{self.model.port}/v1", "apiKey": "x"}}
        configuration = {"model": "mock/scripted", "provider": {"mock": provider}}
        return {"PATH": f"{self.lab.home}/bin:{self.lab.environment['PATH']}", "OPENCODE_CONFIG_CONTENT": json.dumps(configuration),
                "OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_AUTOUPDATE": "1"}

    def arguments(self, prompt, resume):
        return [self.lab.programs["opencode"], "run", "--format", "json", *(["--session", resume] if resume else []), "--", prompt]

    @staticmethod
    def shell(command):
        return ("bash", {"command": command, "description": "work"})

    @staticmethod
    def shell_until(path):
        return tool("bash", command=until_file(path), description="wait")


class Server:
    """One opencode process that runs sessions for whoever asks over HTTP."""

    def __init__(self, host):
        self.folder = host.folder
        self.process = host.lab.start([host.lab.programs["opencode"], "serve", "--port", "0"], host.folder, host.variables())
        for line in self.process.stdout:
            address = re.search(r"http://([0-9.]+:[0-9]+)", line)
            if address:
                self.address = address.group(1)
                return
        raise RuntimeError(f"opencode serve did not start: {self.process.stderr.read()}")

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.address, timeout=RUN_SECONDS)
        folder = urllib.parse.quote(str(self.folder))
        connection.request(method, f"{path}?directory={folder}", json.dumps(body) if body else None, {"content-type": "application/json"})
        answer = connection.getresponse().read()
        return json.loads(answer) if answer else None

    def new_session(self):
        return self.ask("POST", "/session", {"title": "lab"})["id"]

    def prompt(self, session, words, wait=True):
        """Gives a prompt; waits for the turn's end unless told otherwise."""
        path = f"/session/{session}/{'message' if wait else 'prompt_async'}"
        return self.ask("POST", path, {"parts": [{"type": "text", "text": words}]})


def opencode_start(stage):
    host = stage.opencode = Opencode(stage.lab, "o", "opencode-o")
    alone.start(stage, host)
    stage.check(host, "identity: the model's conversation shows no trace of how", "relay_session" not in host.model.last())


def opencode_moments(stage):
    alone.moments(stage, stage.opencode)
    stage.check(stage.opencode, "turn end: the host does not say that its user wrote it",
                "The user sent the following message" not in plain(stage.opencode.model.last()))


def opencode_reply(stage):
    alone.reply(stage, stage.opencode)


def opencode_server(stage):
    """One process, one directory, several sessions at once: none is taken for another."""
    host = Opencode(stage.lab, "os", "opencode-os")
    stage.lab.run_relay("register", "keeper-o", "--id", "aaaaaaaa-0000-4000-8000-000000000003", "--dir", str(stage.lab.home))
    server = Server(host)
    one, two = server.new_session(), server.new_session()
    forged = {"to": "keeper-o", "body": "FORGED", "relay_session": one}
    host.model.script(host.bus("send", to="keeper-o", body="I AM one"), text("done"))
    server.prompt(one, "send")
    host.model.script(Step(calls=[("relay_send", {"to": "keeper-o", "body": "I AM two"}), ("relay_send", forged)]),
                      tool("bash", command="relay whoami --json", description="ask"), text("done"))
    server.prompt(two, "send")
    said = plain(host.model.last())
    stage.check(host, "two sessions of one process: the command line in a shell knows which one it serves",
                f'"id":"{two}"' in said and "environment" in said, said[-1500:])
    senders = {message["body"]: message["from"] for message in stage.peek("keeper-o")["messages"]}
    stage.check(host, "two sessions of one process in one directory: each mail has the right sender",
                senders.get("I AM one") == one and senders.get("I AM two") == two, str(senders))
    stage.check(host, "two sessions of one process: a model cannot pass for the other", senders.get("FORGED") == two, str(senders))
    live = json.loads(stage.lab.run_relay("list", "--json").stdout)
    stage.check(host, "two sessions of one process: both are live", all(
        any(row["id"] == session and row["live"] for row in live) for session in (one, two)), str(live))

    stage.lab.run_relay("send", "--id", one, "--", "LATER prompt")
    host.model.script(text("seen"))
    server.prompt(one, "go on")
    stage.check(host, "prompt: mail is there at a later prompt of a running session", once(host.model.last(), "LATER prompt"))

    # Both work at once; each gets its own mail in the middle of its turn.
    host.model.script(host.shell_until(stage.flag("both")), text("done"), text("done"),
                      aside="SECOND", aside_steps=[host.shell_until(stage.flag("both")), text("done"), text("done")])
    three, four = server.new_session(), server.new_session()
    server.prompt(three, "FIRST", wait=False)
    server.prompt(four, "SECOND", wait=False)
    host.model.wait_for_request(1)
    with host.model.lock:
        host.model.lock.wait_for(lambda: host.model.seen_aside, 60)
    for session, word in ((three, "FOR THREE"), (four, "FOR FOUR")):
        stage.lab.run_relay("send", "--id", session, "--", word)
    stage.raise_flag("both")
    host.model.wait_for_request(2)
    with host.model.lock:
        host.model.lock.wait_for(lambda: len(host.model.seen_aside) >= 2, 60)
    stage.check(host, "two sessions of one process at work at once: each is shown its own mail",
                once(host.model.at(1), "FOR THREE") and once(host.model.seen_aside[1], "FOR FOUR"))
    stage.check(host, "two sessions of one process at work at once: and none of the other's",
                not showings(host.model.at(1), "FOR FOUR") and not showings(host.model.seen_aside[1], "FOR THREE"))
    server.ask("DELETE", f"/session/{two}")
    ended = False
    for _ in range(100):
        ended = ended or not any(row["id"] == two and row["live"] for row in json.loads(stage.lab.run_relay("list", "--json").stdout))
    stage.check(host, "a session that is deleted is live no more", ended)
    kill(server.process)


def opencode_subagent(stage):
    """Mail is for the session: its subagent does not get it, and writes in the session's name."""
    host = stage.opencode
    stage.lab.run_relay("register", "asker-s", "--id", "aaaaaaaa-0000-4000-8000-000000000004", "--dir", str(stage.lab.home))
    task = {"description": "a side task", "prompt": "SIDETASK", "subagent_type": "general"}
    send = lambda: stage.send(host.label, "NOT for a subagent")  # noqa: E731
    host.model.script(Step(calls=[("task", task)]), text("done"), text("done"), aside="SIDETASK", aside_steps=[
        Step(calls=[("relay_send", {"to": "asker-s", "body": "FROM THE SIDE"})], first=send), text("side task done")])
    code, output = host.run("delegate", resume=host.session)
    aside = host.model.seen_aside
    stage.check(host, "subagent: it uses a tool and is not shown the session's mail",
                len(aside) == 2 and not any("NOT for a subagent" in request for request in aside), f"{len(aside)} {aside[-1:]} {output[-1500:]}")
    stage.check(host, "subagent: the session's own model is", code == 0 and once(host.model.at(1), "NOT for a subagent"), output[-1500:])
    senders = {message["body"]: message["from"] for message in stage.peek("asker-s")["messages"]}
    stage.check(host, "subagent: what it sends is the session's mail", senders == {"FROM THE SIDE": host.session}, str(senders))


def opencode_hostile(stage):
    alone.hostile(stage, stage.opencode)


def opencode_killed(stage):
    alone.killed(stage, stage.opencode)


def opencode_endless(stage):
    alone.endless(stage, stage.opencode)


def opencode_same_directory(stage):
    alone.same_directory(stage, [Opencode(stage.lab, "same-o", f"opencode-{number}") for number in (1, 2)])


def opencode_wake(stage):
    """From the shell of another session of opencode."""
    alone.wake(stage, stage.opencode, {"OPENCODE": "1", "OPENCODE_PID": "1", "RELAY_OPENCODE_SESSION": "ses_000000000000"})


def opencode_discover(stage):
    """opencode itself tells of its sessions, also of those in other projects, and not of subagents."""
    host = stage.opencode
    found = alone.discover(stage, host)
    aside = {session for session, folder in found.items() if folder == str(host.folder) and session != host.session}
    stage.check(host, "discover: without its subagents", not aside, str(found))


def bells():
    """The sockets at which opencode's plugins can be rung, as relay's buses are told."""
    found = set()
    for environment in pathlib.Path("/proc").glob("[0-9]*/environ"):
        try:
            found |= set(re.findall(rb"RELAY_OPENCODE_BELL=([^\0]+)", environment.read_bytes()))
        except OSError:
            pass
    return [path.decode() for path in found]


def opencode_bell(stage):
    """An idle session is rung by relay's bus, at the plugin's own socket: a turn starts, with its mail."""
    host = Opencode(stage.lab, "bell", "opencode-bell")
    server = Server(host)
    session = server.new_session()
    host.model.script(host.bus("whoami"), text("ready"))
    server.prompt(session, "hello")
    host.model.script(text("seen"))
    stage.lab.run_relay("send", "--id", session, "--", "WHILE idle")
    door = bells()
    host.model.wait_for_request(1)
    stage.check(host, "bell: an idle session starts a turn, and its mail is there",
                len(door) == 1 and once(host.model.at(0), "WHILE idle") and RING in plain(host.model.at(0)), f"{door} {host.model.last()[-1500:]}")
    folder = pathlib.Path(door[0]).parent
    stage.check(host, "bell: only the user may ring", folder.stat().st_mode & 0o777 == 0o700, oct(folder.stat().st_mode))
    kill(server.process)
    server.process.wait(RUN_SECONDS)
    host.model.script(text("seen"))
    host.run("hello")
    stage.check(host, "bell: the socket of a process that was killed is cleared away by the next", not pathlib.Path(door[0]).exists())


def opencode_terminal(stage):
    """In a real terminal, at its prompt: mail by its plugin, and the bell."""
    host = Opencode(stage.lab, "terminal-o", "opencode-t")
    if not terminal.available():
        return stage.sheet.skip(host.name, "in a terminal", "tmux is not installed")
    environment = {**stage.lab.environment, **host.variables(), "TERM": "xterm-256color"}
    screen = terminal.Terminal(stage.lab.home / "tmux-o", [stage.lab.programs["opencode"]], host.folder, environment)
    try:
        screen.wait(lambda: "Ask anything" in screen.screen())
        host.model.script(host.bus("register", name=host.label), text("registered"))
        screen.say("name yourself")
        named = host.model.wait_for_request(2) and screen.wait(lambda: stage.listed(host.label).get("live"))
        stage.check(host, "in a terminal: the bus registers the right session, which is live", named, screen.screen())
        screen.wait(lambda: "registered" in screen.screen())
        stage.send(host.label, "TYPED before")
        host.model.script(text("first answer"))
        screen.say("go on")
        host.model.wait_for_request(1)
        stage.check(host, "in a terminal: mail is there at the prompt", once(host.model.at(0), "TYPED before"), screen.screen())
        screen.wait(lambda: "first answer" in screen.screen())
        stage.send(host.label, "WHILE idle")
        host.model.script(text("second answer"))
        host.model.wait_for_request(1)
        stage.check(host, "in a terminal: the bell starts a turn at the idle prompt, with the mail",
                    once(host.model.at(0), "WHILE idle"), screen.screen())
        stage.check(host, "in a terminal: the person sees that it rang, the model sees it once",
                    screen.wait(lambda: RING in screen.screen()) and host.model.at(0).count(RING) == 1,
                    screen.screen())
    finally:
        screen.close()


def opencode_linked(stage):
    """The plugin, linked from a clone, finds the binary beside it; and twice the plugin is not twice the mail."""
    host = Opencode(stage.lab, "linked", "opencode-l")
    clone = stage.lab.home / "clone"
    for folder in ("bin", "plugins/opencode"):
        (clone / folder).mkdir(parents=True)
    (clone / "bin/relay").symlink_to(stage.lab.relay)
    shutil.copy(PLUGIN, clone / "plugins/opencode/relay.js")
    installed = stage.lab.home / ".config/opencode/plugins/relay.js"
    installed.unlink()
    installed.symlink_to(clone / "plugins/opencode/relay.js")
    on_path = stage.lab.home / "bin/relay"
    on_path.rename(stage.lab.home / "bin/hidden")
    right, output = stage.meet(host)
    stage.check(host, "plugin linked from a clone: it finds the binary beside it", right, output[-1500:])
    (stage.lab.home / "bin/hidden").rename(on_path)
    (host.folder / ".opencode/plugins").mkdir(parents=True)
    shutil.copy(PLUGIN, host.folder / ".opencode/plugins/relay.js")
    stage.send(host.label, "TWICE installed")
    host.model.script(tool("bash", command="true", description="work"), text("done"))
    code, output = host.run("hello", resume=host.session)
    left = stage.peek(host.label)
    stage.check(host, "plugin installed twice: mail is shown once, and consumed",
                code == 0 and once(host.model.last(), "TWICE installed") and left["count"] == 0, f"{left} {output[-1500:]}")


ALL = [opencode_start, opencode_moments, opencode_reply, opencode_server, opencode_subagent, opencode_hostile, opencode_killed,
       opencode_endless, opencode_same_directory, opencode_wake, opencode_discover, opencode_bell, opencode_terminal,
       opencode_linked]
