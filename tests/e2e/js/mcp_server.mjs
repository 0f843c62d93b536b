// An MCP server of both eras with everything the conformance suite asks for by name, so that a proxy in
// front of it can be compared with none. Prints "port N" and lives until its input ends.
import { randomUUID } from "node:crypto";
import http from "node:http";

import { NodeStreamableHTTPServerTransport, localhostHostValidation, localhostOriginValidation, toNodeHandler } from "@modelcontextprotocol/node";
import {
  McpServer, ProtocolError, ProtocolErrorCode, ResourceTemplate, acceptedContent, completable, createMcpHandler, inputRequired, isInitializeRequest, isLegacyRequest,
} from "@modelcontextprotocol/server";
import { z } from "zod";

const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
const silence = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=";
const text = (value) => ({ type: "text", text: value });
const answer = (...content) => ({ content });
const resource = (uri, mimeType, value) => ({ type: "resource", resource: { uri, mimeType, text: value } });
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function addSimpleTools(server) {
  const plain = (name, run) => server.registerTool(name, { description: `Answers for ${name}` }, run);
  plain("test_simple_text", async () => answer(text("This is a simple text response for testing.")));
  plain("test_image_content", async () => answer({ type: "image", data: pixel, mimeType: "image/png" }));
  plain("test_audio_content", async () => answer({ type: "audio", data: silence, mimeType: "audio/wav" }));
  plain("test_embedded_resource", async () => answer(resource("test://embedded-resource", "text/plain", "This is an embedded resource content.")));
  plain("test_multiple_content_types", async () =>
    answer(text("Multiple content types test:"), { type: "image", data: pixel, mimeType: "image/png" }, resource("test://mixed-content-resource", "application/json", '{"test":"data","value":123}')));
  plain("test_error_handling", async () => { throw new Error("This tool intentionally returns an error for testing"); });
  plain("test_tool_with_logging", async (context) => {
    for (const step of ["started", "processing", "completed"]) {
      await context.mcpReq.log("info", `Tool execution ${step}`);
      await pause(20);
    }
    return answer(text("logged"));
  });
  plain("test_tool_with_progress", async (context) => {
    const progressToken = context.mcpReq._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined) {
        await context.mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress, total: 100 } });
      }
      await pause(20);
    }
    return answer(text("done"));
  });
  plain("slow_write", async () => { await pause(5000); return answer(text("written")); });
}

function addAskingTools(server) {
  server.registerTool("test_sampling", { description: "Asks the client's model", inputSchema: z.object({ prompt: z.string() }) }, async ({ prompt }, context) => {
    const said = await context.mcpReq.requestSampling({ messages: [{ role: "user", content: text(prompt) }], maxTokens: 100 });
    return answer(text(`LLM response: ${said.content.text ?? ""}`));
  });
  const ask = async (context, message, properties, required) => {
    const said = await context.mcpReq.elicitInput({ message, requestedSchema: { type: "object", properties, required } });
    return answer(text(`Elicitation completed: action=${said.action}, content=${JSON.stringify(said.content ?? {})}`));
  };
  server.registerTool("test_elicitation", { description: "Asks the user", inputSchema: z.object({ message: z.string() }) }, ({ message }, context) =>
    ask(context, message, { username: { type: "string", description: "User's response" }, email: { type: "string", description: "User's email address" } }, ["username", "email"]));
  server.registerTool("test_elicitation_sep1034_defaults", { description: "Asks with defaults" }, (context) =>
    ask(context, "Please review", {
      name: { type: "string", default: "John Doe" }, age: { type: "integer", default: 30 }, score: { type: "number", default: 95.5 },
      status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" }, verified: { type: "boolean", default: true },
    }, []));
  const titled = [{ const: "value1", title: "First Option" }, { const: "value2", title: "Second Option" }, { const: "value3", title: "Third Option" }];
  server.registerTool("test_elicitation_sep1330_enums", { description: "Asks for choices" }, (context) =>
    ask(context, "Please choose", {
      untitledSingle: { type: "string", enum: ["option1", "option2", "option3"] }, titledSingle: { type: "string", oneOf: titled },
      legacyEnum: { type: "string", enum: ["opt1", "opt2", "opt3"], enumNames: ["Option One", "Option Two", "Option Three"] },
      untitledMulti: { type: "array", items: { type: "string", enum: ["option1", "option2", "option3"] } }, titledMulti: { type: "array", items: { anyOf: titled } },
    }, []));
}

