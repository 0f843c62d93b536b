"""A workflow's profile: learned from good sessions, saved, shown, edited, rolled back, there after a restart."""

import json
import secrets
import time
import unittest

from harness import Server, span, wait_for

CONFIG = """
releases:
  profiles_every: 1s
detection:
  safety:
    new_tool:
      sessions_min: 5
"""


def good_session(server, tool):
    trace = secrets.token_hex(16)
    root = span("invoke_agent support", trace=trace, gen_ai__operation__name="invoke_agent",
                gen_ai__agent__name="support", gen_ai__workflow__name="refunds",
                gen_ai__conversation__id=f"chat-{trace[:8]}")
    call = span(f"execute_tool {tool}", trace=trace, parent=root["spanId"], gen_ai__operation__name="execute_tool",
                gen_ai__tool__name=tool, seconds=0.05, at=time.time() - 0.1)
    assert server.send_traces([call, root]).status == 200


class Profiles(unittest.TestCase):
    def teach(self, server, tool, done, what):
        """Good sessions until `done` holds: learning waits until late spans would have come."""
        def taught():
            good_session(server, tool)
            return done()
        return wait_for(what, taught, 60, every=0.5)

    def known(self, server):
        rows = server.get_json("/v1/profiles")["profiles"]
        return next((row for row in rows if row["workflow"] == "refunds"), None)

    def content(self, server):
        answer = server.get("/v1/profiles/refunds")
        return json.loads(answer.json()["content"]) if answer.status == 200 else None

    def test_learned_saved_edited_rolled_back_and_kept(self):
        server = Server(config=CONFIG)
        with server:
            first = self.teach(server, "lookup", lambda: self.content(server), "a first version of the profile")
            self.assertIn("lookup", first["tools"])
            self.assertNotIn("send_money", first["tools"])
            self.teach(
                server, "send_money", lambda: "send_money" in (self.content(server) or {}).get("tools", {}),
                "a version that knows the poison")

            shown = server.cli("catalog", "profiles").stdout
            self.assertIn("refunds", shown)
            server.cli("rollback", "profile", "refunds", "--to", "v1", "--reason", "it learned an attack")
            self.assertNotIn("send_money", self.content(server)["tools"])

            edited = json.loads(server.cli("catalog", "profile", "refunds").stdout)
            edited["tools"]["issue_refund"] = edited["good_sessions"]
            path = server.data / "profile.json"
            path.write_text(json.dumps(edited))
            server.cli("catalog", "publish", "profile", "refunds", "--file", str(path), "--message", "refunds are fine",
                       "--label", "production")
            self.assertIn("issue_refund", self.content(server)["tools"])

            path.write_text(json.dumps({**edited, "tolls": {}}))
            refused = server.cli("catalog", "publish", "profile", "refunds", "--file", str(path), "--message", "oops",
                                 check=False)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("tolls: no such member", refused.stderr)
            sessions = self.known(server)["good_sessions"]
            self.assertGreaterEqual(sessions, edited["good_sessions"])

            server.stop()
            server.start()
            wait_for("the profile after a restart", lambda: self.known(server), 20)
            self.assertGreaterEqual(self.known(server)["good_sessions"], edited["good_sessions"])
            self.assertIn("issue_refund", self.content(server)["tools"])

    def test_learning_stops_while_an_incident_is_open(self):
        with Server(config=CONFIG) as server:
            self.teach(server, "lookup", lambda: self.known(server), "something learned")
            made = server.post("/v1/incidents", {
                "title": "refunds go wrong", "class": "safety", "severity": "SEV2", "workflow": "refunds",
                "reason": "test"})
            self.assertEqual(made.status, 201, made.body)
            incident = made.json()["id"]
            wait_for("learning to stop", lambda: self.known(server)["held_by"] == incident, 10)
            time.sleep(1)
            before = self.known(server)["good_sessions"]
            for _ in range(24):
                good_session(server, "lookup")
                time.sleep(0.5)
            self.assertEqual(self.known(server)["good_sessions"], before)
            kinds = [line["kind"] for line in server.get_json(f"/v1/incidents/{incident}")["timeline"]]
            self.assertEqual(kinds.count("learning.stopped"), 1)


if __name__ == "__main__":
    unittest.main()
