"""An agent of LangChain whose tools ask Tagout before they run."""

import sys

from langchain.agents import create_agent
from langchain.agents.middleware import wrap_tool_call
from langchain_core.messages import ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from ask_tagout import decide

AGENT = "refund-agent"


@wrap_tool_call
def tagout(request, handler):
    call = request.tool_call
    decision = decide(call["name"], call["args"], agent=AGENT)
    if not decision.allowed:
        return ToolMessage(content=decision.reason, tool_call_id=call["id"], name=call["name"], status="error")
    if decision.arguments is not None:
        request = request.override(tool_call={**call, "args": decision.arguments})
    return handler(request)


@tool
def get_order(order: str) -> str:
    """Looks up an order."""
    return f"order {order}: paid 40 EUR"


@tool
def refund(order: str) -> str:
    """Pays an order back."""
    print(f"RAN refund {order}", flush=True)
    return "refunded"


def main(request):
    agent = create_agent(
        ChatOpenAI(model="gpt-5-mini"), tools=[get_order, refund], middleware=[tagout],
        system_prompt="You help customers.")
    print(agent.invoke({"messages": [{"role": "user", "content": request}]})["messages"][-1].content)


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "Refund order 7")
