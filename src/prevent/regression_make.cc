#include "prevent/regression_make.h"

#include "prevent/redact.h"

#include <boost/json.hpp>

#include <algorithm>
#include <set>

namespace tagout::prevent {

namespace {

namespace json = boost::json;

constexpr std::size_t text_bytes_max = 16 * 1024;
constexpr std::size_t short_text_bytes_max = 2 * 1024;
constexpr std::size_t default_matchers_max = 8;
constexpr std::size_t default_calls_max = 20;
constexpr std::size_t why_bytes_max = 300;
/// Seen in a result and not obeyed: the call that read it did nothing wrong.
constexpr std::string_view seen_only = "safety.instruction_in_result";

std::string clipped(std::string_view text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) {
        return std::string(text);
    }
    std::size_t end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
        --end;
    }
    return std::string(text.substr(0, end)) + " [clipped]";
}

void redact(Redactor& redactor, RecordedSession& session) {
    session.run.id = redactor.text(session.run.id);
    for (intake::RecordedTurn& turn : session.run.turns) {
        turn.content = turn.role == intake::TurnRole::Tool ? redactor.json(turn.content)
                                                           : redactor.text(turn.content);
        for (intake::RecordedCall& call : turn.tool_calls) {
            call.arguments = redactor.json(call.arguments);
        }
    }
}

void clip(RecordedSession& session, std::size_t bytes_max) {
    for (intake::RecordedTurn& turn : session.run.turns) {
        turn.content = clipped(turn.content, bytes_max);
    }
}

bool is_harmful(const Finding& finding, ToolEffect effect) {
    if (finding.signal == seen_only) {
        return false;
    }
    return finding.write_completed || effect == ToolEffect::Write || effect == ToolEffect::Egress ||
           finding.failure_class == FailureClass::Tool ||
           finding.failure_class == FailureClass::Safety;
}

/// The very call: its tool, and each plain value of its arguments.
HarmfulCall harmful_call(const intake::RecordedCall& call, std::string why) {
    HarmfulCall harmful{call.name, std::move(why), {}};
    boost::system::error_code error;
    const json::value arguments = json::parse(call.arguments, error);
    if (error || !arguments.is_object()) {
        return harmful;
    }
    for (const auto& [name, value] : arguments.as_object()) {
        if (value.is_object() || value.is_array() || harmful.arguments.size() >= default_matchers_max) {
            continue;
        }
        std::string pointer = "/";
        for (const char c : name) {
            pointer += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
        }
        harmful.arguments.push_back(ArgumentMatcher{
            std::move(pointer), ArgumentMatcher::Kind::Equals, json::serialize(value), 0});
    }
    return harmful;
}

std::vector<HarmfulCall> pointed_calls(
    const incident::Incident& incident, const std::vector<Transcript>& transcripts,
    const std::vector<CorrelationId>& correlations, const catalog::Catalog& catalog, Redactor& redactor
) {
    std::vector<HarmfulCall> calls;
    for (const Finding& finding : incident.findings) {
        const auto session = std::ranges::find(correlations, finding.correlation);
        if (session == correlations.end()) {
            continue;
        }
        const Transcript& transcript =
            transcripts[static_cast<std::size_t>(session - correlations.begin())];
        for (const auto& [span, position] : transcript.calls) {
            const intake::RecordedCall& call =
                transcript.session.run.turns[position.turn].tool_calls[position.call];
            const bool pointed = span == finding.span_id;
            const ToolEffect effect = catalog.tool(call.name).effect;
            if (!pointed || !is_harmful(finding, effect)) {
                continue;
            }
            HarmfulCall harmful = harmful_call(
                call, clipped(finding.signal + ": " + redactor.text(finding.evidence), why_bytes_max)
            );
            const bool known = std::ranges::any_of(calls, [&](const HarmfulCall& other) {
                return other.tool == harmful.tool && other.arguments == harmful.arguments;
            });
            if (!known && calls.size() < default_calls_max) {
                calls.push_back(std::move(harmful));
            }
        }
    }
    return calls;
}

