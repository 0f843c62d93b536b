"""The main job: each class's fault opens exactly one incident of that class, a healthy fleet none."""

import subprocess
import time
import unittest

from harness import TAGOUT, Server, wait_for

# Detection needs a quiet time to learn what is usual, then the fault runs.
SEED = "5"
HEALTHY_SECONDS = 25
FAULT_SECONDS = 45

FAULTS = {
    "wrong_workflow": "intent",
    "tool_4xx_storm": "tool",
    "unexpected_write": "tool",
    "loop": "context",
    "injection": "safety",
    "token_runaway": "cost",
}


def opened(server):
    found = server.get_json("/v1/incidents?state=all&limit=1000")["incidents"]
    return [incident for incident in found if incident["state"] != "signal"]


class Classes(unittest.TestCase):
    def run_fleet(self, fault):
        with Server() as server:
            seconds = HEALTHY_SECONDS + FAULT_SECONDS
            command = [str(TAGOUT), "sim", "--otlp", server.otlp, "--seed", SEED, "--duration", f"{seconds}s"]
            if fault:
                command += ["--fault", f"{fault}:start={HEALTHY_SECONDS}s"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
            self.assertEqual(done.returncode, 0, done.stderr)
            now = server.get_json("/v1/now")
            self.assertGreater(now["intake"]["items_total"], 100)
            if fault:
                wait_for(f"an incident from {fault}", lambda: opened(server), 20)
            time.sleep(5)
            return opened(server)

    def check(self, fault, wanted):
        incidents = self.run_fleet(fault)
        told = [(incident["id"], incident["class"], incident["signals"], incident["title"]) for incident in incidents]
        self.assertEqual([incident["class"] for incident in incidents], [wanted], told)
        self.assertIn(incidents[0]["severity"], ("SEV1", "SEV2", "SEV3"))

    def test_a_healthy_fleet_opens_nothing(self):
        self.assertEqual([], [(i["class"], i["title"], i["signals"]) for i in self.run_fleet(None)])


def add(fault, wanted):
    setattr(Classes, f"test_{fault}_is_one_{wanted}_incident", lambda self: self.check(fault, wanted))


for name, of_class in FAULTS.items():
    add(name, of_class)

if __name__ == "__main__":
    unittest.main()
