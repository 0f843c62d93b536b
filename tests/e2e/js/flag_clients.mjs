// OpenFeature providers against one gateway's flags: server (asks at each evaluation) and web (keeps them and
// is pushed). Argument: the gateway's base URL. Reads "server KEY" and "web KEY"; writes JSON.
import readline from "node:readline";
import { EventSource } from "eventsource";

globalThis.EventSource ??= EventSource;
const [base] = process.argv.slice(2);
const say = (value) => console.log(JSON.stringify(value));

const { OpenFeature: Server } = await import("@openfeature/server-sdk");
const { OFREPProvider } = await import("@openfeature/ofrep-provider");
await Server.setProviderAndWait(new OFREPProvider({ baseUrl: base }));
const server = Server.getClient();

const { OpenFeature: Web } = await import("@openfeature/web-sdk");
const { OFREPWebProvider } = await import("@openfeature/ofrep-web-provider");
await Web.setContext({ targetingKey: "eve" });
await Web.setProviderAndWait(new OFREPWebProvider({ baseUrl: base }));
const web = Web.getClient();

say({ ready: true });
for await (const line of readline.createInterface({ input: process.stdin })) {
  const [verb, key] = line.split(" ");
  try {
    if (verb === "server") {
      const read = key.startsWith("route:") ? server.getStringDetails(key, "none") : server.getBooleanDetails(key, false);
      say(await read.then(({ value, reason, variant }) => ({ value, reason, variant })));
    } else if (verb === "web") {
      const { value, reason, variant } = web.getBooleanDetails(key, false);
      say({ value, reason, variant });
    }
  } catch (error) {
    say({ thrown: String(error) });
  }
}
process.exit(0);
