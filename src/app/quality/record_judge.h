// One recorded run judged alone: by its own steps and by profiles that were learned before, and by
// nothing that other runs left behind. So the order of records changes no judgement.
//
// Thread-compatible. Cost: the engine's for the run's events, and one empty key stage.
#pragma once

#include "catalog/catalog.h"
#include "detect/engine.h"
#include "detect/key_partials.h"
#include "intake/intake.h"
#include "intake/recorded_run.h"

#include <memory>
#include <vector>

namespace tagout::app {

struct Judgement {
    std::vector<Finding> findings;  ///< The last word on each, in order of first sight.
    SessionOutcome outcome = SessionOutcome::Unknown;
    std::uint64_t events = 0;
};

class RecordJudge {
public:
    /// `profiles` nullptr: nothing is known of any workflow.
    RecordJudge(
        const detect::Settings& settings, std::shared_ptr<const catalog::Catalog> catalog,
        std::shared_ptr<const detect::ProfileSource> profiles
    );

    [[nodiscard]] Judgement judge(const intake::RecordedRun& run);
    /// What the run would tell its workflow's profile, whatever became of it.
    [[nodiscard]] std::vector<catalog::ProfileUse> uses(const intake::RecordedRun& run);

private:
    [[nodiscard]] std::unique_ptr<detect::KeyPartials, void (*)(detect::KeyPartials*)> fold(
        const intake::RecordedRun& run, EventBatch& batch, detect::Output& out
    );

    const detect::Settings settings_;
    const std::shared_ptr<const catalog::Catalog> catalog_;
    const std::shared_ptr<const detect::ProfileSource> profiles_;
    intake::Linker linker_;
    detect::SessionStage sessions_;
    Instant now_ = Instant(std::chrono::hours(24));
};

}  // namespace tagout::app
