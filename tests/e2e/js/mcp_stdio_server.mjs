// An MCP server over stdio of either SDK generation, for what stands before it: v1|v2.
// On standard error it says what reached it: "ran TOOL", "cancelled TOOL", "ended".
const generation = process.argv[2];
const log = (line) => process.stderr.write(`${line}\n`);
const text = (value) => ({ content: [{ type: "text", text: value }] });

/** Long enough that only a stop ends it within the test's patience. */
function slowly(signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(text("written")), 15_000);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      log("cancelled slow_write");
      resolve(text("cancelled"));
    });
  });
}

function addTools(server, signalOf) {
  server.registerTool("quick_read", { description: "Reads" }, async () => {
    log("ran quick_read");
    return text("read");
  });
  server.registerTool("mail_of", { description: "Whose mail" }, async () => text("write to ann@example.com"));
  server.registerTool("slow_write", { description: "Writes slowly" }, async (context) => {
    log("ran slow_write");
    return slowly(signalOf(context));
  });
}

const info = { name: "tagout-e2e-stdio", version: "1.0.0" };
process.stdin.on("end", () => {
  log("ended");
  process.exit(7);
});
if (generation === "v1") {
  const { McpServer } = await import("@modelcontextprotocol/sdk/server/mcp.js");
  const { StdioServerTransport } = await import("@modelcontextprotocol/sdk/server/stdio.js");
  const server = new McpServer(info);
  addTools(server, (context) => context.signal);
  await server.connect(new StdioServerTransport());
} else {
  const { McpServer } = await import("@modelcontextprotocol/server");
  const { serveStdio } = await import("@modelcontextprotocol/server/stdio");
  serveStdio(() => {
    const server = new McpServer(info);
    addTools(server, (context) => context.mcpReq.signal);
    return server;
  });
}
