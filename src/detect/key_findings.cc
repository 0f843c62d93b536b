#include "detect/key_state.h"
#include "detect/signal_id.h"

#include <algorithm>

namespace tagout::detect {

namespace {

constexpr std::int64_t form_wait_panes = 6;  ///< Half a minute.

std::string share(std::uint64_t part, std::uint64_t whole) {
    return std::to_string(part) + " of " + std::to_string(whole);
}

std::string times(double ratio) {
    const auto tenths = static_cast<std::int64_t>(ratio * 10 + 0.5);
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

/// The one agent that nearly all bad events are of, else "".
std::string only_agent(const RateEpisode& episode) {
    const auto top = episode.agents.top();
    const bool nearly_all = !top.empty() && top.front().count * 10 >= episode.bad * 9;
    return nearly_all ? top.front().name : "";
}

struct RateWords {
    SignalId signal;
    std::string evidence;
};

RateWords words_of(const RateKey& key, const RateEpisode& episode) {
    const std::string counts = share(episode.bad, episode.total);
    switch (key.kind) {
        case RateKind::ClientErrors:
            return {SignalId::ClientErrorSpike, key.key + " refused " + counts + " calls as wrong"};
        case RateKind::ClientErrorShapes:
            return {
                SignalId::ClientErrorSpike,
                episode.exemplar.tool + " refused " + counts + " calls of the form " + key.key};
        case RateKind::PolicyDenials:
            return {
                SignalId::PolicyDenials, "policy denied " + counts + " calls of " + key.key};
        case RateKind::Timeouts:
            return {SignalId::TimeoutRate, counts + " calls of " + key.key + " timed out"};
        case RateKind::Corrections:
            return {
                SignalId::UserCorrections, "users corrected " + counts + " answers of " + key.key};
    }
    return {SignalId::ClientErrorSpike, counts};
}

/// Which of two rates that share a tool or an agent explains the other: the lower.
constexpr int rank_of(RateKind kind) {
    switch (kind) {
        case RateKind::ClientErrors:
            return 0;
        case RateKind::ClientErrorShapes:
            return 1;
        case RateKind::PolicyDenials:
            return 2;
        case RateKind::Timeouts:
            return 3;
        case RateKind::Corrections:
            return 4;
    }
    return 4;
}

/// At least doubled.
template <class Number>
bool doubled(Number now, Number told) {
    return now > told && now >= 2 * told;
}

bool names_agent(const RateEpisode& episode, const std::string& agent) {
    return std::ranges::any_of(episode.agents.entries(), [&](const SpaceSavingEntry& entry) {
        return entry.name == agent;
    });
}

}  // namespace

void point_at(Finding& finding, const Exemplar& exemplar) {
    finding.correlation = CorrelationId(exemplar.correlation);
    finding.trace_id = exemplar.trace_id;
    finding.span_id = exemplar.span_id;
    finding.step = exemplar.step;
    finding.workflow = WorkflowName(exemplar.workflow);
    finding.tool = ToolName(exemplar.tool);
    finding.model = exemplar.model;
    finding.service = exemplar.service;
    finding.environment = exemplar.environment;
    finding.prompt_version = exemplar.prompt_version;
}

bool StandingFinding::grew() const {
    return doubled(extent.sessions, finding.sessions) || doubled(extent.tokens, finding.tokens) ||
           doubled(extent.cost_usd, finding.cost_usd) ||
           doubled(extent.users.count(), finding.users.count());
}

void StandingFinding::tell_extent() {
    finding.sessions = std::max(finding.sessions, extent.sessions);
    finding.users.merge(extent.users);
    finding.tokens = std::max(finding.tokens, extent.tokens);
    finding.cost_usd = std::max(finding.cost_usd, extent.cost_usd);
    changed = true;
}

void StandingFinding::end() {
    const bool more = extent.sessions > finding.sessions || extent.tokens > finding.tokens ||
                      extent.cost_usd > finding.cost_usd ||
                      extent.users.count() > finding.users.count();
    if (active && more) {
        tell_extent();
    }
    active = false;
}

// A tool that refuses calls of every form is one thing and told once, as the tool's; so the rate of a
// form waits until it is clear that the tool's own stays low.
bool KeyStage::State::is_told_by_tool(const RateKey& key, const RateWatch& watch) const {
    return key.kind == RateKind::ClientErrorShapes &&
           (watch.last_pane() < watch.episode().began + form_wait_panes ||
            rate_findings.contains({RateKind::ClientErrors, watch.episode().exemplar.tool}));
}

std::string KeyStage::State::form_told_of(const std::string& tool) const {
    for (const auto& [key, standing] : rate_findings) {
        if (key.kind == RateKind::ClientErrorShapes && standing.active &&
            standing.finding.tool.text() == tool) {
            return standing.finding.id;
        }
    }
    return {};
}

void KeyStage::State::renew_rate(const RateKey& key, const RateWatch& watch) {
    const auto known = rate_findings.find(key);
    if (!watch.active() || (known == rate_findings.end() && is_told_by_tool(key, watch))) {
        if (known != rate_findings.end()) {
            known->second.end();
        }
        return;
    }
    const RateEpisode& episode = watch.episode();
    const RateWords words = words_of(key, episode);
    const SignalInfo& info = info_of(words.signal);
    StandingFinding& standing = rate_findings[key];
    Finding& finding = standing.finding;
    const std::string id = finding_id(info.name, key.key + "@" + std::to_string(episode.began));
    if (!standing.active || finding.id != id) {
        finding = Finding{};
        finding.id = id;
        finding.failure_class = info.failure_class;
        finding.signal = info.name;
        finding.rate = true;
        finding.unit = info.unit;
        point_at(finding, episode.exemplar);
        finding.agent = AgentName(only_agent(episode));
        finding.cause = key.kind == RateKind::PolicyDenials ? "denied calls" : key.key;
        finding.threshold = episode.threshold;
        if (key.kind == RateKind::ClientErrors) {
            finding.explained_by = form_told_of(key.key);
        }
        boards.count_finding(words.signal, end_of(watch.last_pane()));
        standing.extent = Extent{};
        standing.active = true;
        standing.changed = true;
    }
    const double observed = static_cast<double>(episode.bad) / static_cast<double>(episode.total);
    SessionOutcome outcome = SessionOutcome::Unknown;
    std::string reason = "no session that it hit has ended yet";
    const std::int64_t hit = watch.affected.known;
    const std::int64_t failed = watch.affected.failed;
    if (key.kind == RateKind::Corrections) {
        outcome = SessionOutcome::Failed;
        reason = share(episode.bad, episode.total) + " answers were rejected by their users";
    } else if (hit > 0) {
        const bool many =
            static_cast<double>(failed) >= settings.failed_share_min * static_cast<double>(hit);
        outcome = failed > 0 && many ? SessionOutcome::Failed : SessionOutcome::Succeeded;
        reason =
            std::to_string(failed) + " of " + std::to_string(hit) + " sessions that it hit failed";
    }
    standing.extent.sessions = std::max<std::uint64_t>(episode.sessions.count(), 1);
    standing.extent.users.merge(watch.affected.users);
    standing.extent.tokens = std::max(standing.extent.tokens, watch.affected.tokens);
    standing.extent.cost_usd = std::max(standing.extent.cost_usd, watch.affected.cost_usd);
    if (outcome != finding.outcome || standing.grew() || standing.changed) {
        finding.outcome = outcome;
        finding.outcome_reason = std::move(reason);
        finding.observed = observed;
        finding.score = std::min(0.98, 0.7 + 0.3 * observed);
        finding.seen_at = end_of(episode.last_bad);
        finding.evidence = words.evidence;
        if (!episode.exemplar.text.empty()) {
            finding.evidence += ", such as: \"" + episode.exemplar.text + "\"";
        }
        standing.tell_extent();
    }
}

void KeyStage::State::renew_spending(const std::string& agent, const SpendingWatch& watch) {
    const auto known = spending_findings.find(agent);
    if (!watch.active()) {
        if (known != spending_findings.end()) {
            known->second.end();
        }
        return;
    }
    const SignalInfo& info = info_of(SignalId::TokenSpike);
    StandingFinding& standing = spending_findings[agent];
    Finding& finding = standing.finding;
    const std::string id = finding_id(info.name, agent + "@" + std::to_string(watch.began()));
    if (!standing.active || finding.id != id) {
        finding = Finding{};
        finding.id = id;
        finding.failure_class = info.failure_class;
        finding.signal = info.name;
        finding.rate = true;
        finding.unit = info.unit;
        point_at(finding, watch.exemplar());
        finding.model = watch.model();
        finding.agent = AgentName(agent);
        finding.cause = "spending";
        finding.threshold = watch.threshold();
        boards.count_finding(SignalId::TokenSpike, end_of(watch.last_pane()));
        standing.extent = Extent{};
        standing.active = true;
        standing.changed = true;
    }
    standing.extent.users.merge(watch.users());
    standing.extent.tokens = std::max(standing.extent.tokens, watch.tokens());
    standing.extent.cost_usd = std::max(standing.extent.cost_usd, watch.cost_usd());
    if (standing.changed || standing.grew() || watch.ratio() >= 2 * finding.observed) {
        finding.observed = watch.ratio();
        finding.score = std::min(0.97, 0.6 + 0.05 * watch.ratio());
        finding.seen_at = end_of(watch.last_pane());
        finding.evidence = agent + " took " +
                           std::to_string(static_cast<std::int64_t>(watch.observed_tokens())) +
                           " tokens a " + (watch.by_turn() ? "request" : "model call") + ", " +
                           times(watch.ratio()) + " times the usual " +
                           std::to_string(static_cast<std::int64_t>(watch.usual_tokens()));
        finding.outcome = SessionOutcome::Failed;
        finding.outcome_reason =
            "spending that nothing foresaw: " + std::to_string(watch.excess_tokens()) +
            " tokens above the usual in half a minute";
        standing.tell_extent();
    }
}

void KeyStage::State::explain() {
    // tool.4xx_spike, then tool.policy_denials, cost.timeout_rate, cost.token_spike and
    // intent.user_corrections: refused calls are tried again, tries time out and cost tokens, and
    // users complain about all of it.
    const auto leader_for = [&](RateKind below, const std::string& tool, const std::string& agent) {
        for (const auto& [key, standing] : rate_findings) {
            if (!standing.active || rank_of(key.kind) >= rank_of(below) ||
                !standing.finding.explained_by.empty()) {
                continue;
            }
            const bool same_tool = !tool.empty() && standing.finding.tool.text() == tool;
            if (same_tool || (!agent.empty() && names_agent(watches.at(key).episode(), agent))) {
                return standing.finding.id;
            }
        }
        return std::string();
    };
    const auto set = [](StandingFinding& standing, std::string id) {
        const bool told_failed = standing.finding.explained_by.empty() && !standing.changed &&
                                 standing.finding.outcome == SessionOutcome::Failed;
        if (!told_failed && standing.finding.explained_by != id) {
            standing.finding.explained_by = std::move(id);
            standing.changed = true;
        }
    };
    for (auto& [key, standing] : rate_findings) {
        if (standing.active && key.kind == RateKind::Timeouts) {
            set(standing, leader_for(RateKind::Timeouts, standing.finding.tool.text(), ""));
        }
    }
    for (auto& [agent, standing] : spending_findings) {
        if (standing.active) {
            set(standing, leader_for(RateKind::Corrections, "", agent));
        }
    }
    explain_loads();
    for (auto& [key, standing] : rate_findings) {
        if (standing.active && key.kind == RateKind::Corrections) {
            const std::string agent = standing.finding.agent.text();
            std::string id = leader_for(RateKind::Corrections, "", agent);
            const auto spends = spending_findings.find(agent);
            if (id.empty() && spends != spending_findings.end() && spends->second.active) {
                id = spends->second.finding.id;
            }
            set(standing, std::move(id));
        }
    }
}

void KeyStage::State::explain_loads() {
    // Behind timeouts and refused calls of the same tool or agent: who waits, times out and tries
    // again; a queue behind the latency of the same calls, what an outcome costs behind all of them.
    const auto leads = [](const StandingFinding& other) {
        return other.active && other.finding.explained_by.empty();
    };
    for (auto& [key, standing] : load_findings) {
        if (!standing.active) {
            continue;
        }
        const auto& [signal, subject] = key;
        std::string leader;
        for (const auto& [rate, other] : rate_findings) {
            const bool same = rate.key == subject || "tool " + rate.key == subject;
            const std::string agent = standing.finding.agent.text();
            const bool hits = signal == SignalId::OutcomeCost && !agent.empty() &&
                              (rate.key == subject ||
                               names_agent(watches.at(rate).episode(), agent));
            if (leads(other) && leader.empty() && (same || hits)) {
                leader = other.finding.id;
            }
        }
        if (signal == SignalId::QueueDepth && leader.empty()) {
            const auto slow = load_findings.find({SignalId::TailLatency, subject});
            if (slow != load_findings.end() && leads(slow->second)) {
                leader = slow->second.finding.id;
            }
        }
        if (signal == SignalId::OutcomeCost && leader.empty()) {
            const auto spends = spending_findings.find(standing.finding.agent.text());
            if (spends != spending_findings.end() && leads(spends->second)) {
                leader = spends->second.finding.id;
            }
        }
        const bool told_failed = standing.finding.explained_by.empty() && !standing.changed &&
                                 standing.finding.outcome == SessionOutcome::Failed;
        if (!told_failed && standing.finding.explained_by != leader) {
            standing.finding.explained_by = std::move(leader);
            standing.changed = true;
        }
    }
}

void KeyStage::State::tell(Output& out) {
    for (auto& [key, standing] : load_findings) {
        if (standing.changed) {
            out.findings.push_back(standing.finding);
            standing.changed = false;
        }
    }
    for (auto& [key, standing] : rate_findings) {
        if (standing.changed) {
            out.findings.push_back(standing.finding);
            standing.changed = false;
        }
    }
    for (auto& [agent, standing] : spending_findings) {
        if (standing.changed) {
            out.findings.push_back(standing.finding);
            standing.changed = false;
        }
    }
}

}  // namespace tagout::detect
