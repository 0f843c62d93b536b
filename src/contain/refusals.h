// The record of callers that were refused for what they are, not for what they asked: no
// credential, a revoked one, another agent's name, an agent at the control API.
//
// Each is counted at once (tagout_refused_callers_total) and goes into the log and the journal
// (identity.refused) within a second. A flood does not: refusals that are alike are one row with a
// count, at most rows_max rows wait, and past burst_max entries one is written every refill.
// Nothing is lost of the counts.
//
// Thread-safe; note() waits for no disk.
#pragma once

#include "base/clock.h"
#include "base/metrics.h"
#include "journal/journal.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tagout::contain {

struct RefusedCaller {
    std::string road;        ///< "mcp", "model", "api", ...
    std::string why;         ///< One word of a fixed set: "no_credential", "other_agent", ...
    std::string claimed;     ///< The agent that it said it was, "" if it named none.
    std::string credential;  ///< Id of its token or name of its certificate; never a secret.
    std::string peer;        ///< Address without port.
};

struct RefusalRow {
    RefusedCaller caller;  ///< `claimed` is "(several)" where rows were joined.
    std::uint64_t count = 0;
    Instant first;
    Instant last;
};

class Refusals {
public:
    static constexpr std::size_t rows_max = 256;  ///< Waiting to be written.
    static constexpr std::size_t burst_max = 30;  ///< Entries at once, and then one ...
    static constexpr Duration refill = std::chrono::minutes(1);  ///< ... in this time.
    static constexpr std::size_t shown_max = 200;
    static constexpr std::size_t text_bytes_max = 128;  ///< Of what a caller says of itself.

    virtual ~Refusals() = default;
    static std::unique_ptr<Refusals> make(
        journal::Journal& journal, const Clock& clock, MetricRegistry& metrics
    );

    /// Folds the newest of the journal, for list(). Once, before anything else.
    virtual Result<void> rebuild() = 0;
    virtual void note(RefusedCaller caller) = 0;
    /// Writes what is due. About once a second; what cannot be written stays.
    virtual void tick() = 0;
    /// Written and waiting ones, the newest first.
    [[nodiscard]] virtual std::vector<RefusalRow> list() const = 0;
};

}  // namespace tagout::contain
