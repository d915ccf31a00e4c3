"""Scenarios: a session that sits idle at its prompt is rung when mail comes."""
import time

import terminal
from hosts import Claude, Codex
from model import text
from reading import once, plain

RING = "relay (your user's mail between agent sessions)"
# Twice as long as an idle session's mail waits for a hook.
BUSY_SECONDS = 3


def idle(stage):
    """Mail for an idle session starts a turn in its terminal; the model reads the mail."""
    for kind, open_terminal in ((Claude, terminal.claude), (Codex, terminal.codex)):
        what = "idle bell: mail for a session idle at its prompt starts a turn"
        with terminal.at_prompt(stage, kind, open_terminal, f"idle-{kind.name}", what, "I am idle now.") as (host, screen, ready):
            if not host:
                continue
            stage.check(host, "idle bell: list says that it can be rung", stage.listed(host.label).get("reach") == "bell",
                        str(stage.listed(host.label)))
            body = f"WAKE UP {host.label}"
            host.model.script(host.bus("inbox"), text("I have read it."))
            stage.send(host.label, body)
            rung = ready and screen.turn_ended("I have read it.")
            stage.check(host, what, rung and RING in plain(host.model.at(0)) and body in plain(host.model.last()),
                        f"{ready} {rung}\n{screen.screen()}\n{host.model.last()[-3000:]}")
            stage.check(host, "idle bell: the mail is read once, nothing is left",
                        stage.peek(host.label)["count"] == 0 and len(host.model.seen) == 2, str(stage.peek(host.label)))
            flag, body = f"busy-{host.label}", f"NO HURRY {host.label}"
            host.model.script(host.shell_until(stage.flag(flag)), text("That took a while."))
            screen.say("work for a while")
            host.model.wait_for_request(1)
            stage.send(host.label, body)
            time.sleep(BUSY_SECONDS)
            stage.raise_flag(flag)
            done = screen.turn_ended("That took a while.")
            stage.check(host, "a session whose turn runs is not rung: the mail is there after its tool",
                        done and once(host.model.at(1), body) and plain(host.model.last()).count(RING) == 1,
                        f"{done}\n{screen.screen()}\n{host.model.last()[-3000:]}")


ALL = [idle]
