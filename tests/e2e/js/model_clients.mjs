// Agents' loops over real SDKs against one gateway: ask the model with two tools, run what it calls, give
// the results back, until it answers in words. Arguments: OPENAI_BASE ANTHROPIC_BASE. Each line read names a
// loop; each line written is what it came to: {"called": [...], "text": "..."} or {"thrown": "..."}.
import readline from "node:readline";
import OpenAI from "openai";
import Anthropic from "@anthropic-ai/sdk";

const [openaiBase, anthropicBase] = process.argv.slice(2);
const rounds_max = 4;
const schema = { type: "object", properties: { id: { type: "string" } } };
const names = ["get_order", "refund"];
const question = "Please look at order o-7 and refund it.";
const openai = () => new OpenAI({ apiKey: "none", baseURL: openaiBase, defaultHeaders: { "tagout-agent": "js" } });
const anthropic = () => new Anthropic({ apiKey: "none", baseURL: anthropicBase, defaultHeaders: { "tagout-agent": "js" } });

async function chat(streams) {
  const tools = names.map((name) => ({ type: "function", function: { name, parameters: schema } }));
  const history = [{ role: "user", content: question }];
  const called = [];
  const said = [];
  for (let round = 0; round < rounds_max; ++round) {
    const asked = { model: "m", messages: history, tools };
    const client = openai();
    const completion = streams
      ? await client.chat.completions.stream({ ...asked, stream_options: { include_usage: true } }).finalChatCompletion()
      : await client.chat.completions.create(asked);
    const { message, finish_reason } = completion.choices[0];
    history.push(message);
    said.push(message.content ?? "");
    if (finish_reason !== "tool_calls") break;
    for (const call of message.tool_calls) {
      called.push(`${call.function.name} ${call.function.arguments}`);
      history.push({ role: "tool", tool_call_id: call.id, content: "ok" });
    }
  }
  return { called, text: said.join(" ") };
}

async function responses(streams) {
  const tools = names.map((name) => ({ type: "function", name, parameters: schema, strict: false }));
  let input = [{ role: "user", content: question }];
  const called = [];
  const said = [];
  for (let round = 0; round < rounds_max; ++round) {
    const asked = { model: "m", input, tools };
    const response = streams ? await openai().responses.stream(asked).finalResponse() : await openai().responses.create(asked);
    said.push(response.output_text);
    const calls = response.output.filter((item) => item.type === "function_call");
    if (calls.length === 0) break;
    input = [...input, ...response.output];
    for (const call of calls) {
      called.push(`${call.name} ${call.arguments}`);
      input.push({ type: "function_call_output", call_id: call.call_id, output: "ok" });
    }
  }
  return { called, text: said.join(" ") };
}

async function messages(streams) {
  const tools = names.map((name) => ({ name, input_schema: schema }));
  const history = [{ role: "user", content: question }];
  const called = [];
  const said = [];
  for (let round = 0; round < rounds_max; ++round) {
    const asked = { model: "m", max_tokens: 99, messages: history, tools };
    const message = streams ? await anthropic().messages.stream(asked).finalMessage() : await anthropic().messages.create(asked);
    history.push({ role: "assistant", content: message.content });
    said.push(...message.content.filter((block) => block.type === "text").map((block) => block.text));
    if (message.stop_reason !== "tool_use") break;
    const results = message.content.filter((block) => block.type === "tool_use").map((block) => {
      called.push(`${block.name} ${JSON.stringify(block.input)}`);
      return { type: "tool_result", tool_use_id: block.id, content: "ok" };
    });
    history.push({ role: "user", content: results });
  }
  return { called, text: said.join(" ") };
}

async function ai(streams) {
  const { generateText, streamText, tool, stepCountIs } = await import("ai");
  const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
  const { z } = await import("zod");
  const called = [];
  const made = (name) => tool({
    description: name, inputSchema: z.object({ id: z.string(), amount: z.number().optional() }),
    execute: async (input) => { called.push(`${name} ${JSON.stringify(input)}`); return "ok"; },
  });
  const asked = {
    model: createOpenAICompatible({ name: "fake", baseURL: openaiBase })("m"), prompt: question,
    stopWhen: stepCountIs(rounds_max), tools: Object.fromEntries(names.map((name) => [name, made(name)])),
  };
  if (!streams) {
    const result = await generateText(asked);
    return { called, text: result.steps.map((step) => step.text).join(" ") };
  }
  const result = streamText(asked);
  await result.consumeStream();
  return { called, text: (await result.steps).map((step) => step.text).join(" ") };
}

const loops = { chat, responses, messages, ai };
console.log("ready");
for await (const line of readline.createInterface({ input: process.stdin })) {
  const [name, how] = line.split(" ");
  try {
    console.log(JSON.stringify(await loops[name](how === "streamed")));
  } catch (error) {
    console.log(JSON.stringify({ thrown: String(error?.stack ?? error) }));
  }
}
process.exit(0);
