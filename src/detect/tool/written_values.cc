#include "detect/tool/written_values.h"

#include "detect/signal_id.h"

#include <algorithm>

namespace tagout::detect {

namespace {

using catalog::ProfileFacet;

constexpr std::string_view cause_head = "unusual value of ";
constexpr std::size_t shown_bytes_max = 80;

/// Whether all good sessions that wrote `argument` wrote the same values.
bool is_settled(
    const catalog::WorkflowProfile& profile, const std::string& argument, std::uint64_t sessions
) {
    const auto& counts = profile.counts(ProfileFacet::WrittenValues);
    const std::string head = argument + ' ';
    bool any = false;
    for (auto at = counts.lower_bound(head); at != counts.end() && at->first.starts_with(head);
         ++at) {
        any = true;
        if (at->second != sessions) {
            return false;
        }
    }
    return any;
}

}  // namespace

bool is_habit_id(std::string_view value) noexcept {
    const auto digits = std::ranges::count_if(value, [](char c) { return c >= '0' && c <= '9'; });
    return value.size() >= 6 && value.size() <= 80 && digits >= 3 &&
           value.find(' ') == std::string_view::npos;
}

std::string value_key(std::string_view argument, std::uint64_t value) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string key(argument);
    key += ' ';
    for (int i = 0; i < 12; ++i) {
        key += digits[value & 15U];
        value >>= 4U;
    }
    return key;
}

std::optional<Finding> judge_written_values(
    const WriteFact& fact, const catalog::WorkflowProfile* profile, const ToolSettings& settings
) {
    if (profile == nullptr) {
        return std::nullopt;
    }
    for (const WriteFact::Value& value : fact.values) {
        const std::uint64_t sessions = profile->count(ProfileFacet::WrittenValues, value.argument);
        if (sessions < settings.habit_sessions_min ||
            profile->knows(ProfileFacet::WrittenValues, value_key(value.argument, value.hash)) ||
            !is_settled(*profile, value.argument, sessions)) {
            continue;
        }
        const SignalInfo& info = info_of(SignalId::UnexpectedWrite);
        Finding finding = fact.draft;
        finding.id = finding_id(info.name, finding.correlation.text());
        finding.signal = info.name;
        finding.failure_class = info.failure_class;
        finding.unit = info.unit;
        finding.score = 1 - 1 / (static_cast<double>(sessions) + 1);
        finding.observed = finding.score;
        finding.threshold = settings.unexpected_write_score;
        finding.cause = std::string(cause_head) + value.argument;
        finding.evidence = finding.tool.text() + " was called with \"" +
                           value.shown.substr(0, shown_bytes_max) + "\" as " + value.argument +
                           ", which the user did not name; all " + std::to_string(sessions) +
                           " good sessions of " + finding.workflow.text() +
                           " that wrote it wrote another";
        return finding;
    }
    return std::nullopt;
}

bool teaches_all_the_same(const Finding& finding) noexcept {
    return finding.cause.starts_with(cause_head);
}

}  // namespace tagout::detect
