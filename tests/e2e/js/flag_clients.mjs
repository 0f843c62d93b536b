// OpenFeature providers against one gateway's flags: server (asks at each evaluation) and web (keeps them and
// is pushed). Argument: the gateway's base URL. Reads "server KEY", "web KEY", "wait" (for a push); writes JSON.
import readline from "node:readline";
import { EventSource } from "eventsource";

globalThis.EventSource ??= EventSource;
const [base] = process.argv.slice(2);
const say = (value) => console.log(JSON.stringify(value));

const { OpenFeature: Server } = await import("@openfeature/server-sdk");
const { OFREPProvider } = await import("@openfeature/ofrep-provider");
await Server.setProviderAndWait(new OFREPProvider({ baseUrl: base }));
const server = Server.getClient();

const { OpenFeature: Web, ProviderEvents } = await import("@openfeature/web-sdk");
const { OFREPWebProvider } = await import("@openfeature/ofrep-web-provider");
await Web.setContext({ targetingKey: "eve" });
await Web.setProviderAndWait(new OFREPWebProvider({ baseUrl: base }));
const web = Web.getClient();
let changes = [];
web.addHandler(ProviderEvents.ConfigurationChanged, () => changes.push(performance.now()));

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
    } else if (verb === "wait") {
      const end = performance.now() + 10_000;
      while (changes.length === 0 && performance.now() < end) await new Promise((done) => setTimeout(done, 5));
      say({ changed: changes.length > 0 });
      changes = [];
    }
  } catch (error) {
    say({ thrown: String(error) });
  }
}
process.exit(0);
