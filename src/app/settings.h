// What an operator may set about how the program is put together: threads, queues, catching up.
#pragma once

#include "base/clock.h"
#include "base/settings.h"

#include <cstddef>
#include <cstdint>

namespace tagout::app {

struct PipelineSettings {
    std::uint32_t shards = 0;  ///< Detection threads; 0 takes half the cores, at least one.
    std::size_t queue_batches_max = 256;  ///< Waiting for one shard; past it intake sheds.
    std::size_t findings_max =
        100'000;  ///< Waiting to be joined; past it they are counted and lost.
    Duration tick =
        std::chrono::seconds(1);  ///< How often idle sessions and closed windows are looked for.
    Duration catch_up =
        std::chrono::minutes(15);  ///< Evidence read again at a start, to rebuild sessions.
};

/// visit(SettingInfo, member) for each.
template <class Options, class Visit>
void describe(Options& options, Visit&& visit) {
    visit(
        SettingInfo{
            "server.shards",
            0,
            256,
            "threads",
            "Detection threads; 0 takes half the cores. More shards use more cores and more "
            "memory."},
        options.shards
    );
    visit(
        SettingInfo{
            "server.queue_batches_max",
            1,
            1'000'000,
            "requests",
            "Decoded requests waiting for one shard; past it intake answers 429. Raising it costs "
            "memory."},
        options.queue_batches_max
    );
    visit(
        SettingInfo{
            "server.findings_max",
            100,
            10'000'000,
            "findings",
            "Findings waiting to be joined; past it they are counted as dropped."},
        options.findings_max
    );
    visit(
        SettingInfo{
            "server.tick",
            0.05,
            60,
            "",
            "How often idle sessions and closed windows are looked for. Raising it delays "
            "findings."},
        options.tick
    );
    visit(
        SettingInfo{
            "server.catch_up",
            0,
            86'400,
            "",
            "How much stored evidence a start reads again to rebuild live sessions."},
        options.catch_up
    );
}

}  // namespace tagout::app
