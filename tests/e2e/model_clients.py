"""An agent's loop over the Python SDK of OpenAI: as js/model_clients.mjs, line for line.

Argument: the base URL. Reads "chat whole|streamed" and "responses whole|streamed"; writes JSON lines.
"""

import json
import sys

import openai

ROUNDS_MAX = 4
NAMES = ("get_order", "refund")
SCHEMA = {"type": "object", "properties": {"id": {"type": "string"}}}
QUESTION = "Please look at order o-7 and refund it."


def chat(client, streams):
    tools = [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in NAMES]
    history, called, said = [{"role": "user", "content": QUESTION}], [], []
    for _ in range(ROUNDS_MAX):
        if streams:
            with client.chat.completions.stream(model="m", messages=history, tools=tools) as stream:
                choice = stream.get_final_completion().choices[0]
        else:
            choice = client.chat.completions.create(model="m", messages=history, tools=tools).choices[0]
        history.append(choice.message.model_dump(exclude_none=True, include={"role", "content", "tool_calls"}))
        said.append(choice.message.content or "")
        if choice.finish_reason != "tool_calls":
            break
        for call in choice.message.tool_calls:
            called.append(f"{call.function.name} {call.function.arguments}")
            history.append({"role": "tool", "tool_call_id": call.id, "content": "ok"})
    return {"called": called, "text": " ".join(said)}


def responses(client, streams):
    tools = [{"type": "function", "name": name, "parameters": SCHEMA, "strict": False} for name in NAMES]
    given, called, said = [{"role": "user", "content": QUESTION}], [], []
    for _ in range(ROUNDS_MAX):
        if streams:
            with client.responses.stream(model="m", input=given, tools=tools) as stream:
                stream.until_done()
                response = stream.get_final_response()
        else:
            response = client.responses.create(model="m", input=given, tools=tools)
        said.append(response.output_text)
        calls = [item for item in response.output if item.type == "function_call"]
        if not calls:
            break
        for call in calls:
            called.append(f"{call.name} {call.arguments}")
            given.append({"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": call.arguments})
            given.append({"type": "function_call_output", "call_id": call.call_id, "output": "ok"})
    return {"called": called, "text": " ".join(said)}


def main():
    client = openai.OpenAI(api_key="none", base_url=sys.argv[1], default_headers={"tagout-agent": "python"})
    print("ready", flush=True)
    for line in sys.stdin:
        name, how = line.split()
        try:
            came_to = {"chat": chat, "responses": responses}[name](client, how == "streamed")
        except Exception as error:  # what a client throws is the finding
            came_to = {"thrown": repr(error)}
        print(json.dumps(came_to), flush=True)


main()