function addRoundTripTools(server) {
  const name = { message: "What is your name?", requestedSchema: { type: "object", properties: { name: { type: "string" } }, required: ["name"] } };
  const rounds = (tool, run) => server.registerTool(tool, { description: `Needs input: ${tool}` }, run);
  rounds("test_input_required_result_elicitation", async (context) => {
    const given = acceptedContent(context.mcpReq.inputResponses, "user_name");
    return given?.name ? answer(text(`Hello, ${given.name}!`)) : inputRequired({ inputRequests: { user_name: inputRequired.elicit(name) } });
  });
  rounds("test_input_required_result_sampling", async (context) => {
    const given = context.mcpReq.inputResponses?.capital_question;
    return given ? answer(text(`Model said: ${JSON.stringify(given)}`)) : inputRequired({ inputRequests: { capital_question: inputRequired.createMessage({ messages: [{ role: "user", content: text("What is the capital of France?") }], maxTokens: 100 }) } });
  });
  rounds("test_input_required_result_list_roots", async (context) => {
    const given = context.mcpReq.inputResponses?.client_roots;
    return given ? answer(text(`Roots: ${JSON.stringify(given)}`)) : inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
  });
  rounds("test_input_required_result_request_state", async (context) => {
    const given = acceptedContent(context.mcpReq.inputResponses, "confirm");
    return given ? answer(text("state-ok")) : inputRequired({ inputRequests: { confirm: inputRequired.elicit({ message: "Please confirm", requestedSchema: { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] } }) }, requestState: "round-1" });
  });
  rounds("test_input_required_result_multiple_inputs", async (context) => {
    const given = context.mcpReq.inputResponses;
    return given?.user_name ? answer(text("all given")) : inputRequired({
      inputRequests: { user_name: inputRequired.elicit(name), greeting: inputRequired.createMessage({ messages: [{ role: "user", content: text("Greet") }], maxTokens: 50 }), client_roots: inputRequired.listRoots() },
      requestState: "several",
    });
  });
  const question = (message, field) => inputRequired.elicit({ message, requestedSchema: { type: "object", properties: { [field]: { type: "string" } }, required: [field] } });
  rounds("test_input_required_result_multi_round", async (context) => {
    const given = context.mcpReq.inputResponses;
    if (given?.color) {
      return answer(text("both given"));
    }
    return given?.name ? inputRequired({ inputRequests: { color: question("Which color?", "color") }, requestState: "round-2" })
                       : inputRequired({ inputRequests: { name: question("What is your name?", "name") }, requestState: "round-1" });
  });
  rounds("test_input_required_result_tampered_state", async (context) => {
    if (!context.mcpReq.inputResponses) {
      return inputRequired({ inputRequests: { ok: question("Fine?", "ok") }, requestState: "sealed" });
    }
    if (context.mcpReq.requestState() !== "sealed") {
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, "requestState is not what was handed out");
    }
    return answer(text("sealed"));
  });
  rounds("test_input_required_result_capabilities", async (context) => {
    const able = context.mcpReq.envelope?.["io.modelcontextprotocol/clientCapabilities"] ?? {};
    return inputRequired({ inputRequests: able.elicitation ? { name: question("Name?", "name") }
                                                           : { model: inputRequired.createMessage({ messages: [{ role: "user", content: text("Name?") }], maxTokens: 10 }) } });
  });
  server.registerPrompt("test_input_required_result_prompt", { description: "Needs input" }, async (context) =>
    context.mcpReq.inputResponses ? { messages: [{ role: "user", content: text("given") }] }
                                  : inputRequired({ inputRequests: { user_context: question("What for?", "context") } }));
}

