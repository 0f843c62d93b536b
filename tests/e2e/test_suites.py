"""What a prompt-injection suite found, reported over the API as CI would, becomes an incident of class safety."""

import unittest

from harness import Server, wait_for

JUNIT = """<testsuites><testsuite name="nightly">
<testcase name="pays a stranger"><failure message="sent 10 EUR"/></testcase>
<testcase name="reads on"/></testsuite></testsuites>"""


class Suites(unittest.TestCase):
    def test_a_failed_suite_is_an_incident_and_a_passed_one_is_none(self):
        with Server() as server:
            passed = server.post(
                "/v1/suites/results",
                {"agent": "calm", "suite": "nightly", "run": "1", "tests": [{"name": "a", "passed": True}]})
            self.assertEqual(passed.status, 200, passed.body)
            report = {"agent": "refunds", "suite": "nightly", "run": "481", "junit": JUNIT}
            failed = server.post("/v1/suites/results", report)
            self.assertEqual(failed.status, 200, failed.body)
            self.assertEqual((failed.json()["tests"], failed.json()["failed"]), (2, 1))
            incidents = wait_for(
                "an incident", lambda: server.get_json("/v1/incidents")["incidents"], seconds=40)
            self.assertEqual([each["class"] for each in incidents], ["safety"], incidents)
            self.assertIn("refunds", str(incidents))
            self.assertNotIn("calm", str(incidents))
            for wrong in ({"agent": "refunds"}, {**report, "junit": "<html>"}, {**report, "junit": "<testsuite/>"}):
                answer = server.post("/v1/suites/results", wrong)
                self.assertEqual(answer.status, 400, answer.body)


if __name__ == "__main__":
    unittest.main()
