// The cost signals beside token spikes: latency and queues by tool, model and metric; what a good
// outcome costs by workflow.
#include "detect/key_state.h"
#include "detect/signal_id.h"

#include <algorithm>
#include <cstdio>

namespace tagout::detect {

namespace {

std::string short_number(double value) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.3g", value);
    return text;
}

std::string times_usual(double ratio, double usual, std::string_view unit) {
    return ", " + short_number(ratio) + " times the usual " + short_number(usual) +
           std::string(unit);
}

/// The tool or model that a key "tool NAME" or "model NAME" is about.
std::string_view name_in(std::string_view key, std::string_view kind) {
    return key.starts_with(kind) ? key.substr(kind.size()) : std::string_view();
}

}  // namespace

void KeyStage::State::take_load(
    const LoadKey& key, std::int64_t pane_number, const LoadPane& pane
) {
    const std::uint64_t events = pane.durations.n + pane.depths.n;
    if (pane_number < closed_before) {
        return;  // its calls are counted as late with the rates
    }
    if (!loads.contains(key) && keys_live() >= settings.keys_max) {
        stats.keys_refused += key.kind == LoadKind::Depth ? events : 0;  // calls: with the rates
        return;
    }
    loads[key].open[pane_number].merge(pane);
}

void KeyStage::State::renew_load(SignalId signal, const LoadKey& key, const LoadEpisode& episode) {
    const auto known = load_findings.find({signal, key.key});
    if (!episode.active) {
        if (known != load_findings.end()) {
            known->second.end();
        }
        return;
    }
    const SignalInfo& info = info_of(signal);
    StandingFinding& standing = load_findings[{signal, key.key}];
    Finding& finding = standing.finding;
    const std::string id = finding_id(info.name, key.key + "@" + std::to_string(episode.began));
    const bool is_new = !standing.active || finding.id != id;
    if (is_new) {
        finding = Finding{};
        finding.id = id;
        finding.failure_class = info.failure_class;
        finding.signal = info.name;
        finding.rate = true;
        finding.unit = info.unit;
        point_at(finding, episode.exemplar);
        finding.tool = ToolName(std::string(name_in(key.key, "tool ")));
        if (const std::string_view model = name_in(key.key, "model "); !model.empty()) {
            finding.model = model;
        }
        const auto agents = episode.agents.top();
        finding.agent = AgentName(agents.size() == 1 ? agents.front().name : "");
        finding.cause = key.key;
        finding.outcome = SessionOutcome::Unknown;
        finding.outcome_reason =
            "waiting alone fails nobody; timeouts and failed sessions tell more";
        boards.count_finding(signal, end_of(episode.last));
        standing.extent = Extent{};
        standing.active = true;
    }
    if (is_new || episode.ratio >= 2 * finding.observed) {
        finding.observed = episode.ratio;
        finding.threshold = episode.threshold;
        finding.score = std::min(0.97, 0.6 + 0.05 * episode.ratio);
        finding.seen_at = end_of(episode.last);
        const std::string seen = short_number(episode.observed);
        if (signal == SignalId::TailLatency) {
            finding.evidence = "the slow calls of " + key.key + " take " + seen + " s" +
                               times_usual(episode.ratio, episode.usual, " s");
        } else if (key.kind == LoadKind::Calls) {
            finding.evidence = seen + " calls of " + key.key + " are under way at once" +
                               times_usual(episode.ratio, episode.usual, "") +
                               ", and they take longer";
        } else {
            finding.evidence =
                key.key + " stands at " + seen + times_usual(episode.ratio, episode.usual, "");
        }
        standing.changed = true;
    }
}

void KeyStage::State::close_loads(std::int64_t pane) {
    const double pane_seconds = std::chrono::duration<double>(settings.pane).count();
    for (auto& [key, watch] : loads) {
        const bool had = !watch.open.empty();
        watch.close_panes(pane, pane_seconds, settings.cost, loads.size());
        if (had) {
            const Instant at = end_of(watch.last_pane());
            const double threshold = settings.cost.slow_ratio;
            if (key.kind == LoadKind::Calls) {
                boards.observe(SignalId::TailLatency, at, watch.slow_ratio(), threshold);
            }
            boards.observe(SignalId::QueueDepth, at, watch.queue_ratio(), threshold);
        }
        renew_load(SignalId::TailLatency, key, watch.slow());
        renew_load(SignalId::QueueDepth, key, watch.queue());
    }
}

void KeyStage::State::take_outcome_cost(const SessionFact& fact) {
    const std::string& key = fact.workflow.empty() ? fact.agent : fact.workflow;
    const bool first = fact.before == SessionOutcome::Unknown;
    if (!first || fact.outcome == SessionOutcome::Unknown || key.empty()) {
        return;  // an outcome revised later was counted when it was first known
    }
    if (!outcome_costs.contains(key) && keys_live() >= settings.keys_max) {
        ++stats.keys_refused;
        return;
    }
    OutcomeCostWatch& watch = outcome_costs[key];
    watch.add(fact, settings.cost, outcome_costs.size());
    boards.observe(SignalId::OutcomeCost, fact.at, watch.ratio(), settings.cost.outcome_ratio);
    renew_outcome_cost(key, watch);
}

void KeyStage::State::renew_outcome_cost(const std::string& key, const OutcomeCostWatch& watch) {
    const auto known = load_findings.find({SignalId::OutcomeCost, key});
    if (!watch.active()) {
        if (known != load_findings.end()) {
            known->second.end();
        }
        return;
    }
    const SignalInfo& info = info_of(SignalId::OutcomeCost);
    StandingFinding& standing = load_findings[{SignalId::OutcomeCost, key}];
    Finding& finding = standing.finding;
    const std::string id = finding_id(info.name, key + "@" + std::to_string(watch.began()));
    const bool is_new = !standing.active || finding.id != id;
    if (is_new) {
        const SessionFact& dearest = watch.dearest();
        finding = Finding{};
        finding.id = id;
        finding.failure_class = info.failure_class;
        finding.signal = info.name;
        finding.rate = true;
        finding.unit = info.unit;
        finding.correlation = CorrelationId(dearest.correlation);
        finding.agent = AgentName(dearest.agent);
        finding.workflow = WorkflowName(dearest.workflow);
        finding.cause = "spending";  // joins the token spike that causes it
        finding.outcome = SessionOutcome::Failed;
        finding.outcome_reason = "money was spent for outcomes that did not come";
        boards.count_finding(SignalId::OutcomeCost, watch.last_at());
        standing.extent = Extent{};
        standing.active = true;
    }
    standing.extent.tokens = watch.tokens();
    standing.extent.cost_usd = watch.cost_usd();
    standing.extent.users.merge(watch.users());
    if (is_new || standing.grew()) {
        const std::string unit = watch.in_usd() ? " USD" : " tokens";
        finding.observed = watch.ratio();
        finding.threshold = settings.cost.outcome_ratio;
        finding.score = std::min(0.97, 0.6 + 0.05 * watch.ratio());
        finding.seen_at = watch.last_at();
        finding.evidence = "a good outcome of " + key + " costs " + short_number(watch.observed()) +
                           unit + times_usual(watch.ratio(), watch.usual(), unit) + ": " +
                           std::to_string(watch.good()) + " of the newest " +
                           std::to_string(watch.sessions()) + " sessions were good";
        standing.tell_extent();
    }
}

}  // namespace tagout::detect
