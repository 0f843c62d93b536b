"""Starts a real Tagout with ports and data of its own, and talks to it as a user would.

Only the standard library. Every wait is bounded and says what it waited for.
"""

import contextlib
import json
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TAGOUT = pathlib.Path(os.environ.get("TAGOUT_BINARY", ROOT / "build/release/tagout"))


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


def http(method, url, body=None, headers=None, timeout=20):
    """Any status is an answer; a refused or cut connection raises OSError."""
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=timeout) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())


def wait_for(what, condition, seconds=30.0, every=0.1):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:.0f} s for {what}")
        time.sleep(every)


class Server:
    """A running `tagout serve`. Use as a context; `kill()` and `start()` again for crashes."""

    def __init__(self, *arguments, data=None, config=None, env=None, preexec=None):
        self.own_data = data is None
        self.data = pathlib.Path(data or tempfile.mkdtemp(prefix="tagout-e2e-"))
        self.arguments = list(arguments)
        if config is not None:
            (self.data / "tagout.yaml").write_text(config)
            self.arguments += ["--config", str(self.data / "tagout.yaml")]
        self.env = {**os.environ, **(env or {})}
        self.preexec = preexec
        self.process = None
        self.log = self.data / "serve.log"

    def start(self, wait=True):
        (self.data / "store/addresses.json").unlink(missing_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(TAGOUT), "serve", "--data-dir", str(self.data / "store"), "--http-port", "0",
                 "--otlp-http-port", "0", "--otlp-grpc-port", "0", "--gateway-port", "0", *self.arguments],
                stdout=log, stderr=log, env=self.env, preexec_fn=self.preexec, cwd=self.data)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        path = self.data / "store/addresses.json"

        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.tail()}")
            try:
                found = json.loads(path.read_text())
                return found if found.get("pid") == self.process.pid else None
            except (FileNotFoundError, json.JSONDecodeError):
                return None

        self.addresses = wait_for("the server's addresses.json", ready, 60)
        self.url = self.addresses["http"]
        self.otlp = self.addresses["otlp_http"]
        self.grpc = self.addresses["otlp_grpc"]
        self.gateway = self.addresses["gateway"]
        self.token = (self.data / "store/admin.token").read_text().strip()

    def tail(self, lines=40):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"the server did not stop within 20 s of SIGTERM:\n{self.tail()}")
        return self.process.returncode if self.process else None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, *failure):
        try:
            self.stop()
        finally:
            if failure[0] is not None:
                print(f"--- the server's last lines\n{self.tail()}")
            if self.own_data:
                shutil.rmtree(self.data, ignore_errors=True)

    def get(self, path, **kwargs):
        return http("GET", self.url + path, **kwargs)

    def get_json(self, path):
        answer = self.get(path)
        assert answer.status == 200, f"GET {path}: {answer.status} {answer.body[:300]!r}"
        return answer.json()

    def post(self, path, value, token=True):
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {self.token}"
        return http("POST", self.url + path, json.dumps(value).encode(), headers)

    def send_traces(self, spans, service="e2e", timeout=20):
        """OTLP/JSON over HTTP; returns the answer."""
        body = {"resourceSpans": [{
            "resource": {"attributes": attributes({"service.name": service})},
            "scopeSpans": [{"scope": {"name": "e2e"}, "spans": spans}]}]}
        return http("POST", self.otlp + "/v1/traces", json.dumps(body).encode(),
                    {"Content-Type": "application/json"}, timeout)

    def cli(self, *arguments, check=True):
        done = subprocess.run(
            [str(TAGOUT), *arguments], capture_output=True, text=True, timeout=60, cwd=self.data,
            env={**self.env, "TAGOUT_URL": self.url, "TAGOUT_TOKEN": self.token, "NO_COLOR": "1"})
        if check:
            assert done.returncode == 0, f"tagout {' '.join(arguments)}: {done.returncode}\n{done.stderr}"
        return done


def value(of):
    if isinstance(of, bool):
        return {"boolValue": of}
    if isinstance(of, int):
        return {"intValue": str(of)}
    if isinstance(of, float):
        return {"doubleValue": of}
    return {"stringValue": str(of)}


def attributes(of):
    return [{"key": key, "value": value(each)} for key, each in of.items()]


def span(name, trace=None, parent="", seconds=0.2, error=None, at=None, **attrs):
    """A span that ended just now. Dots in attribute names are written as double underscores."""
    end = time.time_ns() if at is None else int(at * 1e9)
    made = {
        "traceId": trace or secrets.token_hex(16), "spanId": secrets.token_hex(8), "parentSpanId": parent,
        "name": name, "kind": 1, "startTimeUnixNano": str(end - int(seconds * 1e9)), "endTimeUnixNano": str(end),
        "attributes": attributes({key.replace("__", "."): each for key, each in attrs.items()})}
    if error:
        made["status"] = {"code": 2, "message": error}
    return made


@contextlib.contextmanager
def process(command, **kwargs):
    """A helper process that ends with the test."""
    running = subprocess.Popen(command, **kwargs)
    try:
        yield running
    finally:
        running.terminate()
        try:
            running.wait(10)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def free_ports(count):
    """The first of `count` ports in a row that were free just now, below those that the system gives away."""
    import random
    import socket
    for _ in range(200):
        first = random.randrange(12_000, 30_000)
        probes = []
        try:
            for port in range(first, first + count):
                probe = socket.socket()
                probes.append(probe)
                probe.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
        finally:
            for probe in probes:
                probe.close()
    raise AssertionError("no free ports in a row")


def free_port():
    import socket
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
