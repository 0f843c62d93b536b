"""A fleet of gateways as processes of their own: one is frozen, one is killed and started again while the
control server is dead, one gets a stop at its own host; what is claimed of each is what it did."""

import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from harness import TAGOUT, Server, free_ports, http as ask, span, wait_for
from test_tool_pins import Shop

CONFIG = """
tools:
  refund: {{ server: shop, effect: write, risk: high }}
  get_order: {{ server: shop, effect: read }}
mcp_servers:
  shop: {{ url: "http://127.0.0.1:9/mcp" }}
notices:
  default_channel: pager
  channels:
    pager: {{ type: webhook, url: "http://127.0.0.1:{receiver}/hook" }}
containment:
  heartbeat: 200ms
  lost_after: 2500ms  # longer than a stop waits for its points
  point_timeout: 2s
  lease: 20s
"""


class Receiver:
    """Whoever is paged: keeps what it was told."""

    def __init__(self):
        told = self.told = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def of(self, kind, point):
        return [each for each in self.told
                if each["type"] == kind and each["data"]["id"] == f"point:{point}"]


class Network:
    """What lies between a gateway and its control server: a proxy that can be cut."""

    def __init__(self, port):
        self.to, self.pairs, self.cut_off = port, [], False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                near.close()
                continue
            self.pairs.append((near, far))
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self.pump, args=(one, other), daemon=True).start()

    @staticmethod
    def pump(one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
        except OSError:
            pass
        for each in (one, other):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        if self.cut_off:
            return
        self.cut_off = True
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for pair in self.pairs:
            for each in pair:
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                each.close()


class Gateway:
    def __init__(self, name, control, token):
        self.name, self.control, self.token = name, control, token
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"tagout-{name}-"))
        self.log = self.folder / "gateway.log"
        self.process = None

    def start(self):
        (self.folder / "addresses.json").unlink(missing_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(TAGOUT), "gateway", "--control", self.control, "--name", self.name,
                 "--data-dir", str(self.folder), "--gateway-port", "0", "--admin-port", "0"],
                stdout=log, stderr=log, env={**os.environ, "TAGOUT_GATEWAY_TOKEN": self.token})

        def addresses():
            if self.process.poll() is not None:
                raise AssertionError(f"{self.name} ended:\n{self.log.read_text()[-2000:]}")
            try:
                return json.loads((self.folder / "addresses.json").read_text())
            except (FileNotFoundError, json.JSONDecodeError):
                return None

        found = wait_for(f"{self.name}'s addresses", addresses)
        self.url, self.admin = found["gateway"], found["admin"]
        return self

    def signal(self, which):
        self.process.send_signal(which)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def decides(self, tool, timeout=5, **facts):
        answer = ask("POST", self.url + "/v1/decide",
                     json.dumps({"tool": tool, "server": "shop", **facts}).encode(),
                     {"Content-Type": "application/json"}, timeout)
        if answer.status != 200:
            return str(answer.status)
        said = answer.json()
        return said["verdict"] + (" " + said["decided_by"] if "decided_by" in said else "")

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Fleet(unittest.TestCase):
    def setUp(self):
        self.receiver = Receiver()
        self.shop = Shop()
        self.addCleanup(self.shop.end)
        config = CONFIG.format(receiver=self.receiver.port).replace(":9/mcp", f":{self.shop.port}/mcp")
        self.server = Server("--http-port", str(free_ports(1)), config=config)
        self.server.start()
        self.addCleanup(self.server.__exit__, None, None, None)
        self.gateways = {}

    def tagout(self, *arguments, data=True, expect=0):
        command = [str(TAGOUT), *arguments]
        if data:
            command += ["--server", self.server.url, "--data-dir", str(self.server.data / "store")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stdout

    def start(self, *names):
        token = self.tagout("fleet", "token", "edge-*", "--reason", "e2e", "--as", "ann").split()[-1]
        for name in names:
            self.gateways[name] = Gateway(name, self.server.url, token).start()
            self.addCleanup(self.gateways[name].end)
        wait_for("all of them", lambda: all(self.point(name).get("acknowledged_at") for name in names))
        return [self.gateways[name] for name in names]

    def point(self, name):
        points = self.server.get_json("/v1/fleet")["points"]
        return next((each for each in points if each["name"] == name), {})

    def control(self, name):
        return self.server.get_json(f"/v1/controls/{name}")

    def stop(self, scope):
        answer = self.server.post("/v1/controls", {
            "scope": scope, "mode": "stopped", "reason": "pays twice", "actor": "ann"})
        self.assertEqual(answer.status, 201, answer.body)
        return answer.json()

    def test_what_is_shown_is_what_each_does(self):
        one, two, three = self.start("edge-1", "edge-2", "edge-3")
        self.assertEqual(self.stop("tool:shop.cancel")["state"], "proved")
        self.assertEqual(self.control("CTL-1")["proved"], {"reached": 4, "of": 4})

        # Frozen: while nobody knows that it is, nothing is claimed; then it is red, and the others proved.
        two.signal(signal.SIGSTOP)
        at_once = self.stop("tool:shop.refund")
        self.assertNotEqual(at_once["state"], "proved", at_once)
        self.assertEqual(at_once["acknowledged"]["reached"], 3)
        self.assertEqual(one.decides("refund"), "deny CTL-2")
        self.assertEqual(three.decides("refund"), "deny CTL-2")
        wait_for("proved on the living", lambda: self.control("CTL-2")["state"] == "proved")
        seen = self.control("CTL-2")
        self.assertEqual(seen["acknowledged"], {"reached": 3, "of": 4, "away": 1})
        frozen = next(each for each in seen["points"] if each["point"] == "edge-2")
        self.assertFalse(frozen["connected"])
        self.assertNotIn("acknowledged_at", frozen)
        self.assertIn("frozen, or cut off", frozen["error"])
        self.assertEqual(self.point("edge-2")["revision"], 1)
        self.assertIn("NOT CONNECTED", self.tagout("fleet", "list"))
        told = wait_for("the page", lambda: self.receiver.of("point.failing", "edge-2"))
        self.assertEqual(len(told), 1)
        self.assertIn("edge-2 did not acknowledge revision 2", told[0]["data"]["title"])
        for row in ('tagout_point_connected{point="edge-2"} 0', 'tagout_point_connected{point="edge-1"} 1',
                    "tagout_points_behind 1"):  # Once a second.
            wait_for(row, lambda row=row: row in self.server.get("/metrics").body.decode().splitlines())

        # Thawed: it catches up by itself, proves it, and people hear that it is well.
        two.signal(signal.SIGCONT)
        wait_for("edge-2 enforces it", lambda: two.decides("refund") == "deny CTL-2")
        wait_for("proved by all", lambda: self.control("CTL-2")["proved"]["reached"] == 4)
        wait_for("the end of the page", lambda: self.receiver.of("point.well", "edge-2"))

        # The server dies. All go on; one dies too and comes back without it; one gets a stop at its host.
        self.server.kill()
        self.assertEqual(one.decides("refund"), "deny CTL-2")
        three.kill()
        three.start()
        self.assertEqual(three.decides("refund"), "deny CTL-2", "from its own disk")
        self.assertEqual(three.decides("get_order"), "allow")
        ready = ask("GET", three.admin + "/-/ready").body.decode()
        self.assertIn("alone", ready)
        applied = self.tagout("contain", "stop", "tool:shop.get_order", "--reason", "it leaks", "--as", "ops",
                              "--at-gateway", str(one.folder), data=False)
        self.assertIn("proved", applied)
        self.assertEqual(one.decides("get_order"), "deny edge-1:CTL-1")
        self.assertEqual(three.decides("get_order"), "allow", "the others were not told")

        # It is back: everybody comes again, and what was done at the host is everybody's.
        self.server.start()
        wait_for("the stop of the host", lambda: len(self.server.get_json("/v1/controls")["controls"]) == 3)
        adopted = self.control("CTL-3")
        self.assertEqual((adopted["author"], adopted["reason"], adopted["origin"]),
                         ("person:ops", "it leaks", "edge-1:CTL-1"))
        for gateway in (one, two, three):
            wait_for(f"{gateway.name} enforces it", lambda: gateway.decides("get_order") == "deny CTL-3")
        wait_for("all of it proved by all", lambda: all(
            each["state"] == "proved" and each["proved"]["reached"] == 4
            for each in self.server.get_json("/v1/controls")["controls"]))
        self.assertIn("no controls in force",
                      self.tagout("contain", "list", "--at-gateway", str(one.folder), data=False))
        self.server.stop()
        self.assertEqual(subprocess.run(
            [str(TAGOUT), "journal", "verify", "--data-dir", str(self.server.data / "store")],
            capture_output=True).returncode, 0)

    def test_one_frozen_one_cut_off_and_one_restarted_are_shown_as_they_are(self):
        frozen, cut, again, well = self.start("edge-1", "edge-2", "edge-3", "edge-4")
        network = Network(int(self.server.url.rsplit(":", 1)[1]))
        self.addCleanup(network.cut)
        cut.kill()
        cut.control = network.url
        cut.start()
        wait_for("it to come by its own network", lambda: self.point("edge-2").get("connected"))
        self.stop("tool:shop.cancel")
        wait_for("proved before", lambda: self.control("CTL-1")["proved"]["reached"] == 5)
        frozen.signal(signal.SIGSTOP)
        network.cut()
        again.kill()
        again.start()
        self.stop("tool:shop.refund")
        for name in ("edge-1", "edge-2"):
            wait_for(f"{name} red", lambda name=name: not self.point(name)["connected"])
            wait_for(f"a page for {name}", lambda name=name: self.receiver.of("point.failing", name))
            row = f'tagout_point_connected{{point="{name}"}} 0'
            wait_for(row, lambda row=row: row in self.server.get("/metrics").body.decode().splitlines())
        wait_for("proved by the others", lambda: self.control("CTL-2")["state"] == "proved")
        seen = self.control("CTL-2")
        self.assertEqual(seen["acknowledged"], {"reached": 3, "of": 5, "away": 2})
        points = {each["point"]: each for each in seen["points"]}
        for name in ("edge-3", "edge-4"):
            self.assertIn("acknowledged_at", points[name], name)
            self.assertTrue(self.point(name)["connected"], name)
        for name in ("edge-1", "edge-2"):
            self.assertNotIn("acknowledged_at", points[name])
            self.assertEqual(self.point(name)["revision"], 1, "what it said last, and no more")
            self.assertEqual(len(self.receiver.of("point.failing", name)), 1)
        self.assertEqual(again.decides("refund"), "deny CTL-2")
        self.assertEqual(well.decides("refund"), "deny CTL-2")
        self.assertEqual(cut.decides("refund"), "allow", "it was not told, and that is shown")
        self.assertEqual(cut.decides("cancel"), "deny CTL-1", "what it knew holds")

    def test_a_control_is_lifted_in_stages_at_every_gateway_and_over_restarts(self):
        one, two = self.start("edge-1", "edge-2")
        self.stop("tool:shop.refund")

        def release(*stage, who="cleo", expect=0):
            return self.tagout("contain", "release", "CTL-1", *stage, "--reason", "it holds", "--as", who,
                               "--without-journeys", "this shop has none", expect=expect)

        def all_say(verdict, **facts):
            for gateway in (one, two):
                wait_for(f"{gateway.name} says {verdict} to {facts}",
                         lambda gateway=gateway: gateway.decides("refund", **facts) == verdict)

        self.tagout("contain", "request-release", "CTL-1", "--reason", "mended", "--as", "bob")
        all_say("deny CTL-1", tenant="acme")
        release("--stage", "tenant", "--tenant", "acme", who="bob", expect=7)  # He asked for it.
        self.assertIn("tenant acme pass", release("--stage", "tenant", "--tenant", "acme"))
        all_say("allow", tenant="acme")
        all_say("deny CTL-1", tenant="other")
        release("--stage", "share", "--share", "30")
        all_say("allow", tenant="acme")
        sessions = [f"chat-{number}" for number in range(40)]
        wait_for("somebody to pass", lambda: any(two.decides("refund", session=each) == "allow" for each in sessions))
        passing = [each for each in sessions if one.decides("refund", session=each) == "allow"]
        self.assertTrue(2 <= len(passing) <= 24, passing)
        two.kill()
        two.start()
        self.assertEqual([each for each in sessions if two.decides("refund", session=each) == "allow"], passing)
        self.assertIn("30 % open", self.tagout("contain", "list"))
        self.assertIn("journeys alone pass", release("--stage", "shadow", who="ann"))  # One person closes.
        all_say("deny CTL-1", tenant="acme")
        all_say("deny CTL-1", session=passing[0])
        wait_for("proved anew", lambda: self.control("CTL-1")["state"] == "proved"
                 and self.control("CTL-1")["proved"]["reached"] == 3)
        release()  # Straight to all, as ever.
        all_say("allow", session="nobody")

    def test_calls_past_every_gateway_of_the_fleet_are_counted(self):
        (one,) = self.start("edge-1")

        def call(tool, past=False):
            made = span(f"execute_tool {tool}", gen_ai__operation__name="execute_tool", gen_ai__tool__name=tool,
                        gen_ai__agent__name="support", gen_ai__conversation__id="chat-1")
            if not past:
                answer = ask("POST", one.url + "/mcp/shop", json.dumps({
                    "jsonrpc": "2.0", "id": 1, "method": "tools/call",
                    "params": {"name": tool, "arguments": {}}}).encode(), {
                        "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
                        "tagout-agent": "support", "tagout-session": "chat-1",
                        "traceparent": f"00-{made['traceId']}-{made['spanId']}-01"})
                self.assertEqual(answer.status, 200, answer.body)
            self.assertEqual(self.server.send_traces([made], service="shop").status, 200)

        call("get_order")
        call("refund")
        call("refund", past=True)

        def support():
            agents = self.server.get_json("/v1/agents")["agents"]
            return next((each for each in agents if each["name"] == "support" and each["calls_last_hour"] == 3), None)

        seen = wait_for("all three to be judged", support, 40)
        self.assertEqual(seen["unseen_last_hour"], 1)
        self.assertEqual([(each["name"], each["unseen"]) for each in seen["unseen_tools"]], [("refund", 1)])
        self.assertIn('tagout_agent_calls_total{gateway="unseen"} 1',
                      self.server.get("/metrics").body.decode().splitlines())

    def test_a_lease_that_is_over_closes_what_is_dangerous_and_a_server_that_poses_is_refused(self):
        (one,) = self.start("edge-1")
        contact = one.folder / "contact"
        wait_for("its last contact on disk", contact.exists)
        self.server.kill()
        one.kill()
        contact.write_text(str(int((time.time() - 3600) * 1e9)))  # An hour ago, as a long outage leaves it.
        log = one.folder / "told.log"
        one.start()
        # The snapshot is younger than that, so what counts is when it was made.
        wait_for("its lease to end", lambda: one.decides("refund") == "deny lease:high_risk", 40)
        self.assertEqual(one.decides("get_order"), "allow")
        wait_for("the metric", lambda: b"\ntagout_gateway_lease_over 1" in ask("GET", one.admin + "/metrics").body)
        # Another server at the same address has another key: nothing of it is believed.
        shutil.rmtree(self.server.data / "store")
        before = log.read_bytes()
        self.server.start()
        wait_for("the refusal", lambda: "another server, or somebody who poses as it" in one.log.read_text()
                 or "HTTP 401" in one.log.read_text())
        self.assertEqual(one.decides("refund"), "deny lease:high_risk")
        self.assertEqual(log.read_bytes(), before)
        # A snapshot that was tampered with is not used: nothing passes, and it says so.
        one.kill()
        log.write_bytes(before.replace(b'"controls":[]', b'"controls":{}'))
        one.start()
        self.assertEqual(one.decides("get_order"), "503")
        self.assertIn("kept_snapshot_unusable", one.log.read_text())
        wait_for("a loud word", lambda: "gateway_without_snapshot" in one.log.read_text())


if __name__ == "__main__":
    unittest.main()
