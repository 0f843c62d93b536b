#include "detect/hash.h"
#include "detect/signal_id.h"
#include "detect/stage_state.h"
#include "detect/tool/written_values.h"
#include "intake/texts.h"

#include <algorithm>
#include <utility>

namespace tagout::detect {

namespace {

constexpr std::size_t evidence_bytes_max = 400;
constexpr double renew_factor = 2;  ///< A finding is told again when its number doubled.

/// Short enough to be read, and without what is left of characters that a quotation cut in two.
std::string presentable(std::string text) {
    if (text.size() > evidence_bytes_max) {
        text = std::string(intake::clipped(text, evidence_bytes_max - 3)) + "...";
    }
    const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    if (std::ranges::all_of(text, is_ascii)) {
        return text;
    }
    std::string whole;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = intake::character_length(text, at);
        whole.append(text, at, length);
        at += std::max<std::size_t>(length, 1);
    }
    return whole;
}

bool is_known(SessionOutcome outcome) noexcept {
    return outcome != SessionOutcome::Unknown;
}
bool is_failed(SessionOutcome outcome) noexcept {
    return outcome == SessionOutcome::Failed || outcome == SessionOutcome::Denied;
}

}  // namespace

std::string SessionStage::State::leader_of(const Session& session) {
    if (!session.trail) {
        return {};
    }
    for (const LiveFinding& live : session.trail->findings) {
        if (live.finding.explained_by.empty() && live.signal != SignalId::InstructionInResult) {
            return live.finding.id;
        }
    }
    return {};
}

bool SessionStage::State::is_clean(const Session& session) {
    return !session.trail ||
           std::ranges::none_of(session.trail->findings, [](const LiveFinding& live) {
               return live.finding.failure_class == FailureClass::Safety ||
                      live.finding.failure_class == FailureClass::Tool ||
                      live.finding.failure_class == FailureClass::Context;
           });
}

void SessionStage::State::send(Session& session, LiveFinding& live, Output& out) {
    Finding& finding = live.finding;
    if (!live.told_failed) {
        finding.agent = AgentName(names.text(session.actor()));
        finding.workflow = WorkflowName(names.text(session.workflow));
    }
    if (session.user != 0) {
        finding.users.add(session.user);
    }
    finding.tokens = std::max(finding.tokens, session.tokens);
    finding.cost_usd = std::max(finding.cost_usd, session.cost_usd);
    if (finding.explained_by.empty() &&
        (finding.outcome == SessionOutcome::Failed ||
         (finding.failure_class == FailureClass::Safety && finding.write_completed))) {
        live.told_failed = true;
    }
    out.findings.push_back(finding);
}

void SessionStage::State::raise(Session& session, Sighting sighting, Output& out) {
    std::vector<LiveFinding>& findings = session.own_trail().findings;
    const auto known = std::ranges::find(findings, sighting.signal, &LiveFinding::signal);
    if (known != findings.end()) {
        Finding& finding = known->finding;
        const bool written = sighting.write_completed && !finding.write_completed;
        if (!written && sighting.observed < finding.observed * renew_factor) {
            return;
        }
        finding.observed = std::max(finding.observed, sighting.observed);
        finding.score = std::max(finding.score, sighting.score);
        finding.write_completed = finding.write_completed || sighting.write_completed;
        finding.evidence = presentable(guarded.redact(std::move(sighting.evidence)));
        send(session, *known, out);
        return;
    }
    const SignalInfo& info = info_of(sighting.signal);
    const JudgedOutcome judged =
        judge_outcome(session.marks, settings.intent.session_corrections, names);
    LiveFinding live{.signal = sighting.signal, .finding = {}, .told_failed = false};
    Finding& finding = live.finding;
    finding.id = finding_id(info.name, session.correlation);
    finding.failure_class = info.failure_class;
    finding.signal = info.name;
    finding.correlation = CorrelationId(session.correlation);
    finding.trace_id = to_hex(sighting.place.trace_id);
    finding.span_id = to_hex(sighting.place.span_id);
    finding.step = sighting.place.step;
    finding.tool = ToolName(names.text(sighting.tool));
    finding.model = names.text(session.model);
    finding.service = names.text(session.service);
    finding.environment = names.text(session.environment);
    finding.prompt_version = names.text(session.prompt_version);
    finding.cause = std::move(sighting.cause);
    finding.seen_at = sighting.place.at;
    finding.score = sighting.score;
    finding.observed = sighting.observed;
    finding.threshold = sighting.threshold;
    finding.unit = info.unit;
    finding.evidence = presentable(guarded.redact(std::move(sighting.evidence)));
    finding.outcome = judged.outcome;
    finding.outcome_reason = judged.reason;
    finding.write_completed = sighting.write_completed;
    findings.push_back(std::move(live));
    const std::int64_t minute =
        unix_nanos(sighting.place.at) / Duration(std::chrono::minutes(1)).count();
    sums.rest().findings[minute][static_cast<std::size_t>(sighting.signal)] += 1;
    const std::size_t mine = findings.size() - 1;
    choose_leader(session, out);
    send(session, findings[mine], out);
}

