"""OpenTelemetry's Python SDK exports over HTTP and gRPC, plain and compressed, all three signals."""

import subprocess
import unittest

from harness import ROOT, Server, wait_for

VENV = ROOT / "build/venv/bin/python3"

# Runs inside the venv: a small agent instrumented by hand with the real SDK.
CLIENT = r'''
import logging, sys, time
protocol, endpoint, compression, service = sys.argv[1:5]
from opentelemetry import metrics, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
if protocol == "grpc":
    import grpc
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    kind = grpc.Compression.Gzip if compression == "gzip" else grpc.Compression.NoCompression
    options = lambda signal: dict(endpoint=endpoint, insecure=True, compression=kind, timeout=10)
else:
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    kind = {"gzip": Compression.Gzip, "deflate": Compression.Deflate}.get(compression, Compression.NoCompression)
    options = lambda signal: dict(endpoint=f"{endpoint}/v1/{signal}", compression=kind, timeout=10)
resource = Resource.create({"service.name": service, "service.version": "1.2.3"})
spans = TracerProvider(resource=resource)
spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(**options("traces"))))
meters = MeterProvider(resource=resource, metric_readers=[PeriodicExportingMetricReader(OTLPMetricExporter(**options("metrics")))])
logs = LoggerProvider(resource=resource)
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(**options("logs"))))
logger = logging.getLogger("agent"); logger.addHandler(LoggingHandler(logger_provider=logs))
tracer = spans.get_tracer("hand", "1")
usage = meters.get_meter("hand").create_histogram("gen_ai.client.token.usage", unit="{token}")
with tracer.start_as_current_span("invoke_agent shop", attributes={
        "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "shop", "gen_ai.conversation.id": service + "-conv",
        "gen_ai.usage.input_tokens": 30, "gen_ai.usage.output_tokens": 12}) as root:
    with tracer.start_as_current_span("chat gpt-x", kind=trace.SpanKind.CLIENT, attributes={
            "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-x", "gen_ai.provider.name": "openai",
            "gen_ai.conversation.id": service + "-conv", "gen_ai.usage.input_tokens": 30, "gen_ai.usage.output_tokens": 12}):
        usage.record(30, {"gen_ai.token.type": "input"})
        logger.warning("the model is slow")
    with tracer.start_as_current_span("execute_tool refund", attributes={
            "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "refund", "gen_ai.conversation.id": service + "-conv",
            "gen_ai.tool.call.arguments": '{"order":7}', "http.response.status_code": 403, "error.type": "403"}) as tool:
        tool.set_status(trace.Status(trace.StatusCode.ERROR, "HTTP 403 Forbidden"))
for provider in (spans, meters, logs):
    assert provider.force_flush() is not False
    provider.shutdown()
'''


class PythonSdk(unittest.TestCase):
    def run_client(self, protocol, compression):
        with Server() as server:
            endpoint = server.grpc if protocol == "grpc" else server.otlp
            service = f"{protocol}-{compression}"
            done = subprocess.run([str(VENV), "-c", CLIENT, protocol, endpoint, compression, service],
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stderr, "", "the SDK complains of nothing")
            trace = server.get_json(f"/v1/traces/{service}-conv")
            kinds = sorted(event["kind"] for event in trace["events"] if event["signal"] == "traces")
            self.assertEqual(kinds, ["agent", "llm", "tool"])
            self.assertEqual(trace["tokens"], 42, "the agent's sum repeats its call's tokens and is not added")
            tool = next(event for event in trace["events"] if event["kind"] == "tool")
            self.assertEqual((tool["outcome"], tool["http_status"], tool["tool"]), ("denied", 403, "refund"))
            metrics = server.get("/metrics").body.decode()
            for signal in ("traces", "logs", "metrics"):
                count = next(line for line in metrics.splitlines()
                             if line.startswith(f'tagout_intake_items_total{{signal="{signal}"}}'))
                self.assertGreater(int(count.split()[-1]), 0, count)
            agent = wait_for("the agent in the directory", lambda: [
                each for each in server.get_json("/v1/agents")["agents"] if each["name"] == "shop"], 10)[0]
            self.assertEqual(agent["owner"], {}, "nobody owns what no configuration names")

    def test_http(self):
        self.run_client("http", "none")

    def test_http_gzip(self):
        self.run_client("http", "gzip")

    def test_http_deflate(self):
        self.run_client("http", "deflate")

    def test_grpc(self):
        self.run_client("grpc", "none")

    def test_grpc_gzip(self):
        self.run_client("grpc", "gzip")


if __name__ == "__main__":
    assert VENV.exists(), f"{VENV} is missing; ./dev test makes it"
    unittest.main()
