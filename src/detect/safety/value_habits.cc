#include "detect/safety/value_habits.h"

#include "detect/safety/call_values.h"
#include "detect/safety/tool_habits.h"
#include "detect/signal_id.h"

#include <algorithm>

namespace tagout::detect {

namespace {

using catalog::ProfileFacet;
using catalog::WorkflowProfile;

constexpr double least_chance_where_unused = 0.05;
constexpr std::uint64_t used_sessions_min = 3;

/// Good sessions that used the argument, by the sum of its sources: one that had two counts twice.
std::uint64_t sessions_with(const WorkflowProfile& profile, const std::string& argument) {
    const WorkflowProfile::Counts& sources = profile.counts(ProfileFacet::ArgumentSources);
    std::uint64_t sessions = 0;
    for (auto at = sources.lower_bound(argument + " ");
         at != sources.end() && at->first.starts_with(argument + " ");
         ++at) {
        sessions += at->second;
    }
    return std::min(sessions, profile.sessions());
}

/// Whether good sessions had the value in any argument: the texts of a workflow go round in it.
bool is_known_anywhere(const WorkflowProfile& profile, std::string_view value_ending) {
    return std::ranges::any_of(profile.counts(ProfileFacet::Values), [&](const auto& item) {
        return item.first.ends_with(value_ending);
    });
}

/// "a" of "TOOL.a"; tools may have dots in their names, arguments rarely do.
std::string_view name_in(std::string_view argument) {
    const std::size_t dot = argument.rfind('.');
    return dot == std::string_view::npos ? std::string_view() : argument.substr(dot + 1);
}

struct News {
    const ForeignValue* value = nullptr;
    double chance = 1;
};

News rarest(const CallFact& fact, const WorkflowProfile& profile, const SafetySettings& settings) {
    News news;
    for (const ForeignValue& value : fact.foreign_values) {
        const std::string argument = argument_key(value.argument);
        const std::string key = argument_value_key(argument, value.hash);
        if (profile.knows(ProfileFacet::Values, key) || profile.is_open(argument) ||
            is_known_anywhere(profile, std::string_view(key).substr(key.find('=')))) {
            continue;
        }
        const double chance = chance_of_new_value(profile, argument, settings.singles_max);
        if (chance < news.chance) {
            news = {&value, chance};
        }
    }
    return news;
}

/// Whether the value is, or names, a place in the network.
bool names_host(const ForeignValue& value) noexcept {
    return value.text.find("://") != std::string::npos ||
           value.text.find("www.") != std::string::npos;
}

Finding found(
    const CallFact& fact, SignalId signal, double score, double threshold, std::string evidence
) {
    const SignalInfo& info = info_of(signal);
    Finding finding = fact.draft;
    finding.id = finding_id(info.name, finding.correlation.text());
    finding.signal = info.name;
    finding.failure_class = info.failure_class;
    finding.unit = info.unit;
    finding.score = score;
    finding.observed = score;
    finding.threshold = threshold;
    finding.evidence = std::move(evidence);
    return finding;
}

}  // namespace

double chance_of_new_value(
    const WorkflowProfile& profile, std::string_view argument, std::uint32_t singles_max
) {
    const std::string name(argument);
    const std::uint64_t sessions = sessions_with(profile, name);
    if (sessions < used_sessions_min) {
        return std::max(least_chance_where_unused, chance_of_new_tool(profile));
    }
    const WorkflowProfile::Counts& values = profile.counts(ProfileFacet::Values);
    std::uint64_t singles = 0;
    for (auto at = values.lower_bound(name + "=");
         at != values.end() && at->first.starts_with(name + "=");
         ++at) {
        singles += at->second == 1 ? 1 : 0;
    }
    return singles > singles_max
               ? 1
               : (static_cast<double>(singles) + 0.5) / (static_cast<double>(sessions) + 1);
}

std::optional<Finding> judge_new_value(
    const CallFact& fact, const WorkflowProfile* profile, const SafetySettings& settings
) {
    if (fact.explained) {
        return std::nullopt;
    }
    if (profile == nullptr || profile->sessions() < settings.profile_sessions_min) {
        if (fact.weak_score < settings.untrusted_value_score) {
            return std::nullopt;
        }
        return found(
            fact,
            SignalId::UntrustedValue,
            fact.weak_score,
            settings.untrusted_value_score,
            fact.weak_evidence
        );
    }
    const News news = rarest(fact, *profile, settings);
    if (news.value == nullptr || news.chance > settings.chance_max) {
        return std::nullopt;
    }
    std::string evidence = fact.draft.tool.text() + " was called with ";
    const std::string_view name = name_in(news.value->argument);
    evidence += name.empty() ? std::string() : std::string(name) + " = ";
    evidence += "\"" + news.value->text + "\", which came from the result of " +
                news.value->source + " (step " + std::to_string(news.value->source_step) +
                ") and not from the user; none of the last " + std::to_string(profile->sessions()) +
                " good sessions of " + fact.draft.workflow.text() + " ever used it";
    const SignalId signal = names_host(*news.value) ? SignalId::NewTool : SignalId::UntrustedValue;
    return found(fact, signal, 1 - news.chance, 1 - settings.chance_max, std::move(evidence));
}

}  // namespace tagout::detect
