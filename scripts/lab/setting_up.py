"""Scenarios: `relay install` in an empty home, a real session with it, `relay uninstall`."""
import pathlib
import subprocess

from gemini import Gemini
from hosts import Claude, Codex, Lab
from model import text, tool
from opencode import Opencode
from others import Copilot, Kimi, Qwen
from reading import once, plain

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent



class InstalledClaude(Claude):
    def configure(self):
        pass

    def command(self, *arguments):
        return [self.lab.programs["claude"], "--allowedTools", "mcp__relay__whoami", *arguments]


class InstalledCodex(Codex):
    def configure(self):
        """A user's own configuration: which model to ask."""
        self.configuration = self.lab.home / ".codex/config.toml"
        self.configuration.parent.mkdir(exist_ok=True)
        self.configuration.write_text(
            '# mine\nmodel = "scripted" # why\nmodel_provider = "mock"\napproval_policy = "never"\nsandbox_mode = "danger-full-access"\n'
            f'[model_providers.mock]\nname = "mock"\nbase_url = "{self.address()}"\nwire_api = "responses"\n'
            '\n[mcp_servers.other]   # my own\n# a note\ncommand = "true"\nargs = [\n  "a", # one\n]\nenabled = false\n')


class InstalledGemini(Gemini):
    def configure(self):
        """A user's own settings: how to sign in."""
        self.configuration = self.lab.home / ".gemini/settings.json"
        self.configuration.parent.mkdir(exist_ok=True)
        self.configuration.write_text('{\n  // mine\n  "security": {"auth": {"selectedType": "gemini-api-key"}}, /* one line */\n'
                                      '  "mcpServers": {}\n}\n')


class InstalledQwen(Qwen):
    def configure(self):
        self.configuration = self.lab.home / ".qwen/settings.json"
        self.configuration.parent.mkdir(exist_ok=True)
        self.configuration.write_text('{\n  // mine\n  "$version": 4,\n  "security": {"auth": {"selectedType": "openai"}}, "model": {"name": "scripted"}\n}\n')


class InstalledCopilot(Copilot):
    def configure(self):
        """A user's folder, empty yet."""
        (self.lab.home / ".copilot").mkdir(exist_ok=True)


class InstalledKimi(Kimi):
    def configure(self):
        self.own = self.lab.home / ".kimi-code"
        self.own.mkdir(exist_ok=True)
        self.configuration = self.own / "config.toml"
        self.configuration.write_text("# mine\n" + self.provider())

    def variables(self):
        return {"PATH": super().variables()["PATH"]}


class InstalledOpencode(Opencode):
    def configure(self):
        """Nothing of relay's; offline, its own package must fail at once."""
        (self.lab.home / ".npmrc").write_text("fetch-retries=0\n")

    def variables(self):
        return {name: value for name, value in super().variables().items() if name != "PATH"}


def configuration(home):
    """The text of each file that install may touch."""
    paths = [".claude.json", ".claude/settings.json", ".codex/config.toml", ".codex/hooks.json", ".gemini/settings.json",
             ".qwen/settings.json", ".copilot/settings.json", ".copilot/mcp-config.json",
             ".kimi-code/config.toml", ".kimi-code/mcp.json", ".config/opencode/plugins/relay.js"]
    return {path: (home / path).read_text() for path in paths if (home / path).exists()}


def installed(stage):
    """One command wires all hosts; a session's mail is there; another command takes it all out."""
    home = pathlib.Path(stage.lab.home) / "installed"
    home.mkdir()
    lab = Lab(home, stage.lab.relay, stage.lab.programs)
    hosts = [InstalledClaude(lab, "a", "installed-claude"), InstalledCodex(lab, "b", "installed-codex"), InstalledGemini(lab, "g", "installed-gemini"),
             InstalledQwen(lab, "q", "installed-qwen"), InstalledCopilot(lab, "c", "installed-copilot"), InstalledKimi(lab, "k", "installed-kimi"), InstalledOpencode(lab, "o", "installed-opencode")]
    asked = [host for host in hosts if host.name not in ("kimi", "opencode")]
    environment = {name: value for host in hosts for name, value in host.variables().items()}
    before = configuration(home)
    dry = lab.run_relay("install", "--dry", environment=environment)
    stage.sheet.check("both", "install --dry shows and changes nothing",
                      dry.returncode == 0 and "mcp add" in dry.stdout and configuration(home) == before, dry.stdout + dry.stderr)
    run = lab.run_relay("install", environment=environment)
    stage.sheet.check("both", "install wires the hosts", run.returncode == 0, run.stdout + run.stderr)
    stage.sheet.check("both", "install: each host shows the server when asked, without a model",
                      run.stdout.count(": checked, `") == len(asked) + 1 and run.stdout.count("` shows it") == len(asked), run.stdout)
    stage.sheet.check("both", "install: the user's lines stay, comments and all",
                      (configuration(home)[".codex/config.toml"]).startswith(before[".codex/config.toml"]), run.stdout)
    again = lab.run_relay("install", environment=environment)
    stage.sheet.check("both", "install twice changes nothing", again.returncode == 0 and "  +" not in again.stdout, again.stdout + again.stderr)
    for host in hosts:
        body = f"AFTER install for {host.label}"
        host.model.script(tool({"gemini": "mcp_relay_whoami", "copilot": "relay-whoami", "opencode": "relay_whoami"}.get(host.name, "mcp__relay__whoami")), text("hello"))
        code, output = host.run("hello")
        stage.check(host, "installed: the session knows itself by relay's bus",
                    code == 0 and host.session and f'"id":"{host.session}"' in plain(host.model.last()), output + host.model.last()[-2000:])
        run = lab.run_relay("send", "--id", host.session or "none", "--", body)
        host.model.script(text("seen"))
        code, output = host.run("hello again", resume=host.session)
        stage.check(host, "installed: its mail is there by relay's hook", code == 0 and once(host.model.at(0), body), run.stderr + output)
    doctor = lab.run_relay("doctor")
    stage.sheet.check("both", "doctor is content with what install made", doctor.returncode == 0, doctor.stdout)
    run = lab.run_relay("uninstall", environment=environment)
    after = configuration(home)
    left = [f"{path}: {line}" for path, words in after.items() for line in words.splitlines()
            if str(stage.lab.relay) in line or "mcp_servers.relay" in line or '"relay"' in line]
    stage.sheet.check("both", "uninstall leaves nothing of relay's", run.returncode == 0 and not left, f"{run.stdout}{run.stderr}{left}")
    # Qwen Code lays its settings out anew when it starts.
    for path in (".codex/config.toml", ".gemini/settings.json", ".kimi-code/config.toml"):
        stage.sheet.check("both", f"uninstall: the user's own {path} is as it was", after.get(path) == before[path], after.get(path))
    lab.close()


