"""What a hostile or broken world may do to a running server, and what it must do then."""

import gzip
import json
import os
import random
import resource
import secrets
import socket
import subprocess
import threading
import time
import unittest
import zlib

from harness import TAGOUT, Server, free_port, http, span, wait_for


def is_well(server):
    assert server.get("/-/healthy").status == 200
    assert server.get("/-/ready").status == 200
    trace = secrets.token_hex(16)
    assert server.send_traces([span("chat m", trace=trace, gen_ai__operation__name="chat")]).status == 200
    assert server.get(f"/v1/traces/{trace}").status == 200


def zstd_bomb(size=300_000_000):
    """A zstd frame of `size` zeros: RLE blocks of 128 KB, four bytes each."""
    block = 128 * 1024
    frame = b"\x28\xb5\x2f\xfd" + bytes([0x00, 0x38])  # no content size, a window of 128 KB
    count = size // block
    for i in range(count):
        header = (block << 3) | (1 << 1) | (i == count - 1)
        frame += header.to_bytes(3, "little") + b"\0"
    return frame


ZSTD_BOMB = zstd_bomb()


class Garbage(unittest.TestCase):
    def refused_at_head(self, url, path):
        """The body of the 413 that a Content-Length of 999 MB gets."""
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as peer:
            peer.sendall((f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
                          "Content-Length: 999999999\r\nExpect: 100-continue\r\n\r\n").encode())
            answer = b""
            while chunk := peer.recv(65536):
                answer += chunk
        head, body = answer.split(b"\r\n\r\n", 1)
        self.assertIn(b"413", head.split(b"\r\n")[0])
        return body

    def test_any_bytes_to_any_port(self):
        chance = random.Random(7)
        with Server() as server:
            ports = [int(address.rsplit(":", 1)[1]) for address in (server.url, server.otlp, server.grpc)]
            openings = [
                b"", b"\x00" * 1000, b"GET / HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 200,
                b"POST /v1/traces HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
                b"POST /v1/traces HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
                b"POST /v1/traces HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
                b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
                b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
            ] + [chance.randbytes(chance.randrange(1, 5000)) for _ in range(40)]
            for port in ports:
                for opening in openings:
                    with socket.create_connection(("127.0.0.1", port), timeout=5) as peer:
                        peer.settimeout(0.05)
                        try:
                            peer.sendall(opening)
                            peer.recv(4096)
                        except OSError:
                            pass
            is_well(server)

    def test_bodies_that_are_too_much(self):
        with Server() as server:
            def post(body, encoding=None, kind="application/json", path="/v1/traces"):
                headers = {"Content-Type": kind}
                if encoding:
                    headers["Content-Encoding"] = encoding
                try:
                    return http("POST", server.otlp + path, body, headers, timeout=60).status
                except OSError:
                    return "closed"

            self.assertIn(post(b"x" * 100_000_000), (413, "closed"))
            self.assertEqual(post(gzip.compress(b"\0" * 300_000_000, 1), "gzip"), 413)
            self.assertEqual(post(zlib.compress(b"\0" * 300_000_000, 1), "deflate"), 413)
            self.assertEqual(post(ZSTD_BOMB, "zstd"), 413)
            # What is refused before the handler sees it answers in the door's own form too.
            told = self.refused_at_head(server.otlp, "/v1/traces")
            self.assertEqual(json.loads(told)["code"], 8)
            told = self.refused_at_head(server.url, "/v1/incidents")
            self.assertIn("larger", json.loads(told)["error"]["message"])
            deep = b'{"resourceSpans":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
            self.assertEqual(post(deep), 400)
            nested = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
            self.assertEqual(post(nested), 400)
            self.assertEqual(post(b"{}"), 200)
            self.assertEqual(post(b"\xff\xfe", kind="application/x-protobuf"), 400)
            self.assertEqual(post(b"{}", kind="text/plain"), 415)
            self.assertEqual(http("GET", server.otlp + "/v1/traces").status, 405)
            self.assertEqual(post(b"not gzip", "gzip"), 400)
            answer = server.post("/v1/incidents", [])
            self.assertEqual(answer.status, 400)
            answer = http("POST", server.url + "/v1/incidents", nested,
                          {"Content-Type": "application/json", "Authorization": f"Bearer {server.token}"})
            self.assertEqual(answer.status, 400)
            self.assertEqual(answer.json()["error"]["code"], "invalid_argument")
            is_well(server)


