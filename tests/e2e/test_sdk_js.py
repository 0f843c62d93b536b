"""Instrumented JavaScript SDKs run for real against Tagout: right kinds, tokens once, failures seen.

Each client makes two calls that succeed (57 + 17 tokens each) and one that fails with 429, against a
model server of the test's own (js/model.mjs).
"""

import json
import subprocess
import unittest

from harness import ROOT, Server

JS = ROOT / "tests/e2e/js"
TOKENS = 57 + 17

# scenario: model calls seen, of which failed; what the SDK does not export cannot be seen (see the
# notes on lost failures in docs/reference/normalisation.md).
SCENARIOS = {
    "otel:proto": dict(convention="otel_genai", llm=3, failed=1),
    "otel:json": dict(convention="otel_genai", llm=3, failed=1),
    "otel:grpc": dict(convention="otel_genai", llm=3, failed=1),
    "openinference": dict(convention="openinference", llm=2, failed=0),
    "anthropic": dict(convention="otel_genai", llm=2, failed=1),
    "langfuse": dict(convention="langfuse", llm=3, failed=1),
    "traceloop": dict(convention="openllmetry", llm=2, failed=0),
    "vercel": dict(convention="otel_genai", llm=2, failed=0, tools=1),
}


class JavaScriptSdks(unittest.TestCase):
    server = None

    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__(None, None, None)

    def check(self, scenario, convention, llm, failed, tools=0):
        conversation = "conv-" + scenario.replace(":", "-")
        done = subprocess.run(
            ["node", "run.mjs", scenario, self.server.otlp, self.server.grpc, conversation], cwd=JS,
            capture_output=True, text=True, timeout=90)
        self.assertEqual(done.returncode, 0, done.stderr)
        served = json.loads(done.stdout.splitlines()[-1])["served"]
        trace = self.server.get_json(f"/v1/traces/{conversation}")
        told = [(event["kind"], event["convention"], event["name"], event["outcome"]) for event in trace["events"]]
        calls = [event for event in trace["events"] if event["kind"] == "llm"]
        self.assertEqual(len(calls), llm, told)
        self.assertEqual({event["convention"] for event in calls}, {convention}, told)
        self.assertEqual(trace["tokens"], served * TOKENS, told)
        throttled = [event for event in calls if event["outcome"] == "throttled"]
        self.assertEqual(len(throttled), failed, told)
        self.assertEqual(sum(event["kind"] == "tool" for event in trace["events"]), tools, told)


def add(scenario, wanted):
    name = "test_" + scenario.replace(":", "_")
    setattr(JavaScriptSdks, name, lambda self: self.check(scenario, **wanted))


for each, expected in SCENARIOS.items():
    add(each, expected)

if __name__ == "__main__":
    assert (JS / "node_modules").is_dir(), "the JavaScript clients are missing; ./dev test installs them"
    unittest.main()
