"""Decisions without the proxy, with real clients: OpenFeature providers (server and web) over OFREP, and
`tagout hook` as a coding agent would run it. The data plane runs alone (gateway_stand)."""

import json
import os
import subprocess
import unittest

from harness import TAGOUT, wait_for
from test_gateway_mcp import JS, STAND, Talker, node


class Alone(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Talker(STAND, "--server", "shop=http://127.0.0.1:1/mcp")
        cls.base = f"http://127.0.0.1:{cls.gateway.line().split()[1]}"

    @classmethod
    def tearDownClass(cls):
        cls.gateway.close()

    def tearDown(self):
        self.gateway.ask("clear")
        self.gateway.ask("seen")


class OpenFeatureProviders(Alone):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gateway.ask("offer shop refund")
        cls.client = Talker(node(), JS / "flag_clients.mjs", cls.base)
        assert json.loads(cls.client.line())["ready"]

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        super().tearDownClass()

    def ask(self, line):
        return json.loads(self.client.ask(line))

    def test_the_server_provider_sees_a_stop_at_its_next_question(self):
        self.assertEqual(self.ask("server tool:refund"), {"value": True, "reason": "STATIC", "variant": "open"})
        self.gateway.ask("control tool:refund stopped")
        self.assertEqual(self.ask("server tool:refund"), {"value": False, "reason": "TARGETING_MATCH", "variant": "stopped"})
        self.assertEqual(self.ask("server route:returns")["value"], "returns")

    def test_the_web_provider_is_pushed(self):
        """It asks once and then only when it is told: polling is off by default."""
        def is_open():
            return self.ask("web tool:refund")["value"]

        wait_for("an open flag", is_open, 10)
        self.gateway.ask("control tool:refund stopped")
        wait_for("the stop to be pushed", lambda: not is_open(), 10)
        self.gateway.ask("clear")
        wait_for("its end to be pushed", is_open, 10)


class Hook(Alone):
    def run_hook(self, event, *flags, gateway=None):
        return subprocess.run([str(TAGOUT), "hook", *flags], input=event if isinstance(event, str) else json.dumps(event),
                              text=True, capture_output=True, timeout=30, check=False,
                              env={**os.environ, "TAGOUT_GATEWAY": gateway or self.base})

    EVENT = {"session_id": "s1", "transcript_path": "t", "cwd": "c", "hook_event_name": "PreToolUse",
             "tool_name": "mcp__shop__refund", "tool_input": {"amount": 5}, "tool_use_id": "u1"}

    def test_it_lets_pass_in_silence_and_refuses_in_words(self):
        passed = self.run_hook(self.EVENT)
        self.assertEqual((passed.returncode, passed.stdout, passed.stderr), (0, "", ""))
        self.gateway.ask("control tool:shop.refund stopped")
        refused = self.run_hook(self.EVENT)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("stopped by the test", refused.stderr)
        self.gateway.ask("clear")
        self.gateway.ask("control agent:reviewer approvals")
        asked = self.run_hook(self.EVENT, "--agent", "reviewer")
        self.assertEqual(asked.returncode, 0, asked.stderr)
        self.assertEqual(json.loads(asked.stdout)["hookSpecificOutput"]["permissionDecision"], "ask")

    def test_whatever_goes_wrong_refuses(self):
        """Such agents let the tool run on any exit code but 2."""
        for what, run in {
            "no gateway": self.run_hook(self.EVENT, gateway="http://127.0.0.1:1"),
            "no address": self.run_hook(self.EVENT, gateway="nowhere"),
            "no JSON": self.run_hook("{"),
            "nothing": self.run_hook(""),
            "another event": self.run_hook({**self.EVENT, "hook_event_name": "Stop"}),
            "a flag that is not": self.run_hook(self.EVENT, "--colour"),
            "a path that is no gateway": self.run_hook(self.EVENT, gateway=self.base + "/x"),
        }.items():
            with self.subTest(what):
                self.assertEqual(run.returncode, 2, run)
                self.assertNotEqual(run.stderr, "")


if __name__ == "__main__":
    unittest.main()
