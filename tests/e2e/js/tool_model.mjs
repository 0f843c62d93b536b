// A scripted model that always proposes two calls, get_order and refund, in one answer, and ends in words
// once it has seen results: OpenAI chat completions and responses, Anthropic messages, whole and streamed.
// Writes its port; then, for each request that it got, which tools it was offered.
import http from "node:http";

const CALLS = [["get_order", '{"id":"o-7"}'], ["refund", '{"id":"o-7","amount":5}']];

const sse = (response, events) => {
  response.setHeader("content-type", "text/event-stream");
  for (const [name, data] of events) {
    response.write((name ? `event: ${name}\n` : "") + `data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`);
  }
  response.end();
};
const pieces = (text) => [text.slice(0, 3), text.slice(3)];

function chat(asked, response, answered) {
  const base = { id: "c1", object: "chat.completion", created: 1, model: asked.model };
  const calls = CALLS.map(([name, text], index) => ({ index, id: `call_${index}`, type: "function", function: { name, arguments: text } }));
  const usage = { prompt_tokens: 5, completion_tokens: 5, total_tokens: 10 };
  if (!asked.stream) {
    const message = answered ? { role: "assistant", content: "Done." } : { role: "assistant", content: null, tool_calls: calls.map(({ index, ...call }) => call) };
    response.end(JSON.stringify({ ...base, usage, choices: [{ index: 0, message, finish_reason: answered ? "stop" : "tool_calls" }] }));
    return;
  }
  const chunk = (delta, finish_reason = null) => ["", { ...base, object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason }] }];
  sse(response, [
    chunk({ role: "assistant", content: answered ? "Done." : "" }),
    ...(answered ? [] : calls.flatMap((call) => [
      chunk({ tool_calls: [{ ...call, function: { ...call.function, arguments: "" } }] }),
      ...pieces(call.function.arguments).map((text) => chunk({ tool_calls: [{ index: call.index, function: { arguments: text } }] })),
    ])),
    chunk({}, answered ? "stop" : "tool_calls"),
    ["", { ...base, object: "chat.completion.chunk", choices: [], usage }],
    ["", "[DONE]"],
  ]);
}

function responses(asked, response, answered) {
  const usage = { input_tokens: 5, output_tokens: 5, total_tokens: 10, input_tokens_details: { cached_tokens: 0 }, output_tokens_details: { reasoning_tokens: 0 } };
  const words = { id: "msg_0", type: "message", status: "completed", role: "assistant", content: [{ type: "output_text", text: "Done.", annotations: [] }] };
  const calls = CALLS.map(([name, text], index) => ({ id: `fc_${index}`, type: "function_call", status: "completed", call_id: `call_${index}`, name, arguments: text }));
  const whole = { id: "resp_1", object: "response", created_at: 1, status: "completed", model: asked.model, error: null, incomplete_details: null, parallel_tool_calls: true,
    tools: [], tool_choice: "auto", output: answered ? [words] : calls, usage };
  if (!asked.stream) {
    response.end(JSON.stringify(whole));
    return;
  }
  let number = 0;
  const event = (type, members) => [type, { type, sequence_number: number++, ...members }];
  const part = { type: "output_text", text: "Done.", annotations: [] };
  sse(response, [
    event("response.created", { response: { ...whole, status: "in_progress", output: [] } }),
    ...(answered
      ? [
          event("response.output_item.added", { output_index: 0, item: { ...words, status: "in_progress", content: [] } }),
          event("response.content_part.added", { output_index: 0, content_index: 0, item_id: "msg_0", part: { ...part, text: "" } }),
          event("response.output_text.delta", { output_index: 0, content_index: 0, item_id: "msg_0", delta: "Done." }),
          event("response.output_text.done", { output_index: 0, content_index: 0, item_id: "msg_0", text: "Done." }),
          event("response.content_part.done", { output_index: 0, content_index: 0, item_id: "msg_0", part }),
          event("response.output_item.done", { output_index: 0, item: words }),
        ]
      : calls.flatMap((item, output_index) => [
          event("response.output_item.added", { output_index, item: { ...item, status: "in_progress", arguments: "" } }),
          ...pieces(item.arguments).map((delta) => event("response.function_call_arguments.delta", { output_index, item_id: item.id, delta })),
          event("response.function_call_arguments.done", { output_index, item_id: item.id, name: item.name, arguments: item.arguments }),
          event("response.output_item.done", { output_index, item }),
        ])),
    event("response.completed", { response: whole }),
  ]);
}

function messages(asked, response, answered) {
  const usage = { input_tokens: 5, output_tokens: 5 };
  const content = answered ? [{ type: "text", text: "Done." }] : CALLS.map(([name, text], index) => ({ type: "tool_use", id: `toolu_${index}`, name, input: JSON.parse(text) }));
  const whole = { id: "msg_1", type: "message", role: "assistant", model: asked.model, content, stop_reason: answered ? "end_turn" : "tool_use", stop_sequence: null, usage };
  if (!asked.stream) {
    response.end(JSON.stringify(whole));
    return;
  }
  const event = (type, members) => [type, { type, ...members }];
  sse(response, [
    event("message_start", { message: { ...whole, content: [], stop_reason: null } }),
    ...content.flatMap((block, index) => [
      event("content_block_start", { index, content_block: block.type === "text" ? { type: "text", text: "" } : { ...block, input: {} } }),
      ...(block.type === "text"
        ? [event("content_block_delta", { index, delta: { type: "text_delta", text: block.text } })]
        : pieces(JSON.stringify(block.input)).map((partial_json) => event("content_block_delta", { index, delta: { type: "input_json_delta", partial_json } }))),
      event("content_block_stop", { index }),
    ]),
    event("message_delta", { delta: { stop_reason: whole.stop_reason, stop_sequence: null }, usage }),
    event("message_stop", {}),
  ]);
}

const server = http.createServer((request, response) => {
  let body = "";
  request.on("data", (bytes) => { body += bytes; });
  request.on("end", () => {
    const asked = JSON.parse(body || "{}");
    console.log(JSON.stringify({ offered: (asked.tools ?? []).map((tool) => tool.name ?? tool.function?.name).sort() }));
    const answered = /"tool_result"|"role":"tool"|function_call_output/.test(body);
    response.setHeader("content-type", "application/json");
    const answer = request.url.endsWith("/messages") ? messages : request.url.endsWith("/responses") ? responses : chat;
    answer(asked, response, answered);
  });
});
server.listen(0, "127.0.0.1", () => console.log(`port ${server.address().port}`));
process.stdin.on("end", () => process.exit(0)).resume();
