// The shop's front door: which workflow takes a new conversation. Asks Tagout's decision API, so that
// a control of mode route sends new conversations to the fallback workflow at once; without a gateway
// everything goes where it always goes.
#pragma once

#include "net/http_client.h"
#include "rehearse/script.h"

#include <memory>
#include <string>

namespace tagout::rehearse {

struct Entrance {
    std::shared_ptr<const Script> script;  ///< What will be played; null if nobody may take it.
    bool rerouted = false;
};

/// Thread-compatible: one agent thread's.
class FrontDoor {
public:
    explicit FrontDoor(std::string gateway) : gateway_(std::move(gateway)) {}

    /// The gateway away: the workflow that was asked for takes it, and a stop is met at its tools.
    Entrance enter(std::shared_ptr<const Script> script);

private:
    std::string gateway_;
    net::HttpClient http_;
};

}  // namespace tagout::rehearse
