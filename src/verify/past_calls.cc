#include "verify/past_calls.h"

#include "intake/intake.h"
#include "verify/session_calls.h"

#include <algorithm>
#include <set>

namespace tagout::verify {

namespace {

constexpr std::size_t scan_batch_max = 512;

std::string versioned(std::string_view name, std::string_view version) {
    if (name.empty() || version.empty() || version.starts_with(name)) {
        return std::string(version.empty() ? name : version);
    }
    return std::string(name) + "@" + std::string(version);
}

class Reader {
public:
    Reader(
        const PastCallsSources& sources, Instant from, Instant to, const PastCallsOptions& options
    )
        : sources_(sources), from_(from), to_(to), options_(options) {}

    Result<PastCalls> run() {
        TAGOUT_TRY(scan());
        // Conversations first: they hold what was filed under a trace id before they were known.
        std::vector<std::string> order(sessions_.begin(), sessions_.end());
        std::ranges::stable_partition(order, [](const std::string& id) {
            return !trace_id_of_hex(id).has_value();
        });
        for (const std::string& id : order) {
            TAGOUT_TRY(read_session(id));
        }
        std::ranges::stable_sort(read_.calls, {}, &PastCall::at);
        if (read_.calls.size() > options_.calls_max) {
            const std::size_t more = read_.calls.size() - options_.calls_max;
            read_.cut.push_back(
                "the oldest " + std::to_string(more) + " calls are left out: more than " +
                std::to_string(options_.calls_max) + " were made"
            );
            read_.calls.erase(
                read_.calls.begin(), read_.calls.begin() + static_cast<std::ptrdiff_t>(more)
            );
        }
        return std::move(read_);
    }

private:
    [[nodiscard]] bool in_window(Instant at) const { return at >= from_ && at < to_; }

    std::uint64_t decode(const std::vector<journal::EvidenceItem>& items, EventBatch& batch) const {
        std::uint64_t unreadable = 0;
        for (const journal::EvidenceItem& item : items) {
            if (!intake::decode_item(journal::raw_of(item), intake::DecodeLimits{}, batch)) {
                ++unreadable;
            }
        }
        return unreadable + batch.rejected;
    }

    Result<void> scan() {
        std::vector<journal::EvidenceItem> kept;
        std::size_t items = 0;
        std::uint64_t sessions_cut = 0;
        bool cut = false;
        const auto look = [&] {
            EventBatch batch;
            read_.unreadable += decode(kept, batch);
            for (const AgentEvent& event : batch.events) {
                if (event.kind != EventKind::Tool || !in_window(event.started_at)) {
                    continue;
                }
                const std::string_view correlation = batch.items[event.item].correlation;
                std::string id =
                    correlation.empty() ? tagout::to_hex(event.trace_id) : std::string(correlation);
                if (sessions_.size() < options_.sessions_max) {
                    sessions_.insert(std::move(id));
                } else if (!sessions_.contains(id)) {
                    ++sessions_cut;
                }
            }
            kept.clear();
        };
        TAGOUT_TRY(sources_.scan(from_, to_, [&](const journal::EvidenceItem& item) {
            cut = ++items > options_.items_max;
            if (!cut && item.signal != Signal::Metrics) {
                kept.push_back(item);
            }
            if (kept.size() >= scan_batch_max) {
                look();
            }
            return !cut;
        }));
        look();
        if (cut) {
            read_.cut.push_back(
                "more than " + std::to_string(options_.items_max) +
                " stored items lie in this time; calls after them are left out"
            );
        }
        if (sessions_cut > 0) {
            read_.cut.push_back(
                "more than " + std::to_string(options_.sessions_max) + " sessions called tools; " +
                std::to_string(sessions_cut) + " calls of others are left out"
            );
        }
        return {};
    }

    Result<void> read_session(const std::string& id) {
        std::vector<journal::EvidenceItem> items =
            TAGOUT_TRY(sources_.find(id, options_.session_items_max + 1));
        if (items.size() > options_.session_items_max) {
            read_.cut.push_back(
                "session " + id + " has more than " + std::to_string(options_.session_items_max) +
                " stored items; the rest is left out"
            );
        }
        EventBatch batch;
        (void)decode(items, batch);  // Counted by the scan.
        intake::Linker(intake::LinkerOptions{}).link(batch);
        const SessionCalls calls(batch);
        for (const SessionCall& call : calls.calls()) {
            add(call, calls, id);
        }
        return {};
    }

    void add(const SessionCall& call, const SessionCalls& calls, const std::string& session) {
        const AgentEvent& seen = call.seen();
        if (!in_window(seen.started_at) || !seen_.insert(identity_of(seen)).second) {
            return;  // Of another time, or its session was read under its other id already.
        }
        const auto fact = [&](std::string_view AgentEvent::*field) {
            return std::string(calls.fact(call, field));
        };
        PastCall made;
        made.at = seen.started_at;
        made.tool = seen.tool_name;
        made.agent = fact(&AgentEvent::agent_name);
        made.workflow = fact(&AgentEvent::workflow_name);
        made.user = fact(&AgentEvent::user_id);
        made.tenant = fact(&AgentEvent::tenant);
        made.environment = fact(&AgentEvent::environment);
        made.prompt_version =
            versioned(fact(&AgentEvent::prompt_name), fact(&AgentEvent::prompt_version));
        made.session = seen.correlation.empty() ? session : std::string(seen.correlation);
        for (const AgentEvent* const event : {call.gateway, call.telemetry, call.around}) {
            if (event != nullptr && made.arguments.empty()) {
                made.arguments = event->tool_args;
            }
        }
        made.through_gateway = call.gateway != nullptr;
        if (made.through_gateway) {
            made.verdict = call.decision.verdict;
            made.decided_by = call.decision.by;
        }
        read_.calls.push_back(std::move(made));
    }

    /// What tells this record of a call from any other: log records share the span that they name.
    static std::string identity_of(const AgentEvent& event) {
        std::string id = to_hex(event.trace_id) + to_hex(event.span_id);
        if (event.signal == Signal::Logs || event.span_id.empty()) {
            id += std::to_string(unix_nanos(event.started_at)) + std::string(event.tool_name) +
                  std::string(event.tool_call_id);
        }
        return id;
    }

    const PastCallsSources& sources_;
    const Instant from_;
    const Instant to_;
    const PastCallsOptions& options_;
    PastCalls read_;
    std::set<std::string> sessions_;
    std::set<std::string> seen_;
};

}  // namespace

Result<PastCalls> read_past_calls(
    const PastCallsSources& sources, Instant from, Instant to, const PastCallsOptions& options
) {
    return Reader(sources, from, to, options).run();
}

}  // namespace tagout::verify
