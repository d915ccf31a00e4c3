"""Where the scenarios play: both hosts in one empty home, and the sheet of results."""
import json

from hosts import Claude, Codex
from model import text
from reading import plain


class Sheet:
    """The results, printed as they come."""

    def __init__(self, versions):
        self.versions, self.passed, self.failed, self.skipped = versions, 0, 0, 0

    def line(self, word, host, what):
        print(f"{word:4}  {host:8} {self.versions.get(host, ''):8} {what}", flush=True)

    def check(self, host, what, passed, evidence=""):
        self.passed, self.failed = self.passed + bool(passed), self.failed + (not passed)
        self.line("ok" if passed else "FAIL", host, what)
        if not passed:
            print("      " + str(evidence)[-4000:].replace("\n", "\n      "), flush=True)

    def skip(self, host, what, why):
        self.skipped += 1
        self.line("skip", host, f"{what}: {why}")

    def close(self):
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped", flush=True)
        return 1 if self.failed else 0


class Stage:
    """The Claude Code session claude-a and the Codex session codex-b."""

    def __init__(self, lab, sheet):
        self.lab, self.sheet = lab, sheet
        self.claude = Claude(lab, "a", "claude-a")
        self.codex = Codex(lab, "b", "codex-b")
        self.both = (self.claude, self.codex)

    def check(self, host, what, passed, evidence=""):
        """Notes a check; a failed one shows the last request, the log has them all."""
        if not passed and not evidence:
            evidence = host.model.last()
        if not passed:
            evidence = f"{evidence}\nall requests: {host.model.log}"
        self.sheet.check(host.name, what, passed, evidence)

    def flag(self, name):
        return str(self.lab.home / name)

    def raise_flag(self, name):
        open(self.flag(name), "w").close()

    def send(self, to, body):
        """A person sends."""
        run = self.lab.run_relay("send", to, "--", body)
        assert run.returncode == 0, run.stderr

    def peek(self, who):
        return json.loads(self.lab.run_relay("peek", who).stdout)

    def listed(self, name):
        """What `relay list` says of the session of this name."""
        rows = json.loads(self.lab.run_relay("list", "--json").stdout or "[]")
        return next((row for row in rows if row["name"] == name), {})

    def meet(self, host):
        """A session starts for the first time and names itself through its bus."""
        host.model.script(host.bus("register", name=host.label), text("ready"))
        code, output = host.run("name yourself")
        result = plain(host.model.last())
        right = code == 0 and host.session and f'"id":"{host.session}"' in result and f'"name":"{host.label}"' in result
        return right, output
