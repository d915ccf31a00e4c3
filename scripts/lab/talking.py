"""Scenarios: mail finds its way, at each moment that a host has for it."""
import terminal
from hosts import Claude
from model import Step, text
from reading import FENCE, once, outside, plain, showings, strings


def identity(stage):
    """Both sessions start once and name themselves; nobody told relay who they are."""
    for host in stage.both:
        right, output = stage.meet(host)
        stage.check(host, "identity is found without configuration: the bus registers the right session", right, output)


def reply_by_stop(stage):
    """Claude asks, Codex reads it at its prompt and answers, Claude's Stop hook hands the answer over."""
    claude, codex = stage.both
    claude.model.script(claude.bus("send", to="codex-b", body="QUESTION one"),
                        text("I wait.", when=stage.flag("answered-1")), text("Thank you."))
    asking = claude.start("ask codex-b", resume=claude.session)
    stage.check(claude, "its model sends by name", claude.model.wait_for_request(2) and '"ok":true' in plain(claude.model.last()))
    codex.model.script(codex.bus("send", to="claude-a", body="ANSWER one", kind="reply"), text("answered"))
    code, output = codex.run("go on", resume=codex.session)
    first = codex.model.at(0)
    stage.check(codex, "prompt: the mail is before its model, once, inside the fence", once(first, "QUESTION one"), output)
    stage.check(codex, "prompt: the mail says who wrote it",
                [shown.head.split(",")[0] for shown in showings(first, "QUESTION one")] == ["claude-a (claude)"], first[-3000:])
    stage.check(codex, "its model answers by name", code == 0 and '"ok":true' in plain(codex.model.last()), output)
    stage.raise_flag("answered-1")
    code, output = claude.finish(asking)
    before, after = claude.model.at(1), claude.model.at(2)
    stage.check(claude, "stop: the reply is handed to the model instead of ending the turn",
                not showings(before, "ANSWER one") and once(after, "ANSWER one"), after[-3000:] or output)
    stage.check(claude, "stop: the reply says who wrote it",
                [shown.head.split(",")[0] for shown in showings(after, "ANSWER one")] == ["codex-b (codex)"], after[-3000:])
    stage.check(claude, "stop: with nothing new the turn ends", code == 0 and len(claude.model.seen) == 3, f"{code} {output}")
    for host in stage.both:
        left = stage.peek(host.label)
        stage.check(host, "what was read is consumed", left["count"] == 0 and "held" not in left, str(left))


def reply_in_mid_turn(stage):
    """The answer comes while Claude's tool still works: it is there right after it."""
    claude, codex = stage.both
    claude.model.script(claude.bus("send", to="codex-b", body="QUESTION two"), claude.shell_until(stage.flag("answered-2")),
                        text("Thank you."))
    asking = claude.start("ask codex-b", resume=claude.session)
    claude.model.wait_for_request(2)
    codex.model.script(codex.bus("send", to="claude-a", body="ANSWER two", kind="reply"), text("answered"))
    codex.run("go on", resume=codex.session)
    stage.raise_flag("answered-2")
    code, output = claude.finish(asking)
    before, after = claude.model.at(1), claude.model.at(2)
    stage.check(claude, "mid-turn: the reply is there right after the tool that worked meanwhile",
                not showings(before, "ANSWER two") and once(after, "ANSWER two"), after[-3000:] or output)
    stage.check(claude, "mid-turn: the turn then ends, nothing comes twice", code == 0 and len(claude.model.seen) == 3, output)


def mid_turn(stage):
    """Mail that comes while a command runs is there after it, in both hosts."""
    for host in stage.both:
        name, body = f"mid-{host.label}", f"MIDTURN for {host.label}"
        host.model.script(host.shell_until(stage.flag(name)), text("done"))
        working = host.start("work", resume=host.session)
        host.model.wait_for_request(1)
        stage.send(host.label, body)
        stage.raise_flag(name)
        code, output = host.finish(working)
        stage.check(host, "mid-turn: mail is there right after the command that ran meanwhile",
                    code == 0 and not showings(host.model.at(0), body) and once(host.model.at(1), body), output + host.model.at(1)[-2000:])


def at_start(stage):
    """Mail that waited for a sleeping session is there when it starts again."""
    for host in stage.both:
        body = f"WAITED for {host.label}"
        stage.send(host.label, body)
        host.model.script(text("seen"))
        code, output = host.run("hello again", resume=host.session)
        stage.check(host, "start or prompt: mail that waited is before the model at once",
                    code == 0 and once(host.model.at(0), body), output)


def codex_stop(stage):
    """Codex's turn does not end either while mail waits."""
    host = stage.codex
    host.model.script(text("about to end", first=lambda: stage.send("codex-b", "LATE for codex-b")), text("now it ends"))
    code, output = host.run("work", resume=host.session)
    stage.check(host, "stop: mail that came during the last step is handed to the model",
                code == 0 and len(host.model.seen) == 2 and once(host.model.last(), "LATE for codex-b"), output)


def tools_at_once(stage):
    """Two tools in one answer fire two hooks at the same time: still shown once."""
    for host in stage.both:
        body = f"PARALLEL for {host.label}"
        step = Step(calls=host.bus("whoami").calls + host.bus("roster").calls, first=lambda: stage.send(host.label, body))
        host.model.script(step, text("done"))
        code, output = host.run("work", resume=host.session)
        stage.check(host, "two tools at once: mail is shown once, unmarked",
                    code == 0 and once(host.model.at(1), body), str(showings(host.model.at(1), body)) + output)


