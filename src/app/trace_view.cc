#include "app/trace_view.h"

#include "incident/incident_json.h"
#include "intake/intake.h"

#include <boost/json.hpp>

#include <algorithm>
#include <map>

namespace tagout::app {

namespace {

namespace json = boost::json;

constexpr std::size_t depth_max = 64;
constexpr std::size_t text_max =
    16 * 1024;  ///< Of one text shown in the page; evidence keeps it whole.

double milliseconds(Duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

std::string_view status_name(SpanStatus status) {
    switch (status) {
        case SpanStatus::Unset:
            return "unset";
        case SpanStatus::Ok:
            return "ok";
        case SpanStatus::Error:
            return "error";
    }
    return "unset";
}

void put(json::object& to, std::string_view name, std::string_view text) {
    if (!text.empty()) {
        to[name] = text.substr(0, text_max);
    }
}

/// How deep each span lies below the root it can be traced to; orphans are at 0.
std::map<std::string, std::size_t> depths_of(std::span<const AgentEvent> events) {
    std::map<std::string, std::string> parent_of;
    for (const AgentEvent& event : events) {
        if (event.signal == Signal::Traces) {
            parent_of[to_hex(event.span_id)] = to_hex(event.parent_span_id);
        }
    }
    std::map<std::string, std::size_t> depths;
    for (const auto& [span, parent] : parent_of) {
        std::size_t depth = 0;
        for (auto at = parent_of.find(parent); at != parent_of.end() && depth < depth_max;
             at = parent_of.find(at->second)) {
            ++depth;
        }
        depths[span] = depth;
    }
    return depths;
}

std::size_t depth_of(const AgentEvent& event, const std::map<std::string, std::size_t>& depths) {
    const auto found = depths.find(to_hex(event.span_id));
    if (found == depths.end()) {
        return 0;
    }
    return event.signal == Signal::Logs ? found->second + 1 : found->second;
}

json::object event_json(const AgentEvent& event, Instant start, std::size_t depth) {
    json::object out;
    if (!event.trace_id.empty()) {
        out["trace_id"] = to_hex(event.trace_id);
    }
    out["span_id"] = to_hex(event.span_id);
    if (!event.parent_span_id.empty()) {
        out["parent_span_id"] = to_hex(event.parent_span_id);
    }
    out["signal"] = name_of(event.signal);
    out["kind"] = name_of(event.kind);
    out["convention"] = name_of(event.convention);
    out["name"] = event.name.empty() ? event.event : event.name;
    out["started_at"] = to_rfc3339(event.started_at);
    out["offset_ms"] = milliseconds(event.started_at - start);
    out["duration_ms"] = milliseconds(event.ended_at - event.started_at);
    out["status"] = status_name(event.status);
    out["outcome"] = name_of(event.outcome);
    out["depth"] = depth;
    put(out, "agent", event.agent_name);
    put(out, "workflow", event.workflow_name);
    put(out, "tool", event.tool_name);
    put(out, "model", event.model_response.empty() ? event.model_request : event.model_response);
    if (event.tokens.counted() > 0) {
        out["tokens"] = event.tokens.counted();
    }
    if (event.cost_usd >= 0) {
        out["cost_usd"] = event.cost_usd;
    }
    if (event.http_status > 0) {
        out["http_status"] = event.http_status;
    }
    put(out, "error", event.error_message.empty() ? event.error_type : event.error_message);
    put(out, "user_text", event.user_text);
    put(out, "output_text", event.output_text);
    put(out, "tool_args", event.tool_args);
    put(out, "tool_result", event.tool_result);
    return out;
}

json::array findings_at(const AgentEvent& event, std::span<const Finding> findings) {
    json::array marks;
    const std::string span = to_hex(event.span_id);
    for (const Finding& finding : findings) {
        if (event.signal == Signal::Traces && !finding.span_id.empty() && finding.span_id == span) {
            marks.push_back(incident::tree_of(finding));
        }
    }
    return marks;
}

/// Parents before children, siblings by time: the order in which a tree is read.
void order_as_tree(
    std::vector<AgentEvent>& events, const std::map<std::string, std::size_t>& depths
) {
    std::ranges::stable_sort(events, [&](const AgentEvent& a, const AgentEvent& b) {
        if (a.started_at != b.started_at) {
            return a.started_at < b.started_at;
        }
        return depth_of(a, depths) < depth_of(b, depths);
    });
}

}  // namespace

Result<json::object> trace_json(
    journal::EvidenceLog& evidence, std::span<const Finding> findings, std::string_view correlation,
    std::size_t limit
) {
    const std::vector<journal::EvidenceItem> items =
        TAGOUT_TRY(evidence.find(correlation, limit + 1));
    EventBatch batch;
    const std::size_t shown = std::min(items.size(), limit);
    for (std::size_t i = 0; i < shown; ++i) {
        const journal::EvidenceItem& item = items[i];
        const RawItem raw = journal::raw_of(item);
        // An item that no longer reads is left out of the picture; `journal verify` tells of it.
        (void)intake::decode_item(raw, intake::DecodeLimits{}, batch);
    }
    if (batch.events.empty()) {
        return fail(
            ErrorCode::NotFound,
            "no telemetry is stored for '" + std::string(correlation.substr(0, 100)) +
                "'; it may have passed its retention, or the id is of another server"
        );
    }
    intake::Linker(intake::LinkerOptions{}).link(batch);
    const std::map<std::string, std::size_t> depths = depths_of(batch.events);
    order_as_tree(batch.events, depths);

    Instant start = batch.events.front().started_at;
    Instant end = start;
    std::int64_t tokens = 0;
    double cost = 0;
    json::object out{{"correlation", correlation}};
    for (const AgentEvent& event : batch.events) {
        end = std::max(end, event.ended_at);
        tokens += event.tokens.counted();
        cost += event.cost_usd > 0 && !event.wrapper ? event.cost_usd : 0;
        if (!out.contains("agent")) {
            put(out, "agent", event.agent_name);
        }
        if (!out.contains("workflow")) {
            put(out, "workflow", event.workflow_name);
        }
    }
    json::array events;
    for (const AgentEvent& event : batch.events) {
        json::object row = event_json(event, start, depth_of(event, depths));
        row["findings"] = findings_at(event, findings);
        events.push_back(std::move(row));
    }
    out["started_at"] = to_rfc3339(start);
    out["duration_ms"] = milliseconds(end - start);
    out["tokens"] = tokens;
    out["cost_usd"] = cost;
    out["truncated"] = items.size() > limit;
    out["events"] = std::move(events);
    return out;
}

}  // namespace tagout::app
