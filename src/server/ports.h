// What the HTTP door needs from the rest of the program; app/ implements both.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "contain/controls.h"
#include "domain/event_batch.h"
#include "domain/vocabulary.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tagout::server {

/// Thread-safe. Where decoded telemetry goes.
class IntakeSink {
public:
    virtual ~IntakeSink() = default;

    /// `done` is called once, from any thread, when the batch is durable, or with why it is not.
    /// LimitExceeded or Unavailable: nothing was kept, the client should retry after a second or
    /// two.
    virtual void accept(
        std::shared_ptr<EventBatch> batch, std::function<void(Result<void>)> done
    ) = 0;
};

/// Thread-safe. Answers of the reading half of the API, as the JSON of api/openapi.yaml. The server
/// parses and bounds the parameters; changes go to incident::Desk directly.
class View {
public:
    virtual ~View() = default;

    [[nodiscard]] virtual std::string now() const = 0;
    [[nodiscard]] virtual Result<std::string> trace(
        std::string_view correlation, std::size_t limit
    ) = 0;
    [[nodiscard]] virtual std::string class_board(FailureClass failure_class) const = 0;
    [[nodiscard]] virtual std::string agents() const = 0;
    [[nodiscard]] virtual std::string notices(std::string_view incident, std::size_t limit)
        const = 0;
    /// Sends a test notice and waits for the outcome (up to the channel's time-out). NotFound names
    /// the channels that exist. Runs on a thread of its own; never on an event loop.
    [[nodiscard]] virtual Result<std::string> test_notice(std::string_view channel) = 0;
    [[nodiscard]] virtual Result<std::string> journal(std::uint64_t from, std::size_t limit) = 0;
    [[nodiscard]] virtual std::string settings() const = 0;
    /// Reads the configuration file again. InvalidArgument carries every mistake; nothing changed
    /// then.
    [[nodiscard]] virtual Result<std::string> reload(const Actor& by) = 0;
    /// "" when ready, else what is still missing.
    [[nodiscard]] virtual std::string not_ready() const = 0;
    /// Called before /metrics is rendered: sets the gauges that are only known on demand.
    virtual void refresh_metrics() = 0;
};

/// Thread-safe. What a policy or a control would have done to the calls of the last `since`; answers
/// the JSON of api/openapi.yaml. Reads the evidence of that time: never called on an event loop.
class Backtester {
public:
    virtual ~Backtester() = default;
    /// InvalidArgument carries every mistake of the policy.
    [[nodiscard]] virtual Result<std::string> policy(std::string_view yaml, Duration since) = 0;
    [[nodiscard]] virtual Result<std::string> control(
        const contain::ControlDraft& draft, Duration since
    ) = 0;
    /// A rule proposed from an incident, with its back-test. NotFound names the incident.
    [[nodiscard]] virtual Result<std::string> suggest(const IncidentId& id, Duration since) = 0;
};

}  // namespace tagout::server