def much_mail(stage):
    """More mail than one event may carry comes in pieces, in order, none cut by the host."""
    for host in stage.both:
        bodies = [f"MUCH {number:02} " + "m" * 1_100 + "é漢" * 60 for number in range(12)]
        for body in bodies:
            stage.send(host.label, body)
        stage.send(host.label, "LONG " + "ж" * 10_000)
        host.model.script(host.bus("whoami"), *[text(f"step {number}") for number in range(8)])
        code, output = host.run("read", resume=host.session)
        request = host.model.last()
        marks = [showings(request, body) for body in bodies]
        stage.check(host, "much mail: all of it, each message whole and once",
                    code == 0 and all(once(request, body) for body in bodies), f"{marks} {output[-1000:]}")
        words = plain(request)
        places = [words.find(f"| {body}") for body in bodies]
        stage.check(host, "much mail: in the order it was sent", places == sorted(places) and places[0] > 0, str(places))
        fences = [fence for text_ in strings(request) for fence in FENCE.findall(text_) if "MUCH" in fence or "LONG" in fence]
        stage.check(host, "much mail: every fence is closed by relay, none cut open by the host",
                    fences and all(fence.endswith("end of mail") for fence in fences) and not outside(request, "MUCH"), str(fences)[-2000:])
        stage.check(host, "much mail: a long message says how to read on", "cut here: " in words and once(request, "LONG жжж"))


def subagent(stage):
    """Mail is for the session: its subagent does not get it, its own model does."""
    host, flag = stage.claude, "side-task-went-on"

    def send_while_both_work():
        host.model.wait_for_request(2)
        stage.send("claude-a", "NOT for a subagent")

    task = {"description": "a side task", "prompt": "SIDETASK", "subagent_type": "general-purpose", "run_in_background": True}
    side_steps = [Step(calls=[("Bash", {"command": "true", "description": "work"})], first=send_while_both_work),
                  text("side task done", first=lambda: stage.raise_flag(flag))]
    host.model.script(Step(calls=[("Agent", task)]), text("it works", when=stage.flag(flag)), text("done"), text("done"),
                      aside="SIDETASK", aside_steps=side_steps)
    code, output = host.run("delegate", resume=host.session)
    aside = host.model.seen_aside
    stage.check(host, "subagent: it uses a tool and is not shown the session's mail",
                len(aside) == 2 and not any("NOT for a subagent" in request for request in aside), f"{len(aside)} {aside[-1:]} {output[-1500:]}")
    stage.check(host, "subagent: the session's own model is", code == 0 and once(host.model.last(), "NOT for a subagent"), output[-1500:])


def clear(stage):
    """`/clear` gives the conversation a new id: name and mail go with it, in the same process."""
    host = Claude(stage.lab, "c", "claude-c")
    host.model.script(host.bus("register", name="claude-c"), text("ready"), host.bus("whoami"), text("done"), text("done"))
    talk = host.converse()
    talk.say("name yourself")
    before = talk.session
    stage.send("claude-c", "BEFORE the clear")
    talk.say("/clear")
    talk.say("who are you")
    after = talk.session
    talk.end()
    request = host.model.last()
    stage.check(host, "/clear: the new session has the name", before != after and f'"id":"{after}"' in plain(request)
                and '"name":"claude-c"' in plain(request), f"{before} {after} {request[-1500:]}")
    stage.check(host, "/clear: mail to the old session is before the new one's model", once(request, "BEFORE the clear"))
    stage.send(before, "TO THE OLD id")
    host.model.script(text("seen"))
    host.run("hello", resume=after)
    stage.check(host, "/clear: mail to the old id follows", once(host.model.last(), "TO THE OLD id"))


def clear_in_terminal(stage):
    """`/clear` typed in a real terminal, where the bus outlives the conversation that it was started with."""
    host = Claude(stage.lab, "terminal", "claude-t")
    if not terminal.available():
        return stage.sheet.skip(host.name, "/clear in a terminal", "tmux is not installed")
    screen = terminal.claude(stage.lab, host)
    try:
        host.model.script(host.bus("register", name="claude-t"), text("registered"))
        screen.say("name yourself")
        named = screen.turn_ended("registered") and stage.listed("claude-t").get("live")
        before = stage.listed("claude-t").get("id")
        stage.send("claude-t", "UNREAD before the clear")
        host.model.script(host.bus("whoami"), text("fine"))
        screen.say("/clear")
        moved = screen.wait(lambda: stage.listed("claude-t").get("id") not in (None, before))
        stage.check(host, "/clear in a terminal: the name goes to the new session", named and moved, screen.screen())
        screen.say("go on")
        screen.turn_ended("fine")
        after = f'"id":"{stage.listed("claude-t").get("id")}"'
        stage.check(host, "/clear in a terminal: unread mail goes with the conversation",
                    once(host.model.at(0), "UNREAD before the clear"), screen.screen())
        stage.check(host, "/clear in a terminal: the bus, started before, knows the new id", after in plain(host.model.at(1)), screen.screen())
    finally:
        screen.close()


ALL = [identity, reply_by_stop, reply_in_mid_turn, mid_turn, at_start, codex_stop, tools_at_once, much_mail, subagent, clear,
       clear_in_terminal]
