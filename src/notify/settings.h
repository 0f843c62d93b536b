// What an operator may set about notices. The initialisers are the defaults, and the only place
// where they are written; describe() adds bounds, units and the sentence shown to people.
#pragma once

#include "base/clock.h"
#include "base/settings.h"

#include <cstdint>
#include <string>

namespace tagout::notify {

struct Settings {
    Duration attempt_timeout = std::chrono::seconds(15);
    Duration refresh_every = std::chrono::minutes(1);
    Duration refresh_keeps = std::chrono::minutes(5);
    std::uint32_t threads = 4;
    std::uint32_t pending_max = 10'000;
    std::uint32_t log_max = 10'000;
    bool triage = false;
    std::string page_url;
};

template <class Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
    visit(
        SettingInfo{
            .path = "notices.attempt_timeout",
            .min = 1,
            .max = 60,
            .unit = "s",
            .help = "How long one delivery may take before it counts as failed and is retried",
        },
        options.attempt_timeout
    );
    visit(
        SettingInfo{
            .path = "notices.refresh_every",
            .min = 5,
            .max = 3600,
            .unit = "s",
            .help = "How often an open incident is sent again to Alertmanager, which forgets it else",
        },
        options.refresh_every
    );
    visit(
        SettingInfo{
            .path = "notices.refresh_keeps",
            .min = 30,
            .max = 86'400,
            .unit = "s",
            .help = "How long Alertmanager keeps an incident firing after the last time it was sent",
        },
        options.refresh_keeps
    );
    visit(
        SettingInfo{
            .path = "notices.threads",
            .min = 1,
            .max = 64,
            .help = "How many channels are served at the same time; a hanging one holds one thread",
        },
        options.threads
    );
    visit(
        SettingInfo{
            .path = "notices.pending_max",
            .min = 10,
            .max = 1'000'000,
            .help = "How many undelivered notices are kept; past it new ones are dropped and counted",
        },
        options.pending_max
    );
    visit(
        SettingInfo{
            .path = "notices.log_max",
            .min = 100,
            .max = 1'000'000,
            .help = "How many finished notices the delivery log shows; the journal keeps them all",
        },
        options.log_max
    );
    visit(
        SettingInfo{
            .path = "notices.triage",
            .help = "Whether people are told of an incident in triage already, or only once it is declared",
        },
        options.triage
    );
    visit(
        SettingInfo{
            .path = "notices.page_url",
            .help = "Address at which people open Tagout's page, for the links in notices",
        },
        options.page_url
    );
}

}  // namespace tagout::notify
