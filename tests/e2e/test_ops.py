"""The tools around: Prometheus scrapes and checks the metrics, a real Alertmanager gets the notices."""

import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from harness import Server, free_port, http, process, span, wait_for


class Prometheus(unittest.TestCase):
    def test_promtool_is_content_and_prometheus_scrapes(self):
        with Server() as server, tempfile.TemporaryDirectory() as folder:
            server.send_traces([span("chat m", gen_ai__operation__name="chat", gen_ai__usage__input_tokens=5)])
            text = server.get("/metrics").body
            checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, timeout=30)
            self.assertEqual(checked.returncode, 0, checked.stderr.decode())
            self.assertEqual(checked.stdout + checked.stderr, b"")
            port = free_port()
            config = pathlib.Path(folder, "prometheus.yml")
            target = server.url.removeprefix("http://")
            config.write_text(json.dumps({
                "global": {"scrape_interval": "1s"},
                "scrape_configs": [{"job_name": "tagout", "static_configs": [{"targets": [target]}]}]}))
            command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/data",
                       f"--web.listen-address=127.0.0.1:{port}"]
            with process(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
                def scraped():
                    try:
                        answer = http("GET", f"http://127.0.0.1:{port}/api/v1/query?query=tagout_intake_items_total")
                        # Prometheus says 503 in plain words until it has started.
                        return answer.json()["data"]["result"] if answer.status == 200 else None
                    except OSError:
                        return None
                result = wait_for("Prometheus to scrape", scraped, 40)
                self.assertEqual({row["metric"]["signal"] for row in result}, {"traces", "logs", "metrics"})


class Alertmanager(unittest.TestCase):
    def test_a_declared_incident_fires_and_a_resolved_one_resolves(self):
        with tempfile.TemporaryDirectory() as folder:
            port = free_port()
            config = pathlib.Path(folder, "alertmanager.yml")
            config.write_text(json.dumps({"route": {"receiver": "none"}, "receivers": [{"name": "none"}]}))
            command = ["prometheus-alertmanager", f"--config.file={config}", f"--storage.path={folder}/data",
                       f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]
            yaml = f"""
notices:
  default_channel: ops
  channels:
    ops:
      type: alertmanager
      url: http://127.0.0.1:{port}
"""
            with process(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
                def alerts():
                    try:
                        answer = http("GET", f"http://127.0.0.1:{port}/api/v2/alerts")
                        return answer.json() if answer.status == 200 else None
                    except OSError:
                        return None
                wait_for("Alertmanager to answer", lambda: alerts() is not None, 30)
                with Server(config=yaml) as server:
                    tested = server.cli("notices", "test", "ops")
                    self.assertIn("delivered", tested.stdout)
                    made = server.post("/v1/incidents", {
                        "title": "Refunds are doubled", "class": "tool", "reason": "seen it", "severity": "SEV1"}).json()
                    found = wait_for("the notice at Alertmanager", lambda: [
                        alert for alert in alerts() or [] if made["id"] in json.dumps(alert["labels"])], 30)
                    self.assertEqual(found[0]["status"]["state"], "active")
                    answer = server.post(f"/v1/incidents/{made['id']}/move",
                                         {"to": "resolved", "reason": "the tool is mended"})
                    self.assertEqual(answer.status, 200, answer.body)
                    def gone():
                        known = alerts()  # None: it did not answer, which shows nothing.
                        return known is not None and made["id"] not in json.dumps([a["labels"] for a in known])
                    wait_for("it to be gone from the firing ones", gone, 30)
                    log = server.get_json(f"/v1/notices?incident={made['id']}")["notices"]
                    self.assertEqual({notice["state"] for notice in log}, {"delivered"}, log)


if __name__ == "__main__":
    for name in ("prometheus", "promtool", "prometheus-alertmanager"):
        assert shutil.which(name), f"{name} is missing; ./dev test installs it"
    unittest.main()
