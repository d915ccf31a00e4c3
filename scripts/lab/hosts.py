"""The real hosts, set up by hand in an empty home and pointed at a scripted model."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess

from model import Model, tool

RUN_SECONDS = 90
EVENTS = ["SessionStart", "UserPromptSubmit", "PostToolUse", "Stop", "SessionEnd"]
TOOLS = ["whoami", "register", "roster", "send", "inbox", "discover"]


class Lab:
    """One empty home that both hosts share."""

    def __init__(self, home, relay, programs):
        self.home, self.relay, self.programs = pathlib.Path(home), relay, programs
        self.processes = []
        folders = [os.path.dirname(program) for program in programs.values()]
        (self.home / "tmp").mkdir()
        self.environment = {
            "HOME": str(self.home),
            # Some host brings a node of its own, which is not for the others.
            "PATH": ":".join([os.path.dirname(shutil.which("node")), *folders, "/usr/local/bin:/usr/bin:/bin"]),
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            # Claude Code keeps its sockets below /tmp unless told otherwise.
            "CLAUDE_CODE_TMPDIR": str(self.home / "tmp"),
        }

    def project(self, name):
        folder = self.home / name
        folder.mkdir(exist_ok=True)
        return folder

    def model(self, name):
        return Model(self.home / f"requests-{name}.jsonl")

    def run_relay(self, *arguments, environment=None):
        """Runs relay as a person would, in the same home."""
        return subprocess.run([self.relay, *arguments], env={**self.environment, **(environment or {})},
                              cwd=self.home, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=RUN_SECONDS)

    def start(self, arguments, folder, environment, stdin=subprocess.DEVNULL):
        process = subprocess.Popen(arguments, cwd=folder, env={**self.environment, **environment}, stdin=stdin,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
        self.processes.append(process)
        return process

    def close(self):
        """Ends every run that has not ended."""
        for process in self.processes:
            if process.poll() is None:
                kill(process)


def kill(process):
    """Kills the whole run, at once."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Host:
    """A host's command line, in one project folder, with a model of its own."""
    # Bodies that it does not keep in the conversation, by where they were shown.
    forgets = ()
    # Whether its model reads what a hook prints after a tool and at a turn's end.
    hears_work = True
    # How its model names a tool of relay's.
    tool_name = "mcp__bus__{}"
    # The folder that it has for itself, where it does not share one with other sessions.
    own = None

    def __init__(self, lab, folder, label):
        self.lab, self.model, self.folder = lab, lab.model(label), lab.project(folder)
        self.label, self.session = label, None
        self.configure()

    def start(self, prompt, resume=None):
        """Starts a headless run in the background."""
        return self.lab.start(self.arguments(prompt, resume), self.folder, self.variables())

    def finish(self, process):
        """Waits for a run; notes the session's id. Returns (exit code, output)."""
        try:
            output, errors = process.communicate(timeout=RUN_SECONDS)
        except subprocess.TimeoutExpired:
            kill(process)
            output, errors = process.communicate()
        self.note_session(output)
        return process.returncode, output + errors

    def run(self, prompt, resume=None):
        return self.finish(self.start(prompt, resume))

    def variables(self):
        return {}

    def note_session(self, output):
        found = re.search(self.session_pattern, output)
        self.session = found.group(1) if found else self.session

    @classmethod
    def call(cls, called, /, **arguments):
        """A call of one of relay's tools, as its model makes it."""
        return (cls.tool_name.format(called), arguments)

    @classmethod
    def bus(cls, called, /, **arguments):
        """A step: the model calls one of relay's tools."""
        return tool(cls.tool_name.format(called), **arguments)


def until_file(path):
    """A shell command that ends when the file is there, or after a minute."""
    return f"for i in $(seq 600); do [ -e '{path}' ] && exit 0; sleep 0.1; done; exit 1"


