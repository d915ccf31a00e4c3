"""Reads what a model was sent: which mail stands in a request, and where."""
import html
import json
import re

FENCE = re.compile(r"<session-relay-mail>\n(.*?)\n</session-relay-mail>", re.DOTALL)
ENTRY = re.compile(r"^\[([0-9a-f]{8})\] \d+ of \d+: from ([^\n]*)\n", re.MULTILINE)


class Showing:
    """One time that a message was put before the model."""

    def __init__(self, mark, head):
        self.mark, self.head = mark, head
        self.redelivered = "REDELIVERED" in head

    def __repr__(self):
        return f"[{self.mark}] from {self.head}"


def strings(request):
    """Every text in a request, as the model reads it; Codex escapes a Stop hook's text."""
    def walk(value):
        if isinstance(value, str):
            yield html.unescape(value)
        elif isinstance(value, list):
            for item in value:
                yield from walk(item)
        elif isinstance(value, dict):
            for item in value.values():
                yield from walk(item)
    return list(walk(json.loads(request))) if request else []


def plain(request):
    return "\n".join(strings(request))


def showings(request, body):
    """When relay showed this body inside its fence. Claude Code writes a Stop
    hook's text twice into a request; relay's mark tells that it said it once."""
    found = {}
    for text in strings(request):
        for fence in FENCE.findall(text):
            entries = list(ENTRY.finditer(fence))
            for entry, after in zip(entries, entries[1:] + [None]):
                quoted = fence[entry.end():after.start() if after else len(fence)]
                if f"| {body}" in quoted:
                    found[entry.group(1)] = Showing(*entry.groups())
    return list(found.values())


def outside(request, words):
    """Whether the words stand anywhere outside a fence."""
    return any(words in FENCE.sub("", text) for text in strings(request))


def once(request, body):
    """Whether relay showed this body exactly once, unmarked, and nowhere but in its fence."""
    shown = showings(request, body)
    return len(shown) == 1 and not shown[0].redelivered and not outside(request, body)
