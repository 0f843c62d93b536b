// A model server that speaks enough OpenAI and Anthropic for the SDKs: one round with a tool call, then
// text; fixed usage; models named fail-429 and fail-500 fail.
import http from 'node:http';

export const USAGE = { input: 57, output: 17 };

function completion(request) {
  const answered = request.messages?.some((message) => message.role === 'tool');
  const asksTool = request.tools?.length && !answered;
  return {
    id: `chatcmpl-${Math.random().toString(16).slice(2)}`,
    object: 'chat.completion',
    created: 1,
    model: request.model,
    choices: [{
      index: 0,
      finish_reason: asksTool ? 'tool_calls' : 'stop',
      message: asksTool
        ? { role: 'assistant', content: null, tool_calls: [{ id: 'call_1', type: 'function', function: { name: request.tools[0].function.name, arguments: '{"city":"Oslo"}' } }] }
        : { role: 'assistant', content: 'It rains in Oslo.' },
    }],
    usage: { prompt_tokens: USAGE.input, completion_tokens: USAGE.output, total_tokens: USAGE.input + USAGE.output },
  };
}

function message(request) {
  return {
    id: 'msg_1', type: 'message', role: 'assistant', model: request.model, stop_reason: 'end_turn', stop_sequence: null,
    content: [{ type: 'text', text: 'It rains in Oslo.' }],
    usage: { input_tokens: USAGE.input, output_tokens: USAGE.output, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
  };
}

/** Starts the server; `served` counts the calls that were answered with usage. */
export function startModel() {
  const state = { served: 0, failed: 0 };
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => { body += chunk; });
    request.on('end', () => {
      const asked = JSON.parse(body || '{}');
      response.setHeader('content-type', 'application/json');
      const failure = /^fail-(\d+)/.exec(asked.model ?? '');
      if (failure) {
        state.failed += 1;
        response.statusCode = Number(failure[1]);
        response.end(JSON.stringify({ error: { message: 'Rate limit reached', type: 'rate_limit_error', code: 'rate_limit' } }));
        return;
      }
      state.served += 1;
      response.end(JSON.stringify(request.url.includes('/messages') ? message(asked) : completion(asked)));
    });
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve({
      url: `http://127.0.0.1:${server.address().port}`, state, close: () => server.close(),
    }));
  });
}