std::vector<RecordedTool> tools_of(
    const std::vector<RecordedSession>& sessions, const catalog::Catalog& catalog
) {
    std::set<std::string> names;
    for (const RecordedSession& session : sessions) {
        for (const intake::RecordedTurn& turn : session.run.turns) {
            for (const intake::RecordedCall& call : turn.tool_calls) {
                names.insert(call.name);
            }
        }
    }
    std::vector<RecordedTool> tools;
    for (const std::string& name : names) {
        const catalog::ToolFacts facts = catalog.tool(name);
        const catalog::Tool* const configured = catalog.configured_tool(name);
        tools.push_back(RecordedTool{
            name, configured == nullptr ? "" : configured->server, facts.effect, facts.risk});
    }
    return tools;
}

/// Fits the journal: shorter texts first, then fewer sessions.
Result<void> fit(RegressionCase& regression) {
    if (to_json(regression).size() <= case_bytes_max) {
        return {};
    }
    for (RecordedSession& session : regression.sessions) {
        clip(session, short_text_bytes_max);
    }
    while (regression.sessions.size() > 1 && to_json(regression).size() > case_bytes_max) {
        regression.sessions.pop_back();
        ++regression.sessions_left_out;
    }
    if (to_json(regression).size() > case_bytes_max) {
        return fail(
            ErrorCode::LimitExceeded,
            "one recorded session alone is over " + std::to_string(case_bytes_max) +
                " bytes; hand in must_not about a shorter session"
        );
    }
    return {};
}

/// A finding that came before the agent was named has its service's name instead; by now it is told.
AgentName agent_of(
    const incident::Incident& incident, std::span<const SessionEvents> sessions,
    const std::vector<RecordedSession>& recorded
) {
    for (const SessionEvents& session : sessions) {
        if (std::ranges::find(session.events, incident.agent.text(), &AgentEvent::agent_name) !=
            session.events.end()) {
            return incident.agent;
        }
    }
    for (const RecordedSession& session : recorded) {
        if (!session.run.agent.empty()) {
            return AgentName(session.run.agent);
        }
    }
    return incident.agent;
}

bool occurs(const HarmfulCall& harmful, const RegressionCase& regression) {
    for (const RecordedSession& session : regression.sessions) {
        for (const intake::RecordedTurn& turn : session.run.turns) {
            if (std::ranges::any_of(turn.tool_calls, [&](const intake::RecordedCall& call) {
                    return matches(harmful, call);
                })) {
                return true;
            }
        }
    }
    return false;
}

Result<void> check_request(const RegressionCase& regression, const CaseRequest& request) {
    if (regression.must_not.empty()) {
        return fail(ErrorCode::InvalidArgument, "must_not says nothing; name calls or signals");
    }
    for (const HarmfulCall& harmful : regression.must_not.calls) {
        if (!occurs(harmful, regression)) {
            return fail(
                ErrorCode::Conflict,
                "no recorded call matches must_not " + harmful.tool +
                    "; the case could never fail, so correct the tool or the arguments"
            );
        }
    }
    if (!regression.must_not.signals.empty() && request.replay) {
        const std::vector<std::string> fired = TAGOUT_TRY(request.replay(regression.sessions));
        for (const std::string& signal : regression.must_not.signals) {
            if (std::ranges::find(fired, signal) == fired.end()) {
                return fail(
                    ErrorCode::Conflict,
                    signal + " does not fire when the recording is replayed; the case could never "
                             "fail, so name a call or another signal"
                );
            }
        }
    }
    return {};
}

Result<void> add_signals(
    const incident::Incident& incident, const CaseRequest& request, RegressionCase& regression
) {
    std::vector<std::string> fired;
    if (request.replay) {
        fired = TAGOUT_TRY(request.replay(regression.sessions));
    }
    for (const std::string& signal : incident.signals) {
        if (std::ranges::find(fired, signal) != fired.end()) {
            regression.must_not.signals.push_back(signal);
        }
    }
    if (regression.must_not.empty()) {
        return fail(
            ErrorCode::Conflict,
            "no finding of " + incident.id.text() +
                " points at a call that did harm, and none of its signals shows again when the "
                "recording is replayed, so no case could fail; say what must not happen in must_not"
        );
    }
    return {};
}

}  // namespace

