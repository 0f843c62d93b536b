// Back-tests as the API asks for them: the evidence log, the incidents and the catalog of this server
// behind server::Backtester.
//
// Thread-safe. Each answer reads the evidence of its stretch: seconds for a busy hour; one at a time,
// so that curious people cannot starve intake of the disk.
#pragma once

#include "base/clock.h"
#include "base/mutex.h"
#include "catalog/catalog.h"
#include "incident/desk.h"
#include "journal/evidence_log.h"
#include "server/ports.h"
#include "verify/past_calls.h"

#include <functional>
#include <memory>

namespace tagout::app {

struct BacktesterParts {
    const Clock& clock;
    const incident::Desk& desk;
    journal::EvidenceLog& evidence;
    std::function<std::shared_ptr<const catalog::Catalog>()> catalog;
};

class LiveBacktester final : public server::Backtester {
public:
    explicit LiveBacktester(BacktesterParts parts) : parts_(std::move(parts)) {}

    [[nodiscard]] Result<std::string> policy(std::string_view yaml, Duration since) override;
    [[nodiscard]] Result<std::string> control(const contain::ControlDraft& draft, Duration since)
        override;
    [[nodiscard]] Result<std::string> suggest(const IncidentId& id, Duration since) override;

private:
    [[nodiscard]] Result<verify::PastCalls> past(Instant from, Instant to)
        TAGOUT_REQUIRES(mutex_);

    const BacktesterParts parts_;
    Mutex mutex_;
};

}  // namespace tagout::app