class PluginClaude(InstalledClaude):
    def command(self, *arguments):
        return [self.lab.programs["claude"], "--allowedTools", "mcp__plugin_relay_bus__whoami", *arguments]


def plugins(stage):
    """The repository as a plugin of each host: its own validator, its own installer, a session with mail."""
    home = pathlib.Path(stage.lab.home) / "plugins"
    home.mkdir()
    lab = Lab(home, str(ROOT / "bin/relay"), stage.lab.programs)
    # As a user clones it: without what a build leaves behind.
    clone = home / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    claude, codex = PluginClaude(lab, "a", "plugin-claude"), InstalledCodex(lab, "b", "plugin-codex")

    def host_does(host, *words):
        run = subprocess.run([lab.programs[host.name], "plugin", *words], cwd=host.folder, env={**lab.environment, **host.variables()},
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90)
        return run.returncode == 0, run.stdout + run.stderr

    right, output = host_does(claude, "validate", str(clone))
    # It warns of what its public catalog wants besides, such as an icon.
    stage.check(claude, "plugin: the host's own validator passes it", right and "Validation passed" in output, output)
    for host, add in ((claude, "install"), (codex, "add")):
        added = [host_does(host, "marketplace", "add", str(clone)), host_does(host, add, "relay@relay")]
        stage.check(host, "plugin: the host installs it from the clone", all(done for done, _ in added), str(added))
        called = "mcp__plugin_relay_bus__whoami" if host is claude else "mcp__bus__whoami"
        host.model.script(tool(called), text("hello"))
        code, output = host.run("hello")
        stage.check(host, "plugin: the session knows itself by relay's bus",
                    code == 0 and host.session and f'"id":"{host.session}"' in plain(host.model.last()), output + host.model.last()[-2000:])
        body = f"BY PLUGIN for {host.label}"
        lab.run_relay("send", "--id", host.session or "none", "--", body)
        host.model.script(text("seen"))
        code, output = host.run("hello again", resume=host.session)
        stage.check(host, "plugin: its mail is there by relay's hook", code == 0 and once(host.model.at(0), body), output)
    extension(stage, InstalledGemini(lab, "g", "plugin-gemini"), clone)
    lab.close()


def extension(stage, host, clone):
    """The same clone as an extension of Gemini CLI."""
    def host_does(*words):
        run = subprocess.run([host.lab.programs["gemini"], "extensions", *words], cwd=host.folder, env={**host.lab.environment, **host.variables()},
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90)
        return run.returncode == 0, run.stdout + run.stderr

    right, output = host_does("validate", str(clone))
    stage.check(host, "extension: the host's own validator passes it", right and "successfully validated" in output, output)
    right, output = host_does("install", str(clone), "--consent")
    stage.check(host, "extension: the host installs it from the clone", right, output)
    host.model.script(tool("mcp_relay_whoami"), text("hello"))
    code, output = host.run("hello")
    stage.check(host, "extension: the session knows itself by relay's bus",
                code == 0 and host.session and f'"id":"{host.session}"' in plain(host.model.last()), output + host.model.last()[-2000:])
    body = f"BY EXTENSION for {host.label}"
    host.lab.run_relay("send", "--id", host.session or "none", "--", body)
    host.model.script(text("seen"))
    code, output = host.run("hello again", resume=host.session)
    stage.check(host, "extension: its mail is there by relay's hook", code == 0 and once(host.model.at(0), body), output)
    wired = host.lab.run_relay("doctor").stdout
    stage.check(host, "extension: doctor sees it", "Gemini CLI" in wired and "its plugin of relay is on" in wired.split("Gemini CLI")[1].split("\n")[0], wired)


ALL = [installed, plugins]
