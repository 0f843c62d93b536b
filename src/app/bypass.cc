#include "app/bypass.h"

#include "app/gateway_calls.h"
#include "app/metrics.h"

#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace tagout::app {

namespace {

constexpr auto bucket_span = std::chrono::minutes(5);
constexpr std::size_t unseen_tools_max = 20;  ///< Of one agent, told.

std::int64_t slot_of(Instant at) {
    return at.time_since_epoch() / bucket_span;
}

std::uint64_t mix(std::uint64_t seed, std::string_view text) {
    return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

/// "refund" of "mcp__payments__refund" and "payments.refund": agents and gateways name it either
/// way.
std::string_view bare(std::string_view tool) {
    if (const std::size_t at = tool.rfind("__"); at != std::string_view::npos) {
        tool.remove_prefix(at + 2);
    }
    if (const std::size_t at = tool.find_last_of("./:"); at != std::string_view::npos) {
        tool.remove_prefix(at + 1);
    }
    return tool;
}

/// The bytes of the trace id of a W3C traceparent.
std::optional<std::string> trace_of(std::string_view traceparent) {
    constexpr std::size_t from = 3;
    constexpr std::size_t digits = 32;
    if (traceparent.size() < from + digits) {
        return std::nullopt;
    }
    std::string bytes;
    for (std::size_t i = from; i < from + digits; i += 2) {
        unsigned byte = 0;
        const char* const at = traceparent.data() + i;
        if (std::from_chars(at, at + 2, byte, 16).ptr != at + 2) {
            return std::nullopt;
        }
        bytes += static_cast<char>(byte);
    }
    return bytes;
}

std::string_view name_of_agent(const AgentEvent& event) {
    return event.agent_name.empty() ? event.service_name : event.agent_name;
}

bool is_call(const AgentEvent& event) {
    return event.kind == EventKind::Tool && !event.merged && !event.tool_name.empty() &&
           event.convention != Convention::RecordedRun;
}

}  // namespace

Bypass::Bypass(MetricRegistry& metrics)
    : seen_total_([&]() -> Counter& {
          const std::string_view labels[] = {"seen"};
          return metrics.counter(agent_calls_total, labels);
      }()),
      unseen_total_([&]() -> Counter& {
          const std::string_view labels[] = {"unseen"};
          return metrics.counter(agent_calls_total, labels);
      }()) {}

Bypass::Keys Bypass::keys_of(const AgentEvent& event) noexcept {
    const std::string_view tool = bare(event.tool_name);
    const std::string_view trace(
        reinterpret_cast<const char*>(event.trace_id.bytes.data()), event.trace_id.bytes.size()
    );
    return {.trace = mix(mix(1, trace), tool), .session = mix(mix(2, event.correlation), tool)};
}

void Bypass::see(std::span<const AgentEvent> events, Instant now) {
    if (std::ranges::none_of(events, is_call)) {
        return;
    }
    const MutexLock lock(mutex_);
    for (const AgentEvent& event : events) {
        if (is_call(event)) {
            take(event, now);
        }
    }
    judge_due(now);
}

void Bypass::decided(
    std::string_view tool, std::string_view session, std::string_view traceparent, Instant now
) {
    const MutexLock lock(mutex_);
    if (const auto trace = trace_of(traceparent)) {
        sight(mix(mix(1, *trace), bare(tool)), now);
    }
    if (!session.empty()) {
        sight(mix(mix(2, session), bare(tool)), now);
    }
}

void Bypass::take(const AgentEvent& event, Instant now) {
    const Keys keys = keys_of(event);
    if (event.scope == gateway_scope) {
        sight(keys.trace, now);
        sight(keys.session, now);
        return;
    }
    if (name_of_agent(event).empty()) {
        return;
    }
    std::deque<Waiting>& queue = event.wrapper ? wrappers_ : calls_;
    queue.push_back(
        {.due = now + grace,
         .keys = keys,
         .slot = slot_of(std::min(event.ended_at, now)),
         .pair = pair_of(event),
         .wrapper = event.wrapper}
    );
    if (queue.size() > waiting_max) {
        judge(queue.front());
        queue.pop_front();
    }
}

void Bypass::sight(std::uint64_t key, Instant now) {
    Sighted& sighted = sighted_[key];
    ++sighted.left;
    sighted.newest = now;
    sightings_.push_back({now, key});
    while (sightings_.size() > sightings_max || sightings_.front().at + kept < now) {
        forget_oldest();
    }
}

void Bypass::forget_oldest() {
    const Sighting oldest = sightings_.front();
    sightings_.pop_front();
    const auto found = sighted_.find(oldest.key);
    if (found != sighted_.end() && found->second.newest == oldest.at) {
        sighted_.erase(found);
    }
}

bool Bypass::use(std::uint64_t key) {
    const auto found = sighted_.find(key);
    if (found == sighted_.end()) {
        return false;
    }
    if (--found->second.left == 0) {
        sighted_.erase(found);
    }
    return true;
}

std::uint32_t Bypass::pair_of(const AgentEvent& event) {
    const std::string_view agent = name_of_agent(event);
    const std::uint64_t hash = mix(mix(3, agent), event.tool_name);
    if (const auto found = pair_numbers_.find(hash); found != pair_numbers_.end()) {
        return found->second;
    }
    if (pairs_.size() >= pairs_max) {
        return no_pair;
    }
    pairs_.push_back(
        {.agent = std::string(agent), .tool = std::string(event.tool_name), .recent = {}}
    );
    const auto number = static_cast<std::uint32_t>(pairs_.size() - 1);
    pair_numbers_.emplace(hash, number);
    return number;
}

void Bypass::judge(const Waiting& call) {
    const bool in_trace = use(call.keys.trace);
    const bool in_session = use(call.keys.session);
    const bool seen = in_trace || in_session;
    if (call.wrapper && !seen) {
        return;  // the call inside it is counted
    }
    (seen ? seen_total_ : unseen_total_).add(1);
    if (call.pair == no_pair) {
        return;
    }
    auto& recent = pairs_[call.pair].recent;
    Bucket& bucket = recent[static_cast<std::size_t>(call.slot) % recent.size()];
    if (bucket.slot < call.slot) {
        bucket = {.slot = call.slot, .counts = {}};
    }
    if (bucket.slot == call.slot) {  // else it is of an hour that is over
        bucket.counts.calls += 1;
        bucket.counts.unseen += seen ? 0 : 1;
    }
}

void Bypass::judge_due(Instant now) {
    for (std::deque<Waiting>* const queue : {&calls_, &wrappers_}) {
        while (!queue->empty() && queue->front().due <= now) {
            judge(queue->front());
            queue->pop_front();
        }
    }
}

std::map<std::string, AgentCalls, std::less<>> Bypass::last_hour(Instant now) {
    const MutexLock lock(mutex_);
    judge_due(now);
    const std::int64_t since = slot_of(now) - static_cast<std::int64_t>(buckets);
    std::map<std::string, AgentCalls, std::less<>> agents;
    for (const Pair& pair : pairs_) {
        CallCounts counts;
        for (const Bucket& bucket : pair.recent) {
            if (bucket.slot > since) {
                counts.calls += bucket.counts.calls;
                counts.unseen += bucket.counts.unseen;
            }
        }
        if (counts.calls == 0) {
            continue;
        }
        AgentCalls& agent = agents[pair.agent];
        agent.all.calls += counts.calls;
        agent.all.unseen += counts.unseen;
        if (counts.unseen > 0) {
            agent.unseen_tools.emplace_back(pair.tool, counts);
        }
    }
    for (auto& [name, agent] : agents) {
        std::ranges::stable_sort(agent.unseen_tools, [](const auto& a, const auto& b) {
            return a.second.unseen > b.second.unseen;
        });
        agent.unseen_tools.resize(std::min(agent.unseen_tools.size(), unseen_tools_max));
    }
    return agents;
}

}  // namespace tagout::app
