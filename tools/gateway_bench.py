"""What the gateway costs beside other proxies: `./dev bench gateway` runs this after the room's own benchmarks.

The same upstream, body and clients (tests/bench/gateway_load.cc) behind each proxy in turn: none, nginx as a
plain proxy, `tagout serve` with a policy of 1,000 rules, and @portkey-ai/gateway. Each proxy answers rightly
before the clock starts. CPU is user and system time of the proxy's whole process. Tagout counts and judges these
requests and records none of them: of model calls only those that it refused or changed leave a record, since the
agent's own telemetry tells the others. Loopback only; everything is started and ended here.
"""

import argparse
import contextlib
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/e2e"))
from harness import Server, free_port, http, wait_for  # noqa: E402

LOAD = ROOT / "build/release/gateway_load"
PORTKEY = ROOT / "build/bench/node_modules/@portkey-ai/gateway/build/start-server.js"
TICK = os.sysconf("SC_CLK_TCK")
TARGETS = {"cpu_us": 40, "p50_ms": .1, "chunk_ms": .2, "idle_mib": 300}


def cpu_seconds(pid):
    """User and system time of a process, in seconds; a tick of the kernel is 10 ms."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def thread_seconds(pid):
    """The same by thread, NAME/ID."""
    came = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            name, fields = (task / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
            fields = fields.split()
            came[f"{name}/{task.name}"] = (int(fields[11]) + int(fields[12])) / TICK
    return came


def resident_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def policy():
    """1,000 rules, the most of them for other tools; the one that the answer calls is among them."""
    rules = ["rules:"]
    for number in range(1_000):
        rules.append(f"  - name: rule-{number}\n    match: {{ tool: tool_{number} }}\n"
                     f"    when: has(args.amount) && args.amount > {1_000 + number}\n    effect: deny\n"
                     f"    message: Too much at once.")
    return "\n".join(rules) + "\n"


def request_body(**more):
    tools = [{"type": "function", "function": {
        "name": f"tool_{number}", "description": "Refunds an order, wholly or in part, and says what was done.",
        "parameters": {"type": "object", "properties": {"order": {"type": "string"}, "amount": {"type": "number"}}}}}
        for number in range(500, 505)]
    talk = [{"role": "system", "content": "You help customers with their orders. Be brief and kind. " * 6},
            {"role": "user", "content": "My parcel came broken, order O-1001. Please refund 12.50."}]
    return json.dumps({"model": "m-1", "messages": talk, "tools": tools, **more}, separators=(",", ":"))


def until_asked(process, begin):
    for line in process.stdout:
        if line.startswith(begin):
            return int(line.split()[1])
    raise SystemExit(f"gateway_bench: {process.args[1]} ended before it said '{begin}'")


@contextlib.contextmanager
def running(command, **options):
    process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, text=True, **options)
    try:
        yield process
    finally:
        process.stdin.close()
        try:
            process.wait(5 if "gateway_load" in str(command[0]) else .1)
        except subprocess.TimeoutExpired:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def listening(port):
    import socket
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def nginx(folder, upstream):
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(f"""
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; worker_rlimit_nofile 20000;
events {{ worker_connections 20000; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; keepalive_requests 10000000;
  upstream model {{ server 127.0.0.1:{upstream}; keepalive 256; keepalive_requests 10000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096; tcp_nodelay on;
    location / {{ proxy_pass http://model/v1/; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off; proxy_read_timeout 1h; }}
  }}
}}""")
    with running([shutil.which("nginx") or "/usr/sbin/nginx", "-p", folder, "-c", config, "-e", folder / "nginx.log"]) as process:
        wait_for("nginx", lambda: listening(port), 20)
        yield process.pid, port, "/chat/completions", ""


@contextlib.contextmanager
def tagout(folder, upstream):
    config = f"model_upstreams:\n  bench:\n    protocol: openai\n    url: http://127.0.0.1:{upstream}/v1\n"
    (folder / "rules.yaml").write_text(policy())
    with Server(data=folder, config=config) as server:
        server.cli("catalog", "publish", "policy", "bench", "--file", str(folder / "rules.yaml"), "--message",
                   "A thousand rules", "--label", "production", "--as", "bench")
        asked = {"tool": "tool_999", "agent": "bench", "arguments": {"amount": 5_000}}
        ruled = http("POST", server.gateway + "/v1/decide", json.dumps(asked).encode(), {"Content-Type": "application/json"})
        if "policy:bench@v1#rule-999" not in ruled.body.decode():
            raise SystemExit(f"gateway_bench: the policy is not in force: {ruled.body[:300]!r}")
        port = int(server.gateway.rsplit(":", 1)[1])
        yield server.process.pid, port, "/model/bench/chat/completions", "tagout-agent: bench\r\ntagout-session: s-@\r\n"


@contextlib.contextmanager
def portkey(folder, upstream):
    port = free_port()
    with running(["node", PORTKEY, f"--port={port}", "--headless"], cwd=folder, stdout=subprocess.DEVNULL,
                 stderr=subprocess.DEVNULL, env={**os.environ, "TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost"}) as process:
        wait_for("portkey", lambda: listening(port), 30)
        yield process.pid, port, "/v1/chat/completions", (
            "x-portkey-provider: openai\r\nAuthorization: Bearer none\r\n"
            f"x-portkey-custom-host: http://127.0.0.1:{upstream}/v1\r\n")


@contextlib.contextmanager
def direct(_, upstream):
    yield None, upstream, "/v1/chat/completions", ""


class Bench:
    def __init__(self, folder, options):
        self.folder, self.options = folder, options

    def files(self, path, headers, body):
        head = self.folder / "head.txt"
        head.write_text(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}", newline="")
        (self.folder / "body.txt").write_text(body)
        return head, self.folder / "body.txt"

    def load(self, how, port, path, headers, body, *numbers):
        head, sent = self.files(path, headers, body)
        done = subprocess.run([str(word) for word in (LOAD, how, port, head, sent, *numbers)], capture_output=True,
                              text=True, timeout=180)
        if done.returncode != 0:
            return {"failed": done.stderr.strip()[:300]}
        return json.loads(done.stdout)

    def rate(self, proxy, rate):
        pid, port, path, headers = proxy
        warm = self.load("rate", port, path, headers, request_body(), rate, 1)
        if "failed" in warm:
            return warm
        time.sleep(.5)
        before, threads = (cpu_seconds(pid), thread_seconds(pid)) if pid else (0, {})
        came = self.load("rate", port, path, headers, request_body(), rate, self.options.seconds)
        if "failed" in came:
            return came
        time.sleep(1)  # What is recorded in the background belongs to the requests.
        came["cpu_us"] = (cpu_seconds(pid) - before) * 1e6 / max(1, came["asked"]) if pid else 0
        if pid:
            after = {name: round((spent - threads.get(name, 0)) * 1e6 / max(1, came["asked"]), 1)
                     for name, spent in thread_seconds(pid).items()}
            came["by_thread"] = {name: spent for name, spent in after.items() if spent >= .5}
        return came

    def paced(self, proxy):
        _, port, path, headers = proxy
        return self.load("paced", port, path, headers, request_body(stream=True), self.options.streams)

    def idle(self, proxy):
        pid, port, path, headers = proxy
        head, body = self.files(path, headers, request_body(stream=True, user="idle"))
        before = resident_mib(pid)
        with running([LOAD, "idle", port, head, body, self.options.idle], stdout=subprocess.PIPE) as clients:
            try:
                opened = until_asked(clients, "open")
            except SystemExit as ended:
                return {"failed": str(ended)}
            time.sleep(1)
            return {"open": opened, "mib": resident_mib(pid), "mib_before": before}


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rate", type=int, default=3_000, help="requests a second")
    words.add_argument("--seconds", type=int, default=8)
    words.add_argument("--streams", type=int, default=50, help="paced streams at once, 50 events a second each")
    words.add_argument("--idle", type=int, default=10_000, help="idle streams; each takes two descriptors of a proxy")
    words.add_argument("--only", nargs="*", default=["nginx", "tagout", "portkey"])
    options = words.parse_args()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    if limit != resource.RLIM_INFINITY and options.idle > limit // 2 - 1_000:
        options.idle = limit // 2 - 1_000
        print(f"(this machine lets a process open {limit} descriptors: {options.idle} idle streams)")
    proxies = {"nginx": nginx, "tagout": tagout, "portkey": portkey}
    came = {}
    with contextlib.ExitStack() as stack:
        upstream = stack.enter_context(running([LOAD, "upstream"], stdout=subprocess.PIPE))
        port = until_asked(upstream, "port")
        for name in ("direct", *options.only):
            folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"tagout-bench-{name}-")))
            bench = Bench(folder, options)
            with (direct if name == "direct" else proxies[name])(folder, port) as proxy:
                rate = bench.rate(proxy, options.rate)
                if name == "portkey" and (rate.get("missed") or rate.get("unanswered") or "failed" in rate):
                    print(f"portkey does not keep up with {options.rate}/s: {json.dumps(rate)}; at 500/s:")
                    rate = bench.rate(proxy, 500)
                row = came[name] = {"rate": rate, "paced": bench.paced(proxy)}
                if name in ("nginx", "tagout"):
                    row["idle"] = bench.idle(proxy)
            print(f"{name:8} {json.dumps(row)}", flush=True)
    table(came, options)


def table(came, options):
    base = came["direct"]
    print(f"\n{'':8} {'CPU us a request':>17} {'added p50 ms':>13} {'added p99 ms':>13} {'added ms a chunk':>17} {'MiB idle':>9}")
    for name, row in came.items():
        rate, paced, idle = row["rate"], row["paced"], row.get("idle")
        if name == "direct" or "failed" in rate:
            continue
        chunk = f"{paced['p50_ms'] - base['paced']['p50_ms']:.3f}" if "failed" not in paced else "-"
        print(f"{name:8} {rate['cpu_us']:17.1f} {rate['p50_ms'] - base['rate']['p50_ms']:13.3f} "
              f"{rate['p99_ms'] - base['rate']['p99_ms']:13.3f} {chunk:>17} {format(idle['mib'], '.0f') if idle and 'mib' in idle else '-':>9}")
    print(f"targets  {TARGETS['cpu_us']:17} {TARGETS['p50_ms']:13} {'':13} {TARGETS['chunk_ms']:17} {TARGETS['idle_mib']:9}"
          f"   ({options.rate}/s, {options.streams} paced and {options.idle} idle streams)")


if __name__ == "__main__":
    main()
