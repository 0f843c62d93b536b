// What an operator may set about the release gate.
#pragma once

#include "base/clock.h"
#include "base/settings.h"

#include <cstdint>

namespace tagout::prevent {

struct Settings {
    bool sev2_blocks = true;
    Duration recurrence_window = std::chrono::hours(24 * 30);
    std::uint32_t recurrences_max = 0;
    Duration review_within = std::chrono::seconds(0);
    bool cases_required = true;
    bool journeys_required = true;
    Duration journeys_valid = std::chrono::hours(24);
    bool fallback_required = true;
    Duration telemetry_within = std::chrono::hours(1);
};

/// visit(SettingInfo, member) for each.
template <class Options, class Visit>
void describe(Options& options, Visit&& visit) {
    visit(
        SettingInfo{
            "gate.sev2_blocks",
            0,
            0,
            "",
            "Whether an open SEV2 incident fails the gate, as an open SEV1 always does."},
        options.sev2_blocks
    );
    visit(
        SettingInfo{
            "gate.recurrence_window",
            3'600,
            31'536'000,
            "",
            "A failure that came back within this time after it was over is a recurrence. Raising "
            "it counts more."},
        options.recurrence_window
    );
    visit(
        SettingInfo{
            "gate.recurrences_max",
            0,
            1'000,
            "recurrences",
            "More recurrences of one cause than this fail the gate until a newer case passes."},
        options.recurrences_max
    );
    visit(
        SettingInfo{
            "gate.review_within",
            0,
            7'776'000,
            "",
            "How long after a SEV1 or SEV2 was resolved its review may still be missing."},
        options.review_within
    );
    visit(
        SettingInfo{
            "gate.cases_required",
            0,
            0,
            "",
            "Whether a resolved SEV1 or SEV2 without a regression case leaves the gate "
            "inconclusive."},
        options.cases_required
    );
    visit(
        SettingInfo{
            "gate.journeys_required",
            0,
            0,
            "",
            "Whether the gate is inconclusive when no journey is configured."},
        options.journeys_required
    );
    visit(
        SettingInfo{
            "gate.journeys_valid",
            60,
            7'776'000,
            "",
            "How long a passed journey counts. Raising it lets older runs count."},
        options.journeys_valid
    );
    visit(
        SettingInfo{
            "gate.fallback_required",
            0,
            0,
            "",
            "Whether the gate is inconclusive when no last-known-good bundle stands ready."},
        options.fallback_required
    );
    visit(
        SettingInfo{
            "gate.telemetry_within",
            60,
            2'592'000,
            "",
            "Telemetry must have been seen within this time, else a quiet board says nothing."},
        options.telemetry_within
    );
}

}  // namespace tagout::prevent
