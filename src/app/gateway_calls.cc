#include "app/gateway_calls.h"

#include "app/metrics.h"
#include "base/log.h"
#include "base/prng.h"
#include "intake/intake.h"
#include "verify/decision_words.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace tagout::app {

namespace {

/// W3C Trace Context: version-traceid-parentid-flags; ids of zeros are none.
struct Parent {
    TraceId trace;
    SpanId span;
};

Parent parent_of(std::string_view traceparent) {
    constexpr std::size_t size = 55;
    Parent parent;
    if (traceparent.size() < size || traceparent[2] != '-' || traceparent[35] != '-' ||
        traceparent[52] != '-') {
        return parent;
    }
    const auto trace = trace_id_of_hex(traceparent.substr(3, 32));
    const auto span = span_id_of_hex(traceparent.substr(36, 16));
    if (trace && span && !trace->empty() && !span->empty()) {
        parent = {*trace, *span};
    }
    return parent;
}

template <std::size_t N>
void draw(std::array<std::uint8_t, N>& bytes, Prng& chance) {
    for (std::uint8_t& byte : bytes) {
        byte = static_cast<std::uint8_t>(chance.next() >> 56);
    }
}

void put(otlp::Attributes& attributes, std::string_view key, const std::string& value) {
    if (!value.empty()) {
        attributes.push_back({std::string(key), value});
    }
}

void put_identity(otlp::Attributes& attributes, const gateway::SeenCall& call) {
    put(attributes, "gen_ai.agent.name", call.agent);
    put(attributes, "gen_ai.workflow.name", call.workflow);
    put(attributes, "gen_ai.conversation.id", call.session);
    put(attributes, "user.id", call.user);
    put(attributes, "tenant.id", call.tenant);
    put(attributes, "deployment.environment", call.environment);
    const std::size_t at = call.prompt_version.find('@');
    put(attributes, "gen_ai.prompt.name", call.prompt_version.substr(0, at));
    if (at != std::string::npos) {
        put(attributes, "gen_ai.prompt.version", call.prompt_version.substr(at + 1));
    }
}

void put_decision(otlp::Attributes& attributes, const gateway::SeenCall& call) {
    namespace key = verify::decision_key;
    put(attributes, key::verdict, std::string(verify::verdict_name(call.verdict)));
    put(attributes, key::by, call.decided_by);
    put(attributes, key::reason, call.reason);
    put(attributes, key::shadow, call.shadow);
    attributes.push_back({std::string(key::revision), static_cast<std::int64_t>(call.revision)});
    if (call.cancelled) {
        attributes.push_back({std::string(key::cancelled), true});
    }
}

bool refused(const gateway::SeenCall& call) {
    return call.verdict == Verdict::Deny || call.verdict == Verdict::Escalate;
}

}  // namespace

bool is_recorded(const gateway::SeenCall& call) noexcept {
    return call.kind == CallKind::Tool || refused(call);
}

otlp::SpanRecord span_of(const gateway::SeenCall& call, std::uint64_t seed) {
    Prng chance(seed);
    const Parent parent = parent_of(call.traceparent);
    otlp::SpanRecord span;
    span.trace_id = parent.trace;
    span.parent_span_id = parent.span;
    if (span.trace_id.empty()) {
        draw(span.trace_id.bytes, chance);
    }
    draw(span.span_id.bytes, chance);
    span.kind = otlp::SpanKind::Server;
    span.started_at = call.started_at;
    span.ended_at = call.ended_at;
    otlp::Attributes& attributes = span.attributes;
    if (call.kind == CallKind::Tool) {
        span.name = "execute_tool " + call.tool;
        put(attributes, "gen_ai.operation.name", "execute_tool");
        put(attributes, "mcp.method.name", "tools/call");
        put(attributes, "gen_ai.tool.name", call.tool);
        put(attributes, "gen_ai.tool.call.id", call.tool_call_id);
        put(attributes, "gen_ai.tool.call.arguments", call.arguments);
        put(attributes, "gen_ai.tool.call.result", call.result);
    } else if (call.kind == CallKind::Workflow) {
        span.name = "invoke_workflow " + call.workflow;
        put(attributes, "gen_ai.operation.name", "invoke_workflow");
    } else {
        span.name = "chat";
        put(attributes, "gen_ai.operation.name", "chat");
    }
    put(attributes, "server.address", call.server);
    put_identity(attributes, call);
    put_decision(attributes, call);
    if (call.http_status >= 400) {
        attributes.push_back(
            {"http.response.status_code", static_cast<std::int64_t>(call.http_status)}
        );
    }
    if (refused(call) || call.cancelled) {
        span.status = SpanStatus::Error;
        span.status_message = call.reason;
        put(attributes, "error.type", call.cancelled ? "cancelled" : "tagout.denied");
    } else if (call.is_error || call.http_status >= 400) {
        span.status = SpanStatus::Error;
        put(attributes, "error.type",
            call.http_status >= 400 ? std::to_string(call.http_status) : "tool_error");
        constexpr std::size_t message_max = 1'000;
        span.status_message = call.result.substr(0, message_max);
    }
    return span;
}

