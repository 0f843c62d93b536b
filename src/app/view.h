// The reading half of the API: what the page and the command line show, as JSON.
//
// Thread-safe. Nothing is cached but the intake rate: each answer is made from the desk, the
// directory, the pipeline's boards and the evidence log as they are now.
#pragma once

#include "app/config_file.h"
#include "app/bypass.h"
#include "app/directory.h"
#include "app/pipeline.h"
#include "incident/desk.h"
#include "journal/evidence_log.h"
#include "journal/journal.h"
#include "notify/notifier.h"
#include "server/ports.h"

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>

namespace tagout::app {

struct ViewParts {
    const Clock& clock;
    MetricRegistry& metrics;
    incident::Desk& desk;
    journal::Journal& journal;
    journal::EvidenceLog& evidence;
    Directory& directory;
    Bypass& bypass;
    Pipeline& pipeline;
    notify::Notifier& notifier;
    /// The configuration in force; replaced by a reload.
    std::function<std::shared_ptr<const Configured>()> configured;
    std::function<Result<std::uint64_t>(const Actor&)> reload;  ///< Gives the new revision.
    std::function<std::string()> not_ready;
};

class LiveView final : public server::View {
public:
    explicit LiveView(ViewParts parts);

    [[nodiscard]] std::string now() const override;
    [[nodiscard]] Result<std::string> trace(std::string_view correlation, std::size_t limit)
        override;
    [[nodiscard]] std::string class_board(FailureClass failure_class) const override;
    [[nodiscard]] std::string agents() const override;
    [[nodiscard]] std::string notices(std::string_view incident, std::size_t limit) const override;
    [[nodiscard]] Result<std::string> test_notice(std::string_view channel) override;
    [[nodiscard]] Result<std::string> journal(std::uint64_t from, std::size_t limit) override;
    [[nodiscard]] std::string settings() const override;
    [[nodiscard]] Result<std::string> reload(const Actor& by) override;
    [[nodiscard]] std::string not_ready() const override;
    void refresh_metrics() override;

    /// Call once a second: the rate shown is over the last ten.
    void sample_rate();

private:
    ViewParts parts_;
    std::atomic<double> items_per_second_{0};
    std::atomic<std::size_t> next_sample_{0};
    struct Sample {
        Instant at;
        std::uint64_t items = 0;
    };
    std::array<Sample, 11> samples_{};  ///< Touched by sample_rate() only.
};

/// One sentence for the first screen: the worst open incident; that most sessions of the hour
/// failed, though no signal says why; or that all is well.
[[nodiscard]] std::string situation(
    std::span<const incident::Incident> open, const PipelineStats& stats,
    const OutcomeCounts& last_hour, Instant now
);

}  // namespace tagout::app
