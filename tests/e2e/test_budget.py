"""Budgets with the real SDK of OpenAI: an agent's loop runs past its budget, is told why and goes on.

A scripted model says what each answer cost, or says nothing; the server is a whole `tagout serve`,
which is restarted in the middle.
"""

import http.server
import json
import os
import subprocess
import threading
import unittest

from harness import ROOT, Server

PYTHON = ROOT / "build/venv/bin/python3"

# Runs inside the venv: asks so often, whole or streamed, and goes on whatever becomes of a question.
CLIENT = """
import json, sys
import openai
base, rounds, how, session = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
client = openai.OpenAI(base_url=base, api_key="own", default_headers={"tagout-agent": "desk", "tagout-session": session})
for number in range(rounds):
    try:
        messages = [{"role": "user", "content": f"question {number}"}]
        if how == "streamed":
            text = "".join(c.choices[0].delta.content or "" for c in client.chat.completions.create(model="gpt-priced", messages=messages, stream=True) if c.choices)
        else:
            text = client.chat.completions.create(model="gpt-priced", messages=messages).choices[0].message.content
        print(json.dumps({"said": text}), flush=True)
    except openai.APIStatusError as refusal:
        print(json.dumps({"status": refusal.status_code, "told": refusal.message}), flush=True)
print(json.dumps({"ended": rounds}), flush=True)
"""


class Model(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked = 0

    def do_POST(self):
        Model.asked += 1
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if body.get("stream"):
            chunks = [{"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"role": "assistant", "content": word}}]}
                      for word in ("four ", "words ", "of ", "answer")]
            text = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
            kind = "text/event-stream"
        else:
            text = json.dumps({"id": "c", "object": "chat.completion", "model": "gpt-priced", "created": 1,
                               "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "an answer"}}],
                               "usage": {"prompt_tokens": 50, "completion_tokens": 10, "total_tokens": 60}})
            kind = "application/json"
        data = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


class Budget(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Model)
        threading.Thread(target=cls.model.serve_forever, daemon=True).start()
        cls.config = (
            "model_upstreams:\n"
            f"  openai: {{ protocol: openai, url: 'http://127.0.0.1:{cls.model.server_address[1]}/v1' }}\n"
            "prices:\n  - { model: 'gpt-*', input_usd_per_million: 10, output_usd_per_million: 50 }\n"
        )

    @classmethod
    def tearDownClass(cls):
        cls.model.shutdown()
        cls.model.server_close()

    def loop(self, server, rounds, how, session):
        done = subprocess.run(
            [str(PYTHON), "-c", CLIENT, server.gateway + "/model/openai", str(rounds), how, session],
            capture_output=True, text=True, timeout=60, env={**os.environ, "no_proxy": "127.0.0.1"})
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(lines.pop(), {"ended": rounds}, "the loop did not go on to its end")
        return lines

    def test_a_loop_runs_past_its_budget_is_told_why_and_goes_on(self):
        with Server(config=self.config) as server:
            server.cli("contain", "budget", "agent:desk", "--budget", "150 tokens/1h", "--key", "session",
                       "--reason", "it asks too much", "--as", "ann")
            Model.asked = 0
            lines = self.loop(server, 6, "whole", "s-1")
            self.assertEqual([line.get("said") for line in lines[:3]], ["an answer"] * 3, "60 each of 150")
            for line in lines[3:]:
                self.assertEqual(line["status"], 403)
                self.assertIn("The budget of 150 tokens/1h for agent desk, for each session is spent", line["told"])
                self.assertIn("it asks too much", line["told"])
            self.assertEqual(Model.asked, 3, "a refusal was asked again, or cost something")
            self.assertEqual(self.loop(server, 1, "whole", "s-2")[0].get("said"), "an answer", "another session has its own")

            server.stop()
            server.start()
            again = self.loop(server, 1, "whole", "s-1")[0]
            self.assertEqual(again.get("status"), 403, "a restart gave a fresh allowance")
            control = server.get_json("/v1/controls")["controls"][0]
            self.assertEqual(control["budget"], "150 tokens/1h")
            self.assertEqual(control["key"], "session")

    def test_money_is_counted_and_a_stream_that_tells_nothing_is_estimated(self):
        with Server(config=self.config) as server:
            server.cli("contain", "budget", "agent:desk", "--budget", "0.002 usd", "--reason", "it asks too much", "--as", "ann")
            lines = self.loop(server, 4, "whole", "s-1")
            self.assertEqual([line.get("status", 200) for line in lines], [200, 200, 403, 403], "a thousandth each")
        with Server(config=self.config) as server:
            server.cli("contain", "budget", "global", "--budget", "60 tokens", "--reason", "it asks too much", "--as", "ann")
            lines = self.loop(server, 8, "streamed", "s-1")
            refused = [line for line in lines if "status" in line]
            self.assertTrue(0 < len(refused) < 8, lines)
            self.assertEqual(lines[0].get("said"), "four words of answer")
            self.assertIn("estimated", refused[0]["told"])


if __name__ == "__main__":
    unittest.main()
