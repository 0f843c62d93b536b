#include "app/gate_facts.h"

#include <algorithm>
#include <map>
#include <set>

namespace tagout::app {

namespace {

constexpr std::size_t incidents_max = 100'000;

/// Names under which findings may know an agent: its own, and those of the services that sent its
/// telemetry, which a finding has that came before the agent was named.
std::set<std::string> names_of(const GateSources& sources, const AgentName& agent) {
    std::set<std::string> names{agent.text(), ""};
    for (const DirectoryAgent& each : sources.directory.agents(sources.clock.now())) {
        if (each.name == agent.text()) {
            names.insert(each.services.begin(), each.services.end());
        }
    }
    return names;
}

/// What nobody attributed to an agent counts for each.
std::vector<incident::Incident> incidents_of(const GateSources& sources, const AgentName& agent) {
    incident::Filter filter;
    filter.kind = IncidentKind::Real;
    filter.limit = incidents_max;
    std::vector<incident::Incident> all = sources.desk.list(filter);
    const std::set<std::string> names = names_of(sources, agent);
    std::erase_if(all, [&](const incident::Incident& each) {
        return !agent.empty() && !names.contains(each.agent.text());
    });
    return all;
}

/// Runs cases against candidates, one candidate an agent.
class CaseRunner {
public:
    CaseRunner(const GateSources& sources, const server::GateQuestion& question)
        : sources_(sources), question_(question) {}

    Result<void> run(const std::vector<prevent::CasePtr>& cases, prevent::GateFacts& facts) {
        std::vector<prevent::Check> checks;
        for (const prevent::CasePtr& each : cases) {
            Result<const prevent::Candidate*> candidate = candidate_for(
                facts.agent.empty() ? each->agent : facts.agent
            );
            if (candidate) {
                checks.push_back(prevent::run_case(*each, **candidate));
            } else if (candidate.error().code == ErrorCode::InvalidArgument || is_named()) {
                return std::unexpected(std::move(candidate.error()));
            } else {
                facts.cases_not_run = each->agent.text() + ": " + candidate.error().message;
                return {};
            }
        }
        facts.cases = std::move(checks);
        return {};
    }

private:
    [[nodiscard]] bool is_named() const {
        return !question_.bundle.empty() || !question_.bundle_file.empty();
    }

    Result<std::string> file_for(const AgentName& agent) const {
        if (!question_.bundle_file.empty()) {
            return question_.bundle_file;
        }
        if (!sources_.bundle) {
            return fail(ErrorCode::Unavailable, "this server does not know what is released");
        }
        return sources_.bundle(agent, question_.bundle);
    }

    Result<const prevent::Candidate*> candidate_for(const AgentName& agent) {
        const auto known = candidates_.find(agent);
        if (known != candidates_.end()) {
            return &known->second;
        }
        const std::shared_ptr<const Configured> configured = sources_.configured();
        CandidateParts parts;
        const std::string file = TAGOUT_TRY(file_for(agent));
        parts.bundle = TAGOUT_TRY(read_bundle(file));
        parts.name = is_named() ? "the candidate" : "what is in force";
        if (!parts.bundle->id.empty()) {
            parts.name += " (" + parts.bundle->id + ")";
        }
        parts.thresholds = configured->detection;
        parts.catalog = configured->catalog;
        prevent::Candidate made = TAGOUT_TRY(candidate_of(std::move(parts), sources_.compile));
        return &candidates_.emplace(agent, std::move(made)).first->second;
    }

    const GateSources& sources_;
    const server::GateQuestion& question_;
    std::map<AgentName, prevent::Candidate> candidates_;
};

void add_telemetry(const GateSources& sources, prevent::GateFacts& facts) {
    for (const DirectoryAgent& agent : sources.directory.agents(facts.now)) {
        const bool wanted = facts.agent.empty() || agent.name == facts.agent.text();
        if (wanted && agent.last_seen_at > facts.telemetry_at.value_or(Instant{})) {
            facts.telemetry_at = agent.last_seen_at;
        }
    }
}

}  // namespace

Result<prevent::Gate> judge_gate(
    const GateSources& sources, const prevent::RegressionBook& book, const prevent::Reviews& reviews,
    const prevent::Actions& actions, const server::GateQuestion& question
) {
    const prevent::Settings settings = sources.configured()->gate;
    prevent::GateFacts facts;
    facts.agent = question.agent;
    facts.now = sources.clock.now();
    facts.bundle = question.bundle;
    if (!question.bundle_file.empty()) {
        const BundleFile candidate = TAGOUT_TRY(read_bundle(question.bundle_file));
        facts.bundle = candidate.id;
        // A bundle is of one agent: nobody asks about others with it.
        facts.agent = facts.agent.empty() ? candidate.agent : facts.agent;
    }
    if (!facts.bundle.empty() && facts.agent.empty()) {
        return fail(ErrorCode::InvalidArgument, "a bundle is of one agent; say which (--agent NAME)");
    }
    const std::vector<incident::Incident> incidents = incidents_of(sources, facts.agent);
    facts.recurrences = prevent::recurrences_by_cause(
        incidents, settings.recurrence_window, facts.now, sources.sessions_since
    );
    for (const incident::Incident& each : incidents) {
        if (each.severity <= Severity::Sev2) {
            facts.incidents.push_back(each);
        }
    }
    for (prevent::Action& action : actions.due()) {
        const bool wanted =
            facts.agent.empty() ||
            std::ranges::find(incidents, action.incident, &incident::Incident::id) != incidents.end();
        if (wanted) {
            facts.overdue.push_back(std::move(action));
        }
    }
    for (const prevent::Review& review : reviews.list()) {
        if (review.state == prevent::ReviewState::Published) {
            facts.reviewed.push_back(review.incident);
        }
    }
    std::vector<prevent::CasePtr> cases = book.list(AgentName(), IncidentId());
    const std::set<std::string> names = names_of(sources, facts.agent);
    std::erase_if(cases, [&](const prevent::CasePtr& each) {
        return !facts.agent.empty() && !names.contains(each->agent.text());
    });
    for (const prevent::CasePtr& each : cases) {
        facts.with_cases.push_back(each->incident);
    }
    TAGOUT_TRY(CaseRunner(sources, question).run(cases, facts));
    if (sources.controls) {
        facts.controls = sources.controls(facts.agent);
    }
    if (sources.journeys) {
        facts.journeys = sources.journeys(facts.agent);
    }
    if (sources.last_known_good) {
        facts.last_known_good = sources.last_known_good(facts.agent);
    }
    add_telemetry(sources, facts);
    return prevent::evaluate(facts, settings);
}

}  // namespace tagout::app
