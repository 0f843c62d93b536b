// The composition root: every room of a server, put together, started and stopped in order.
//
// Tests embed it; `tagout serve` runs it. Start: stores, fold of the journal, evidence of the last
// quarter of an hour through the engine, then the doors. Stop: doors, pipeline, runbook, notices.
#pragma once

#include "app/config_file.h"
#include "app/serve.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"

#include <memory>
#include <string>

namespace tagout::app {

class App {
public:
    /// Everything is up when this returns. Errors name the file, port or setting and the remedy.
    static Result<std::unique_ptr<App>> start(const ServeOptions& options, const Clock& clock);
    virtual ~App() = default;

    [[nodiscard]] virtual const Addresses& addresses() const = 0;
    [[nodiscard]] virtual const std::string& new_token(
    ) const = 0;  ///< "" unless it was made just now.
    /// Once a second: page stream, rates, gauges.
    virtual void tick() = 0;
};

}  // namespace tagout::app
