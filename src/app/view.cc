#include "app/view.h"

#include "app/metrics.h"
#include "app/trace_view.h"
#include "incident/incident_json.h"

#include <boost/json.hpp>

#include <algorithm>
#include <map>

namespace tagout::app {

namespace {

namespace json = boost::json;

constexpr std::size_t incidents_max = 1'000;
constexpr std::size_t now_incidents_max = 50;
constexpr std::size_t contributors_max = 10;
constexpr Duration one_hour = std::chrono::hours(1);
constexpr Duration board_incidents = std::chrono::days(90);

struct ClassText {
    std::string_view title;
    std::string_view meaning;
};

ClassText text_of(FailureClass failure_class) {
    switch (failure_class) {
        case FailureClass::Intent:
            return {
                "Intent misclassification", "The agent does the wrong thing for a valid request."};
        case FailureClass::Tool:
            return {"Tool misuse", "The agent calls tools with invalid or risky arguments."};
        case FailureClass::Context:
            return {"Context drift", "The agent has lost, stale or contradictory context."};
        case FailureClass::Safety:
            return {"Safety and policy bypass", "The agent obeys somebody it must not obey."};
        case FailureClass::Cost:
            return {"Cost and latency runaway", "The agent burns tokens, money or time."};
    }
    return {"?", "?"};
}

std::vector<incident::Incident> open_incidents(const incident::Desk& desk) {
    incident::Filter filter;
    filter.limit = incidents_max;
    std::vector<incident::Incident> found = desk.list(filter);
    std::erase_if(found, [](const incident::Incident& each) {
        return each.state == IncidentState::Closed || each.state == IncidentState::Resolved ||
               each.state == IncidentState::Review;
    });
    std::ranges::stable_sort(found, {}, [](const incident::Incident& each) {
        return each.severity;
    });
    return found;
}

std::vector<incident::Incident> all_incidents(const incident::Desk& desk) {
    incident::Filter filter;
    filter.limit = incidents_max;
    for (int state = 1; state <= static_cast<int>(IncidentState::Cancelled); ++state) {
        filter.states.push_back(static_cast<IncidentState>(state));
    }
    return desk.list(filter);
}

json::array summaries(std::span<const incident::Incident> incidents, std::size_t limit) {
    json::array out;
    for (const incident::Incident& each : incidents.first(std::min(limit, incidents.size()))) {
        out.push_back(incident::tree_of(each, incident::Detail::Summary));
    }
    return out;
}

json::object points_json(const detect::OutcomePoint& point) {
    return {
        {"at", to_rfc3339(point.at)},
        {"succeeded", point.succeeded},
        {"failed", point.failed},
        {"abandoned", point.abandoned},
        {"denied", point.denied},
        {"unknown", point.unknown},
    };
}

json::object signal_json(const detect::SignalBoard& board) {
    json::array points;
    for (const detect::SignalPoint& point : board.points) {
        points.push_back(
            {{"at", to_rfc3339(point.at)},
             {"observed", point.observed},
             {"findings", point.findings}}
        );
    }
    return {
        {"signal", board.signal},
        {"meaning", board.meaning},
        {"unit", board.unit},
        {"threshold", board.threshold},
        {"points", std::move(points)},
    };
}

/// Who is behind this class's findings of the last hour, worst first.
json::array contributors(
    std::span<const incident::Incident> incidents, FailureClass failure_class, Instant since
) {
    std::map<std::pair<std::string, std::string>, std::uint64_t> counts;
    for (const incident::Incident& each : incidents) {
        if (each.failure_class == failure_class && each.last_finding_at >= since) {
            counts[{each.agent.text(), each.tool.text()}] += each.finding_count;
        }
    }
    std::vector<std::pair<std::pair<std::string, std::string>, std::uint64_t>> ranked(
        counts.begin(), counts.end()
    );
    std::ranges::stable_sort(ranked, [](const auto& a, const auto& b) {
        return a.second > b.second;
    });
    json::array out;
    for (const auto& [who, findings] : ranked) {
        if (out.size() >= contributors_max) {
            break;
        }
        json::object row{{"agent", who.first}, {"findings", findings}};
        if (!who.second.empty()) {
            row["tool"] = who.second;
        }
        out.push_back(std::move(row));
    }
    return out;
}

json::object owner_json(const catalog::OwnerRule* rule) {
    json::object out;
    if (rule == nullptr) {
        return out;
    }
    const auto put = [&](std::string_view name, const std::string& text) {
        if (!text.empty()) {
            out[name] = text;
        }
    };
    put("team", rule->team);
    put("contact", rule->contact);
    put("channel", rule->channel);
    put("rule", rule->match);
    return out;
}

json::object tool_json(const std::string& name, const catalog::Catalog& catalog) {
    const catalog::ToolFacts facts = catalog.tool(name);
    return {
        {"name", name},
        {"effect", name_of(facts.effect)},
        {"risk", name_of(facts.risk)},
        {"reversibility", name_of(facts.reversibility)},
        {"configured", facts.configured},
    };
}

json::array texts(const std::set<std::string>& names) {
    json::array out;
    for (const std::string& name : names) {
        out.push_back(json::string(name));
    }
    return out;
}

json::object agent_json(
    const DirectoryAgent& agent, bool configured, const AgentCalls& calls,
    const catalog::Catalog& catalog
) {
    const std::string service = agent.services.empty() ? "" : *agent.services.begin();
    const std::string workflow = agent.workflows.empty() ? "" : *agent.workflows.begin();
    json::array tools;
    for (const std::string& tool : agent.tools) {
        tools.push_back(tool_json(tool, catalog));
    }
    json::object out{
        {"name", agent.name},
        {"configured", configured},
        {"owner", owner_json(catalog.owner_of("", agent.name, workflow, service))},
        {"services", texts(agent.services)},
        {"workflows", texts(agent.workflows)},
        {"models", texts(agent.models)},
        {"tools", std::move(tools)},
        {"sessions_last_hour", agent.sessions_last_hour},
        {"failed_last_hour", agent.failed_last_hour},
    };
    json::array unseen_tools;
    for (const auto& [tool, counts] : calls.unseen_tools) {
        unseen_tools.push_back({{"name", tool}, {"calls", counts.calls}, {"unseen", counts.unseen}}
        );
    }
    out["calls_last_hour"] = calls.all.calls;
    out["unseen_last_hour"] = calls.all.unseen;
    out["unseen_tools"] = std::move(unseen_tools);
    if (agent.last_seen_at > Instant{}) {
        out["last_seen_at"] = to_rfc3339(agent.last_seen_at);
    }
    return out;
}

json::object notice_json(const notify::NoticeView& notice) {
    json::object out{
        {"id", notice.id},
        {"incident", notice.incident},
        {"channel", notice.channel},
        {"type", notice.type},
        {"event", notice.event},
        {"state", notify::name_of(notice.state)},
        {"attempts", notice.attempts},
        {"created_at", to_rfc3339(notice.created_at)},
    };
    if (notice.last_status > 0) {
        out["last_status"] = notice.last_status;
    }
    if (!notice.last_error.empty()) {
        out["last_error"] = notice.last_error;
    }
    if (notice.delivered_at) {
        out["delivered_at"] = to_rfc3339(*notice.delivered_at);
    }
    if (notice.next_attempt_at) {
        out["next_attempt_at"] = to_rfc3339(*notice.next_attempt_at);
    }
    return out;
}

std::string hex_of(const journal::Digest& digest) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t byte : digest) {
        text += digits[byte >> 4U];
        text += digits[byte & 15U];
    }
    return text;
}

