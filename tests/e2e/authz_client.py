"""Envoy's side of external authorization with Envoy's own messages, over grpcio: argument HOST:PORT.

Reads lines "SERVER TOOL" and asks whether an MCP call of that tool may pass; writes JSON lines.
"""

import json
import sys

import grpc
from envoy.service.auth.v3 import external_auth_pb2, external_auth_pb2_grpc


def main():
    stub = external_auth_pb2_grpc.AuthorizationStub(grpc.insecure_channel(sys.argv[1]))
    print("ready", flush=True)
    for line in sys.stdin:
        server, tool = line.split()
        request = external_auth_pb2.CheckRequest()
        request.attributes.context_extensions["server"] = server
        http = request.attributes.request.http
        http.method, http.path = "POST", "/mcp"
        http.headers["tagout-agent"] = "behind-envoy"
        http.body = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": tool, "arguments": {}}})
        http.size = len(http.body)
        answer = stub.Check(request, timeout=10)
        print(json.dumps({
            "code": answer.status.code, "status": answer.denied_response.status.code, "body": answer.denied_response.body,
            "headers": [option.header.key for option in (*answer.denied_response.headers, *answer.ok_response.headers)],
        }), flush=True)


main()
