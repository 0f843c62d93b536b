// The book of regression cases: made from incidents, kept in the journal, handed out as files.
//
// Journal entry (subject: the case's id): regression.created, with the whole case, so that it
// outlives the telemetry it was made of. Thread-safe; create() reads the evidence log through
// `recorded` and commits, which takes milliseconds to seconds. rebuild() folds the journal.
#pragma once

#include "base/result.h"
#include "domain/event_batch.h"
#include "incident/desk.h"
#include "journal/journal.h"
#include "prevent/regression_make.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tagout::prevent {

struct BookParts {
    journal::Journal& journal;
    const Clock& clock;
    std::function<Result<incident::Incident>(const IncidentId&)> incident;
    /// What is stored of one session, decoded and linked; an empty batch when nothing is.
    std::function<Result<std::shared_ptr<const EventBatch>>(const CorrelationId&)> recorded;
    std::function<std::shared_ptr<const catalog::Catalog>()> catalog;
    /// See CaseRequest::replay.
    std::function<Result<std::vector<std::string>>(std::span<const RecordedSession>)> replay;
    /// See CaseRequest::released; may be empty.
    std::function<VersionsInForce(const incident::Incident&)> released;
};

using CasePtr = std::shared_ptr<const RegressionCase>;

class RegressionBook {
public:
    static constexpr std::size_t cases_max = 2'000;  ///< All are kept in memory.

    virtual ~RegressionBook() = default;
    static std::unique_ptr<RegressionBook> make(BookParts parts);

    virtual Result<void> rebuild() = 0;
    virtual void on_change(std::function<void(const RegressionCase&, const incident::By&)> observer) = 0;

    /// As make_case(): NotFound or Conflict say why there can be no case.
    virtual Result<CasePtr> create(
        const IncidentId& incident, const std::optional<MustNot>& must_not, const incident::By& by
    ) = 0;

    [[nodiscard]] virtual Result<CasePtr> get(const std::string& id) const = 0;
    /// Newest first; "" gives those of every agent, of every incident.
    [[nodiscard]] virtual std::vector<CasePtr> list(
        const AgentName& agent, const IncidentId& incident
    ) const = 0;
};

/// RegressionSummary of api/openapi.yaml.
[[nodiscard]] std::string summary_json(const RegressionCase& regression);

}  // namespace tagout::prevent
