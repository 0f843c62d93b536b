// Telemetry of small sessions for this room's tests, through the real intake into an evidence log.
#pragma once

#include "intake/intake.h"
#include "journal/evidence_log.h"

#include "otlp_bytes.pb.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tagout::verify {

/// 2027-01-15T08:00:00Z plus so many seconds.
inline Instant second(double at) {
    return Instant(std::chrono::seconds(1'800'000'000)) +
           std::chrono::duration_cast<Duration>(std::chrono::duration<double>(at));
}

struct SpanDraft {
    int trace = 1;
    int span = 1;
    int parent = 0;
    double start = 0;
    double end = 0;
    std::string name;
    std::vector<std::pair<std::string, std::string>> texts;
    bool error = false;
    bool cancelled = false;  ///< tagout.decision.cancelled
};

class Telemetry {
public:
    explicit Telemetry(journal::EvidenceLog& evidence) : log(evidence) {}

    /// One batch; spans in the order given.
    void send(const std::vector<SpanDraft>& spans) {
        tagout::otlp_bytes::ExportTraceServiceRequest request;
        auto& group = *request.add_resource_spans();
        auto& service = *group.mutable_resource()->add_attributes();
        service.set_key("service.name");
        service.mutable_value()->set_string_value("shop");
        auto& scope = *group.add_scope_spans();
        for (const SpanDraft& draft : spans) {
            fill(*scope.add_spans(), draft);
        }
        auto batch = intake::decode(
                         PaddedBytes::copy_of(request.SerializeAsString()),
                         Signal::Traces,
                         intake::Encoding::Protobuf,
                         {}
        )
                         .value();
        ASSERT_EQ(batch->rejected, 0U) << batch->rejected_reason;
        linker.link(*batch);
        ASSERT_TRUE(log.append(batch, [](Result<void>) {}).has_value());
    }

    /// Bytes that are no span, filed under `correlation`.
    void send_broken(const std::string& correlation, Instant at) {
        auto batch = std::make_shared<EventBatch>();
        RawItem& item = batch->items.emplace_back();
        item.signal = Signal::Traces;
        item.bytes = "\x0a\xff";
        item.at = at;
        item.correlation = batch->keep(correlation);
        ASSERT_TRUE(log.append(batch, [](Result<void>) {}).has_value());
    }

    journal::EvidenceLog& log;
    intake::Linker linker{intake::LinkerOptions{}};

    static std::string id(int number, std::size_t size) {
        std::string bytes(size, '\0');
        bytes[size - 1] = static_cast<char>(number);
        bytes[size - 2] = 1;
        return bytes;
    }

private:
    static void fill(tagout::otlp_bytes::Span& to, const SpanDraft& draft) {
        to.set_trace_id(id(draft.trace, 16));
        to.set_span_id(id(draft.span, 8));
        if (draft.parent > 0) {
            to.set_parent_span_id(id(draft.parent, 8));
        }
        to.set_name(draft.name);
        to.set_start_time_unix_nano(static_cast<std::uint64_t>(unix_nanos(second(draft.start))));
        to.set_end_time_unix_nano(static_cast<std::uint64_t>(unix_nanos(second(draft.end))));
        for (const auto& [key, value] : draft.texts) {
            auto& attribute = *to.add_attributes();
            attribute.set_key(key);
            attribute.mutable_value()->set_string_value(value);
        }
        if (draft.error) {
            to.mutable_status()->set_code(tagout::otlp_bytes::Status::STATUS_CODE_ERROR);
        }
        if (draft.cancelled) {
            auto& attribute = *to.add_attributes();
            attribute.set_key("tagout.decision.cancelled");
            attribute.mutable_value()->set_bool_value(true);
        }
    }
};

inline SpanDraft agent_span(int trace, int span, double start, double end, std::string agent) {
    return {
        trace, span, 0, start, end, "invoke_agent " + agent,
        {{"gen_ai.operation.name", "invoke_agent"},
         {"gen_ai.agent.name", agent},
         {"gen_ai.conversation.id", "conv-" + std::to_string(trace)},
         {"user.id", "ann"}}};
}

inline SpanDraft tool_span(
    int trace, int span, int parent, double start, std::string tool, std::string arguments = "{}"
) {
    return {
        trace, span, parent, start, start + 1, "execute_tool " + tool,
        {{"gen_ai.operation.name", "execute_tool"},
         {"gen_ai.tool.name", tool},
         {"gen_ai.tool.call.arguments", arguments},
         {"gen_ai.tool.call.result", "{\"ok\":true}"}}};
}

inline SpanDraft gateway_span(
    int trace, int span, int parent, double start, std::string tool, std::string verdict = "allow"
) {
    return {
        trace, span, parent, start, start + 0.5, "tools/call " + tool,
        {{"mcp.method.name", "tools/call"},
         {"gen_ai.tool.name", tool},
         {"tagout.decision.verdict", verdict},
         {"tagout.decision.by", verdict == "allow" ? "" : "CTL-3"}}};
}

}  // namespace tagout::verify
