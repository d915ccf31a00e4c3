"""Scenarios: a person stops a turn before the model has said a word."""
import time

import terminal
from gemini import Gemini
from hosts import Claude, Codex
from model import text
from reading import once, showings

# Between a request and the key, and between the key and the next prompt.
PAUSE_SECONDS = 1


def interrupted(stage):
    """Mail that came with a prompt is before the model at the next one, whether or not the host took that prompt back."""
    for kind, open_terminal in ((Claude, terminal.claude), (Codex, terminal.codex), (Gemini, terminal.gemini)):
        what = "stopped at Esc before a word: mail of that prompt is there at the next one, marked where it stands twice"
        with terminal.at_prompt(stage, kind, open_terminal, f"esc-{kind.name}", what, "I am here.") as (host, screen, ready):
            if not host:
                continue
            body = f"BEFORE A WORD {host.label}"
            stage.send(host.label, body)
            host.model.script(text("never", when=stage.flag(f"never-{host.label}")), text("I am back."))
            screen.say("do a thing")
            shown = ready and host.model.wait_for_request(1) and once(host.model.at(0), body)
            time.sleep(PAUSE_SECONDS)
            screen.press("Escape")
            time.sleep(PAUSE_SECONDS)
            screen.press("C-u")  # some put the prompt back into the line
            screen.say("do another thing")
            back = screen.turn_ended("I am back.")
            again = showings(host.model.last(), body)
            unmarked = [one for one in again if not one.redelivered]
            stage.check(host, what, shown and back and again and len(unmarked) <= 1,
                        f"{ready} {shown} {back} {again}\n{screen.screen()}\n{host.model.last()[-3000:]}")
            read = screen.wait(lambda: not {"held", "waiting"} & stage.peek(host.label).keys() and stage.peek(host.label)["count"] == 0)
            stage.check(host, "stopped at Esc before a word: then it is read, and nothing is left", read, str(stage.peek(host.label)))


ALL = [interrupted]
