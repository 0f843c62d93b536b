// Step two of the runbook, put together: the book of controls, approvals, and the gateway of this
// process as its first enforcement point.
//
//   rebuild()  folds the journal: what was in force is in force again
//   open()     starts the gateway, hands it the snapshot, and returns once it is enforced
//
// Thread-safe.
#pragma once

#include "app/gateway_calls.h"
#include "app/spending.h"
#include "contain/agent_tokens.h"
#include "contain/approvals.h"
#include "contain/controls.h"
#include "contain/refusals.h"
#include "contain/settings.h"
#include "contain/tool_pins.h"
#include "gateway/gateway.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tagout::app {

struct ContainmentParts {
    journal::Journal& journal;
    const Clock& clock;
    MetricRegistry& metrics;
    std::function<std::shared_ptr<const catalog::Catalog>()> catalog;
    gateway::VersionSource versions;
    contain::Settings settings;
    std::string data_dir;  ///< What was spent is kept there.
    std::function<void(const gateway::AskedCall&)> asked = {};  ///< As gateway::GatewayParts has it.
};

class Containment {
public:
    /// How long a start waits for its own gateway to enforce what is in force.
    static constexpr Duration in_force_patience = std::chrono::seconds(10);

    explicit Containment(ContainmentParts parts);
    ~Containment();
    Containment(const Containment&) = delete;
    Containment& operator=(const Containment&) = delete;

    Result<void> rebuild();
    /// `intake` takes what the gateway sees; it outlives this. Unavailable: the port is taken.
    Result<void> open(gateway::GatewayOptions options, server::IntakeSink& intake);
    void use(const contain::Settings& settings);
    void tick();
    /// No call passes any more, what was seen is handed over, nobody is told anything.
    void stop();

    [[nodiscard]] contain::Controls& controls() noexcept { return *controls_; }
    [[nodiscard]] contain::Approvals& approvals() noexcept { return *approvals_; }
    [[nodiscard]] contain::ToolPins& pins() noexcept { return *pins_; }
    [[nodiscard]] contain::AgentTokens& agent_tokens() noexcept { return *agent_tokens_; }
    [[nodiscard]] contain::Refusals& refusals() noexcept { return *refusals_; }
    /// "http://127.0.0.1:8322", "" before open().
    [[nodiscard]] std::string address() const;
    /// What marks a call of a journey's runner: made anew at each start, told to nobody else.
    [[nodiscard]] const std::string& journey_secret() const noexcept { return journey_secret_; }

private:
    const ContainmentParts parts_;
    const std::string journey_secret_;
    std::unique_ptr<contain::Controls> controls_;
    std::unique_ptr<contain::Approvals> approvals_;
    std::unique_ptr<contain::ToolPins> pins_;
    std::unique_ptr<contain::AgentTokens> agent_tokens_;
    std::unique_ptr<contain::Refusals> refusals_;
    Spending spending_;
    std::unique_ptr<contain::Circuits> circuits_;
    std::unique_ptr<GatewayCalls> calls_;
    std::shared_ptr<gateway::Gateway> gateway_;
    std::string address_;
};

}  // namespace tagout::app
