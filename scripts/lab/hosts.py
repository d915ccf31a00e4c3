"""The real hosts, set up by hand in an empty home and pointed at a scripted model."""
import json
import os
import pathlib
import re
import signal
import subprocess

RUN_SECONDS = 90
EVENTS = ["SessionStart", "UserPromptSubmit", "PostToolUse", "Stop", "SessionEnd"]
TOOLS = ["whoami", "register", "roster", "send", "inbox", "discover"]


class Lab:
    """One empty home that both hosts share."""

    def __init__(self, home, relay, programs):
        self.home, self.relay = pathlib.Path(home), relay
        self.programs = programs
        folders = {str(pathlib.Path(program).parent) for program in programs.values()}
        self.environment = {
            "HOME": str(self.home),
            "PATH": ":".join([*folders, os.path.dirname(subprocess_path("node")), "/usr/local/bin:/usr/bin:/bin"]),
            "LANG": "C.UTF-8",
            "TERM": "dumb",
        }

    def project(self, name):
        folder = self.home / name
        folder.mkdir(exist_ok=True)
        return folder

    def run_relay(self, *arguments, environment=None):
        """Runs relay as a person would, in the same home."""
        return subprocess.run([self.relay, *arguments], env={**self.environment, **(environment or {})},
                              cwd=self.home, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=RUN_SECONDS)


def subprocess_path(program):
    return subprocess.run(["sh", "-c", f"readlink -f $(command -v {program})"], capture_output=True, text=True).stdout.strip() or "/usr/bin/x"


class Host:
    """A host's command line, in one project folder."""

    def __init__(self, lab, model, folder):
        self.lab, self.model, self.folder = lab, model, lab.project(folder)
        self.session = None
        self.configure()

    def start(self, prompt, resume=None):
        """Starts a headless run in the background."""
        arguments = self.arguments(prompt, resume)
        environment = {**self.lab.environment, **self.variables()}
        return subprocess.Popen(arguments, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)

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


def kill(process):
    """Kills the whole run, at once."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Claude(Host):
    name = "claude"

    def configure(self):
        hook = {"type": "command", "command": self.lab.relay, "args": ["hook", "claude"], "timeout": 10}
        settings = {"hooks": {event: [{"hooks": [hook]}] for event in EVENTS}}
        folder = self.lab.home / ".claude"
        folder.mkdir(exist_ok=True)
        (folder / "settings.json").write_text(json.dumps(settings))
        self.servers = self.lab.home / "claude-mcp.json"
        self.servers.write_text(json.dumps({"mcpServers": {"bus": {"command": self.lab.relay, "args": ["bus"]}}}))

    def arguments(self, prompt, resume):
        allowed = ",".join(f"mcp__bus__{tool}" for tool in TOOLS)
        arguments = [self.lab.programs["claude"], "-p", "--output-format", "json", "--mcp-config", str(self.servers),
                     "--allowedTools", allowed]
        return arguments + (["--resume", resume] if resume else []) + ["--", prompt]

    def variables(self):
        return {"ANTHROPIC_BASE_URL": f"http://127.0.0.1:{self.model.port}", "ANTHROPIC_API_KEY": "x",
                "DISABLE_TELEMETRY": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}

    def note_session(self, output):
        found = re.search(r'"session_id":\s*"([0-9a-f-]{36})"', output)
        self.session = found.group(1) if found else self.session

    @staticmethod
    def tool(name):
        return f"mcp__bus__{name}"


class Codex(Host):
    name = "codex"

    def configure(self):
        folder = self.lab.home / ".codex"
        folder.mkdir(exist_ok=True)
        (folder / "config.toml").write_text(
            'model = "scripted"\nmodel_provider = "mock"\napproval_policy = "never"\nsandbox_mode = "danger-full-access"\n'
            f'[model_providers.mock]\nname = "mock"\nbase_url = "http://127.0.0.1:{self.model.port}/v1"\nwire_api = "responses"\n'
            f'[mcp_servers.bus]\ncommand = "{self.lab.relay}"\nargs = ["bus"]\n')
        hook = {"type": "command", "command": f"'{self.lab.relay}' hook codex", "timeout": 10}
        (folder / "hooks.json").write_text(json.dumps({"hooks": {event: [{"hooks": [hook]}] for event in EVENTS}}))

    def arguments(self, prompt, resume):
        arguments = [self.lab.programs["codex"], "exec"] + (["resume", resume] if resume else [])
        return arguments + ["--skip-git-repo-check", "--dangerously-bypass-hook-trust", "--json", "--", prompt]

    def note_session(self, output):
        found = re.search(r'"thread_id":\s*"([0-9a-f-]{36})"', output)
        self.session = found.group(1) if found else self.session

    @staticmethod
    def tool(name):
        return f"mcp__bus__{name}"