class Claude(Host):
    name = "claude"
    session_pattern = r'"session_id":\s*"([0-9a-f-]{36})"'

    def configure(self):
        hook = {"type": "command", "command": self.lab.relay, "args": ["hook", "claude"], "timeout": 10}
        settings = {"hooks": {event: [{"hooks": [hook]}] for event in EVENTS}}
        folder = self.lab.home / ".claude"
        folder.mkdir(exist_ok=True)
        (folder / "settings.json").write_text(json.dumps(settings))
        self.servers = self.lab.home / "claude-mcp.json"
        self.servers.write_text(json.dumps({"mcpServers": {"bus": {"command": self.lab.relay, "args": ["bus"]}}}))

    def command(self, *arguments):
        allowed = ",".join(["Bash", "Agent", *(f"mcp__bus__{name}" for name in TOOLS)])
        return [self.lab.programs["claude"], "--mcp-config", str(self.servers), "--allowedTools", allowed, *arguments]

    def arguments(self, prompt, resume):
        return self.command("-p", "--output-format", "json", *(["--resume", resume] if resume else []), "--", prompt)

    def converse(self):
        """Starts a run that takes prompts one by one: a session as at a terminal."""
        arguments = self.command("-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose")
        return Talk(self.lab.start(arguments, self.folder, self.variables(), stdin=subprocess.PIPE))

    def variables(self):
        return {"ANTHROPIC_BASE_URL": f"http://127.0.0.1:{self.model.port}", "ANTHROPIC_API_KEY": "x",
                "DISABLE_TELEMETRY": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}

    @staticmethod
    def shell_until(path):
        """A step: the model runs a command that waits for a file."""
        return tool("Bash", command=until_file(path), description="wait")


class Talk:
    """A Claude Code that is given one prompt after the other."""

    def __init__(self, process):
        self.process, self.session = process, None

    def say(self, prompt):
        """Gives a prompt and waits for the turn's end; the run's bound is the lab's."""
        line = {"type": "user", "message": {"role": "user", "content": prompt}}
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            event = json.loads(line)
            self.session = event.get("session_id", self.session)
            if event.get("type") == "result":
                return event
        return {}

    def end(self):
        self.process.stdin.close()
        self.process.wait(RUN_SECONDS)


class Codex(Host):
    name = "codex"
    session_pattern = r'"thread_id":\s*"([0-9a-f-]{36})"'

    def configure(self):
        folder = self.lab.home / ".codex"
        self.configuration = folder / "config.toml"
        if folder.exists():
            return
        folder.mkdir()
        self.configuration.write_text(
            'model = "scripted"\nmodel_provider = "mock"\napproval_policy = "never"\nsandbox_mode = "danger-full-access"\n'
            f'[model_providers.mock]\nname = "mock"\nbase_url = "{self.address()}"\nwire_api = "responses"\n'
            f'[mcp_servers.bus]\ncommand = "{self.lab.relay}"\nargs = ["bus"]\n')
        hooks = {event: [{"hooks": [self.hook(event)]}] for event in EVENTS}
        (folder / "hooks.json").write_text(json.dumps({"hooks": hooks}))

    def hook(self, event):
        """Codex takes no more than three seconds for the session's end."""
        return {"type": "command", "command": f"'{self.lab.relay}' hook codex", "timeout": 3 if event == "SessionEnd" else 10}

    def address(self):
        return f"http://127.0.0.1:{self.model.port}/v1"

    def arguments(self, prompt, resume):
        arguments = [self.lab.programs["codex"], "exec"] + (["resume", resume] if resume else [])
        return arguments + ["-c", f'model_providers.mock.base_url="{self.address()}"', "--skip-git-repo-check",
                            "--dangerously-bypass-hook-trust", "--json", "--", prompt]

    def trust_hooks(self):
        """Does what its user does at `/hooks`: writes down each hook's hash, as Codex itself tells it."""
        server = self.lab.start([self.lab.programs["codex"], "app-server"], self.folder, {}, stdin=subprocess.PIPE)
        requests = [
            {"id": 0, "method": "initialize", "params": {"clientInfo": {"name": "hostlab", "version": "1"}}},
            {"method": "initialized"},
            {"id": 1, "method": "hooks/list", "params": {"cwds": [str(self.folder)]}},
        ]
        server.stdin.write("".join(json.dumps(request) + "\n" for request in requests))
        server.stdin.flush()
        answers = (json.loads(line) for line in server.stdout)
        answer = next((answer for answer in answers if answer.get("id") == 1), {})
        kill(server)
        server.communicate()
        hooks = answer["result"]["data"][0]["hooks"]
        with open(self.configuration, "a") as configuration:
            for hook in hooks:
                configuration.write(f'[hooks.state."{hook["key"]}"]\ntrusted_hash = "{hook["currentHash"]}"\n')
        return len(hooks)

    @staticmethod
    def shell_until(path):
        """A step: the model runs a command that waits for a file."""
        return tool("exec_command", cmd=until_file(path), login=False, yield_time_ms=30_000)
