#include "detect/safety/call_values.h"
#include "detect/safety/sequence_habits.h"
#include "detect/stage_state.h"
#include "intake/texts.h"

#include <algorithm>

namespace tagout::detect {

namespace {

constexpr std::size_t pair_uses_end = 112;  ///< Tools and pairs leave room for values.

}  // namespace

void SessionStage::State::note_values(
    Session& session, const PendingCall& call, const CallEvidence& evidence, bool explained,
    const std::optional<Sighting>& weak
) {
    Trail& trail = *session.trail;
    const ValueIndex& index = trail.values.index();
    call_values.clear();
    collect_values(index, call, call_values);
    std::vector<ForeignValue> foreign;
    for (const CallValue& value : call_values) {
        const NameId argument = call.arguments[value.argument];
        const bool known = std::ranges::any_of(trail.value_uses, [&](const ValueUse& use) {
            return use.hash == value.hash && use.argument == argument;
        });
        if (!known && argument != 0 && trail.value_uses.size() < Trail::value_uses_max) {
            trail.value_uses.push_back({argument, value.sight.origin, value.hash});
        }
        if (value.sight.origin == ValueOrigin::Result && argument != 0 &&
            foreign.size() < CallFact::foreign_max) {
            const ResultSource& source = index.sources()[value.sight.source];
            const std::string& text = call.values[value.argument].text;
            foreign.push_back(
                {names.text(argument),
                 std::string(intake::clipped(guarded.redact(text), ForeignValue::shown_bytes_max)),
                 value.hash,
                 names.text(source.tool),
                 source.step}
            );
        }
    }
    if ((!call.debut && !weak && foreign.empty()) ||
        sums.rest().calls.size() >= KeyPartials::facts_max) {
        return;
    }
    CallFact fact;
    fact.debut = call.debut;
    fact.writes = call.writes;
    fact.asked =
        (evidence.asked && !evidence.only_read) || evidence.confirmed || !evidence.texts_known;
    fact.orders = evidence.orders_before;
    fact.foreign = !foreign.empty() || evidence.told_by_result;
    fact.named = std::ranges::any_of(call_values, [](const CallValue& value) {
        return value.sight.origin == ValueOrigin::Trusted;
    });
    fact.high_risk = evidence.high_risk;
    fact.explained = explained;
    fact.foreign_values = std::move(foreign);
    if (weak) {
        fact.weak_score = weak->score;
        fact.weak_evidence = guarded.redact(weak->evidence);
    }
    for (const NameId tool : trail.tools) {
        if (!call.debut || tool == call.tool || fact.before.size() >= CallFact::before_max) {
            break;
        }
        fact.before.push_back(names.text(tool));
    }
    fact.draft = draft_of(session, call);
    // Orders in one result may lead to many tools: the result is the one cause of them all.
    fact.draft.cause = names.text(evidence.orders_before ? evidence.orders_tool : call.tool);
    sums.rest().calls.push_back(std::move(fact));
}

void SessionStage::State::append_tool_uses(
    const Trail& trail, std::vector<catalog::ProfileUse>& uses
) const {
    const std::vector<NameId>& tools = trail.tools;
    for (std::size_t i = trail.tools_told; i < tools.size(); ++i) {
        uses.push_back({catalog::ProfileFacet::Tools, names.text(tools[i])});
    }
    for (std::size_t later = trail.tools_told; later < tools.size(); ++later) {
        const bool reads = catalog->tool(names.text(tools[later])).effect == ToolEffect::Read;
        const std::size_t before = reads ? 0 : std::min(later, CallFact::before_max);
        for (std::size_t i = 0; i < before && uses.size() < pair_uses_end; ++i) {
            uses.push_back(
                {catalog::ProfileFacet::Pairs,
                 pair_key(names.text(tools[i]), names.text(tools[later]))}
            );
        }
    }
}

void SessionStage::State::append_value_uses(
    std::span<const ValueUse> values, std::vector<catalog::ProfileUse>& uses
) const {
    std::vector<std::string> sources;
    for (const ValueUse& use : values) {
        const std::string argument = argument_key(names.text(use.argument));
        uses.push_back({catalog::ProfileFacet::Values, argument_value_key(argument, use.hash)});
        sources.push_back(argument + " " + std::string(source_name(use.origin)));
    }
    std::ranges::sort(sources);
    const auto repeated = std::ranges::unique(sources);
    sources.erase(repeated.begin(), repeated.end());
    for (std::string& source : sources) {
        uses.push_back({catalog::ProfileFacet::ArgumentSources, std::move(source)});
    }
}

}  // namespace tagout::detect