class Order(unittest.TestCase):
    def test_a_conversation_told_by_the_root_has_the_spans_that_came_before(self):
        with Server() as server:
            trace, conversation = secrets.token_hex(16), "told-late-" + secrets.token_hex(4)
            root = span("invoke_agent shop", trace=trace, gen_ai__operation__name="invoke_agent",
                        gen_ai__conversation__id=conversation)
            children = [span(f"execute_tool {name}", trace=trace, parent=root["spanId"], gen_ai__tool__name=name,
                             gen_ai__operation__name="execute_tool") for name in ("find", "refund")]
            for each in [*children, root]:
                self.assertEqual(server.send_traces([each]).status, 200)
            for name in (conversation, trace):
                found = server.get_json(f"/v1/traces/{name}")["events"]
                self.assertEqual({event["span_id"] for event in found},
                                 {each["spanId"] for each in [*children, root]}, name)


class Ports(unittest.TestCase):
    def test_a_taken_port_is_named_with_the_remedy(self):
        for flag in ("--http-port", "--otlp-http-port", "--otlp-grpc-port"):
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", 0))
                taken.listen()
                port = str(taken.getsockname()[1])
                server = Server(flag, port)
                server.start(wait=False)
                self.assertNotEqual(server.process.wait(30), 0)
                text = server.tail()
                self.assertIn(port, text)
                self.assertIn(flag, text)

    def test_a_second_server_on_the_same_data_is_refused(self):
        with Server() as server:
            second = subprocess.run(
                [str(TAGOUT), "serve", "--data-dir", str(server.data / "store"), "--http-port", str(free_port()),
                 "--otlp-http-port", "0", "--otlp-grpc-port", "0"], capture_output=True, text=True, timeout=30)
            self.assertNotEqual(second.returncode, 0)
            self.assertIn("store", second.stderr)
            is_well(server)


class Crash(unittest.TestCase):
    def test_kill_9_under_load_loses_nothing_acknowledged(self):
        chance = random.Random(int(os.environ.get("TAGOUT_SEED", "11")))
        server = Server()
        acknowledged = []
        lock = threading.Lock()

        def load(stop):
            while not stop.is_set():
                traces = [secrets.token_hex(16) for _ in range(8)]
                spans = [span("execute_tool lookup", trace=trace, gen_ai__operation__name="execute_tool",
                              gen_ai__tool__name="lookup", gen_ai__tool__call__arguments='{"id":"%s"}' % trace)
                         for trace in traces]
                try:
                    if server.send_traces(spans, timeout=5).status == 200:
                        with lock:
                            acknowledged.extend(traces)
                except OSError:
                    return

        try:
            server.start()
            for _ in range(6):
                stop = threading.Event()
                senders = [threading.Thread(target=load, args=(stop,)) for _ in range(3)]
                for sender in senders:
                    sender.start()
                time.sleep(chance.uniform(0.05, 0.8))
                server.kill()
                stop.set()
                for sender in senders:
                    sender.join()
                server.start()
            self.assertGreater(len(acknowledged), 50)
            for trace in acknowledged:
                self.assertEqual(server.get(f"/v1/traces/{trace}").status, 200, f"acknowledged trace {trace} is lost")
            verified = server.cli("journal", "verify", "--data-dir", str(server.data / "store"))
            self.assertEqual(verified.returncode, 0, verified.stdout)
        finally:
            server.__exit__(None, None, None)

    def test_incidents_survive_kill_9(self):
        server = Server()
        try:
            server.start()
            made = server.post("/v1/incidents", {"title": "Refunds are doubled", "class": "tool", "reason": "seen it"})
            self.assertEqual(made.status, 201, made.body)
            name = made.json()["id"]
            self.assertEqual(server.post(f"/v1/incidents/{name}/ack", {"actor": "ann"}).status, 200)
            server.kill()
            server.start()
            after = server.get_json(f"/v1/incidents/{name}")
            self.assertEqual(after["title"], "Refunds are doubled")
            self.assertEqual(after["state"], "declared")
            self.assertIn("acked_at", after["anchors"])
        finally:
            server.__exit__(None, None, None)


