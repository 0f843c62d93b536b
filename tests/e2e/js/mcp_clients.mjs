// Clients of both SDK generations against one URL: list, call, wait for a word on standard input, go on.
// Arguments: v1|v2 URL, or v1|v2 stdio COMMAND... Each line read is a command; each line written its outcome as JSON.
import readline from "node:readline";

const [generation, url, ...command] = process.argv.slice(2);
const stdio = url === "stdio" && { command: command[0], args: command.slice(1), env: process.env, stderr: "inherit" };
const say = (value) => console.log(JSON.stringify(value));
// TAGOUT_E2E_USER: what the client's user says when it is asked (accept, decline); without it nobody can be asked.
const user = process.env.TAGOUT_E2E_USER;
const capabilities = user ? { elicitation: { form: {} } } : {};
const userSays = (request) => {
  say({ event: "user_asked", message: request.params.message });
  return user === "accept" ? { action: "accept", content: { approve: true } } : { action: user };
};

async function connect() {
  if (generation === "v1") {
    const { Client } = await import("@modelcontextprotocol/sdk/client/index.js");
    const { StreamableHTTPClientTransport } = await import("@modelcontextprotocol/sdk/client/streamableHttp.js");
    const { ElicitRequestSchema, ToolListChangedNotificationSchema } = await import("@modelcontextprotocol/sdk/types.js");
    const client = new Client({ name: "tagout-e2e-v1", version: "1.0.0" }, { capabilities });
    if (user) client.setRequestHandler(ElicitRequestSchema, async (request) => userSays(request));
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => say({ event: "tools_changed" }));
    if (stdio) {
      const { StdioClientTransport } = await import("@modelcontextprotocol/sdk/client/stdio.js");
      await client.connect(new StdioClientTransport(stdio));
      return { client, version: "stdio" };
    }
    await client.connect(new StreamableHTTPClientTransport(new URL(url)));
    return { client, version: client.transport.protocolVersion };
  }
  const { Client, StreamableHTTPClientTransport } = await import("@modelcontextprotocol/client");
  const client = new Client({ name: "tagout-e2e-v2", version: "1.0.0" }, {
    capabilities,
    versionNegotiation: { mode: "auto" },
    listChanged: { tools: { onChanged: () => say({ event: "tools_changed" }) } },
  });
  if (user) client.setRequestHandler("elicitation/create", async (request) => userSays(request));
  const { StdioClientTransport } = await import("@modelcontextprotocol/client/stdio");
  await client.connect(stdio ? new StdioClientTransport(stdio) : new StreamableHTTPClientTransport(new URL(url)));
  return { client, version: client.getNegotiatedProtocolVersion?.() };
}

const { client, version } = await connect();
say({ event: "connected", version });
for await (const line of readline.createInterface({ input: process.stdin })) {
  const [verb, name] = line.split(" ");
  const began = performance.now();
  try {
    if (verb === "list") {
      say({ tools: (await client.listTools()).tools.map((tool) => tool.name) });
    } else if (verb === "call") {
      const result = await client.callTool({ name, arguments: {} });
      say({ isError: result.isError ?? false, text: result.content[0]?.text, decision: result._meta?.["dev.tagout/decision"], ms: performance.now() - began });
    } else {
      break;
    }
  } catch (error) {
    say({ thrown: String(error) });
  }
}
await client.close();
process.exit(0);
