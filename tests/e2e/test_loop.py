"""From a bad prompt to an open gate, as a person does it: every step by command, against a real server
with its fleet behind the gateway; then the same with the server killed between every two steps."""

import json
import pathlib
import threading
import time
import unittest

from harness import ROOT, Server, free_ports, http, wait_for

PROMPT = ROOT / "docs/guide/prompts/order-support-2.txt"
MCP = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}


def fleet_server():
    return Server("--sim", "--fleet-ports", str(free_ports(5)))


class McpSession:
    """A legacy MCP client by hand, through the gateway: what an agent's runtime holds."""

    def __init__(self, server):
        self.url = server.gateway + "/mcp/orders"
        answer = wait_for("the fleet's tools", self.opened, 30)  # They come up after the server.
        self.session = {"Mcp-Session-Id": answer.headers["Mcp-Session-Id"]}

    def opened(self):
        answer = self.post("initialize", {"protocolVersion": "2025-11-25", "capabilities": {},
                                          "clientInfo": {"name": "watcher", "version": "1"}}, {})
        return answer if answer.status == 200 else None

    def post(self, method, params, headers):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        return http("POST", self.url, body, {**MCP, **headers})

    def call(self, tool, arguments):
        return self.post("tools/call", {"name": tool, "arguments": arguments}, self.session).json()["result"]

    def tools(self):
        listed = self.post("tools/list", {}, self.session).json()["result"]["tools"]
        return [tool["name"] for tool in listed]


