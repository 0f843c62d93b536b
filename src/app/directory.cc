#include "app/directory.h"

#include <xxhash.h>

#include <algorithm>

namespace tagout::app {

namespace {

constexpr std::int64_t hour_minutes = 60;

std::int64_t minute_of(Instant at) {
    return std::chrono::floor<std::chrono::minutes>(at).time_since_epoch().count();
}

std::uint64_t mix(std::uint64_t seed, std::string_view text) {
    return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

std::uint64_t fingerprint(const AgentEvent& event) {
    std::uint64_t hash = mix(0, event.agent_name);
    hash = mix(hash, event.service_name);
    hash = mix(hash, event.workflow_name);
    hash = mix(hash, event.tool_name);
    return mix(hash, event.model_request);
}

void keep(std::set<std::string>& names, std::string_view name) {
    if (!name.empty() && names.size() < Directory::names_max) {
        names.emplace(name);
    }
}

/// A span below an agent may not name it; its service is then the best name there is.
std::string_view name_of_agent(const AgentEvent& event) {
    return event.agent_name.empty() ? event.service_name : event.agent_name;
}

}  // namespace

void Directory::see(std::span<const AgentEvent> events, Seen& seen) {
    for (const AgentEvent& event : events) {
        if (event.kind == EventKind::Drop || name_of_agent(event).empty() ||
            !seen.hashes.insert(fingerprint(event)).second) {
            continue;
        }
        if (seen.hashes.size() > Seen::hashes_max) {
            seen.hashes.clear();
        }
        const MutexLock lock(mutex_);
        auto found = agents_.find(name_of_agent(event));
        if (found == agents_.end()) {
            if (agents_.size() >= agents_max) {
                continue;
            }
            found = agents_.emplace(std::string(name_of_agent(event)), DirectoryAgent{}).first;
            found->second.name = found->first;
        }
        DirectoryAgent& agent = found->second;
        keep(agent.services, event.service_name);
        keep(agent.workflows, event.workflow_name);
        keep(agent.models, event.model_request);
        if (event.kind == EventKind::Tool) {
            keep(agent.tools, event.tool_name);
        }
        agent.last_seen_at = std::max(agent.last_seen_at, event.ended_at);
    }
}

void Directory::ended(std::span<const detect::SessionSummary> sessions, Instant now) {
    const MutexLock lock(mutex_);
    const std::int64_t minute = minute_of(now);
    for (const detect::SessionSummary& session : sessions) {
        const auto found = agents_.find(session.agent.text());
        DirectoryAgent* const agent = found == agents_.end() ? nullptr : &found->second;
        if (agent != nullptr) {
            agent->last_seen_at = std::max(agent->last_seen_at, session.ended_at);
        }
        const std::uint64_t id = mix(0, session.correlation.text());
        if (ended_.insert_or_assign(id, Ended{minute, agent, session.outcome}).second) {
            order_.emplace_back(minute, id);
        }
    }
    forget_before(minute - hour_minutes);
}

void Directory::forget_before(std::int64_t minute) {
    while (!order_.empty() && (order_.front().first < minute || order_.size() > ended_max)) {
        const auto [noted, id] = std::move(order_.front());
        order_.pop_front();
        const auto found = ended_.find(id);
        if (found == ended_.end()) {
            continue;
        }
        if (found->second.minute > noted && order_.size() < ended_max) {
            order_.emplace_back(
                found->second.minute, id
            );  // revised since: stays until that minute passes
        } else {
            ended_.erase(found);
        }
    }
}

std::vector<DirectoryAgent> Directory::agents(Instant now) const {
    const MutexLock lock(mutex_);
    const std::int64_t since = minute_of(now) - hour_minutes;
    std::map<std::string, DirectoryAgent, std::less<>> agents = agents_;
    for (const auto& [id, session] : ended_) {
        if (session.minute < since || session.agent == nullptr) {
            continue;
        }
        const auto found = agents.find(session.agent->name);
        ++found->second.sessions_last_hour;
        if (session.outcome == SessionOutcome::Failed) {
            ++found->second.failed_last_hour;
        }
    }
    std::vector<DirectoryAgent> list;
    list.reserve(agents.size());
    for (auto& [name, agent] : agents) {
        list.push_back(std::move(agent));
    }
    return list;
}

OutcomeCounts Directory::last_hour(Instant now) const {
    const MutexLock lock(mutex_);
    const std::int64_t since = minute_of(now) - hour_minutes;
    OutcomeCounts counts;
    for (const auto& [id, session] : ended_) {
        if (session.minute >= since) {
            ++counts.by_outcome[static_cast<std::size_t>(session.outcome)];
        }
    }
    return counts;
}

}  // namespace tagout::app
