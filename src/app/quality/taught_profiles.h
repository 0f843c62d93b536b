// Profiles that recorded runs taught, kept apart by agent, so that a run can be judged by what the
// others taught: the sum of a workflow less the agent's own part.
//
// Learned in one pass, then only read. The workflow of a recorded run is its task.
//
// Thread-compatible; find() keeps the newest answer. Bounds: parts_max profiles of one workflow and
// agent; past them runs are counted as refused. Cost of find(): one copy of a profile when workflow
// or agent changed since the last call.
#pragma once

#include "detect/profiles.h"

#include <boost/json/object.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tagout::app {

enum class LeaveOut : std::uint8_t { Nothing, Agent };

/// Whether the labels say that nothing was wrong with a run, so that it may teach what is normal:
/// it succeeded, or it was not attacked and failed in no class.
[[nodiscard]] bool is_healthy(const boost::json::object& labels);

class TaughtProfiles final : public detect::ProfileSource {
public:
    static constexpr std::size_t parts_max = 100'000;

    explicit TaughtProfiles(LeaveOut leave_out) : leave_out_(leave_out) {}

    void learn(
        const std::string& workflow, const std::string& agent,
        const std::vector<catalog::ProfileUse>& uses
    );
    [[nodiscard]] const catalog::WorkflowProfile* find(
        std::string_view workflow, std::string_view agent
    ) const override;

    [[nodiscard]] std::size_t workflows() const noexcept { return workflows_.size(); }
    [[nodiscard]] std::uint64_t runs() const noexcept { return runs_; }
    [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

private:
    struct Workflow {
        catalog::WorkflowProfile all;
        std::map<std::string, catalog::WorkflowProfile, std::less<>> by_agent;
    };

    const LeaveOut leave_out_;
    std::map<std::string, Workflow, std::less<>> workflows_;
    std::size_t parts_ = 0;
    std::uint64_t runs_ = 0;
    std::uint64_t refused_ = 0;

    mutable std::string answered_workflow_;
    mutable std::string answered_agent_;
    mutable catalog::WorkflowProfile answer_;
};

}  // namespace tagout::app
