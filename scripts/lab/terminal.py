"""A host in a real terminal, under tmux, for what headless runs cannot show."""
import contextlib
import json
import re
import shutil
import subprocess
import time

from model import text

WAIT_SECONDS = 40
# A line such as "* Thinking… (running Stop hook)": there until the turn is over.
WORKING = re.compile(r"^\S \S+…", re.MULTILINE)


def available():
    return shutil.which("tmux") is not None


class Terminal:
    """One program in a tmux session of its own server."""

    def __init__(self, socket, command, folder, environment, last="", pause=0):
        """`last`: what the host writes behind an answer when its Stop hook is done, too.
        `pause`: seconds between a line and its Enter, for a host that takes a quick one for a part of pasted text."""
        self.socket, self.last, self.pause = str(socket), last, pause
        variables = [f"{name}={value}" for name, value in environment.items()]
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "40", "-s", "host", "-c", str(folder),
                  "env", "-i", *variables, *command)

    def tmux(self, *arguments):
        return subprocess.run(["tmux", "-S", self.socket, *arguments], capture_output=True, text=True).stdout

    def screen(self):
        return self.tmux("capture-pane", "-p", "-t", "host")

    def wait(self, condition):
        """Waits until the condition holds; False when it never did."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            if condition():
                return True
            time.sleep(0.05)
        return False

    def turn_ended(self, answer):
        """Waits until the answer stands there and the host is idle, its Stop hook done."""
        def ended():
            screen = self.screen()
            return answer in screen and self.last in screen.rsplit(answer, 1)[1] and not WORKING.search(screen)
        return self.wait(ended)

    def say(self, words):
        """Types a line as a person would, once it stands on the screen."""
        self.tmux("send-keys", "-t", "host", "-l", words)
        self.wait(lambda: words in self.screen())
        time.sleep(self.pause)
        self.tmux("send-keys", "-t", "host", "Enter")

    def press(self, key):
        self.tmux("send-keys", "-t", "host", key)

    def close(self):
        self.tmux("kill-server")


def claude(lab, host):
    """Claude Code at its prompt, past its first-run questions."""
    project = {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}
    state = {"hasCompletedOnboarding": True, "theme": "dark", "customApiKeyResponses": {"approved": ["x"], "rejected": []},
             "projects": {str(host.folder): project}}
    (lab.home / ".claude.json").write_text(json.dumps(state))
    environment = {**lab.environment, **host.variables(), "TERM": "xterm-256color"}
    terminal = Terminal(lab.home / "tmux", host.command("--permission-mode", "default"), host.folder, environment)
    terminal.wait(lambda: "❯" in terminal.screen())
    return terminal


def codex(lab, host):
    """Codex at its prompt, in a folder its user trusts."""
    with open(host.configuration, "a") as configuration:
        configuration.write(f'[projects."{host.folder}"]\ntrust_level = "trusted"\n')
    environment = {**lab.environment, "TERM": "xterm-256color"}
    command = [lab.programs["codex"], "-c", f'model_providers.mock.base_url="{host.address()}"', "--dangerously-bypass-hook-trust"]
    terminal = Terminal(lab.home / "tmux-codex", command, host.folder, environment, last="Worked for")
    terminal.wait(lambda: "›" in terminal.screen())
    return terminal


def gemini(lab, host, *more):
    """Gemini CLI at its prompt."""
    environment = {**lab.environment, **host.variables(), "TERM": "xterm-256color"}
    command = [lab.programs["gemini"], "--approval-mode", "yolo", *more]
    terminal = Terminal(lab.home / f"tmux-{host.label}", command, host.folder, environment, pause=0.2)
    terminal.wait(lambda: "Type your message" in terminal.screen())
    return terminal


@contextlib.contextmanager
def at_prompt(stage, kind, open_terminal, label, what, answer):
    """The host, idle at its prompt after a turn in which it named itself: (host, screen, whether that went right).
    (None, None, False) where there is no tmux; then `what` is skipped."""
    if not available():
        stage.sheet.skip(kind.name, what, "tmux is not installed")
        yield None, None, False
        return
    host = kind(stage.lab, label, label)
    host.model.script(host.bus("register", name=host.label), text(answer))
    screen = open_terminal(stage.lab, host)
    try:
        screen.say("say your name")
        yield host, screen, screen.turn_ended(answer)
    finally:
        screen.close()
