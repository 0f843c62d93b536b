// Recorded input played in order to whoever judges it, with a clock made of the recorded times.
//
// Linked once, then given to every taker: two configurations are compared on the very same events.
// Telemetry is played second by second as it would have come, so that what is usual is learned before
// it is missed; a recorded run is one piece, a second after the one before.
//
// Thread-compatible. Streams; memory does not grow with the number of records.
#pragma once

#include "app/quality/tool_definitions.h"
#include "app/recorded_numbers.h"
#include "app/replay_output.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "cli/terminal.h"
#include "detect/engine.h"
#include "domain/event_batch.h"
#include "intake/intake.h"
#include "intake/recorded_run.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tagout::app {

class EventTaker {
public:
    virtual ~EventTaker() = default;
    /// `record` is the recorded run's id, "" for telemetry. `now` never runs backwards.
    virtual void judge(std::span<const AgentEvent> events, Instant now, const std::string& record) = 0;
    /// A series of numbers; it has no events, and opens no incident by itself.
    virtual void judge_series(const intake::RecordedSeries& /*series*/) {}
    virtual void finish(Instant now) = 0;
};

/// Both stages of the live engine, as one fold.
class PlayedEngine {
public:
    PlayedEngine(
        const detect::Settings& settings, const std::shared_ptr<const catalog::Catalog>& catalog
    )
        : sessions_(settings, catalog), keys_(settings, catalog) {}

    void judge(std::span<const AgentEvent> events, Instant now, detect::Output& out);
    void finish(detect::Output& out);

private:
    detect::SessionStage sessions_;
    detect::KeyStage keys_;
};

class Player {
public:
    explicit Player(std::vector<EventTaker*> takers)
        : linker_(intake::LinkerOptions{}), takers_(std::move(takers)) {}

    void play(EventBatch& batch, const std::string& record);
    void play_telemetry(EventBatch& batch);
    /// A line with a series, or with one request to a model.
    Result<void> play_numbers(intake::RecordKind kind, std::string_view line);
    void finish();

    [[nodiscard]] Instant now() const noexcept { return now_; }
    /// From the first to the last telemetry played so far; zero without any: recorded runs have no
    /// times of their own.
    [[nodiscard]] Duration telemetry_lasts() const noexcept {
        return first_at_ ? last_at_ - *first_at_ : Duration::zero();
    }

    std::uint64_t records = 0;  ///< Recorded runs, and requests of telemetry.
    std::uint64_t runs = 0;     ///< Recorded runs alone.
    std::uint64_t other_lines = 0;
    std::uint64_t malformed = 0;
    std::uint64_t events = 0;
    ToolDefinitions definitions;  ///< Of the runs played.

private:
    void judge(std::span<const AgentEvent> events, const std::string& record);

    intake::Linker linker_;
    RequestEvents requests_;
    const std::vector<EventTaker*> takers_;
    Instant now_ = Instant(std::chrono::hours(24));
    std::optional<Instant> first_at_;  ///< Of telemetry.
    Instant last_at_ = Instant(std::chrono::hours(24));
};

/// Recorded runs, regression cases and OTLP files, plain or gzip, told apart by their beginning. A
/// malformed line is told with file and line and skipped; `progress` (may be nullptr) is shown.
Result<void> play_files(
    const std::vector<std::string>& files, Player& player, const ReplayTally* progress,
    cli::Terminal& terminal
);

}  // namespace tagout::app
