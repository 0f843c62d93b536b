// What an operator may set about versions, bundles and journeys.
#pragma once

#include "base/clock.h"
#include "base/settings.h"

#include <cstddef>
#include <cstdint>

namespace tagout::recover {

struct Settings {
    std::uint32_t good_outcomes_min = 20;  ///< Sessions that succeeded under a bundle.
    Duration good_time_min = std::chrono::minutes(30);
    double good_failed_share_max = 0.05;  ///< Of sessions with a known outcome.
    bool good_needs_journeys = true;      ///< Of the agent's tools, where the configuration has any.
    Duration evidence_every = std::chrono::minutes(1);  ///< Counts are journaled so often at most.
    std::size_t versions_max = 1'000;                   ///< Of one family and name.
    std::size_t names_max = 1'000;
    std::size_t content_bytes_max = 256 * 1024;                 ///< Of one version.
    std::size_t content_total_bytes_max = 256 * 1024 * 1024;    ///< Of all versions, in memory.
    std::size_t bundles_max = 1'000;                            ///< Of one agent.
    Duration profiles_every = std::chrono::minutes(10);  ///< What was learned is saved so often.
    Duration step_timeout = std::chrono::seconds(10);           ///< Of one step of a journey.
    Duration journey_timeout = std::chrono::seconds(60);        ///< Of a whole one.
};

/// visit(SettingInfo, member) for each.
template <class Options, class Visit>
void describe(Options& options, Visit&& visit) {
    visit(
        SettingInfo{
            "releases.good_outcomes_min",
            1,
            1'000'000,
            "sessions",
            "Sessions that must succeed under a bundle before it counts as known good. Raising it "
            "asks for more evidence."},
        options.good_outcomes_min
    );
    visit(
        SettingInfo{
            "releases.good_time_min",
            0,
            31'536'000,
            "",
            "How long a bundle must have been in force before it counts as known good."},
        options.good_time_min
    );
    visit(
        SettingInfo{
            "releases.good_failed_share_max",
            0,
            1,
            "",
            "Share of sessions that may fail under a bundle that counts as known good."},
        options.good_failed_share_max
    );
    visit(
        SettingInfo{
            "releases.good_needs_journeys",
            0,
            0,
            "",
            "Whether the journeys that name a tool of the agent must have passed under a bundle "
            "before it counts as known good."},
        options.good_needs_journeys
    );
    visit(
        SettingInfo{
            "releases.evidence_every",
            1,
            86'400,
            "",
            "How often the outcomes seen under a bundle are journaled at most; a crash loses what "
            "came since. Raising it makes fewer entries."},
        options.evidence_every
    );
    visit(
        SettingInfo{
            "releases.versions_max",
            10,
            100'000,
            "versions",
            "Versions of one prompt, policy or model route; past it publishing is refused."},
        options.versions_max
    );
    visit(
        SettingInfo{
            "releases.names_max",
            10,
            100'000,
            "names",
            "Prompts, policies and model routes together; past it a new name is refused."},
        options.names_max
    );
    visit(
        SettingInfo{
            "releases.content_bytes_max",
            1'024,
            262'144,
            "bytes",
            "Content of one version; a longer one is refused."},
        options.content_bytes_max
    );
    visit(
        SettingInfo{
            "releases.content_total_bytes_max",
            1'048'576,
            17'179'869'184,
            "bytes",
            "Content of all versions together, which is kept in memory; past it publishing is "
            "refused."},
        options.content_total_bytes_max
    );
    visit(
        SettingInfo{
            "releases.bundles_max",
            10,
            100'000,
            "bundles",
            "Bundles of one agent; past it the oldest that is not known good is forgotten."},
        options.bundles_max
    );
    visit(
        SettingInfo{
            "releases.profiles_every",
            1,
            86'400,
            "",
            "How often profiles of workflows that changed much are saved as versions; a crash loses "
            "what was learned since. Raising it makes fewer versions."},
        options.profiles_every
    );
    visit(
        SettingInfo{
            "releases.step_timeout",
            0.1,
            600,
            "",
            "How long one step of a journey may take before it counts as failed."},
        options.step_timeout
    );
    visit(
        SettingInfo{
            "releases.journey_timeout",
            0.1,
            3'600,
            "",
            "How long all steps of a journey may take together."},
        options.journey_timeout
    );
}

}  // namespace tagout::recover
