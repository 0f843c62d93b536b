// Real payloads of real SDKs, as JSON and as protobuf of the same export: one meaning.

#include "intake/intake.h"
#include "intake/wire_oracle.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace tagout::intake {
namespace {

namespace fs = std::filesystem;

std::string contents(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

struct Sample {
    std::string name;
    Signal signal = Signal::Traces;
    std::string json;
    std::string protobuf;
};

std::vector<Sample> samples() {
    std::vector<Sample> found;
    for (const auto& entry : fs::directory_iterator(TAGOUT_SHARED_DIR "/telemetry/samples")) {
        fs::path path = entry.path();
        if (path.extension() != ".pb") {
            continue;
        }
        const std::string stem = path.stem().string();
        const auto signal = parse_signal(stem.substr(stem.rfind('.') + 1));
        if (!signal) {
            continue;
        }
        Sample sample{.name = stem, .signal = *signal, .json = {}, .protobuf = contents(path)};
        sample.json = contents(path.replace_extension(".json"));
        found.push_back(std::move(sample));
    }
    return found;
}

/// Everything an event holds that one request tells, as one text.
std::string told(const AgentEvent& event) {
    std::string text = to_hex(event.trace_id) + to_hex(event.span_id) + to_hex(event.parent_span_id);
    const auto add = [&text](const auto&... parts) { (text.append("|").append(parts), ...); };
    add(name_of(event.kind), name_of(event.convention), name_of(event.outcome), event.name);
    add(event.event, event.scope, event.body, event.error_type, event.error_message);
    add(event.service_name, event.agent_name, event.workflow_name, event.conversation_id);
    add(event.tool_name, event.tool_call_id, event.tool_args, event.tool_result, event.provider);
    add(event.model_request, event.model_response, event.response_id, event.finish_reason);
    add(event.system_text, event.user_text, event.output_text, event.guardrail_name);
    add(event.eval_name, event.flag, event.prompt_version, event.user_id, event.session_id);
    add(to_rfc3339(event.started_at), to_rfc3339(event.ended_at), std::to_string(event.cost_usd));
    add(std::to_string(event.tokens.input), std::to_string(event.tokens.output));
    add(std::to_string(event.tokens.cache_read), std::to_string(event.http_status));
    add(std::to_string(event.item), std::to_string(event.severity_number));
    return text;
}

TEST(SharedSamples, JsonAndProtobufOfOneExportDecodeToEqualEvents) {
    const std::vector<Sample> all = samples();
    ASSERT_GT(all.size(), 20U);
    std::size_t events = 0;
    for (const Sample& sample : all) {
        SCOPED_TRACE(sample.name);
        const auto from_json = decode(
            PaddedBytes::copy_of(sample.json), sample.signal, Encoding::Json, DecodeLimits{}
        );
        const auto from_protobuf = decode(
            PaddedBytes::copy_of(sample.protobuf), sample.signal, Encoding::Protobuf,
            DecodeLimits{}
        );
        ASSERT_TRUE(from_json.has_value()) << from_json.error().message;
        if (sample.name == "hand-semconv-latest.logs") {
            // Three bytes are missing from the file's end; protoc --decode_raw refuses it too.
            EXPECT_FALSE(from_protobuf.has_value());
            continue;
        }
        ASSERT_TRUE(from_protobuf.has_value()) << from_protobuf.error().message;
        const EventBatch& one = **from_json;
        const EventBatch& other = **from_protobuf;
        EXPECT_EQ(one.rejected, 0U) << one.rejected_reason;
        EXPECT_EQ(other.rejected, 0U) << other.rejected_reason;
        EXPECT_EQ(one.metric_points, other.metric_points);
        EXPECT_EQ(one.metric_points > 0, sample.signal == Signal::Metrics);
        ASSERT_EQ(one.items.size(), other.items.size());
        ASSERT_EQ(one.events.size(), other.events.size());
        for (std::size_t index = 0; index < one.events.size(); ++index) {
            EXPECT_EQ(told(one.events[index]), told(other.events[index]));
        }
        events += one.events.size();
    }
    EXPECT_GT(events, 200U);
}

TEST(SharedSamples, LibprotobufReadsTheSame) {
    for (const Sample& sample : samples()) {
        EXPECT_EQ(oracle::disagreement(sample.protobuf, sample.signal), "") << sample.name;
    }
}

}  // namespace
}  // namespace tagout::intake
