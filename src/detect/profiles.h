// Profiles of workflows as the key stage learns and reads them: what each workflow uses when it goes
// well.
//
// A session that goes on after it was told adds what it uses later, and is not counted again. Learned
// from sessions that succeeded and that no finding of safety, tool or context is about, so an
// attack does not become a habit. Learning stops for sessions that a hold covers: while an incident is
// open, what its agent or workflow does is not taken for good. A profile that a person published or
// rolled back to is adopted: it replaces what was learned, and only sessions after it add to it.
//
// A ProfileSource may be set instead: then nothing is learned and every judgement asks it, as a replay
// does that judges each record by what others taught.
//
// Confined to KeyStage's thread. Bounds: workflows_max profiles (the caller's keys_max), each bounded
// by its own tables; past them nothing new is learned and it is counted. Cost: a look-up a use.
#pragma once

#include "base/clock.h"
#include "catalog/workflow_profile.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::detect {

struct SessionFact;

/// Where judgements get profiles from, when not from what this engine learned.
class ProfileSource {
public:
    virtual ~ProfileSource() = default;
    /// nullptr when nothing is known of it. Valid until the next call.
    [[nodiscard]] virtual const catalog::WorkflowProfile* find(
        std::string_view workflow, std::string_view agent
    ) const = 0;
};

/// Nothing is learned from sessions of this agent, or of this workflow, "" for any; not both "".
struct LearningHold {
    std::string agent;
    std::string workflow;
};

struct LearnedProfile {
    std::string workflow;
    catalog::WorkflowProfile profile;
};

/// What is known of one workflow, in short.
struct ProfileBrief {
    std::string workflow;
    std::uint64_t sessions = 0;
    std::array<std::size_t, catalog::profile_facet_count> keys{};
    bool held = false;     ///< By a hold on the workflow itself.
    bool unsaved = false;  ///< Sessions were learned since it was last taken.
};

class Profiles {
public:
    static constexpr std::size_t holds_max = 10'000;

    /// Whether it was a good session, and learned from.
    bool learn(const SessionFact& fact, std::size_t workflows_max);
    /// What a session of this workflow and agent is judged by; nullptr when nothing is known.
    [[nodiscard]] const catalog::WorkflowProfile* find(
        std::string_view workflow, std::string_view agent
    ) const;

    void adopt(const std::string& workflow, catalog::WorkflowProfile profile, Instant since);
    /// Replaces the holds that stood.
    void hold(std::vector<LearningHold> holds);
    void judge_by(std::shared_ptr<const ProfileSource> source) { source_ = std::move(source); }

    /// Those that changed so much since they were last taken or adopted that a version is worth it:
    /// known from `sessions_min` good sessions, and half as many again as then, or with a use that
    /// three good sessions share and that was not settled then. In order of name.
    [[nodiscard]] std::vector<LearnedProfile> take_changed(std::uint64_t sessions_min);

    /// At most `limit`, those of most sessions first.
    [[nodiscard]] std::vector<ProfileBrief> briefs(std::size_t limit) const;

    [[nodiscard]] std::size_t workflows() const noexcept { return entries_.size(); }
    [[nodiscard]] std::size_t bytes() const noexcept;
    [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }
    [[nodiscard]] std::uint64_t held() const noexcept { return held_; }

private:
    struct Entry {
        catalog::WorkflowProfile profile;
        Instant since = Instant::min();     ///< Sessions up to here are in it, or were taken out.
        std::uint64_t taken_sessions = 0;   ///< At the last take or adoption.
        std::uint64_t taken_settled = 0;    ///< Likewise.
    };
    [[nodiscard]] bool is_held(const SessionFact& fact) const;

    std::map<std::string, Entry, std::less<>> entries_;
    std::vector<LearningHold> holds_;
    std::shared_ptr<const ProfileSource> source_;
    std::uint64_t refused_ = 0;  ///< Good sessions of workflows that found no room.
    std::uint64_t held_ = 0;     ///< Good sessions not learned from because of a hold.
};

}  // namespace tagout::detect