std::vector<CorrelationId> sessions_of(const incident::Incident& incident) {
    const auto rank = [](const Finding& finding) {
        return (finding.outcome == SessionOutcome::Failed ? 0 : 2) +
               (finding.explained_by.empty() ? 0 : 1);
    };
    std::vector<const Finding*> ordered;
    for (const Finding& finding : incident.findings) {
        if (!finding.correlation.empty()) {
            ordered.push_back(&finding);
        }
    }
    std::ranges::stable_sort(ordered, {}, [&](const Finding* finding) { return rank(*finding); });
    std::vector<CorrelationId> sessions;
    for (const Finding* const finding : ordered) {
        if (std::ranges::find(sessions, finding->correlation) == sessions.end()) {
            sessions.push_back(finding->correlation);
        }
    }
    return sessions;
}

Result<RegressionCase> make_case(
    const incident::Incident& incident, std::span<const SessionEvents> sessions,
    const catalog::Catalog& catalog, const CaseRequest& request
) {
    RegressionCase made;
    Redactor redactor;
    std::vector<Transcript> transcripts;
    std::vector<CorrelationId> correlations;
    for (const SessionEvents& session : sessions) {
        if (made.sessions.size() >= case_sessions_max) {
            ++made.sessions_left_out;
            continue;
        }
        Transcript transcript = transcript_of(session);
        if (transcript.session.run.turns.empty()) {
            continue;
        }
        for (const Finding& finding : incident.findings) {
            if (finding.correlation == session.correlation && finding.explained_by.empty()) {
                transcript.session.outcome = finding.outcome;
            }
        }
        redact(redactor, transcript.session);
        clip(transcript.session, text_bytes_max);
        made.sessions.push_back(transcript.session);
        transcripts.push_back(std::move(transcript));
        correlations.push_back(session.correlation);
    }
    if (made.sessions.empty()) {
        return fail(
            ErrorCode::NotFound,
            "nothing is recorded of the sessions of " + incident.id.text() +
                ": their telemetry carried no texts and no calls, or passed its retention; a case "
                "needs one recorded session"
        );
    }
    made.id = request.id;
    made.incident = incident.id;
    made.title = redactor.text(incident.title);
    made.failure_class = incident.failure_class;
    made.cause = redactor.text(incident.cause);
    made.agent = agent_of(incident, sessions, made.sessions);
    made.workflow = incident.workflow;
    made.environment = incident.environment;
    made.created_at = request.now;
    made.created_by = request.by;
    made.reason = request.reason;
    made.signals = incident.signals;
    for (RecordedSession& session : made.sessions) {
        const auto fill = [](std::string& told, const std::string& released) {
            told = told.empty() ? released : told;
        };
        fill(session.versions.prompt, request.released.prompt);
        fill(session.versions.policy, request.released.policy);
        fill(session.versions.model_route, request.released.model_route);
        fill(made.versions.prompt, session.versions.prompt);
        fill(made.versions.policy, session.versions.policy);
        fill(made.versions.model_route, session.versions.model_route);
    }
    made.tools = tools_of(made.sessions, catalog);
    made.must_not =
        request.must_not
            ? *request.must_not
            : MustNot{pointed_calls(incident, transcripts, correlations, catalog, redactor), {}};
    made.values_redacted = redactor.replaced();
    TAGOUT_TRY(fit(made));
    if (!request.must_not) {
        // Of a session for which there was no room.
        std::erase_if(made.must_not.calls, [&](const HarmfulCall& harmful) {
            return !occurs(harmful, made);
        });
    }
    if (!request.must_not && made.must_not.calls.empty()) {
        TAGOUT_TRY(add_signals(incident, request, made));
    }
    TAGOUT_TRY(check_request(made, request));
    return made;
}

}  // namespace tagout::prevent