json::object entry_json(const journal::JournalEntry& entry) {
    boost::system::error_code error;
    json::value body = json::parse(entry.draft.body, error);
    return {
        {"sequence", entry.sequence},
        {"recorded_at", to_rfc3339(entry.recorded_at)},
        {"occurred_at", to_rfc3339(entry.draft.occurred_at)},
        {"kind", entry.draft.kind},
        {"subject", entry.draft.subject},
        {"actor", entry.draft.actor.text()},
        {"reason", entry.draft.reason},
        {"body", error || !body.is_object() ? json::value(json::object{}) : std::move(body)},
        {"hash", hex_of(entry.hash)},
    };
}

}  // namespace

std::string situation(
    std::span<const incident::Incident> open, const PipelineStats& stats,
    const OutcomeCounts& last_hour, Instant now
) {
    if (!open.empty()) {
        const incident::Incident& worst = open.front();
        std::string text = std::string(name_of(worst.severity)) + ": " + worst.title;
        const bool still = now - worst.last_finding_at < std::chrono::minutes(2);
        text += still ? " - still going on"
                      : " - nothing new since " + to_rfc3339(worst.last_finding_at).substr(11, 5) +
                            " UTC";
        return text + ".";
    }
    if (stats.items == 0) {
        return "No telemetry has arrived yet.";
    }
    constexpr std::uint64_t failures_told_min = 10;
    const auto count = [&](SessionOutcome outcome) {
        return last_hour.by_outcome[static_cast<std::size_t>(outcome)];
    };
    const std::uint64_t failed = count(SessionOutcome::Failed);
    const std::uint64_t judged = failed + count(SessionOutcome::Succeeded);
    if (failed >= failures_told_min && failed * 2 > judged) {
        return "No open incident, but " + std::to_string(failed) + " of " + std::to_string(judged) +
               " sessions of the last hour failed: their errors fit no signal, look at them.";
    }
    return "All is well: no open incident.";
}