class Damage(unittest.TestCase):
    def filled(self):
        server = Server()
        server.start()
        for i in range(200):
            server.send_traces([span("chat m", gen_ai__operation__name="chat", n=i, text=secrets.token_hex(400))])
        server.post("/v1/incidents", {"title": "One", "class": "cost", "reason": "r"})
        server.stop()
        return server

    def test_a_flipped_bit_is_found(self):
        server = self.filled()
        store = server.data / "store"
        try:
            whole = subprocess.run([str(TAGOUT), "journal", "verify", "--data-dir", str(store)],
                                   capture_output=True, text=True, timeout=60)
            self.assertEqual(whole.returncode, 0, whole.stdout + whole.stderr)
            segment = max((path for path in (store / "evidence").rglob("*") if path.is_file()),
                          key=lambda path: path.stat().st_size)
            content = bytearray(segment.read_bytes())
            content[len(content) // 2] ^= 0x10
            segment.write_bytes(content)
            found = subprocess.run([str(TAGOUT), "journal", "verify", "--data-dir", str(store)],
                                   capture_output=True, text=True, timeout=60)
            self.assertEqual(found.returncode, 1, found.stdout + found.stderr)
            self.assertIn(segment.name, found.stdout + found.stderr)
            server.start()  # a damaged block does not keep the rest from being served
            is_well(server)
        finally:
            server.__exit__(None, None, None)

    def test_an_altered_journal_row_is_found(self):
        import sqlite3
        server = self.filled()
        store = server.data / "store"
        try:
            database = sqlite3.connect(store / "journal.db")
            tables = [row[0] for row in database.execute("select name from sqlite_master where type='trigger'")]
            for trigger in tables:
                database.execute(f"drop trigger {trigger}")
            table = database.execute(
                "select name from sqlite_master where type='table' and sql like '%reason%'").fetchone()[0]
            database.execute(f"update {table} set reason = 'nobody' where rowid = 2 or sequence = 2")
            database.commit()
            database.close()
            found = subprocess.run([str(TAGOUT), "journal", "verify", "--data-dir", str(store)],
                                   capture_output=True, text=True, timeout=60)
            self.assertEqual(found.returncode, 1, found.stdout + found.stderr)
            self.assertIn("2", found.stdout)
        finally:
            server.__exit__(None, None, None)


class DiskFull(unittest.TestCase):
    def test_a_full_disk_sheds_and_heals(self):
        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))

        with Server(preexec=small_files) as server:
            def send():
                return server.send_traces(
                    [span("chat m", gen_ai__operation__name="chat", text=secrets.token_hex(20_000))
                     for _ in range(20)]).status
            statuses = {send() for _ in range(12)}
            self.assertTrue(statuses <= {200, 429, 503}, statuses)
            self.assertIn(503, statuses | {429 if 429 in statuses else 503})
            self.assertEqual(server.get("/-/healthy").status, 200)
            subprocess.run(["prlimit", f"--pid={server.process.pid}", "--fsize=unlimited"], check=True)
            wait_for("the server to take telemetry again", lambda: send() == 200, 30)
            is_well(server)


if __name__ == "__main__":
    unittest.main()
