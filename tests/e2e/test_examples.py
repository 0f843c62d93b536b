"""The examples as a user runs them: a whole Tagout, the real SDKs, and a model that is a script."""

import http.server
import json
import os
import subprocess
import threading
import unittest

from harness import ROOT, Server

PYTHON = ROOT / "build/venv/bin/python3"
EXAMPLES = ROOT / "examples/python"


class Model:
    """A chat model that asks for one refund, and then repeats what it was told of it."""

    def __init__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                results = [each["content"] for each in request["messages"] if each["role"] == "tool"]
                message = {"role": "assistant", "content": f"The tool said: {results[-1]}" if results else None}
                if not results:
                    message["tool_calls"] = [{"id": "call_1", "type": "function", "function": {
                        "name": "refund", "arguments": json.dumps({"order": "7"})}}]
                body = json.dumps({
                    "id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": request["model"],
                    "choices": [{"index": 0, "finish_reason": "stop" if results else "tool_calls", "message": message}],
                    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        self.server.shutdown()
        self.server.server_close()


def run(command, gateway, model="http://127.0.0.1:9"):
    done = subprocess.run(
        [str(PYTHON), *command], cwd=EXAMPLES, capture_output=True, text=True, timeout=120,
        env={**os.environ, "TAGOUT_GATEWAY": gateway, "OPENAI_BASE_URL": model, "OPENAI_API_KEY": "none",
             "PYTHONDONTWRITEBYTECODE": "1", "no_proxy": "127.0.0.1"})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = Model()
        cls.server = Server().start()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__(None, None, None)
        cls.model.end()

    def stopped(self):
        answer = self.server.post("/v1/controls", {
            "scope": "tool:refund", "mode": "stopped", "reason": "pays twice", "actor": "ann"})
        self.assertEqual(answer.status, 201, answer.body)
        number = answer.json()["id"]
        self.addCleanup(self.release, number)
        return number

    def release(self, number):
        self.server.post(f"/v1/controls/{number}/request-release", {"reason": "test over", "actor": "ann"})
        answer = self.server.post(f"/v1/controls/{number}/release", {
            "reason": "test over", "actor": "bob", "without_journeys": "none in this test"})
        self.assertEqual(answer.status, 200, answer.body)

    def test_agents_run_their_tools_until_somebody_stops_one(self):
        for example in ("openai_agents.py", "langchain_agent.py"):
            with self.subTest(example):
                said = run([example, "Refund order 7"], self.server.gateway, self.model.url)
                self.assertIn("RAN refund 7", said)
                self.assertIn("The tool said: refunded", said)
                number = self.stopped()
                said = run([example, "Refund order 7"], self.server.gateway, self.model.url)
                self.assertNotIn("RAN", said)
                self.assertIn("The tool said: ", said, "the agent did not go on")
                self.assertIn("pays twice", said)
                self.doCleanups()
                self.assertTrue(number)
                away = run([example, "Refund order 7"], "http://127.0.0.1:9", self.model.url)
                self.assertNotIn("RAN", away)
                self.assertIn("did not decide", away)

    def test_the_hook_of_the_claude_agent_sdk_answers_as_its_contract_says(self):
        """The agent itself is a program that talks to Anthropic: here its hook is asked, with the SDK's own types."""
        ask = ("import asyncio, json, claude_agent as c; hook = c.OPTIONS.hooks['PreToolUse'][0].hooks[0];"
               "print(json.dumps(asyncio.run(hook({'hook_event_name': 'PreToolUse', 'tool_name': 'refund',"
               "'tool_input': {'order': '7'}, 'session_id': 's-1'}, 'toolu_1', None))))")
        self.assertEqual(json.loads(run(["-c", ask], self.server.gateway)), {})
        self.stopped()
        said = json.loads(run(["-c", ask], self.server.gateway))["hookSpecificOutput"]
        self.assertEqual((said["hookEventName"], said["permissionDecision"]), ("PreToolUse", "deny"))
        self.assertIn("pays twice", said["permissionDecisionReason"])
        away = json.loads(run(["-c", ask], "http://127.0.0.1:9"))["hookSpecificOutput"]
        self.assertEqual(away["permissionDecision"], "deny")


if __name__ == "__main__":
    unittest.main()