LiveView::LiveView(ViewParts parts) : parts_(std::move(parts)) {}

std::string LiveView::now() const {
    const Instant at = parts_.clock.now();
    const std::vector<incident::Incident> open = open_incidents(parts_.desk);
    const PipelineStats stats = parts_.pipeline.stats();
    json::object counts{{"SEV1", 0}, {"SEV2", 0}, {"SEV3", 0}};
    std::map<FailureClass, std::int64_t> open_of_class;
    for (const incident::Incident& each : open) {
        json::value& count = counts[name_of(each.severity)];
        count = count.as_int64() + 1;
        ++open_of_class[each.failure_class];
    }
    std::map<FailureClass, std::uint64_t> findings_of_class;
    for (const incident::Incident& each : all_incidents(parts_.desk)) {
        if (each.last_finding_at >= at - one_hour) {
            findings_of_class[each.failure_class] += each.finding_count;
        }
    }
    json::array classes;
    for (const FailureClass failure_class : failure_classes) {
        classes.push_back({
            {"class", name_of(failure_class)},
            {"open", open_of_class[failure_class]},
            {"findings_last_hour", findings_of_class[failure_class]},
        });
    }
    const OutcomeCounts ended = parts_.directory.last_hour(at);
    json::object sessions{{"live", stats.sessions.sessions_live}};
    for (std::size_t i = 0; i < ended.by_outcome.size(); ++i) {
        sessions[name_of(static_cast<SessionOutcome>(i))] = ended.by_outcome[i];
    }
    json::object intake{
        {"items_total", stats.items},
        {"items_per_second", items_per_second_.load()},
        {"rejected_total", 0},
        {"shed_total", 0},
    };
    std::uint64_t rejected = 0;
    std::uint64_t shed = 0;
    for (const Signal signal : {Signal::Traces, Signal::Logs, Signal::Metrics}) {
        const std::string_view labels[] = {name_of(signal)};
        rejected += parts_.metrics.counter(items_rejected_total, labels).value();
    }
    for (const std::string_view reason : {"stopping", "queue_full", "evidence_full"}) {
        const std::string_view labels[] = {reason};
        shed += parts_.metrics.counter(items_shed_total, labels).value();
    }
    intake["rejected_total"] = rejected;
    intake["shed_total"] = shed;
    if (stats.last_received_at > Instant{}) {
        intake["last_received_at"] = to_rfc3339(stats.last_received_at);
    }
    return json::serialize(json::object{
        {"at", to_rfc3339(at)},
        {"sentence", situation(open, stats, ended, at)},
        {"open", std::move(counts)},
        {"incidents", summaries(open, now_incidents_max)},
        {"intake", std::move(intake)},
        {"sessions", std::move(sessions)},
        {"classes", std::move(classes)},
    });
}

