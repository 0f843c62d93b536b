// The way of a batch: linked, made durable, detected. The heart of `tagout serve`.
//
//   receiving threads   link (one lock), append to the evidence log, hand to the shards
//   shard threads       SessionStage on the events whose correlation hashes to them
//   key thread          KeyStage over all shards' partial sums
//   -> FindingSink      findings and session summaries, in the order each thread made them
//
// Thread-safe. A batch that found no room (a shard's queue or the evidence log's) is refused whole
// before anything was kept, and its client is told to come again. Threads end in stop(), after the
// queues are empty.
#pragma once

#include "app/profile_keeper.h"
#include "app/settings.h"
#include "base/metrics.h"
#include "catalog/catalog.h"
#include "detect/engine.h"
#include "intake/intake.h"
#include "journal/evidence_log.h"
#include "server/ports.h"

#include <memory>
#include <vector>

namespace tagout::app {

/// Thread-safe: called from every shard's thread and from the key thread.
class FindingSink {
public:
    virtual ~FindingSink() = default;
    /// `received_at` is when the batch that completed them came in.
    virtual void take(detect::Output output, Instant received_at) = 0;
    /// Every event of a shard's part of a batch, for what is discovered from telemetry.
    virtual void seen(std::span<const AgentEvent> events) = 0;
};

struct PipelineParts {
    const Clock& clock;
    journal::EvidenceLog& evidence;
    FindingSink& findings;
    MetricRegistry& metrics;
};

struct PipelineStats {
    intake::LinkerStats linker;
    detect::StageStats sessions;  ///< Summed over the shards.
    detect::StageStats keys;
    std::uint64_t items = 0;
    std::uint64_t queued_batches = 0;  ///< Waiting for detection or being detected.
    Instant last_received_at;
};

class Pipeline final : public server::IntakeSink, public ProfileLearner {
public:
    Pipeline(
        const PipelineParts& parts, const PipelineSettings& settings,
        const detect::Settings& detection, std::shared_ptr<const catalog::Catalog> catalog
    );
    ~Pipeline() override;

    /// Feeds stored evidence of the last `settings.catch_up` through the stages; before start().
    /// Items that cannot be read any more are counted and skipped. Returns how many were fed.
    Result<std::uint64_t> catch_up();
    void start();
    /// Refuses new batches, works off what is queued, ends the threads.
    void stop();

    void accept(std::shared_ptr<EventBatch> batch, std::function<void(Result<void>)> done) override;

    /// New configuration for every stage, between two of their calls.
    void use(const detect::Settings& detection, std::shared_ptr<const catalog::Catalog> catalog);
    [[nodiscard]] std::vector<detect::ClassBoard> boards() const;
    [[nodiscard]] PipelineStats stats() const;

    void adopt_profile(
        const std::string& workflow, catalog::WorkflowProfile profile, Instant since
    ) override;
    void hold_learning(std::vector<detect::LearningHold> holds) override;
    [[nodiscard]] std::vector<detect::LearnedProfile> take_changed_profiles() override;
    [[nodiscard]] std::vector<detect::ProfileBrief> profile_briefs(std::size_t limit) const override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tagout::app
