// Who would have been paged: recorded input through the engine and the incident desk, under one
// configuration, as the live server would have joined, graded and declared.
//
// A page is an incident that people are told about for the first time, by the rule that the notifier
// uses. Nothing is written anywhere.
#pragma once

#include "app/config_file.h"
#include "app/offline.h"
#include "app/player.h"
#include "incident/desk.h"
#include "journal/journal.h"

#include <boost/json/object.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tagout::app {

struct Page {
    Instant at;
    incident::Incident incident;  ///< As it stood at the end.
};

/// Thread-compatible. Memory: the incidents, and what the engine keeps.
class PageCounter final : public EventTaker {
public:
    explicit PageCounter(const Configured& configured);
    ~PageCounter() override;

    void judge(
        std::span<const AgentEvent> events, Instant now, const std::string& record
    ) override;
    void finish(Instant now) override;

    /// In order of time; after finish().
    [[nodiscard]] std::vector<Page> pages() const;
    [[nodiscard]] std::uint64_t sessions() const noexcept { return sessions_; }

private:
    void take(const detect::Output& out, Instant now);

    const bool tell_in_triage_;
    ManualClock clock_;
    std::unique_ptr<journal::Journal> journal_;
    std::unique_ptr<incident::Desk> desk_;
    PlayedEngine engine_;
    std::map<std::string, Instant> paged_;  ///< By incident.
    std::uint64_t sessions_ = 0;
};

/// Pages of one configuration that the other has not: same class, agent and cause, near in time.
[[nodiscard]] std::vector<Page> only_in(
    const std::vector<Page>& mine, const std::vector<Page>& other
);

/// replay --config NEW --against OLD: pages gained and lost, with examples. 0, also when they differ.
Result<int> compare_pages(const ReplayOptions& options, cli::Terminal& terminal);

/// A page as a row of a table and as JSON.
[[nodiscard]] std::string why_text(const incident::Incident& incident);
[[nodiscard]] boost::json::object tree_of(const Page& page);

}  // namespace tagout::app
