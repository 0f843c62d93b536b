// What the gateway costs: CPU of its process for one call that is passed, one that is refused, and
// the parts that read bodies and lists. The upstream answers from memory on a thread of this
// process, so its share and the client's are in the wall time and not in the gateway's.
#include "gateway/rpc_body.h"
#include "gateway/test_world.h"
#include "gateway/tool_list.h"

#include <benchmark/benchmark.h>

namespace tagout::gateway {
namespace {

const std::string call =
    tool_call("refund", R"({"order":"O-1001","amount":12.5,"reason":"damaged on arrival"})");
const std::string result =
    R"({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"refunded 12.50 to the card"}],"isError":false}})";

void BM_ReadCall(benchmark::State& state) {
    const PaddedBytes body = PaddedBytes::copy_of(call);
    const auto first = read_rpc_body(body);
    if (!first || first->messages.front().target != "refund") {
        state.SkipWithError("wrong answer: the call was not read");
        return;
    }
    for (auto _ : state) {
        benchmark::DoNotOptimize(read_rpc_body(body));
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(call.size() * state.iterations()));
}
BENCHMARK(BM_ReadCall);

void BM_CutListOf50Tools(benchmark::State& state) {
    std::string json = R"({"jsonrpc":"2.0","id":1,"result":{"tools":[)";
    for (int i = 0; i < 50; ++i) {
        json +=
            std::string(i > 0 ? "," : "") + R"({"name":"tool_)" + std::to_string(i) +
            R"(","description":"Does one thing and says what it did, at some length","inputSchema":{"type":"object","properties":{"order":{"type":"string"}}}})";
    }
    json += "]}}";
    const auto hides = [](std::string_view tool) { return tool == "tool_25"; };
    const auto first = edit_tool_list(json, hides);
    if (!first || first->hidden != 1) {
        state.SkipWithError("wrong answer: one tool is hidden");
        return;
    }
    for (auto _ : state) {
        benchmark::DoNotOptimize(edit_tool_list(json, hides));
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(json.size() * state.iterations()));
}
BENCHMARK(BM_CutListOf50Tools);

/// One client, one kept connection, one call after the other; process CPU is of all three parties.
void ask_again_and_again(
    benchmark::State& state, std::uint16_t port, const std::string& request, std::string_view expect
) {
    net::RawSocket client(port);
    client.send(request);
    if (!client.read_until(expect, 2000)) {
        state.SkipWithError("wrong answer: not what was expected");
        return;
    }
    for (auto _ : state) {
        client.received.clear();
        client.send(request);
        while (client.received.find(expect) == std::string::npos && client.read_some(1000)) {
        }
    }
}

World::Script answering() {
    return [](net::ScriptedPeer& peer) {
        const std::string answer = http_answer("application/json", result);
        while (!peer.read_request().empty()) {
            peer.send(answer);
        }
    };
}

void BM_CallDirect(benchmark::State& state) {
    World world(answering(), nullptr, true, 1);
    ask_again_and_again(state, world.tools_port(), World::raw_post("/mcp", call), "to the card");
}
BENCHMARK(BM_CallDirect)->MeasureProcessCPUTime()->UseRealTime();

void BM_CallThroughGateway(benchmark::State& state) {
    World world(answering(), nullptr, true, 1);
    ask_again_and_again(
        state, world.gateway->port(), World::raw_post("/mcp/shop", call), "to the card"
    );
}
BENCHMARK(BM_CallThroughGateway)->MeasureProcessCPUTime()->UseRealTime();

void BM_CallRefused(benchmark::State& state) {
    World world(answering(), nullptr, true, 1);
    world.control({World::stop("tool:refund")});
    ask_again_and_again(
        state, world.gateway->port(), World::raw_post("/mcp/shop", call), "\"isError\":true"
    );
}
BENCHMARK(BM_CallRefused)->MeasureProcessCPUTime()->UseRealTime();

}  // namespace
}  // namespace tagout::gateway
