#include "detect/call_evidence.h"

#include "detect/tool/asked_for.h"

#include <algorithm>

namespace tagout::detect {

namespace {

constexpr std::size_t shown_bytes_max = 80;

std::string quoted(std::string_view value) {
    const bool long_one = value.size() > shown_bytes_max;
    return "\"" + std::string(value.substr(0, shown_bytes_max)) + (long_one ? "..." : "") + "\"";
}

}  // namespace

CallEvidence examine_call(
    const Trail& trail, const PendingCall& call, const catalog::ToolFacts& facts, const Names& names
) {
    CallEvidence evidence;
    const ValueIndex& values = trail.values;
    evidence.texts_known = trail.user_texts.back() != 0;
    evidence.results_known = !trail.blind_results && !values.full();
    evidence.asked = evidence.texts_known && asked_for(values, names.text(call.tool));
    evidence.confirmed = call.confirmed;
    evidence.high_risk = facts.risk == ToolRisk::High;
    for (const ResultSource& source : values.sources()) {
        if (source.orders && source.ended_at <= call.began) {
            evidence.orders_before = true;
            evidence.source_tool = source.tool;
            evidence.source_step = source.step;
        }
    }
    int best = 0;
    for (const ArgumentValue& value : call.values) {
        const ValueSight sight = values.find(value.text, call.began, value.target);
        if (sight.origin == ValueOrigin::Nobody) {
            ++evidence.from_nobody;
            if (best < 1) {
                best = 1;
                evidence.value = value.text;
            }
        }
        if (sight.origin != ValueOrigin::Result) {
            continue;
        }
        evidence.from_results += sight.identifier ? 1 : 0;
        const ResultSource& source = values.sources()[sight.source];
        evidence.value_of_orders = evidence.value_of_orders || sight.near_orders;
        evidence.value_of_that_result = evidence.value_of_that_result || source.orders;
        const int rank = sight.near_orders ? 4 : source.orders ? 3 : 2;
        if (rank > best && (sight.identifier || source.orders)) {
            best = rank;
            evidence.value = value.text;
            evidence.source_tool = source.tool;
            evidence.source_step = source.step;
        }
    }
    return evidence;
}

std::optional<Sighting> judge_untrusted(
    const CallEvidence& evidence, const PendingCall& call, const SafetySettings& settings,
    const Names& names
) {
    if (!evidence.texts_known) {
        return std::nullopt;
    }
    double score = 0;
    if (evidence.orders_before) {
        score = evidence.value_of_orders        ? 0.9
                : evidence.value_of_that_result ? 0.75
                : !evidence.asked               ? 0.65
                                                : 0.3;
        score += evidence.asked ? 0 : 0.05;
    } else if (evidence.from_results > 0) {
        score = evidence.asked ? 0.3 : 0.5;
    }
    if (score < settings.untrusted_value_score) {
        return std::nullopt;
    }
    const std::string& tool = names.text(call.tool);
    Sighting sighting{.signal = SignalId::UntrustedValue};
    sighting.place = call.place;
    sighting.tool = call.tool;
    sighting.score = std::min(score, 0.97);
    sighting.observed = sighting.score;
    sighting.threshold = settings.untrusted_value_score;
    sighting.write_completed = call.worked;
    sighting.cause = tool;
    const std::string source = names.text(evidence.source_tool);
    if (evidence.value_of_orders || evidence.value_of_that_result || !evidence.orders_before) {
        sighting.evidence = tool + " was called with " + quoted(evidence.value) +
                            ", which came from the result of " + source + " (step " +
                            std::to_string(evidence.source_step) + ")" +
                            (evidence.orders_before ? " where text gives the agent orders" : "") +
                            " and not from the user";
    } else {
        sighting.evidence = tool + " was called and the user did not ask for it; the result of " +
                            source + " (step " + std::to_string(evidence.source_step) +
                            ") gives the agent orders";
    }
    return sighting;
}

std::optional<Sighting> judge_unexpected(
    const CallEvidence& evidence, const PendingCall& call, const ToolSettings& settings,
    const Names& names
) {
    if (!evidence.texts_known) {
        return std::nullopt;
    }
    const bool invented = evidence.from_nobody > 0 && evidence.results_known;
    double doubt = 1;
    if (invented) {
        doubt *= evidence.asked ? 0.38 : 0.25;
    }
    if (!evidence.asked && !evidence.confirmed) {
        doubt *= evidence.high_risk ? 0.5 : 0.7;
    }
    const double score = 1 - doubt;
    if (score < settings.unexpected_write_score) {
        return std::nullopt;
    }
    Sighting sighting{.signal = SignalId::UnexpectedWrite};
    sighting.place = call.place;
    sighting.tool = call.tool;
    sighting.score = score;
    sighting.observed = score;
    sighting.threshold = settings.unexpected_write_score;
    sighting.write_completed = call.worked;
    sighting.cause = names.text(call.tool);
    sighting.evidence = names.text(call.tool) + " was called";
    if (invented) {
        sighting.evidence +=
            " with " + quoted(evidence.value) + ", which neither the user nor any result named";
    }
    if (!evidence.asked) {
        sighting.evidence +=
            std::string(invented ? ", and" : " although") + " the user did not ask for it";
    }
    return sighting;
}

}  // namespace tagout::detect