class Steps:
    """Each step of the runbook, and what must hold after it."""

    def __init__(self, test, server):
        self.test, self.server = test, server

    def incident(self):
        return self.server.get_json("/v1/incidents/INC-1")

    def control(self):
        return self.server.get_json("/v1/controls/CTL-1")

    def bad_prompt(self):
        server = self.server
        wait_for("the fleet's first prompts", lambda: http(
            "GET", server.gateway + "/v1/prompts/order-support").status == 200, 60)
        server.cli("catalog", "publish", "prompt", "order-support", "--file", str(PROMPT), "--message",
                   "Warmer, and puts addresses right", "--label", "production", "--agent", "support-agent",
                   "--workflow", "order_support", "--as", "ann")
        server.cli("catalog", "bundle", "support-agent", "-o", "caused.json")

    def detected(self):
        found = wait_for("an incident of class tool", lambda: [
            each for each in self.server.get_json("/v1/incidents")["incidents"]
            if each["class"] == "tool" and each["severity"] in ("SEV1", "SEV2")], 120)
        self.test.assertEqual(found[0]["id"], "INC-1")
        self.test.assertEqual(found[0]["tool"], "update_address")
        self.test.assertEqual(found[0]["owner"]["team"], "customer-care")
        proposals = self.server.get_json("/v1/incidents/INC-1/containment")["proposals"]
        self.test.assertIn("tool:update_address", json.dumps(proposals))

    def stopped(self):
        self.server.cli("contain", "stop", "tool:update_address", "--incident", "INC-1", "--reason",
                        "addresses are changed that nobody asked to change", "--as", "ann")

    def proved(self):
        control = wait_for("the control to be proved", lambda: (
            lambda seen: seen if seen["state"] == "proved" else None)(self.control()), 60)
        self.test.assertEqual(control["acknowledged"], {"reached": 1, "of": 1, "away": 0})
        session = McpSession(self.server)
        refused = session.call("update_address", {"order_id": "ORD-JOURNEY", "address": "9 Nowhere"})
        self.test.assertTrue(refused["isError"], refused)
        self.test.assertEqual(refused["_meta"]["dev.tagout/decision"]["verdict"], "deny")
        self.test.assertNotIn("update_address", session.tools())
        self.test.assertFalse(session.call("get_order", {"order_id": "ORD-JOURNEY"}).get("isError"))
        wait_for("the incident to be contained", lambda: self.incident()["state"] == "contained", 30)

    def frozen(self):
        (self.server.data / "third.txt").write_text("You help customers. Be brief.\n")
        refused = self.server.cli("catalog", "publish", "prompt", "order-support", "--file", "third.txt", "--message",
                                  "again", "--label", "production", "--agent", "support-agent", "--as", "ann",
                                  check=False)
        self.test.assertNotEqual(refused.returncode, 0)
        self.test.assertIn("INC-1", refused.stderr)
        self.test.assertIn("frozen", refused.stderr)

    def rolled_back(self):
        missing = self.server.cli("rollback", "prompt", "order-support", "--to", "v9", "--incident", "INC-1",
                                  "--reason", "x", "--as", "ann", check=False)
        self.test.assertIn("v1 to v2 exist", missing.stderr)
        self.server.cli("rollback", "prompt", "order-support", "--incident", "INC-1", "--reason",
                        "v2 meddles with addresses", "--as", "ann")

    def recovering(self):
        wait_for("the incident to be recovering",
                 lambda: self.incident()["state"] in ("recovering", "verifying"), 30)
        answer = http("GET", self.server.gateway + "/v1/prompts/order-support").json()
        self.test.assertEqual(answer["number"], 1)

    def release_asked(self):
        self.server.cli("contain", "request-release", "CTL-1", "--reason", "rolled back", "--as", "ann")
        author = self.server.cli("contain", "release", "CTL-1", "--reason", "ok", "--as", "ann", check=False)
        self.test.assertIn("second person", author.stderr)
        early = self.server.cli("contain", "release", "CTL-1", "--reason", "ok", "--as", "bob", check=False)
        self.test.assertIn("journeys", early.stderr)

    def release_asked_of_the_program(self):
        self.server.cli("contain", "request-release", "CTL-1", "--reason", "rolled back", "--as", "ann")
        same = self.server.cli("contain", "release", "CTL-1", "--reason", "ok", "--as", "ann", check=False)
        self.test.assertIn("second person", same.stderr)

    def journeys(self):
        self.server.cli("journeys", "run", "--as", "ann")

    def released(self):
        # A journey that ran before a restart still counts; one that was asked for again is run again.
        self.server.cli("contain", "release", "CTL-1", "--reason", "journeys passed", "--as", "bob")
        wait_for("the incident to be verified", lambda: self.incident()["state"] == "verifying", 30)
        session = McpSession(self.server)
        self.test.assertIn("update_address", session.tools())

    def verified(self):
        ledger = self.server.get_json("/v1/incidents/INC-1/ledger")
        suspect = [row for row in ledger["rows"] if row["suspect"]]
        self.test.assertTrue(suspect)
        self.test.assertIn("restore_address", json.dumps(suspect))
        self.server.cli("evidence", "export", "INC-1", "-o", "INC-1.tar", "--as", "ann", "--force")
        data = self.server.data
        self.server.cli("evidence", "verify", "INC-1.tar", "--data-dir", str(data / "store"))
        bytes_ = bytearray((data / "INC-1.tar").read_bytes())
        bytes_[len(bytes_) // 2] ^= 1
        (data / "changed.tar").write_bytes(bytes_)
        changed = self.server.cli("evidence", "verify", "changed.tar", "--data-dir", str(data / "store"), check=False)
        self.test.assertEqual(changed.returncode, 1, changed.stdout)
        other = self.server.cli("evidence", "verify", "INC-1.tar", "--incident", "INC-2", "--data-dir",
                                str(data / "store"), check=False)
        self.test.assertEqual(other.returncode, 1, other.stdout)

    def resolved(self):
        self.server.cli("incidents", "resolve", "INC-1", "--reason", "mended and verified", "--as", "ann")
        closed = self.server.cli("gate", "--agent", "support-agent", check=False)
        self.test.assertEqual(closed.returncode, 1, closed.stdout)
        self.test.assertIn("review", closed.stdout)

    def learned(self):
        server = self.server
        server.cli("regressions", "create", "INC-1", "--reason", "never again", "-o", "REG-1.json", "--as", "ann",
                   "--force")
        server.cli("catalog", "bundle", "support-agent", "-o", "mended.json", "--force")
        caused = server.cli("regressions", "run", "REG-1.json", "--bundle", "caused.json", check=False)
        self.test.assertEqual(caused.returncode, 1, caused.stdout)
        mended = server.cli("regressions", "run", "REG-1.json", "--bundle", "mended.json")
        self.test.assertIn("pass", mended.stdout)
        early = server.cli("review", "publish", "INC-1", "--as", "ann", check=False)
        self.test.assertIn("systemic_gap", early.stderr)
        server.cli("review", "set", "INC-1", "--proximate-trigger", "prompt v2 says to correct addresses",
                   "--systemic-gap", "prompts reach production without a regression run", "--as", "ann")
        server.cli("actions", "add", "INC-1", "Run regression cases before a label moves", "--kind", "prevent",
                   "--owner", "release-team", "--due", "2030-01-31", "--as", "ann")
        server.cli("review", "publish", "INC-1", "--as", "ann")
        wait_for("the review to move the incident", lambda: self.incident()["state"] == "review", 30)

    def gate_open(self):
        self.server.cli("journeys", "run", "--as", "ann")
        passed = wait_for("the gate to say yes", lambda: (
            lambda done: done if done.returncode == 0 else None)(
                self.server.cli("gate", "--agent", "support-agent", "--junit", "gate.xml", check=False)), 180)
        self.test.assertIn("pass", passed.stdout)
        self.test.assertIn("<testsuite", (pathlib.Path(self.server.data) / "gate.xml").read_text())

    NAMES = ("bad_prompt", "detected", "stopped", "proved", "frozen", "rolled_back", "recovering", "release_asked",
             "journeys", "released", "verified", "resolved", "learned", "gate_open")


class Loop(unittest.TestCase):
    def test_a_bad_prompt_is_stopped_rolled_back_and_learned_from(self):
        with fleet_server() as server:
            steps = Steps(self, server)
            for name in Steps.NAMES:
                with self.subTest(name):
                    getattr(steps, name)()
            report = server.cli("journal", "verify", "--data-dir", str(server.data / "store"))
            self.assertIn("whole", report.stdout)
            kinds = [line["kind"] for line in steps.incident()["timeline"]]
            for kind in ("containment.proposed", "containment.applied", "containment.proved", "containment.released"):
                self.assertEqual(kinds.count(kind), 1, kinds)

    def test_a_kill_between_every_two_steps_loses_nothing(self):
        with fleet_server() as server:
            steps = Steps(self, server)
            for name in Steps.NAMES:
                with self.subTest(name):
                    getattr(steps, name)()
                    server.kill()
                    server.start()
                    self.in_force_before_the_first_call(server, name)
            kinds = [line["kind"] for line in steps.incident()["timeline"]]
            for kind in ("containment.applied", "containment.released"):
                self.assertEqual(kinds.count(kind), 1, kinds)

    def in_force_before_the_first_call(self, server, after):
        names = Steps.NAMES
        if not names.index("stopped") <= names.index(after) < names.index("released"):
            return
        refused = McpSession(server).call("update_address", {"order_id": "ORD-JOURNEY", "address": "9 Nowhere"})
        self.assertTrue(refused.get("isError"), f"after {after}: {refused}")


class Playbooks(unittest.TestCase):
    def test_what_a_playbook_enforces_is_done_at_once_and_said_with_how_to_undo_it(self):
        with fleet_server() as server:
            server.stop()
            fleet = server.data / "store/fleet.yaml"
            playbook = "  - class: tool\n    severity: SEV3\n    contain: tool\n    mode: stopped\n"
            text = fleet.read_text()
            self.assertIn(playbook, text)
            fleet.write_text(text.replace(playbook, playbook + "    enforcement: enforce\n"))
            server.start()
            steps = Steps(self, server)
            steps.bad_prompt()
            wait_for("the incident to be contained by nobody's hand", lambda: [
                each for each in server.get_json("/v1/incidents")["incidents"] if each["state"] == "contained"], 120)
            control = steps.control()
            self.assertEqual((control["author"], control["incident"]), ("tagout", "INC-1"))
            self.assertIn("playbook tool/", control["rule"])
            said = [line["text"] for line in steps.incident()["timeline"] if line["kind"] == "containment.automatic"]
            self.assertEqual(len(said), 1, said)
            self.assertIn("To undo it", said[0])
            steps.rolled_back()
            steps.release_asked_of_the_program()
            steps.journeys()
            steps.released()
            # It stays released: a playbook acts once for an incident, and a person's word stands.
            server.kill()
            server.start()
            time.sleep(3)
            self.assertEqual(server.get_json("/v1/controls?state=in_force")["controls"], [])


class Policies(unittest.TestCase):
    def test_a_published_policy_is_in_force_at_once_and_a_broken_one_changes_nothing(self):
        with fleet_server() as server:
            rules = server.data / "house.yaml"
            rules.write_text("rules:\n  - name: no-moves\n    match: { tool: update_address }\n    effect: deny\n"
                             "    message: Addresses are changed by people.\n")
            publish = ("catalog", "publish", "policy", "house", "--file", "house.yaml", "--message", "m", "--label",
                       "production", "--as", "ann")
            call = ("update_address", {"order_id": "ORD-JOURNEY", "address": "2 Test Row, Hull"})
            self.assertFalse(McpSession(server).call(*call).get("isError"))
            server.cli(*publish)
            refused = McpSession(server).call(*call)
            self.assertTrue(refused["isError"])
            self.assertIn("policy:house@v1#no-moves", json.dumps(refused))
            self.assertIn("Addresses are changed by people.", json.dumps(refused))
            rules.write_text("rules:\n  - name: no-moves\n    match: { tol: update_address }\n    effect: deny\n")
            broken = server.cli(*publish, check=False)
            self.assertNotEqual(broken.returncode, 0)
            self.assertIn("tol", broken.stderr)
            server.kill()
            server.start()
            self.assertIn("policy:house@v1#no-moves", json.dumps(McpSession(server).call(*call)))

    def test_a_policy_is_tested_tried_on_the_past_and_judges_arguments(self):
        with fleet_server() as server:
            address = lambda town: ("update_address", {"order_id": "ORD-JOURNEY", "address": "2 Test Row, " + town})
            self.assertFalse(McpSession(server).call(*address("Hull")).get("isError"))
            rules = server.data / "towns.yaml"
            head = ("rules:\n  - name: not-hull\n    match: { tool: update_address }\n"
                    "    when: args.address.endsWith('Hull')\n    effect: deny\n")
            test = "tests:\n  - name: %s\n    call: { tool: update_address, args: { address: '%s' } }\n    expect: %s\n"
            rules.write_text(head + test % ("hull is refused", "1 Quay, Hull", "allow"))
            self.assertEqual(server.cli("policy", "test", "towns.yaml", check=False).returncode, 1)
            publish = ("catalog", "publish", "policy", "towns", "--file", "towns.yaml", "--message", "m", "--label",
                       "production", "--as", "ann")
            refused = server.cli(*publish, check=False)
            self.assertIn("fails tests of its own", refused.stderr)
            rules.write_text(head + test % ("hull is refused", "1 Quay, Hull", "deny"))
            self.assertEqual(server.cli("policy", "test", "towns.yaml").returncode, 0)
            wait_for("the past to be on record", lambda: json.loads(
                server.cli("policy", "backtest", "towns.yaml", "-o", "json").stdout)["denied"] == 1, 20)
            self.assertIn("would have been denied", server.cli(
                "contain", "stop", "tool:update_address", "--reason", "r", "--dry-run").stdout)
            server.cli(*publish)
            self.assertTrue(McpSession(server).call(*address("Hull"))["isError"])
            self.assertFalse(McpSession(server).call(*address("York")).get("isError"))


class TimeToEffect(unittest.TestCase):
    def test_what_tagout_says_agrees_with_what_a_client_saw(self):
        with fleet_server() as server:
            wait_for("the gateway", lambda: http("GET", server.gateway + "/-/healthy").status == 200, 30)
            session = McpSession(server)
            last_passed, first_refused, done = [0.0], [0.0], threading.Event()

            def call_on():
                while not done.is_set():
                    sent = time.time()
                    answer = session.call("get_order", {"order_id": "ORD-JOURNEY"})
                    if answer.get("isError") and "dev.tagout/decision" in answer.get("_meta", {}):
                        first_refused[0] = time.time()
                        return
                    last_passed[0] = sent

            caller = threading.Thread(target=call_on)
            caller.start()
            try:
                wait_for("calls to pass", lambda: last_passed[0], 10)
                time.sleep(0.5)
                asked = time.time()
                made = server.post("/v1/controls", {"scope": "tool:get_order", "mode": "stopped",
                                                    "reason": "measured", "actor": "ann"})
                answered = time.time()
                self.assertEqual(made.status, 201, made.body)
                caller.join(20)
            finally:
                done.set()
                caller.join(20)
            self.assertGreater(first_refused[0], 0, "no call was refused")
            control = wait_for("the time to effect", lambda: (
                lambda seen: seen if "time_to_effect_ms" in seen else None)(
                    server.get_json(f"/v1/controls/{made.json()['id']}")), 20)
            told = control["time_to_effect_ms"] / 1000
            # No call that was sent after the claimed effect may pass; the client's own call takes up to 30 ms.
            self.assertLess(last_passed[0] - answered, told + 0.05)
            self.assertLess(told, first_refused[0] - asked + 0.05)


if __name__ == "__main__":
    unittest.main()
