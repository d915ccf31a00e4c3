"""A model that says what a script tells it to, on a loopback port.

Plays Anthropic's POST /v1/messages, OpenAI's POST /v1/responses and
/v1/chat/completions, and Google's POST :streamGenerateContent. Every request of the main conversation (one that offers tools) takes the next step of
the script and is kept, so that a test can assert on what the model was sent.
Every request, of whatever kind, is a line in the log.
"""
import http.server
import json
import os
import threading
import time

WAIT_SECONDS = 60


class Step:
    """One answer: a text, or tool calls at once; perhaps only once a file is
    there, or after something else was done first."""

    def __init__(self, text=None, calls=(), when=None, first=None):
        self.text, self.calls, self.when, self.first = text, list(calls), when, first


def text(words, when=None, first=None):
    return Step(text=words, when=when, first=first)


def tool(called, /, when=None, first=None, **arguments):
    return Step(calls=[(called, arguments)], when=when, first=first)


class Model:
    """The scripted model; `seen` holds the main requests' bodies as JSON text."""

    def __init__(self, log):
        self.log = log
        self.lock = threading.Condition()
        self.script()
        model = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self):
                try:
                    super().handle()
                except ConnectionResetError:
                    pass  # a host was killed

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                model.answer(self, body)

            def do_GET(self):
                reply(self, 200, "application/json", b'{"data":[],"models":[]}')

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def script(self, *steps, aside=None, aside_steps=()):
        """Starts a new run: these answers, and nothing seen yet. Requests that
        hold the word `aside` (a subagent's task) are another conversation with
        steps of its own, kept in `seen_aside`."""
        with self.lock:
            self.lanes = {False: list(steps), True: list(aside_steps)}
            self.aside, self.seen, self.seen_aside, self.unscripted = aside, [], [], 0

    def wait_for_request(self, number):
        """Waits until so many main requests have come."""
        with self.lock:
            return self.lock.wait_for(lambda: len(self.seen) >= number, WAIT_SECONDS)

    def last(self):
        """The latest main request."""
        return self.seen[-1] if self.seen else ""

    def at(self, index):
        """The main request at this place, or nothing."""
        return self.seen[index] if index < len(self.seen) else ""

    def next_step(self, request):
        """Keeps a request and takes the next step of its conversation."""
        words = json.dumps(request, ensure_ascii=False)
        with self.lock:
            beside = bool(self.aside) and starts_with_task(request, self.aside)
            seen = self.seen_aside if beside else self.seen
            seen.append(words)
            steps = self.lanes[beside]
            self.lock.notify_all()
            if len(seen) <= len(steps):
                return steps[len(seen) - 1]
            self.unscripted += 1
            return Step(text="ok")

    def answer(self, handler, body):
        request = json.loads(body or b"{}")
        with self.lock, open(self.log, "a", encoding="utf-8") as log:
            log.write(json.dumps({"path": handler.path, "request": request}, ensure_ascii=False) + "\n")
        if "count_tokens" in handler.path:
            return reply(handler, 200, "application/json", b'{"input_tokens":10}')
        step = self.next_step(request) if request.get("tools") else Step(text="ok")
        if step.first:
            step.first()
        deadline = time.monotonic() + WAIT_SECONDS
        while step.when and not os.path.exists(step.when) and time.monotonic() < deadline:
            time.sleep(0.01)
        try:
            stream = stream_for(handler.path)(step)
            reply(handler, 200, "text/event-stream", stream)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the host was killed while it waited: that is what the test wanted


def stream_for(path):
    """How the API of this path is answered."""
    if "/messages" in path:
        return anthropic_stream
    if "GenerateContent" in path or "generateContent" in path:
        return google_stream
    return chat_stream if "/chat/completions" in path else openai_stream


