"""Real model SDKs through the gateway: agents' loops go on when a tool is stopped under them.

A scripted model proposes a stopped tool although it was not offered any more; each SDK, whole and
streamed, must see an answer without that call, with the sentence in its place, and end its loop. The
data plane runs alone (gateway_stand).
"""

import json
import unittest

from harness import ROOT
from test_gateway_mcp import JS, STAND, Talker, node

PYTHON = ROOT / "build/venv/bin/python3"
LOOPS = [("js", name, how) for name in ("chat", "responses", "messages", "ai") for how in ("whole", "streamed")]
LOOPS += [("python", name, how) for name in ("chat", "responses") for how in ("whole", "streamed")]


class GatewayModel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = Talker(node(), JS / "tool_model.mjs")
        upstream = f"http://127.0.0.1:{cls.model.line().split()[1]}"
        cls.gateway = Talker(STAND, "--model", f"openai=openai={upstream}/v1", "--model", f"anthropic=anthropic={upstream}")
        base = f"http://127.0.0.1:{cls.gateway.line().split()[1]}/model"
        cls.clients = {
            "js": Talker(node(), JS / "model_clients.mjs", f"{base}/openai", f"{base}/anthropic"),
            "python": Talker(PYTHON, ROOT / "tests/e2e/model_clients.py", f"{base}/openai"),
        }
        for client in cls.clients.values():
            client.line(lambda line: line == "ready")

    @classmethod
    def tearDownClass(cls):
        for each in (*cls.clients.values(), cls.gateway, cls.model):
            each.close()

    def setUp(self):
        self.gateway.ask("clear")
        self.gateway.ask("seen")

    def run_loop(self, language, name, how):
        while not self.model.lines.empty():
            self.model.lines.get()  # Of a loop that failed.
        self.clients[language].send(f"{name} {how}")
        came_to = json.loads(self.clients[language].line())
        self.assertNotIn("thrown", came_to)
        return came_to

    def offered(self):
        return json.loads(self.model.line())["offered"]

    def test_nothing_stopped_is_nothing_changed(self):
        for loop in LOOPS:
            with self.subTest(loop=loop):
                came_to = self.run_loop(*loop)
                self.assertEqual([call.split()[0] for call in came_to["called"]], ["get_order", "refund"])
                self.assertEqual(json.loads(came_to["called"][1].split(" ", 1)[1]), {"id": "o-7", "amount": 5})
                self.assertIn("Done.", came_to["text"])
                for _ in range(2):
                    self.assertEqual(self.offered(), ["get_order", "refund"])

    def test_a_stopped_tool_is_not_offered_and_its_call_becomes_words(self):
        self.gateway.ask("control tool:refund stopped")
        for loop in LOOPS:
            with self.subTest(loop=loop):
                came_to = self.run_loop(*loop)
                self.assertEqual([call.split()[0] for call in came_to["called"]], ["get_order"], "a stopped call was run, or an allowed one lost")
                self.assertIn("stopped by the test", came_to["text"])
                self.assertIn("Done.", came_to["text"], "the loop did not go on")
                for _ in range(2):
                    self.assertEqual(self.offered(), ["get_order"])
                self.assertIn("refund deny", self.gateway.ask("seen"))

    def test_all_tools_stopped_ends_the_loop_in_words(self):
        self.gateway.ask("control tool:* stopped")
        for loop in LOOPS:
            with self.subTest(loop=loop):
                came_to = self.run_loop(*loop)
                self.assertEqual(came_to["called"], [])
                self.assertIn("stopped by the test", came_to["text"])
                self.assertEqual(self.offered(), [])
                self.gateway.ask("seen")

    def test_a_read_only_agent_is_refused_its_writes_alone(self):
        self.gateway.ask("control agent:* read_only")
        for loop in LOOPS:
            if loop[1] == "ai":
                continue  # It names no agent.
            with self.subTest(loop=loop):
                came_to = self.run_loop(*loop)
                self.assertEqual([call.split()[0] for call in came_to["called"]], ["get_order"])
                self.assertEqual(self.offered(), ["get_order", "refund"], "read_only hides no tools")


if __name__ == "__main__":
    unittest.main()
