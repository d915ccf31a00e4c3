"""Scenarios: Qwen Code, Copilot CLI and Kimi Code, which nothing rings; their hooks carry all mail."""
import json
import os

import alone
from hosts import EVENTS, Host
from model import Step, text, tool
from reading import once


class Qwen(Host):
    name = "qwen"
    tool_name = "mcp__relay__{}"
    session_pattern = r'"session_id":\s*"([0-9a-f-]{36})"'
    # What a turn's end hands over is not kept in the conversation.
    forgets = ["AT THE end"]
    nested = {"QWEN_CODE_CLI": "x", "QWEN_CODE_SESSION_ID": "x", "QWEN_CODE_NO_RELAUNCH": "true"}
    subagent = tool("agent", description="a side task", prompt="SIDETASK", subagent_type="general-purpose")

    def configure(self):
        folder = self.lab.home / ".qwen"
        if folder.exists():
            return  # Qwen Code has brought its settings up to date; two that do it at once lose them
        folder.mkdir()
        hook = {"type": "command", "command": f"'{self.lab.relay}' hook qwen", "name": "relay", "timeout": 10_000}
        (folder / "settings.json").write_text(json.dumps({
            "$version": 4, "security": {"auth": {"selectedType": "openai"}}, "model": {"name": "scripted"},
            "hooks": {event: [{"hooks": [hook]}] for event in EVENTS},
            "mcpServers": {"relay": {"command": self.lab.relay, "args": ["bus"]}}}))

    def variables(self):
        return {"OPENAI_API_KEY": "x", "OPENAI_MODEL": "scripted", "OPENAI_BASE_URL": f"http://127.0.0.1:{self.model.port}/v1"}

    def arguments(self, prompt, resume):
        return [self.lab.programs["qwen"], "--output-format", "json", "--approval-mode", "yolo",
                *(["--resume", resume] if resume else []), f"--prompt={prompt}"]

    @staticmethod
    def shell(command):
        return ("run_shell_command", {"command": command, "is_background": False})


class Copilot(Host):
    name = "copilot"
    tool_name = "relay-{}"
    session_pattern = r'"sessionId":\s*"([0-9a-f-]{36})"'
    forgets = []
    nested = {"COPILOT_CLI": "1", "COPILOT_AGENT_SESSION_ID": "x"}
    subagent = tool("task", description="a side task", prompt="SIDETASK", agent_type="general-purpose", name="side", mode="sync")

    def configure(self):
        folder = self.lab.home / ".copilot"
        folder.mkdir(exist_ok=True)
        hook = {"type": "command", "exec": self.lab.relay, "args": ["hook", "copilot"], "timeoutSec": 10}
        (folder / "settings.json").write_text(json.dumps({"hooks": {event: [{"hooks": [hook]}] for event in EVENTS}}))
        server = {"type": "local", "command": self.lab.relay, "args": ["bus"], "tools": ["*"]}
        (folder / "mcp-config.json").write_text(json.dumps({"mcpServers": {"relay": server}}))

    def variables(self):
        return {"COPILOT_OFFLINE": "true", "COPILOT_MODEL": "gpt-4.1", "COPILOT_PROVIDER_API_KEY": "x",
                "COPILOT_PROVIDER_BASE_URL": f"http://127.0.0.1:{self.model.port}/v1"}

    def arguments(self, prompt, resume):
        return [self.lab.programs["copilot"], "--output-format", "json", "--allow-all-tools", "--no-auto-update",
                *([f"--resume={resume}"] if resume else []), f"--prompt={prompt}"]

    @staticmethod
    def shell(command):
        return ("bash", {"command": command, "description": "work"})


class Kimi(Host):
    name = "kimi"
    tool_name = "mcp__relay__{}"
    session_pattern = r'"session_id":\s*"(session_[0-9a-f-]{36})"'
    forgets = ()
    nested = {}
    hears_work = False
    subagent = tool("Agent", description="a side task", prompt="SIDETASK", subagent_type="coder")

    def configure(self):
        # A home of its own for each: the model's address stands in its configuration.
        self.own = self.lab.home / f".kimi-{self.label}"
        self.own.mkdir()
        hooks = "".join(f'[[hooks]]\nevent = "{event}"\ncommand = "\'{self.lab.relay}\' hook kimi"\ntimeout = 10\n' for event in EVENTS)
        (self.own / "config.toml").write_text(self.provider() + hooks)
        (self.own / "mcp.json").write_text(json.dumps({"mcpServers": {"relay": {"command": self.lab.relay, "args": ["bus"]}}}))

    def provider(self):
        return (f'default_model = "scripted"\ntelemetry = false\n[providers.mock]\ntype = "openai"\nbase_url = "http://127.0.0.1:{self.model.port}/v1"\n'
                'api_key = "x"\n[models.scripted]\nprovider = "mock"\nmodel = "scripted"\nmax_context_size = 200000\n')

    def variables(self):
        folder = os.path.dirname(self.lab.programs["kimi"])
        return {"PATH": f"{folder}:{self.lab.environment['PATH']}", "KIMI_CODE_HOME": str(self.own)}

    def arguments(self, prompt, resume):
        return [self.lab.programs["kimi"], "--output-format", "stream-json", *(["--session", resume] if resume else []), f"--prompt={prompt}"]

    @staticmethod
    def shell(command):
        return ("Bash", {"command": command})


def subagent(stage, host):
    """Mail is for the session: its subagent does not get it."""
    send = lambda: stage.send(host.label, "NOT for a subagent")  # noqa: E731
    host.model.script(host.subagent, text("done"), text("done"), aside="SIDETASK",
                      aside_steps=[Step(calls=[host.shell("true")], first=send), Step(calls=[host.shell("true")]), text("side task done")])
    code, output = host.run("delegate", resume=host.session)
    aside = host.model.seen_aside
    if not host.hears_work:
        code, output = host.run("go on", resume=host.session)
    stage.check(host, "subagent: it uses tools and is not shown the session's mail",
                len(aside) == 3 and not any("NOT for a subagent" in request for request in aside), f"{len(aside)} {aside[-1:]} {output[-1500:]}")
    stage.check(host, "subagent: the session's own model is", code == 0 and once(host.model.last(), "NOT for a subagent"), output[-1500:])


def played_by(kind):
    """All scenarios, for one host."""
    def play(stage):
        host = kind(stage.lab, kind.name, f"{kind.name}-1")
        for scenario in (alone.start, alone.moments, alone.reply, subagent, alone.hostile, alone.killed):
            scenario(stage, host)
        if host.hears_work:
            alone.endless(stage, host)
        alone.same_directory(stage, [kind(stage.lab, f"same-{kind.name}", f"{kind.name}-{number}") for number in (2, 3)])
        alone.wake(stage, host, kind.nested)
        alone.discover(stage, host)
        row = stage.listed(host.label)
        stage.check(host, "idle bell: not supported by the host; list names another way", row.get("reach") == "wake", str(row))

    play.__name__ = kind.name
    return play


ALL = [played_by(Qwen), played_by(Copilot), played_by(Kimi)]