Result<std::string> LiveView::trace(std::string_view correlation, std::size_t limit) {
    std::vector<Finding> findings;
    for (const incident::Incident& each : all_incidents(parts_.desk)) {
        for (const Finding& finding : each.findings) {
            if (finding.correlation.text() == correlation || finding.trace_id == correlation) {
                findings.push_back(finding);
            }
        }
    }
    return json::serialize(TAGOUT_TRY(trace_json(parts_.evidence, findings, correlation, limit)));
}

std::string LiveView::class_board(FailureClass failure_class) const {
    const Instant at = parts_.clock.now();
    json::array signals;
    json::array outcomes;
    for (const detect::ClassBoard& board : parts_.pipeline.boards()) {
        if (board.failure_class != failure_class) {
            continue;
        }
        for (const detect::SignalBoard& signal : board.signals) {
            signals.push_back(signal_json(signal));
        }
        for (const detect::OutcomePoint& point : board.outcomes) {
            outcomes.push_back(points_json(point));
        }
    }
    std::vector<incident::Incident> incidents = all_incidents(parts_.desk);
    json::array who = contributors(incidents, failure_class, at - one_hour);
    std::erase_if(incidents, [&](const incident::Incident& each) {
        return each.failure_class != failure_class || each.state == IncidentState::Signal ||
               each.last_finding_at + board_incidents < at;
    });
    const ClassText text = text_of(failure_class);
    return json::serialize(json::object{
        {"class", name_of(failure_class)},
        {"title", text.title},
        {"meaning", text.meaning},
        {"signals", std::move(signals)},
        {"outcomes", std::move(outcomes)},
        {"incidents", summaries(incidents, incidents_max)},
        {"contributors", std::move(who)},
    });
}

std::string LiveView::agents() const {
    const std::shared_ptr<const Configured> configured = parts_.configured();
    const catalog::Catalog& catalog = *configured->catalog;
    std::map<std::string, std::pair<DirectoryAgent, bool>> all;
    for (DirectoryAgent& agent : parts_.directory.agents(parts_.clock.now())) {
        const std::string name = agent.name;
        all[name] = {std::move(agent), false};
    }
    for (const catalog::Agent& agent : catalog.contents().agents) {
        auto& [seen, is_configured] = all[agent.name.text()];
        seen.name = agent.name.text();
        is_configured = true;
        for (const WorkflowName& workflow : agent.workflows) {
            seen.workflows.insert(workflow.text());
        }
        for (const ToolName& tool : agent.tools) {
            seen.tools.insert(tool.text());
        }
    }
    const auto calls = parts_.bypass.last_hour(parts_.clock.now());
    json::array out;
    for (const auto& [name, agent] : all) {
        const auto found = calls.find(name);
        out.push_back(agent_json(
            agent.first, agent.second, found == calls.end() ? AgentCalls{} : found->second, catalog
        ));
    }
    return json::serialize(json::object{{"agents", std::move(out)}});
}

std::string LiveView::notices(std::string_view incident, std::size_t limit) const {
    json::array out;
    for (const notify::NoticeView& notice : parts_.notifier.list(incident, limit)) {
        out.push_back(notice_json(notice));
    }
    return json::serialize(json::object{{"notices", std::move(out)}});
}

