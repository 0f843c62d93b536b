// What an operator may set about how findings become incidents.
#pragma once

#include "base/clock.h"
#include "base/settings.h"

#include <cstdint>

namespace tagout::incident {

struct Settings {
    /// Findings of one class, agent and cause join an incident whose last finding is not older.
    Duration join_window = std::chrono::minutes(30);
    /// Without a new finding for so long, the impact is taken to have ended.
    Duration quiet_period = std::chrono::minutes(10);
    /// A signal without a failed outcome is let go after so long without a new finding.
    Duration signal_expiry = std::chrono::hours(24);
    /// Failed sessions that make a rate or a safety write need no companions; others need this
    /// many.
    std::uint32_t failed_sessions_min = 1;
    bool auto_declare_sev1 = true;
    bool auto_declare_sev2 = true;
    bool auto_declare_sev3 = false;
};

/// visit(SettingInfo, member) for each.
template <class Options, class Visit>
void describe(Options& options, Visit&& visit) {
    visit(
        SettingInfo{
            "incidents.join_window",
            1,
            604'800,
            "",
            "Findings of one class, agent and cause join an incident that had one within this "
            "time. Raising it "
            "makes fewer, longer incidents."},
        options.join_window
    );
    visit(
        SettingInfo{
            "incidents.quiet_period",
            1,
            604'800,
            "",
            "Without a new finding for this long, an incident's impact is taken to have ended."},
        options.quiet_period
    );
    visit(
        SettingInfo{
            "incidents.signal_expiry",
            60,
            31'536'000,
            "",
            "A signal without a failed outcome is cancelled after this long without a new "
            "finding."},
        options.signal_expiry
    );
    visit(
        SettingInfo{
            "incidents.failed_sessions_min",
            1,
            100'000,
            "sessions",
            "Failed sessions that open an incident; completed unsafe writes and rates need no "
            "companions. "
            "Raising it delays incidents and opens fewer."},
        options.failed_sessions_min
    );
    visit(
        SettingInfo{
            "incidents.auto_declare_sev1",
            0,
            0,
            "",
            "Whether a SEV1 incident is declared without waiting for a person."},
        options.auto_declare_sev1
    );
    visit(
        SettingInfo{
            "incidents.auto_declare_sev2",
            0,
            0,
            "",
            "Whether a SEV2 incident is declared without waiting for a person."},
        options.auto_declare_sev2
    );
    visit(
        SettingInfo{
            "incidents.auto_declare_sev3",
            0,
            0,
            "",
            "Whether a SEV3 incident is declared without waiting for a person."},
        options.auto_declare_sev3
    );
}

}  // namespace tagout::incident
