"""Scenarios: Gemini CLI, which nothing rings; its hooks carry all mail."""
import json

import alone
from hosts import Host, until_file
from model import Step, text, tool
from reading import once

EVENTS = ["SessionStart", "BeforeAgent", "BeforeTool", "AfterTool", "AfterAgent", "SessionEnd"]


class Gemini(Host):
    name = "gemini"
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
    def call(called, /, **arguments):
        return (f"mcp_relay_{called}", arguments)

    @classmethod
    def bus(cls, called, /, when=None, **arguments):
        return tool(f"mcp_relay_{called}", when=when, **arguments)

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
    alone.wake(stage, stage.gemini, {"GEMINI_CLI": "1", "GEMINI_SESSION_ID": "x", "GEMINI_CLI_NO_RELAUNCH": "true"})


def gemini_discover(stage):
    alone.discover(stage, stage.gemini)


def gemini_bell(stage):
    """Nothing wakes it at its prompt: `list` says how mail reaches it instead."""
    row = stage.listed(stage.gemini.label)
    stage.check(stage.gemini, "idle bell: not supported by the host; list names another way", row.get("reach") == "wake", str(row))


ALL = [gemini_start, gemini_moments, gemini_reply, gemini_subagent, gemini_hostile, gemini_killed, gemini_endless, gemini_same_directory, gemini_wake,
       gemini_discover, gemini_bell]
