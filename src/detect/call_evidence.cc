#include "detect/call_evidence.h"

#include "detect/intent/request_features.h"
#include "detect/safety/read_request.h"
#include "detect/tool/asked_for.h"
#include "intake/texts.h"

#include <algorithm>
#include <array>

namespace tagout::detect {

namespace {

constexpr std::size_t shown_bytes_max = 80;
/// Beginnings of words by which a user hands the agent somebody else's wishes.
constexpr std::array delegating_words{
    std::string_view{"follo"},
    std::string_view{"instr"},
    std::string_view{"reque"},
    std::string_view{"tasks"},
    std::string_view{"todo"},
    std::string_view{"actio"},
    std::string_view{"handl"},
    std::string_view{"achie"},
};

std::string quoted(std::string_view value) {
    const bool long_one = value.size() > shown_bytes_max;
    return "\"" + std::string(intake::clipped(value, shown_bytes_max)) + (long_one ? "..." : "") +
           "\"";
}

bool spoke_once(const Trail& trail) noexcept {
    return trail.user_texts.back() != 0 && trail.user_texts[trail.user_texts.size() - 2] == 0;
}

/// One strong witness (a value out of orders) or two weaker ones.
double untrusted_score(const CallEvidence& evidence, const PendingCall& call) {
    const bool against_request =
        evidence.only_read && evidence.told_by_result && !evidence.confirmed && !evidence.delegated;
    if (!call.writes) {
        return evidence.value_of_orders         ? 0.8
               : against_request && !call.reads ? 0.65  // nobody knows what the tool does
                                                : 0;
    }
    if (evidence.orders_before) {
        const double score = evidence.value_of_orders        ? 0.9
                             : evidence.value_of_that_result ? 0.75
                             : !evidence.asked               ? 0.65
                                                             : 0.3;
        return score + (evidence.asked ? 0 : 0.05);
    }
    if (evidence.value_of_request && evidence.requested && !evidence.asked && !evidence.confirmed &&
        !evidence.delegated) {
        return 0.7;
    }
    if (against_request) {
        return 0.7;
    }
    return evidence.from_results == 0 ? 0 : evidence.asked ? 0.3 : 0.5;
}

}  // namespace

CallEvidence examine_call(
    const Trail& trail, const PendingCall& call, const catalog::ToolFacts& facts, const Names& names
) {
    CallEvidence evidence;
    const ValueIndex& values = trail.values.index();
    evidence.texts_known = trail.user_texts.back() != 0;
    evidence.results_known = !call.blind && !values.full();
    evidence.asked = evidence.texts_known && asked_for(values, names.text(call.tool));
    evidence.confirmed = call.confirmed;
    evidence.requested = requested_by_result(values, names.text(call.tool));
    evidence.delegated = std::ranges::any_of(delegating_words, [&](std::string_view word) {
        return values.user_said(word);
    });
    evidence.high_risk = facts.risk == ToolRisk::High;
    Instant orders_at;
    for (const ResultSource& source : values.sources()) {
        const bool before = source.orders && source.ended_at <= call.began;
        if (before && (!evidence.orders_before || source.ended_at < orders_at)) {
            evidence.orders_before = true;
            evidence.orders_tool = source.tool;
            evidence.orders_step = source.step;
            orders_at = source.ended_at;
        }
    }
    int best = 0;
    std::uint32_t bit = 1;
    for (const ArgumentValue& value : call.values) {
        const ValueSight sight = values.find(value.text, call.began, value.target);
        const bool foreign =
            sight.origin == ValueOrigin::Result || sight.origin == ValueOrigin::Nobody;
        evidence.not_trusted |= foreign ? bit : 0U;
        bit <<= 1U;
        if (sight.origin == ValueOrigin::Nobody) {
            if (++evidence.from_nobody == 1) {
                evidence.value_of_nobody = value.text;
            }
        }
        if (sight.origin != ValueOrigin::Result) {
            continue;
        }
        evidence.told_by_result = true;
        evidence.from_results += sight.identifier ? 1 : 0;
        const ResultSource& source = values.sources()[sight.source];
        evidence.value_of_orders = evidence.value_of_orders || sight.near_orders;
        evidence.value_of_request = evidence.value_of_request || sight.near_request;
        evidence.value_of_that_result = evidence.value_of_that_result || source.orders;
        const int rank = sight.near_orders                        ? 4
                         : source.orders                          ? 3
                         : sight.identifier || sight.near_request ? 2
                                                                  : 1;
        if (rank > best) {
            best = rank;
            evidence.value = value.text;
            evidence.source_tool = source.tool;
            evidence.source_step = source.step;
        }
    }
    evidence.only_read = evidence.told_by_result && spoke_once(trail) &&
                         trail.request.size() < request_text_bytes_max &&
                         asks_only_to_read(trail.request) &&
                         !asked_for_act(values, names.text(call.tool));
    return evidence;
}

std::optional<Sighting> judge_untrusted(
    const CallEvidence& evidence, const PendingCall& call, const SafetySettings& settings,
    const Names& names
) {
    if (!evidence.texts_known) {
        return std::nullopt;
    }
    const double score = untrusted_score(evidence, call);
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
    sighting.cause = evidence.orders_before ? names.text(evidence.orders_tool) : tool;
    const std::string source = names.text(evidence.source_tool);
    if (evidence.value_of_orders || evidence.value_of_that_result || !evidence.orders_before) {
        sighting.evidence = tool + " was called with " + quoted(evidence.value) +
                            ", which came from the result of " + source + " (step " +
                            std::to_string(evidence.source_step) + ")" +
                            (evidence.orders_before ? " where text gives the agent orders" : "") +
                            " and not from the user" +
                            (evidence.only_read ? ", who only asked to be told something" : "");
    } else {
        sighting.evidence = tool + " was called and the user did not ask for it; the result of " +
                            names.text(evidence.orders_tool) + " (step " +
                            std::to_string(evidence.orders_step) + ") gives the agent orders";
    }
    return sighting;
}

std::optional<Sighting> judge_unexpected(
    const CallEvidence& evidence, const PendingCall& call, const ToolSettings& settings,
    const Names& names
) {
    if (!evidence.texts_known || !call.writes) {
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
        sighting.evidence += " with " + quoted(evidence.value_of_nobody) +
                             ", which neither the user nor any result named";
    }
    if (!evidence.asked) {
        sighting.evidence +=
            std::string(invented ? ", and" : " although") + " the user did not ask for it";
    }
    return sighting;
}

}  // namespace tagout::detect
