"""The page in Debian's Chromium at two widths, against a real server whose fleet works through the gateway
and fails."""

import os
import subprocess
import unittest

from harness import ROOT, Server, free_ports, wait_for


class Page(unittest.TestCase):
    def test_the_specs_pass_against_a_real_server(self):
        with Server("--sim", "--fleet-ports", str(free_ports(5)), "--fault", "tool_4xx_storm:start=15s") as server:
            wait_for("the fault to become an incident",
                     lambda: server.get_json("/v1/incidents")["incidents"], 120)
            env = {**os.environ, "TAGOUT_URL": server.url, "TAGOUT_TOKEN": server.token, "CI": "1"}
            done = subprocess.run(["npm", "run", "--silent", "e2e"], cwd=ROOT / "ui", env=env,
                                  capture_output=True, text=True, timeout=800)
            self.assertEqual(done.returncode, 0, done.stdout[-6000:] + done.stderr[-2000:])
            if "flaky" in done.stdout:
                print(done.stdout[done.stdout.rindex("flaky") - 20:])


class Units(unittest.TestCase):
    def test_types_are_fresh_and_units_pass(self):
        done = subprocess.run(["npm", "test", "--silent"], cwd=ROOT / "ui", capture_output=True, text=True, timeout=600)
        self.assertEqual(done.returncode, 0, done.stdout[-6000:] + done.stderr[-2000:])


if __name__ == "__main__":
    unittest.main()
