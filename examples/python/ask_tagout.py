"""What a tool call asks before it runs: POST /v1/decide of the gateway. Only the standard library.

Fails closed: a gateway that does not answer in time, or not with a decision, is a refusal that says so.
"""

import dataclasses
import json
import os
import urllib.error
import urllib.request

GATEWAY = os.environ.get("TAGOUT_GATEWAY", "http://127.0.0.1:8322").rstrip("/")
TIMEOUT = float(os.environ.get("TAGOUT_TIMEOUT", "3"))


@dataclasses.dataclass
class Decision:
    allowed: bool
    reason: str = ""  # For the model: why not, and what to do instead.
    arguments: dict | None = None  # To be called with instead, where something had to be redacted.


def decide(tool, arguments, *, agent, session="", server=""):
    facts = {"tool": tool, "arguments": arguments, "agent": agent, "session": session, "server": server}
    request = urllib.request.Request(
        GATEWAY + "/v1/decide", method="POST", headers={"Content-Type": "application/json"},
        data=json.dumps({key: value for key, value in facts.items() if value != ""}).encode())
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            decision = json.load(answer)
        verdict = decision["verdict"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Decision(False, f"Tagout at {GATEWAY} did not decide ({error}), so this call was not run.")
    if verdict == "allow":
        return Decision(True)
    if verdict == "modify" and isinstance(decision.get("arguments"), dict):
        return Decision(True, arguments=decision["arguments"])
    # deny; escalate needs a person, whom only a road that can wait asks; anything newer is no yes.
    return Decision(False, decision.get("reason") or f"Tagout answered {verdict}: this call was not run.")