GatewayCalls::GatewayCalls(
    server::IntakeSink& intake, MetricRegistry& metrics, Refused refused, std::uint64_t seed
)
    : metrics_(metrics),
      take_([this, &intake, told = std::move(refused)](CallRecords records) {
          into_intake(intake, told, std::move(records));
      }),
      bytes_max_(SIZE_MAX),
      seed_(seed),
      thread_([this] { run(); }) {}

GatewayCalls::GatewayCalls(
    Take take, std::size_t bytes_max, MetricRegistry& metrics, std::uint64_t seed
)
    : metrics_(metrics),
      take_(std::move(take)),
      bytes_max_(bytes_max),
      seed_(seed),
      thread_([this] { run(); }) {}

GatewayCalls::~GatewayCalls() {
    {
        const MutexLock lock(mutex_);
        stopping_ = true;
        changed_.notify_one();
    }
    thread_.join();
}

void GatewayCalls::add(gateway::SeenCall call) {
    bool lost = false;
    {
        const MutexLock lock(mutex_);
        lost = queue_.size() >= calls_max;
        if (!lost) {
            queue_.push_back(std::move(call));
            if (queue_.size() >= batch_max) {
                changed_.notify_one();
            }
        }
    }
    if (lost) {
        lose(1, "queue_full");
    }
}

void GatewayCalls::run() {
    bool stopping = false;
    while (!stopping) {
        std::vector<gateway::SeenCall> calls;
        {
            const MutexLock lock(mutex_);
            if (queue_.size() < batch_max && !stopping_) {
                changed_.wait_for(mutex_, linger);
            }
            const std::size_t count = std::min(queue_.size(), batch_max);
            const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
            calls.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
            queue_.erase(queue_.begin(), end);
            stopping = stopping_ && queue_.empty();
        }
        if (!calls.empty()) {
            hand_over(calls);
        }
    }
}

void GatewayCalls::hand_over(std::span<const gateway::SeenCall> calls) {
    std::vector<otlp::SpanRecord> spans;
    spans.reserve(calls.size());
    CallRecords records;
    records.calls = calls.size();
    for (const gateway::SeenCall& call : calls) {
        if (call.verdict != Verdict::Allow && !call.decided_by.empty()) {
            ++records.refused[call.decided_by];
        }
        if (is_recorded(call)) {
            spans.push_back(span_of(call, seed_));
            seed_ = Prng(seed_).next();
        }
    }
    records.spans = spans.size();
    if (!spans.empty()) {
        const otlp::Reporter reporter{
            {{"service.name", std::string("tagout-gateway")}}, std::string(gateway_scope), "1"};
        records.telemetry = otlp::encode_spans(reporter, spans);
    }
    if (records.telemetry.size() > bytes_max_ && calls.size() > 1) {
        hand_over(calls.first(calls.size() / 2));
        hand_over(calls.subspan(calls.size() / 2));
        return;
    }
    take_(std::move(records));
}

void GatewayCalls::into_intake(
    server::IntakeSink& intake, const Refused& refused, CallRecords records
) {
    for (const auto& [by, count] : records.refused) {
        refused(ControlId(by), count);
    }
    if (records.telemetry.empty()) {
        return;
    }
    Result<std::shared_ptr<EventBatch>> batch = intake::decode(
        PaddedBytes::copy_of(records.telemetry),
        Signal::Traces,
        intake::Encoding::Protobuf,
        intake::DecodeLimits{}
    );
    if (!batch) {
        lose(records.calls, "undecodable");
        return;
    }
    intake.accept(*std::move(batch), [this, count = records.spans](const Result<void>& stored) {
        if (!stored) {
            lose(count, name_of(stored.error().code));
        }
    });
}

void GatewayCalls::lose(std::size_t calls, std::string_view reason) {
    const std::string_view labels[] = {reason};
    metrics_.counter(gateway_calls_lost_total, labels).add(calls);
    log::error("gateway_calls_lost", {{"reason", reason}, {"calls", calls}});
}

}  // namespace tagout::app