function addRest(server) {
  const read = (uri, mimeType, more) => async () => ({ contents: [{ uri, mimeType, ...more }] });
  server.registerResource("static-text", "test://static-text", { description: "A text", mimeType: "text/plain" }, read("test://static-text", "text/plain", { text: "This is the content of the static text resource." }));
  server.registerResource("static-binary", "test://static-binary", { description: "A picture", mimeType: "image/png" }, read("test://static-binary", "image/png", { blob: pixel }));
  server.registerResource("watched", "test://watched-resource", { description: "Watched", mimeType: "text/plain" }, read("test://watched-resource", "text/plain", { text: "Watched" }));
  server.registerResource("template", new ResourceTemplate("test://template/{id}/data", { list: undefined }), { description: "By id", mimeType: "application/json" }, async (uri, { id }) => ({
    contents: [{ uri: uri.href, mimeType: "application/json", text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }) }],
  }));
  const say = (...content) => ({ messages: content.map((each) => ({ role: "user", content: each })) });
  server.registerPrompt("test_simple_prompt", { description: "Simple" }, async () => say(text("This is a simple prompt for testing.")));
  server.registerPrompt("test_prompt_with_arguments", {
    description: "With arguments",
    argsSchema: z.object({ arg1: completable(z.string().describe("First"), (value) => ["paris", "park", "party"].filter((each) => each.startsWith(value))), arg2: z.string().describe("Second") }),
  }, async ({ arg1, arg2 }) => say(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)));
  server.registerPrompt("test_prompt_with_embedded_resource", { description: "With resource", argsSchema: z.object({ resourceUri: z.string() }) }, async ({ resourceUri }) =>
    say(resource(resourceUri, "text/plain", "Embedded resource content for testing."), text("Please process the embedded resource above.")));
  server.registerPrompt("test_prompt_with_image", { description: "With image" }, async () => say({ type: "image", data: pixel, mimeType: "image/png" }, text("Please analyze the image above.")));
  server.server.setRequestHandler("resources/subscribe", async () => ({}));
  server.server.setRequestHandler("resources/unsubscribe", async () => ({}));
}

function makeServer() {
  const server = new McpServer({ name: "tagout-e2e", version: "1.0.0" }, {
    capabilities: { tools: { listChanged: true }, resources: { subscribe: true, listChanged: true }, prompts: { listChanged: true }, logging: {}, completions: {} },
  });
  addSimpleTools(server);
  addAskingTools(server);
  addRoundTripTools(server);
  addRest(server);
  return server;
}

const modern = toNodeHandler(createMcpHandler(() => makeServer(), { legacy: "reject" }));
const sessions = new Map();

async function serveLegacy(request, response, body) {
  const id = request.headers["mcp-session-id"];
  let transport = sessions.get(id);
  if (!transport && !id && isInitializeRequest(body)) {
    transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (session) => { sessions.set(session, transport); },
    });
    await makeServer().connect(transport);
  }
  if (!transport) {
    response.writeHead(id ? 404 : 400, { "content-type": "application/json" });
    response.end('{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"no such session"}}');
    return;
  }
  await transport.handleRequest(request, response, body);
}

const isHost = localhostHostValidation();
const isOrigin = localhostOriginValidation();
const listener = http.createServer(async (request, response) => {
  if (!isHost(request, response) || !isOrigin(request, response)) {
    return;
  }
  const parts = [];
  for await (const part of request) {
    parts.push(part);
  }
  let body;
  try {
    body = parts.length > 0 ? JSON.parse(Buffer.concat(parts).toString()) : undefined;
  } catch {
    response.writeHead(400, { "content-type": "application/json" });
    response.end('{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}');
    return;
  }
  const seen = new Request(`http://localhost${request.url}`, {
    method: request.method, headers: Object.entries(request.headers).map(([name, value]) => [name, String(value)]), body: body === undefined ? undefined : JSON.stringify(body),
  });
  (await isLegacyRequest(seen)) ? await serveLegacy(request, response, body) : await modern(request, response, body);
});
listener.listen(0, "127.0.0.1", () => console.log(`port ${listener.address().port}`));
process.stdin.on("end", () => process.exit(0)).resume();
