"""A model that says what a script tells it to, on a loopback port.

Plays Anthropic's POST /v1/messages and OpenAI's POST /v1/responses. Every
request of the main conversation (one that offers tools) takes the next step of
the script and is kept, so that a test can assert on what the model was sent.
"""
import http.server
import json
import os
import threading
import time

WAIT_SECONDS = 60


class Step:
    """One answer: a text, or a tool call; perhaps only once a file is there."""

    def __init__(self, text=None, tool=None, arguments=None, when=None):
        self.text, self.tool, self.arguments, self.when = text, tool, arguments or {}, when


def text(words, when=None):
    return Step(text=words, when=when)


def tool(called, when=None, **arguments):
    return Step(tool=called, arguments=arguments, when=when)


class Model:
    """The scripted model; `seen` holds the main requests' bodies as JSON text."""

    def __init__(self):
        self.steps, self.seen, self.unscripted = [], [], 0
        self.lock = threading.Condition()
        model = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

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

    def script(self, *steps):
        """Starts a new run: these answers, and nothing seen yet."""
        with self.lock:
            self.steps, self.seen, self.unscripted = list(steps), [], 0

    def wait_for_request(self, number):
        """Waits until so many main requests have come."""
        with self.lock:
            return self.lock.wait_for(lambda: len(self.seen) >= number, WAIT_SECONDS)

    def answer(self, handler, body):
        request = json.loads(body or b"{}")
        anthropic = "/messages" in handler.path
        if "count_tokens" in handler.path:
            return reply(handler, 200, "application/json", b'{"input_tokens":10}')
        step = Step(text="ok")
        if request.get("tools"):
            with self.lock:
                self.seen.append(json.dumps(request, ensure_ascii=False))
                number = len(self.seen)
                if number <= len(self.steps):
                    step = self.steps[number - 1]
                else:
                    self.unscripted += 1
                self.lock.notify_all()
            if step.when:
                deadline = time.monotonic() + WAIT_SECONDS
                while not os.path.exists(step.when) and time.monotonic() < deadline:
                    time.sleep(0.01)
        try:
            stream = anthropic_stream(step) if anthropic else openai_stream(step)
            reply(handler, 200, "text/event-stream", stream)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the host was killed while it waited: that is what the test wanted


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
    if step.tool:
        block = {"type": "tool_use", "id": f"toolu_{time.time_ns()}", "name": step.tool, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(step.arguments)}
        reason = "tool_use"
    else:
        block, delta, reason = {"type": "text", "text": ""}, {"type": "text_delta", "text": step.text}, "end_turn"
    return events([
        ("message_start", {"type": "message_start", "message": start}),
        ("content_block_start", {"type": "content_block_start", "index": 0, "content_block": block}),
        ("content_block_delta", {"type": "content_block_delta", "index": 0, "delta": delta}),
        ("content_block_stop", {"type": "content_block_stop", "index": 0}),
        ("message_delta", {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None},
                           "usage": {"output_tokens": 1}}),
        ("message_stop", {"type": "message_stop"}),
    ])


def openai_stream(step):
    identity = f"{time.time_ns()}"
    response = {"id": f"resp_{identity}", "object": "response", "status": "in_progress", "output": []}
    if step.tool:
        item = {"type": "function_call", "id": f"fc_{identity}", "call_id": f"call_{identity}", "name": step.tool,
                "arguments": json.dumps(step.arguments), "status": "completed"}
        if step.tool.startswith("mcp__"):
            item["namespace"], item["name"] = step.tool.rsplit("__", 1)
    else:
        item = {"type": "message", "id": f"msg_{identity}", "role": "assistant", "status": "completed",
                "content": [{"type": "output_text", "text": step.text, "annotations": []}]}
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2,
             "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    done = {**response, "status": "completed", "output": [item], "usage": usage}
    return events([
        ("response.created", {"type": "response.created", "response": response}),
        ("response.output_item.added", {"type": "response.output_item.added", "output_index": 0, "item": item}),
        ("response.output_item.done", {"type": "response.output_item.done", "output_index": 0, "item": item}),
        ("response.completed", {"type": "response.completed", "response": done}),
    ])
