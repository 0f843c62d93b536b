// The control server's fleet of gateways, put together: who may come, what they are told, what they say.
//
// Thread-safe.
#pragma once

#include "app/crossings.h"
#include "contain/agent_tokens.h"
#include "contain/fleet/fleet_book.h"
#include "contain/settings.h"
#include "server/fleet_hub.h"

#include <memory>
#include <string>

namespace tagout::app {

/// What gateways live by, of what an operator set.
[[nodiscard]] server::FleetTimes fleet_times(const contain::Settings& settings);

/// The part that a gateway reads its catalog from.
[[nodiscard]] std::string catalog_part(const catalog::Catalog& catalog);
/// Every version that a label points at, as agents are given it. What would make the part too long is
/// left out, and told in the log.
[[nodiscard]] std::string versions_part(const recover::Releases& releases);

struct FleetControlParts {
    journal::Journal& journal;
    const Clock& clock;
    MetricRegistry& metrics;
    contain::Controls& controls;
    contain::Approvals& approvals;
    server::IntakeSink& intake;
    CatalogNow catalog;
    const recover::Releases& releases;
    contain::AgentTokens& agents;
    std::string data_dir;
    contain::Settings settings;
};

class FleetControl {
public:
    /// Folds the journal. The key is that of evidence packs: one key that people compare.
    static Result<std::unique_ptr<FleetControl>> make(FleetControlParts parts);

    [[nodiscard]] server::FleetHub& hub() noexcept { return *hub_; }

private:
    FleetControl() = default;

    std::unique_ptr<contain::fleet::FleetBook> book_;
    std::unique_ptr<server::FleetHub> hub_;
};

}  // namespace tagout::app
