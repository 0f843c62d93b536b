#include "detect/safety/sequence_habits.h"

#include "detect/signal_id.h"

namespace tagout::detect {

namespace {

using catalog::ProfileFacet;

constexpr std::uint64_t used_sessions_min = 10;
constexpr std::string_view arrow = " > ";

}  // namespace

std::string pair_key(std::string_view before, std::string_view after) {
    constexpr std::size_t name_bytes_max = 36;  // both fit into a key, so it ends in the second
    std::string key(before.substr(0, name_bytes_max));
    key += arrow;
    key += after.substr(0, name_bytes_max);
    return key;
}

std::optional<Finding> judge_sequence(
    const CallFact& fact, const catalog::WorkflowProfile* profile, const SafetySettings& settings
) {
    const std::string& tool = fact.draft.tool.text();
    if (!fact.debut || fact.explained || fact.foreign_values.empty() || profile == nullptr ||
        profile->sessions() < settings.profile_sessions_min ||
        profile->count(ProfileFacet::Tools, tool) < used_sessions_min) {
        return std::nullopt;
    }
    const std::string* news = nullptr;
    for (const std::string& before : fact.before) {
        if (!profile->knows(ProfileFacet::Pairs, pair_key(before, tool)) &&
            profile->count(ProfileFacet::Tools, before) >= used_sessions_min) {
            news = &before;
            break;
        }
    }
    if (news == nullptr) {
        return std::nullopt;
    }
    const std::string ending = pair_key("", tool);
    double singles = 0;
    for (const auto& [key, count] : profile->counts(ProfileFacet::Pairs)) {
        singles += count == 1 && key.ends_with(ending) ? 1 : 0;
    }
    const auto sessions = static_cast<double>(profile->count(ProfileFacet::Tools, tool));
    const double chance = (singles + 0.5) / (sessions + 1);
    if (chance > settings.sequence_chance_max || singles > settings.singles_max) {
        return std::nullopt;
    }
    const SignalInfo& info = info_of(SignalId::UnusualSequence);
    Finding finding = fact.draft;
    finding.id = finding_id(info.name, finding.correlation.text());
    finding.signal = info.name;
    finding.failure_class = info.failure_class;
    finding.unit = info.unit;
    finding.score = 1 - chance;
    finding.observed = finding.score;
    finding.threshold = 1 - settings.sequence_chance_max;
    finding.evidence = tool + " came after " + *news + " with a value that the result of " +
                       fact.foreign_values.front().source + " named; of the last " +
                       std::to_string(profile->sessions()) + " good sessions of " +
                       fact.draft.workflow.text() + " none had that order";
    return finding;
}

}  // namespace tagout::detect
