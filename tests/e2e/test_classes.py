"""The main job: each class's fault opens exactly one incident of that class, a healthy fleet none.

Every fleet has a server of its own, and all of them run at the same time: a fleet sleeps most of the time,
and a busy machine is what a user has as well.
"""

import concurrent.futures
import subprocess
import time
import unittest

from harness import TAGOUT, Server, wait_for

# Detection needs a quiet time to learn what is usual, then the fault runs.
SEED = "5"
HEALTHY_SECONDS = 25
FAULT_SECONDS = 45
# What is still on its way or waits for a pane to close may open a second incident: it has so long.
SETTLING_SECONDS = 8

FAULTS = {
    "wrong_workflow": "intent",
    "retry_storm": "intent",
    "tool_4xx_storm": "tool",
    "unexpected_write": "tool",
    "loop": "context",
    "injection": "safety",
    "token_runaway": "cost",
    "slow_model": "cost",
}


def opened(server):
    found = server.get_json("/v1/incidents?state=all&limit=1000")["incidents"]
    return [incident for incident in found if incident["state"] != "signal"]


def run_fleet(fault):
    """What a fleet with this fault (None: healthy) came to: its incidents, and what was taken in."""
    with Server() as server:
        seconds = HEALTHY_SECONDS + FAULT_SECONDS
        command = [str(TAGOUT), "sim", "--otlp", server.otlp, "--seed", SEED, "--duration", f"{seconds}s"]
        if fault:
            command += ["--fault", f"{fault}:start={HEALTHY_SECONDS}s"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 90)
        if done.returncode != 0:
            raise AssertionError(f"the fleet ended with {done.returncode}: {done.stderr}")
        if fault:
            wait_for(f"an incident from {fault}", lambda: opened(server), 30)
        time.sleep(SETTLING_SECONDS)
        return opened(server), server.get_json("/v1/now")["intake"]["items_total"]


class Classes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pool = concurrent.futures.ThreadPoolExecutor(max_workers=len(FAULTS) + 1)
        cls.fleets = {fault: cls.pool.submit(run_fleet, fault) for fault in [None, *FAULTS]}

    @classmethod
    def tearDownClass(cls):
        cls.pool.shutdown()

    def check(self, fault, wanted):
        incidents, items = self.fleets[fault].result()
        self.assertGreater(items, 500)
        told = [(incident["id"], incident["class"], incident["signals"], incident["title"]) for incident in incidents]
        self.assertEqual([incident["class"] for incident in incidents], wanted, told)
        for incident in incidents:
            self.assertIn(incident["severity"], ("SEV1", "SEV2", "SEV3"))
            self.assertGreater(incident["impact"]["users"], 0, incident["impact"])
            if fault != "slow_model":  # whose calls end without an answer, so without tokens
                self.assertGreater(incident["impact"]["tokens"], 0, incident["impact"])

    def test_a_healthy_fleet_opens_nothing(self):
        self.check(None, [])


def add(fault, wanted):
    setattr(Classes, f"test_{fault}_is_one_{wanted}_incident", lambda self: self.check(fault, [wanted]))


for name, of_class in FAULTS.items():
    add(name, of_class)

if __name__ == "__main__":
    unittest.main()