Result<std::string> LiveView::test_notice(std::string_view channel) {
    const notify::NoticeView notice = TAGOUT_TRY(parts_.notifier.test(std::string(channel)));
    return json::serialize(notice_json(notice));
}

Result<std::string> LiveView::journal(std::uint64_t from, std::size_t limit) {
    json::array entries;
    std::uint64_t next = 0;
    TAGOUT_TRY(parts_.journal.read(from, [&](const journal::JournalEntry& entry) {
        if (entries.size() >= limit) {
            next = entry.sequence;
            return false;
        }
        entries.push_back(entry_json(entry));
        return true;
    }));
    json::object out{{"entries", std::move(entries)}};
    if (next > 0) {
        out["next"] = next;
    }
    return json::serialize(out);
}

std::string LiveView::settings() const {
    const std::vector<catalog::SettingDeclared> defaults = settings_of(Configured{});
    const std::vector<catalog::SettingDeclared> values = settings_of(*parts_.configured());
    json::array out;
    for (std::size_t i = 0; i < values.size(); ++i) {
        json::object row{
            {"path", values[i].path},
            {"value", values[i].value},
            {"default", defaults[i].value},
            {"help", values[i].help},
        };
        if (!values[i].unit.empty()) {
            row["unit"] = values[i].unit;
        }
        out.push_back(std::move(row));
    }
    return json::serialize(json::object{{"settings", std::move(out)}});
}

Result<std::string> LiveView::reload(const Actor& by) {
    const std::uint64_t revision = TAGOUT_TRY(parts_.reload(by));
    return json::serialize(json::object{{"revision", revision}});
}

std::string LiveView::not_ready() const {
    return parts_.not_ready();
}

void LiveView::refresh_metrics() {
    const PipelineStats stats = parts_.pipeline.stats();
    const journal::EvidenceStats evidence = parts_.evidence.stats();
    MetricRegistry& metrics = parts_.metrics;
    const auto set = [&](const MetricInfo& info, std::uint64_t value) {
        metrics.gauge(info).set(static_cast<double>(value));
    };
    const auto advance = [&](const MetricInfo& info, std::uint64_t total) {
        metrics.counter(info).advance_to(total);
    };
    set(queue_batches, stats.queued_batches);
    set(sessions_live, stats.sessions.sessions_live);
    advance(late_events_total, stats.sessions.late_events + stats.keys.late_events);
    advance(repeated_calls_total, stats.sessions.repeated_calls);
    advance(sessions_evicted_total, stats.sessions.sessions_evicted);
    advance(keys_refused_total, stats.keys.keys_refused + stats.sessions.keys_refused);
    advance(traces_forgotten_total, stats.linker.traces_forgotten);
    advance(duplicates_total, stats.linker.duplicates);
    set(evidence_items, evidence.items);
    set(evidence_bytes, evidence.bytes_on_disk);
    advance(evidence_dropped_total, evidence.dropped_by_retention);
    std::map<Severity, std::uint64_t> open;
    for (const incident::Incident& each : open_incidents(parts_.desk)) {
        ++open[each.severity];
    }
    for (const Severity severity : {Severity::Sev1, Severity::Sev2, Severity::Sev3}) {
        const std::string_view labels[] = {name_of(severity)};
        metrics.gauge(incidents_open, labels).set(static_cast<double>(open[severity]));
    }
}

void LiveView::sample_rate() {
    const std::size_t at = next_sample_.load();
    const Sample newest{parts_.clock.now(), parts_.pipeline.stats().items};
    const Sample& oldest = samples_[at < samples_.size() ? 0 : at % samples_.size()];
    if (at > 0 && newest.at > oldest.at) {
        const double seconds = std::chrono::duration<double>(newest.at - oldest.at).count();
        items_per_second_.store(static_cast<double>(newest.items - oldest.items) / seconds);
    }
    samples_[at % samples_.size()] = newest;
    next_sample_.store(at + 1);
}

}  // namespace tagout::app