void SessionStage::State::choose_leader(Session& session, Output& out) {
    std::vector<LiveFinding>& findings = session.trail->findings;
    const LiveFinding* leader = nullptr;
    for (const LiveFinding& live : findings) {
        if (live.told_failed && live.finding.explained_by.empty()) {
            leader = &live;
            break;
        }
        if (leader == nullptr ||
            info_of(live.signal).precedence < info_of(leader->signal).precedence) {
            leader = &live;
        }
    }
    const std::string id = leader->finding.id;
    const std::size_t newest = findings.size() - 1;
    for (std::size_t i = 0; i < findings.size(); ++i) {
        std::string explained_by = findings[i].finding.id == id ? "" : id;
        if (findings[i].finding.explained_by != explained_by) {
            findings[i].finding.explained_by = std::move(explained_by);
            if (i != newest) {
                send(session, findings[i], out);
            }
        }
    }
}

void SessionStage::State::note_affected(Session& session, SumKind kind, NameId key) {
    std::vector<AffectedKey>& affected = session.own_trail().affected;
    const bool known = std::ranges::any_of(affected, [&](const AffectedKey& a) {
        return a.kind == static_cast<std::uint8_t>(kind) && a.key == key;
    });
    if (known || affected.size() >= Trail::affected_max) {
        return;
    }
    AffectedKey& mine = affected.emplace_back();
    mine.kind = static_cast<std::uint8_t>(kind);
    mine.key = key;
    if (session.told_once && is_known(session.told)) {
        AffectedDelta& delta = sums.rest().affected[rate_key(kind, key, names)];
        delta.known += 1;
        delta.failed += is_failed(session.told) ? 1 : 0;
        add_impact(session, mine);
    }
}

void SessionStage::State::add_impact(const Session& session, AffectedKey& affected) {
    AffectedDelta& delta =
        sums.rest().affected[rate_key(static_cast<SumKind>(affected.kind), affected.key, names)];
    delta.tokens += session.tokens - std::exchange(affected.tokens, session.tokens);
    delta.cost_usd += session.cost_usd - std::exchange(affected.cost_usd, session.cost_usd);
    if (session.user != 0) {
        delta.users.add(session.user);
    }
}

void SessionStage::State::renew_impact(Session& session, bool ended, Output& out) {
    if (!session.trail) {
        return;
    }
    for (LiveFinding& live : session.trail->findings) {
        const Finding& told = live.finding;
        const bool user_new = session.user != 0 && told.users.empty();
        const bool more = session.tokens > told.tokens || session.cost_usd > told.cost_usd;
        const bool much = static_cast<double>(session.tokens) >=
                              renew_factor * static_cast<double>(told.tokens) &&
                          session.tokens > told.tokens;
        if (user_new || much || (ended && more)) {
            send(session, live, out);
        }
    }
    for (AffectedKey& affected : session.trail->affected) {
        if (ended && session.tokens > affected.tokens) {
            add_impact(session, affected);
        }
    }
}

std::vector<catalog::ProfileUse> SessionStage::State::take_uses(Session& session) const {
    static_assert(Trail::tools_max < 256 && Trail::value_uses_max < 256);
    std::vector<catalog::ProfileUse> uses;
    if (session.trail) {
        Trail& trail = *session.trail;
        append_tool_uses(trail, uses);
        trail.tools_told = static_cast<std::uint8_t>(trail.tools.size());
        const std::vector<WrittenValue>& all = trail.written;
        for (std::size_t i = trail.written_told; i < all.size(); ++i) {
            const std::string& argument = names.text(all[i].argument);
            const auto before = all.begin() + static_cast<std::ptrdiff_t>(i);
            const bool known = std::any_of(all.begin(), before, [&](const WrittenValue& other) {
                return other.argument == all[i].argument;
            });
            if (!known) {
                uses.push_back({catalog::ProfileFacet::WrittenValues, argument});
            }
            uses.push_back({catalog::ProfileFacet::WrittenValues, value_key(argument, all[i].value)}
            );
        }
        trail.written_told = static_cast<std::uint8_t>(all.size());
        append_value_uses(std::span(trail.value_uses).subspan(trail.values_told), uses);
        trail.values_told = static_cast<std::uint8_t>(trail.value_uses.size());
    }
    if (uses.size() > SessionFact::uses_max) {
        uses.resize(SessionFact::uses_max);
    }
    return uses;
}

