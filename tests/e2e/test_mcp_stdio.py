"""`tagout mcp` between real MCP clients and a real server over stdio, of both SDK generations.

A stop while a slow call runs, lists and notices, a gateway that goes away, and ends: the server's,
the client's, the wrapper's. The gateway is gateway_stand: controls are set by lines.
"""

import json
import os
import signal
import subprocess
import tempfile
import time
import unittest

from harness import TAGOUT, Server, wait_for
from test_gateway_mcp import JS, STAND, Talker, node


def alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{process}/stat", encoding="utf-8") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] != "Z"


class McpStdio(unittest.TestCase):
    def setUp(self):
        self.node = node()
        self.gateway = Talker(STAND)
        self.addCleanup(self.gateway.close)
        self.url = f"http://127.0.0.1:{self.gateway.line().split()[1]}"
        self.log = tempfile.NamedTemporaryFile("r", prefix="tagout-stdio-", suffix=".log")
        self.addCleanup(self.log.close)

    def wrapped(self, *command, flags=()):
        return [str(TAGOUT), "mcp", "--server", "shop", "--gateway", self.url, *flags, "--", *map(str, command)]

    def server(self, generation):
        # Its words go to a file: the client's transport would swallow them.
        return "sh", "-c", f"exec {self.node} {JS}/mcp_stdio_server.mjs {generation} 2>>{self.log.name}"

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def client(self, generation):
        client = Talker(self.node, JS / "mcp_clients.mjs", generation, "stdio", *self.wrapped(*self.server(generation)))
        self.addCleanup(client.close)
        version = json.loads(client.line())["version"]
        self.assertEqual(version, {"v1": "stdio", "v2": "2026-07-28"}[generation])
        return client

    def call(self, client, tool):
        client.send(f"call {tool}")
        return client.answer()

    def test_a_stop_while_a_slow_call_runs(self):
        for generation in ("v1", "v2"):
            with self.subTest(generation):
                client = self.client(generation)
                client.send("list")
                self.assertEqual(client.answer()["tools"], ["quick_read", "mail_of", "slow_write"])
                self.assertEqual(self.call(client, "quick_read")["text"], "read")
                client.send("call slow_write")
                wait_for("the slow call", lambda: "ran slow_write" in self.said())
                began = time.monotonic()
                self.gateway.ask("control tool:slow_write stopped")
                refused = client.answer()
                took = time.monotonic() - began
                self.assertTrue(refused["isError"], refused)
                self.assertIn("[Tagout CTL-1]", refused["text"])
                self.assertEqual(refused["decision"]["control"], "CTL-1")
                self.assertLess(took, 2.0)
                wait_for("the cancellation", lambda: "cancelled slow_write" in self.said(), 5)
                self.assertIn("slow_write deny cancelled;", self.gateway.ask("seen"))
                client.send("list")
                self.assertEqual(client.answer()["tools"], ["quick_read", "mail_of"])
                self.assertIn("[Tagout CTL-1]", self.call(client, "slow_write")["text"])
                self.assertEqual(self.call(client, "quick_read")["text"], "read", "the loop did not go on")
                self.assertEqual(self.said().count("ran slow_write"), 1)
                client.close()
                wait_for("the server's end", lambda: "ended" in self.said(), 5)
                self.gateway.ask("clear")
                open(self.log.name, "w", encoding="utf-8").close()

    def test_clients_are_told_that_tools_changed(self):
        for generation in ("v1", "v2"):
            with self.subTest(generation):
                client = self.client(generation)
                client.send("list")
                client.answer()
                self.gateway.ask("control tool:quick_read stopped")
                client.line(lambda line: "tools_changed" in line)
                self.gateway.ask("clear")

    def test_without_a_gateway_calls_are_refused_and_the_loop_goes_on(self):
        client = self.client("v1")
        self.assertEqual(self.call(client, "quick_read")["text"], "read")
        self.gateway.close()
        refused = self.call(client, "quick_read")
        self.assertTrue(refused["isError"])
        self.assertIn("was not run", refused["text"])
        client.send("list")
        self.assertIn("quick_read", client.answer()["tools"])
        self.assertEqual(self.said().count("ran quick_read"), 1)

    def test_a_real_server_decides_asks_people_and_keeps_the_record(self):
        with Server() as server:
            self.url = server.gateway
            client = self.client("v1")
            self.assertEqual(self.call(client, "quick_read")["text"], "read")
            made = server.post("/v1/controls", {"scope": "tool:mail_of", "mode": "approvals", "reason": "look first", "actor": "ann"})
            self.assertEqual(made.status, 201, made.body)
            client.send("call mail_of")
            asked = wait_for("the question", lambda: server.get_json("/v1/approvals")["approvals"])[0]
            self.assertEqual((asked["tool"], asked["server"], asked["agent"]), ("mail_of", "shop", "tagout-e2e-v1"))
            self.assertEqual(server.post(f"/v1/approvals/{asked['id']}/approve", {"actor": "bob", "reason": "fine"}).status, 200)
            self.assertEqual(client.answer()["text"], "write to ann@example.com")
            stopped = server.post("/v1/controls", {"scope": "mcp_server:shop", "mode": "stopped", "reason": "enough", "actor": "ann"})
            self.assertEqual(stopped.status, 201, stopped.body)
            refused = self.call(client, "quick_read")
            self.assertIn("[Tagout CTL-2]", refused["text"])
            wait_for("the agent, discovered by what the gateway saw", lambda: "tagout-e2e-v1" in server.get("/v1/agents").body.decode())
            client.close()

    def start(self, *command, flags=()):
        process = subprocess.Popen(self.wrapped(*command, flags=flags), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        for stream in (process.stdin, process.stdout, process.stderr):
            self.addCleanup(stream.close)
        self.addCleanup(process.kill)
        return process

    def test_both_end_together(self):
        process = self.start("sh", "-c", "echo why >&2; exit 9")
        self.assertEqual(process.wait(10), 9)
        self.assertIn("why", process.stderr.read())
        process = self.start("sh", "-c", "cat >/dev/null; exit 5")
        process.stdin.close()
        self.assertEqual(process.wait(10), 5)
        process = self.start("/no/such/server")
        self.assertNotEqual(process.wait(10), 0)
        self.assertIn("cannot be started", process.stderr.read())
        for number in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number):
                process = self.start("sh", "-c", "echo $$ >&2; exec sleep 60")
                child = int(process.stderr.readline())
                process.send_signal(number)
                process.wait(10)
                wait_for("the server's end", lambda child=child: not alive(child), 5)

    def test_lines_that_are_no_messages_are_refused_clearly(self):
        process = self.start("cat")

        def ask(line):
            process.stdin.write(line + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        self.assertEqual(ask("hello")["error"]["code"], -32700)
        self.assertIn("there twice", ask('{"jsonrpc":"2.0","id":1,"method":"a","method":"b"}')["error"]["message"])
        self.assertIn("longer than", ask('{"a":"' + "x" * (8 << 20) + '"}')["error"]["message"])
        self.assertEqual(ask('{"jsonrpc":"2.0","id":2,"method":"ping"}')["method"], "ping", "what stands behind passes")
        process.stdin.close()
        self.assertEqual(process.wait(10), 0)


if __name__ == "__main__":
    unittest.main()
