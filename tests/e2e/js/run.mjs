// node run.mjs SCENARIO OTLP_HTTP OTLP_GRPC CONVERSATION: one instrumented SDK, one small agent run.
// Prints {"served": N, "failed": N}: what the model really answered.
import { createRequire } from 'node:module';
import { startModel } from './model.mjs';

const require = createRequire(import.meta.url);
const [scenario, otlp, grpc, conversation] = process.argv.slice(2);
const { NodeSDK } = require('@opentelemetry/sdk-node');
const api = require('@opentelemetry/api');
const model = await startModel();

const TOOLS = [{ type: 'function', function: { name: 'get_weather', description: 'Weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } } }];
const ASK = [{ role: 'user', content: 'What is the weather in Oslo?' }];

function exporter(kind) {
  if (kind === 'grpc') return new (require('@opentelemetry/exporter-trace-otlp-grpc').OTLPTraceExporter)({ url: `http://${grpc}` });
  if (kind === 'json') return new (require('@opentelemetry/exporter-trace-otlp-http').OTLPTraceExporter)({ url: `${otlp}/v1/traces` });
  return new (require('@opentelemetry/exporter-trace-otlp-proto').OTLPTraceExporter)({ url: `${otlp}/v1/traces`, compression: 'gzip' });
}

async function ignoringFailure(call) {
  try { await call(); } catch (error) { if (error.status !== 429) throw error; }
}

/** Two good calls (a tool call and its answer) and one that fails with 429. */
async function talk(client) {
  const first = await client.chat.completions.create({ model: 'gpt-x', messages: ASK, tools: TOOLS });
  const call = first.choices[0].message.tool_calls[0];
  await client.chat.completions.create({
    model: 'gpt-x', tools: TOOLS,
    messages: [...ASK, first.choices[0].message, { role: 'tool', tool_call_id: call.id, content: 'rain' }],
  });
  await ignoringFailure(() => client.chat.completions.create({ model: 'fail-429', messages: ASK }));
}

const openai = (module) => new module.OpenAI({ baseURL: `${model.url}/v1`, apiKey: 'none', maxRetries: 0 });

const scenarios = {
  // OpenTelemetry's own instrumentation, one exporter after another.
  async otel(kind) {
    const { OpenAIInstrumentation } = require('@opentelemetry/instrumentation-openai');
    const sdk = new NodeSDK({ traceExporter: exporter(kind), instrumentations: [new OpenAIInstrumentation({ captureMessageContent: true })] });
    sdk.start();
    const client = openai(require('openai'));
    await api.trace.getTracer('hand').startActiveSpan('invoke_agent weather', {
      attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'weather', 'gen_ai.conversation.id': conversation },
    }, async (span) => { await talk(client); span.end(); });
    return () => sdk.shutdown();
  },
  async openinference() {
    const { OpenAIInstrumentation } = require('@arizeai/openinference-instrumentation-openai');
    const { setSession } = require('@arizeai/openinference-core');
    const sdk = new NodeSDK({ traceExporter: exporter('proto') });
    sdk.start();
    const OpenAI = require('openai');
    new OpenAIInstrumentation().manuallyInstrument(OpenAI);
    const client = openai(OpenAI);
    await api.context.with(setSession(api.context.active(), { sessionId: conversation }), () => talk(client));
    return () => sdk.shutdown();
  },
  async anthropic() {
    process.env.ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE = 'content';
    const sdk = new NodeSDK({ traceExporter: exporter('proto') });
    sdk.start();
    const Anthropic = require('@anthropic-ai/sdk').default;
    const client = new Anthropic({ baseURL: model.url, apiKey: 'none', maxRetries: 0 });
    const ask = (name) => client.messages.create({ model: name, max_tokens: 50, messages: [{ role: 'user', content: 'Weather?' }] });
    await api.trace.getTracer('hand').startActiveSpan('invoke_agent weather', {
      attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'weather', 'gen_ai.conversation.id': conversation },
    }, async (span) => { await ask('claude-x'); await ignoringFailure(() => ask('fail-429')); span.end(); });
    return () => sdk.shutdown();
  },
  async langfuse() {
    const { LangfuseSpanProcessor } = require('@langfuse/otel');
    const { observeOpenAI } = require('@langfuse/openai');
    const { startActiveObservation, propagateAttributes } = require('@langfuse/tracing');
    const processor = new LangfuseSpanProcessor({ publicKey: 'pk', secretKey: 'sk', baseUrl: otlp, exportMode: 'immediate' });
    const sdk = new NodeSDK({ spanProcessors: [processor] });
    sdk.start();
    const client = observeOpenAI(openai(require('openai')));
    await propagateAttributes({ sessionId: conversation }, () => startActiveObservation('weather', async () => { await talk(client); }, { asType: 'agent' }));
    // As Langfuse's manual asks of processes that end. In immediate mode a span waits for the resource
    // detectors before it is handed to the exporter, and shutdown() waits for what the exporter has only:
    // on a loaded machine every span would be lost in the client.
    return async () => { await processor.forceFlush(); await sdk.shutdown(); };
  },
  async traceloop() {
    const traceloop = require('@traceloop/node-server-sdk');
    const OpenAI = require('openai');
    traceloop.initialize({ appName: 'weather', baseUrl: otlp, apiKey: 'none', disableBatch: true, silenceInitializationMessage: true, instrumentModules: { openAI: OpenAI.OpenAI } });
    const client = openai(OpenAI);
    await traceloop.withAssociationProperties({ session_id: conversation }, () =>
      traceloop.withWorkflow({ name: 'weather' }, () => talk(client)));
    return () => traceloop.forceFlush();
  },
  async vercel() {
    const ai = await import('ai');
    const { OpenTelemetry } = await import('@ai-sdk/otel');
    const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
    const { z } = await import('zod');
    const sdk = new NodeSDK({ traceExporter: exporter('proto') });
    sdk.start();
    ai.registerTelemetry(new OpenTelemetry());
    const provider = createOpenAICompatible({ name: 'fake', baseURL: `${model.url}/v1` });
    await api.trace.getTracer('hand').startActiveSpan('serve', { attributes: { 'session.id': conversation } }, async (span) => {
      await ai.generateText({
        model: provider('gpt-x'), prompt: 'What is the weather in Oslo?', stopWhen: ai.stepCountIs(3),
        tools: { get_weather: ai.tool({ description: 'Weather', inputSchema: z.object({ city: z.string() }), execute: async () => 'rain' }) },
      });
      span.end();
    });
    return () => sdk.shutdown();
  },
};

const [name, kind] = scenario.split(':');
const finish = await scenarios[name](kind);
await finish();
model.close();
console.log(JSON.stringify(model.state));
process.exit(0);