void SessionStage::State::push_fact(const Session& session, SessionFact fact) {
    KeyPartials& rest = sums.rest();
    if (rest.sessions.size() >= KeyPartials::facts_max) {
        ++rest.facts_dropped;
        return;
    }
    fact.at = session.last_at;
    fact.correlation = session.correlation;
    fact.agent = names.text(session.actor());
    fact.workflow = names.text(session.workflow != 0 ? session.workflow : session.actor());
    fact.leader = leader_of(session);
    fact.clean = is_clean(session);
    fact.user = session.user;
    fact.tokens = session.tokens;
    fact.cost_usd = session.cost_usd;
    rest.sessions.push_back(std::move(fact));
}

void SessionStage::State::tell_later_uses(Session& session, const JudgedOutcome& judged) {
    if (session.told != SessionOutcome::Succeeded || !session.trail ||
        (session.trail->tools_told >= session.trail->tools.size() &&
         session.trail->written_told >= session.trail->written.size() &&
         session.trail->values_told >= session.trail->value_uses.size())) {
        return;
    }
    SessionFact fact;
    fact.outcome = session.told;
    fact.before = session.told;
    fact.reason = judged.reason;
    fact.uses = take_uses(session);
    push_fact(session, std::move(fact));
}

void SessionStage::State::tell_outcome(Session& session, Output& out) {
    JudgedOutcome judged = judge_outcome(session.marks, settings.intent.session_corrections, names);
    const bool first = !session.told_once;
    if ((first && !is_known(judged.outcome) && !session.marks.ended) ||
        (!first && judged.outcome == session.told)) {
        if (!first) {
            tell_later_uses(session, judged);
        }
        return;
    }
    const SessionOutcome before = session.told;
    session.told = judged.outcome;
    session.told_once = true;

    KeyPartials& rest = sums.rest();
    const std::int64_t minute =
        unix_nanos(session.last_at) / Duration(std::chrono::minutes(1)).count();
    auto& counts = rest.outcomes[minute];
    counts[static_cast<std::size_t>(judged.outcome)] += 1;
    if (!first) {
        counts[static_cast<std::size_t>(before)] -= 1;
    }
    if (session.trail) {
        for (AffectedKey& affected : session.trail->affected) {
            add_impact(session, affected);
            AffectedDelta& delta =
                rest.affected[rate_key(static_cast<SumKind>(affected.kind), affected.key, names)];
            delta.known +=
                (is_known(judged.outcome) ? 1 : 0) - (!first && is_known(before) ? 1 : 0);
            delta.failed +=
                (is_failed(judged.outcome) ? 1 : 0) - (!first && is_failed(before) ? 1 : 0);
        }
        for (LiveFinding& live : session.trail->findings) {
            if (live.finding.outcome != judged.outcome) {
                live.finding.outcome = judged.outcome;
                live.finding.outcome_reason = judged.reason;
                send(session, live, out);
            }
        }
    }
    SessionFact fact;
    fact.outcome = judged.outcome;
    fact.before = first ? SessionOutcome::Unknown : before;
    fact.reason = judged.reason;
    if (session.trail && judged.outcome == SessionOutcome::Succeeded) {
        fact.request = session.trail->request;
    }
    if (session.trail) {
        session.trail->tools_told = 0;  // what a bad outcome told was not learned
        session.trail->written_told = 0;
        session.trail->values_told = 0;
    }
    fact.uses = take_uses(session);
    push_fact(session, std::move(fact));
    out.sessions.push_back(
        {.correlation = CorrelationId(session.correlation),
         .agent = AgentName(names.text(session.actor())),
         .workflow = WorkflowName(names.text(session.workflow)),
         .service = names.text(session.service),
         .prompt = prompt_of(session),
         .outcome = judged.outcome,
         .outcome_reason = std::move(judged.reason),
         .started_at = session.first_at,
         .ended_at = session.last_at,
         .steps = session.steps,
         .tool_calls = session.tool_calls,
         .writes = session.writes,
         .tokens = session.tokens,
         .cost_usd = session.cost_usd,
         .revised = !first,
         .before = first ? SessionOutcome::Unknown : before}
    );
}

std::string SessionStage::State::prompt_of(const Session& session) const {
    const std::string_view name = names.text(session.prompt_name);
    const std::string_view version = names.text(session.prompt_version);
    if (name.empty() || version.empty()) {
        return {};
    }
    return std::string(name) + "@" + std::string(version);
}

void SessionStage::State::close(Session& session, Output& out) {
    if (session.trail && !session.trail->pending.empty()) {
        settle(session, Instant::max(), Instant::max(), out);
    }
    judge_end(session, out);
    if (session.trail && session.trail->rating_waiting != 0 &&
        session.trail->dialogue->turn().turn > 1) {
        StepPlace place;
        place.at = session.last_at;
        tell_words(session, place, std::exchange(session.trail->rating_waiting, std::int8_t{0}));
    }
    session.marks.ended = true;
    tell_outcome(session, out);
    renew_impact(session, true, out);
    if (session.trail) {
        value_bytes -= session.trail->values.bytes();
    }
    sessions.erase(session);
}

}  // namespace tagout::detect
