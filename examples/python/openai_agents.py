"""An agent of the OpenAI Agents SDK whose tools ask Tagout before they run.

A guardrail can let a call pass or answer in its place, but not change its arguments: a call that
Tagout would redact is refused here. Through the gateway it would pass redacted.
"""

import asyncio
import json
import sys

from agents import (
    Agent, OpenAIChatCompletionsModel, Runner, ToolGuardrailFunctionOutput, function_tool, set_tracing_disabled,
    tool_input_guardrail,
)
from openai import AsyncOpenAI

from ask_tagout import decide

AGENT = "refund-agent"


@tool_input_guardrail
async def tagout(data):
    call = data.context
    decision = await asyncio.to_thread(
        decide, call.tool_name, json.loads(call.tool_arguments or "{}"), agent=data.agent.name)
    if decision.allowed and decision.arguments is None:
        return ToolGuardrailFunctionOutput.allow()
    return ToolGuardrailFunctionOutput.reject_content(
        decision.reason or "This call holds what must not go out. It was not run; leave that away.")


@function_tool(tool_input_guardrails=[tagout])
def get_order(order: str) -> str:
    """Looks up an order."""
    return f"order {order}: paid 40 EUR"


@function_tool(tool_input_guardrails=[tagout])
def refund(order: str) -> str:
    """Pays an order back."""
    print(f"RAN refund {order}", flush=True)
    return "refunded"


async def main(request):
    set_tracing_disabled(True)
    model = OpenAIChatCompletionsModel(model="gpt-5-mini", openai_client=AsyncOpenAI())
    agent = Agent(name=AGENT, instructions="You help customers.", tools=[get_order, refund], model=model)
    print((await Runner.run(agent, request)).final_output)


if __name__ == "__main__":
    asyncio.run(main(" ".join(sys.argv[1:]) or "Refund order 7"))
