"""An agent of the Claude Agent SDK whose tools ask Tagout before they run.

A hook that raises lets the tool run, so this one never does: decide() turns every fault into a refusal.
A decision that allows says nothing, so the agent's own permission rules go on to apply.
"""

import asyncio
import sys

from claude_agent_sdk import ClaudeAgentOptions, HookMatcher, query

from ask_tagout import decide

AGENT = "coding-agent"


async def tagout(event, tool_use_id, context):
    decision = await asyncio.to_thread(
        decide, event["tool_name"], event.get("tool_input", {}), agent=AGENT, session=event.get("session_id", ""))
    if decision.allowed and decision.arguments is None:
        return {}
    said = {"hookEventName": "PreToolUse", "permissionDecision": "deny", "permissionDecisionReason": decision.reason}
    if decision.allowed:  # "allow" would skip the agent's own rules.
        said = {"hookEventName": "PreToolUse", "permissionDecision": "ask", "updatedInput": decision.arguments,
                "permissionDecisionReason": "Tagout redacted the arguments"}
    return {"hookSpecificOutput": said}


# The limit of the hook stands above that of the question: past it the tool would run.
OPTIONS = ClaudeAgentOptions(hooks={"PreToolUse": [HookMatcher(hooks=[tagout], timeout=30)]})


async def main(request):
    async for message in query(prompt=request, options=OPTIONS):
        print(message)


if __name__ == "__main__":
    asyncio.run(main(" ".join(sys.argv[1:]) or "Refund order 7"))