def starts_with_task(request, word):
    """Whether this is the conversation whose first user message is the task."""
    users = [message for message in request.get("messages") or request.get("input") or request.get("contents") or []
             if isinstance(message, dict) and message.get("role") == "user"]
    return bool(users) and word in json.dumps(users[0], ensure_ascii=False)


def reply(handler, status, kind, body):
    handler.send_response(status)
    handler.send_header("content-type", kind)
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def events(pairs):
    return "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in pairs).encode()


def anthropic_stream(step):
    start = {"id": f"msg_{time.time_ns()}", "type": "message", "role": "assistant", "model": "scripted", "content": [],
             "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}}
    blocks = [({"type": "tool_use", "id": f"toolu_{time.time_ns()}", "name": name, "input": {}},
               {"type": "input_json_delta", "partial_json": json.dumps(arguments)}) for name, arguments in step.calls]
    if not blocks:
        blocks = [({"type": "text", "text": ""}, {"type": "text_delta", "text": step.text})]
    pairs = [("message_start", {"type": "message_start", "message": start})]
    for index, (block, delta) in enumerate(blocks):
        pairs += [
            ("content_block_start", {"type": "content_block_start", "index": index, "content_block": block}),
            ("content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta}),
            ("content_block_stop", {"type": "content_block_stop", "index": index}),
        ]
    end = {"stop_reason": "tool_use" if step.calls else "end_turn", "stop_sequence": None}
    return events(pairs + [
        ("message_delta", {"type": "message_delta", "delta": end, "usage": {"output_tokens": 1}}),
        ("message_stop", {"type": "message_stop"}),
    ])


def openai_call(name, arguments):
    identity = f"{time.time_ns()}"
    item = {"type": "function_call", "id": f"fc_{identity}", "call_id": f"call_{identity}", "name": name,
            "arguments": json.dumps(arguments), "status": "completed"}
    if name.startswith("mcp__"):
        item["namespace"], item["name"] = name.rsplit("__", 1)
    return item


def openai_stream(step):
    identity = f"{time.time_ns()}"
    response = {"id": f"resp_{identity}", "object": "response", "status": "in_progress", "output": []}
    items = [openai_call(name, arguments) for name, arguments in step.calls]
    if not items:
        items = [{"type": "message", "id": f"msg_{identity}", "role": "assistant", "status": "completed",
                  "content": [{"type": "output_text", "text": step.text, "annotations": []}]}]
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2,
             "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    done = {**response, "status": "completed", "output": items, "usage": usage}
    pairs = [("response.created", {"type": "response.created", "response": response})]
    for index, item in enumerate(items):
        for kind in ("response.output_item.added", "response.output_item.done"):
            pairs.append((kind, {"type": kind, "output_index": index, "item": item}))
    return events(pairs + [("response.completed", {"type": "response.completed", "response": done})])


def chat_stream(step):
    chunk = {"id": f"chat_{time.time_ns()}", "object": "chat.completion.chunk", "created": 1, "model": "scripted"}
    said = {"role": "assistant", "content": step.text}
    if step.calls:
        calls = [{"index": index, "id": f"call_{time.time_ns()}_{index}", "type": "function",
                  "function": {"name": name, "arguments": json.dumps(arguments)}} for index, (name, arguments) in enumerate(step.calls)]
        said = {"role": "assistant", "tool_calls": calls}
    end = {"index": 0, "delta": {}, "finish_reason": "tool_calls" if step.calls else "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    chunks = [{**chunk, "choices": [{"index": 0, "delta": said, "finish_reason": None}]}, {**chunk, "choices": [end], "usage": usage}]
    return "".join(f"data: {line}\n\n" for line in [*map(json.dumps, chunks), "[DONE]"]).encode()


def google_stream(step):
    parts = [{"functionCall": {"name": name, "args": arguments}} for name, arguments in step.calls] or [{"text": step.text}]
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}
    usage = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
    return f"data: {json.dumps({'candidates': [candidate], 'usageMetadata': usage})}\r\n\r\n".encode()
